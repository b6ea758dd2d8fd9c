//! What a map counts, and what it reports about itself: a section in each file.
//!
//! A section is a struct with a method `json`. `map/stats.rs` fills it in; [`Stats::json`] puts all of them together,
//! under the names that `getStats` has for them.

mod counters;
mod errors;
mod latency;
mod locks;
mod memory;
mod operations;
mod recovery;
mod shapes;
mod simd;
mod table;

use serde_json::{Value as Json, json};

use crate::store::observe::performance::SlowStats;

pub use counters::{Counter, Counters};
pub use errors::{ErrorCounts, ErrorStats};
pub use latency::LatencyStats;
pub use locks::LockStats;
pub use memory::MemoryStats;
pub use operations::Operations;
pub use recovery::{LastRecovery, RecoveryStats, Tally};
pub use shapes::ShapeStats;
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
    /// Words of all index tables.
    pub capacity: u64,
    /// Entries by key over `capacity`; 0 in an empty map.
    pub load_factor: f64,
    /// Number of shards.
    pub shards: u32,
    /// What lookups use of the processor.
    pub simd: SimdStats,
    /// How long operations take, where that is measured.
    pub latency: Option<LatencyStats>,
    /// How often something took too long.
    pub slow: SlowStats,
    /// How threads wait for each other.
    pub locks: LockStats,
    /// Threads that have the map open, each open counted.
    pub threads: u64,
    /// Milliseconds since the map was made.
    pub uptime_ms: f64,
}

impl Stats {
    /// All of it under its names in JavaScript.
    pub fn json(&self) -> Json {
        let operations = &self.operations;
        json!({
            "entries": self.entries,
            "hits": operations.hits,
            "nearHits": operations.near_hits,
            "misses": operations.misses,
            "inserts": operations.inserts,
            "updates": operations.updates,
            "deletes": operations.deletes,
            "clears": operations.clears,
            "iterations": operations.iterations,
            "refusals": operations.refusals,
            "evictions": self.evictions,
            "expirations": self.expirations,
            "deadlines": self.deadlines,
            "stale": self.stale,
            "operations": operations.total(),
            "memory": self.memory.json(),
            "shapes": self.shapes.json(),
            "maxEntries": self.max_entries,
            "maxValueBytes": self.max_value_bytes,
            "errors": self.errors.json(),
            "recovery": self.recovery.json(),
            "capacity": self.capacity,
            "loadFactor": self.load_factor,
            "shards": self.shards,
            "simd": self.simd.json(),
            "latency": self.latency.as_ref().map(LatencyStats::json),
            "slow": self.slow.json(),
            "locks": self.locks.json(),
            "threads": self.threads,
            "uptimeMs": self.uptime_ms,
        })
    }
}
