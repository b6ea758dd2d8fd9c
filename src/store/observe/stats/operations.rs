//! What all threads did.

use super::counters::Counters;
use super::transactions::TransactionStats;

/// Sums of all threads, past ones included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a count of what it is named after")]
pub struct Operations {
    /// Reads that found an entry, near-cache hits included.
    pub hits: u64,
    /// Those of them that never left JavaScript.
    pub near_hits: u64,
    /// Reads that found none.
    pub misses: u64,
    pub inserts: u64,
    pub updates: u64,
    pub deletes: u64,
    pub clears: u64,
    /// Batches of entries handed to iterators.
    pub iterations: u64,
    /// Writes that a limit refused.
    pub refusals: u64,
    pub transactions: TransactionStats,
}

impl Operations {
    /// Adds one thread's counts.
    pub(crate) fn add(&mut self, counters: &Counters) {
        // Read once: the thread may be counting.
        let near_hits = counters.near_hits.get();
        self.hits += counters.hits.get() + near_hits;
        self.near_hits += near_hits;
        self.misses += counters.misses.get();
        self.inserts += counters.inserts.get();
        self.updates += counters.updates.get();
        self.deletes += counters.deletes.get();
        self.clears += counters.clears.get();
        self.iterations += counters.iterations.get();
        self.refusals += counters.refusals.get();
        self.transactions.add(counters);
    }

    /// What was done since there were so many.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            hits: self.hits - before.hits,
            near_hits: self.near_hits - before.near_hits,
            misses: self.misses - before.misses,
            inserts: self.inserts - before.inserts,
            updates: self.updates - before.updates,
            deletes: self.deletes - before.deletes,
            clears: self.clears - before.clears,
            iterations: self.iterations - before.iterations,
            refusals: self.refusals - before.refusals,
            transactions: self.transactions.since(before.transactions),
        }
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.hits
            + self.misses
            + self.inserts
            + self.updates
            + self.deletes
            + self.clears
            + self.iterations
            + self.refusals
    }
}
