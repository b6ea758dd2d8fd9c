//! A shard: one writer lock and what it guards.
//!
//! ```text
//! mod      its entries, and how readers find them          write    inserting, replacing, removing
//! room     what is evicted when a write finds no room      expiry   what is removed because time passed
//! upkeep   freeing, compaction, taking everything out      freed    what is freed without the lock
//! contents what was taken out, on its way             changes  how often it changed, for walks
//! scan     its slots in order, for scans; an entry that is drawn
//! atomic   writes that the present value decides
//! loading  begins and ends loads: loads (those under way), load (one of them), seat (how threads learn of them)
//! refresh  when entries are to be loaded again    stale  values of expired entries that loads still hand out
//! explain  what is known of one entry: glance (some of it), dump (a shard in words)
//! stage    what a commit sets aside           commit   its writes, under the locks of all its shards
//! commits  what commits exclude, and the word that says that one is under way
//! rebuild  a shard made anew of the entries of one that may be damaged
//! stats    what it counts, and reports
//! ```
//!
//! Readers take no lock: they find a slot through the index or by its number, check whose it is, and copy. Writers
//! hold the lock for one entry's worth of work. What a writer unlinks goes to the limbo; what is expensive to free is
//! freed after the lock was released. Nothing here calls out.

mod atomic;
pub mod changes;
mod commit;
pub mod commits;
mod contents;
pub mod context;
mod dump;
mod expiry;
pub mod explain;
mod findings;
mod freed;
mod glance;
pub mod load;
pub mod loading;
mod loads;
pub mod member;
mod rebuild;
pub mod refresh;
mod retired;
mod room;
mod scan;
pub mod seat;
mod stage;
mod stale;
mod stats;
mod upkeep;
mod validate;
mod write;

use std::time::Duration;

use super::error::Error;
use super::events::lines;
use super::eviction;
use super::eviction::Policy;
use crate::store::entry::block::Entry;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::Key;
use crate::store::entry::shapes::counts::ShapeCounts;
use crate::store::expiry::life::LifeRef;
use crate::store::expiry::timer_wheel::TimerWheel;
use crate::store::index::table::{Contended, Index, IndexWriter, Spot};
use crate::store::memory::arena::Arena;
use crate::store::memory::large;
use crate::store::memory::reclaim::{Limbo, Pin};
use crate::store::observe::balance::Balance;
use crate::store::observe::stats::ShardCounts;
use crate::store::platform::clock::Patience;
use crate::store::platform::counted_lock::{CountedLock, LockCounts};
use crate::store::platform::sync::process::AtomicBool;
use crate::store::platform::sync::{AtomicU64, MutexGuard, Ordering, light_fence, unlock_fairly};
use crate::store::shard::context::Context;
use crate::store::shard::member::Member;
use crate::store::slab::location::EntryLocation;
use crate::store::slab::order::Order;
use crate::store::slab::slots::{Slab, SlabWriter, SlotRef};
use crate::store::slab::typed::TypeLogs;
use freed::FreedLater;
use loads::Loads;
use retired::Retired;
use stale::StaleValues;

pub use atomic::{Increment, Incremented};
pub use commit::{Locked, Step};
pub use contents::Contents;
pub use findings::{Findings, Problem, Recount};
pub use rebuild::Rebuild;
pub use room::{Freed, MAX_COMPACTIONS};
pub use stage::{Intent, Staged, Wanted};
#[cfg(all(test, not(loom)))]
pub use upkeep::DETACHED;
#[cfg(all(test, not(loom)))]
pub use validate::Damage;
pub use validate::Walk;
pub use write::{Draft, Presence, SAME_TYPE, Sought, Written};

/// How long a test holds a lock that is waited for: long enough to be reported.
const MOMENT: Duration = Duration::from_millis(2);
/// The number of the shard that a hash leads to, of so many, which are a power of two: its high bits choose, its low 32
/// are the tag.
#[inline]
pub fn shard_number(hash: u64, shards: u32) -> u32 {
    (hash >> 40) as u32 & (shards - 1)
}

/// One shard.
pub struct Shard {
    number: u32,
    /// Whether keys that differ in case only are the same.
    ignores_case: bool,
    index: Index,
    slab: Slab,
    /// Entries. Written under the lock.
    len: AtomicU64,
    /// Bytes of the entries' blocks. Written under the lock.
    weight_bytes: AtomicU64,
    /// Entries that were evicted for want of room. Written under the lock.
    evicted: AtomicU64,
    /// Entries whose deadline was over when they were removed. Written under the lock.
    expired: AtomicU64,
    /// Entries with a deadline. Written under the lock.
    deadlines: AtomicU64,
    /// No deadline is before this; `u64::MAX` if there is none. Written under the lock.
    next_deadline_ms: AtomicU64,
    /// No load that is waited for is handed over before this; `u64::MAX` if there is none. Written under the lock.
    next_lease_ms: AtomicU64,
    /// No entry is to be loaded again before this; `u64::MAX` if none is. Written under the lock.
    next_refresh_ms: AtomicU64,
    /// No stale value is over before this; `u64::MAX` if there is none. Written under the lock.
    next_stale_end_ms: AtomicU64,
    /// Whether a thread has panicked under its lock: then nothing that only the lock guards is taken for granted, and
    /// nothing of it is freed. Written under the lock.
    is_in_doubt: AtomicBool,
    writer: CountedLock<Writer>,
}

/// What the lock guards, beside the writing of what readers see.
struct Writer {
    index: IndexWriter,
    slab: SlabWriter,
    /// Generations below this are of entries that were cleared.
    cleared_below: u32,
    order: Order,
    /// Which entries have a type.
    typed: TypeLogs,
    arena: Arena,
    /// The shapes of its entries. What is taken out leaves here after it was reported, since a report holds its shape.
    shapes: ShapeCounts,
    /// Chooses the entry to evict when there is no room; without a policy, the oldest.
    policy: Option<Box<dyn Policy>>,
    wheel: TimerWheel,
    /// When entries are to be loaded again.
    refreshes: TimerWheel,
    /// For how many milliseconds the values of slots are kept for loads after their deadline. A wheel that never turns,
    /// because it has a counted place for each slot that needs one.
    stale_for: TimerWheel,
    stale: StaleValues,
    /// Slots that are due, while they are taken out.
    due: Vec<u32>,
    /// The slot that the present write is about, which is not evicted for it.
    spared: Option<u32>,
    /// Those that the present commit is about, likewise. Empty at any other time.
    also_spared: Vec<u32>,
    /// Whether the locks of other shards may be held, too, so that nothing is freed that was retired.
    is_committing: bool,
    /// Whether listeners have to be woken for removals as soon as the lock is released.
    has_news: bool,
    limbo: Limbo<Retired>,
    /// Large things that may be freed, as soon as the lock is released.
    freed_later: FreedLater,
    /// Writes, for upkeep that is not due with each.
    upkeep: u32,
    /// Times that anything here may have changed.
    changes: u64,
    /// What the balance of the shards knew when this one looked last.
    balance_seen: u64,
    /// Whether each write empties a page, until there is none left that is worth it.
    is_compacting: bool,
    /// Loads of its keys that are under way. Each write that a program asked for makes those of its key void.
    loads: Loads,
    /// What is counted for statistics.
    counts: ShardCounts,
    /// Index capacities that a table grew or shrank to, to be reported as soon as the lock is released.
    resized: Option<usize>,
}

/// A slot and the entry that was in it. Good as long as the pin or the lock it was found under.
#[derive(Clone, Copy, Debug)]
pub struct Tenant<'a> {
    /// The entry.
    pub entry: Entry,
    slot: SlotRef<'a>,
    number: u32,
    shard: u32,
}

impl Tenant<'_> {
    /// Number of the slot.
    #[inline]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The handle of the entry. Under the shard's lock.
    #[inline]
    pub fn handle(&self, _: &Stillness<'_>) -> Handle {
        Handle { shard: self.shard, slot: self.number, generation: self.slot.generation() }
    }

    /// Whether the version is still this one. Without the lock: what a thread has learnt of happened after a change
    /// that this does not see yet.
    #[inline]
    pub fn is_version(&self, version: u32) -> bool {
        self.slot.version() == version
    }

    /// What tells this value of the entry from those before and after it. Under the shard's lock.
    #[inline]
    pub fn version(&self, _: &Stillness<'_>) -> u32 {
        self.slot.version()
    }

    /// The handle of the entry, and what a copy of it can be kept by; `None` if the slot has another entry by now.
    ///
    /// Generation and version are read between two looks at the same pointer. No block is used again under a pin, so
    /// the tenant was there all the while: the generation is its own, and so is the version, if the word was settled
    /// at that moment (`words.rs`).
    #[expect(clippy::inline_always, reason = "a call would hand it over in memory, for 4 to 5 ns")]
    #[inline(always)]
    pub fn place(&self) -> Option<EntryLocation> {
        let generation = self.slot.generation();
        let stamp = self.slot.stamp();
        if self.slot.entry() != Some(self.entry) {
            return None;
        }
        Some(EntryLocation { handle: Handle { shard: self.shard, slot: self.number, generation }, stamp })
    }
}

/// As long as this lives, nothing in a shard moves.
pub struct Stillness<'a> {
    _writer: MutexGuard<'a, Writer>,
}

/// What the clock says of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It may be read.
    Alive,
    /// Its deadline is over.
    Over,
    /// It is not the slot's tenant any more, or not with this value.
    Gone,
}

impl Shard {
    /// An empty shard.
    pub fn new(number: u32, context: &Context) -> Self {
        Self {
            number,
            ignores_case: context.hasher.folds(),
            index: Index::new(context.simd),
            slab: Slab::new(matches!(context.mark(), eviction::Mark::UpTo(_))),
            len: AtomicU64::new(0),
            weight_bytes: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            deadlines: AtomicU64::new(0),
            next_deadline_ms: AtomicU64::new(u64::MAX),
            next_lease_ms: AtomicU64::new(u64::MAX),
            next_refresh_ms: AtomicU64::new(u64::MAX),
            next_stale_end_ms: AtomicU64::new(u64::MAX),
            is_in_doubt: AtomicBool::new(false),
            writer: CountedLock::new(Writer::new(context)),
        }
    }

    /// Its number in the map.
    #[inline]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Entries of a type. Takes the lock.
    pub fn len_of_type(&self, type_id: u32) -> u64 {
        self.writer.lock().typed.len(type_id) as u64
    }

    /// Entries.
    pub fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    /// Bytes of the blocks of live entries.
    pub fn weight_bytes(&self) -> u64 {
        self.weight_bytes.load(Ordering::Relaxed)
    }

    /// Entries that were evicted for want of room, those whose deadline was over, and those that have a deadline.
    pub fn departures(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.evicted), read(&self.expired), read(&self.deadlines))
    }

    /// What its lock has counted.
    pub fn lock_counts(&self) -> LockCounts {
        self.writer.counts()
    }

    /// Holds the lock until another thread waits for it, and a moment longer; false if none did in time. For tests.
    pub fn hold_until_waited_for(&self, patience: &Patience) -> bool {
        let guard = self.writer.lock_uncounted();
        while self.writer.waiting() == 0 && !patience.is_over() {
            std::thread::yield_now();
        }
        let was_waited_for = self.writer.waiting() > 0;
        std::thread::sleep(MOMENT);
        unlock_fairly(guard);
        was_waited_for
    }

    /// Finds a key's entry. Never takes a lock; if words of the index keep moving, the caller may ask for
    /// [`Shard::stillness`].
    #[inline]
    pub fn find(&self, key: Key<'_>, tag: u32, _pin: &Pin<'_>) -> Result<Option<Tenant<'_>>, Contended> {
        self.index.find(tag, |number| self.tenant(number).filter(|tenant| self.is_of(tenant.entry, key)))
    }

    /// Whether an entry is the one of a key, which has its tag.
    #[inline]
    fn is_of(&self, entry: Entry, key: Key<'_>) -> bool {
        entry.has_key(key) || self.ignores_case && entry.has_key_in_another_case(key)
    }

    /// Asks for the line of the index where a tag is at home. Under a pin, like the three that follow it.
    #[inline]
    pub fn prefetch_index(&self, tag: u32) {
        self.index.prefetch(tag);
    }

    /// The slot that probably has the entry of a key with this tag.
    #[inline]
    pub fn guess(&self, tag: u32) -> Option<u32> {
        self.index.guess(tag)
    }

    /// Asks for a slot and its version word.
    #[inline]
    pub fn prefetch_slot(&self, number: u32) {
        if let Some(slot) = self.slab.slot(number) {
            slot.prefetch();
        }
    }

    /// Asks for the entry in a slot.
    #[inline]
    pub fn prefetch_entry(&self, number: u32) {
        if let Some(tenant) = self.tenant(number) {
            tenant.entry.prefetch();
        }
    }

    /// Keeps the words of the index where they are. For callers that are not pinned: they pin themselves under it.
    #[cold]
    pub fn stillness(&self) -> Stillness<'_> {
        Stillness { _writer: self.writer.lock() }
    }

    /// The same while nothing moves. A way of its own, so that the other stays short.
    pub fn find_still(&self, key: Key<'_>, tag: u32, _: &Stillness<'_>) -> Option<Tenant<'_>> {
        self.tenant(self.spot(&key, tag)?.slot)
    }

    /// Finds a handle's entry, if it is alive. Never takes a lock.
    #[inline]
    pub fn find_handle(&self, handle: Handle, _pin: &Pin<'_>) -> Option<Tenant<'_>> {
        let tenant = self.tenant(handle.slot)?;
        // Pointer before generation: a match proves the tenant.
        (tenant.slot.generation() == handle.generation).then_some(tenant)
    }

    /// The tenant of a slot. Under a pin or the lock.
    #[inline]
    fn tenant(&self, number: u32) -> Option<Tenant<'_>> {
        let slot = self.slab.slot(number)?;
        Some(Tenant { entry: slot.entry()?, slot, number, shard: self.number })
    }

    /// Whether the clock still allows a tenant to be read that was found without the lock. If it does not, copies of
    /// its value have ended: a thread that got this answer here reads none afterwards.
    ///
    /// The life that is looked at may be a later tenant's. That is why the slot's pointer is looked at once more: no
    /// block is used again under a pin, so if the entry is still there, it was there when its life was read.
    #[inline]
    pub fn liveness(&self, tenant: Tenant<'_>, context: &Context) -> Liveness {
        let is_over = self.is_over(context, tenant);
        if tenant.slot.entry() != Some(tenant.entry) {
            return Liveness::Gone;
        }
        if is_over { Liveness::Over } else { Liveness::Alive }
    }

    /// Whether a tenant's deadline is over; if it is, it stays so, and its copies have ended.
    #[inline]
    fn is_over(&self, context: &Context, tenant: Tenant<'_>) -> bool {
        let Some(life) = self.slab.life(tenant.number) else { return false };
        let Some(deadline_ms) = life.deadline_ms() else { return false };
        let now_ms = context.clock.now_ms();
        // Looked at once more, because the deadline may have been moved before the clock was read.
        let is_over = deadline_ms <= now_ms && life.close(now_ms);
        if is_over {
            tenant.slot.end_copies(tenant.entry);
        }
        is_over
    }

    /// Records a hit where the policy looks for it, up to `limit` of them. The tenant was found under a pin that still
    /// holds.
    #[inline]
    pub fn mark(&self, tenant: Tenant<'_>, limit: u32) {
        if let Some(access) = self.slab.access(tenant.number) {
            let hits = access.load(Ordering::Relaxed);
            if hits < limit {
                access.store(hits + 1, Ordering::Relaxed);
            }
        }
    }

    /// The place without a stamp where a copy may not be kept. After the stamp was read: a stamp that is good comes
    /// with the life that was set before it.
    #[inline]
    pub fn uncacheable_if_expiring(&self, context: &Context, place: EntryLocation) -> EntryLocation {
        if self.may_keep(context, place.handle.slot) { place } else { EntryLocation { stamp: None, ..place } }
    }

    /// The life of a slot's tenant, in a map in which there are some.
    #[inline]
    fn life(&self, context: &Context, number: u32) -> Option<LifeRef<'_>> {
        context.may_expire().then(|| self.slab.life(number)).flatten()
    }

    /// Whether copies of a slot's value may be kept outside the store, as far as its deadline is concerned.
    #[inline]
    fn may_keep(&self, context: &Context, number: u32) -> bool {
        !context.may_expire()
            || context.keeps_expiring_copies()
            || self.slab.life(number).and_then(LifeRef::deadline_ms).is_none()
    }

    /// Why a handle is dead; `Ok` if it is alive.
    pub fn check_handle(&self, context: &Context, handle: Handle) -> Result<(), Error> {
        let writer = self.writer.lock();
        let tenant = self.tenant_of(&writer, handle)?;
        if self.is_over(context, tenant) { Err(Error::HandleNotFound) } else { Ok(()) }
    }

    /// The entry of a handle, be its deadline over or not.
    fn tenant_of<'a>(&'a self, writer: &Writer, handle: Handle) -> Result<Tenant<'a>, Error> {
        if handle.generation < writer.cleared_below {
            return Err(Error::HandleInvalidated);
        }
        let tenant = self.tenant(handle.slot).ok_or(Error::HandleNotFound)?;
        let found = tenant.slot.generation();
        if found == handle.generation {
            Ok(tenant)
        } else {
            Err(Error::GenerationMismatch { given: handle.generation, found })
        }
    }

    /// Waits for the holder of the lock, if there is one.
    pub fn wait_for_writer(&self) {
        drop(self.writer.lock());
    }

    /// The first sequence after this one that an entry can have; of a type, unless that is 0.
    pub fn first_after(&self, type_id: u32, after: u64) -> Option<u64> {
        let writer = self.writer.lock();
        if type_id == 0 { writer.order.gaps().first_after(after) } else { writer.typed.first_after(type_id, after) }
    }

    /// The entries after this sequence and up to `last`, oldest first; of a type, unless that is 0. Returns the
    /// sequence of the next one. `scratch` and `out` have room for all of them.
    pub fn walk(
        &self,
        type_id: u32,
        after: u64,
        last: u64,
        scratch: &mut Vec<(u64, u32)>,
        out: &mut Vec<(u64, Handle)>,
    ) -> Option<u64> {
        scratch.clear();
        let mut writer = self.writer.lock();
        let next = if type_id == 0 {
            writer.order.walk(after, last, scratch)
        } else {
            writer.typed.walk(type_id, after, last, scratch)
        };
        let handle = |slot: u32| {
            let generation = self.slab.slot(slot).map_or(0, SlotRef::generation);
            Handle { shard: self.number, slot, generation }
        };
        out.extend(scratch.iter().map(|&(sequence, slot)| (sequence, handle(slot))));
        next
    }

    /// Panics while the lock is held, so that tests can see what the map does about it.
    pub fn panic_under_lock(&self, context: &Member<'_>) -> Result<(), Error> {
        self.locked(context, |_| panic!("asked to panic under the lock"))
    }

    /// Runs a write under the lock. A panic in it marks the map as broken; what it may free is freed afterwards.
    fn locked<T>(&self, context: &Member<'_>, write: impl FnOnce(&mut Writer) -> Result<T, Error>) -> Result<T, Error> {
        self.locked_until(drop, context, write)
    }

    /// The same where the lock is released by `unlock`.
    fn locked_until<'a, T>(
        &'a self,
        unlock: impl FnOnce(MutexGuard<'a, Writer>),
        context: &Member<'_>,
        write: impl FnOnce(&mut Writer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut guard, waited_ns) = self.writer.lock_and_time();
        let broken = BrokenIfPanicking { context, shard: self };
        context.check()?;
        guard.changes += 1;
        let changing = context.changes.begin(self.number);
        let answer = write(&mut guard);
        drop(changing);
        self.end_if_ended(context);
        let freed = (!guard.freed_later.is_empty())
            .then(|| (std::mem::take(&mut guard.freed_later), context.memory.transfer()));
        let resized = guard.resized.take();
        let long_probe = guard.index.take_long_probe();
        let skew = guard.note_balance(context);
        let has_news = std::mem::take(&mut guard.has_news);
        drop(broken);
        unlock(guard);
        if has_news {
            context.removals.wake();
        }
        if let Some((freed, transfer)) = freed {
            // SAFETY: collected from the limbo of this map, so no reader is left.
            unsafe { freed.dispose(context) };
            drop(transfer);
        }
        large::release_surplus();
        if waited_ns > 0 {
            context.performance.note_wait(&context.events, self.number, waited_ns, || context.clock.now_ms());
        }
        if let Some(words) = long_probe {
            context.performance.note_probe(&context.events, self.number, words, context.clock.now_ms());
        }
        if let Some(percent) = skew {
            context.performance.note_skew(&context.events, self.number, percent, context.clock.now_ms());
        }
        if let Some(capacity) = resized {
            let fields = [("shard", u64::from(self.number)), ("capacity", capacity as u64)];
            context.events.log(&lines::INDEX_RESIZED, &fields);
        }
        // A result that is returned as it is would be moved as a whole, which waits for what was just stored.
        let answer = answer?;
        Ok(answer)
    }

    /// Called by each writer before it releases the lock. The map may have ended meanwhile: its copies have ended, and
    /// what was settled here since ends, too.
    #[inline]
    fn end_if_ended(&self, context: &Context) {
        light_fence();
        if context.check().is_err() {
            let _ended = self.slab.end_copies();
            context.changes.end(self.number);
        }
    }

    fn spot(&self, key: &Key<'_>, tag: u32) -> Option<Spot> {
        let is_match =
            |number| self.slab.slot(number).and_then(SlotRef::entry).is_some_and(|entry| self.is_of(entry, *key));
        self.index.spot(tag, is_match)
    }
}

impl Writer {
    fn new(context: &Context) -> Self {
        let mut index = IndexWriter::new(context.max_load_factor);
        index.hold(context.holds_tables());
        Self {
            index,
            slab: SlabWriter::new(1),
            cleared_below: 0,
            order: Order::new(&context.memory),
            typed: TypeLogs::new(&context.memory),
            arena: Arena::new(&context.memory),
            shapes: ShapeCounts::new(&context.shapes),
            policy: context.policy.and_then(|kind| eviction::make(kind, &context.memory, &context.clock)),
            wheel: TimerWheel::new(&context.memory),
            refreshes: TimerWheel::new(&context.memory),
            stale_for: TimerWheel::new(&context.memory),
            stale: StaleValues::default(),
            due: Vec::new(),
            spared: None,
            also_spared: Vec::new(),
            is_committing: false,
            has_news: false,
            limbo: Limbo::new(),
            freed_later: FreedLater::default(),
            upkeep: 0,
            changes: 0,
            balance_seen: 0,
            is_compacting: false,
            loads: Loads::default(),
            counts: ShardCounts::default(),
            resized: None,
        }
    }

    /// Notes a write where one in many is noted; the share of this shard, in percent, if it is far too large.
    #[inline]
    fn note_balance(&mut self, context: &Context) -> Option<u64> {
        if !Balance::is_due(self.changes) {
            return None;
        }
        context.balance.note(self.changes, &mut self.balance_seen)
    }
}

/// Under a shard's lock.
struct BrokenIfPanicking<'a> {
    context: &'a Context,
    shard: &'a Shard,
}

impl Drop for BrokenIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shard.is_in_doubt.store(true, Ordering::Relaxed);
            self.context.mark_broken();
            // Another shard may have been first to say so.
            let _ended = self.shard.slab.end_copies();
        }
    }
}
