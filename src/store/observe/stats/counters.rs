//! What each thread counts.

use crate::store::observe::counter::Counter;

/// What one thread did with a map. Each is written by its own thread alone, so counting costs no atomic
/// read-modify-write.
#[derive(Debug, Default)]
pub struct Counters {
    pub hits: Counter,
    pub near_hits: Counter,
    pub misses: Counter,
    pub inserts: Counter,
    pub updates: Counter,
    pub deletes: Counter,
    pub clears: Counter,
    pub iterations: Counter,
    pub refusals: Counter,
    pub commits: Counter,
    pub conflicts: Counter,
    pub rollbacks: Counter,
}
