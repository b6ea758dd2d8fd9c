//! How many shards would serve the load that a map has seen.
//!
//! **The rule.** Two writers wait for each other if they are in one shard, so the share of locks that are waited for is
//! inverse to the number of shards, if keys are spread evenly. The answer is the least power of two with which at most
//! one lock in a hundred ([`WORTH_WAITS`]) would have been waited for. What one busy key does, more shards cannot
//! change: if a single shard has more than half of all waits, those that it has beyond the mean of the others are left
//! out. A limit wants shards of some size, whatever the waits ([`Store::shards_for_limits`]). With fewer than
//! [`LEAST_LOCKS`] locks taken, nothing is known, and the answer is the present number.

use super::store::Store;
use crate::store::config::{MAX_SHARDS, MIN_SHARD_BYTES, MIN_SHARD_ENTRIES};
use crate::store::platform::counted_lock::LockCounts;
use crate::store::shard::Shard;

/// Locks in a map that has to be waited for less often than that: one in so many.
const WORTH_WAITS: f64 = 100.0;
/// Locks below which waits say nothing.
const LEAST_LOCKS: u64 = 10_000;
/// Waits that may have been missed by chance, in 95 of 100 cases without any.
const UNSEEN_WAITS: f64 = 3.0;

impl Store {
    /// How many shards the rule asks for.
    pub fn optimal_shards(&self) -> u32 {
        let counts: Vec<LockCounts> = self.all_shards().iter().map(Shard::lock_counts).collect();
        optimal(&counts).min(self.shards_for_limits())
    }

    /// How many shards the limits allow, if each is to hold enough for an uneven spread of keys.
    pub fn shards_for_limits(&self) -> u32 {
        let by_entries = self.max_entries().map_or(u64::MAX, |limit| limit / MIN_SHARD_ENTRIES);
        let by_bytes = self.memory_limit_bytes().map_or(u64::MAX, |limit| limit / MIN_SHARD_BYTES);
        let most = by_entries.min(by_bytes).clamp(1, u64::from(MAX_SHARDS));
        1 << most.ilog2()
    }
}

fn optimal(counts: &[LockCounts]) -> u32 {
    let shards = counts.len() as u32;
    let mut sum = LockCounts::default();
    for counts in counts {
        sum.add(counts);
    }
    if sum.acquisitions < LEAST_LOCKS {
        return shards;
    }
    let busiest = counts.iter().map(|counts| counts.waits).max().unwrap_or(0);
    let others = sum.waits - busiest;
    let waits = match others.checked_div(u64::from(shards) - 1) {
        Some(mean) if busiest > others => others + mean.min(busiest),
        _ => sum.waits,
    };
    let ratio = (waits as f64 + UNSEEN_WAITS) / sum.acquisitions as f64;
    let wanted = (ratio * WORTH_WAITS * f64::from(shards)).ceil().clamp(1.0, f64::from(MAX_SHARDS));
    (wanted as u32).next_power_of_two().min(MAX_SHARDS)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn even(shards: usize, acquisitions: u64, waits: u64) -> Vec<LockCounts> {
        vec![LockCounts { acquisitions, waits, ..LockCounts::default() }; shards]
    }

    #[test]
    fn the_least_number_is_given_with_which_few_locks_are_waited_for() {
        // One in ten of 8 shards: one in a hundred of 80.
        assert_eq!(optimal(&even(8, 100_000, 10_000)), 128);
        assert_eq!(optimal(&even(8, 100_000, 900)), 8);
        assert_eq!(optimal(&even(64, 100_000, 100)), 8);
        assert_eq!(optimal(&even(64, 100_000, 0)), 1);
        assert_eq!(optimal(&even(4_096, 100_000, 50_000)), 4_096, "there are no more");
        assert_eq!(optimal(&even(16, 600, 300)), 16, "nothing is known yet");
        assert_eq!(optimal(&even(1, 100_000, 10_000)), 16);
    }

    #[test]
    fn a_busy_key_asks_for_no_more_shards() {
        let mut counts = even(16, 100_000, 500);
        assert_eq!(optimal(&counts), 16);
        counts[3].waits = 90_000;
        assert_eq!(optimal(&counts), 16);
    }
}
