//! Subscriptions to memory pressure: of one map in one evaluation, or of an evaluation to the process.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::store::{PressureNews, PressureSubscription};

/// Subscriptions by number.
#[derive(Default)]
pub struct Gauges {
    all: RefCell<HashMap<u32, PressureSubscription>>,
    last: Cell<u32>,
}

impl Gauges {
    /// A number which no other has.
    pub fn next(&self) -> u32 {
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        number
    }

    /// Adds one.
    pub fn add(&self, number: u32, gauge: PressureSubscription) {
        self.all.borrow_mut().insert(number, gauge);
    }

    /// What there is to report of one.
    pub fn take(&self, number: u32) -> Option<PressureNews> {
        self.all.borrow().get(&number)?.take()
    }

    /// Ends one.
    pub fn remove(&self, number: u32) {
        let removed = self.all.borrow_mut().remove(&number);
        drop(removed);
    }

    /// Ends all.
    pub fn end(&self) {
        let all = self.all.take();
        drop(all);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.borrow().is_empty()
    }
}
