//! What became of a map that broke.

use serde_json::{Value as Json, json};

/// What came of the entries of a shard, or of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries that go on.
    pub recovered: u64,
    /// Entries that do not fit.
    pub dropped: u64,
    /// Entries whose deadline had passed.
    pub expired: u64,
    /// Bytes that are never freed.
    pub leaked_bytes: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.recovered += other.recovered;
        self.dropped += other.dropped;
        self.expired += other.expired;
        self.leaked_bytes += other.leaked_bytes;
    }

    /// Under its names in JavaScript.
    pub fn json(&self) -> Json {
        let Self { recovered, dropped, expired, leaked_bytes } = self;
        json!({ "recovered": recovered, "dropped": dropped, "expired": expired, "leakedBytes": leaked_bytes })
    }
}

/// The last attempt to recover a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastRecovery {
    /// When it ended, in milliseconds since the map was made.
    pub at_ms: f64,
    /// What it took, in milliseconds.
    pub time_ms: f64,
    /// The number of the error, if it failed.
    pub failure: Option<u16>,
}

/// Attempts to recover a map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecoveryStats {
    /// Attempts that ended.
    pub attempts: u64,
    /// Those of them that the map began by itself.
    pub automatic: u64,
    /// Those that failed.
    pub failures: u64,
    /// Sums of all of them.
    pub total: Tally,
    /// The last one.
    pub last: Option<LastRecovery>,
}

impl RecoveryStats {
    /// Under its names in JavaScript.
    pub fn json(&self) -> Json {
        let Self { attempts, automatic, failures, total, last } = self;
        let last = last.map(
            |LastRecovery { at_ms, time_ms, failure }| json!({ "atMs": at_ms, "timeMs": time_ms, "failure": failure }),
        );
        let mut section = total.json();
        section["attempts"] = json!(attempts);
        section["automatic"] = json!(automatic);
        section["failures"] = json!(failures);
        section["last"] = json!(last);
        section
    }
}
