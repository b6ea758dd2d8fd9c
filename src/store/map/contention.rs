//! How threads wait for each other: what the locks of the shards have counted.

use std::time::Duration;

use super::store::Store;
use crate::store::observe::stats::LockStats;
use crate::store::platform::clock::Patience;
use crate::store::platform::counted_lock::LockCounts;

/// How long a test holds a shard that nothing waits for.
const PATIENCE: Duration = Duration::from_secs(30);

impl Store {
    /// What the locks of all shards have counted, the longest wait of all.
    pub fn lock_stats(&self) -> LockStats {
        let mut sum = LockCounts::default();
        self.all_shards().iter().for_each(|shard| sum.add(&shard.lock_counts()));
        LockStats(sum)
    }

    /// Holds the lock of a shard until another thread waits for it; whether one did. For tests.
    pub fn hold_shard_for_test(&self, shard: u32) -> bool {
        self.shard(shard).is_some_and(|shard| shard.hold_until_waited_for(&Patience::new(PATIENCE)))
    }
}
