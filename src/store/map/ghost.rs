//! What reads tell of other sizes of a map, in one with the option for it.

use super::local::Local;
use super::store::Store;
use crate::store::config::Config;
use crate::store::entry::target::KeyOrHandle;
use crate::store::error::Error;
use crate::store::eviction::{Foretold, Ghost};
use crate::store::shard::context::Context;
use crate::store::shard::{Shard, Tenant};

/// The part of a limit in use from which on it is known how many entries it has room for.
const TELLING: f64 = 0.4;

impl Local {
    /// Notes a hit. Under the pin under which the tenant was found.
    pub(super) fn note_ghost_hit(&self, shard: &Shard, tenant: &Tenant<'_>) {
        let store = self.store();
        if let Some(ghost) = &store.ghost {
            ghost.note(shard.hash_of(&store.context, tenant), true, || store.entries_when_full());
        }
    }

    /// Notes a read that found nothing.
    #[cold]
    pub(super) fn note_ghost_miss<'t>(&self, target: impl KeyOrHandle<'t>) {
        let store = self.store();
        let Some(ghost) = &store.ghost else { return };
        target.either(
            (),
            |(), key| ghost.note(self.shard_of(key).1, false, || store.entries_when_full()),
            // Its entry does not come back.
            |(), _| (),
        );
    }
}

impl Store {
    /// A ghost for a map that is made, if it asks for one.
    pub(super) fn make_ghost(config: &Config, context: &Context) -> Result<Option<Ghost>, Error> {
        let make = || Ghost::new(context.policy.unwrap_or_default(), &context.memory, &context.clock);
        config.ghost_cache.unwrap_or_default().then(make).transpose()
    }

    /// How many entries the map holds when it is full; `None` while that is not known, and without limits.
    fn entries_when_full(&self) -> Option<f64> {
        let by_count = self.max_entries().map(|most| most as f64);
        let memory = &self.context.memory;
        let by_bytes = memory.limit().and_then(|limit| {
            let used = memory.total() as f64 / limit as f64;
            let entries: u64 = self.all_shards().iter().map(Shard::len).sum();
            (used >= TELLING).then(|| entries as f64 / used)
        });
        match (by_count, by_bytes) {
            (Some(count), Some(bytes)) => Some(count.min(bytes)),
            (count, bytes) => count.or(bytes),
        }
    }

    /// What would be otherwise with half and with twice the memory; `None` in a map that was not made to know.
    pub fn foretell(&self) -> Option<Foretold> {
        self.ghost.as_ref().map(Ghost::foretell)
    }
}
