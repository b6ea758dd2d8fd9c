//! What is known of one entry.

use super::local::Local;
use super::store::Store;
use crate::store::entry::target::KeyOrHandle;
use crate::store::error::Error;
use crate::store::eviction::PolicyKind;
use crate::store::shard::explain::Explanation;

impl Local {
    /// What is known of an entry; `None` if it is not there. Counts as no read. A policy that goes by the order of hits
    /// first learns of those of this thread.
    pub fn explain<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<Option<Explanation>, Error> {
        let context = &self.store().context;
        context.check()?;
        self.replay_hits();
        Ok(self.seek(target).and_then(|(shard, sought)| shard.explain(context, sought)))
    }
}

impl Store {
    /// What chooses the entries that are evicted, in a map in which it does.
    pub fn policy(&self) -> Option<PolicyKind> {
        self.context.policy
    }
}
