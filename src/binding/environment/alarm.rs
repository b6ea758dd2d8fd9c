//! How other threads wake an environment.
//!
//! An environment may end at any moment (`worker.terminate()`), and calling or releasing a threadsafe function after its
//! environment ended touches freed memory or aborts the process. So other threads reach it through one gate:
//!
//! * other threads only ever *call* the function, without blocking, and hold the gate's lock while they do;
//! * a cleanup hook takes it out of the gate under the same lock and releases it. Hooks run last in, first out, and this
//!   one was added after the function, so it runs before Node closes the function;
//! * nothing else touches it. It does not keep the event loop alive.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::binding::engine::{Bell, Engine};
use crate::binding::failure::Outcome;
use crate::store::Wake;

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
