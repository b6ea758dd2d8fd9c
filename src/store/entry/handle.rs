//! Handles: packed references to entries, given to the user.

/// Where an entry lives and which tenant of that place it is.
///
/// A handle is plain data: it can be copied, sent to another thread and forged. Each function that takes one checks
/// every field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// Number of the shard, below [`crate::store::Store::shards`].
    pub shard: u32,
    /// Number of the slot in that shard's slab.
    pub slot: u32,
    /// Which tenant of the slot: generations only grow, so a handle that outlived its entry never fits another.
    pub generation: u32,
}
