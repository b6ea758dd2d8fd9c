//! The clock that a thread has set for its maps, for a test.
//!
//! A thread has one at a time, which holds the time of every map that the thread has open, and of those that it opens
//! until the clock is restored. Other threads that share a map share its time. A map that several threads hold runs
//! again when the last of them lets go.
//!
//! A test may forget to restore its clock, and must not leave the next one without a time. So a clock ends with its
//! thread, when another one is set there, and when another realm of the thread evaluates the package: a runner that
//! uses one thread for several test files gives each a realm of its own. Evaluations in one realm, such as those of a
//! test that resets its modules, share the clock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::evaluation::Evaluation;
use super::holds::Holds;
use super::open_map::OpenMap;
use super::roster::Roster;
use crate::binding::engine::{Engine, Js, Kept};
use crate::binding::failure::Outcome;

/// Which clock a thread has set.
pub struct Clocks {
    /// Together they have the maps of the thread.
    evaluations: Rc<Roster<Evaluation>>,
    holds: Rc<Holds>,
    set: RefCell<Option<TestClock>>,
    /// The number of the last one.
    last: Cell<u32>,
}

struct TestClock {
    number: u32,
    /// An object that stands for the realm of the evaluation that set it.
    realm: Kept,
    /// Whether JavaScript tells of time only when a map is used.
    is_late: bool,
}

impl Clocks {
    /// No clock yet, for the maps of this thread.
    pub fn new(evaluations: &Rc<Roster<Evaluation>>, holds: &Rc<Holds>) -> Self {
        let (evaluations, holds) = (Rc::clone(evaluations), Rc::clone(holds));
        Self { evaluations, holds, set: RefCell::default(), last: Cell::default() }
    }

    /// Sets a clock, in place of one that is set, and returns its number.
    pub fn set(&self, engine: Engine<'_>, evaluation: &Evaluation, is_late: bool) -> Outcome<u32> {
        let realm = engine.keep_weakly(evaluation.realm(engine)?)?;
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        let before = self.set.replace(Some(TestClock { number, realm, is_late }));
        drop(before);
        for map in self.all_maps() {
            map.hold_time(is_late);
        }
        Ok(number)
    }

    /// Whether this clock is still set.
    fn has(&self, number: u32) -> bool {
        self.set.borrow().as_ref().is_some_and(|clock| clock.number == number)
    }

    /// Moves the time of all maps, if this clock is still set; whether it is.
    pub fn advance(&self, number: u32, by_ms: u64) -> bool {
        if !self.has(number) {
            return false;
        }
        // A map that was opened twice has one time.
        let stores: HashMap<_, _> = self.all_maps().into_iter().map(|map| (map.instance(), map)).collect();
        for map in stores.values() {
            map.store().advance_clock(by_ms);
        }
        true
    }

    /// Has time run again, if this clock is still set.
    pub fn restore(&self, number: u32) {
        if self.has(number) {
            self.end();
        }
    }

    /// Holds the time of a map that was just opened, if a clock is set.
    pub fn join(&self, map: &OpenMap) {
        if let Some(clock) = &*self.set.borrow() {
            map.hold_time(clock.is_late);
        }
    }

    /// Ends a clock that another realm has set than the one that evaluates the package now.
    pub fn end_foreign(&self, engine: Engine<'_>, function: Js<'_>) -> Outcome<()> {
        let is_own = match &*self.set.borrow() {
            None => return Ok(()),
            // A realm that was collected is another one.
            Some(clock) => match engine.kept(&clock.realm) {
                Ok(realm) => engine.is_same(realm, engine.prototype_of(function)?)?,
                Err(_) => false,
            },
        };
        if !is_own {
            self.end();
        }
        Ok(())
    }

    fn end(&self) {
        let ended = self.set.take();
        drop(ended);
        for map in self.all_maps() {
            map.release_time();
        }
    }

    /// What this thread has open.
    fn all_maps(&self) -> Vec<Rc<OpenMap>> {
        let open = self.evaluations.all().into_iter().flat_map(|evaluation| evaluation.maps());
        open.map(|(_, map)| map).chain(self.holds.unreachable()).collect()
    }
}
