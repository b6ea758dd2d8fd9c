//! Statistics of a map: what its threads count, and what its shards know.

use super::store::Store;
use crate::store::error::Error;
use crate::store::observe::removals::Cause;
use crate::store::observe::stats::{Counters, MemoryStats, ShapeStats, ShardStats, SimdStats, Stats};
use crate::store::platform::sync::{Arc, CachePadded, Ordering};
use crate::store::shard::Shard;

/// Words of index tables that one call looks at: 128 KB, some tens of microseconds. The next call looks at others.
const SAMPLED_WORDS: u64 = 16_384;

impl Store {
    pub(crate) fn add_counters(&self) -> Arc<CachePadded<Counters>> {
        self.counters.lock().add()
    }

    pub(crate) fn forget_counters(&self, counters: &Arc<CachePadded<Counters>>) {
        self.counters.lock().forget(counters);
    }

    /// Whether the caller is to make room for a write that was refused with this error, and try again.
    pub fn asks_caller(&self, error: &Error) -> bool {
        error.is_limit() && self.context.when_full.asks_caller()
    }

    /// Counts an error that was thrown or reported, by its number.
    pub fn count_error(&self, number: u16) {
        self.context.errors.count(number);
    }

    /// Counts entries that a job deleted.
    pub(crate) fn count_deletes(&self, deleted: u64) {
        if deleted > 0 {
            self.counters.lock().count_deletes(deleted);
        }
    }

    /// Sums over all threads and shards. Costs a lock per shard.
    pub fn stats(&self) -> Stats {
        self.stats_with(|_| {})
    }

    /// The same without a look at how long lookups are, which takes most of the time.
    pub fn counts(&self) -> Stats {
        self.sum_up(0, |_| {})
    }

    /// All of it; each shard's part goes to `report`, by its number.
    pub fn stats_with(&self, report: impl FnMut(&ShardStats)) -> Stats {
        self.sum_up(SAMPLED_WORDS, report)
    }

    /// `words`: how many words of index tables are looked at.
    fn sum_up(&self, words: u64, mut report: impl FnMut(&ShardStats)) -> Stats {
        let (operations, threads, resets) = {
            let table = self.counters.lock();
            (table.sums(), table.threads(), table.resets())
        };
        let mut all = ShardStats::default();
        self.each_shard(words, |shard| {
            all.add(&shard);
            report(&shard);
        });
        let uptime_ms = self.context.clock.elapsed_ms();
        Stats {
            entries: all.entries,
            operations,
            evictions: all.removals.of(Cause::Evicted),
            expirations: all.removals.of(Cause::Expired),
            deadlines: all.deadlines,
            stale: self.context.stale_entries.load(Ordering::Relaxed),
            max_entries: self.context.max_entries(),
            max_value_bytes: self.context.max_value_bytes(),
            memory: MemoryStats::new(&self.context.memory, &all, self.context.debris.load(Ordering::Relaxed)),
            shapes: ShapeStats::new(self.context.shapes.len(), &self.context.memory, all.records),
            all,
            errors: self.context.errors.read(),
            recovery: self.recovery_stats(),
            shards: self.shards(),
            simd: SimdStats { enabled: self.config().simd != Some(false), level: self.context.simd.name() },
            latency: self.latency_stats(),
            slow: self.context.performance.slow(),
            changes: self.context.removals.change_stats(),
            locks: self.lock_stats(),
            threads,
            resets,
            counted_ms: uptime_ms - f64::from_bits(self.counted_from_ms.load(Ordering::Relaxed)),
            uptime_ms,
        }
    }

    /// What each shard reports, by its number.
    fn each_shard(&self, sampled: u64, mut report: impl FnMut(ShardStats)) {
        let look = self.looks.fetch_add(1, Ordering::Relaxed) as usize;
        let shards = self.all_shards();
        let entries = self.len() + shards.len() as u64;
        for shard in shards {
            // Its part of the words that are looked at follows from its part of the entries: where keys crowd, there
            // are more of both.
            let words = (sampled * (shard.len() + 1)).div_ceil(entries) as usize;
            report(shard.stats(look.wrapping_mul(words), words));
        }
    }

    /// Begins to count anew, for all threads. What is there stays, and so do the peak of what is there and limits.
    pub fn reset_stats(&self) -> Result<(), Error> {
        self.context.check()?;
        self.counters.lock().reset();
        self.latency.lock().reset();
        if let Some(ghost) = &self.ghost {
            ghost.reset();
        }
        self.all_shards().iter().for_each(Shard::reset_counts);
        self.context.memory.reset_counts();
        self.context.removals.reset_dropped();
        self.context.errors.reset();
        self.context.performance.reset_counts();
        self.counted_from_ms.store(self.context.clock.elapsed_ms().to_bits(), Ordering::Relaxed);
        Ok(())
    }
}
