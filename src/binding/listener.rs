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

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::sys::{self, Status};
use napi_derive::napi;
use parking_lot::Mutex;
use serde_json::json;

use super::call::{Engine, Js};
use super::env::within;
use super::error::{Failure, Outcome, details};
use super::map::OpenMap;
use crate::store::{Event, Level, Subscription, Wake};

/// Wakes one environment.
pub struct Alarm(Arc<Gate>);

/// Invariant: a function in the gate is not closed yet, because the hook that runs before it is closed empties the gate.
struct Gate(Mutex<Option<Function>>);

struct Function(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function is made to be called from any thread; `Gate` says when.
unsafe impl Send for Function {}

impl Wake for Gate {
    fn wake(&self) {
        let mut gate = self.0.lock();
        if let Some(Function(raw)) = *gate {
            // SAFETY: it is not closed (invariant of `Gate`), and the lock is held until the call has returned.
            let status = unsafe {
                sys::napi_call_threadsafe_function(raw, ptr::null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking)
            };
            // A function that is closing has dropped our hold on it with this answer.
            if status == Status::napi_closing {
                *gate = None;
            }
        }
    }
}

impl Alarm {
    /// Makes the function that wakes this environment by calling `on_wake`.
    pub fn create(engine: Engine<'_>, on_wake: Js<'_>) -> Outcome<Alarm> {
        let raw = engine.threadsafe_function("typed-superdashmap", on_wake, call_on_wake)?;
        let gate = Arc::new(Gate(Mutex::new(Some(Function(raw)))));
        let for_hook = Arc::into_raw(Arc::clone(&gate)).cast_mut().cast();
        // SAFETY: the environment is alive; one count of the gate is handed over to the hook, which runs once.
        let status = unsafe { sys::napi_add_env_cleanup_hook(engine.raw(), Some(shut), for_hook) };
        if status != Status::napi_ok {
            return Err(Failure::Engine(status));
        }
        Ok(Alarm(gate))
    }

    /// What a subscription wakes.
    fn waker(&self) -> Arc<dyn Wake> {
        Arc::clone(&self.0) as Arc<dyn Wake>
    }
}

/// Called by the engine when the environment ends, before it closes the function.
unsafe extern "C" fn shut(gate: *mut c_void) {
    // SAFETY: `create` handed over one count of this pointer to this hook.
    let gate = unsafe { Arc::from_raw(gate.cast_const().cast::<Gate>()) };
    let mut function = gate.0.lock();
    if let Some(Function(raw)) = function.take() {
        // SAFETY: it is not closed yet, and nobody else can reach it: the gate is empty now, and its lock is held.
        unsafe { sys::napi_release_threadsafe_function(raw, sys::ThreadsafeFunctionReleaseMode::release) };
    }
}

/// Called by the engine on the environment's thread, some time after a wake.
unsafe extern "C" fn call_on_wake(env: sys::napi_env, on_wake: sys::napi_value, _: *mut c_void, _: *mut c_void) {
    // Both are null when the environment ended with a wake on its way.
    if env.is_null() || on_wake.is_null() {
        return;
    }
    // SAFETY: the engine passed both to this callback, and they are used only until it returns.
    let (engine, on_wake) = unsafe { (Engine::from_raw(env), Js::from_raw(on_wake)) };
    if engine.call(on_wake, &[]).is_err() {
        // A listener threw. Without this, Node would print a deprecation warning in place of an uncaught exception.
        engine.report_uncaught();
    }
}

/// Starts, changes or ends what this environment hears of a map: log lines of `level` (0 trace to 4 error, 5 none) and
/// above, and errors.
#[napi(catch_unwind)]
pub fn listen(env: &napi::Env, id: u32, level: u32, errors: bool) -> napi::Result<()> {
    within(env, "listen", id, |engine, environment| {
        let map = environment.map(id)?;
        let level = Level::from_number(level);
        let wanted = level != Level::Off || errors;
        let subscription = if wanted {
            Some(map.store().events().subscribe(level, errors, environment.alarm(engine)?.waker()))
        } else {
            None
        };
        // The old one is dropped after the borrow has ended.
        let old = map.subscription.replace(subscription);
        drop(old);
        Ok(())
    })
}

/// One event. `details` is JSON text: the fields of a log line, or the details of an error.
#[napi(object)]
pub struct MapEvent {
    /// The open map.
    pub id: u32,
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

/// Takes out all events that wait for this environment.
#[napi(catch_unwind)]
pub fn drain(env: &napi::Env) -> napi::Result<Vec<MapEvent>> {
    within(env, "drain", 0, |_, environment| {
        let mut events = Vec::new();
        for (id, map) in environment.maps() {
            let drained = map.subscription.borrow().as_ref().map(Subscription::drain);
            let Some(drained) = drained else { continue };
            events.extend(drained.events.into_iter().map(|event| map_event(id, &map, event)));
            if drained.dropped > 0 {
                events.push(MapEvent {
                    count: Some(drained.dropped as f64),
                    ..MapEvent::new(id, "dropped", "{}".to_owned())
                });
            }
        }
        Ok(events)
    })
}

impl MapEvent {
    fn new(id: u32, kind: &str, details: String) -> MapEvent {
        let kind = kind.to_owned();
        MapEvent { id, kind, level: None, code: None, number: None, operation: None, count: None, details }
    }
}

fn map_event(id: u32, map: &OpenMap, event: Event) -> MapEvent {
    match event {
        Event::Log { level, code, fields } => {
            let fields: serde_json::Map<_, _> =
                fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            let details = serde_json::Value::Object(fields).to_string();
            MapEvent { level: Some(level as u32), code: Some(code.to_owned()), ..MapEvent::new(id, "log", details) }
        }
        Event::Error { error, operation } => {
            let details = details(&error, Some(map.store())).to_string();
            let number = Some(u32::from(error.code()));
            MapEvent { number, operation: Some(operation.to_owned()), ..MapEvent::new(id, "error", details) }
        }
    }
}
