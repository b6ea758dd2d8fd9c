//! What the bytes of a map are used for.

use serde_json::{Value as Json, json};

use crate::store::memory::budget::{Memory, Use};

/// Bytes by what they are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Pages and large blocks set aside for keys and values.
    pub entries: u64,
    /// The part of `entries` that live entries fill; what is left is free blocks, rounding and retired entries.
    pub live: u64,
    /// Index tables.
    pub index: u64,
    /// Slots.
    pub slab: u64,
    /// Version words.
    pub words: u64,
    /// Insertion order.
    pub order: u64,
    /// What the eviction policy keeps.
    pub policy: u64,
    /// Deadlines.
    pub expiry: u64,
    /// Names of types, and which entries have them.
    pub types: u64,
    /// Shapes of values, and what counts their entries.
    pub shapes: u64,
    /// The map itself.
    pub fixed: u64,
    /// The part of `entries` that waits until no reader can see it.
    pub retired: u64,
    /// Everything, `retired` included.
    pub total: u64,
    /// The limit, if there is one.
    pub limit: Option<u64>,
}

impl MemoryStats {
    pub(crate) fn new(memory: &Memory, live: u64, retired: u64) -> Self {
        Self {
            entries: memory.used(Use::Entries),
            live,
            index: memory.used(Use::Index),
            slab: memory.used(Use::Slab),
            words: memory.used(Use::Words),
            order: memory.used(Use::Order),
            policy: memory.used(Use::Policy),
            expiry: memory.used(Use::Expiry),
            types: memory.used(Use::Types),
            shapes: memory.used(Use::Shapes),
            fixed: memory.used(Use::Fixed),
            retired,
            total: memory.total(),
            limit: memory.limit(),
        }
    }

    pub(super) fn json(&self) -> Json {
        json!({
            "entries": self.entries,
            "live": self.live,
            "index": self.index,
            "slab": self.slab,
            "words": self.words,
            "order": self.order,
            "policy": self.policy,
            "expiry": self.expiry,
            "types": self.types,
            "shapes": self.shapes,
            "fixed": self.fixed,
            "retired": self.retired,
            "total": self.total,
            "limit": self.limit,
        })
    }
}
