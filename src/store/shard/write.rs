//! Inserting, replacing and removing, under the lock.

use super::super::error::Error;
use super::context::Context;
use super::freed;
use super::member::Member;
use super::retired::Retired;
use super::{Shard, Tenant, Writer};
use crate::store::entry::block;
use crate::store::entry::block::{Entry, Prepared};
use crate::store::entry::handle::Handle;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::value::Value;
use crate::store::expiry::life::{LifeRef, Span, Ttl};
use crate::store::index::table::Spot;
use crate::store::observe::removals::Cause;
use crate::store::platform::fallible;
use crate::store::platform::fault;
use crate::store::platform::sync::{Arc, Ordering};
use crate::store::slab::location::EntryLocation;
use crate::store::slab::slots::{Change, SlotRef, Stamp};

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The entry that now holds the value.
    pub place: EntryLocation,
    /// Whether there was an entry already.
    pub replaced: bool,
}

/// What a caller wants to be true before it writes under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing: insert or replace.
    Any,
    /// Write only if the key is there.
    Present,
    /// Write only if the key is not there.
    Absent,
}

/// The entry that an operation is about, in its shard.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// The entry of this key, with its hash.
    Key(Key<'a>, u64),
    /// The entry of this handle.
    Handle(Handle),
}

/// Stands for the type of the entry that a draft replaces, in a draft that replaces one or is not written.
pub const SAME_TYPE: u32 = u32::MAX;

/// An entry to be.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Its key, with the hash of it; `None` for an entry without one.
    pub key: Option<(Key<'a>, u64)>,
    pub value: Value<'a>,
    /// 0 for none, or [`SAME_TYPE`].
    pub type_id: u32,
    pub ttl: Ttl,
}

impl<'a> Draft<'a> {
    fn key(&self) -> &Key<'a> {
        self.key.as_ref().map_or(&Key::KEYLESS, |(key, _)| key)
    }

    /// Its type, if it makes an entry of its own.
    fn own_type(&self) -> u32 {
        if self.type_id == SAME_TYPE { 0 } else { self.type_id }
    }

    /// The entry, if it is too large to be made under the lock. Refuses what no map and what not this one could hold.
    pub(super) fn prepare<'c>(&self, context: &'c Context) -> Result<Option<Prepared<'c>>, Error> {
        let key = *self.key();
        block::check_size(key, self.value)?;
        context.check_value(self.value.bytes.len())?;
        context.check_weight(|| block::weight_bytes(key, self.value, self.own_type()))?;
        Prepared::new(key, self.value, self.own_type(), &context.memory)
    }
}

impl Shard {
    /// Writes a value under the draft's key, if the key's presence is as wanted, and says in `written` what that did.
    pub fn write_key(
        &self,
        context: &Member<'_>,
        draft: &Draft<'_>,
        wanted: Presence,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        let Some((key, hash)) = &draft.key else { return Err(Error::Broken) };
        let mut prepared = draft.prepare(context)?;
        let done = self.locked(context, |writer| {
            self.step(writer, context);
            self.with_room(writer, context, draft.value.bytes.len(), |writer| {
                match (self.living_spot(writer, context, key, *hash), wanted) {
                    (Some(_), Presence::Absent) | (None, Presence::Present) => Ok(()),
                    (Some(spot), _) => {
                        self.exchange(writer, context, spot.slot, draft, &mut prepared, written)?;
                        if written.is_none() && wanted == Presence::Any {
                            self.insert(writer, context, draft, &mut prepared, written)?;
                        }
                        Ok(())
                    }
                    (None, _) => self.insert(writer, context, draft, &mut prepared, written),
                }
            })
        });
        freed::discard(prepared, context);
        done?;
        Ok(())
    }

    /// Adds an entry that has no key.
    pub fn insert_keyless(
        &self,
        context: &Member<'_>,
        draft: &Draft<'_>,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        let mut prepared = draft.prepare(context)?;
        let done = self.locked(context, |writer| {
            self.step(writer, context);
            self.with_room(writer, context, draft.value.bytes.len(), |writer| {
                self.insert(writer, context, draft, &mut prepared, written)
            })
        });
        freed::discard(prepared, context);
        done?;
        Ok(())
    }

    /// Replaces a living entry's value; its key stays, and its type, if `type_id` is [`SAME_TYPE`].
    pub fn replace(
        &self,
        context: &Member<'_>,
        handle: Handle,
        value: Value<'_>,
        type_id: u32,
        ttl: Ttl,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        let draft = Draft { key: None, value, type_id, ttl };
        block::check_size(Key::KEYLESS, value)?;
        context.check_value(value.bytes.len())?;
        context.check_weight(|| block::weight_bytes(Key::KEYLESS, value, 0))?;
        // Out here, because what is not used is freed without the lock.
        let mut prepared = None;
        let done = self.locked(context, |writer| {
            self.step(writer, context);
            self.with_room(writer, context, value.bytes.len(), |writer| {
                self.living_slot(writer, context, handle)?;
                self.exchange(writer, context, handle.slot, &draft, &mut prepared, written)?;
                if written.is_some() { Ok(()) } else { Err(Error::HandleNotFound) }
            })
        });
        freed::discard(prepared, context);
        done?;
        Ok(())
    }

    /// Removes an entry, after `look` has seen it; `None` if it is not there. If `look` fails, the entry stays.
    pub fn remove<T>(
        &self,
        context: &Member<'_>,
        target: Sought<'_>,
        cause: Cause,
        look: impl FnOnce(Tenant<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.locked(context, |writer| {
            self.step(writer, context);
            let (number, spot) = match target {
                Sought::Key(key, hash) => {
                    let Some(spot) = self.living_spot(writer, context, &key, hash) else {
                        // What is not there may be what is being loaded.
                        if cause == Cause::Explicit && !writer.loads.is_empty() {
                            writer.loads.void(key, hash);
                        }
                        if !writer.stale.is_empty() {
                            Self::drop_stale_of(writer, context, key, hash);
                        }
                        return Ok(None);
                    };
                    (spot.slot, Some(spot))
                }
                Sought::Handle(handle) => match self.living_slot(writer, context, handle) {
                    Ok(_) => (handle.slot, None),
                    Err(_) => return Ok(None),
                },
            };
            let Some(tenant) = self.tenant(number) else { return Ok(None) };
            let answer = look(tenant)?;
            match spot {
                Some(spot) => self.take_out(writer, context, number, Some(spot), cause),
                None => self.leave(writer, context, number, cause),
            }
            if cause == Cause::Evicted {
                self.evicted.store(self.evicted.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            Ok(Some(answer))
        })
    }

    /// Whether there is an entry that a caller means.
    pub fn has(&self, target: Sought<'_>) -> bool {
        let writer = self.writer.lock();
        match target {
            Sought::Key(key, hash) => self.spot(&key, hash as u32).is_some(),
            Sought::Handle(handle) => handle.shard == self.number && self.tenant_of(&writer, handle).is_ok(),
        }
    }

    /// Where a key is in the index, if its entry is alive. One whose deadline is over is taken out.
    pub(super) fn living_spot(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        key: &Key<'_>,
        hash: u64,
    ) -> Option<Spot> {
        let spot = self.spot(key, hash as u32)?;
        if context.may_expire() && self.is_over(context, self.tenant(spot.slot)?) {
            self.expire_one(writer, context, spot.slot);
            return None;
        }
        Some(spot)
    }

    /// The same for the slot of a handle, or why it is dead.
    pub(super) fn living_slot(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        handle: Handle,
    ) -> Result<SlotRef<'_>, Error> {
        let tenant = self.tenant_of(writer, handle)?;
        if context.may_expire() && self.is_over(context, tenant) {
            self.expire_one(writer, context, handle.slot);
            return Err(Error::HandleNotFound);
        }
        Ok(tenant.slot)
    }

    /// Everything that can fail comes first, so that a refused insertion changes nothing that any thread sees.
    pub(super) fn insert<'c>(
        &self,
        writer: &mut Writer,
        context: &'c Member<'_>,
        draft: &Draft<'_>,
        prepared: &mut Option<Prepared<'c>>,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        context.admit_entry()?;
        let sequence = context.next_sequence();
        let shape = draft.value.shape();
        if let Some(number) = shape {
            writer.shapes.enter(number).inspect_err(|_| context.release_entries(1))?;
        }
        let made = self.make_entry(writer, context, sequence, draft, prepared);
        let (entry, span) = made.inspect_err(|_| {
            writer.leave_shape(shape);
            writer.typed.tidy(draft.type_id, sequence);
            context.release_entries(1);
        })?;

        let number = writer.slab.take(&self.slab);
        fault::point();
        let slot = self.slab.slot(number).ok_or(Error::Broken)?;
        let change = slot.change();
        let life = self.life(context, number);
        if let Some(life) = life {
            life.set(span, slot.generation());
        }
        change.occupy(entry, writer.order.append(sequence, number));
        let stamp = change.settle(life);
        fault::point();
        if let Some((key, hash)) = draft.key {
            writer.index.insert(&self.index, hash as u32, number);
            fault::point();
            if !writer.loads.is_empty() {
                writer.loads.void(key, hash);
            }
            if !writer.stale.is_empty() {
                Self::drop_stale_of(writer, context, key, hash);
            }
        }
        self.count_in(writer, entry);
        fault::point();
        if draft.type_id != 0 {
            writer.enter_type(context, draft.type_id, sequence, number);
        }
        let place = self.place(context, slot, number, stamp);
        writer.has_news |= context.removals.tell_created(entry, place.handle);
        *written = Some(Written { place, replaced: false });
        Ok(())
    }

    /// Makes the entry that the next vacant slot will have, and whatever that slot needs.
    pub(super) fn make_entry<'c>(
        &self,
        writer: &mut Writer,
        context: &'c Member<'_>,
        sequence: u64,
        draft: &Draft<'_>,
        prepared: &mut Option<Prepared<'c>>,
    ) -> Result<(Entry, Option<Span>), Error> {
        writer.order.make_room(sequence)?;
        if draft.type_id != 0 {
            writer.typed.make_room(draft.type_id, sequence)?;
        }
        if draft.key.is_some() {
            let mut replaced = Vec::new();
            let made = writer.index.make_room(&self.index, &context.memory, &mut replaced);
            for tables in replaced {
                writer.retire_tables(context, tables);
            }
            made?;
        }
        let register = |words: &Arc<_>| context.words.register(words, Some(self.number));
        if let Some(directory) = writer.slab.make_room(&self.slab, &context.memory, register)? {
            writer.retire(context, Retired::Directory(directory), 0);
        }
        let number = writer.slab.next();
        let number_bytes = number.to_le_bytes();
        let key = match draft.key {
            Some((key, _)) => key,
            None => Key::new(KeyKind::Keyless, &number_bytes),
        };
        if self.ignores_case {
            // It may have been prepared for an entry that is gone by now, and spelled as that was.
            writer.prepare_again(context, key, draft.value, draft.type_id, prepared)?;
        }
        let entry = Entry::alloc(key, draft.value, draft.type_id, prepared, &mut writer.arena)?;
        let span = context.span(draft.ttl, || context.clock.now_ms());
        let settled =
            self.schedule(writer, context, number, span).and_then(|()| self.follow(writer, context, number, draft));
        match settled {
            Ok(()) => Ok((entry, span)),
            Err(refused) => {
                writer.wheel.cancel(number);
                self.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
                unmake(writer, context, entry, prepared);
                Err(refused)
            }
        }
    }

    /// Reports a newcomer to the policy.
    pub(super) fn follow(
        &self,
        writer: &mut Writer,
        context: &Context,
        number: u32,
        draft: &Draft<'_>,
    ) -> Result<(), Error> {
        let capacity = self.share_of_entries(context);
        let Some(policy) = &mut writer.policy else { return Ok(()) };
        let hash = draft.key.map_or_else(|| self.keyless_hash(number), |(_, hash)| hash);
        let inserted = policy.insert(number, hash, capacity);
        while let Some(cells) = policy.take_outgrown() {
            // Without memory for the box they are freed here, under the lock.
            if let Ok(cells) = fallible::boxed(cells) {
                writer.freed_later.push(Retired::Cells(cells));
            }
        }
        inserted
    }

    /// What stands for the hash of an entry without a key: no other entry of the shard ever has it.
    pub(super) fn keyless_hash(&self, number: u32) -> u64 {
        let generation = self.slab.slot(number).map_or(0, SlotRef::generation);
        (u64::from(generation) << 32 | u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// The hash that the policy knows a slot's entry by.
    pub(super) fn policy_hash(&self, context: &Context, number: u32) -> u64 {
        match self.tenant(number).map(|tenant| tenant.entry.key()) {
            Some(key) if key.kind() != KeyKind::Keyless => context.hasher.hash(key),
            _ => self.keyless_hash(number),
        }
    }

    /// Replaces an entry's value, its type, and its deadline with the one that comes with it. Refuses to give a type to
    /// an entry of another. Removes the entry instead, and leaves `written` as it is, if a reader has found meanwhile
    /// that its old deadline has passed: that reader has reported it as gone.
    pub(super) fn exchange<'c>(
        &self,
        writer: &mut Writer,
        context: &'c Member<'_>,
        number: u32,
        draft: &Draft<'_>,
        prepared: &mut Option<Prepared<'c>>,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        writer.spared = Some(number);
        let slot = self.slab.slot(number).ok_or(Error::Broken)?;
        let old = slot.entry().ok_or(Error::HandleNotFound)?;
        let number_bytes = number.to_le_bytes();
        let (mut key, had) = (old.key(), old.type_id());
        let type_id = if draft.type_id == SAME_TYPE { had } else { draft.type_id };
        if type_id != had && type_id != 0 && had != 0 {
            return Err(Error::WrongType { expected: type_id, found: had });
        }
        if key.kind() == KeyKind::Keyless {
            // A large one was made before its slot was known, and does not say it.
            key = Key::new(KeyKind::Keyless, &number_bytes);
        }
        if draft.key.is_none() || type_id != draft.type_id || prepared.is_some() || self.ignores_case {
            writer.prepare_again(context, key, draft.value, type_id, prepared)?;
        }
        let entry = Entry::alloc(key, draft.value, type_id, prepared, &mut writer.arena)?;
        let (mut reshaped, mut retyped) = (None, None);
        // A comparison or two for what is no record.
        if old.is_record() || draft.value.is_record() {
            reshaped =
                Reshaped::begin(writer, old, draft.value).inspect_err(|_| unmake(writer, context, entry, prepared))?;
        }
        if type_id != had {
            let begun = Retyped::begin(writer, slot, had, type_id);
            retyped = Some(begun.inspect_err(|_| {
                writer.leave_shape(reshaped.as_ref().and_then(|reshaped| reshaped.to));
                unmake(writer, context, entry, prepared);
            })?);
        }
        let change = slot.change();
        let renewed = self.renew(writer, context, number, draft.ttl);
        fault::point();
        if !matches!(renewed, Ok(true)) {
            // A refused write costs no more than that copies are made again.
            let _ = change.settle(self.life(context, number));
            if let Some(reshaped) = reshaped {
                writer.leave_shape(reshaped.to);
            }
            if let Some(retyped) = retyped {
                retyped.cancel(writer);
            }
            unmake(writer, context, entry, prepared);
            renewed?;
            self.expire_one(writer, context, number);
            writer.spared = None;
            return Ok(());
        }
        let place = self.swap(writer, context, number, (slot, change), (old, entry), (reshaped, retyped));
        *written = Some(Written { place, replaced: true });
        Ok(())
    }

    /// Puts a new entry in the place of an old one, whose change has begun. Cannot fail.
    #[expect(clippy::inline_always, reason = "what a write hands over in memory costs it 4 to 5 ns")]
    #[inline(always)]
    pub(super) fn swap(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        number: u32,
        (slot, change): (SlotRef<'_>, Change<'_>),
        (old, entry): (Entry, Entry),
        (reshaped, retyped): (Option<Reshaped>, Option<Retyped>),
    ) -> EntryLocation {
        // Before it is retired, which may free it.
        self.count_swap(writer, old, entry);
        let _ = change.exchange(entry);
        let stamp = change.settle(self.life(context, number));
        fault::point();
        let place = self.place(context, slot, number, stamp);
        writer.has_news |= context.removals.tell_swapped((old, entry), place.handle);
        fault::point();
        if let Some(reshaped) = reshaped {
            writer.leave_shape(reshaped.from);
        }
        if let Some(retyped) = retyped {
            retyped.end(writer, context, number);
        }
        writer.retire(context, Retired::Entry(old), old.weight_bytes());
        if let Some(policy) = &mut writer.policy {
            policy.hit(number);
        }
        if !writer.loads.is_empty() {
            let key = entry.key();
            writer.loads.void(key, context.hasher.hash(key));
        }
        if writer.stale_for.len() > 0 {
            writer.stale_for.cancel(number);
        }
        if writer.refreshes.len() > 0 {
            writer.refreshes.cancel(number);
        }
        place
    }

    /// Sets a living entry's deadline to the one that a write brings; false if a reader has closed its life meanwhile.
    /// Called before the value is stored, so that no reader finds the new value with a deadline that has passed.
    fn renew(&self, writer: &mut Writer, context: &Member<'_>, number: u32, ttl: Ttl) -> Result<bool, Error> {
        if context.keeps_deadline(ttl) {
            // The value then ends with the old deadline, at the moment at which a reader found that it has passed.
            return Ok(true);
        }
        let span = context.span(ttl, || context.clock.now_ms());
        let life = self.schedule_tenant(writer, context, number, span)?;
        Ok(life.is_none_or(|(life, generation)| life.renew(span, generation)))
    }

    /// Sets another deadline of a tenant in the wheel, or none. Its life, which comes with its generation, is the
    /// caller's to set; `None` if there is nothing to do.
    pub(super) fn schedule_tenant(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        number: u32,
        span: Option<Span>,
    ) -> Result<Option<(LifeRef<'_>, u32)>, Error> {
        if span.is_none() && self.slab.life(number).and_then(LifeRef::deadline_ms).is_none() {
            return Ok(None);
        }
        self.schedule(writer, context, number, span)?;
        let generation = self.slab.slot(number).map_or(0, SlotRef::generation);
        Ok(Some((self.slab.make_life(number)?, generation)))
    }

    /// Where an entry is that was just written. Under the lock.
    #[inline]
    pub(super) fn place(
        &self,
        context: &Context,
        slot: SlotRef<'_>,
        number: u32,
        stamp: Option<Stamp>,
    ) -> EntryLocation {
        let handle = Handle { shard: self.number, slot: number, generation: slot.generation() };
        EntryLocation { handle, stamp: stamp.filter(|_| self.may_keep(context, number)) }
    }

    /// Takes a slot's entry out, wherever it is in the index.
    pub(super) fn leave(&self, writer: &mut Writer, context: &Member<'_>, number: u32, cause: Cause) {
        let key = self.tenant(number).map(|tenant| tenant.entry.key()).filter(|key| key.kind() != KeyKind::Keyless);
        let spot = key.and_then(|key| self.index.spot(context.hasher.hash(key) as u32, |found| found == number));
        self.take_out(writer, context, number, spot, cause);
    }

    fn take_out(&self, writer: &mut Writer, context: &Member<'_>, number: u32, spot: Option<Spot>, cause: Cause) {
        let Some(slot) = self.slab.slot(number) else { return };
        let hash = writer.policy.is_some().then(|| self.policy_hash(context, number));
        let handle = Handle { shard: self.number, slot: number, generation: slot.generation() };
        // From here on its key finds an empty slot and its handle none. If the index forgot it first, a reader that
        // misses the key could still read by the handle.
        let Some(entry) = slot.change().vacate() else { return };
        if let Some(spot) = spot {
            writer.index.remove(&self.index, spot);
            fault::point();
            if let Some(tables) = writer.index.shrink(&self.index, &context.memory) {
                writer.retire_tables(context, tables);
            }
        }
        if let (Some(policy), Some(hash)) = (&mut writer.policy, hash) {
            policy.remove(number, hash, cause == Cause::Evicted);
            if let Some(access) = self.slab.access(number) {
                access.store(0, Ordering::Relaxed);
            }
        }
        if context.may_expire() {
            writer.wheel.cancel(number);
            self.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
        }
        if writer.refreshes.len() > 0 {
            writer.refreshes.cancel(number);
        }
        if writer.stale_for.len() > 0 {
            writer.stale_for.cancel(number);
        }
        if cause == Cause::Explicit && !writer.loads.is_empty() {
            writer.loads.void(entry.key(), context.hasher.hash(entry.key()));
        }
        let sequence = writer.order.remove(slot.position(), |number, position| {
            if let Some(slot) = self.slab.slot(number) {
                slot.set_position(position);
            }
        });
        writer.slab.give_back(number, slot);
        fault::point();
        self.count_out(writer, entry, cause);
        context.release_entries(1);
        writer.has_news |= context.removals.tell(entry, handle, cause);
        fault::point();
        writer.leave_shape(entry.shape());
        if entry.type_id() != 0 {
            writer.leave_type(context, entry.type_id(), sequence);
        }
        writer.retire(context, Retired::Entry(entry), entry.weight_bytes());
    }
}

/// An entry's value is about to be one of another shape, or of none: it counts for both, until one of them leaves.
pub(super) struct Reshaped {
    from: Option<u32>,
    pub(super) to: Option<u32>,
}

impl Reshaped {
    /// `None` for an entry that keeps its shape, and is counted already. What is refused is not counted.
    #[inline(never)]
    pub(super) fn begin(writer: &mut Writer, old: Entry, new: Value<'_>) -> Result<Option<Self>, Error> {
        let (from, to) = (old.shape(), new.shape());
        if from == to {
            return Ok(None);
        }
        to.map_or(Ok(()), |number| writer.shapes.enter(number))?;
        Ok(Some(Self { from, to }))
    }
}

/// An entry is about to have another type, or none: there is room for it in the log of that type.
pub(super) struct Retyped {
    from: u32,
    to: u32,
    sequence: u64,
}

impl Retyped {
    #[cold]
    pub(super) fn begin(writer: &mut Writer, slot: SlotRef<'_>, from: u32, to: u32) -> Result<Self, Error> {
        let sequence = writer.order.sequence_at(slot.position()).ok_or(Error::Broken)?;
        if to != 0 {
            writer.typed.make_room(to, sequence)?;
        }
        Ok(Self { from, to, sequence })
    }

    /// The entry has its type, and the old one was reported if that had to be.
    #[cold]
    fn end(self, writer: &mut Writer, context: &Context, number: u32) {
        if self.from != 0 {
            writer.leave_type(context, self.from, self.sequence);
        }
        if self.to != 0 {
            writer.enter_type(context, self.to, self.sequence, number);
        }
    }

    /// The entry stays as it was.
    #[cold]
    pub(super) fn cancel(self, writer: &mut Writer) {
        writer.typed.tidy(self.to, self.sequence);
    }
}

impl Writer {
    /// An entry has got this type; there is room for it in the log.
    pub(super) fn enter_type(&mut self, context: &Context, type_id: u32, sequence: u64, number: u32) {
        self.typed.add(type_id, sequence, number);
        if context.types.enter(type_id) {
            self.arena.admit_entry_to_look_at();
        }
    }

    /// An entry of this type is gone, or has it no more.
    fn leave_type(&mut self, context: &Context, type_id: u32, sequence: u64) {
        self.typed.remove(type_id, sequence);
        context.types.leave(type_id);
    }

    /// Prepares a large entry under the lock, where only that says its type and how its key was spelled first, if it is
    /// not yet prepared with both. A spelling of the same length is changed in place. What was prepared with another
    /// type, or with a spelling of another length, is freed when the lock is released.
    fn prepare_again<'c>(
        &mut self,
        context: &'c Context,
        key: Key<'_>,
        value: Value<'_>,
        type_id: u32,
        prepared: &mut Option<Prepared<'c>>,
    ) -> Result<(), Error> {
        if prepared.as_mut().is_some_and(|prepared| prepared.type_id() == type_id && prepared.respell(key)) {
            return Ok(());
        }
        if let Some(entry) = prepared.take().and_then(Prepared::take) {
            self.freed_later.push(Retired::Entry(entry));
        }
        *prepared = Prepared::new(key, value, type_id, &context.memory)?;
        Ok(())
    }

    /// An entry of this shape is gone, if it has one.
    #[inline]
    pub(super) fn leave_shape(&mut self, shape: Option<u32>) {
        if let Some(number) = shape {
            self.shapes.leave(number);
        }
    }
}

/// Takes back an entry that was never published.
pub(super) fn unmake<'c>(writer: &mut Writer, context: &'c Context, entry: Entry, prepared: &mut Option<Prepared<'c>>) {
    if entry.is_large() {
        // SAFETY: it has a block of its own, never published, and no other thread has it.
        *prepared = Some(unsafe { Prepared::take_back(entry, &context.memory) });
    } else {
        // SAFETY: made with this arena just now, and never published.
        unsafe { entry.free(&mut writer.arena, &context.memory) };
    }
}
