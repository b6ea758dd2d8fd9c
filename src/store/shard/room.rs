//! Room for a write that a limit refuses: which entries are evicted for it, and how their memory becomes what the
//! write needs.
//!
//! A write is tried, and if a limit refuses it, an entry is evicted and it is tried again; each time more are evicted,
//! until it fits or the shard has no more to give. What is evicted is not free at once: readers may still look at it,
//! and its blocks are of another size than those that are wanted. So each round waits for the readers and then, if
//! that did not do, empties pages.
//!
//! Growth of the index or the slab that does not fit asks for bytes like everything else, but what it needs is one
//! entry less; the first eviction satisfies it.

use std::time::Duration;

use super::super::config::WhenFull;
use super::super::error::{Error, Scope};
use super::super::eviction::{Access, PolicyKind};
use super::context::Context;
use super::member::Member;
use super::{Shard, Sought, Writer};
use crate::store::entry::handle::Handle;
use crate::store::memory::arena::MAX_BLOCK_BYTES;
use crate::store::observe::removals::Cause;
use crate::store::platform::clock::Patience;
use crate::store::platform::fallible;
use crate::store::platform::sync::Ordering;
use crate::store::slab::order::Order;
use crate::store::slab::slots::{Slab, SlotRef};

/// The most entries that are evicted at once for bytes. Waiting for readers costs about as much as evicting ten
/// entries, so a full map should not do it for each; but what is evicted early is missed.
const MAX_BATCH: usize = 16;
/// A shard evicts one in so many of its entries at once, at most.
const BATCH_PART: usize = 64;
/// Bytes waiting for readers that are worth waiting for before an eviction.
const WORTH_WAITING_BYTES: usize = 2_048;
/// Rounds after which the number of evictions does not double any more.
const MAX_DOUBLINGS: u32 = 8;
/// How often a write is tried again because pages were emptied and no entry was evicted. What it gets it may have to
/// give back, for want of something else; without a bound, that would go on for ever.
pub const MAX_COMPACTIONS: u32 = 8;
/// Pages that are emptied with each write while the map is above its limit.
const SHED_PAGES: usize = 4;
/// How often another candidate is asked for when the policy chooses the entry that the write is about.
const CHOICES: usize = 8;
/// How long the holder of a lock waits for readers that keep memory from being freed. They are done within
/// microseconds, unless they are suspended; then the time is unknown, and the lock is released.
const PATIENCE: Duration = Duration::from_micros(200);

/// What a write has cost others so far.
#[derive(Default)]
struct Room {
    /// Bytes of the value that is written.
    value_bytes: usize,
    evicted: usize,
    rounds: u32,
    /// Rounds that made room without an eviction.
    compactions: u32,
}

/// What a shard freed for a write in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// Nothing.
    Nothing,
    /// No room yet: readers hold what was retired in the shard of this number. Evicting more would make none before
    /// they are done.
    Held(u32),
    /// Pages that had room to spare, or what only waited to be freed.
    Pages,
    /// Entries that were evicted.
    Entries,
}

/// Marks of the slots of a shard.
pub(super) struct Marks<'a>(pub(super) &'a Slab);

impl Access for Marks<'_> {
    fn take(&self, slot: u32) -> u32 {
        self.0.access(slot).map_or(0, |access| access.swap(0, Ordering::Relaxed).min(255))
    }

    fn peek(&self, slot: u32) -> u32 {
        self.0.access(slot).map_or(0, |access| access.load(Ordering::Relaxed).min(255))
    }
}

impl Shard {
    /// Tries a write until it succeeds, fails for good, or this shard has no more room to make.
    pub(super) fn with_room<T>(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        value_bytes: usize,
        mut write: impl FnMut(&mut Writer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut room = Room { value_bytes, ..Room::default() };
        writer.spared = None;
        loop {
            // Success comes first in its own arm, so that nothing is moved for it.
            match write(writer) {
                Ok(done) => return Ok(done),
                Err(refused) if refused.is_limit() && self.make_room(writer, context, &refused, &mut room) => {}
                Err(refused) => return Err(refused),
            }
        }
    }

    fn make_room(&self, writer: &mut Writer, context: &Member<'_>, refused: &Error, room: &mut Room) -> bool {
        // What is kept for loads goes first, whichever shard has it.
        if context.stale_entries.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let wants_bytes = matches!(refused, Error::MemoryLimit { .. });
        // No entry has to be evicted for what was cleared: the write waits until that is free.
        if wants_bytes && context.is_freeing() {
            return false;
        }
        // For a large value whole shards are emptied, which is the store's to do.
        if let Error::MemoryLimit { requested_bytes, .. } = *refused
            && (context.shards == 1 || context.admitted_entries().is_some_and(|entries| entries > self.len()))
            && context.is_for_large_value(requested_bytes, room.value_bytes, self.len() * u64::from(context.shards))
        {
            return false;
        }
        // What is large is freed without the lock. The write is tried again after that, before more are evicted.
        if wants_bytes && !writer.freed_later.is_empty() {
            return false;
        }
        // Maps that use more than this one go first, which is the store's to do.
        if refused.is_of_process() && room.evicted == 0 && context.standing.turns_to_others() {
            return false;
        }
        room.rounds += 1;
        if wants_bytes && room.rounds == 1 && writer.limbo.bytes() >= WORTH_WAITING_BYTES {
            return !Self::is_held(writer, context) || await_readers(context);
        }
        if self.is_light(context, refused) && room.evicted == 0 {
            return false;
        }
        let doublings = (room.rounds - 1).min(MAX_DOUBLINGS);
        let wanted = if wants_bytes { self.batch() << doublings } else { 1 };
        let gone = self.make_way(writer, context, wanted);
        room.evicted += gone;
        if !wants_bytes {
            return gone > 0;
        }
        let before = context.memory.total();
        let pages = if gone == 0 || room.rounds > 1 { 1 << doublings } else { 0 };
        let is_freed = self.free_waiting(writer, context, pages);
        if gone > 0 {
            return is_freed || await_readers(context);
        }
        room.compactions += 1;
        room.compactions <= MAX_COMPACTIONS && context.memory.total() < before
    }

    /// How many are evicted at once for bytes.
    fn batch(&self) -> usize {
        (self.len() as usize / BATCH_PART).clamp(1, MAX_BATCH)
    }

    /// Whether others should give rather than this shard, because it holds much less than its share.
    fn is_light(&self, context: &Context, refused: &Error) -> bool {
        let shards = u64::from(context.shards);
        match *refused {
            _ if shards == 1 => false,
            Error::EntryLimit { limit } => self.len() < limit / shards / 2,
            // Of the limit of the process, the map has what it uses.
            Error::MemoryLimit { scope: Scope::Process, .. } => {
                self.weight_bytes() < context.memory.total() / shards / 4
            }
            Error::MemoryLimit { limit_bytes, .. } => self.weight_bytes() < limit_bytes / shards / 4,
            _ => false,
        }
    }

    /// Evicts entries for a write in another shard, or to come below a limit: of enough to free so many bytes, or of
    /// one where entries are counted.
    ///
    /// The entries that the write is about stay, those in this shard.
    pub fn give(&self, context: &Member<'_>, refused: &Error, about: &[Sought<'_>]) -> Result<Freed, Error> {
        self.locked(context, |writer| {
            writer.spared = None;
            self.spare(writer, about);
            let given = self.give_under_lock(writer, context, refused);
            writer.also_spared.clear();
            Ok(given)
        })
    }

    fn give_under_lock(&self, writer: &mut Writer, context: &Member<'_>, refused: &Error) -> Freed {
        let (bytes, least) = match *refused {
            Error::MemoryLimit { requested_bytes, .. } => (requested_bytes as i64, self.batch()),
            _ => (0, 1),
        };
        if bytes > 0 && Self::is_held(writer, context) {
            return Freed::Held(self.number);
        }
        let (target, before) = (self.weight_bytes() as i64 - bytes, context.memory.total());
        let mut gone = 0;
        while gone < least || self.weight_bytes() as i64 > target {
            match self.make_way(writer, context, least) {
                0 => break,
                more => gone += more,
            }
        }
        self.free_waiting_until(writer, context, 1 + gone / MAX_BATCH, || context.memory.has_room(bytes as u64));
        match gone {
            _ if !context.memory.has_room(bytes as u64) && Self::is_held(writer, context) => Freed::Held(self.number),
            // What is large is freed without the lock.
            0 if context.memory.total() < before || !writer.freed_later.is_empty() => Freed::Pages,
            0 => Freed::Nothing,
            _ => Freed::Entries,
        }
    }

    /// Has no entry evicted that is one of these, until others are named.
    pub(super) fn spare(&self, writer: &mut Writer, about: &[Sought<'_>]) {
        let slots = about.iter().filter_map(|target| match target {
            Sought::Key(key, hash) => self.spot(key, *hash as u32).map(|spot| spot.slot),
            Sought::Handle(handle) => (handle.shard == self.number).then_some(handle.slot),
        });
        writer.also_spared.clear();
        writer.also_spared.extend(slots);
    }

    /// Whether readers hold much of what was retired here, for longer than the lock may be held for them.
    fn is_held(writer: &mut Writer, context: &Member<'_>) -> bool {
        writer.limbo.bytes() >= WORTH_WAITING_BYTES && !writer.await_free(context, &Patience::new(PATIENCE))
    }

    /// The same for a caller that has waited without the lock.
    pub fn is_still_held(&self, context: &Member<'_>) -> Result<bool, Error> {
        self.locked(context, |writer| Ok(Self::is_held(writer, context)))
    }

    /// Evicts entries that cost so many bytes, because the map holds more than a lowered limit allows.
    pub fn shed(&self, context: &Member<'_>, bytes: usize) -> Result<(), Error> {
        self.locked(context, |writer| {
            writer.spared = None;
            let target = self.weight_bytes().saturating_sub(bytes as u64);
            while self.weight_bytes() > target && self.evict(writer, context, self.batch()) > 0 {}
            self.free_waiting(writer, context, SHED_PAGES);
            // Deletions give pages back, too, until it fits.
            writer.is_compacting = true;
            Ok(())
        })
    }

    /// Evicts at most `count` entries because a caller asked for it, whatever the map does when it is full.
    pub fn evict_some(&self, context: &Member<'_>, count: usize) -> Result<usize, Error> {
        self.locked(context, |writer| {
            writer.spared = None;
            let mut gone = self.expire(writer, context, context.clock.now_ms(), count).expired;
            while gone < count && self.evict_one(writer, context) {
                gone += 1;
            }
            // Sealed, so that one fence serves what all shards evicted.
            writer.collect(context);
            Ok(gone)
        })
    }

    /// Frees what [`Shard::evict_some`] evicted: with a fence of its own, or after another shard's.
    pub fn free_evicted(&self, context: &Member<'_>, runs_fence: bool) -> Result<(), Error> {
        self.locked(context, |writer| {
            if runs_fence {
                let pages = 1 + writer.limbo.bytes() / MAX_BLOCK_BYTES;
                self.free_waiting(writer, context, pages);
            } else {
                writer.collect(context);
            }
            Ok(())
        })
    }

    /// The next entries to be evicted, at most `count`, roughly in order.
    pub fn candidates(&self, count: usize, out: &mut Vec<Handle>) -> Result<(), Error> {
        let writer = self.writer.lock();
        let count = count.min(self.len() as usize);
        let mut slots = fallible::vec(count)?;
        if let Some(policy) = &writer.policy {
            policy.candidates(count, &mut slots);
        } else {
            let mut oldest = fallible::vec(count)?;
            writer.order.after(0, u64::MAX, count, &mut oldest);
            slots.extend(oldest.iter().map(|&(_, slot)| slot));
        }
        fallible::reserve(out, slots.len())?;
        out.extend(slots.into_iter().map(|slot| {
            let generation = self.slab.slot(slot).map_or(0, SlotRef::generation);
            Handle { shard: self.number, slot, generation }
        }));
        Ok(())
    }

    /// Reports hits to the policy in the order in which they happened.
    pub fn replay(&self, slots: &[u32]) {
        let mut writer = self.writer.lock();
        writer.changes += 1;
        let Some(policy) = &mut writer.policy else { return };
        for &slot in slots.iter().filter(|&&slot| self.tenant(slot).is_some()) {
            policy.hit(slot);
        }
    }

    /// Removes entries whose deadline is over, then, if that is what the map does when it is full, evicts those that
    /// the policy chooses.
    fn evict(&self, writer: &mut Writer, context: &Member<'_>, count: usize) -> usize {
        if context.when_full == WhenFull::Reject {
            return 0;
        }
        let mut gone = 0;
        if writer.wheel.len() > 0 {
            gone = self.expire(writer, context, context.clock.now_ms(), count).expired;
        }
        if matches!(context.when_full, WhenFull::Evict | WhenFull::EvictIdle { .. }) {
            while gone < count && self.evict_one(writer, context) {
                gone += 1;
            }
        }
        gone
    }

    /// The same for a write. What has no policy, because it has no limits of its own, evicts nothing for the limit of
    /// the process.
    fn make_way(&self, writer: &mut Writer, context: &Member<'_>, count: usize) -> usize {
        match context.policy {
            None if context.when_full == WhenFull::Evict => {
                self.expire(writer, context, context.clock.now_ms(), count).expired
            }
            _ => self.evict(writer, context, count),
        }
    }

    fn evict_one(&self, writer: &mut Writer, context: &Member<'_>) -> bool {
        let Some(victim) = self.victim(writer, context) else { return false };
        self.leave(writer, context, victim, Cause::Evicted);
        self.evicted.store(self.evicted.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        true
    }

    fn victim(&self, writer: &mut Writer, context: &Context) -> Option<u32> {
        let capacity = self.share_of_entries(context);
        let Writer { policy, order, wheel, spared, also_spared, .. } = writer;
        let is_spared = |slot: u32| Some(slot) == *spared || also_spared.contains(&slot);
        let oldest = |order: &Order| oldest_but(order, 1 + also_spared.len(), is_spared);
        if let Some(policy) = policy {
            let hash_of = |slot| self.policy_hash(context, slot);
            for _ in 0..CHOICES {
                let victim = policy.victim(&Marks(&self.slab), &hash_of, capacity)?;
                if !is_spared(victim) {
                    return Some(victim);
                }
                // The write counts as a use of it anyway.
                policy.hit(victim);
            }
            // It keeps choosing entries that stay, as it may where few others are left.
            return oldest(order);
        }
        let by_deadline = (context.policy == Some(PolicyKind::Ttl)).then(|| wheel.soonest()).flatten();
        by_deadline.filter(|&slot| !is_spared(slot)).or_else(|| oldest(order))
    }

    /// The entry that the next eviction would take, if no write spares it.
    pub(super) fn foreseen_victim(&self, writer: &Writer, context: &Context) -> Option<u32> {
        if let Some(policy) = &writer.policy {
            let hash_of = |slot| self.policy_hash(context, slot);
            return policy.next(&Marks(&self.slab), &hash_of, self.share_of_entries(context));
        }
        let by_deadline = (context.policy == Some(PolicyKind::Ttl)).then(|| writer.wheel.soonest()).flatten();
        by_deadline.or_else(|| writer.order.oldest())
    }

    /// How many entries the shard holds when it is full, as far as is known.
    pub(super) fn share_of_entries(&self, context: &Context) -> usize {
        let share = context.max_entries().map_or(u64::MAX, |limit| limit / u64::from(context.shards));
        let held = self.len();
        // By bytes, that is unknown: as many as there are.
        (if share == u64::MAX { held } else { share }).max(1) as usize
    }

    /// Makes what was evicted free for others: waits for readers, and empties up to `pages` pages. Returns whether
    /// nothing waits any more.
    fn free_waiting(&self, writer: &mut Writer, context: &Member<'_>, pages: usize) -> bool {
        self.free_waiting_until(writer, context, pages, || false)
    }

    /// The same, where no page is emptied any more once it is enough.
    fn free_waiting_until(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        pages: usize,
        is_enough: impl Fn() -> bool,
    ) -> bool {
        let patience = Patience::new(PATIENCE);
        let is_freed = writer.await_free(context, &patience);
        writer.arena.release_empty();
        for _ in 0..pages {
            if is_enough() || !self.evacuate(writer, context) {
                break;
            }
        }
        if pages > 0 { writer.await_free(context, &patience) } else { is_freed }
    }
}

/// The slot of the oldest entry that is not spared, which at most so many are.
fn oldest_but(order: &Order, spared: usize, is_spared: impl Fn(u32) -> bool) -> Option<u32> {
    let mut oldest = Vec::with_capacity(spared + 1);
    order.after(0, u64::MAX, spared + 1, &mut oldest);
    oldest.into_iter().map(|(_, slot)| slot).find(|&slot| !is_spared(slot))
}

/// A write goes on without the lock, for a reader keeps it from what it needs.
fn await_readers(context: &Member<'_>) -> bool {
    context.participant().await_readers(true);
    false
}

impl Writer {
    /// Frees what waits for readers, and gives way to them if that is what it takes, but not for long: others wait
    /// for the lock. Returns whether nothing waits any more.
    fn await_free(&mut self, context: &Member<'_>, patience: &Patience) -> bool {
        // One fence; what follows are looks at the readers' words.
        self.collect_all(context);
        while self.limbo.bytes() > 0 {
            if patience.is_over() {
                return false;
            }
            std::hint::spin_loop();
            self.collect(context);
        }
        true
    }
}
