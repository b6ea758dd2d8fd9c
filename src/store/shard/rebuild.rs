//! A shard made anew: what [`crate::store::map::recover`] does with each shard of a broken map.
//!
//! A thread has panicked under the lock of one shard or of several, those *in doubt*. Its changes are half done, at any
//! point between two lines of the program. So of such a shard nothing is taken for granted that only the lock guards:
//! not the index, the order, the arena, nor which blocks are free.
//!
//! **What is taken for granted is what every reader does at any moment without the lock**: the directory leads to
//! chunks, a slot's pointer is null or leads to an entry that was written as a whole, and no entry is freed before it
//! was unlinked from its slot and all readers from before are gone. A panic changes nothing of that, since a reader
//! may come between any two lines of a writer. Everything else that is read here is plain data, and a mistake in it
//! costs an entry and no more.
//!
//! **What an entry must be** to go on: in a block that lies where an arena has blocks, with a key whose hash leads to
//! this shard and that no other entry of it has, and of a shape that is known. An entry of a type that is not known
//! goes on without it. An entry whose deadline has passed has expired. The rest is dropped. Places in the insertion
//! order are kept where the order knows the slot; an entry that it does not know comes last.
//!
//! **How.** Entries are copied into a shard that no other thread has, some at a time under the lock of the old one, so
//! that `destroy` may come at any time. Then the old shard gets all that the new one has, at once for its readers. Its
//! slots have generations above all that were given, and words of their own: so each handle of before is dead, and each
//! copy of before has ended. What the old shard had goes the way of what was cleared, or, if it is in doubt, stays
//! where it is for good: it is counted no more and never freed.

use super::contents::{Contents, Parts};
use super::context::Context;
use super::findings::Recount;
use super::member::Member;
use super::validate::Walk;
use super::write::unmake;
use super::{Draft, Shard, Writer, shard_number};
use crate::store::entry::block::{Entry, Prepared};
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::expiry::life::{LifeRef, Span, Ttl};
use crate::store::index::table::Tables;
use crate::store::memory::budget::Use;
use crate::store::observe::removals::Cause;
use crate::store::observe::stats::Tally;
use crate::store::platform::fallible;
use crate::store::platform::sync::Ordering;
use crate::store::slab::slots::{self, CopiesEnded, SlotRef};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Slots that are looked at under one lock: some hundred microseconds.
const SLOTS: u32 = 4_096;
/// Entries that are copied under one lock, and bytes of them after which it is released: the same.
const ENTRIES: usize = 256;
const BYTES: usize = 256 * 1_024;

/// A shard that is being made anew.
pub struct Rebuild {
    fresh: Box<Shard>,
    /// Where entries stand, each with the sequence of its insertion: oldest first, once all were looked at.
    places: Vec<(u64, u32)>,
    /// Slots that were looked at, and entries that were copied.
    looked_at: u32,
    copied: usize,
    is_sorted: bool,
    /// The highest generation that was seen.
    highest: u32,
    /// Bytes of the old entries outside their arena.
    large_bytes: usize,
    tally: Tally,
}

/// What a shard was before it was made anew.
pub struct Replaced {
    /// What can be freed, once no reader looks at it.
    pub contents: Option<Contents>,
    /// What came of its entries.
    pub tally: Tally,
}

impl Rebuild {
    /// Puts the entries in the order in which they were inserted. A sequence that two of them have says nothing.
    fn sort(&mut self) {
        self.places.sort_unstable();
        let places = &mut self.places;
        let mut last = 0;
        for (sequence, _) in &mut *places {
            let own = *sequence;
            if own == last {
                *sequence = UNKNOWN;
            }
            last = own;
        }
        // Those are few, and the rest is in order.
        places.sort_unstable();
        self.is_sorted = true;
    }

    /// What is to be freed of a rebuild that comes to nothing.
    pub fn discard(self, context: &Context) -> Contents {
        let Self { fresh, .. } = self;
        let ended = fresh.slab.end_copies();
        let writer = std::mem::replace(&mut *fresh.writer.lock(), Writer::new(context));
        let tables = (fresh.slab.detach(&ended), fresh.index.detach(&ended));
        writer.into_contents(context, tables, (fresh.len(), fresh.weight_bytes() as usize))
    }
}

impl Shard {
    /// Begins to make the shard anew, in a broken map.
    pub fn begin_rebuild(&self, context: &Context) -> Result<Rebuild, Error> {
        let fresh = fallible::boxed(Self::new(self.number, context))?;
        let _writer = self.writer.lock();
        refuse_unless_broken(context)?;
        // Words that are made from here on are those of the new shard.
        let _ended = CopiesEnded::in_words(context.words.withdraw(self.number));
        Ok(Rebuild {
            fresh,
            places: Vec::new(),
            looked_at: 0,
            copied: 0,
            is_sorted: false,
            highest: 0,
            large_bytes: 0,
            tally: Tally::default(),
        })
    }

    /// Does the next step; whether there is another one.
    pub fn rebuild(&self, context: &Member<'_>, rebuild: &mut Rebuild) -> Result<bool, Error> {
        if self.look_at_slots(context, rebuild)? {
            return Ok(true);
        }
        if !rebuild.is_sorted {
            rebuild.sort();
            let writer = rebuild.fresh.writer.get_mut();
            writer.slab = writer.slab.successor_above(rebuild.highest).ok_or(Error::Broken)?;
        }
        self.copy_entries(context, rebuild)
    }

    /// Notes where entries stand. Whether there are more slots.
    fn look_at_slots(&self, context: &Context, rebuild: &mut Rebuild) -> Result<bool, Error> {
        if rebuild.is_sorted {
            return Ok(false);
        }
        fallible::reserve_amortised(&mut rebuild.places, SLOTS as usize)?;
        let writer = self.writer.lock();
        refuse_unless_broken(context)?;
        rebuild.highest = rebuild.highest.max(writer.slab.highest_generation());
        for number in rebuild.looked_at..rebuild.looked_at.saturating_add(SLOTS) {
            let Some(slot) = self.slab.slot(number) else { return Ok(false) };
            rebuild.highest = rebuild.highest.max(slot.generation());
            if let Some(entry) = slot.entry() {
                rebuild.large_bytes += entry.large_bytes();
                let sequence =
                    sequence_of(&writer, slot, number).filter(|&sequence| sequence <= context.last_sequence());
                rebuild.places.push((sequence.unwrap_or(UNKNOWN), number));
            }
        }
        rebuild.looked_at += SLOTS;
        Ok(true)
    }

    /// Copies some entries. Whether there are more.
    fn copy_entries(&self, context: &Member<'_>, rebuild: &mut Rebuild) -> Result<bool, Error> {
        // Under it, no entry of this shard is freed.
        let _held = self.writer.lock();
        refuse_unless_broken(context)?;
        let now_ms = context.clock.now_ms();
        let Rebuild { fresh, places, copied, tally, .. } = rebuild;
        let mut writer = fresh.writer.lock();
        let mut bytes = 0;
        for &(sequence, number) in places[*copied..].iter().take(ENTRIES) {
            *copied += 1;
            // It may have been cleared since.
            let Some(tenant) = self.tenant(number) else { continue };
            let span = self.slab.life(number).and_then(LifeRef::span);
            if span.is_some_and(|span| span.deadline_ms <= now_ms) {
                tally.expired += 1;
                continue;
            }
            let is_sound = self.is_sound(context, tenant.entry);
            let sequence = if sequence == UNKNOWN { context.next_sequence() } else { sequence };
            if is_sound && fresh.adopt(&mut writer, context, sequence, tenant.entry, span)? {
                tally.recovered += 1;
            } else {
                tally.dropped += 1;
            }
            bytes += tenant.entry.size();
            if bytes >= BYTES {
                break;
            }
        }
        Ok(*copied < places.len())
    }

    /// Whether an entry of a slot can be one of this shard.
    fn is_sound(&self, context: &Context, entry: Entry) -> bool {
        let key = entry.key();
        let leads_here =
            key.kind() == KeyKind::Keyless || shard_number(context.hasher.hash(key), context.shards) == self.number;
        leads_here && entry.is_in_place() && entry.shape().is_none_or(|shape| context.shapes.has(shape))
    }

    /// Makes a copy of an entry of another shard one of its own; false if it has one of that key, or if its shape is
    /// not known. For a shard that no other thread has.
    fn adopt(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        sequence: u64,
        old: Entry,
        span: Option<Span>,
    ) -> Result<bool, Error> {
        let key = old.key();
        let key = (key.kind() != KeyKind::Keyless).then(|| (key, context.hasher.hash(key)));
        if key.is_some_and(|(key, hash)| self.spot(&key, hash as u32).is_some()) {
            return Ok(false);
        }
        let value = Value { kind: old.value_kind(), bytes: old.value_bytes() };
        let type_id = if context.types.name(old.type_id()).is_some() { old.type_id() } else { 0 };
        let draft = Draft { key, value, type_id, ttl: Ttl::Never };
        let shape = value.shape();
        if let Some(number) = shape {
            match writer.shapes.enter(number) {
                Err(Error::ShapeGone) => return Ok(false),
                entered => entered?,
            }
        }
        // What fails from here on ends the whole shard, which nothing has seen.
        let whole_key = key.map_or(Key::KEYLESS, |(key, _)| key);
        let mut prepared = Prepared::new(whole_key, value, type_id, &context.memory)?;
        let (entry, _) = self.make_entry(writer, context, sequence, &draft, &mut prepared)?;
        let number = writer.slab.next();
        if let Err(refused) = self.schedule(writer, context, number, span) {
            unmake(writer, context, entry, &mut prepared);
            return Err(refused);
        }
        let number = writer.slab.take(&self.slab);
        let slot = self.slab.slot(number).ok_or(Error::Broken)?;
        let change = slot.change();
        let life = self.life(context, number);
        if let Some(life) = life {
            life.set(span, slot.generation());
        }
        change.occupy(entry, writer.order.append(sequence, number));
        let _ = change.settle(life);
        if let Some((_, hash)) = key {
            writer.index.insert(&self.index, hash as u32, number);
        }
        self.count_in(writer, entry);
        if type_id != 0 {
            writer.enter_type(context, type_id, sequence, number);
        }
        Ok(true)
    }

    /// Puts the new shard in the place of this one, at once for all readers.
    pub fn finish_rebuild(&self, context: &Member<'_>, rebuild: Rebuild) -> Result<Replaced, Error> {
        let Rebuild { fresh, mut tally, large_bytes, .. } = rebuild;
        let mut guard = self.writer.lock();
        refuse_unless_broken(context)?;
        let ended = self.slab.end_copies();
        let mut next = std::mem::replace(&mut *fresh.writer.lock(), Writer::new(context));
        next.cleared_below = next.slab.base_generation();
        next.changes = guard.changes + 1;
        let is_in_doubt = self.is_in_doubt.swap(false, Ordering::Relaxed);
        // Of what was under way in a shard in doubt, it is not known whether it was reported.
        context.removals.tell_missed(u64::from(is_in_doubt).max(tally.dropped + tally.expired));
        let counted = is_in_doubt.then(|| self.recount_doubtful(&guard, large_bytes)).flatten();
        next.index.inherit(&guard.index);
        next.counts.go_on_from(&guard.counts, guard.arena.blocks);
        next.counts.removals.count(Cause::Expired, tally.expired);
        let mut old = std::mem::replace(&mut *guard, next);
        let slab = self.slab.replace_by(&fresh.slab, &ended);
        let tables = self.index.replace_by(&fresh.index, &ended);
        let entries = self.len.swap(fresh.len(), Ordering::Relaxed);
        let weight_bytes = self.weight_bytes.swap(fresh.weight_bytes(), Ordering::Relaxed);
        self.expired.store(self.expired.load(Ordering::Relaxed) + tally.expired, Ordering::Relaxed);
        self.deadlines.store(fresh.deadlines.load(Ordering::Relaxed), Ordering::Relaxed);
        self.next_deadline_ms.store(fresh.next_deadline_ms(), Ordering::Relaxed);
        for next_ms in [&self.next_lease_ms, &self.next_refresh_ms, &self.next_stale_end_ms] {
            next_ms.store(u64::MAX, Ordering::Relaxed);
        }
        context.changes.resume(self.number);
        if !is_in_doubt {
            guard.freed_later.append(&mut old.freed_later);
            drop(guard);
            let contents = old.into_contents(context, (slab, tables), (entries, weight_bytes as usize));
            return Ok(Replaced { contents: Some(contents), tally });
        }
        drop(guard);
        tally.leaked_bytes = write_off(context, self.number, counted.as_ref());
        keep_for_good((old, slab, tables));
        Ok(Replaced { contents: None, tally })
    }

    /// Gives up what a shard in doubt has, because its map ended: it is never freed. Under the lock.
    pub(super) fn abandon(&self, writer: &mut Writer, context: &Member<'_>) {
        let successor = writer.slab.successor_above(0);
        let ended = CopiesEnded::in_words(context.words.withdraw(self.number));
        let mut next = Writer::new(context);
        next.slab = successor.unwrap_or(next.slab);
        let old = std::mem::replace(writer, next);
        keep_for_good((old, self.slab.detach(&ended), self.index.detach(&ended)));
        self.len.store(0, Ordering::Relaxed);
        self.weight_bytes.store(0, Ordering::Relaxed);
        self.deadlines.store(0, Ordering::Relaxed);
        for next_ms in [&self.next_deadline_ms, &self.next_lease_ms, &self.next_refresh_ms, &self.next_stale_end_ms] {
            next_ms.store(u64::MAX, Ordering::Relaxed);
        }
        context.has_lost.store(true, Ordering::Relaxed);
    }

    /// Bytes that a shard in doubt has, as far as what it says can be added up.
    fn recount_doubtful(&self, writer: &Writer, large_bytes: usize) -> Option<Recount> {
        let recount = || {
            let mut recount = Recount::default();
            self.recount(writer, &Walk::of_bytes(large_bytes, writer.arena.bytes()), &mut recount);
            recount
        };
        catch_unwind(AssertUnwindSafe(recount)).ok()
    }
}

impl Writer {
    /// What is to be freed of a shard that was replaced.
    fn into_contents(
        self,
        context: &Context,
        (slab, tables): (slots::Detached, Option<Box<Tables>>),
        (entries, weight_bytes): (u64, usize),
    ) -> Contents {
        let weight_bytes = weight_bytes + self.limbo.bytes();
        let bytes = self.arena.bytes().max(weight_bytes) + self.slab.capacity() as usize * slots::SLOT_BYTES;
        let parts = Parts {
            tables,
            slab,
            order: self.order,
            typed: self.typed,
            arena: self.arena,
            policy: self.policy,
            wheel: self.wheel,
            refreshes: self.refreshes,
            stale_for: self.stale_for,
            shapes: self.shapes,
            retired: self.limbo,
        };
        Contents::new(parts, entries, bytes, context)
    }
}

/// The sequence of an entry that the order does not know.
const UNKNOWN: u64 = u64::MAX;

/// The sequence of a slot's entry. Under the lock.
fn sequence_of(writer: &Writer, slot: SlotRef<'_>, number: u32) -> Option<u64> {
    let position = slot.position();
    let is_known = writer.order.slot_at(position) == Some(number);
    writer.order.sequence_at(position).filter(|_| is_known)
}

/// Counts bytes no more that are never freed. Returns how many.
fn write_off(context: &Context, shard: u32, counted: Option<&Recount>) -> u64 {
    // What is left of them is more than what is there.
    context.has_lost.store(true, Ordering::Relaxed);
    let words_bytes = context.words.abandon(shard) as u64;
    let mut leaked_bytes = context.memory.write_off(Use::Words, words_bytes);
    for (what, &bytes) in counted.iter().flat_map(|counted| Use::ALL.into_iter().zip(counted.by_use())) {
        leaked_bytes += context.memory.write_off(what, bytes as u64);
    }
    leaked_bytes
}

/// What is never freed.
fn keep_for_good(what: impl Send + 'static) {
    #[cfg(not(test))]
    std::mem::forget(what);
    // Reachable, or a sanitizer takes it for a mistake.
    #[cfg(test)]
    KEPT.lock().push(Box::new(what));
}

#[cfg(test)]
static KEPT: crate::store::platform::sync::process::Mutex<Vec<Box<dyn Send>>> =
    crate::store::platform::sync::process::Mutex::new(Vec::new());

fn refuse_unless_broken(context: &Context) -> Result<(), Error> {
    if context.is_broken() { Ok(()) } else { Err(Error::Closed) }
}
