//! Statistics of a map: what its threads count, and what its shards know.

use super::store::Store;
use crate::store::observe::stats::{Counters, MemoryStats, ShapeStats, SimdStats, Stats};
use crate::store::platform::sync::{Arc, CachePadded, Ordering};
use crate::store::shard::Shard;

impl Store {
    pub(crate) fn add_counters(&self) -> Arc<CachePadded<Counters>> {
        self.counters.lock().add()
    }

    pub(crate) fn forget_counters(&self, counters: &Arc<CachePadded<Counters>>) {
        self.counters.lock().forget(counters);
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
        let (operations, threads) = {
            let table = self.counters.lock();
            (table.sums(), table.threads())
        };
        let (mut capacity, mut keyed, mut retired, mut records) = (0, 0, 0, 0);
        for shard in self.all_shards() {
            let inventory = shard.inventory();
            capacity += inventory.0 as u64;
            keyed += inventory.1 as u64;
            retired += inventory.2 as u64;
            records += inventory.3;
        }
        let (mut evictions, mut expirations, mut deadlines) = (0, 0, 0);
        for (evicted, expired, pending) in self.all_shards().iter().map(Shard::departures) {
            evictions += evicted;
            expirations += expired;
            deadlines += pending;
        }
        let live = self.all_shards().iter().map(Shard::weight_bytes).sum();
        retired += self.context.debris.load(Ordering::Relaxed);
        Stats {
            entries: self.len(),
            operations,
            evictions,
            expirations,
            deadlines,
            stale: self.context.stale_entries.load(Ordering::Relaxed),
            max_entries: self.context.max_entries(),
            max_value_bytes: self.context.max_value_bytes(),
            memory: MemoryStats::new(&self.context.memory, live, retired),
            shapes: ShapeStats::new(self.context.shapes.len(), &self.context.memory, records),
            errors: self.context.errors.read(),
            recovery: self.recovery_stats(),
            capacity,
            load_factor: if capacity == 0 { 0.0 } else { keyed as f64 / capacity as f64 },
            shards: self.shards(),
            simd: SimdStats { enabled: self.config().simd != Some(false), level: self.context.simd.name() },
            latency: self.latency_stats(),
            slow: self.context.performance.slow(),
            locks: self.lock_stats(),
            threads,
            uptime_ms: self.context.clock.elapsed_ms(),
        }
    }
}
