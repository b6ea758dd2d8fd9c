//! What all shards of a map share.

use std::collections::HashMap;

use super::config::Config;
use super::error::Error;
use super::events::{Events, Level};
use super::hash::KeyHasher;
use super::memory::Memory;
use super::reclaim::Collector;
use super::sync::{Arc, AtomicU8, AtomicU32, AtomicU64, Mutex, Ordering, Weak};
use super::words::Words;

const OPEN: u8 = 0;
const DESTROYED: u8 = 1;
const BROKEN: u8 = 2;

/// Memory, reclamation, hash function, counters and state of one map.
pub struct Context {
    pub memory: Arc<Memory>,
    pub collector: Collector,
    pub hasher: KeyHasher,
    pub events: Events,
    pub max_load_factor: f64,
    state: AtomicU8,
    /// Sequence of the last insertion.
    sequence: AtomicU64,
    max_entries: u64,
    /// Entries of the map; counted only where there is a limit, because all shards write it.
    entries: AtomicU64,
    next_chunk: AtomicU32,
    /// Words by the number of their chunk, as long as somebody holds them.
    words: Mutex<HashMap<u32, Weak<Words>>>,
}

impl Context {
    /// The context of a new map. `config` is normalised.
    pub fn new(config: &Config) -> Self {
        Self {
            memory: Arc::new(Memory::new(config.memory_limit_bytes)),
            collector: Collector::new(),
            hasher: KeyHasher::new(config.seed.unwrap_or_default()),
            events: Events::new(),
            max_load_factor: config.max_load_factor.unwrap_or(super::config::DEFAULT_MAX_LOAD_FACTOR),
            state: AtomicU8::new(OPEN),
            sequence: AtomicU64::new(0),
            max_entries: config.max_entries.unwrap_or(u64::MAX),
            entries: AtomicU64::new(0),
            next_chunk: AtomicU32::new(0),
            words: Mutex::new(HashMap::new()),
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

    /// Marks the map as destroyed; says whether this call did it.
    pub fn destroy(&self) -> bool {
        self.state.swap(DESTROYED, Ordering::AcqRel) != DESTROYED
    }

    /// Marks the map as broken, for good, and ends every copy of a value.
    pub fn mark_broken(&self) {
        let open = self.state.compare_exchange(OPEN, BROKEN, Ordering::AcqRel, Ordering::Relaxed);
        if open.is_ok() {
            // Nobody shall go on reading copies of what is in doubt.
            self.words.lock().values().filter_map(Weak::upgrade).for_each(|words| words.invalidate());
            self.events.log(Level::Error, "map.broken", &[]);
        }
    }

    /// The next insertion's place in the map-wide order. Under a shard's lock, so that each shard's only grow.
    pub fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Reserves one of the entries that the map may hold.
    pub fn admit_entry(&self) -> Result<(), Error> {
        if self.max_entries == u64::MAX {
            return Ok(());
        }
        let next = |entries: u64| (entries < self.max_entries).then_some(entries + 1);
        match self.entries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::EntryLimit { limit: self.max_entries }),
        }
    }

    /// Gives back what [`Context::admit_entry`] reserved, for this many entries.
    pub fn dismiss_entries(&self, entries: u64) {
        if self.max_entries != u64::MAX {
            self.entries.fetch_sub(entries, Ordering::Relaxed);
        }
    }

    /// Numbers a new chunk's words and makes them findable.
    pub fn register_words(&self, words: &Arc<Words>) -> u32 {
        let id = self.next_chunk.fetch_add(1, Ordering::Relaxed);
        let mut table = self.words.lock();
        table.insert(id, Arc::downgrade(words));
        // Chunks that went leave their numbers behind until the table would grow.
        if table.len() == table.capacity() {
            table.retain(|_, words| words.strong_count() > 0);
        }
        id
    }

    /// The words of a chunk, unless they are gone.
    pub fn words(&self, chunk: u32) -> Option<Arc<Words>> {
        self.words.lock().get(&chunk)?.upgrade()
    }
}
