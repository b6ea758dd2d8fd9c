//! The writes of a commit in one shard, while the locks of all its shards are held.
//!
//! 1. [`Locked::is_current`]: nothing has changed what the transaction has read.
//! 2. [`Locked::plan`]: every step that can fail. What it takes from the tables, it can give back ([`Locked::undo`]):
//!    readers see nothing of it, and all others wait for the lock.
//! 3. [`Locked::claim`]: deadlines are renewed, which a reader may forestall that finds one over.
//! 4. [`Locked::begin`] turns the version words of all entries odd, and [`Locked::publish`] does the rest. Neither can
//!    fail.
//!
//! Nothing is allocated under these locks (`Frozen` in `budget.rs` refuses it), and what is retired waits until they
//! are released.

use super::changes::Changing;
use super::context::Context;
use super::freed::FreedLater;
use super::member::Member;
use super::stage::{Intent, Staged};
use super::write::{Draft, Reshaped, Retyped, Sought};
use super::{BrokenIfPanicking, Shard, Tenant, Writer};
use crate::store::entry::block::{Entry, Prepared};
use crate::store::entry::handle::Handle;
use crate::store::entry::key::Key;
use crate::store::error::Error;
use crate::store::expiry::life::{LifeRef, Span};
use crate::store::memory::budget::Transfer;
use crate::store::observe::removals::Cause;
use crate::store::platform::fault;
use crate::store::platform::sync::{MutexGuard, Ordering};
use crate::store::slab::location::EntryLocation;
use crate::store::slab::slots::SlotRef;

/// A shard whose lock is held for a commit.
pub struct Locked<'s> {
    shard: &'s Shard,
    // Dropped in this order: a panic marks the map as broken before the lock is released.
    broken: BrokenIfPanicking<'s>,
    changing: Changing<'s>,
    guard: MutexGuard<'s, Writer>,
    /// Writes that are planned, and how many of them insert an entry.
    writes: usize,
    inserts: usize,
}

/// What has to be seen to once all locks are released.
pub struct Unlocked<'s> {
    shard: &'s Shard,
    /// Whether much was retired, or room is left that was not needed.
    is_due: bool,
    freed: Option<(FreedLater, Transfer<'s>)>,
    has_news: bool,
}

/// One write of a commit, as far as it got.
pub struct Step<'s> {
    act: Act<'s>,
    /// Where the entry is that was written.
    written: Option<EntryLocation>,
}

enum Act<'s> {
    /// The entry to be removed is not there.
    Nothing,
    /// An entry is removed.
    Remove { number: u32 },
    /// The value of an entry is replaced.
    Exchange {
        number: u32,
        slot: SlotRef<'s>,
        old: Entry,
        new: Entry,
        reshaped: Option<Reshaped>,
        retyped: Option<Retyped>,
        renewal: Renewal,
    },
    /// An entry is added, which has its place in the order already.
    Insert { number: u32, slot: SlotRef<'s>, new: Entry, hash: Option<u64>, span: Option<Span> },
}

/// What becomes of the deadline of an entry whose value is replaced.
#[derive(Clone, Copy)]
enum Renewal {
    /// Nothing.
    Kept,
    /// Another one, or none.
    Due(Option<Span>),
    /// That is so, and what there was before.
    Done { before: Option<Span>, after: Option<Span> },
}

impl Step<'_> {
    /// Where the entry is that was written, and whether it was there before; `None` if it was removed or is not there.
    pub fn written(&self) -> Option<(EntryLocation, bool)> {
        Some((self.written?, matches!(self.act, Act::Exchange { .. })))
    }

    /// Whether an entry was removed.
    pub fn has_removed(&self) -> bool {
        matches!(self.act, Act::Remove { .. })
    }
}

impl Shard {
    /// Takes the lock for a commit. Shards are locked in the order of their numbers.
    pub fn lock<'s>(&'s self, context: &'s Context) -> Locked<'s> {
        let mut guard = self.writer.lock();
        guard.changes += 1;
        guard.is_committing = true;
        guard.spared = None;
        let broken = BrokenIfPanicking { context, shard: self };
        Locked { shard: self, broken, changing: context.changes.begin(self.number), guard, writes: 0, inserts: 0 }
    }
}

impl<'s> Locked<'s> {
    /// Whose lock it is.
    pub fn number(&self) -> u32 {
        self.shard.number
    }

    /// Whether an entry still has the value of this version.
    pub fn is_current(&self, context: &Context, handle: Handle, version: u32) -> bool {
        let tenant = self.shard.tenant_of(&self.guard, handle);
        tenant.is_ok_and(|tenant| tenant.is_version(version) && !self.shard.is_over(context, tenant))
    }

    /// Whether a key has no entry.
    pub fn is_absent(&self, context: &Context, key: Key<'_>, hash: u64) -> bool {
        let tenant = self.shard.spot(&key, hash as u32).and_then(|spot| self.shard.tenant(spot.slot));
        tenant.is_none_or(|tenant| self.shard.is_over(context, tenant))
    }

    /// Takes what a write needs. `None` if something is missing, so that the write has to be staged again. If
    /// `is_unstaged`, that has not been done, and it takes what the shard has at hand.
    pub fn plan<'c>(
        &mut self,
        context: &'c Member<'_>,
        intent: &Intent<'_>,
        staged: &mut Staged<'c>,
        is_unstaged: bool,
    ) -> Option<Step<'s>> {
        let shard = self.shard;
        let number = match intent.target {
            Some(Sought::Key(key, hash)) => shard.spot(&key, hash as u32).map(|spot| spot.slot),
            Some(Sought::Handle(handle)) => Some(shard.tenant_of(&self.guard, handle).ok()?.number),
            None => None,
        };
        let tenant = number.and_then(|number| shard.tenant(number));
        // What is over has to be removed first, for another cause.
        if tenant.is_some_and(|tenant| shard.is_over(context, tenant)) {
            return None;
        }
        self.writes += 1;
        if !self.guard.limbo.has_room_for(self.writes) {
            return None;
        }
        if is_unstaged && !self.take_at_hand(context, intent, staged, tenant) {
            return None;
        }
        let act = match (intent.value, tenant) {
            (None, None) => Act::Nothing,
            (None, Some(tenant)) => Act::Remove { number: tenant.number },
            (Some(_), Some(tenant)) => self.plan_exchange(context, intent, staged, tenant.number, tenant.entry)?,
            (Some(_), None) => self.plan_insert(context, intent, staged)?,
        };
        Some(Step { act, written: None })
    }

    /// Sets aside what a write needs of what the shard has; false if that is not enough, or if upkeep is due, which a
    /// write that is staged does. Nothing is asked of the system for it, and nothing is evicted.
    fn take_at_hand<'c>(
        &mut self,
        context: &'c Member<'_>,
        intent: &Intent<'_>,
        staged: &mut Staged<'c>,
        tenant: Option<Tenant<'_>>,
    ) -> bool {
        let (shard, writer) = (self.shard, &mut *self.guard);
        if shard.has_upkeep(writer) {
            return false;
        }
        let Some(value) = intent.value else { return true };
        if tenant.is_none() && !staged.is_admitted {
            if context.admit_entry().is_err() {
                return false;
            }
            staged.is_admitted = true;
        }
        let old = tenant.map(|tenant| tenant.entry);
        let number = tenant.map_or(0, |tenant| tenant.number).to_le_bytes();
        let block = (shard.key_after(intent, old, &number), value, intent.type_after(old));
        shard.stage_block(writer, context, block, staged, &mut None).is_ok()
    }

    /// The entry that was staged, if it is of this type, its key is spelled so and its block is one of this shard.
    fn take_block(&self, staged: &mut Staged<'_>, type_id: u32, key: Key<'_>) -> Option<Entry> {
        let shard = self.shard;
        if staged.large.as_mut().is_some_and(|large| large.type_id() == type_id && shard.respell(large, key)) {
            return staged.large.take().and_then(Prepared::take);
        }
        let epoch = self.guard.slab.base_generation();
        let (entry, _) = staged.small.take_if(|&mut (entry, made_in)| {
            made_in == epoch && entry.type_id() == type_id && shard.is_spelled(entry, key)
        })?;
        Some(entry)
    }

    fn plan_exchange<'c>(
        &mut self,
        context: &'c Member<'_>,
        intent: &Intent<'_>,
        staged: &mut Staged<'c>,
        number: u32,
        old: Entry,
    ) -> Option<Act<'s>> {
        let (shard, value) = (self.shard, intent.value?);
        let slot = shard.slab.slot(number)?;
        let renewal = if context.keeps_deadline(intent.ttl) { Renewal::Kept } else { Renewal::Due(intent.span) };
        let type_id = intent.type_after(Some(old));
        let new = self.take_block(staged, type_id, old.key())?;
        let writer = &mut *self.guard;
        let mut reshaped = None;
        let mut plan = || -> Result<Option<Retyped>, Error> {
            if old.is_record() || value.is_record() {
                reshaped = Reshaped::begin(writer, old, value)?;
            }
            let mut retyped = None;
            if type_id != old.type_id() {
                retyped = Some(Retyped::begin(writer, slot, old.type_id(), type_id)?);
            }
            // What the wheel says must not be later than the deadline: what is later is found out when it is due.
            if let Renewal::Due(Some(Span { deadline_ms, .. })) = renewal
                && writer.wheel.deadline_of(number).is_none_or(|before_ms| deadline_ms < before_ms)
            {
                let scheduled = shard.schedule(writer, context, number, intent.span);
                if let Err(refused) = scheduled {
                    if let Some(retyped) = retyped {
                        retyped.cancel(writer);
                    }
                    return Err(refused);
                }
            }
            Ok(retyped)
        };
        if let Ok(retyped) = plan() {
            return Some(Act::Exchange { number, slot, old, new, reshaped, retyped, renewal });
        }
        if let Some(reshaped) = reshaped {
            writer.leave_shape(reshaped.to);
        }
        give_back(writer, context, staged, new);
        None
    }

    fn plan_insert<'c>(
        &mut self,
        context: &'c Member<'_>,
        intent: &Intent<'_>,
        staged: &mut Staged<'c>,
    ) -> Option<Act<'s>> {
        let (shard, value) = (self.shard, intent.value?);
        if !staged.is_admitted {
            return None;
        }
        self.inserts += 1;
        if !self.guard.index.has_room_for(self.inserts, &shard.index) {
            return None;
        }
        let type_id = intent.type_after(None);
        let key = match intent.target {
            Some(Sought::Key(key, hash)) => Some((key, hash)),
            _ => None,
        };
        let new = self.take_block(staged, type_id, key.map_or(Key::KEYLESS, |(key, _)| key))?;
        let writer = &mut *self.guard;
        let draft = Draft { key, value, type_id, ttl: intent.ttl };
        let sequence = context.next_sequence();
        let number = writer.slab.next();
        let mut planned = || -> Result<SlotRef<'s>, Error> {
            writer.order.make_room(sequence)?;
            if writer.slab.coming(&shard.slab, 1).next().is_none() {
                return Err(Error::OutOfMemory { bytes: 0 });
            }
            let slot = shard.slab.slot(number).ok_or(Error::Broken)?;
            if type_id != 0 {
                writer.typed.make_room(type_id, sequence)?;
            }
            if let Some(shape) = value.shape() {
                writer.shapes.enter(shape).inspect_err(|_| writer.typed.tidy(type_id, sequence))?;
            }
            let settled = shard
                .schedule(writer, context, number, intent.span)
                .and_then(|()| shard.follow(writer, context, number, &draft))
                .inspect_err(|_| {
                    writer.typed.tidy(type_id, sequence);
                    writer.leave_shape(value.shape());
                    writer.wheel.cancel(number);
                    shard.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
                });
            settled.map(|()| slot)
        };
        let Ok(slot) = planned() else {
            give_back(writer, context, staged, new);
            return None;
        };
        writer.slab.take(&shard.slab);
        // Kept in the slot, where it is looked for when others that are removed make it another.
        slot.set_position(writer.order.append(sequence, number));
        if type_id != 0 {
            writer.typed.add(type_id, sequence, number);
        }
        if !new.is_large() && draft.key.is_none() {
            // SAFETY: it was staged by this commit, and is published below.
            unsafe { new.set_slot(number) };
        }
        let hash = draft.key.map(|(_, hash)| hash);
        staged.is_admitted = false;
        Some(Act::Insert { number, slot, new, hash, span: intent.span })
    }

    /// Renews the deadline, if the write does; false if a reader has found meanwhile that the old one has passed.
    pub fn claim(&self, step: &mut Step<'s>) -> bool {
        let Act::Exchange { number, slot, renewal, .. } = &mut step.act else { return true };
        let Renewal::Due(after) = *renewal else { return true };
        let life = self.shard.slab.life(*number);
        let before = life.and_then(LifeRef::span);
        let is_renewed = life.is_none_or(|life| life.renew(after, slot.generation()));
        if is_renewed {
            *renewal = Renewal::Done { before, after };
        }
        is_renewed
    }

    /// Gives back what [`Locked::plan`] took.
    pub fn undo<'c>(&mut self, context: &'c Member<'_>, step: Step<'s>, staged: &mut Staged<'c>) {
        let (shard, writer) = (self.shard, &mut *self.guard);
        match step.act {
            Act::Nothing | Act::Remove { .. } => {}
            Act::Exchange { number, slot, new, reshaped, retyped, renewal, .. } => {
                if let Some(retyped) = retyped {
                    retyped.cancel(writer);
                }
                if let Renewal::Done { before, after } = renewal
                    && let Some(life) = shard.slab.life(number)
                {
                    match before {
                        Some(before) => life.restore(before, after, slot.generation()),
                        None => life.set(None, slot.generation()),
                    }
                }
                if shard.slab.life(number).and_then(LifeRef::deadline_ms).is_none() {
                    writer.wheel.cancel(number);
                    shard.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
                }
                if let Some(reshaped) = reshaped {
                    writer.leave_shape(reshaped.to);
                }
                give_back(writer, context, staged, new);
            }
            Act::Insert { number, slot, new, hash, .. } => {
                let policy_hash = hash.unwrap_or_else(|| shard.keyless_hash(number));
                if let Some(policy) = &mut writer.policy {
                    policy.remove(number, policy_hash, false);
                }
                writer.wheel.cancel(number);
                shard.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
                writer.leave_shape(new.shape());
                let sequence = writer.order.remove(slot.position(), |number, position| {
                    if let Some(slot) = shard.slab.slot(number) {
                        slot.set_position(position);
                    }
                });
                if new.type_id() != 0 {
                    writer.typed.remove(new.type_id(), sequence);
                }
                writer.slab.give_back(number, slot);
                give_back(writer, context, staged, new);
                staged.is_admitted = true;
            }
        }
    }

    /// Turns the version word of the entry odd, so that no copy of its value is fresh any more.
    pub fn begin(&self, step: &Step<'s>) {
        let slot = match step.act {
            Act::Nothing => None,
            Act::Remove { number } => self.shard.slab.slot(number),
            Act::Exchange { slot, .. } | Act::Insert { slot, .. } => Some(slot),
        };
        if let Some(slot) = slot {
            fault::point();
            slot.end_copies_of_change();
        }
    }

    /// Does the write.
    pub fn publish(&mut self, context: &Member<'_>, intent: &Intent<'_>, step: &mut Step<'s>) {
        fault::point();
        let (shard, writer) = (self.shard, &mut *self.guard);
        // Whatever becomes of the entry: what is being loaded for its key, or kept for loads, is older than this.
        if let Some(Sought::Key(key, hash)) = intent.target
            && !(writer.loads.is_empty() && writer.stale.is_empty())
        {
            writer.loads.void(key, hash);
            writer.stale.void(key, hash);
        }
        match &mut step.act {
            Act::Nothing => {}
            Act::Remove { number } => shard.leave(writer, context, *number, Cause::Explicit),
            Act::Exchange { number, slot, old, new, reshaped, retyped, renewal } => {
                let number = *number;
                if let Renewal::Done { after, .. } = *renewal {
                    // Without memory, what the wheel says is earlier, and is looked at again then.
                    drop(shard.schedule(writer, context, number, after));
                }
                if new.is_large() {
                    writer.arena.admit_entry_to_look_at();
                }
                let change = slot.change();
                let place = shard.swap(
                    writer,
                    context,
                    number,
                    (*slot, change),
                    (*old, *new),
                    (reshaped.take(), retyped.take()),
                );
                step.written = Some(place);
            }
            Act::Insert { number, slot, new, hash, span } => {
                let (number, slot, new) = (*number, *slot, *new);
                let change = slot.change();
                let life = shard.life(context, number);
                if let Some(life) = life {
                    life.set(*span, slot.generation());
                }
                change.occupy(new, slot.position());
                fault::point();
                let stamp = change.settle(life);
                if let Some(hash) = hash {
                    writer.index.insert(&shard.index, *hash as u32, number);
                }
                shard.count_in(writer, new);
                if new.is_large() || new.type_id() != 0 && context.types.enter(new.type_id()) {
                    writer.arena.admit_entry_to_look_at();
                }
                let place = shard.place(context, slot, number, stamp);
                writer.has_news |= context.removals.tell_created(new, place.handle);
                step.written = Some(place);
            }
        }
    }

    /// Releases the lock. `None` if nothing has to be seen to after it.
    #[inline]
    pub fn unlock(self, context: &'s Context) -> Option<Unlocked<'s>> {
        let Self { shard, broken, changing, mut guard, .. } = self;
        guard.is_committing = false;
        drop(changing);
        shard.end_if_ended(context);
        let freed = (!guard.freed_later.is_empty())
            .then(|| (std::mem::take(&mut guard.freed_later), context.memory.transfer()));
        let has_news = std::mem::take(&mut guard.has_news);
        let is_due = guard.limbo.is_due() || guard.order.has_spare();
        drop(broken);
        drop(guard);
        let is_quiet = !is_due && !has_news && freed.is_none();
        if is_quiet { None } else { Some(Unlocked { shard, is_due, freed, has_news }) }
    }
}

impl Unlocked<'_> {
    /// Wakes listeners and frees what may be freed. Without any lock of the map.
    pub fn finish(self, context: &Member<'_>) {
        if self.is_due {
            // A map that ended meanwhile is freed as a whole.
            drop(self.shard.tidy(context));
        }
        if self.has_news {
            context.removals.wake();
        }
        if let Some((freed, transfer)) = self.freed {
            // SAFETY: collected from the limbo of this map, so no reader is left.
            unsafe { freed.dispose(context) };
            drop(transfer);
        }
    }
}

/// Puts an entry back that was not published.
fn give_back<'c>(writer: &Writer, context: &'c Member<'_>, staged: &mut Staged<'c>, entry: Entry) {
    if entry.is_large() {
        // SAFETY: it was staged with the memory of this map and never published, and has no other owner.
        staged.large = Some(unsafe { Prepared::take_back(entry, &context.memory) });
    } else {
        staged.small = Some((entry, writer.slab.base_generation()));
    }
}
