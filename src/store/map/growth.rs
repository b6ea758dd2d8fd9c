//! How the tables of a map grow: by themselves or held, and a migration that is brought forward.

use std::time::Duration;

use super::local::Local;
use crate::store::error::Error;
use crate::store::platform::clock::Patience;

/// Words that are moved under a shard's lock at a time, which takes about twenty microseconds.
const WORDS_PER_LOCK: usize = 512;

impl Local {
    /// Has tables resized by themselves, or only where they would be more than 95 % full or where that is asked for.
    /// Migrations under way go on. Holds for all threads.
    pub fn set_auto_resize(&self, is_automatic: bool) -> Result<(), Error> {
        let context = &self.store().context;
        context.check()?;
        // Before the shards: one that is emptied meanwhile begins with it.
        context.hold_tables(!is_automatic);
        self.store().all_shards().iter().try_for_each(|shard| shard.hold_tables(&self.member(), !is_automatic))
    }

    /// Whether tables are resized by themselves.
    pub fn auto_resize(&self) -> Result<bool, Error> {
        self.store().context.check()?;
        Ok(!self.store().context.holds_tables())
    }

    /// Whether words of any shard are being moved to another table.
    pub fn is_migrating(&self) -> Result<bool, Error> {
        self.store().context.check()?;
        let pin = self.pin();
        Ok(self.store().all_shards().iter().any(|shard| shard.is_migrating(&pin)))
    }

    /// Moves words of migrations under way, for about so long; whether there are more.
    pub fn rehash(&self, time: Duration) -> Result<bool, Error> {
        self.store().context.check()?;
        let patience = Patience::new(time);
        for shard in self.store().all_shards() {
            let has_some = shard.is_migrating(&self.pin());
            while has_some && !patience.is_over() && shard.rehash(&self.member(), WORDS_PER_LOCK)? {}
        }
        self.is_migrating()
    }
}
