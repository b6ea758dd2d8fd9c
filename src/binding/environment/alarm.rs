//! How other threads wake an environment, and say what for.
//!
//! An environment may end at any moment (`worker.terminate()`), and calling or releasing a threadsafe function after
//! its environment ended touches freed memory or aborts the process. So other threads reach it through one gate:
//!
//! * other threads only ever *call* the function, without blocking, and hold the gate's lock while they do;
//! * a cleanup hook takes it out of the gate under the same lock and releases it. Hooks run last in, first out, and
//!   this one was added after the function, so it runs before Node closes the function;
//! * nothing else touches it. It does not keep the event loop alive.
//!
//! Each subscription has a ringer of its own, which records that it rang before it rings. So the environment, once
//! woken, knows which of them have something, and asks no other.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::binding::engine::{Bell, Engine};
use crate::binding::failure::Outcome;
use crate::store::Wake;

/// What wakes one environment.
pub struct Alarm {
    gate: Arc<Gate>,
    /// Of all subscriptions, and of some that ended.
    ringers: RefCell<Vec<Weak<Ringer>>>,
}

/// Invariant: the environment of a bell in the gate has not ended, because the gate is emptied before it ends.
struct Gate(Mutex<Option<Bell>>);

/// Which subscription something waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The open map, by its id.
    pub id: u32,
    /// What waits: one of the numbers of WAKE.
    pub what: u32,
    /// The number of the subscription, where a map has several of a kind; else 0.
    pub number: u32,
}

/// What a subscription wakes.
struct Ringer {
    gate: Arc<Gate>,
    waiting: Waiting,
    /// Whether it rang since the environment last looked. Set before the bell rings, so the thread that answers sees
    /// it.
    has_rung: AtomicBool,
}

impl Wake for Ringer {
    fn wake(&self) {
        self.has_rung.store(true, Ordering::Release);
        let mut gate = self.gate.0.lock();
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
                // SAFETY: this runs before Node closes the function (see the head of this file), and no other thread
                // can reach the bell: the gate is empty, and its lock is held.
                unsafe { bell.release() };
            }
        })?;
        Ok(Alarm { gate, ringers: RefCell::default() })
    }

    /// What a subscription wakes, which is `waiting` then.
    pub fn waker(&self, waiting: Waiting) -> Arc<dyn Wake> {
        let ringer = Arc::new(Ringer { gate: Arc::clone(&self.gate), waiting, has_rung: AtomicBool::new(false) });
        let mut ringers = self.ringers.borrow_mut();
        if ringers.len() == ringers.capacity() {
            ringers.retain(|ringer| ringer.strong_count() > 0);
        }
        ringers.push(Arc::downgrade(&ringer));
        ringer
    }

    /// The subscriptions that rang since this was last asked.
    pub fn waiting(&self) -> Vec<Waiting> {
        let ringers = self.ringers.borrow();
        let rung = ringers.iter().filter_map(Weak::upgrade).filter(|one| one.has_rung.swap(false, Ordering::Acquire));
        rung.map(|one| one.waiting).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An alarm of an environment that has ended: everything but the bell is as usual.
    fn alarm() -> Alarm {
        Alarm { gate: Arc::new(Gate(Mutex::new(None))), ringers: RefCell::default() }
    }

    #[test]
    fn those_that_rang_are_told_once() {
        let alarm = alarm();
        let waiting = |id| Waiting { id, what: 1, number: 0 };
        let wakers: Vec<_> = (0..3).map(|id| alarm.waker(waiting(id))).collect();
        assert_eq!(alarm.waiting(), []);
        wakers[2].wake();
        wakers[0].wake();
        wakers[0].wake();
        assert_eq!(alarm.waiting(), [waiting(0), waiting(2)]);
        assert_eq!(alarm.waiting(), []);
    }

    #[test]
    fn subscriptions_that_ended_take_no_room() {
        let alarm = alarm();
        for id in 0..10_000 {
            drop(alarm.waker(Waiting { id, what: 0, number: 0 }));
        }
        assert!(alarm.ringers.borrow().capacity() <= 16);
    }
}
