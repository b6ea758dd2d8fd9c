//! What a shard counts, and what it reports.

use super::{Shard, Writer};
use crate::store::entry::block::{Entry, Taken};
use crate::store::index::table::Resizes;
use crate::store::memory::arena::Blocks;
use crate::store::observe::removals::Cause;
use crate::store::observe::stats::{IndexStats, ShardStats};
use crate::store::platform::sync::Ordering;

impl Shard {
    /// An entry came. Under the lock, so plain loads and stores do.
    #[inline]
    pub(super) fn count_in(&self, writer: &mut Writer, entry: Entry) {
        let taken = entry.taken();
        self.count(1, taken.weight as i64);
        writer.counts.key_bytes += taken.key as u64;
        writer.counts.value_bytes += taken.value as u64;
    }

    /// An entry left.
    #[inline]
    pub(super) fn count_out(&self, writer: &mut Writer, entry: Entry, cause: Cause) {
        let taken = entry.taken();
        self.count(-1, -(taken.weight as i64));
        let counts = &mut writer.counts;
        counts.key_bytes -= taken.key as u64;
        counts.value_bytes -= taken.value as u64;
        counts.removals.count(cause, 1);
    }

    /// An entry took the place of another one of the same key.
    #[inline]
    pub(super) fn count_swap(&self, writer: &mut Writer, old: Entry, new: Entry) {
        writer.counts.removals.count(Cause::Replaced, 1);
        if !new.is_like(old) {
            self.count_growth(writer, old.taken(), new.taken());
        }
    }

    /// The one takes other room than the other.
    #[inline(never)]
    fn count_growth(&self, writer: &mut Writer, old: Taken, new: Taken) {
        self.count(0, new.weight as i64 - old.weight as i64);
        let counts = &mut writer.counts;
        // The same key may be spelt in other bytes.
        counts.key_bytes = counts.key_bytes + new.key as u64 - old.key as u64;
        counts.value_bytes = counts.value_bytes + new.value as u64 - old.value as u64;
    }

    pub(super) fn count(&self, entries: i64, bytes: i64) {
        self.len.store(self.len.load(Ordering::Relaxed).wrapping_add_signed(entries), Ordering::Relaxed);
        let weight = self.weight_bytes.load(Ordering::Relaxed).wrapping_add_signed(bytes);
        self.weight_bytes.store(weight, Ordering::Relaxed);
    }

    /// Begins to count anew.
    pub fn reset_counts(&self) {
        let mut writer = self.writer.lock_uncounted();
        self.writer.reset_counts(&writer);
        writer.counts.reset();
        writer.arena.blocks = Blocks::default();
        writer.index.resizes = Resizes::default();
        self.evicted.store(0, Ordering::Relaxed);
        self.expired.store(0, Ordering::Relaxed);
    }

    /// What it reports. Lookups are judged by so many words of the index, from one of them on.
    pub fn stats(&self, from: usize, words: usize) -> ShardStats {
        let writer = self.writer.lock_uncounted();
        let counts = &writer.counts;
        let mut blocks = counts.detached;
        blocks.add(&writer.arena.blocks);
        let mut loads = counts.loads;
        loads.under_way = writer.loads.len() as u64;
        let (moving, moved) = writer.index.progress(&self.index);
        let mut index = IndexStats {
            capacity: self.index.capacity() as u64,
            keyed: writer.index.len() as u64,
            growths: writer.index.resizes.growths,
            shrinks: writer.index.resizes.shrinks,
            migrating: u64::from(moving > 0),
            moving: (moving as u64, moved as u64),
            ..IndexStats::default()
        };
        self.index.sample(from, words, |steps| index.probes.add_word(steps as u64));
        ShardStats {
            entries: self.len(),
            live_bytes: self.weight_bytes(),
            key_bytes: counts.key_bytes,
            value_bytes: counts.value_bytes,
            retired_bytes: writer.limbo.bytes() as u64,
            blocks,
            records: writer.shapes.records(),
            deadlines: self.deadlines.load(Ordering::Relaxed),
            stale: writer.stale.len() as u64,
            removals: counts.removals,
            loads,
            locks: self.lock_counts(),
            index,
        }
    }
}
