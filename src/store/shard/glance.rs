//! A look at one entry of many, for advice: cheaper than to explain it.

use super::context::Context;
use super::room::Marks;
use super::{Shard, Tenant};
use crate::store::entry::handle::Handle;
use crate::store::entry::key::KeyKind;

/// What is seen of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Words of the index that a look for its key reads; `None` without a key.
    pub probe_length: Option<usize>,
    /// Hits that its policy counts for it, if it does.
    pub uses: Option<u32>,
}

impl Shard {
    /// Looks at an entry, if it is there. Takes the lock, which is not counted: a look is no load.
    pub fn glance(&self, context: &Context, handle: Handle) -> Option<Glance> {
        let writer = self.writer.lock_uncounted();
        let tenant: Tenant<'_> = self.tenant(handle.slot)?;
        if tenant.slot.generation() != handle.generation {
            return None;
        }
        let has_key = tenant.entry.key().kind() != KeyKind::Keyless;
        let hash_of = |slot| self.policy_hash(context, slot);
        let standing = writer.policy.as_ref().filter(|policy| policy.has(handle.slot));
        Some(Glance {
            probe_length: has_key.then(|| self.probe_length(context, tenant)),
            uses: standing.and_then(|policy| policy.standing(handle.slot, &Marks(&self.slab), &hash_of).uses),
        })
    }
}
