//! Events on their way to JavaScript: an event caused in any thread wakes each environment that wants it, and that
//! environment takes the events out on its own thread.
//!
//! An environment may end at any moment (`worker.terminate()`), and calling or releasing a threadsafe function after its
//! environment ended touches freed memory or aborts the process. So other threads reach it through one gate:
//!
//! * other threads only ever *call* the function, without blocking, and hold the gate's lock while they do;
//! * a cleanup hook takes it out of the gate under the same lock and releases it. Hooks run last in, first out, and this
//!   one was added after the function, so it runs before Node closes the function;
//! * nothing else touches it. It does not keep the event loop alive.

use std::sync::Arc;

use napi_derive::napi;
use parking_lot::Mutex;
use serde_json::json;

use super::call::{Bell, Engine};
use super::details::details;
use super::env::Environment;
use super::error::Outcome;
use super::map::OpenMap;
use super::operation::{with_map, within};
use crate::store::{Event, Level, Wake};

/// Wakes one environment.
pub struct Alarm(Arc<Gate>);

/// Invariant: the environment of a bell in the gate has not ended, because the gate is emptied before it ends.
struct Gate(Mutex<Option<Bell>>);

impl Wake for Gate {
    fn wake(&self) {
        let mut gate = self.0.lock();
        // SAFETY: the invariant of `Gate`, whose lock is held until the bell has rung.
        let still_there = gate.as_ref().is_some_and(|bell| unsafe { bell.ring() });
        if !still_there {
            *gate = None;
        }
    }
}

impl Alarm {
    /// Makes the bell of this environment.
    pub fn create(engine: Engine<'_>) -> Outcome<Alarm> {
        let bell = engine.bell("typed-superdashmap")?;
        let gate = Arc::new(Gate(Mutex::new(Some(bell))));
        let ending = Arc::clone(&gate);
        engine.at_end(move || {
            let mut gate = ending.0.lock();
            if let Some(bell) = gate.take() {
                // SAFETY: this runs before Node closes the function (see the head of this file), and nobody else can
                // reach the bell: the gate is empty, and its lock is held.
                unsafe { bell.release() };
            }
        })?;
        Ok(Alarm(gate))
    }

    /// What a subscription wakes.
    pub fn waker(&self) -> Arc<dyn Wake> {
        Arc::clone(&self.0) as Arc<dyn Wake>
    }
}

/// Starts, changes or ends what this evaluation hears of a map: log lines of `level` (0 trace to 4 error, 5 none) and
/// above, and errors.
#[napi(catch_unwind)]
pub fn listen(env: &napi::Env, id: u32, level: u32, errors: bool) -> napi::Result<()> {
    within(env, "listen", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        let level = Level::from_number(level);
        let mut subscription = map.subscription.borrow_mut();
        match &*subscription {
            _ if level == Level::Off && !errors => *subscription = None,
            Some(subscription) => subscription.change(level, errors),
            None => {
                let environment = Environment::of(engine)?;
                let alarm = environment.alarm(engine)?;
                *subscription = Some(map.store().events().subscribe(level, errors, alarm.waker()));
            }
        }
        drop(subscription);
        evaluation.note_listening(engine, &map)
    })
}

/// One event. `details` is JSON text: the fields of a log line, or the details of an error.
#[napi(object)]
pub struct MapEvent {
    /// `log`, `error`, or `dropped`: events that the queue had no room for.
    pub kind: String,
    /// Level of a log line, 0 trace to 4 error.
    pub level: Option<u32>,
    /// Stable code of a log line.
    pub code: Option<String>,
    /// Number of an error.
    pub number: Option<u32>,
    /// The operation that failed.
    pub operation: Option<String>,
    /// How many were dropped.
    pub count: Option<f64>,
    /// JSON text.
    pub details: String,
}

/// Takes out events of a map that wait, at most `count`, oldest first. When there are none, the next event wakes this again.
#[napi(catch_unwind)]
pub fn drain(env: &napi::Env, id: u32, count: u32) -> napi::Result<Vec<MapEvent>> {
    with_map(env, "drain", id, |map| {
        let drained = map.subscription.borrow().as_ref().map(|subscription| subscription.drain(count as usize));
        let Some(drained) = drained else { return Ok(Vec::new()) };
        let mut events: Vec<_> = drained.events.into_iter().map(|event| map_event(map, event)).collect();
        if drained.dropped > 0 {
            events.push(MapEvent { count: Some(drained.dropped as f64), ..MapEvent::new("dropped", "{}".to_owned()) });
        }
        Ok(events)
    })
}

impl MapEvent {
    fn new(kind: &str, details: String) -> MapEvent {
        let kind = kind.to_owned();
        MapEvent { kind, level: None, code: None, number: None, operation: None, count: None, details }
    }
}

fn map_event(map: &OpenMap, event: Event) -> MapEvent {
    match event {
        Event::Log { level, code, fields } => {
            let fields: serde_json::Map<_, _> =
                fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            let details = serde_json::Value::Object(fields).to_string();
            MapEvent { level: Some(level as u32), code: Some(code.to_owned()), ..MapEvent::new("log", details) }
        }
        Event::Error { error, operation } => {
            let details = details(&error, Some(map.store())).to_string();
            let number = Some(u32::from(error.code()));
            MapEvent { number, operation: Some(operation.to_owned()), ..MapEvent::new("error", details) }
        }
    }
}
