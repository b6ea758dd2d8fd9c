//! Transactions of all threads.

use serde_json::{Value as Json, json};

use super::counters::Counters;

/// Sums of all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionStats {
    /// Those that were committed.
    pub commits: u64,
    /// Those that ended because other threads had changed what they read.
    pub conflicts: u64,
    /// Those that the program gave up.
    pub rollbacks: u64,
}

impl TransactionStats {
    /// Adds one thread's counts.
    pub(super) fn add(&mut self, counters: &Counters) {
        self.commits += counters.commits.get();
        self.conflicts += counters.conflicts.get();
        self.rollbacks += counters.rollbacks.get();
    }

    /// What came since there were so many.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            commits: self.commits - before.commits,
            conflicts: self.conflicts - before.conflicts,
            rollbacks: self.rollbacks - before.rollbacks,
        }
    }

    pub(super) fn json(self) -> Json {
        json!({ "commits": self.commits, "conflicts": self.conflicts, "rollbacks": self.rollbacks })
    }
}
