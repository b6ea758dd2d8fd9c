//! What a shard does beside its writes: freeing what was retired, emptying pages, growing and shrinking on demand, and
//! giving up everything at once.

use super::super::error::Error;
use super::contents::{Contents, Parts};
use super::context::Context;
use super::freed::FreedLater;
use super::member::Member;
use super::retired::Retired;
use super::{BrokenIfPanicking, Shard, Writer};
use crate::store::entry::block::Entry;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::KeyKind;
use crate::store::index::table::Tables;
use crate::store::memory::arena::Arena;
use crate::store::memory::reclaim;
use crate::store::memory::reclaim::{Limbo, Pin};
use crate::store::observe::removals::Cause;
use crate::store::platform::sync::Ordering;
use crate::store::slab::slots;
use crate::store::slab::slots::SlotRef;

/// Writes between two looks at how much of the memory for entries is wasted.
const WRITES_PER_LOOK: u32 = 64;
/// Waste up to this part of what lives is left alone: one in 4. Emptying a page copies what lives in it, so it
/// should free more than it copies.
const TOLERATED_WASTE: usize = 4;
/// And so is what the pages that are being filled may waste.
const TOLERATED_WASTE_BYTES: usize = 256 * 1_024;

#[cfg(test)]
thread_local! {
    /// Shards that this thread emptied.
    pub static DETACHED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Shard {
    /// Takes everything out, at once for every reader and writer of this shard: because it was cleared, or because so
    /// much room is needed that its entries are evicted all together.
    pub fn detach(&self, context: &Member<'_>, cause: Cause) -> Option<Contents> {
        #[cfg(test)]
        DETACHED.set(DETACHED.get() + 1);
        let mut guard = self.writer.lock();
        let broken = BrokenIfPanicking { context, shard: self };
        // What a broken map holds may be on its way into the shards that it goes on with.
        if cause == Cause::Evicted && context.check().is_err() {
            return None;
        }
        if self.is_in_doubt.swap(false, Ordering::Relaxed) {
            self.abandon(&mut guard, context);
            return None;
        }
        let changing = context.changes.begin(self.number);
        let writer = &mut *guard;
        if writer.slab.capacity() == 0 {
            if cause == Cause::Cleared {
                writer.loads.void_all();
            }
            return None;
        }
        let Some(successor) = writer.slab.successor() else {
            // Generations are used up: entries are removed one by one, and their slots retire.
            while let Some(number) = writer.order.oldest() {
                self.leave(writer, context, number, cause);
            }
            if cause == Cause::Cleared {
                writer.loads.void_all();
            }
            let has_news = std::mem::take(&mut writer.has_news);
            drop(changing);
            drop(broken);
            drop(guard);
            if has_news {
                context.removals.wake();
            }
            return None;
        };
        let fresh = Writer::new(context);
        let old = std::mem::replace(writer, fresh);
        writer.cleared_below = if cause == Cause::Cleared { successor.base_generation() } else { old.cleared_below };
        writer.slab = successor;
        writer.changes = old.changes + 1;
        writer.balance_seen = old.balance_seen;
        writer.freed_later = old.freed_later;
        writer.counts = old.counts;
        writer.counts.detach(cause, self.len(), old.arena.blocks);
        writer.index.resizes = old.index.resizes;
        writer.loads = old.loads;
        if cause == Cause::Cleared {
            writer.loads.void_all();
        }
        // Large entries are no part of the arena, and pages that are not full weigh more than their entries.
        let weight = self.weight_bytes.load(Ordering::Relaxed) as usize + old.limbo.bytes();
        let bytes = old.arena.bytes().max(weight) + old.slab.capacity() as usize * slots::SLOT_BYTES;
        let ended = slots::CopiesEnded::in_words(context.words.withdraw(self.number));
        // The slab before the index: with it, entries are gone for their keys and their handles at once.
        let slab = self.slab.detach(&ended);
        let contents = Contents::new(
            Parts {
                tables: self.index.detach(&ended),
                slab,
                order: old.order,
                typed: old.typed,
                arena: old.arena,
                policy: old.policy,
                wheel: old.wheel,
                refreshes: old.refreshes,
                stale_for: old.stale_for,
                shapes: old.shapes,
                retired: old.limbo,
            },
            self.len.swap(0, Ordering::Relaxed),
            bytes,
            context,
        );
        self.weight_bytes.store(0, Ordering::Relaxed);
        self.deadlines.store(0, Ordering::Relaxed);
        self.next_deadline_ms.store(u64::MAX, Ordering::Relaxed);
        self.next_refresh_ms.store(u64::MAX, Ordering::Relaxed);
        self.next_stale_end_ms.store(u64::MAX, Ordering::Relaxed);
        Self::count_dropped(context, old.stale.len());
        if cause == Cause::Evicted {
            self.evicted.store(self.evicted.load(Ordering::Relaxed) + contents.len(), Ordering::Relaxed);
        }
        context.release_entries(contents.len());
        let left = contents
            .entries()
            .map(|(entry, slot, generation)| (entry, Handle { shard: self.number, slot, generation }));
        let has_news = context.removals.tell_all(left, contents.len(), cause);
        drop(changing);
        drop(broken);
        drop(guard);
        if has_news {
            context.removals.wake();
        }
        Some(contents)
    }

    /// Makes the index large enough for this many entries.
    pub fn reserve(&self, context: &Member<'_>, entries: usize) -> Result<(), Error> {
        self.locked(context, |writer| {
            if let Some(tables) = writer.index.reserve(&self.index, entries, &context.memory)? {
                writer.retire_tables(context, tables);
            }
            Ok(())
        })
    }

    /// Makes the index as small as its entries allow, frees what waits, if no reader is looking, and starts emptying
    /// pages that are mostly free.
    pub fn shrink_to_fit(&self, context: &Member<'_>) -> Result<(), Error> {
        self.locked(context, |writer| {
            if let Some(tables) = writer.index.shrink_to_fit(&self.index, &context.memory) {
                writer.retire_tables(context, tables);
            }
            writer.collect_all(context);
            writer.is_compacting = true;
            Ok(())
        })
    }

    /// Has tables resized only where they have to be, or no longer so.
    pub fn hold_tables(&self, context: &Member<'_>, is_held: bool) -> Result<(), Error> {
        self.locked(context, |writer| {
            writer.index.hold(is_held);
            Ok(())
        })
    }

    /// Whether words are being moved to another table.
    pub fn is_migrating(&self, _pin: &Pin<'_>) -> bool {
        self.index.is_migrating()
    }

    /// Moves so many words to another table, if there is one; whether there are more.
    pub fn rehash(&self, context: &Member<'_>, words: usize) -> Result<bool, Error> {
        self.locked(context, |writer| {
            if let Some(tables) = writer.index.migrate(&self.index, words) {
                writer.resized = Some(self.index.capacity());
                writer.retire_tables(context, tables);
            }
            Ok(self.index.is_migrating())
        })
    }

    /// The share of upkeep that each write does.
    pub(super) fn step(&self, writer: &mut Writer, context: &Member<'_>) {
        if let Some(tables) = writer.index.step(&self.index) {
            writer.resized = Some(self.index.capacity());
            writer.retire_tables(context, tables);
        }
        writer.upkeep = writer.upkeep.wrapping_add(1);
        if writer.is_compacting || writer.upkeep.is_multiple_of(WRITES_PER_LOOK) {
            let is_due = writer.is_compacting || self.is_wasteful(writer);
            writer.is_compacting = is_due && self.evacuate(writer, context);
        }
    }

    /// Whether pages have much more room than entries need.
    fn is_wasteful(&self, writer: &Writer) -> bool {
        let weight = self.weight_bytes.load(Ordering::Relaxed) as usize + writer.limbo.bytes();
        writer.arena.bytes() > weight + weight / TOLERATED_WASTE + TOLERATED_WASTE_BYTES
    }

    /// Whether a write has to do its share of upkeep. If not, it counts as one that has done it.
    pub(super) fn has_upkeep(&self, writer: &mut Writer) -> bool {
        if self.index.is_migrating() || writer.is_compacting {
            return true;
        }
        let next = writer.upkeep.wrapping_add(1);
        if next.is_multiple_of(WRITES_PER_LOOK) && self.is_wasteful(writer) {
            return true;
        }
        writer.upkeep = next;
        false
    }

    /// Empties a page that is mostly free, if there is one worth it, so that its memory can serve others.
    pub(super) fn evacuate(&self, writer: &mut Writer, context: &Member<'_>) -> bool {
        let Some(blocks) = writer.arena.set_aside() else { return false };
        for block in blocks {
            // SAFETY: blocks that live in a page hold entries, and nothing is freed before `collect` below.
            let entry = unsafe { Entry::in_block(block) };
            // Without a slot it is retired, and waits for its readers only.
            let Some(slot) = self.slot_of(entry, context) else { continue };
            let Ok(copy) = entry.copy(&mut writer.arena) else { break };
            slot.relocate(copy);
            #[expect(clippy::let_underscore_must_use, reason = "collected below in any case")]
            let _ = writer.limbo.retire(Retired::Entry(entry), entry.weight_bytes());
        }
        writer.collect(context);
        true
    }

    /// The slot that holds this very entry.
    fn slot_of(&self, entry: Entry, context: &Context) -> Option<SlotRef<'_>> {
        let key = entry.key();
        let holds_it = |number: u32| self.slab.slot(number).is_some_and(|slot| slot.entry() == Some(entry));
        let number = if key.kind() == KeyKind::Keyless {
            key.bytes().try_into().ok().map(u32::from_le_bytes).filter(|&number| holds_it(number))
        } else {
            self.index.spot(context.hasher.hash(key) as u32, holds_it).map(|spot| spot.slot)
        };
        self.slab.slot(number?)
    }
}

impl Drop for Shard {
    /// A map's contents are taken out before it is dropped; what remains is what was retired since.
    fn drop(&mut self) {
        let limbo = std::mem::replace(&mut self.writer.get_mut().limbo, Limbo::new());
        let memory = self.writer.get_mut().arena.memory();
        for item in limbo.into_items() {
            if let Retired::Entry(entry) = item {
                // SAFETY: no thread can read a map that is being dropped; small entries go with the arena.
                unsafe { entry.free_if_large(&memory) };
            }
        }
    }
}

impl Writer {
    /// A table is large and seldom replaced, so it does not wait for others.
    pub(super) fn retire_tables(&mut self, context: &Member<'_>, tables: Box<Tables>) {
        self.retire(context, Retired::Tables(tables), reclaim::BATCH_BYTES);
    }

    pub(super) fn retire(&mut self, context: &Member<'_>, item: Retired, bytes: usize) {
        if self.limbo.retire(item, bytes) && !self.is_committing {
            self.collect(context);
        }
    }

    /// Frees what was retired and is known to be out of sight.
    pub(super) fn collect(&mut self, context: &Member<'_>) {
        let Self { limbo, arena, freed_later, .. } = self;
        limbo.collect(&context.collector, context.participant(), |item| free(item, arena, freed_later, context));
    }

    /// Frees what was retired and can no longer be seen.
    pub(super) fn collect_all(&mut self, context: &Member<'_>) {
        let Self { limbo, arena, freed_later, .. } = self;
        limbo.collect_all(&context.collector, context.participant(), |item| free(item, arena, freed_later, context));
    }
}

/// Frees what no reader can reach any more; what takes long as soon as the lock is released.
#[inline]
fn free(item: Retired, arena: &mut Arena, freed_later: &mut FreedLater, context: &Context) {
    match item {
        // SAFETY: no reader is left, and small entries of this shard come from this arena.
        Retired::Entry(entry) if !entry.is_large() => unsafe { entry.free(arena, &context.memory) },
        item => freed_later.push(item),
    }
}
