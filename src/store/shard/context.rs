//! What all shards of a map share.

use std::time::Duration;

use crate::store::config::{Config, TtlOnUpdate, WhenFull};
use crate::store::entry::hash::KeyHasher;
use crate::store::entry::shapes::Shapes;
use crate::store::entry::types::Types;
use crate::store::error::Error;
use crate::store::events::{Events, lines};
use crate::store::eviction::{Mark, PolicyKind};
use crate::store::expiry::life::{Span, Ttl};
use crate::store::expiry::thread::Attendance;
use crate::store::index::probe::Simd;
use crate::store::memory::arena::MAX_BLOCK_BYTES;
use crate::store::memory::budget::{Memory, Use};
use crate::store::memory::reclaim::Collector;
use crate::store::memory::standing::Standing;
use crate::store::observe::balance::Balance;
use crate::store::observe::performance::Performance;
use crate::store::observe::pressure::Pressure;
use crate::store::observe::removals::Removals;
use crate::store::observe::stats::ErrorCounts;
use crate::store::platform::clock::Clock;
use crate::store::platform::sync::process::AtomicBool;
use crate::store::platform::sync::{Arc, AtomicU8, AtomicU64, Ordering, heavy_fence};
use crate::store::shard::changes::Changes;
use crate::store::shard::commits::Commits;
use crate::store::shard::seat::Seats;
use crate::store::slab::word_table::WordTable;

/// Evictions, one by one, that a write may wait for: half a millisecond. It takes some thousand small ones to make
/// room for 64 KiB.
const MAX_EVICTIONS: u64 = 1_024;

const OPEN: u8 = 0;
const DESTROYED: u8 = 1;
const BROKEN: u8 = 2;

/// Limits to be changed: `None` leaves one as it is, `Some(None)` removes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of everything the map holds.
    pub memory_limit_bytes: Option<Option<u64>>,
    /// Entries.
    pub max_entries: Option<Option<u64>>,
    /// Bytes of one value.
    pub max_value_bytes: Option<Option<u64>>,
}

/// Memory, reclamation, hash function, counters and state of one map.
pub struct Context {
    pub memory: Arc<Memory>,
    pub collector: Collector,
    pub hasher: KeyHasher,
    pub events: Events,
    /// How many errors there were.
    pub errors: ErrorCounts,
    pub removals: Arc<Removals>,
    pub types: Arc<Types>,
    pub shapes: Arc<Shapes>,
    pub pressure: Arc<Pressure>,
    /// What takes longer than it should.
    pub performance: Performance,
    /// Whether writes are spread over the shards.
    pub balance: Balance,
    pub clock: Clock,
    pub shards: u32,
    pub max_load_factor: f64,
    /// Whether tables are resized only where they have to be.
    holds_tables: AtomicBool,
    /// Whether other maps evict before this one, if the limit of the process refuses a write.
    pub standing: Standing,
    /// What lookups may use of the processor.
    pub simd: Simd,
    /// The eviction policy, where shards keep one.
    pub policy: Option<PolicyKind>,
    pub when_full: WhenFull,
    pub ttl_on_update: TtlOnUpdate,
    pub sliding: bool,
    strict_ttl: bool,
    /// Whether a thread is there that ends copies when their deadline is over.
    pub attendance: Arc<Attendance>,
    ttl_ms: Option<u64>,
    state: AtomicU8,
    /// 1 once an entry had a deadline.
    may_expire: AtomicU8,
    /// Sequence of the last insertion.
    sequence: AtomicU64,
    /// Whether the map has limits, or may get some.
    pub is_bounded: bool,
    max_entries: AtomicU64,
    /// How many there may be for now, after that limit was lowered; below it otherwise.
    entries_ceiling: AtomicU64,
    max_value_bytes: AtomicU64,
    /// Entries of the map; counted only where there may be a limit, because all shards write it.
    entries: AtomicU64,
    /// Bytes that were taken out and that are being freed in the background.
    pub debris: Arc<AtomicU64>,
    /// Whether memory was lost, because it was never certain that no reader looks at it: it is counted and in no
    /// structure.
    pub has_lost: Arc<AtomicBool>,
    /// Where version words are found.
    pub words: WordTable,
    /// How often each shard changed.
    pub changes: Changes,
    /// Values of expired entries that are kept for loads.
    pub stale_entries: AtomicU64,
    /// Where the threads are reached that load values.
    pub seats: Seats,
    /// What commits exclude, and whether one is under way.
    pub commits: Commits,
}

impl Context {
    /// The context of a new map. `config` is normalised.
    pub fn new(config: &Config) -> Self {
        let events = Events::new();
        let memory = Memory::of_process(config.memory_limit_bytes, events.clone());
        let types = Arc::new(Types::new(&memory));
        let shapes = Arc::new(Shapes::new(&memory));
        Self {
            memory,
            collector: Collector::new(),
            hasher: KeyHasher::new(
                config.hash.unwrap_or_default(),
                config.seed.unwrap_or_default(),
                config.ignores_case.unwrap_or_default(),
            ),
            events,
            errors: ErrorCounts::default(),
            removals: Arc::new(Removals::new(&types, &shapes)),
            types,
            shapes,
            pressure: Arc::default(),
            performance: Performance::new(config.time_targets),
            balance: Balance::new(config.shards.unwrap_or(1)),
            clock: if config.manual_clock { Clock::manual() } else { Clock::system() },
            shards: config.shards.unwrap_or(1),
            policy: config.policy(),
            when_full: config.when_full.unwrap_or_default(),
            ttl_on_update: config.ttl_on_update.unwrap_or_default(),
            sliding: config.sliding.unwrap_or_default(),
            strict_ttl: config.strict_ttl.unwrap_or_default(),
            attendance: Arc::default(),
            ttl_ms: config.ttl_ms,
            max_load_factor: config.max_load_factor.unwrap_or(crate::store::config::DEFAULT_MAX_LOAD_FACTOR),
            holds_tables: AtomicBool::new(false),
            standing: Standing::new(),
            simd: if config.simd == Some(false) { Simd::None } else { Simd::best() },
            state: AtomicU8::new(OPEN),
            may_expire: AtomicU8::new(0),
            sequence: AtomicU64::new(0),
            is_bounded: config.is_bounded(),
            max_entries: AtomicU64::new(config.max_entries.unwrap_or(u64::MAX)),
            entries_ceiling: AtomicU64::new(0),
            max_value_bytes: AtomicU64::new(config.max_value_bytes.unwrap_or(u64::MAX)),
            entries: AtomicU64::new(0),
            debris: Arc::new(AtomicU64::new(0)),
            has_lost: Arc::default(),
            words: WordTable::new(config.shards.unwrap_or(1)),
            changes: Changes::new(config.shards.unwrap_or(1)),
            stale_entries: AtomicU64::new(0),
            seats: Seats::default(),
            commits: Commits::default(),
        }
    }

    /// Refuses work on a map that was destroyed or broken.
    #[inline]
    pub fn check(&self) -> Result<(), Error> {
        match self.state.load(Ordering::Relaxed) {
            OPEN => Ok(()),
            BROKEN => Err(Error::Broken),
            _ => Err(Error::Closed),
        }
    }

    /// Marks the map as destroyed, and ends every copy of a value; returns whether this call did it.
    pub fn destroy(&self) -> bool {
        let is_first = self.state.swap(DESTROYED, Ordering::AcqRel) != DESTROYED;
        if is_first {
            self.end_copies();
        }
        is_first
    }

    /// Marks the map as broken, until it is recovered, and ends every copy of a value.
    pub fn mark_broken(&self) {
        let open = self.state.compare_exchange(OPEN, BROKEN, Ordering::AcqRel, Ordering::Relaxed);
        if open.is_ok() {
            // No thread may go on reading copies of what is in doubt.
            self.end_copies();
            self.errors.count_corruptions(1);
            self.events.log(&lines::MAP_BROKEN, &[]);
        }
    }

    /// A broken map goes on with what its shards hold now, `entries` of them. False if it was destroyed meanwhile. For
    /// the holder of the lock of commits, after each shard was replaced under its lock.
    pub fn resume(&self, entries: u64) -> bool {
        self.stale_entries.store(0, Ordering::Relaxed);
        self.entries.store(entries, Ordering::Relaxed);
        self.entries_ceiling.store(entries.saturating_sub(1), Ordering::Relaxed);
        self.memory.set_limit(self.memory.limit());
        self.commits.resume();
        self.words.resume();
        if heavy_fence().is_none() {
            // Refused. No processor keeps a store to itself for that long.
            std::thread::sleep(Duration::from_millis(1));
        }
        // After the fence: a thread that finds the map open finds what the shards hold.
        self.state.compare_exchange(BROKEN, OPEN, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether the map is broken.
    pub fn is_broken(&self) -> bool {
        self.check() == Err(Error::Broken)
    }

    /// Ends every copy of a value, for good, in a map that just ended, and what waits for a load. Writers hold their
    /// locks and may be settling a version: by this fence and the one with which each leaves, either the words are
    /// ended after that, or the writer sees that the map ended and ends them itself.
    fn end_copies(&self) {
        if heavy_fence().is_none() {
            // Refused. No processor keeps a store to itself for that long.
            std::thread::sleep(Duration::from_millis(1));
        }
        self.words.end();
        self.changes.end_all();
        self.seats.end();
    }

    /// The next insertion's place in the map-wide order. Under a shard's lock, so that each shard's only grow. An
    /// insertion that is refused leaves a gap.
    pub fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The place of the last insertion. Entries up to it are there for any thread that reads their shard afterwards.
    pub fn last_sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// Reserves one of the entries that the map may hold. After the limit was lowered, each that is admitted leaves
    /// room for one less, until the limit is reached.
    pub fn admit_entry(&self) -> Result<(), Error> {
        if !self.is_bounded {
            return Ok(());
        }
        let limit = self.max_entries.load(Ordering::Relaxed);
        let ceiling = self.entries_ceiling.load(Ordering::Relaxed);
        let next = |entries: u64| (entries < limit.max(ceiling)).then_some(entries + 1);
        if self.entries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_err() {
            return Err(Error::EntryLimit { limit });
        }
        if ceiling > limit {
            self.entries_ceiling.store(ceiling - 1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Gives back what [`Context::admit_entry`] reserved, for this many entries.
    pub fn release_entries(&self, entries: u64) {
        if self.is_bounded {
            self.entries.fetch_sub(entries, Ordering::Relaxed);
        }
    }

    /// The largest number of entries, if there is a limit.
    pub fn max_entries(&self) -> Option<u64> {
        Some(self.max_entries.load(Ordering::Relaxed)).filter(|&limit| limit != u64::MAX)
    }

    /// The largest size of a value, if there is a limit.
    pub fn max_value_bytes(&self) -> Option<u64> {
        Some(self.max_value_bytes.load(Ordering::Relaxed)).filter(|&limit| limit != u64::MAX)
    }

    /// Changes limits. No entry is evicted here: each write that follows makes more room than it takes.
    pub fn set_limits(&self, limits: &Limits) -> Result<(), Error> {
        let adds_one = limits.memory_limit_bytes.flatten().or(limits.max_entries.flatten()).is_some();
        if adds_one && !self.is_bounded {
            return Err(Error::Unbounded);
        }
        if let Some(limit) = limits.memory_limit_bytes {
            self.memory.set_limit(limit);
            self.pressure.update(&*self.memory);
        }
        if let Some(limit) = limits.max_entries {
            self.max_entries.store(limit.unwrap_or(u64::MAX), Ordering::Relaxed);
            self.entries_ceiling.store(self.entries.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        }
        if let Some(limit) = limits.max_value_bytes {
            self.max_value_bytes.store(limit.unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Refuses a value that is larger than a value may be, before any entry is evicted for it.
    pub fn check_value(&self, value_bytes: usize) -> Result<(), Error> {
        let limit_bytes = self.max_value_bytes.load(Ordering::Relaxed);
        if value_bytes as u64 > limit_bytes {
            return Err(Error::ValueTooLarge { bytes: value_bytes as u64, limit_bytes });
        }
        Ok(())
    }

    /// About how many of so many entries would have to be evicted one by one for so many bytes.
    pub fn evictions_for(&self, bytes: u64, entries: u64) -> u64 {
        let entry_bytes = self.memory.used(Use::Entries) / entries.max(1);
        bytes / entry_bytes.max(1)
    }

    /// Whether a refused request is for a value of so many bytes that evicting one entry after the other for it would
    /// take too long. Not a request of an index or a slab that grows: one entry less makes that unnecessary.
    pub fn is_for_large_value(&self, requested_bytes: u64, value_bytes: usize, entries: u64) -> bool {
        self.when_full == WhenFull::Evict
            && self.policy.is_some()
            && value_bytes > MAX_BLOCK_BYTES
            && requested_bytes <= 2 * value_bytes as u64
            && self.evictions_for(requested_bytes, entries) > MAX_EVICTIONS
    }

    /// Refuses an entry that would not fit if it were the only one.
    pub fn check_weight(&self, weight_bytes: impl FnOnce() -> usize) -> Result<(), Error> {
        let process_bytes = self.memory.process_limit();
        if !self.is_bounded && process_bytes.is_none() {
            return Ok(());
        }
        let weight_bytes = weight_bytes();
        let limit_bytes = self.memory.room_for_entries(self.shards).min(process_bytes.unwrap_or(u64::MAX));
        if weight_bytes as u64 > limit_bytes {
            return Err(Error::ValueTooLarge { bytes: weight_bytes as u64, limit_bytes });
        }
        // What evicts would do so for nothing.
        let limit_bytes = self.memory.room_in_process(self.shards);
        if self.policy.is_some() && weight_bytes as u64 > limit_bytes {
            return Err(Error::ValueTooLarge { bytes: weight_bytes as u64, limit_bytes });
        }
        Ok(())
    }

    /// Whether copies may be kept outside the store of entries that have a deadline. Not with `sliding`, where a hit
    /// must prolong a life, nor with `strictTtl`, where a hit must look at the clock, nor without a thread that ends
    /// them in time.
    #[inline]
    pub fn keeps_expiring_copies(&self) -> bool {
        !(self.sliding || self.strict_ttl) && self.attendance.is_there()
    }

    /// Whether memory that was cleared is still being freed.
    pub fn is_freeing(&self) -> bool {
        self.debris.load(Ordering::Acquire) > 0
    }

    /// Whether some of the bytes in use were lost for good.
    pub fn has_lost(&self) -> bool {
        self.has_lost.load(Ordering::Relaxed)
    }

    /// What the reaper knows this map's debris by.
    pub fn debris_owner(&self) -> usize {
        Arc::as_ptr(&self.memory) as usize
    }

    /// Has tables resized only where they have to be, in shards that begin after this, or no longer so.
    pub fn hold_tables(&self, holds: bool) {
        self.holds_tables.store(holds, Ordering::Relaxed);
    }

    /// Whether tables are resized only where they have to be.
    pub fn holds_tables(&self) -> bool {
        self.holds_tables.load(Ordering::Relaxed)
    }

    /// Which hits have to be marked.
    pub fn mark(&self) -> Mark {
        self.policy.map_or(Mark::None, PolicyKind::mark)
    }

    /// The deadline of an entry that is written now, if it gets one.
    pub fn span(&self, ttl: Ttl, now_ms: impl FnOnce() -> u64) -> Option<Span> {
        let ttl_ms = match ttl {
            Ttl::Default | Ttl::Keep => self.ttl_ms?,
            Ttl::Never => return None,
            Ttl::Of(ttl_ms) => ttl_ms,
        };
        Some(Span::new(now_ms(), ttl_ms))
    }

    /// Whether a write with this ttl leaves the deadline of an entry that is there as it is.
    pub fn keeps_deadline(&self, ttl: Ttl) -> bool {
        ttl == Ttl::Keep || ttl == Ttl::Default && self.ttl_on_update == TtlOnUpdate::Keep
    }

    /// Whether any entry ever had a deadline, so that reads have to look.
    #[inline]
    pub fn may_expire(&self) -> bool {
        self.may_expire.load(Ordering::Relaxed) != 0
    }

    /// An entry gets a deadline. Before it is published, so that each reader that finds the entry looks for it.
    pub fn expect_expiry(&self) {
        self.may_expire.store(1, Ordering::Relaxed);
    }

    /// Entries that were admitted, where they are counted.
    pub fn admitted_entries(&self) -> Option<u64> {
        self.is_bounded.then(|| self.entries.load(Ordering::Relaxed))
    }
}
