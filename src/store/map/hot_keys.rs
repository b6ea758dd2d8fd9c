//! Reads that are sampled, in a map with the option for it, and what comes of them.

use super::local::{Local, Look};
use crate::store::entry::handle::Handle;
use crate::store::entry::target::KeyOrHandle;
use crate::store::error::Error;
use crate::store::observe::hot_keys::{HotKey, NATIVE_INTERVAL, NEAR_INTERVAL};
use crate::store::shard::{Shard, Tenant};

impl Local {
    /// Samples a read, if its turn has come. Under the pin under which the tenant was found.
    pub(super) fn sample(&self, shard: &Shard, tenant: &Tenant<'_>) {
        if let Some(sampler) = self.read_sampler()
            && sampler.is_due()
        {
            self.note_sample(shard, tenant, NATIVE_INTERVAL);
        }
    }

    /// Notes a sample of the hits of a near cache of this thread. Counts as no read.
    pub fn sample_near<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<(), Error> {
        self.find(target, Look::Peek, |shard, tenant| {
            self.note_sample(shard, tenant, NEAR_INTERVAL);
            Some(())
        })?;
        Ok(())
    }

    fn note_sample(&self, shard: &Shard, tenant: &Tenant<'_>, weight: u32) {
        if let (Some(sampler), Some(place)) = (self.read_sampler(), tenant.place()) {
            sampler.note(shard.hash_of(&self.store().context, tenant), place.handle, weight);
        }
    }

    /// The keys that are read most and are there, most of all first; with `resets`, counting begins anew. `None` in a
    /// map that does not sample.
    pub fn hot_keys(&self, most: usize, resets: bool) -> Result<Option<Vec<HotKey>>, Error> {
        self.store().context.check()?;
        let hot_keys = self.store().hot_keys.as_ref();
        hot_keys.map(|hot| hot.hottest(most, resets, |handle| self.is_there(handle))).transpose()
    }

    /// Whether there is the entry of a handle. Takes no lock.
    pub(super) fn is_there(&self, handle: Handle) -> bool {
        matches!(self.find(handle, Look::Peek, |_, _| Some(())), Ok(Some(())))
    }
}
