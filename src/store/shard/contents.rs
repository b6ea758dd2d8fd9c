//! What was in a shard when it was cleared, on its way out: freed in steps, each of which is soon done.
//!
//! Pages come first, because the next write wants those; before them, large entries and those with a type, which only
//! the slots know.

use super::super::eviction::Policy;
use super::context::Context;
use super::retired::Retired;
use crate::store::entry::block::Entry;
use crate::store::entry::shapes::counts::ShapeCounts;
use crate::store::entry::types::Types;
use crate::store::expiry::timer_wheel::TimerWheel;
use crate::store::index::table::Tables;
use crate::store::memory::arena::Arena;
use crate::store::memory::budget::Memory;
use crate::store::memory::reclaim::Limbo;
use crate::store::platform::sync::Arc;
use crate::store::slab::order::Order;
use crate::store::slab::slots;
use crate::store::slab::typed::TypeLogs;

/// Pages freed in a step: 128 to 512 KiB, 50 ns each. Few, because shards are freed in turns and become less together.
const PAGES_PER_STEP: usize = 32;
/// Slots searched for large entries in a step, at up to half a microsecond for each that has one.
const SLOTS_PER_STEP: usize = 512;
/// Chunks of slots freed in a step: 8 MiB at most.
const CHUNKS_PER_STEP: usize = 64;
/// Bytes of a table given back in a step, at 30 µs for each MiB.
const TABLE_BYTES_PER_STEP: usize = 8 << 20;

/// What a cleared shard consisted of.
pub struct Parts {
    pub tables: Option<Box<Tables>>,
    pub slab: slots::Detached,
    pub order: Order,
    pub typed: TypeLogs,
    pub arena: Arena,
    pub policy: Option<Box<dyn Policy>>,
    pub wheel: TimerWheel,
    pub refreshes: TimerWheel,
    pub stale_for: TimerWheel,
    pub shapes: ShapeCounts,
    /// Retired before; the small entries among them lie in the same arena.
    pub retired: Limbo<Retired>,
}

/// Everything that was in a shard when it was cleared. The thread that frees any of it has waited for the readers.
pub struct Contents {
    slab: slots::Detached,
    arena: Arena,
    retired: Limbo<Retired>,
    /// Chunks of slots whose large entries were freed, and slots of the next one.
    searched: (usize, usize),
    tables: Option<Box<Tables>>,
    /// Bytes of the tables that were given back.
    tables_released: usize,
    /// What is freed as a whole, each in a step of its own.
    order: Option<Order>,
    typed: Option<TypeLogs>,
    policy: Option<Box<dyn Policy>>,
    wheel: Option<TimerWheel>,
    refreshes: Option<TimerWheel>,
    stale_for: Option<TimerWheel>,
    shapes: Option<ShapeCounts>,
    entries: u64,
    bytes: usize,
    memory: Arc<Memory>,
    types: Arc<Types>,
}

impl Contents {
    /// So many entries, which cost so many bytes.
    pub fn new(parts: Parts, entries: u64, bytes: usize, context: &Context) -> Self {
        Self {
            slab: parts.slab,
            arena: parts.arena,
            retired: parts.retired,
            searched: (0, 0),
            tables: parts.tables,
            tables_released: 0,
            order: Some(parts.order),
            typed: Some(parts.typed),
            policy: parts.policy,
            wheel: Some(parts.wheel),
            refreshes: Some(parts.refreshes),
            stale_for: Some(parts.stale_for),
            shapes: Some(parts.shapes),
            entries,
            bytes,
            memory: Arc::clone(&context.memory),
            types: Arc::clone(&context.types),
        }
    }

    /// How many entries there were.
    pub fn len(&self) -> u64 {
        self.entries
    }

    /// Roughly how many bytes there were to give back.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The entries that were not freed yet, each with the number of its slot and its generation.
    pub fn entries(&self) -> impl Iterator<Item = (Entry, u32, u32)> {
        self.slab.entries()
    }

    /// Frees a part. `true`: nothing is left that takes long. No reader can reach any of it.
    pub fn free_some(&mut self) -> bool {
        // Shapes without entries make room for others.
        if self.shapes.take_if(|shapes| shapes.records() > 0).is_some() {
            return false;
        }
        if self.retired.items().next().is_some() {
            self.free_retired();
            return false;
        }
        if self.has_entries_to_look_at() {
            self.look_at_entries();
            return false;
        }
        let goes_on = self.arena.free_some(PAGES_PER_STEP)
            || self.slab.free_some(CHUNKS_PER_STEP)
            || self.order.take().is_some()
            || self.typed.take_if(|typed| typed.total() > 0).is_some()
            || self.policy.take().is_some()
            || self.wheel.take().is_some()
            || self.refreshes.take_if(|refreshes| refreshes.len() > 0).is_some()
            || self.stale_for.take_if(|stale_for| stale_for.len() > 0).is_some()
            || self.free_tables();
        !goes_on
    }

    /// Frees a part of the tables. Whether there was any.
    fn free_tables(&mut self) -> bool {
        let Some(tables) = &mut self.tables else { return false };
        if !tables.release_some(&mut self.tables_released, TABLE_BYTES_PER_STEP) {
            self.tables = None;
        }
        true
    }

    fn free_retired(&mut self) {
        for item in std::mem::replace(&mut self.retired, Limbo::new()).into_items() {
            if let Retired::Entry(entry) = item {
                // SAFETY: retired once, and no reader is left. Small entries go with the arena's pages.
                unsafe { entry.free_if_large(&self.memory) };
            }
        }
    }

    /// Whether entries may be left in the slots that are large or have a type.
    fn has_entries_to_look_at(&self) -> bool {
        self.arena.has_entries_to_look_at() && self.slab.slots_of(self.searched.0).is_some()
    }

    /// Frees large ones of some slots, and releases the types of those that are freed. Small ones are looked at only,
    /// and their pages are still there.
    fn look_at_entries(&mut self) {
        let (chunk, from) = self.searched;
        for entry in self.slab.take_entries(chunk, from, SLOTS_PER_STEP) {
            if entry.type_id() != 0 {
                self.types.leave(entry.type_id());
            }
            // SAFETY: it was in one slot, which does not have it any more, and no reader is left.
            unsafe { entry.free_if_large(&self.memory) };
        }
        let to = from + SLOTS_PER_STEP;
        self.searched =
            if self.slab.slots_of(chunk).is_some_and(|slots| to < slots) { (chunk, to) } else { (chunk + 1, 0) };
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.free_retired();
        while self.has_entries_to_look_at() {
            self.look_at_entries();
        }
    }
}
