//! The listeners of an evaluation to the changes of a map, by number.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::binding::failure::{Failure, Outcome};
use crate::store::{ChangeAudience, Report, Taken};

/// Listeners to changes.
#[derive(Default)]
pub struct ChangeListeners {
    audiences: RefCell<HashMap<u32, ChangeAudience>>,
    last: Cell<u32>,
}

impl ChangeListeners {
    /// Adds a listener that `listen` makes, which learns its number: no other of this map has had it.
    pub fn add(&self, listen: impl FnOnce(u32) -> Outcome<ChangeAudience>) -> Outcome<u32> {
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        let audience = listen(number)?;
        self.audiences.borrow_mut().insert(number, audience);
        Ok(number)
    }

    /// Takes out what waits for one.
    pub fn take(&self, number: u32, count: usize, bytes: usize, out: &mut Vec<Report>) -> Outcome<Taken> {
        let mut audiences = self.audiences.borrow_mut();
        let audience = audiences.get_mut(&number).ok_or(Failure::Misuse("there is no such listener"))?;
        Ok(audience.take(count, bytes, out))
    }

    /// Ends one.
    pub fn remove(&self, number: u32) {
        let removed = self.audiences.borrow_mut().remove(&number);
        drop(removed);
    }

    /// Ends all.
    pub fn end_all(&self) {
        drop(self.audiences.take());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.audiences.borrow().is_empty()
    }
}
