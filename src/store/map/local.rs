//! One thread's membership of a map: its reclamation word, its counters, and every operation.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::Duration;

use super::hit_log::HitLog;
use super::store::Store;
use super::walk;
use super::walk::Step;
use crate::store::config::WhenFull;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::shapes::ShapeHold;
use crate::store::entry::target::KeyOrHandle;
use crate::store::entry::types::TypeHold;
use crate::store::entry::value::{Value, ValueKind};
use crate::store::error::{Error, Scope};
use crate::store::events::lines;
use crate::store::eviction::Mark;
use crate::store::expiry::life::{RemainingTtl, Ttl};
use crate::store::index::table::Contended;
use crate::store::memory::reaper;
use crate::store::memory::reaper::Help;
use crate::store::memory::reclaim::{Participant, Pin};
use crate::store::observe::hot_keys::{HotKeys, ReadSampler};
use crate::store::observe::latency::Sampler;
use crate::store::observe::removals::Cause;
use crate::store::observe::stats::Counters;
use crate::store::platform::clock::Patience;
use crate::store::platform::fallible;
use crate::store::platform::sync::{Arc, CachePadded};
use crate::store::shard::changes::Changes;
use crate::store::shard::member::Member;
use crate::store::shard::{
    Draft, Freed, Liveness, MAX_COMPACTIONS, Presence, SAME_TYPE, Shard, Sought, Stillness, Tenant, Written,
};
use crate::store::slab::location::EntryLocation;
use crate::store::slab::words::Words;

/// A map as one thread uses it. Not shared between threads: each makes its own with [`Store::join`].
///
/// Reads copy into a buffer of the caller's and take no lock. Every operation fails with [`Error::Closed`] after
/// [`Store::destroy`] and with [`Error::Broken`] after a panic under a lock.
pub struct Local {
    store: Arc<Store>,
    participant: Arc<Participant>,
    counters: Arc<CachePadded<Counters>>,
    /// How many hits between two looks the policy distinguishes; 0 if it does not look at marks.
    mark_limit: u32,
    /// For a policy that goes by the order of hits.
    hits: Option<HitLog>,
    /// Whether uses are recorded: for the policy, deadlines that move with them, or hot keys.
    notes_uses: bool,
    /// Whether they are for the last two.
    notes_more: bool,
    /// For hot keys, where they are asked for.
    reads: Option<ReadSampler>,
    /// What times operations, in a map that wants that.
    pub(super) sampler: Option<Box<Sampler>>,
    /// Keeps the shape of the record that was removed last known, for the caller, which reads it.
    removed_shape: Cell<Option<ShapeHold>>,
    /// A participant's word and its counters have one writer: a `Local` may move to another thread, but not be shared.
    _not_sync: PhantomData<Cell<()>>,
}

/// What a read found; the bytes are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the value is.
    pub kind: ValueKind,
    /// The entry, and the version that was read.
    pub place: EntryLocation,
    /// Its type, 0 for none.
    pub type_id: u32,
}

/// An entry that a walk reads and gives later. The word of its shard was read when this was made, so before the entry.
#[derive(Clone, Copy)]
pub struct Ahead<'a> {
    local: &'a Local,
    handle: Handle,
    seen: u32,
}

/// While a map is above its limit, each write evicts twice what it adds, and so many bytes more for what an entry
/// costs beside its content.
const SHED_BYTES: usize = 1_024;

/// How long a write waits, without the lock, for a reader that keeps memory from being freed. Readers are done within
/// microseconds; one that is suspended goes on when the system lets it, and until then no memory of the map can be
/// freed.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two attempts meanwhile.
const POLL: Duration = Duration::from_micros(100);

/// How often a full map evicts some entries for a shape. They leave blocks, of which it takes some to make a page.
const SHAPE_ROUNDS: u32 = 8;

/// What a look at an entry is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A use of it, which its policy and its deadline may depend on.
    Use,
    /// Nothing that counts.
    Peek,
}

/// The slot of a tenant that was found has another entry by now, so it has to be found once more.
pub(super) struct Moved;

impl Found {
    /// What a tenant is; `None` if the slot has another entry by now.
    #[expect(clippy::inline_always, reason = "a call would hand it over in memory, for 4 to 5 ns")]
    #[inline(always)]
    pub(super) fn of(local: &Local, shard: &Shard, tenant: &Tenant<'_>) -> Option<Self> {
        let place = shard.uncacheable_if_expiring(&local.store.context, tenant.place()?);
        Some(Self { kind: tenant.entry.value_kind(), place, type_id: tenant.entry.type_id() })
    }
}

impl Ahead<'_> {
    /// What the word of its shard said: as long as it says so, the entry has not changed. A number that the word does
    /// not say if only the entry's own word tells.
    #[inline]
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// [`Local::read_step`].
    #[inline]
    pub fn read_step(&self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<Option<(KeyKind, Found)>, Error> {
        self.local.read_step(self.handle, key, value)
    }

    /// [`Local::read_value`].
    #[inline]
    pub fn read_value(&self, value: &mut Vec<u8>) -> Result<Option<(KeyKind, Found)>, Error> {
        self.local.read_value(self.handle, value)
    }

    /// [`Local::read_key`].
    #[inline]
    pub fn read_key(&self, key: &mut Vec<u8>) -> Result<Option<(KeyKind, Found, usize)>, Error> {
        self.local.read_key(self.handle, key)
    }
}

impl Local {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        let counters = store.add_counters();
        Self::with_counters(store, counters)
    }

    fn with_counters(store: Arc<Store>, counters: Arc<CachePadded<Counters>>) -> Self {
        let participant = store.context.collector.join();
        let mark_limit = match store.marking() {
            Mark::UpTo(limit) => limit,
            Mark::None | Mark::Order => 0,
        };
        // Without memory for a log, hits of this thread are not learned of.
        let hits = (store.marking() == Mark::Order).then(|| HitLog::new(store.shards(), &store.context).ok()).flatten();
        // Likewise for a sketch.
        let reads = store.hot_keys.as_ref().and_then(HotKeys::join);
        let notes_more = store.context.sliding || reads.is_some() || store.ghost.is_some();
        let notes_uses = mark_limit > 0 || hits.is_some() || notes_more;
        let sampler = Self::sampler(&store);
        let removed_shape = Cell::default();
        Self {
            store,
            participant,
            counters,
            mark_limit,
            hits,
            notes_uses,
            notes_more,
            reads,
            sampler,
            removed_shape,
            _not_sync: PhantomData,
        }
    }

    /// The map.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Entries in the map.
    pub fn len(&self) -> u64 {
        self.store.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(super) fn pin(&self) -> Pin<'_> {
        self.store.context.collector.pin(&self.participant)
    }

    /// The map on behalf of this thread.
    #[inline]
    pub(crate) fn member(&self) -> Member<'_> {
        Member::new(&self.store.context, &self.participant)
    }

    #[expect(clippy::inline_always, reason = "a call would hand the key over in memory, for 4 to 5 ns")]
    #[inline(always)]
    pub(super) fn shard_of(&self, key: Key<'_>) -> (&Shard, u64) {
        let hash = self.store.context.hasher.hash(key);
        (self.store.shard_of(hash), hash)
    }

    /// Finds an entry and uses it under a pin; looks again if `use_it` says that the slot changed meanwhile.
    #[inline]
    pub(super) fn find<'t, T>(
        &self,
        target: impl KeyOrHandle<'t>,
        look: Look,
        use_it: impl FnMut(&Shard, &Tenant<'_>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.store.context.check()?;
        Ok(target.either(
            use_it,
            |use_it, key| {
                let (shard, hash) = self.shard_of(key);
                self.use_tenant(
                    shard,
                    look,
                    |pin| shard.find(key, hash as u32, pin),
                    |still| shard.find_still(key, hash as u32, still),
                    use_it,
                )
            },
            |use_it, handle| {
                let shard = self.store.shard(handle.shard)?;
                self.use_tenant(shard, look, |pin| Ok(shard.find_handle(handle, pin)), |_| None, use_it)
            },
        ))
    }

    /// The shard that an entry is in, if its handle says one that there is.
    #[inline]
    pub(super) fn seek<'t>(&self, target: impl KeyOrHandle<'t>) -> Option<(&Shard, Sought<'t>)> {
        target.either(
            (),
            |(), key| {
                let (shard, hash) = self.shard_of(key);
                Some((shard, Sought::Key(key, hash)))
            },
            |(), handle| Some((self.store.shard(handle.shard)?, Sought::Handle(handle))),
        )
    }

    /// The same for an operation that a dead handle is an error for.
    pub(super) fn seek_existing<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<(&Shard, Sought<'t>), Error> {
        self.seek(target).ok_or_else(|| {
            let shard = target.either((), |(), _| 0, |(), handle| handle.shard);
            Error::InvalidShardIndex { shard, shards: self.store.shards() }
        })
    }

    #[inline]
    pub(super) fn use_tenant<'s, T>(
        &'s self,
        shard: &'s Shard,
        look: Look,
        find: impl Fn(&Pin<'_>) -> Result<Option<Tenant<'s>>, Contended>,
        find_still: impl Fn(&Stillness<'_>) -> Option<Tenant<'s>>,
        mut use_it: impl FnMut(&Shard, &Tenant<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut is_log_full = false;
        let answer = {
            let pin = self.pin();
            loop {
                let Ok(found) = find(&pin) else {
                    drop(pin);
                    return self.use_in_stillness(shard, look, find_still, use_it);
                };
                if let Ok(answer) = self.try_to_use(shard, look, &found?, &mut use_it, &mut is_log_full) {
                    break answer;
                }
            }
        };
        if is_log_full {
            self.replay_hits();
        }
        answer
    }

    /// The same where words of the index keep moving: finds under the lock, where the search is not disturbed. The lock
    /// before the pin: a pin never waits for one.
    #[cold]
    #[inline(never)]
    fn use_in_stillness<'s, T>(
        &'s self,
        shard: &'s Shard,
        look: Look,
        find_still: impl Fn(&Stillness<'_>) -> Option<Tenant<'s>>,
        mut use_it: impl FnMut(&Shard, &Tenant<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut is_log_full = false;
        let answer = loop {
            let stillness = shard.stillness();
            let _pin = self.pin();
            let found = find_still(&stillness);
            drop(stillness);
            if let Ok(answer) = self.try_to_use(shard, look, &found?, &mut use_it, &mut is_log_full) {
                break answer;
            }
        };
        if is_log_full {
            self.replay_hits();
        }
        answer
    }

    /// Uses a tenant under the pin under which it was found; `None` if its deadline is over.
    #[expect(clippy::inline_always, reason = "a tenant that is passed on in memory costs a read 4 to 5 ns")]
    #[inline(always)]
    pub(super) fn try_to_use<T>(
        &self,
        shard: &Shard,
        look: Look,
        tenant: &Tenant<'_>,
        use_it: &mut impl FnMut(&Shard, &Tenant<'_>) -> Option<T>,
        is_log_full: &mut bool,
    ) -> Result<Option<T>, Moved> {
        let context = &self.store.context;
        if context.may_expire() {
            match shard.liveness(*tenant, context) {
                Liveness::Alive => {}
                Liveness::Over => return Ok(None),
                Liveness::Gone => return Err(Moved),
            }
        }
        let answer = use_it(shard, tenant).ok_or(Moved)?;
        if self.notes_uses && look == Look::Use {
            *is_log_full = self.note_use(shard, tenant);
        }
        Ok(Some(answer))
    }

    /// Reports a use that a look turned out to be. Under the pin under which the tenant was found. Returns whether the
    /// log of hits is full.
    pub(super) fn turn_to_use(&self, shard: &Shard, tenant: &Tenant<'_>) -> bool {
        self.notes_uses && self.note_use(shard, tenant)
    }

    /// Reports a use to the policy and the deadline. Returns whether the log of hits is full.
    fn note_use(&self, shard: &Shard, tenant: &Tenant<'_>) -> bool {
        if self.mark_limit > 0 {
            shard.mark(*tenant, self.mark_limit);
        }
        if self.notes_more {
            self.note_more(shard, tenant);
        }
        self.hits.as_ref().is_some_and(|log| log.note(shard.number(), tenant.number()))
    }

    /// Reports a use to the deadline and the sampler.
    fn note_more(&self, shard: &Shard, tenant: &Tenant<'_>) {
        let context = &self.store.context;
        if context.sliding
            && context.may_expire()
            && let Some(place) = tenant.place()
        {
            shard.prolong(context, place.handle);
        }
        self.sample(shard, tenant);
        self.note_ghost_hit(shard, tenant);
    }

    /// What samples reads for hot keys, where they are asked for.
    pub(super) fn read_sampler(&self) -> Option<&ReadSampler> {
        self.reads.as_ref()
    }

    /// Reports this thread's hits to the policies, in the order in which they happened.
    #[cold]
    pub fn replay_hits(&self) {
        if let Some(log) = &self.hits {
            log.replay(|shard, slots| {
                if let Some(shard) = self.store.shard(shard) {
                    shard.replay(slots);
                }
            });
        }
    }

    /// Where hits of this thread are recorded that happen outside the store, for a policy that goes by their order: in
    /// the first word how many there are, then `slot * shards + shard` of each. When it is full,
    /// [`Local::replay_hits`].
    pub fn hit_log(&self) -> Option<&Arc<Words>> {
        self.hits.as_ref().map(HitLog::words)
    }

    /// What this thread counts.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a transaction that the program gave up.
    pub fn count_rollback(&self) {
        self.counters.rollbacks.add(1);
    }

    #[inline]
    pub(super) fn count_read(&self, is_hit: bool) {
        if is_hit { self.counters.hits.add(1) } else { self.counters.misses.add(1) }
    }

    /// Copies the value of an entry into `out`; `None` if it is not there.
    #[inline]
    pub fn get<'t>(&self, target: impl KeyOrHandle<'t>, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        let mut found = None;
        self.get_into(target, out, &mut found)?;
        Ok(found)
    }

    /// The same, with the answer in `found`. Handed up as a result it would be copied by each layer, and a copy of what
    /// was just written in smaller pieces waits until the processor has stored them: 4 to 5 ns each.
    pub fn get_into<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        out: &mut Vec<u8>,
        found: &mut Option<Found>,
    ) -> Result<(), Error> {
        self.read(target, Look::Use, out, found)?;
        if found.is_some() {
            self.count_read(true);
        } else {
            self.count_read(false);
            self.note_ghost_miss(target);
        }
        Ok(())
    }

    /// Copies the value of an entry into `out`, if there is memory for the copy, and says in `found` what it is.
    #[inline]
    fn read<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        look: Look,
        out: &mut Vec<u8>,
        found: &mut Option<Found>,
    ) -> Result<(), Error> {
        *found = None;
        let mut refused = None;
        self.find(target, look, |shard, tenant| {
            match fallible::copy_into(out, tenant.entry.value_bytes()) {
                Ok(()) => *found = Some(Found::of(self, shard, tenant)?),
                Err(error) => refused = Some(error),
            }
            Some(())
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Lets `look` see the value of an entry without copying it. `look` must be short, because nothing is freed
    /// meanwhile, and must not write to a map, because a write takes a lock, whose holder may be waiting for `look`
    /// to end.
    pub fn with<'t, T>(&self, target: impl KeyOrHandle<'t>, look: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Error> {
        let mut look = Some(look);
        let seen =
            self.find(target, Look::Use, |_, tenant| look.take().map(|look| look(tenant.entry.value_bytes())))?;
        self.count_read(seen.is_some());
        Ok(seen)
    }

    /// Why a handle is dead; `Ok` if it is alive.
    pub fn check(&self, handle: Handle) -> Result<(), Error> {
        self.store.context.check()?;
        self.shard_of_handle(handle)?.check_handle(&self.store.context, handle)
    }

    fn shard_of_handle(&self, handle: Handle) -> Result<&Shard, Error> {
        let unknown = Error::InvalidShardIndex { shard: handle.shard, shards: self.store.shards() };
        self.store.shard(handle.shard).ok_or(unknown)
    }

    /// Whether an entry is there.
    pub fn has<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<bool, Error> {
        let is_there = self.find(target, Look::Peek, |_, _| Some(()))?.is_some();
        self.count_read(is_there);
        Ok(is_there)
    }

    /// The handle of a key's entry. Counts as no read.
    pub fn place_of(&self, key: Key<'_>) -> Result<Option<EntryLocation>, Error> {
        self.find(key, Look::Peek, |shard, tenant| {
            Some(shard.uncacheable_if_expiring(&self.store.context, tenant.place()?))
        })
    }

    /// Copies the value of an entry into `out`. Counts as no read, and the policy does not learn of it.
    pub fn peek<'t>(&self, target: impl KeyOrHandle<'t>, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        let mut found = None;
        self.read(target, Look::Peek, out, &mut found)?;
        Ok(found)
    }

    /// What remains of the life of an entry; `None` if it is not there.
    pub fn ttl_of<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<Option<RemainingTtl>, Error> {
        self.find(target, Look::Peek, |shard, tenant| Some(shard.left(&self.store.context, tenant.number())))
    }

    /// Bytes that an entry costs, without its share of what all entries share; `None` if it is not there.
    pub fn weight<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<Option<u64>, Error> {
        self.find(target, Look::Peek, |_, tenant| Some(tenant.entry.weight_bytes() as u64))
    }

    pub(super) fn count_write(&self, written: &Written) {
        if written.replaced { self.counters.updates.add(1) } else { self.counters.inserts.add(1) }
    }

    /// Runs a write. If a limit refuses it, it is run again once what a `clear` left behind was freed, or another
    /// shard has made room.
    pub(super) fn write<T>(
        &self,
        operation: &'static str,
        shard: &Shard,
        about: &[Sought<'_>],
        added_bytes: usize,
        mut write: impl FnMut() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let context = &self.store.context;
        context.check()?;
        if self.hits.as_ref().is_some_and(|log| !log.is_empty()) {
            self.replay_hits();
        }
        // Gives readers a moment; false once the write has waited for so long and nothing was evicted or released
        // meanwhile.
        let wait = |patience: &mut Option<Patience>| {
            let goes_on = !patience.get_or_insert_with(|| Patience::new(PATIENCE)).is_over();
            if goes_on {
                self.participant.await_readers(true);
                std::thread::sleep(POLL);
            }
            goes_on
        };
        let (mut compactions, mut patience) = (0, None);
        let mut evicted = shard.departures().0;
        loop {
            // Asked before the attempt: what is freed between the two makes the next attempt worth it.
            let is_freeing = self.store.context.is_freeing();
            self.participant.await_readers(false);
            let attempt = write();
            // As long as entries are evicted, the write comes closer to fitting: only rounds without an eviction are
            // counted.
            let before = std::mem::replace(&mut evicted, shard.departures().0);
            if evicted != before {
                (compactions, patience) = (0, None);
            }
            match attempt {
                // Success comes first in its own arm, so that nothing is moved for it.
                Ok(done) => {
                    self.follow_up(shard, added_bytes);
                    return Ok(done);
                }
                // What is kept for loads is the first to go.
                Err(ref refused) if refused.is_limit() && self.store.drop_stale(&self.member(), refused)? => {}
                // What was detached is being freed: the write helps, and waits where readers keep it from being freed.
                Err(Error::MemoryLimit { .. })
                    if is_freeing
                        && (reaper::help(self.store.context.debris_owner()) == Help::Progress
                            || wait(&mut patience)) => {}
                // A reader is suspended while it copies. Waiting for it without the lock lets others write, and
                // without it the next attempt would evict entries in vain.
                Err(Error::MemoryLimit { .. }) if self.participant.awaits_readers() && wait(&mut patience) => {}
                // Something was freed when the shard's lock was released.
                Err(ref refused)
                    if self.store.context.memory.has_less_than_at(refused) && compactions < MAX_COMPACTIONS =>
                {
                    compactions += 1;
                }
                Err(refused) => {
                    let freed = if refused.is_limit() {
                        self.store.make_room(&self.member(), &refused, shard.number(), about, added_bytes)?
                    } else {
                        Freed::Nothing
                    };
                    let is_free = match freed {
                        Freed::Entries => true,
                        Freed::Held(number) => self.is_released(number, || wait(&mut patience))?,
                        Freed::Pages | Freed::Nothing => false,
                    };
                    if is_free {
                        (compactions, patience) = (0, None);
                    } else {
                        compactions += 1;
                    }
                    if freed == Freed::Nothing || compactions > MAX_COMPACTIONS {
                        self.refused(&refused, operation);
                        return Err(refused);
                    }
                }
            }
        }
    }

    /// Waits until readers no longer hold what was retired in a shard; false if they do when `wait` gives up.
    #[cold]
    fn is_released(&self, shard: u32, mut wait: impl FnMut() -> bool) -> Result<bool, Error> {
        let shard = &self.store.all_shards()[shard as usize];
        while shard.is_still_held(&self.member())? {
            if !wait() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What a write has to see to afterwards, without the lock.
    #[inline]
    pub(super) fn follow_up(&self, shard: &Shard, added_bytes: usize) {
        let context = &self.store.context;
        reaper::help_if_stuck();
        if context.may_expire() {
            self.store.expect_expiry(shard);
        }
        if !context.is_bounded {
            return;
        }
        if context.memory.is_above_limit() {
            self.store.shed(&self.member(), 2 * added_bytes + SHED_BYTES);
            context.memory.is_above_limit();
        }
        context.memory.rose();
    }

    #[cold]
    fn refused(&self, error: &Error, operation: &'static str) {
        if *error == Error::ShapeGone {
            // The caller writes the value in another way.
            return;
        }
        if error.is_limit() && self.store.context.when_full.asks_caller() {
            // It is the caller's turn now, and what comes of that is not known yet.
            return;
        }
        let events = &self.store.context.events;
        if let Error::MemoryLimit { scope, requested_bytes, used_bytes, limit_bytes } = *error {
            let fields = [("requestedBytes", requested_bytes), ("usedBytes", used_bytes), ("limitBytes", limit_bytes)];
            events.log(if scope == Scope::Map { &lines::LIMIT_MEMORY } else { &lines::LIMIT_PROCESS }, &fields);
        }
        if let Error::EntryLimit { limit } = *error {
            events.log(&lines::LIMIT_ENTRIES, &[("limit", limit)]);
        }
        if error.code() == 1006 {
            self.counters.refusals.add(1);
        }
        events.error(error, operation);
    }

    /// Counts and reports that a caller made no room when asked, so that its write is refused for good.
    pub fn give_up(&self, operation: String) {
        self.counters.refusals.add(1);
        self.store.context.events.error(&Error::EvictionFailed, operation);
    }

    /// Sets the value of a key.
    #[inline]
    pub fn set(&self, key: Key<'_>, value: Value<'_>, ttl: Ttl) -> Result<Written, Error> {
        let mut written = None;
        self.set_into(key, value, ttl, &mut written)?;
        written.ok_or(Error::Broken)
    }

    /// The same, with the answer in `written`, see [`Local::get_into`].
    pub fn set_into(
        &self,
        key: Key<'_>,
        value: Value<'_>,
        ttl: Ttl,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        self.write_key("set", key, value, ttl, Presence::Any, written)?;
        if written.is_some() { Ok(()) } else { Err(Error::Broken) }
    }

    /// Sets the value of a key that is there.
    pub fn update(&self, key: Key<'_>, value: Value<'_>, ttl: Ttl) -> Result<Option<Written>, Error> {
        let mut written = None;
        self.write_key("updateMany", key, value, ttl, Presence::Present, &mut written)?;
        Ok(written)
    }

    fn write_key(
        &self,
        operation: &'static str,
        key: Key<'_>,
        value: Value<'_>,
        ttl: Ttl,
        wanted: Presence,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        *written = None;
        let (shard, hash) = self.shard_of(key);
        let type_id = if wanted == Presence::Present { SAME_TYPE } else { 0 };
        let draft = Draft { key: Some((key, hash)), value, type_id, ttl };
        let about = [Sought::Key(key, hash)];
        self.write(operation, shard, &about, key.len() + value.bytes.len(), || {
            shard.write_key(&self.member(), &draft, wanted, written)
        })?;
        if let Some(written) = written {
            self.count_write(written);
        }
        Ok(())
    }

    /// The value of a key, or the given one if the key is not there. Exactly one part of the answer is `Some`: what was
    /// found, with its bytes in `out`, or what was written.
    pub fn get_or_insert(
        &self,
        key: Key<'_>,
        value: Value<'_>,
        ttl: Ttl,
        out: &mut Vec<u8>,
    ) -> Result<(Option<Found>, Option<Written>), Error> {
        loop {
            if let Some(found) = self.get(key, out)? {
                return Ok((Some(found), None));
            }
            let mut written = None;
            self.write_key("getOrInsert", key, value, ttl, Presence::Absent, &mut written)?;
            if written.is_some() {
                return Ok((None, written));
            }
            // Another thread was faster; unless it has deleted the key again, the next look finds it.
        }
    }

    /// The type of this name, for an entry that is about to be inserted. As long as the answer lives, its number is
    /// the name's.
    pub fn hold_type(&self, name: &str) -> Result<TypeHold, Error> {
        let shard = &self.store.all_shards()[0];
        self.write("insert", shard, &[], name.len(), || self.store.context.types.hold(name))
    }

    /// The number of a shape's definition, for values that are about to be written: at most
    /// [`crate::store::MAX_DEFINITION_BYTES`]. `None` if there is no room for one more.
    pub fn publish_shape(&self, definition: &str) -> Result<Option<u32>, Error> {
        let context = &self.store.context;
        context.check()?;
        let evicts = matches!(context.when_full, WhenFull::Evict | WhenFull::EvictIdle { .. });
        let mut rounds = if evicts { SHAPE_ROUNDS } else { 0 };
        loop {
            match context.shapes.publish(definition) {
                // A full map evicts entries for it: what they leave has room for more entries that have a shape.
                Err(refused) if refused.is_limit() && rounds > 0 => {
                    self.replay_hits();
                    if self.store.make_room(&self.member(), &refused, 0, &[], 0)? == Freed::Nothing {
                        return Ok(None);
                    }
                }
                published => return Ok(published.ok().flatten()),
            }
            rounds -= 1;
        }
    }

    /// The definition of a shape; `None` if it is not known any more. A record of it that was found is gone then, so
    /// the caller reads again; the shape of the record that this thread removed last is still known.
    pub fn shape(&self, number: u32) -> Result<Option<Arc<str>>, Error> {
        self.store.context.check()?;
        Ok(self.store.context.shapes.definition(number))
    }

    /// Keeps a shape known while records of it are written; `None` if it is not known, or the built-in one, which is in
    /// any case.
    pub fn hold_shape(&self, number: u32) -> Result<Option<ShapeHold>, Error> {
        self.store.context.check()?;
        Ok(self.store.context.shapes.hold(number))
    }

    /// Adds an entry without a key, of a type (0 for none).
    pub fn insert(&self, value: Value<'_>, type_id: u32, ttl: Ttl) -> Result<Written, Error> {
        let shard = self.store.next_shard();
        let draft = Draft { key: None, value, type_id, ttl };
        let mut written = None;
        self.write("insert", shard, &[], value.bytes.len(), || {
            shard.insert_keyless(&self.member(), &draft, &mut written)
        })?;
        let written = written.ok_or(Error::Broken)?;
        self.count_write(&written);
        Ok(written)
    }

    /// Sets another value for the entry of a handle.
    pub fn replace(&self, handle: Handle, value: Value<'_>, ttl: Ttl) -> Result<Written, Error> {
        let shard = self.shard_of_handle(handle)?;
        let mut written = None;
        self.write("replace", shard, &[Sought::Handle(handle)], value.bytes.len(), || {
            shard.replace(&self.member(), handle, value, SAME_TYPE, ttl, &mut written)
        })?;
        let written = written.ok_or(Error::Broken)?;
        self.count_write(&written);
        Ok(written)
    }

    /// Begins the life of an entry anew: with its own time to live if `ttl` is [`Ttl::Default`] and it has one, else
    /// with what `ttl` says. Returns whether it was there.
    pub fn touch<'t>(&self, target: impl KeyOrHandle<'t>, ttl: Ttl) -> Result<bool, Error> {
        let Some((shard, sought)) = self.seek(target) else { return Ok(false) };
        self.write("touch", shard, &[sought], 0, || shard.touch(&self.member(), sought, ttl))
    }

    /// Evicts at most `count` entries, as the policy chooses; returns how many.
    pub fn evict(&self, count: u64) -> Result<u64, Error> {
        self.store.context.check()?;
        self.replay_hits();
        self.store.evict(&self.member(), count)
    }

    /// Evicts entries until the map holds at most so many bytes; returns how many.
    pub fn evict_to(&self, bytes: u64) -> Result<u64, Error> {
        self.store.context.check()?;
        self.replay_hits();
        self.store.evict_to(&self.member(), bytes)
    }

    /// Evicts a handle's entry as one for which there is no room; returns whether it was alive.
    pub fn evict_entry(&self, handle: Handle) -> Result<bool, Error> {
        self.store.context.check()?;
        let Some(shard) = self.store.shard(handle.shard) else { return Ok(false) };
        Ok(shard.remove(&self.member(), Sought::Handle(handle), Cause::Evicted, |_| Ok(()))?.is_some())
    }

    /// Removes all entries whose deadline is over; returns how many.
    pub fn purge_expired(&self) -> Result<u64, Error> {
        self.store.context.check()?;
        self.store.purge_expired(&self.member())
    }

    /// The next entries to be evicted, at most `count`, roughly in order.
    pub fn candidates(&self, count: usize, out: &mut Vec<Handle>) -> Result<(), Error> {
        self.store.context.check()?;
        self.replay_hits();
        self.store.candidates(count, out)
    }

    /// Deletes an entry; returns whether it was there.
    pub fn delete<'t>(&self, target: impl KeyOrHandle<'t>) -> Result<bool, Error> {
        Ok(self.take(target, |_, _| Ok(()))?.is_some())
    }

    /// Deletes an entry and copies its last value into `out`.
    pub fn remove<'t>(&self, target: impl KeyOrHandle<'t>, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        let mut found = None;
        self.take(target, |shard, tenant| {
            fallible::copy_into(out, tenant.entry.value_bytes())?;
            found = Found::of(self, shard, tenant);
            if let Some(number) = tenant.entry.shape() {
                self.removed_shape.set(self.store.context.shapes.hold(number));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Removes an entry that `look` has seen; it stays if that fails.
    fn take<'t, T>(
        &self,
        target: impl KeyOrHandle<'t>,
        look: impl FnOnce(&Shard, &Tenant<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.store.context.check()?;
        let Some((shard, sought)) = self.seek(target) else { return Ok(None) };
        let taken = shard.remove(&self.member(), sought, Cause::Explicit, |tenant| look(shard, &tenant));
        self.count_removal(matches!(taken, Ok(Some(_))));
        taken
    }

    pub(super) fn count_removal(&self, is_removed: bool) {
        if is_removed {
            self.counters.deletes.add(1);
        }
    }

    /// Removes every entry; atomic for each shard.
    pub fn clear(&self) -> Result<(), Error> {
        self.store.context.check()?;
        let entries = self.store.clear(&self.member())?;
        self.counters.clears.add(1);
        self.store.context.events.log(&lines::MAP_CLEARED, &[("entries", entries)]);
        Ok(())
    }

    /// The next entries in insertion order, after the sequence `after` (0 at the start): none at the end, at most
    /// `count`.
    pub fn walk(&self, after: u64, count: usize, out: &mut Vec<Step>) -> Result<(), Error> {
        self.walk_of_type(0, after, count, out)
    }

    /// The same of the entries of a type. What is returned had it then; all entries for 0.
    pub fn walk_of_type(&self, type_id: u32, after: u64, count: usize, out: &mut Vec<Step>) -> Result<(), Error> {
        self.store.context.check()?;
        self.count_walk();
        let last = self.store.context.last_sequence();
        walk::window(self.store.all_shards(), type_id, last, after, count.max(1), out)
    }

    /// Counts a fetch of a walk.
    pub(super) fn count_walk(&self) {
        self.counters.iterations.add(1);
    }

    /// How often each shard changed, as words; made on first use.
    pub fn changes(&self) -> Result<Arc<Words>, Error> {
        let context = &self.store.context;
        context.check()?;
        let shards = self.store.all_shards();
        let wait = || shards.iter().for_each(Shard::wait_for_writer);
        context.changes.share(&context.memory, &context.words, wait)
    }

    /// Turns to an entry that a walk reads and gives later.
    #[inline]
    pub fn ahead(&self, handle: Handle) -> Ahead<'_> {
        Ahead { local: self, handle, seen: self.seen_changes(handle) }
    }

    #[inline]
    fn seen_changes(&self, handle: Handle) -> u32 {
        let context = &self.store.context;
        let seen = context.changes.seen(handle.shard);
        // After that: a deadline that comes later makes the word move.
        if context.may_expire() { Changes::unseen(seen) } else { seen }
    }

    /// Kind and value of an entry, for iteration over values: it counts as no read.
    pub fn read_value(&self, handle: Handle, value_out: &mut Vec<u8>) -> Result<Option<(KeyKind, Found)>, Error> {
        self.find(handle, Look::Peek, |shard, tenant| {
            if let Err(refused) = fallible::copy_into(value_out, tenant.entry.value_bytes()) {
                return Some(Err(refused));
            }
            Some(Ok((tenant.entry.key().kind(), Found::of(self, shard, tenant)?)))
        })
        .and_then(Option::transpose)
    }

    /// Key and value of an entry, for iteration: it counts as no read.
    pub fn read_step(
        &self,
        handle: Handle,
        key_out: &mut Vec<u8>,
        value_out: &mut Vec<u8>,
    ) -> Result<Option<(KeyKind, Found)>, Error> {
        self.find(handle, Look::Peek, |shard, tenant| {
            let key = tenant.entry.key();
            let copied = fallible::copy_into(key_out, key.bytes())
                .and_then(|()| fallible::copy_into(value_out, tenant.entry.value_bytes()));
            match copied {
                Ok(()) => Some(Ok((key.kind(), Found::of(self, shard, tenant)?))),
                Err(refused) => Some(Err(refused)),
            }
        })
        .and_then(Option::transpose)
    }

    /// The same without the value's bytes, for callers that only ask for the key; how many bytes it has comes last.
    pub fn read_key(&self, handle: Handle, key_out: &mut Vec<u8>) -> Result<Option<(KeyKind, Found, usize)>, Error> {
        self.find(handle, Look::Peek, |shard, tenant| {
            let key = tenant.entry.key();
            if let Err(refused) = fallible::copy_into(key_out, key.bytes()) {
                return Some(Err(refused));
            }
            let place = shard.uncacheable_if_expiring(&self.store.context, tenant.place()?);
            let found = Found { kind: tenant.entry.value_kind(), place, type_id: tenant.entry.type_id() };
            Some(Ok((key.kind(), found, tenant.entry.value_len())))
        })
        .and_then(Option::transpose)
    }

    /// Adds reads that never came here because a fresh copy was at hand.
    pub fn add_near_hits(&self, hits: u64) {
        self.counters.near_hits.add(hits);
    }

    /// The version words of a chunk, unless they are gone.
    pub fn words(&self, chunk: u32) -> Option<Arc<Words>> {
        self.store.context.words.give(chunk)
    }

    /// Panics while a lock is held, so that tests can see what becomes of it.
    pub fn panic_for_test(&self) -> Result<(), Error> {
        self.store.all_shards()[0].panic_under_lock(&self.member())
    }
}

impl Store {
    /// Lets a thread take part.
    pub fn join(self: &Arc<Self>) -> Local {
        Local::new(Arc::clone(self))
    }

    /// Lets a thread look at the map for a moment. It is not among the threads that the statistics count.
    pub fn visit(self: &Arc<Self>) -> Local {
        Local::with_counters(Arc::clone(self), Arc::default())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // This looks at entries, for which the thread has to take part.
        if let (Some(hot_keys), Some(reads)) = (&self.store.hot_keys, &self.reads) {
            hot_keys.leave(reads, |handle| self.is_there(handle));
        }
        self.store.context.collector.leave(&self.participant);
        self.store.forget_counters(&self.counters);
        if let Some(sampler) = &self.sampler {
            self.store.forget_latency(sampler.histograms());
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;

    /// A reader that has to ask for the lock is not pinned while it waits, so the holder can wait for pins.
    #[test]
    fn a_reader_waits_for_the_lock_without_a_pin() {
        let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
        let (reader, key) = (store.join(), Key::string("k"));
        reader.set(key, Value::json("1"), Ttl::Default).unwrap();
        let (shard, collector) = (&store.all_shards()[0], &store.context.collector);
        let stillness = shard.stillness();
        let looks = &std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let store = &store;
            scope.spawn(move || {
                let hash = store.context.hasher.hash(key);
                let find = |_: &Pin<'_>| {
                    looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    Err(Contended)
                };
                assert_eq!(
                    reader.use_tenant(
                        shard,
                        Look::Peek,
                        find,
                        |still| shard.find_still(key, hash as u32, still),
                        |_, _| Some(())
                    ),
                    Some(())
                );
            });
            while looks.load(std::sync::atomic::Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            // Were the reader pinned, this would never come.
            let sealed = collector.seal();
            while collector.is_past(sealed) == Some(false) {
                std::thread::yield_now();
            }
            assert_eq!(looks.load(std::sync::atomic::Ordering::SeqCst), 1, "it waits for the lock");
            drop(stillness);
        });
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a lock is asked for under a pin")]
    fn a_pin_never_waits_for_a_lock() {
        let store = Store::new(&Config::default()).unwrap();
        let map = store.join();
        let _pin = map.pin();
        let _lock = store.all_shards()[0].stillness();
    }
}
