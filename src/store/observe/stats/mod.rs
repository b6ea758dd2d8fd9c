//! What a map counts, and what it reports about itself: a section in each file.
//!
//! A section is a struct with a method `json`. `map/stats.rs` fills it in; [`Stats::json`] puts all of them together,
//! under the names that `getStats` has for them.

mod counters;
mod errors;
mod index;
mod latency;
mod loads;
mod locks;
mod memory;
mod operations;
mod recovery;
mod removals;
mod shapes;
mod shard;
mod simd;
mod table;
mod transactions;

use serde_json::{Value as Json, json};

use crate::store::observe::changes::ChangeStats;
use crate::store::observe::performance::SlowStats;

pub use counters::Counters;
pub use errors::{ErrorCounts, ErrorStats};
pub use index::IndexStats;
pub use latency::LatencyStats;
pub use locks::LockStats;
pub use memory::MemoryStats;
pub use operations::Operations;
pub use recovery::{LastRecovery, RecoveryStats, Tally};
pub use shapes::ShapeStats;
#[cfg(feature = "binding")]
pub use shard::shard_figure_names;
pub use shard::{ShardCounts, ShardStats};
pub use simd::SimdStats;
pub use table::CounterTable;

/// What a map reports about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Entries in the map.
    pub entries: u64,
    /// What all threads did.
    pub operations: Operations,
    /// Entries that were evicted for want of room.
    pub evictions: u64,
    /// Entries that were removed because their deadline was over.
    pub expirations: u64,
    /// Entries that have a deadline.
    pub deadlines: u64,
    /// What all shards hold and count.
    pub all: ShardStats,
    /// Values of expired entries that are kept for loads.
    pub stale: u64,
    /// Largest number of entries, if there is a limit.
    pub max_entries: Option<u64>,
    /// Largest size of a value, if there is a limit.
    pub max_value_bytes: Option<u64>,
    /// Bytes.
    pub memory: MemoryStats,
    /// Shapes.
    pub shapes: ShapeStats,
    /// Errors.
    pub errors: ErrorStats,
    /// Attempts to recover it.
    pub recovery: RecoveryStats,
    /// Number of shards.
    pub shards: u32,
    /// What lookups use of the processor.
    pub simd: SimdStats,
    /// How long operations take, where that is measured.
    pub latency: Option<LatencyStats>,
    /// How often something took too long.
    pub slow: SlowStats,
    /// What waits for listeners to changes.
    pub changes: ChangeStats,
    /// How threads wait for each other.
    pub locks: LockStats,
    /// Threads that have the map open, each open counted.
    pub threads: u64,
    /// How often counts were reset.
    pub resets: u64,
    /// Milliseconds since then, or since the map was made.
    pub counted_ms: f64,
    /// Milliseconds since the map was made.
    pub uptime_ms: f64,
}

impl Stats {
    /// All of it under its names in JavaScript.
    pub fn json(&self) -> Json {
        let Self { operations, all, .. } = self;
        json!({
            "entries": self.entries,
            "handles": self.entries - all.index.keyed,
            "hits": operations.hits,
            "nearHits": operations.near_hits,
            "nativeHits": operations.hits - operations.near_hits,
            "misses": operations.misses,
            "sets": operations.inserts + operations.updates,
            "inserts": operations.inserts,
            "updates": operations.updates,
            "deletes": operations.deletes,
            "clears": operations.clears,
            "iterations": operations.iterations,
            "refusals": operations.refusals,
            "evictions": self.evictions,
            "expirations": self.expirations,
            "removals": all.removals.json(),
            "loads": all.loads.json(),
            "transactions": operations.transactions.json(),
            "deadlines": self.deadlines,
            "stale": self.stale,
            "operations": operations.total(),
            "memory": self.memory.json(),
            "shapes": self.shapes.json(),
            "maxEntries": self.max_entries,
            "maxValueBytes": self.max_value_bytes,
            "errors": self.errors.json(),
            "recovery": self.recovery.json(),
            "capacity": all.index.capacity,
            "loadFactor": all.index.load_factor(),
            "index": all.index.json(),
            "shards": self.shards,
            "simd": self.simd.json(),
            "latency": self.latency.as_ref().map(LatencyStats::json),
            "slow": self.slow.json(),
            "changes": self.changes.json(),
            "locks": self.locks.json(),
            "threads": self.threads,
            "resets": self.resets,
            "countedMs": self.counted_ms,
            "uptimeMs": self.uptime_ms,
        })
    }
}
