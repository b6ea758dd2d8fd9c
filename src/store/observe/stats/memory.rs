//! What the bytes of a map are used for.

use serde_json::{Value as Json, json};

use super::shard::ShardStats;
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
    /// The part of `live` that keys fill.
    pub keys: u64,
    /// And that values fill.
    pub values: u64,
    /// The most that `total` was.
    pub peak: u64,
    /// Blocks for entries that were handed out.
    pub allocations: u64,
    /// Blocks that came back.
    pub frees: u64,
    /// Everything, `retired` included.
    pub total: u64,
    /// The limit, if there is one.
    pub limit: Option<u64>,
}

impl MemoryStats {
    pub(crate) fn new(memory: &Memory, all: &ShardStats, debris: u64) -> Self {
        let (large_allocations, large_frees) = memory.large_blocks();
        Self {
            entries: memory.used(Use::Entries),
            live: all.live_bytes,
            index: memory.used(Use::Index),
            slab: memory.used(Use::Slab),
            words: memory.used(Use::Words),
            order: memory.used(Use::Order),
            policy: memory.used(Use::Policy),
            expiry: memory.used(Use::Expiry),
            types: memory.used(Use::Types),
            shapes: memory.used(Use::Shapes),
            fixed: memory.used(Use::Fixed),
            retired: all.retired_bytes + debris,
            keys: all.key_bytes,
            values: all.value_bytes,
            peak: memory.peak(),
            allocations: all.blocks.allocations + large_allocations,
            frees: all.blocks.frees + large_frees,
            total: memory.total(),
            limit: memory.limit(),
        }
    }

    /// The part of `entries` that is neither live nor retired, from 0 to 1.
    pub fn fragmentation(&self) -> f64 {
        // Cleared entries count as retired, but their blocks are no longer counted.
        let idle = self.entries.saturating_sub(self.live + self.retired);
        if self.entries == 0 { 0.0 } else { idle as f64 / self.entries as f64 }
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
            "keys": self.keys,
            "values": self.values,
            "overhead": self.total.saturating_sub(self.keys + self.values),
            "peak": self.peak,
            "allocations": self.allocations,
            "frees": self.frees,
            "total": self.total,
            "limit": self.limit,
        })
    }
}
