//! Loads of values: how many, how long they took, and how many calls they served.

use serde_json::{Value as Json, json};

/// Loads of one shard, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadStats {
    /// Those that brought a value.
    pub count: u64,
    /// Those that failed.
    pub failures: u64,
    /// Calls that waited for a load that was under way.
    pub shared: u64,
    /// Milliseconds from the beginning to the end of those that ended.
    pub time_ms: f64,
    /// Those under way now.
    pub under_way: u64,
}

impl LoadStats {
    /// Counts one that ended.
    pub fn end(&mut self, is_failure: bool, time_ms: f64) {
        if is_failure {
            self.failures += 1;
        } else {
            self.count += 1;
        }
        // A clock that is held and let go may stand a little behind.
        self.time_ms += time_ms.max(0.0);
    }

    /// Adds those of another shard.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.failures += other.failures;
        self.shared += other.shared;
        self.time_ms += other.time_ms;
        self.under_way += other.under_way;
    }

    pub(super) fn json(&self) -> Json {
        let ended = self.count + self.failures;
        json!({
            "count": self.count,
            "failures": self.failures,
            "shared": self.shared,
            "timeMs": self.time_ms,
            "meanMs": if ended == 0 { 0.0 } else { self.time_ms / ended as f64 },
            "underWay": self.under_way,
        })
    }
}
