//! The shard's part of [`crate::store::map::validate`]: a walk through everything that its lock guards, in slices.
//!
//! What is said of one slot holds at every moment, so it is checked whatever is written between two slices. Counts are
//! those of a whole walk, and lists are walked from one slice to the next, so both are only right if nothing changed
//! meanwhile: then the walk starts again, and after some attempts does without.

use super::context::Context;
use super::findings::{Findings, Recount};
use super::retired::Retired;
use super::{Shard, Tenant, Writer};
use crate::store::entry::key::KeyKind;
use crate::store::entry::shapes::counts::Tally;
use crate::store::entry::shapes::numbers::BUILT_IN;
use crate::store::expiry::life::{LifeRef, OVER_MS};
use crate::store::index::table::Tables;
use crate::store::memory::arena::PageWalk;
use crate::store::memory::budget::Use;
use crate::store::platform::sync::Ordering;
use crate::store::slab::slots::{MAX_GENERATION, SlabWriter, SlotRef};

/// Slots of a slice, each with a look at the index, the order, the wheel and the policy: some hundred microseconds.
const SLOTS: u32 = 256;
/// Words of the index of a slice: each that names a slot is one entry's key to hash.
const WORDS: usize = 1_024;
/// Segments of the order of a slice, with 256 slots each.
const SEGMENTS: usize = 2;
/// Free slots or pages of a slice.
const LINKS: usize = 2_048;
/// Times that a walk starts again because of a write.
const RESTARTS: u32 = 3;

/// Where a walk through a shard stands.
#[derive(Debug, Default)]
pub struct Walk {
    stage: Stage,
    /// The next slot, word or segment of this stage.
    next: usize,
    /// The next log of a type, and segment in it.
    place: (usize, usize),
    /// Changes of the shard when the walk began; `None` before that.
    changes: Option<u64>,
    restarts: u32,
    seen: Seen,
    pages: PageWalk,
    /// Problems that were known when it began.
    known: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Slots,
    Index,
    Order,
    Types,
    Vacant,
    Pages,
    Totals,
}

/// What a walk has counted.
#[derive(Debug, Default)]
struct Seen {
    entries: u64,
    keyed: usize,
    weight_bytes: u64,
    key_bytes: u64,
    value_bytes: u64,
    large_bytes: usize,
    deadlines: usize,
    /// Vacant slots that may be used again.
    vacant: usize,
    free: usize,
    words: usize,
    ordered: usize,
    /// Entries with a type, and those in the logs of types.
    typed: usize,
    logged: usize,
    records: u64,
    /// Entries of each shape.
    shapes: Tally,
    /// Whether there was no memory to count them.
    has_lost_shapes: bool,
}

impl Walk {
    /// Whether the shard is unchanged since the walk began.
    pub fn is_whole(&self) -> bool {
        self.restarts <= RESTARTS
    }

    /// How often the shard had changed when the walk began.
    pub fn changes(&self) -> Option<u64> {
        self.changes
    }

    /// A walk that has found so much.
    pub(super) fn of_bytes(large_bytes: usize, pages_bytes: usize) -> Self {
        let mut walk = Self { seen: Seen { large_bytes, ..Seen::default() }, ..Self::default() };
        walk.pages.bytes = pages_bytes;
        walk
    }

    fn go_to(&mut self, stage: Stage) {
        (self.stage, self.next) = (stage, 0);
    }
}

impl Shard {
    /// How often anything in the shard may have changed.
    pub fn changes(&self) -> u64 {
        self.writer.lock().changes
    }

    /// Checks the next part of the shard; returns whether it was the last. What it holds is added to `recount` at the
    /// end.
    pub fn validate(&self, context: &Context, walk: &mut Walk, findings: &mut Findings, recount: &mut Recount) -> bool {
        let writer = &*self.writer.lock();
        findings.shard = self.number;
        if walk.changes != Some(writer.changes) {
            if walk.changes.is_none() {
                walk.known = findings.len();
            } else if walk.is_whole() {
                findings.forget_after(walk.known);
                *walk = Walk { restarts: walk.restarts + 1, known: walk.known, ..Walk::default() };
            }
            if walk.is_whole() {
                walk.changes = Some(writer.changes);
            }
        }
        match walk.stage {
            Stage::Slots => self.validate_slots(writer, context, walk, findings),
            Stage::Index => self.validate_index(context, walk, findings),
            Stage::Order => self.validate_order(writer, walk, findings),
            Stage::Types => self.validate_types(writer, walk, findings),
            // Lists cannot be followed where others change them.
            Stage::Vacant | Stage::Pages | Stage::Totals if !walk.is_whole() => return true,
            Stage::Vacant => self.validate_vacant(writer, walk, findings),
            Stage::Pages => {
                if writer.arena.count_pages(&mut walk.pages, LINKS) {
                    walk.go_to(Stage::Totals);
                }
            }
            Stage::Totals => {
                self.validate_totals(writer, walk, findings);
                self.recount(writer, walk, recount);
                return true;
            }
        }
        false
    }

    fn validate_slots(&self, writer: &Writer, context: &Context, walk: &mut Walk, findings: &mut Findings) {
        let first = walk.next as u32;
        let end = writer.slab.capacity().min(first.saturating_add(SLOTS));
        for number in first..end {
            let Some(slot) = self.slab.slot(number) else {
                findings.add(Some(number), "the slot is in no chunk");
                continue;
            };
            match self.tenant(number) {
                Some(tenant) => self.validate_tenant(writer, context, tenant, &mut walk.seen, findings),
                None => validate_vacancy(writer, slot, number, &mut walk.seen, findings),
            }
        }
        walk.next = end as usize;
        if end == writer.slab.capacity() {
            walk.go_to(Stage::Index);
        }
    }

    fn validate_tenant(
        &self,
        writer: &Writer,
        context: &Context,
        tenant: Tenant<'_>,
        seen: &mut Seen,
        findings: &mut Findings,
    ) {
        let Tenant { entry, slot, number, .. } = tenant;
        let mut check = |holds: bool, what: &'static str| {
            if !holds {
                findings.add(Some(number), what);
            }
        };
        check(number < writer.slab.fresh(), "the slot was never given, and has an entry");
        check(!slot.has_no_version(), "the version word of an entry is 0");
        check(slot.generation() >= writer.slab.base_generation(), "the generation is one from before a clear");
        check(entry.is_in_place(), "the entry's block is none of the arena");
        check(writer.order.slot_at(slot.position()) == Some(number), "the order does not know the slot");
        if entry.type_id() != 0 {
            let sequence = writer.order.sequence_at(slot.position());
            let found = sequence.and_then(|sequence| writer.typed.slot_of(entry.type_id(), sequence));
            check(found == Some(number), "the log of its type does not know the slot");
            seen.typed += 1;
        }
        let key = entry.key();
        if key.kind() == KeyKind::Keyless {
            check(entry.is_large() || key.bytes() == number.to_le_bytes(), "an entry without a key names another slot");
        } else {
            seen.keyed += 1;
            let spot = self.index.spot(context.hasher.hash(key) as u32, |found| found == number);
            check(spot.is_some(), "the index does not lead to the slot");
        }
        // The life first: a read may prolong it, and nothing else moves under the lock.
        let deadline_ms = self.slab.life(number).and_then(LifeRef::deadline_ms);
        let scheduled_ms = writer.wheel.deadline_of(number);
        seen.deadlines += usize::from(scheduled_ms.is_some());
        match (deadline_ms, scheduled_ms) {
            (None, None) => {}
            (Some(deadline_ms), Some(scheduled_ms)) => {
                let is_closed = deadline_ms == OVER_MS;
                // A read or a commit has prolonged it without telling the wheel, which looks again when it is due.
                let agree = is_closed || scheduled_ms <= deadline_ms;
                check(agree, "the timer wheel has a later deadline than the slot");
                check(writer.wheel.is_linked(number), "the timer wheel has lost a deadline");
                check(context.may_expire(), "an entry has a deadline, and no read looks for it");
                check(self.next_deadline_ms() <= scheduled_ms, "a deadline is before the next one");
            }
            (Some(_), None) => check(false, "the timer wheel does not know the slot's deadline"),
            (None, Some(_)) => check(false, "the timer wheel has a deadline that the slot has not"),
        }
        if let Some(policy) = &writer.policy {
            check(policy.has(number), "the policy does not know the slot");
        }
        if let Some(shape) = entry.shape() {
            check(context.shapes.has(shape), "the shape of an entry is not known");
            seen.records += 1;
            seen.has_lost_shapes |= shape != BUILT_IN && seen.shapes.add(shape).is_err();
        }
        seen.entries += 1;
        seen.weight_bytes += entry.weight_bytes() as u64;
        seen.key_bytes += entry.taken().key as u64;
        seen.value_bytes += entry.value_len() as u64;
        seen.large_bytes += entry.large_bytes();
    }

    fn validate_index(&self, context: &Context, walk: &mut Walk, findings: &mut Findings) {
        let next = self.index.look(walk.next, WORDS, |tag, number| {
            walk.seen.words += 1;
            let key = self.tenant(number).map(|tenant| tenant.entry.key());
            match key.filter(|key| key.kind() != KeyKind::Keyless) {
                None => findings.add(Some(number), "the index leads to a slot without a key"),
                Some(key) if context.hasher.hash(key) as u32 != tag => {
                    findings.add(Some(number), "the index leads to another key's slot");
                }
                Some(_) => {}
            }
        });
        match next {
            Some(next) => walk.next = next,
            None => walk.go_to(Stage::Order),
        }
    }

    fn validate_order(&self, writer: &Writer, walk: &mut Walk, findings: &mut Findings) {
        let position_of = |number| self.tenant(number).map(|tenant| tenant.slot.position());
        for _ in 0..SEGMENTS {
            match writer.order.check(walk.next, position_of) {
                None => return walk.go_to(Stage::Types),
                Some(Ok(entries)) => walk.seen.ordered += entries,
                Some(Err(what)) => findings.add(None, what),
            }
            walk.next += 1;
        }
    }

    fn validate_types(&self, writer: &Writer, walk: &mut Walk, findings: &mut Findings) {
        let is_there = |type_id, sequence, number| {
            self.tenant(number).is_some_and(|Tenant { entry, slot, .. }| {
                entry.type_id() == type_id && writer.order.sequence_at(slot.position()) == Some(sequence)
            })
        };
        for _ in 0..SEGMENTS {
            match writer.typed.check(&mut walk.place, is_there) {
                None => return walk.go_to(Stage::Vacant),
                Some(Ok(entries)) => walk.seen.logged += entries,
                Some(Err(what)) => findings.add(None, what),
            }
        }
    }

    /// The next slot of the free list is kept as its number and one, with 0 at the start and the highest number at the
    /// end.
    fn validate_vacant(&self, writer: &Writer, walk: &mut Walk, findings: &mut Findings) {
        let mut next = match walk.next {
            0 => writer.slab.first_free(),
            usize::MAX => None,
            next => Some(next as u32 - 1),
        };
        for _ in 0..LINKS {
            let Some(number) = next else {
                if walk.seen.free != walk.seen.vacant {
                    findings.add(None, "the free list does not have all vacant slots");
                }
                return walk.go_to(Stage::Pages);
            };
            walk.seen.free += 1;
            match self.slab.slot(number).filter(|slot| slot.entry().is_none()) {
                Some(slot) if walk.seen.free <= walk.seen.vacant => next = SlabWriter::next_free(slot),
                _ => {
                    findings.add(Some(number), "the free list leads to a slot that is not free");
                    return walk.go_to(Stage::Pages);
                }
            }
        }
        walk.next = next.map_or(usize::MAX, |number| number as usize + 1);
    }

    fn validate_totals(&self, writer: &Writer, walk: &Walk, findings: &mut Findings) {
        let seen = &walk.seen;
        let mut check = |holds: bool, what: &'static str| {
            if !holds {
                findings.add(None, what);
            }
        };
        check(seen.entries == self.len(), "the number of entries is not what there are");
        check(seen.weight_bytes == self.weight_bytes(), "the weight is not that of the entries");
        let (key_bytes, value_bytes) = (writer.counts.key_bytes, writer.counts.value_bytes);
        check((seen.key_bytes, seen.value_bytes) == (key_bytes, value_bytes), "keys and values have other bytes");
        check(seen.words == seen.keyed && seen.keyed == writer.index.len(), "the index has other words than keys");
        check(seen.ordered as u64 == seen.entries && seen.ordered == writer.order.len(), "the order has other entries");
        let typed = writer.typed.total();
        check(seen.typed == typed && seen.logged == typed, "the logs of types have other entries than have a type");
        check(seen.deadlines == writer.wheel.len(), "the timer wheel has other deadlines than the slots");
        let deadlines = self.deadlines.load(Ordering::Relaxed);
        check(deadlines == seen.deadlines as u64, "the number of deadlines is not what there are");
        check(walk.pages.bytes == writer.arena.bytes(), "the arena has other pages than it counts");
        check(writer.shapes.records() == seen.records, "the number of records is not what there are");
        let has_their_shapes = seen.has_lost_shapes || seen.shapes.iter().eq(writer.shapes.tally().iter());
        check(has_their_shapes, "the shapes are not those of the entries");
        if let Some(policy) = &writer.policy {
            check(policy.len() as u64 == seen.entries, "the policy has other entries");
        }
    }

    pub(super) fn recount(&self, writer: &Writer, walk: &Walk, recount: &mut Recount) {
        let mut tables: Vec<(usize, usize)> = self.index.current().into_iter().flat_map(Tables::allocations).collect();
        let (slots_bytes, lives_bytes) = self.slab.bytes();
        let mut directories_bytes = 0;
        let mut large_bytes = walk.seen.large_bytes;
        for retired in writer.limbo.items().chain(writer.freed_later.items()) {
            match retired {
                Retired::Entry(entry) => large_bytes += entry.large_bytes(),
                Retired::Tables(pair) => tables.extend(pair.allocations()),
                Retired::Directory(directory) => directories_bytes += directory.bytes(),
                Retired::Cells(_) => {}
            }
        }
        // A table may stand in the pair that is in use and in one that was retired.
        tables.sort_unstable();
        tables.dedup();
        recount.entries += walk.seen.entries;
        recount.add_shapes(writer.shapes.tally());
        recount.add(Use::Shapes, writer.shapes.bytes());
        recount.add(Use::Entries, walk.pages.bytes + writer.arena.lists_bytes() + large_bytes);
        recount.add(Use::Index, tables.iter().map(|&(_, bytes)| bytes).sum());
        recount.add(Use::Slab, slots_bytes + directories_bytes);
        recount.add(Use::Order, writer.order.bytes());
        recount.add(Use::Types, writer.typed.bytes());
        recount.add(Use::Policy, writer.policy.as_ref().map_or(0, |policy| policy.bytes()));
        recount.add(
            Use::Expiry,
            writer.wheel.bytes()
                + writer.refreshes.bytes()
                + writer.stale_for.bytes()
                + writer.stale.bytes()
                + lives_bytes,
        );
    }
}

fn validate_vacancy(writer: &Writer, slot: SlotRef<'_>, number: u32, seen: &mut Seen, findings: &mut Findings) {
    let is_usable = number < writer.slab.fresh() && slot.generation() <= MAX_GENERATION;
    seen.vacant += usize::from(is_usable);
    if writer.stale_for.deadline_of(number).is_some() {
        findings.add(Some(number), "the slot is vacant, and its value is to be kept for loads");
    }
    if writer.refreshes.deadline_of(number).is_some() {
        findings.add(Some(number), "the slot is vacant, and is to be loaded again");
    }
    if writer.wheel.deadline_of(number).is_some() {
        findings.add(Some(number), "the slot is vacant, and the timer wheel has a deadline for it");
    }
}

/// Damage, for tests of what finds it.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    Count,
    Weight,
    IndexWord,
    OrderHole,
    Deadline,
    Policy,
    Version,
    FreeList,
    Shape,
    TypeLog,
}

#[cfg(test)]
impl Shard {
    /// Damages the entry in `slot`, or what stands for it.
    pub fn damage(&self, context: &Context, slot: u32, damage: Damage) {
        let writer = &mut *self.writer.lock();
        writer.changes += 1;
        let Some(tenant) = self.tenant(slot) else { return };
        match damage {
            Damage::Count => self.count(1, 0),
            Damage::Weight => self.count(0, -8),
            Damage::IndexWord => {
                let hash = context.hasher.hash(tenant.entry.key());
                if let Some(spot) = self.index.spot(hash as u32, |found| found == slot) {
                    writer.index.remove(&self.index, spot);
                }
            }
            Damage::OrderHole => {
                writer.order.remove(tenant.slot.position(), |_, _| ());
            }
            Damage::Deadline => writer.wheel.cancel(slot),
            Damage::Policy => {
                let hash = self.policy_hash(context, slot);
                if let Some(policy) = &mut writer.policy {
                    policy.remove(slot, hash, false);
                }
            }
            Damage::Version => tenant.slot.clear_version(),
            Damage::TypeLog => {
                let sequence = writer.order.sequence_at(tenant.slot.position()).unwrap();
                writer.typed.remove(tenant.entry.type_id(), sequence);
            }
            Damage::Shape => writer.shapes.leave(tenant.entry.shape().unwrap()),
            Damage::FreeList => {
                let number = writer.slab.next();
                writer.slab.take(&self.slab);
                assert_ne!(number, slot);
            }
        }
    }
}
