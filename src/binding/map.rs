//! An open map, and the functions that open and close it or look at it as a whole.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use napi_derive::napi;

use super::error::{Failure, Outcome};
use super::operation::{with_map, within};
use super::options;
use crate::store::{
    Audience, Error, Handle, Local, Mark, Next, PressureSubscription, Problem, Store, Subscription, TypeHold,
    Validation, registry,
};

/// One `open` of one map in one evaluation. Dropping it leaves the map, and frees it if nobody else holds it.
pub struct OpenMap {
    local: Local,
    name: Option<String>,
    /// What this evaluation wants to hear of the map.
    pub(super) subscription: RefCell<Option<Subscription>>,
    /// The removals that it wants to hear of.
    pub(super) audience: RefCell<Option<Audience>>,
    /// The same of memory pressure, by number.
    gauges: RefCell<HashMap<u32, PressureSubscription>>,
    last_gauge: Cell<u32>,
    /// Validations under way, by number.
    validations: RefCell<HashMap<u32, Validation>>,
    last_validation: Cell<u32>,
    /// Types of the removals that were handed over last, for which JavaScript is about to ask.
    told_types: RefCell<Vec<TypeHold>>,
    /// Whether the evaluation counts this among the maps that it listens to.
    pub(super) counted_as_listened: Cell<bool>,
}

impl OpenMap {
    /// Opens the map of this name, or makes one without a name.
    pub(super) fn open(name: Option<String>, options: &str) -> Outcome<OpenMap> {
        let config = options::parse(options)?;
        let store = match &name {
            Some(name) => registry::open(name, &config)?,
            None => Store::new(&config)?,
        };
        Ok(OpenMap {
            local: store.join(),
            name,
            subscription: RefCell::default(),
            audience: RefCell::default(),
            gauges: RefCell::default(),
            last_gauge: Cell::new(0),
            validations: RefCell::default(),
            last_validation: Cell::new(0),
            told_types: RefCell::default(),
            counted_as_listened: Cell::new(false),
        })
    }

    /// This thread's way into the store.
    #[inline]
    pub fn local(&self) -> &Local {
        &self.local
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

    /// Whether anything listens to it here.
    pub fn is_listened_to(&self) -> bool {
        self.subscription.borrow().is_some() || self.audience.borrow().is_some() || !self.gauges.borrow().is_empty()
    }

    /// Ends what listens to it here.
    pub fn stop_listening(&self) {
        drop((self.subscription.take(), self.audience.take(), self.gauges.take()));
    }

    /// Refuses a map that was destroyed or broken, for what the store answers without asking.
    pub fn check(&self) -> Result<(), Error> {
        // Why a handle is dead is looked for only in a map that can be used, and nothing is counted for it.
        let nobody = Handle { shard: 0, slot: 0, generation: 0 };
        match self.local.check(nobody) {
            Err(refused @ (Error::Closed | Error::Broken)) => Err(refused),
            _ => Ok(()),
        }
    }

    /// Takes in a subscription to memory pressure, and numbers it.
    pub fn add_gauge(&self, gauge: PressureSubscription) -> u32 {
        let number = self.last_gauge.get().wrapping_add(1);
        self.last_gauge.set(number);
        self.gauges.borrow_mut().insert(number, gauge);
        number
    }

    /// What there is to tell of one.
    pub fn take_pressure(&self, gauge: u32) -> Option<f64> {
        self.gauges.borrow().get(&gauge)?.take()
    }

    /// Ends one.
    pub fn remove_gauge(&self, gauge: u32) {
        let removed = self.gauges.borrow_mut().remove(&gauge);
        drop(removed);
    }

    /// Keeps the types of removals known until the next ones are handed over.
    pub fn keep_types(&self, types: Vec<TypeHold>) {
        let before = self.told_types.replace(types);
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
        if let Some(name) = &self.name {
            registry::release(name, self.local.store());
        }
    }
}

/// What `open` tells of the map.
#[napi(object)]
pub struct Opened {
    /// The number that operations take; never used again in this environment.
    pub id: u32,
    /// The number of the map in this process, which handles carry.
    pub instance: u32,
    /// How many shards it has.
    pub shards: u32,
    /// What a hit that never comes here has to note: 0 nothing, a number up to which the access word counts hits, or -1 the hit
    /// itself, in order.
    pub marking: i32,
    /// Bytes that it may hold now, nothing for no limit.
    pub memory_limit: Option<f64>,
    /// The options it was made with, as JSON text.
    pub config: String,
}

/// Opens the map with this name, or makes one that only this evaluation has. `options` is JSON text of those given.
/// Throws 1013 if the map was made with other options.
#[napi(catch_unwind)]
pub fn open(env: &napi::Env, evaluation: u32, name: Option<String>, options: String) -> napi::Result<Opened> {
    within(env, "open", evaluation, |_, evaluation| {
        let map = OpenMap::open(name, &options)?;
        let store = Arc::clone(map.store());
        Ok(Opened {
            id: evaluation.add(map)?,
            instance: store.instance(),
            shards: store.shards(),
            marking: match store.marking() {
                Mark::None => 0,
                Mark::UpTo(limit) => limit.cast_signed(),
                Mark::Order => -1,
            },
            memory_limit: store.memory_limit_bytes().map(|bytes| bytes as f64),
            config: options::to_json(store.config()),
        })
    })
}

/// Gives up this `open` of a map. Whether it was open.
#[napi(catch_unwind)]
pub fn close(env: &napi::Env, id: u32) -> napi::Result<bool> {
    within(env, "close", id, |engine, evaluation| evaluation.close(engine, id))
}

/// Gives up an `open` that nothing can reach any more. If it is the last one of a named map in this thread, the thread keeps
/// the map until it opens the name again, or ends.
#[napi(catch_unwind)]
pub fn abandon(env: &napi::Env, id: u32) -> napi::Result<()> {
    within(env, "close", id, |engine, evaluation| evaluation.abandon(engine, id))
}

/// Ends the map for all threads: from now on its operations throw 1010 everywhere.
#[napi(catch_unwind)]
pub fn destroy(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "destroy", id, |map| {
        map.store().destroy();
        Ok(())
    })
}

/// Names of the maps that some thread has open.
#[napi(catch_unwind)]
pub fn names() -> Vec<String> {
    registry::names()
}

/// A random number that stands for this image of the addon: another copy in the same process has another one.
#[napi(catch_unwind)]
pub fn image() -> f64 {
    // As many bits as a JavaScript number holds.
    (crate::store::image() >> 11) as f64
}

/// Removes all entries.
#[napi(catch_unwind)]
pub fn clear(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "clear", id, |map| Ok(map.local().clear()?))
}

/// Makes room in the index for this many entries.
#[napi(catch_unwind)]
pub fn reserve(env: &napi::Env, id: u32, entries: f64) -> napi::Result<()> {
    with_map(env, "reserve", id, |map| Ok(map.store().reserve(entries.max(0.0) as u64)?))
}

/// Gives back room that the entries do not need.
#[napi(catch_unwind)]
pub fn shrink_to_fit(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "shrinkToFit", id, |map| Ok(map.store().shrink_to_fit()?))
}

/// Counts reads that the near cache answered.
#[napi(catch_unwind)]
pub fn add_near_hits(env: &napi::Env, id: u32, count: f64) -> napi::Result<()> {
    with_map(env, "addNearHits", id, |map| {
        map.local().add_near_hits(count.max(0.0) as u64);
        Ok(())
    })
}

/// Name of an entry type, `null` if there is none with this number.
#[napi(catch_unwind)]
pub fn type_name(env: &napi::Env, id: u32, type_id: u32) -> napi::Result<Option<String>> {
    with_map(env, "typeName", id, |map| Ok(map.store().type_name(type_id).map(|name| name.to_string())))
}

/// Throws why a handle has no entry: 1001, 1003, 1004 or 1005.
#[napi(catch_unwind)]
pub fn check(env: &napi::Env, id: u32, shard: u32, slot: u32, generation: u32) -> napi::Result<()> {
    with_map(env, "check", id, |map| Ok(map.local().check(Handle { shard, slot, generation })?))
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
