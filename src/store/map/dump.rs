//! The internals of a map in words.

use super::store::Store;
use crate::store::error::Error;

/// The most slots that one call shows.
const MOST_SLOTS: u32 = 1_000;

impl Store {
    /// Those of a shard, with at most so many of its slots from `from` on.
    pub fn dump(&self, shard: u32, from: u32, most: u32) -> Result<String, Error> {
        self.context.check()?;
        let unknown = Error::InvalidShardIndex { shard, shards: self.shards() };
        Ok(self.shard(shard).ok_or(unknown)?.dump(&self.context, from, most.min(MOST_SLOTS)))
    }
}
