//! Large entries with several owners: the shard that has the entry in a slot, or waits until no reader is left, and
//! whatever else looks at it later on without a pin.
//!
//! The count of owners, in the entry, works as that of an `Arc`: it is 1 when the entry is written; another owner is
//! added only where one is there that stays meanwhile; and what the last one frees was last used before any other one
//! left, by release and acquire on the count. The bytes count as memory of the map until the shard lets go of the
//! entry, whatever other owners do: what they keep after that is theirs to bound.

use super::block::Entry;
use crate::store::memory::large;

/// An owner of a large entry beside the shard. Dropping it frees the entry if it is the last one: under no lock, unless
/// another owner is known to be there.
#[derive(Debug)]
pub struct Held(Entry);

impl Held {
    /// Another owner of a large entry; `None` for a small one, which is part of an arena, and for one that goes to the
    /// system step by step. For callers for which the shard still owns the entry: under its lock, and before it retires
    /// the entry.
    pub fn new(entry: Entry) -> Option<Self> {
        if !entry.is_large() || large::mapped_bytes(entry.size()) > 0 {
            return None;
        }
        entry.join();
        Some(Self(entry))
    }

    /// The entry. Good as long as this is.
    pub fn entry(&self) -> Entry {
        self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let size = self.0.size();
        if self.0.leave() {
            // SAFETY: no other owner is left, and the shard, which is none any more, has counted the block off.
            unsafe { large::free_uncounted(self.0.block(), size) };
            large::release_surplus();
        }
    }
}
