//! How threads learn what became of loads: each open map has a seat, to which notices are sent.

use std::collections::VecDeque;

use crate::store::entry::shapes::ShapeHold;
use crate::store::entry::value::{Value, ValueKind};
use crate::store::error::Error;
use crate::store::events::Wake;
use crate::store::platform::fallible;
use crate::store::platform::sync::process::{AtomicU64, Mutex};
use crate::store::platform::sync::{Arc, Ordering, Weak};

/// What a load was, for its waiters.
#[derive(Debug)]
pub enum Outcome {
    /// The value, whether it was stored or not.
    Loaded {
        /// What the value is.
        kind: ValueKind,
        /// Its bytes.
        bytes: Vec<u8>,
        /// Keeps the shape of a record known until it was read.
        shape: Option<Arc<ShapeHold>>,
    },
    /// There is no value, for a reason that the caller describes in its own terms.
    Failed(Vec<u8>),
    /// There is one, and no memory for a copy of it.
    Refused(Error),
}

/// What is sent to a seat. A ticket is the number that a seat knows a load by.
#[derive(Debug)]
pub enum Notice {
    /// The load of this ticket, which was waited for, has ended.
    Ended(u64, Arc<Outcome>),
    /// The load of this ticket is owned from now on, under the token that comes second.
    Granted(u64, u64),
    /// Nothing waits any more for the load of this ticket, which was owned. There is no such load now.
    Unwanted(u64),
    /// The map was destroyed, or is broken: there will be no other notice.
    Over,
}

/// One open map, as far as loads are concerned.
pub struct Seat {
    wake: Arc<dyn Wake>,
    notices: Mutex<VecDeque<Notice>>,
}

impl Seat {
    /// Takes the oldest notice out.
    pub fn take(&self) -> Option<Notice> {
        self.notices.lock().pop_front()
    }

    /// Drops all of them, because nothing waits for any load.
    pub fn clear(&self) {
        let dropped = std::mem::take(&mut *self.notices.lock());
        drop(dropped);
    }

    pub(super) fn send(&self, notice: Notice) {
        self.notices.lock().push_back(notice);
    }

    /// Has the thread look for notices. Without a lock of the map.
    pub(crate) fn wake(&self) {
        self.wake.wake();
    }
}

/// The seats of a map, and the numbers of its loads.
#[derive(Default)]
pub struct Seats {
    seats: Mutex<Vec<Weak<Seat>>>,
    last_token: AtomicU64,
}

impl Seats {
    /// A seat, which lives as long as the answer.
    pub fn add(&self, wake: Arc<dyn Wake>) -> Arc<Seat> {
        let seat = Arc::new(Seat { wake, notices: Mutex::default() });
        let mut seats = self.seats.lock();
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(&seat));
        seat
    }

    /// Tells all of them that the map is over. After its state says so.
    pub fn end(&self) {
        let seats: Vec<_> = self.seats.lock().iter().filter_map(Weak::upgrade).collect();
        for seat in seats {
            seat.send(Notice::Over);
            seat.wake();
        }
    }

    /// A number that no load of the map had.
    pub(super) fn next_token(&self) -> u64 {
        self.last_token.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Outcome {
    /// A copy of a value.
    pub fn of(value: Value<'_>, shape: Option<ShapeHold>) -> Self {
        let shape = shape.map(Arc::new);
        let mut bytes = Vec::new();
        match fallible::copy_into(&mut bytes, value.bytes) {
            Ok(()) => Self::Loaded { kind: value.kind, bytes, shape },
            Err(refused) => Self::Refused(refused),
        }
    }
}
