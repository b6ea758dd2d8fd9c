//! Room made in other shards than the one that a write is about, and in all of them where a caller asks for it.
//!
//! The shard that holds most gives first, so that all end up alike. Which one that is costs a look at each, so a
//! caller that needs only a heavy one looks at a few in a map of many shards ([`Store::heavy`]), and one that takes
//! from several keeps them in a heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::store::Store;
use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::observe::removals::Cause;
use crate::store::platform::fallible;
use crate::store::platform::sync::Ordering;
use crate::store::shard::member::Member;
use crate::store::shard::{Freed, Shard, Sought};

/// Entries that are evicted in one step where a caller asked for many.
const EVICTED_PER_STEP: usize = 256;
/// Entries that one call of [`Store::evict_to`] evicts at most: two milliseconds of its caller's time.
const EVICTED_PER_CALL: u64 = 4_096;
/// And bytes, where entries are large.
const EVICTED_BYTES_PER_CALL: u64 = 4 << 20;
/// Where more would be needed, all entries of a shard are evicted, which takes as long whatever their number is, if
/// they are at most so many times more. Not as many as it looks: with them go their slots and tables, which evicting
/// one by one keeps.
const MAX_LOSS: u64 = 8;
/// One part in so many of the limit that is made free beside a large value.
const ROOM_BESIDE_PART: u64 = 64;
/// From this number of shards on a heavy shard is looked for among so many: the heaviest of 32 is among the heaviest
/// ten in a hundred in 97 of 100 cases.
const SAMPLE: usize = 32;

impl Store {
    /// Has others make room for a write, about these entries as far as they exist, that shard `own` had no room for: a
    /// shard that holds much, if any of its entries may be evicted, else the next. For a value that is large beside the
    /// entries of the map, whole shards.
    pub(crate) fn make_room(
        &self,
        member: &Member<'_>,
        refused: &Error,
        own: u32,
        about: &[Sought<'_>],
        value_bytes: usize,
    ) -> Result<Freed, Error> {
        if refused.is_of_process() {
            if self.context.standing.take_due() {
                self.process.compare();
            }
            if self.context.standing.is_spared() && self.relieve(refused) {
                return Ok(Freed::Entries);
            }
        }
        match self.make_own_room(member, refused, own, about, value_bytes)? {
            Freed::Nothing if self.relieve(refused) => Ok(Freed::Entries),
            freed => Ok(freed),
        }
    }

    /// The same, of the entries of this map.
    fn make_own_room(
        &self,
        member: &Member<'_>,
        refused: &Error,
        own: u32,
        about: &[Sought<'_>],
        value_bytes: usize,
    ) -> Result<Freed, Error> {
        let give = |shard: &Shard| shard.give(member, refused, about);
        if self.evict_shards(member, refused, own, about, value_bytes) {
            return Ok(Freed::Entries);
        }
        let load = |shard: &Shard| match refused {
            Error::EntryLimit { .. } => shard.len(),
            _ => shard.weight_bytes(),
        };
        if self.all_shards().len() > SAMPLE
            && let Some(shard) = self.heavy(load)
        {
            let given = give(shard)?;
            if given != Freed::Nothing {
                return Ok(given);
            }
        }
        let mut by_load: Vec<(u64, &Shard)> = self.all_shards().iter().map(|shard| (load(shard), shard)).collect();
        by_load.sort_unstable_by_key(|&(load, shard)| (Reverse(load), shard.number()));
        for (_, shard) in by_load {
            let given = give(shard)?;
            if given != Freed::Nothing {
                return Ok(given);
            }
        }
        Ok(Freed::Nothing)
    }

    /// Drops values that are kept for loads, for room that was refused. Returns whether there were any.
    pub(crate) fn drop_stale(&self, member: &Member<'_>, refused: &Error) -> Result<bool, Error> {
        let bytes = match *refused {
            Error::MemoryLimit { requested_bytes, .. } => requested_bytes,
            _ => 0,
        };
        Ok(self.drop_some_stale(member, bytes, EVICTED_PER_STEP as u64)? > 0)
    }

    /// Drops values that are kept for loads, of so many bytes, or one if that is 0. Returns how many.
    fn drop_some_stale(&self, member: &Member<'_>, bytes: u64, most: u64) -> Result<u64, Error> {
        if self.context.stale_entries.load(Ordering::Relaxed) == 0 {
            return Ok(0);
        }
        let (mut gone, mut freed) = (0, 0);
        for shard in self.all_shards().iter().filter(|shard| shard.next_stale_end_ms() != u64::MAX) {
            let (more, more_bytes) =
                shard.drop_some_stale(member, bytes.saturating_sub(freed), (most - gone) as usize)?;
            gone += more;
            freed += more_bytes;
            if gone == most || gone > 0 && freed >= bytes {
                break;
            }
        }
        Ok(gone)
    }

    /// Evicts all entries of so many shards, the heaviest first, that a large value fits, if it would take too long to
    /// evict one entry after the other. Not those of shard `own`, of which the write may be about one, nor those that
    /// have one that it is about; of a single shard, if it is about none. Whether there were any.
    fn evict_shards(
        &self,
        member: &Member<'_>,
        refused: &Error,
        own: u32,
        about: &[Sought<'_>],
        value_bytes: usize,
    ) -> bool {
        let Error::MemoryLimit { requested_bytes, used_bytes, limit_bytes, .. } = *refused else { return false };
        if !self.context.is_for_large_value(requested_bytes, value_bytes, self.len()) {
            return false;
        }
        let one_by_one = self.context.evictions_for(requested_bytes, self.len());
        let bytes_per_entry = self.context.memory.total() / self.len().max(1);
        // And room for what the write needs beside the value. If that were refused, the value would have been copied
        // in vain.
        let beside = limit_bytes / ROOM_BESIDE_PART;
        let needed = used_bytes.saturating_add(requested_bytes + beside).saturating_sub(limit_bytes);
        let _transfer = self.context.memory.transfer();
        let shards = self.all_shards();
        let mut by_weight = Self::heap(shards, Shard::weight_bytes);
        let (mut freed, mut contents) = (0, Vec::new());
        while freed < needed
            && let Some((_, number)) = by_weight.pop()
        {
            let shard = &shards[number];
            let len = shard.len();
            let is_about_it = || about.iter().any(|&target| self.is_in(shard, target) && shard.has(target));
            let is_spared = || shard.number() == own && shards.len() > 1 || is_about_it();
            if len <= MAX_LOSS * one_by_one && !is_spared() {
                contents.extend(shard.detach(member, Cause::Evicted));
                freed += len * bytes_per_entry;
            }
        }
        self.dispose(contents) > 0
    }

    /// Whether a shard is the one for a target.
    fn is_in(&self, shard: &Shard, target: Sought<'_>) -> bool {
        shard.number()
            == match target {
                Sought::Key(_, hash) => self.shard_of(hash).number(),
                Sought::Handle(handle) => handle.shard,
            }
    }

    /// One write's share of coming below a limit that was lowered: so many bytes are evicted.
    #[cold]
    pub(crate) fn shed(&self, member: &Member<'_>, bytes: usize) {
        if self.drop_some_stale(member, bytes as u64, EVICTED_PER_STEP as u64).is_ok_and(|gone| gone > 0) {
            return;
        }
        if let Some(shard) = self.heavy(Shard::weight_bytes) {
            // A map that ended meanwhile has nothing to shed.
            drop(shard.shed(member, bytes));
        }
    }

    /// The shard with the highest load, in a map of many shards roughly.
    fn heavy(&self, load: impl Fn(&Shard) -> u64) -> Option<&Shard> {
        let shards = self.all_shards();
        if shards.len() <= SAMPLE {
            return shards.iter().max_by_key(|shard| load(shard));
        }
        let start = self.samples.fetch_add(SAMPLE as u32, Ordering::Relaxed) as usize;
        (start..start + SAMPLE).map(|number| &shards[number & (shards.len() - 1)]).max_by_key(|shard| load(shard))
    }

    /// Evicts at most `count` entries, of those shards that hold most. Returns how many.
    pub(crate) fn evict(&self, member: &Member<'_>, count: u64) -> Result<u64, Error> {
        let shards = self.all_shards();
        let mut by_len = Self::heap(shards, Shard::len);
        let mut touched = Vec::new();
        let mut gone = self.drop_some_stale(member, u64::MAX, count.min(EVICTED_PER_CALL))?;
        while gone < count
            && let Some((_, number)) = by_len.pop()
        {
            let step = usize::try_from(count - gone).unwrap_or(usize::MAX).min(EVICTED_PER_STEP);
            // No more than its even share at once, so that all end up alike.
            let step = step.div_ceil(shards.len()).max(1);
            let shard = &shards[number];
            let more = shard.evict_some(member, step)?;
            // A shard without any that may be evicted is not asked again.
            if more > 0 {
                gone += more as u64;
                by_len.push((shard.len(), number));
                touched.push(number);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        self.free_evicted(member, &touched)?;
        Ok(gone)
    }

    /// Frees what these shards evicted. If they are many, the first runs a fence, which serves the others.
    fn free_evicted(&self, member: &Member<'_>, numbers: &[usize]) -> Result<(), Error> {
        let fences = if numbers.len() > SAMPLE { 1 } else { numbers.len() };
        let shards = self.all_shards();
        numbers.iter().enumerate().try_for_each(|(at, &number)| shards[number].free_evicted(member, at < fences))
    }

    fn heap(shards: &[Shard], load: impl Fn(&Shard) -> u64) -> BinaryHeap<(u64, usize)> {
        shards.iter().map(load).zip(0..).filter(|&(load, _)| load > 0).collect()
    }

    /// Evicts entries until the map holds at most so many bytes, none is left, or the call has taken its time. Returns
    /// how many.
    pub(crate) fn evict_to(&self, member: &Member<'_>, bytes: u64) -> Result<u64, Error> {
        let shards = self.all_shards();
        let memory = &self.context.memory;
        let goal = bytes.max(memory.total().saturating_sub(EVICTED_BYTES_PER_CALL));
        let mut by_weight = Self::heap(shards, Shard::weight_bytes);
        let excess = memory.total().saturating_sub(goal);
        let mut gone = if excess == 0 { 0 } else { self.drop_some_stale(member, excess, EVICTED_PER_CALL)? };
        while gone < EVICTED_PER_CALL
            && memory.total() > goal
            && let Some((_, number)) = by_weight.pop()
        {
            let shard = &shards[number];
            let before = memory.total();
            let step = EVICTED_PER_STEP.min(shard.len().div_ceil(2) as usize).max(1);
            let more = shard.evict_some(member, step)?;
            shard.free_evicted(member, true)?;
            gone += more as u64;
            if more > 0 || memory.total() < before {
                by_weight.push((shard.weight_bytes(), number));
            }
        }
        Ok(gone)
    }

    /// The next entries to be evicted, at most `count`, roughly in order. Shards take turns, the one that holds most
    /// first, so that evicting the first candidate again and again does not empty one shard after the other.
    pub(crate) fn candidates(&self, count: usize, out: &mut Vec<Handle>) -> Result<(), Error> {
        let mut shards: Vec<(u64, &Shard)> = self.all_shards().iter().map(|shard| (shard.len(), shard)).collect();
        shards.sort_unstable_by_key(|&(len, shard)| (Reverse(len), shard.number()));
        let share = count.div_ceil(shards.len());
        // Where each gives one, no more shards are needed than there are to be candidates.
        shards.truncate(count);
        let mut lists = fallible::vec(shards.len())?;
        for (_, shard) in shards {
            let mut list = Vec::new();
            shard.candidates(share, &mut list)?;
            lists.push(list);
        }
        let in_turns = (0..share).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn).copied()));
        fallible::reserve(out, count.min(lists.iter().map(Vec::len).sum()))?;
        out.extend(in_turns.take(count));
        Ok(())
    }
}
