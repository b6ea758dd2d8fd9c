//! How threads wait for each other.

use serde_json::{Value as Json, json};

use crate::store::platform::counted_lock::LockCounts;

/// What the locks of the shards have counted, of all of them or of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockStats(pub LockCounts);

impl LockStats {
    /// Nanoseconds of a wait on average, 0 if there was none.
    pub fn mean_wait_ns(&self) -> u64 {
        self.0.waited_ns.checked_div(self.0.waits).unwrap_or_default()
    }

    /// Which share of acquisitions had to wait.
    pub fn contention_ratio(&self) -> f64 {
        if self.0.acquisitions == 0 { 0.0 } else { self.0.waits as f64 / self.0.acquisitions as f64 }
    }

    pub(super) fn json(&self) -> Json {
        json!({
            "acquisitions": self.0.acquisitions,
            "waits": self.0.waits,
            "waitNs": self.0.waited_ns,
            "meanWaitNs": self.mean_wait_ns(),
            "longestWaitNs": self.0.longest_wait_ns,
            "waiting": self.0.waiting,
            "contentionRatio": self.contention_ratio(),
        })
    }
}
