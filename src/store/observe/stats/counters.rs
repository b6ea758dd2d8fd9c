//! What each thread counts.

use crate::store::platform::sync::{AtomicU64, Ordering};

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

/// A number with one writer and any readers.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Default for Counter {
    fn default() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Counter {
    /// Adds, in the counter's own thread.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed) + n, Ordering::Relaxed);
    }

    /// Puts another number in its place, in the counter's own thread.
    #[inline]
    pub fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// Reads, in any thread.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
