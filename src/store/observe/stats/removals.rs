//! How many entries were removed, or values replaced, by the cause.

use serde_json::{Value as Json, json};

use crate::store::observe::removals::Cause;

/// A count for each cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovalStats([u64; Cause::ALL.len()]);

impl RemovalStats {
    /// Counts removals.
    #[inline]
    pub fn count(&mut self, cause: Cause, removals: u64) {
        self.0[cause as usize - 1] += removals;
    }

    /// Those of a cause.
    pub fn of(&self, cause: Cause) -> u64 {
        self.0[cause as usize - 1]
    }

    /// Adds those of another shard.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }

    pub(super) fn json(&self) -> Json {
        json!({
            "explicit": self.of(Cause::Explicit),
            "replaced": self.of(Cause::Replaced),
            "evicted": self.of(Cause::Evicted),
            "expired": self.of(Cause::Expired),
            "cleared": self.of(Cause::Cleared),
        })
    }
}
