//! What a shard counts, and what it reports.

use super::{Shard, Writer};
use crate::store::entry::block::Entry;
use crate::store::entry::key::KeyKind;
use crate::store::index::table::Resizes;
use crate::store::memory::arena::Blocks;
use crate::store::observe::removals::Cause;
use crate::store::observe::stats::{IndexStats, ShardStats};
use crate::store::platform::sync::Ordering;

/// Bytes of the key of an entry; none of one without a key, which keeps the number of its slot there.
#[inline]
pub(super) fn key_bytes(entry: Entry) -> u64 {
    let key = entry.key();
    if key.kind() == KeyKind::Keyless { 0 } else { key.len() as u64 }
}

impl Shard {
    /// An entry came. Under the lock, so plain loads and stores do.
    #[inline]
    pub(super) fn count_in(&self, writer: &mut Writer, entry: Entry) {
        self.count(1, entry.weight_bytes() as i64);
        writer.counts.key_bytes += key_bytes(entry);
        writer.counts.value_bytes += entry.value_len() as u64;
    }

    /// An entry left.
    #[inline]
    pub(super) fn count_out(&self, writer: &mut Writer, entry: Entry, cause: Cause) {
        self.count(-1, -(entry.weight_bytes() as i64));
        let counts = &mut writer.counts;
        counts.key_bytes -= key_bytes(entry);
        counts.value_bytes -= entry.value_len() as u64;
        counts.removals.count(cause, 1);
    }

    /// An entry took the place of another one of the same key.
    #[inline]
    pub(super) fn count_swap(&self, writer: &mut Writer, old: Entry, new: Entry) {
        self.count(0, new.weight_bytes() as i64 - old.weight_bytes() as i64);
        let counts = &mut writer.counts;
        // The same key may be spelt in other bytes.
        counts.key_bytes = counts.key_bytes + key_bytes(new) - key_bytes(old);
        counts.value_bytes = counts.value_bytes + new.value_len() as u64 - old.value_len() as u64;
        counts.removals.count(Cause::Replaced, 1);
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
