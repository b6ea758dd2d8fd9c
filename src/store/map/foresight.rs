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

/// Entries from which on it pays. A map of fewer is in the caches, where the steps take longer than they save
/// (`benchmark/reads/batch.js`: with 10,000 entries a tenth, from 50,000 on they gain).
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
