//! A few figures of a map that are had at once, without a look at its shards' insides.

use serde_json::{Value as Json, json};

use super::store::Store;
use crate::store::observe::stats::Operations;

/// What a list of maps says of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// Entries.
    pub entries: u64,
    /// Bytes of everything.
    pub memory_bytes: u64,
    /// The limit of it, if there is one.
    pub memory_limit_bytes: Option<u64>,
    /// What all threads did.
    pub operations: Operations,
    /// Open references, of all threads.
    pub threads: u64,
    /// Milliseconds since the map was made.
    pub uptime_ms: f64,
    /// Whether it refuses further use.
    pub is_broken: bool,
}

impl Store {
    /// The figures of this moment. Costs no lock of a shard.
    pub fn outline(&self) -> Outline {
        let (operations, threads) = {
            let table = self.counters.lock();
            (table.sums(), table.threads())
        };
        Outline {
            entries: self.len(),
            memory_bytes: self.context.memory.total(),
            memory_limit_bytes: self.memory_limit_bytes(),
            operations,
            threads,
            uptime_ms: self.context.clock.elapsed_ms(),
            is_broken: self.is_broken(),
        }
    }
}

impl Outline {
    /// Under its names in JavaScript.
    pub fn json(&self, name: Option<&str>) -> Json {
        let Operations { hits, misses, .. } = self.operations;
        json!({
            "name": name,
            "size": self.entries,
            "memoryBytes": self.memory_bytes,
            "memoryLimit": self.memory_limit_bytes,
            "hits": hits,
            "misses": misses,
            "cacheHitRate": percent(hits, hits + misses),
            "threads": self.threads,
            "uptimeMs": self.uptime_ms,
            "isBroken": self.is_broken,
        })
    }
}

/// To two digits; 0 of nothing.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 10_000.0).round() / 100.0 }
}
