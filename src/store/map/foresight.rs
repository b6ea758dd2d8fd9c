//! Fetching what a batch is about to use.
//!
//! In a map that is larger than the processor's caches an operation waits for memory three times in a row: for the
//! index, for the slot and its version word, for the entry. Each address follows from what was read before, so one
//! operation cannot do better; a batch can. It goes through a group of its items in steps: ask for all lines of the
//! index; guess each slot by the first tag that matches, and ask for its lines; ask for all entries. Then the
//! operations run as ever, and find in the cache what they need.
//!
//! What is guessed decides nothing: a slot that is none of the key's costs a fetched line, and what changes between
//! the steps is found out by the operation itself. The steps run under a pin, because they follow pointers; the pin
//! ends before the operations begin.

use super::local::Local;
use crate::store::entry::target::Target;
use crate::store::platform::prefetch;
use crate::store::shard::Shard;

/// Items of a group: about as many lines as a processor fetches at once.
pub const GROUP: usize = 16;

/// Entries from which on it pays. A map of fewer is in the caches, where the steps take longer than they save: about a
/// tenth of a read at 20,000 entries. At 100,000 they save half (`benchmark/reads/batch.js`).
const LEAST_ENTRIES: u64 = 30_000;

/// Where an item of a group seems to be.
#[derive(Clone, Copy)]
enum Trace<'s> {
    /// Nowhere.
    Lost,
    /// In the run of the index where this tag is at home.
    Tag(&'s Shard, u32),
    /// In this slot.
    Slot(&'s Shard, u32),
}

impl Local {
    /// Whether the map is so large that [`Local::foresee`] pays.
    pub fn is_worth_foreseeing(&self) -> bool {
        prefetch::IS_AVAILABLE && self.len() >= LEAST_ENTRIES
    }

    /// Has the processor fetch what operations on these entries, at most [`GROUP`], are going to read. Changes nothing
    /// else, and counts as no use.
    pub fn foresee<'t>(&self, targets: impl Iterator<Item = Target<'t>>) {
        let mut group = [Trace::Lost; GROUP];
        let _pin = self.pin();
        let mut count = 0;
        for (trace, target) in group.iter_mut().zip(targets) {
            *trace = self.trace(target);
            count += 1;
        }
        let group = &mut group[..count];
        for trace in &mut *group {
            if let Trace::Tag(shard, tag) = *trace {
                *trace = shard.guess(tag).map_or(Trace::Lost, |slot| Trace::Slot(shard, slot));
            }
            if let Trace::Slot(shard, slot) = *trace {
                shard.prefetch_slot(slot);
            }
        }
        for trace in group {
            if let Trace::Slot(shard, slot) = *trace {
                shard.prefetch_entry(slot);
            }
        }
    }

    #[inline]
    fn trace(&self, target: Target<'_>) -> Trace<'_> {
        match target {
            Target::Key(key) => {
                let (shard, hash) = self.shard_of(key);
                shard.prefetch_index(hash as u32);
                Trace::Tag(shard, hash as u32)
            }
            Target::Handle(handle) => {
                self.store().shard(handle.shard).map_or(Trace::Lost, |shard| Trace::Slot(shard, handle.slot))
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;
    use crate::store::entry::handle::Handle;
    use crate::store::entry::key::Key;
    use crate::store::entry::value::Value;
    use crate::store::expiry::life::Ttl;
    use crate::store::map::store::Store;

    #[test]
    fn it_pays_in_large_maps_only() {
        let store = Store::new(&Config::default()).unwrap();
        let map = store.join();
        for n in 0..LEAST_ENTRIES - 1 {
            map.set(Key::string(&n.to_string()), Value::json("1"), Ttl::Default).unwrap();
        }
        assert!(!map.is_worth_foreseeing());
        map.set(Key::string("one more"), Value::json("1"), Ttl::Default).unwrap();
        assert_eq!(map.is_worth_foreseeing(), prefetch::IS_AVAILABLE);
    }

    /// While tables grow and after a clear, for what is there, what is not, and what never was; each group leaves the
    /// pin that it took.
    #[test]
    fn it_follows_any_target_and_changes_nothing() {
        let store = Store::new(&Config { shards: Some(2), ..Config::default() }).unwrap();
        let map = store.join();
        let keys: Vec<String> = (0..2_000).map(|n| format!("key {n}")).collect();
        let forged = [(0, u32::MAX, 1), (0, u32::MAX - 1, 1), (1, 31, 7), (7, 0, 1), (u32::MAX, u32::MAX, u32::MAX)];
        let foresee_all = || {
            for group in keys.chunks(GROUP + 1) {
                map.foresee(group.iter().map(|key| Target::Key(Key::string(key))));
            }
            map.foresee(
                forged.map(|(shard, slot, generation)| Target::Handle(Handle { shard, slot, generation })).into_iter(),
            );
            map.foresee(std::iter::empty());
        };
        foresee_all();
        for key in &keys {
            let written = map.set(Key::string(key), Value::json("1"), Ttl::Default).unwrap();
            map.foresee([Target::Handle(written.place.handle), Target::Key(Key::string(key))].into_iter());
        }
        foresee_all();
        let before = store.stats().operations;
        foresee_all();
        assert_eq!(store.stats().operations, before, "it is no read");
        map.clear().unwrap();
        foresee_all();
        assert_eq!(store.validate().unwrap(), []);
        let sealed = store.context.collector.seal();
        assert_eq!(store.context.collector.is_past(sealed), Some(true), "no pin is left");
    }
}
