//! A map: its shards and what they share.

use std::ops::Range;
use std::time::Duration;

use super::instance;
use super::process::{Neighbour, Process};
use super::recoveries::Recoveries;
use super::remains::{Emptied, Remains};
use crate::store::config::Config;
use crate::store::entry::key::Key;
use crate::store::entry::shapes::Shapes;
use crate::store::error::Error;
use crate::store::events::{Events, Wake, lines};
use crate::store::eviction::Ghost;
use crate::store::eviction::Mark;
use crate::store::expiry::thread::{Expires, Expiry};
use crate::store::memory::budget::{Reservation, Use};
use crate::store::memory::reaper;
use crate::store::memory::reaper::Debris;
use crate::store::observe::hot_keys::HotKeys;
use crate::store::observe::latency::LatencyTable;
use crate::store::observe::memory_watch::MemoryWatch;
use crate::store::observe::removals::{Audience, Cause};
use crate::store::observe::stats::CounterTable;
use crate::store::platform::clock::{Clock, Patience};
use crate::store::platform::fallible;
use crate::store::platform::sync::{Arc, AtomicU32, AtomicU64, Mutex, Ordering, Weak};
use crate::store::shard::context::Context;
use crate::store::shard::member::Member;
use crate::store::shard::{Contents, Shard, shard_number};
use crate::store::slab::word_table::WordTable;

/// One map, for all threads of the process.
pub struct Store {
    instance: u32,
    config: Config,
    pub(crate) context: Arc<Context>,
    pub(super) process: Arc<Process>,
    shards: Box<[Shard]>,
    /// Where the next keyless entry goes.
    turn: AtomicU32,
    /// Where the next sample of shards begins.
    pub(crate) samples: AtomicU32,
    pub(super) counters: Mutex<CounterTable>,
    /// What threads have measured, in a map that wants that.
    pub(super) latency: Mutex<LatencyTable>,
    /// How often the index was sampled for statistics, which go on from there.
    pub(super) looks: AtomicU32,
    /// Since when statistics are counted, as the bits of an `f64`.
    pub(super) counted_from_ms: AtomicU64,
    /// What is logged of its memory.
    pub(super) memory_watch: MemoryWatch,
    /// What is woken when the map is destroyed. Bounded by the opens that are alive.
    endings: Mutex<Vec<Weak<dyn Wake>>>,
    expiry: Expiry,
    /// Samples of reads, where they are asked for.
    pub(crate) hot_keys: Option<HotKeys>,
    /// What its reads tell of other sizes, in a map that was made for that.
    pub(super) ghost: Option<Ghost>,
    pub(crate) recoveries: Recoveries,
    #[expect(dead_code, reason = "gives the fixed bytes back when it is dropped")]
    fixed: Reservation,
}

/// Entries that expire under one lock of their shard: some hundred microseconds.
const EXPIRED_PER_STEP: usize = 512;
/// Entries that one call of [`Store::purge_expired`] takes out.
const PURGED_PER_CALL: usize = 4_096;
/// And the time after which it takes out no more. So many entries of one shard take half of it; where each of
/// thousands of shards has a few, they take three times as long, because nothing of a shard is in the processor's
/// caches.
const PURGE_TIME: Duration = Duration::from_millis(2);

/// Contents of a map on their way out.
struct Detached {
    contents: Vec<Contents>,
    epoch: u64,
    /// After the contents, so that it is dropped after them, even if that panics.
    count: DebrisCount,
}

/// Bytes that count as being freed.
struct DebrisCount {
    bytes: usize,
    context: Arc<Context>,
}

impl DebrisCount {
    fn new(bytes: usize, context: &Arc<Context>) -> Self {
        context.debris.fetch_add(bytes as u64, Ordering::Relaxed);
        Self { bytes, context: Arc::clone(context) }
    }
}

impl Drop for DebrisCount {
    fn drop(&mut self) {
        self.context.debris.fetch_sub(self.bytes as u64, Ordering::Release);
    }
}

impl Debris for Detached {
    fn bytes(&self) -> usize {
        self.count.bytes
    }

    fn is_unreachable(&self) -> Option<bool> {
        self.count.context.collector.is_past(self.epoch)
    }

    fn free_some(&mut self) -> bool {
        let Some(contents) = self.contents.last_mut() else { return true };
        if contents.free_some() {
            self.contents.pop();
        }
        self.contents.is_empty()
    }

    fn owner(&self) -> usize {
        self.count.context.debris_owner()
    }

    fn leak(self: Box<Self>) {
        // Their bytes stay in use, but no write waits for them any more.
        self.count.context.has_lost.store(true, Ordering::Relaxed);
        self.contents.into_iter().for_each(std::mem::forget);
    }
}

impl Store {
    /// A new map of a configuration that is normalised. Fails if not even an empty one fits under the limit.
    pub(crate) fn make(config: Config) -> Result<Arc<Self>, Error> {
        let context = Arc::new(Context::new(&config));
        let shards = config.shards.unwrap_or(1);
        let fixed = Reservation::new(&context.memory, Use::Fixed, Self::fixed_bytes(shards))?;
        let initial_capacity = config.initial_capacity.unwrap_or(0);
        let expiry = Expiry::new(context.clock.clone(), Arc::clone(&context.attendance));
        let store = Self {
            instance: instance::next(),
            shards: fallible::slice(shards as usize, |number| Shard::new(number as u32, &context))?,
            hot_keys: config.hot_keys.unwrap_or_default().then(HotKeys::new).transpose()?,
            ghost: Self::make_ghost(&config, &context)?,
            config,
            context,
            process: Process::current(),
            turn: AtomicU32::new(0),
            samples: AtomicU32::new(0),
            counters: Mutex::new(CounterTable::default()),
            latency: Mutex::new(LatencyTable::default()),
            looks: AtomicU32::new(0),
            counted_from_ms: AtomicU64::new(0),
            memory_watch: MemoryWatch::default(),
            endings: Mutex::new(Vec::new()),
            expiry,
            recoveries: Recoveries::default(),
            fixed,
        };
        if initial_capacity > 0 {
            store.reserve(initial_capacity)?;
        }
        let store = Arc::new(store);
        let neighbour: Arc<dyn Neighbour> = store.clone();
        store.process.join(&neighbour);
        Ok(store)
    }

    /// Makes room in the index for this many entries at once, so that it does not grow until there are more. It does
    /// not shrink below that by itself.
    pub fn reserve(&self, entries: u64) -> Result<(), Error> {
        self.context.check()?;
        // Keys do not spread evenly: room for four standard deviations above a shard's share.
        let share = entries / u64::from(self.shards()) + 1;
        let share = share + 4 * share.isqrt();
        let share = usize::try_from(share).unwrap_or(usize::MAX);
        let reserved = self.as_guest(|member| self.shards.iter().try_for_each(|shard| shard.reserve(member, share)));
        if reserved.is_err() {
            // Not all or nothing would be room for some keys and a wasted limit for the others.
            self.shrink_to_fit()?;
        }
        reserved
    }

    /// Gives back what the entries that are there do not need: the index shrinks, step by step, to their number.
    pub fn shrink_to_fit(&self) -> Result<(), Error> {
        self.context.check()?;
        self.as_guest(|member| self.shards.iter().try_for_each(|shard| shard.shrink_to_fit(member)))
    }

    /// Does work that requires a participant.
    fn as_guest<T>(&self, work: impl FnOnce(&Member<'_>) -> T) -> T {
        self.context.as_guest(work)
    }

    pub(crate) fn fixed_bytes(shards: u32) -> usize {
        size_of::<Self>()
            + size_of::<Context>()
            + size_of::<Shapes>()
            + WordTable::bytes_for(shards)
            + shards as usize * size_of::<Shard>()
    }

    /// Removes entries whose deadline is over, at most as many as one call may take the time for. Returns their
    /// number.
    pub(crate) fn purge_expired(&self, member: &Member<'_>) -> Result<u64, Error> {
        self.purge_expired_for(member, &Patience::new(PURGE_TIME))
    }

    /// The same until so much time is over, but at least one entry if any is due.
    pub(crate) fn purge_expired_for(&self, member: &Member<'_>, patience: &Patience) -> Result<u64, Error> {
        let now_ms = self.context.clock.now_ms();
        let (mut left, mut gone) = (PURGED_PER_CALL, 0);
        for shard in &self.shards {
            while left > 0 && shard.next_deadline_ms() <= now_ms {
                let due = shard.expire_due(member, now_ms, EXPIRED_PER_STEP)?;
                left = left.saturating_sub(due.seen);
                gone += due.expired as u64;
                if gone > 0 && patience.is_over() {
                    return Ok(gone);
                }
            }
        }
        Ok(gone)
    }

    /// Schedules what is due next in a shard, so that it expires without a reader.
    #[inline]
    pub(crate) fn expect_expiry(self: &Arc<Self>, shard: &Shard) {
        self.expiry.schedule(shard.next_deadline_ms(), self);
    }

    /// The same for a load that is waited for in a shard, and for an entry that is to be loaded again.
    pub(crate) fn expect_lease(self: &Arc<Self>, shard: &Shard) {
        self.expiry.schedule(shard.next_lease_ms().min(shard.next_refresh_ms()), self);
    }

    /// Bytes that the map holds, everything counted.
    pub fn memory_bytes(&self) -> u64 {
        self.context.memory.total()
    }

    /// Bytes that it may hold, if there is a limit.
    pub fn memory_limit_bytes(&self) -> Option<u64> {
        self.context.memory.limit()
    }

    /// How many entries it may hold, if there is a limit.
    pub fn max_entries(&self) -> Option<u64> {
        self.context.max_entries()
    }

    /// How many bytes a value may have, if there is a limit.
    pub fn max_value_bytes(&self) -> Option<u64> {
        self.context.max_value_bytes()
    }

    /// Which hits a reader of copies outside the store has to record, and how.
    pub fn marking(&self) -> Mark {
        self.context.mark()
    }

    /// The map's clock.
    pub fn clock(&self) -> &Clock {
        &self.context.clock
    }

    /// Adds an audience for the causes in a set of [`crate::store::Cause::bit`]s.
    pub fn watch_removals(&self, causes: u32, wake: Arc<dyn Wake>) -> Audience {
        self.context.removals.subscribe(causes, wake)
    }

    /// Number of this map in the process, never used again.
    pub fn instance(&self) -> u32 {
        self.instance
    }

    /// What the map was made with, choices of its own filled in.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Number of shards, a power of two.
    pub fn shards(&self) -> u32 {
        self.shards.len() as u32
    }

    /// What happens in the map.
    pub fn events(&self) -> &Events {
        &self.context.events
    }

    pub(crate) fn all_shards(&self) -> &[Shard] {
        &self.shards
    }

    pub(crate) fn shard(&self, number: u32) -> Option<&Shard> {
        self.shards.get(number as usize)
    }

    /// The shard of a hash.
    #[inline]
    pub(crate) fn shard_of(&self, hash: u64) -> &Shard {
        &self.shards[shard_number(hash, self.shards.len() as u32) as usize]
    }

    /// Whether keys that differ in case only are the same.
    pub fn ignores_case(&self) -> bool {
        self.context.hasher.folds()
    }

    /// Whether two keys are one to the map.
    pub fn is_one_key(&self, one: Key<'_>, other: Key<'_>) -> bool {
        self.context.hasher.is_one_key(one, other)
    }

    /// Keyless entries go around.
    pub(crate) fn next_shard(&self) -> &Shard {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.shards[turn as usize & (self.shards.len() - 1)]
    }

    /// Entries in the map.
    pub fn len(&self) -> u64 {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes everything out, shard by shard, and lets the reaper free it. No commit comes in between.
    pub(crate) fn clear(&self, member: &Member<'_>) -> Result<u64, Error> {
        // From when the first shard was emptied until everything counts as debris.
        let _transfer = self.context.memory.transfer();
        let excluded = self.context.commits.exclude();
        self.context.check()?;
        let contents = self.take_contents(member, 0..self.shards.len());
        drop(excluded);
        Ok(self.dispose(contents))
    }

    /// The same with some shards of a map that has ended.
    pub(crate) fn clear_shards(&self, member: &Member<'_>, numbers: Range<usize>) -> u64 {
        let _transfer = self.context.memory.transfer();
        self.dispose(self.take_contents(member, numbers))
    }

    fn take_contents(&self, member: &Member<'_>, numbers: Range<usize>) -> Vec<Contents> {
        let mut contents = Vec::with_capacity(numbers.len());
        contents.extend(self.shards[numbers].iter().filter_map(|shard| shard.detach(member, Cause::Cleared)));
        contents
    }

    /// Lets the reaper free what was taken out of shards, in a transfer that began before. Returns how many entries
    /// that is.
    pub(crate) fn dispose(&self, contents: Vec<Contents>) -> u64 {
        if contents.is_empty() {
            return 0;
        }
        let entries = contents.iter().map(Contents::len).sum();
        let bytes: usize = contents.iter().map(Contents::bytes).sum();
        let count = DebrisCount::new(bytes, &self.context);
        reaper::dispose_and_begin(Detached { contents, epoch: self.context.collector.seal(), count });
        entries
    }

    /// Ends the map for all threads: every operation fails with [`Error::Closed`], no copy is fresh any more, and what
    /// was in it is taken out and freed, in the background if it is much.
    pub fn destroy(self: &Arc<Self>) {
        let excluded = self.context.commits.exclude();
        let is_first = self.context.destroy();
        drop(excluded);
        if is_first {
            self.context.events.log(&lines::MAP_DESTROYED, &[("entries", self.len())]);
            self.context.shapes.end();
            reaper::dispose(Remains::of_destroyed(&self.context, Arc::clone(self) as Arc<dyn Emptied>));
            let endings = std::mem::take(&mut *self.endings.lock());
            endings.iter().filter_map(Weak::upgrade).for_each(|ending| ending.wake());
        }
    }

    /// Has `ending` woken when the map is destroyed, which it may be already. The store does not keep it alive.
    pub fn watch_end(&self, ending: &Arc<dyn Wake>) {
        let mut endings = self.endings.lock();
        if endings.len() == endings.capacity() {
            endings.retain(|one| one.strong_count() > 0);
        }
        endings.push(Arc::downgrade(ending));
        drop(endings);
        if self.is_destroyed() {
            ending.wake();
        }
    }

    /// Whether a panic left it in doubt.
    pub fn is_broken(&self) -> bool {
        self.context.is_broken()
    }

    /// Whether [`Store::destroy`] was called.
    pub fn is_destroyed(&self) -> bool {
        self.context.check() == Err(Error::Closed)
    }

    /// The name of a type, as long as an entry has it.
    pub fn type_name(&self, id: u32) -> Option<Arc<str>> {
        self.context.types.name(id)
    }
}

impl Emptied for Store {
    fn empty_shards(&self, member: &Member<'_>, from: usize, count: usize) -> bool {
        let to = self.shards.len().min(from + count);
        // All of them may have been emptied before.
        self.clear_shards(member, from.min(to)..to);
        to == self.shards.len()
    }
}

impl Expires for Store {
    fn expire(&self, now_ms: u64) -> Option<u64> {
        let is_due = |shard: &&Shard| shard.next_due_ms() <= now_ms;
        if self.shards.iter().any(|shard| is_due(&shard)) {
            let expire = |member: &Member<'_>| {
                let mut due = self.shards.iter().filter(is_due);
                due.try_for_each(|shard| {
                    if shard.next_lease_ms() <= now_ms {
                        shard.end_leases(member)?;
                    }
                    if shard.next_stale_end_ms() <= now_ms {
                        shard.end_stale(member, now_ms, EXPIRED_PER_STEP)?;
                    }
                    if shard.next_refresh_ms() <= now_ms {
                        shard.end_refreshable_copies(member, now_ms, EXPIRED_PER_STEP)?;
                    }
                    shard.expire_due(member, now_ms, EXPIRED_PER_STEP).map(|_| ())
                })
            };
            // A map that was destroyed has nothing left to expire.
            self.as_guest(expire).ok()?;
        }
        let next_ms = self.shards.iter().map(Shard::next_due_ms).min();
        next_ms.filter(|&next_ms| next_ms != u64::MAX)
    }

    fn unattended(&self, is_news: bool) {
        if is_news {
            self.context.events.log(&lines::EXPIRY_UNATTENDED, &[]);
            // The thread ends when it breaks the map, too.
            let error = if self.is_broken() { Error::Broken } else { Error::ExpiryUnattended };
            self.context.errors.count(error.code());
            self.context.events.report(&error, "expire");
        }
        if self.context.attendance.take_copies() {
            self.shards.iter().for_each(Shard::end_expiring_copies);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        reaper::dispose(Remains::of_dropped(&self.context, std::mem::take(&mut self.shards)));
    }
}
