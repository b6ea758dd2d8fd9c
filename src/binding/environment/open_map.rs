//! An open map, and the functions that open and close it or look at it as a whole.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::change_listeners::ChangeListeners;
use super::gauges::Gauges;
use super::pending::Pending;
use super::transactions::Transactions;
use crate::binding::convert::definitions::Layouts;
use crate::binding::convert::options::parse;
use crate::binding::failure::{Failure, Outcome};
use crate::store::fields::Layout;
use crate::store::{
    self, Audience, Desk, DeskPlace, Error, Handle, HeldTime, Local, Next, Problem, Seat, ShapeHold, Store,
    Subscription, Transaction, TypeHold, Validation, Wake, registry,
};

/// One `open` of one map in one evaluation. Dropping it closes the map, and frees it if no other holder is left.
pub struct OpenMap {
    local: Local,
    name: Option<String>,
    /// The events of the map that this evaluation subscribes to.
    pub subscription: RefCell<Option<Subscription>>,
    /// Where it is told of errors that nothing subscribes to.
    desk_place: RefCell<Option<DeskPlace>>,
    /// The removals that it subscribes to.
    pub audience: RefCell<Option<Audience>>,
    /// Its listeners to changes.
    pub changes: ChangeListeners,
    /// The same of memory pressure, by number.
    pub gauges: Gauges,
    /// Promises that wait for what native code does.
    pub pending: Pending,
    /// Validations under way, by number.
    validations: RefCell<HashMap<u32, Validation>>,
    last_validation: Cell<u32>,
    /// Types that have a view.
    view_types: RefCell<Vec<TypeHold>>,
    /// Types of the removals that were handed over last, for which JavaScript is about to ask.
    told_types: RefCell<Vec<TypeHold>>,
    /// Likewise of the shapes of values.
    told_shapes: RefCell<Vec<ShapeHold>>,
    /// What the shapes mean that fields were read of.
    layouts: Layouts,
    /// Transactions under way, by number.
    transactions: RefCell<Transactions>,
    /// Whether the evaluation counts this among the maps that it listens to.
    pub counted_as_listened: Cell<bool>,
    /// Where this evaluation is reached that loads values of the map.
    seat: RefCell<Option<Arc<Seat>>>,
    /// Whether it waits for some.
    pub loads_are_awaited: Cell<bool>,
    /// What a load brought that was handed over last, with a shape for which JavaScript is about to ask.
    told_load: RefCell<Option<Arc<store::Outcome>>>,
    /// The time of the map, while a test of this thread holds it.
    held_time: RefCell<Option<HeldTime>>,
}

impl OpenMap {
    /// Opens the map of this name, or makes one without a name.
    pub fn open(name: Option<String>, options: &str) -> Outcome<OpenMap> {
        let config = parse(options)?;
        let store = match &name {
            Some(name) => registry::open(name, &config)?,
            None => Store::new(&config)?,
        };
        Ok(OpenMap::of(store.join(), name))
    }

    /// A look at a map that some thread holds: it has no name, so its end releases nothing.
    pub fn visit(store: &Arc<Store>) -> OpenMap {
        OpenMap::of(store.visit(), None)
    }

    fn of(local: Local, name: Option<String>) -> OpenMap {
        OpenMap {
            local,
            name,
            subscription: RefCell::default(),
            desk_place: RefCell::default(),
            audience: RefCell::default(),
            changes: ChangeListeners::default(),
            gauges: Gauges::default(),
            pending: Pending::default(),
            validations: RefCell::default(),
            last_validation: Cell::new(0),
            view_types: RefCell::default(),
            told_types: RefCell::default(),
            told_shapes: RefCell::default(),
            layouts: Layouts::default(),
            transactions: RefCell::default(),
            counted_as_listened: Cell::new(false),
            seat: RefCell::default(),
            loads_are_awaited: Cell::new(false),
            told_load: RefCell::default(),
            held_time: RefCell::default(),
        }
    }

    /// This thread's way into the store.
    #[inline]
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// What a shape means; `None` if no entry has it any more.
    pub fn layout_of(&self, number: u32) -> Result<Option<Rc<Layout>>, Error> {
        if let Some(layout) = self.layouts.get(number) {
            return Ok(Some(layout));
        }
        let Some(definition) = self.local.shape(number)? else { return Ok(None) };
        Ok(Some(self.layouts.add(number, &definition)?))
    }

    /// Works on the transaction of a number, which begins with that.
    pub fn transaction<T>(&self, number: u32, work: impl FnOnce(&mut Transaction) -> Outcome<T>) -> Outcome<T> {
        work(self.transactions.borrow_mut().of(number))
    }

    /// Forgets a transaction.
    pub fn end_transaction(&self, number: u32) {
        self.transactions.borrow_mut().end(number);
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        self.local.store()
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The number of the map in this process.
    pub fn instance(&self) -> u32 {
        self.store().instance()
    }

    /// Whether some thread ended the map for all.
    pub fn is_destroyed(&self) -> bool {
        self.store().is_destroyed()
    }

    /// Has the evaluation told of errors that nothing subscribes to, as long as the map is open as `id`.
    pub fn put_desk(&self, id: u32, desk: &Arc<Desk>) {
        let before = self.desk_place.replace(Some(self.store().events().seat(id, desk)));
        drop(before);
    }

    /// Whether anything listens to it here, or waits for it.
    pub fn is_listened_to(&self) -> bool {
        self.subscription.borrow().is_some()
            || self.audience.borrow().is_some()
            || !self.changes.is_empty()
            || !self.gauges.is_empty()
            || self.loads_are_awaited.get()
            || !self.pending.is_empty()
    }

    /// Ends what listens to it here.
    pub fn stop_listening(&self) {
        drop((self.subscription.take(), self.audience.take()));
        self.gauges.end();
        self.changes.end_all();
        self.pending.end_all();
        self.loads_are_awaited.set(false);
        self.stand_up();
    }

    /// Has the evaluation reached by what `make_waker` makes, when there is news of loads.
    pub fn sit_down(&self, make_waker: impl FnOnce() -> Outcome<Arc<dyn Wake>>) -> Outcome<()> {
        if self.seat.borrow().is_none() {
            let seat = self.local.loads_seat(make_waker()?);
            let before = self.seat.replace(Some(seat));
            drop(before);
        }
        Ok(())
    }

    /// Where it is reached.
    pub fn seat(&self) -> Outcome<Arc<Seat>> {
        self.seat.borrow().clone().ok_or(Failure::Misuse("loads are not listened to"))
    }

    /// Leaves its loads to others.
    fn stand_up(&self) {
        let seat = self.seat.take();
        if let Some(seat) = seat {
            self.local.leave_loads(&seat);
        }
    }

    /// What is kept by that.
    pub fn loaded(&self) -> Option<Arc<store::Outcome>> {
        self.told_load.borrow().clone()
    }

    /// Keeps the shape of what a load brought known until the next one is handed over.
    pub fn keep_loaded(&self, outcome: Option<Arc<store::Outcome>>) {
        let before = self.told_load.replace(outcome);
        drop(before);
    }

    /// Holds the time of the map, in place of how it is held here.
    pub fn hold_time(&self, is_late: bool) {
        // The new one first, so that time does not run in between.
        let before = self.held_time.replace(Some(self.store().hold_time(is_late)));
        drop(before);
    }

    /// Ends that.
    pub fn release_time(&self) {
        let held = self.held_time.take();
        drop(held);
    }

    /// Refuses a map that was destroyed or broken, for what the store answers without asking.
    pub fn check(&self) -> Result<(), Error> {
        // Why a handle is dead is looked for only in a map that can be used, and nothing is counted for it.
        let no_entry = Handle { shard: 0, slot: 0, generation: 0 };
        match self.local.check(no_entry) {
            Err(refused @ (Error::Closed | Error::Broken)) => Err(refused),
            _ => Ok(()),
        }
    }

    /// Keeps the type of a view known until the map is closed here, and returns its number.
    pub fn keep_view_type(&self, held: TypeHold) -> u32 {
        let id = held.id();
        let mut types = self.view_types.borrow_mut();
        if types.iter().all(|known| known.id() != id) {
            types.push(held);
        }
        id
    }

    /// Whether a view here keeps the type with this number.
    pub fn has_view_type(&self, id: u32) -> bool {
        self.view_types.borrow().iter().any(|known| known.id() == id)
    }

    /// Keeps the types of removals known until the next ones are handed over.
    pub fn keep_types(&self, types: Vec<TypeHold>) {
        let before = self.told_types.replace(types);
        drop(before);
    }

    /// The same of the shapes of values.
    pub fn keep_shapes(&self, shapes: Vec<ShapeHold>) {
        let before = self.told_shapes.replace(shapes);
        drop(before);
    }

    /// Starts a look at all of the map, and numbers it.
    pub fn start_validation(&self) -> u32 {
        let number = self.last_validation.get().wrapping_add(1);
        self.last_validation.set(number);
        self.validations.borrow_mut().insert(number, Validation::default());
        number
    }

    /// Does its next step; with the last one come the problems that were found.
    pub fn step_validation(&self, number: u32) -> Outcome<(Next, Vec<Problem>)> {
        let validation = self.validations.borrow_mut().remove(&number);
        let mut validation = validation.ok_or(Failure::Misuse("there is no such validation"))?;
        let next = validation.step(self.store())?;
        if next == Next::Stop {
            return Ok((next, validation.problems()));
        }
        self.validations.borrow_mut().insert(number, validation);
        Ok((next, Vec::new()))
    }

    /// Whether a panic left the map in doubt.
    pub fn is_broken(&self) -> bool {
        self.check() == Err(Error::Broken)
    }
}

impl Drop for OpenMap {
    fn drop(&mut self) {
        self.stand_up();
        if let Some(name) = &self.name {
            registry::release(name, self.local.store());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_map_is_the_same_until_the_last_one_closes_it() {
        let name = || Some("binding: a named map".to_owned());
        let first = OpenMap::open(name(), "{}").unwrap();
        let second = OpenMap::open(name(), "{}").unwrap();
        assert_eq!(first.store().instance(), second.store().instance());
        let instance = first.store().instance();
        drop(first);
        assert!(registry::names().contains(&name().unwrap()));
        drop(second);
        assert!(!registry::names().contains(&name().unwrap()));
        assert_ne!(OpenMap::open(name(), "{}").unwrap().store().instance(), instance);
    }

    #[test]
    fn options_that_differ_are_refused_by_name() {
        let name = || Some("binding: options".to_owned());
        let _first = OpenMap::open(name(), r#"{"maxEntries":10}"#).unwrap();
        let second = OpenMap::open(name(), r#"{"maxEntries":11}"#);
        let Err(Failure::Store(Error::OptionMismatch { option, .. })) = second else { panic!("it was opened") };
        assert_eq!(option, "maxEntries");
    }
}
