//! Errors that no call throws and no subscriber hears, on their way to a thread that can warn of them.
//!
//! Native threads fail where no caller is: a map that recovers by itself, a thread that removes expired entries. Each
//! thread of the user that has a map open has a desk at its events. An error that no subscriber to errors hears is put
//! onto one of them, the one that is there longest, and its thread is woken. What is the same and waits already is
//! counted instead, so a desk has no more than a few errors for each map.

use std::mem;

use super::{Events, Wake};
use crate::store::error::Error;
use crate::store::platform::sync::{Arc, Mutex};

/// Desks, and what their threads know the map by; the longest there first.
pub(super) type Places = Vec<(u32, Arc<Desk>)>;

/// Where one thread is told of errors.
pub struct Desk {
    wake: Arc<dyn Wake>,
    waiting: Mutex<Vec<Unheard>>,
}

/// An error that nothing has heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Unheard {
    /// What the thread of the desk knows the map by.
    pub open: u32,
    /// The error.
    pub error: Error,
    /// What failed, by the name that users know.
    pub operation: &'static str,
    /// How often.
    pub count: u64,
}

/// A desk at the events of a map. Dropping it takes the desk away.
pub struct DeskPlace {
    events: Events,
    open: u32,
    desk: Arc<Desk>,
}

impl Desk {
    /// A desk whose thread `wake` wakes.
    pub fn new(wake: Arc<dyn Wake>) -> Desk {
        Desk { wake, waiting: Mutex::default() }
    }

    /// Takes all that waits, oldest first.
    pub fn take(&self) -> Vec<Unheard> {
        mem::take(&mut *self.waiting.lock())
    }

    fn put(&self, open: u32, error: &Error, operation: &'static str) {
        {
            let mut waiting = self.waiting.lock();
            let is_same =
                |one: &&mut Unheard| one.open == open && one.operation == operation && one.error.code() == error.code();
            match waiting.iter_mut().find(is_same) {
                Some(known) => known.count += 1,
                None => waiting.push(Unheard { open, error: error.clone(), operation, count: 1 }),
            }
        }
        self.wake.wake();
    }
}

impl Events {
    /// Puts up a desk, of a thread that knows the map as `open`.
    pub fn seat(&self, open: u32, desk: &Arc<Desk>) -> DeskPlace {
        self.shared.desks.lock().push((open, Arc::clone(desk)));
        DeskPlace { events: self.clone(), open, desk: Arc::clone(desk) }
    }

    /// Reports an error that no call throws: to the subscribers to errors or, where there are none, to a desk.
    #[cold]
    pub fn report(&self, error: &Error, operation: &'static str) {
        if self.error(error, operation) {
            return;
        }
        // Outside the lock: a thread that is woken may take its desk away at once.
        let first = self.shared.desks.lock().first().map(|(open, desk)| (*open, Arc::clone(desk)));
        if let Some((open, desk)) = first {
            desk.put(open, error, operation);
        }
    }
}

impl Drop for DeskPlace {
    fn drop(&mut self) {
        let mut desks = self.events.shared.desks.lock();
        if let Some(at) = desks.iter().position(|(open, desk)| *open == self.open && Arc::ptr_eq(desk, &self.desk)) {
            desks.remove(at);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::{Event, Level, LogTarget};
    use super::*;

    #[derive(Default)]
    struct Bell(AtomicU32);

    impl Wake for Bell {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn unheard(open: u32, count: u64) -> Unheard {
        Unheard { open, error: Error::Broken, operation: "expire", count }
    }

    #[test]
    fn an_error_without_a_subscriber_goes_to_the_desk_that_is_there_longest() {
        let events = Events::new();
        // Without a desk it goes nowhere.
        events.report(&Error::Broken, "expire");
        let bells = [(); 2].map(|()| Arc::new(Bell::default()));
        let desks = [0, 1].map(|at: usize| Arc::new(Desk::new(Arc::<Bell>::clone(&bells[at]))));
        let first = events.seat(10, &desks[0]);
        let second = events.seat(20, &desks[1]);
        for _ in 0..3 {
            events.report(&Error::Broken, "expire");
        }
        events.report(&Error::ExpiryUnattended, "expire");
        let unattended = Unheard { error: Error::ExpiryUnattended, ..unheard(10, 1) };
        assert_eq!(desks[0].take(), [unheard(10, 3), unattended]);
        assert_eq!((desks[0].take(), desks[1].take()), (vec![], vec![]));
        assert_eq!(bells[0].0.load(Ordering::Relaxed), 4);
        drop(first);
        events.report(&Error::Broken, "expire");
        assert_eq!((desks[0].take(), desks[1].take()), (vec![], vec![unheard(20, 1)]));
        drop(second);
        events.report(&Error::Broken, "expire");
        assert_eq!(desks[1].take(), []);
    }

    #[test]
    fn a_subscriber_to_errors_hears_it_and_no_desk_does() {
        let events = Events::new();
        let desk = Arc::new(Desk::new(Arc::new(Bell::default())));
        let _place = events.seat(1, &desk);
        let lines = events.subscribe(Level::Trace, LogTarget::ALL_BITS, false, Arc::new(Bell::default()));
        events.report(&Error::Broken, "expire");
        assert_eq!((desk.take(), lines.drain(9).events), (vec![unheard(1, 1)], vec![]));
        let errors = events.subscribe(Level::Off, 0, true, Arc::new(Bell::default()));
        events.report(&Error::Broken, "expire");
        let event = Event::Error { error: Error::Broken, operation: "expire".into() };
        assert_eq!((desk.take(), errors.drain(9).events), (vec![], vec![event]));
    }
}
