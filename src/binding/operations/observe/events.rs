//! Events on their way to JavaScript: an event caused in any thread wakes each environment that wants it, and that
//! environment takes the events out on its own thread.

use napi_derive::napi;
use serde_json::json;

use crate::binding::convert::details::details;
use crate::binding::environment::{Environment, OpenMap, Waiting};
use crate::binding::layout::WAKE_EVENTS;
use crate::binding::operation::{with_map, within};
use crate::store::{Error, Event, Level, Store, Unheard};

/// Starts, changes or ends what this evaluation hears of a map: log lines of `level` (0 trace to 4 error, 5 none) and
/// above that are about `targets` (a bit for each number of TARGET), and errors.
#[napi(catch_unwind)]
pub fn listen(env: &napi::Env, id: u32, level: u32, targets: u32, errors: bool) -> napi::Result<()> {
    within(env, "listen", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        let level = Level::from_number(level);
        let mut subscription = map.subscription.borrow_mut();
        match &*subscription {
            _ if level == Level::Off && !errors => *subscription = None,
            Some(subscription) => {
                subscription.change(level, targets, errors);
                map.store().watch_memory(level, targets);
            }
            None => {
                let waiting = Waiting { id, what: WAKE_EVENTS, number: 0 };
                let waker = Environment::of(engine)?.waker(engine, waiting)?;
                *subscription = Some(map.store().listen(level, targets, errors, waker));
            }
        }
        drop(subscription);
        evaluation.note_listening(engine, &map)
    })
}

/// Looks whether the memory of a map is fragmented, and logs it if it is and was not before.
#[napi(catch_unwind)]
pub fn check_memory(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "checkMemory", id, |map| {
        map.store().check_fragmentation();
        Ok(())
    })
}

/// One event. `details` is JSON text: the fields of a log line, or the details of an error.
#[napi(object)]
pub struct MapEvent {
    /// `log`, `error`, or `dropped`: events that the queue had no room for.
    pub kind: String,
    /// Level of a log line, 0 trace to 4 error.
    pub level: Option<u32>,
    /// What a log line is about, a number of TARGET.
    pub target: Option<u32>,
    /// Stable code of a log line.
    pub code: Option<String>,
    /// A log line in words.
    pub message: Option<String>,
    /// When it was logged, in milliseconds since 1970.
    pub time: Option<f64>,
    /// Number of an error.
    pub number: Option<u32>,
    /// The operation that failed.
    pub operation: Option<String>,
    /// How many were dropped.
    pub count: Option<f64>,
    /// JSON text.
    pub details: String,
}

/// Takes out events of a map that wait, at most `count`, oldest first. When there are none, the next event wakes this
/// again.
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
        MapEvent {
            kind: kind.to_owned(),
            level: None,
            target: None,
            code: None,
            message: None,
            time: None,
            number: None,
            operation: None,
            count: None,
            details,
        }
    }
}

fn map_event(map: &OpenMap, event: Event) -> MapEvent {
    match event {
        Event::Log { line, time_ms, fields } => {
            let fields: serde_json::Map<_, _> =
                fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            MapEvent {
                level: Some(line.level as u32),
                target: Some(line.target as u32),
                code: Some(line.code.to_owned()),
                message: Some(line.message.to_owned()),
                time: Some(time_ms as f64),
                ..MapEvent::new("log", serde_json::Value::Object(fields).to_string())
            }
        }
        Event::Error { error, operation } => error_event(&error, operation.into_owned(), Some(map.store())),
    }
}

fn error_event(error: &Error, operation: String, store: Option<&Store>) -> MapEvent {
    let number = Some(u32::from(error.code()));
    MapEvent { number, operation: Some(operation), ..MapEvent::new("error", details(error, store).to_string()) }
}

/// An error that nothing listens to.
#[napi(object)]
pub struct UnheardError {
    /// The map as this evaluation opened it.
    pub id: u32,
    /// The error; `count` says how often.
    pub event: MapEvent,
}

/// Takes the errors of the maps of this evaluation that no call threw and nothing listens to.
#[napi(catch_unwind)]
pub fn take_unheard(env: &napi::Env, evaluation: u32) -> napi::Result<Vec<UnheardError>> {
    within(env, "takeUnheard", evaluation, |_, evaluation| {
        let unheard = evaluation.take_unheard().into_iter().map(|Unheard { open, error, operation, count }| {
            let event = error_event(&error, operation.to_owned(), None);
            UnheardError { id: open, event: MapEvent { count: Some(count as f64), ..event } }
        });
        Ok(unheard.collect())
    })
}
