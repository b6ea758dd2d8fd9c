//! What a map counts, and what it reports about itself.

use crate::store::memory::budget::{Memory, Use};
use crate::store::platform::sync::{AtomicU64, CachePadded, Ordering};

/// What one thread did with a map. Each is written by its own thread alone, so counting costs no atomic
/// read-modify-write.
#[derive(Debug, Default)]
pub struct Counters {
    pub hits: Counter,
    pub near_hits: Counter,
    pub misses: Counter,
    pub inserts: Counter,
    pub updates: Counter,
    pub deletes: Counter,
    pub clears: Counter,
    pub iterations: Counter,
    pub refusals: Counter,
}

/// A number with one writer and any readers.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Default for Counter {
    fn default() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Counter {
    /// Adds, in the counter's own thread.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed) + n, Ordering::Relaxed);
    }

    /// Reads, in any thread.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sums of all threads, past ones included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a count of what it is named after")]
pub struct Operations {
    /// Reads that found an entry, near-cache hits included.
    pub hits: u64,
    /// Those of them that never left JavaScript.
    pub near_hits: u64,
    /// Reads that found none.
    pub misses: u64,
    pub inserts: u64,
    pub updates: u64,
    pub deletes: u64,
    pub clears: u64,
    /// Batches of entries handed to iterators.
    pub iterations: u64,
    /// Writes that a limit refused.
    pub refusals: u64,
}

impl Operations {
    /// Adds one thread's counts.
    pub(crate) fn add(&mut self, counters: &CachePadded<Counters>) {
        self.hits += counters.hits.get() + counters.near_hits.get();
        self.near_hits += counters.near_hits.get();
        self.misses += counters.misses.get();
        self.inserts += counters.inserts.get();
        self.updates += counters.updates.get();
        self.deletes += counters.deletes.get();
        self.clears += counters.clears.get();
        self.iterations += counters.iterations.get();
        self.refusals += counters.refusals.get();
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.hits
            + self.misses
            + self.inserts
            + self.updates
            + self.deletes
            + self.clears
            + self.iterations
            + self.refusals
    }
}

/// Bytes by what they are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Pages and large blocks set aside for keys and values.
    pub entries: u64,
    /// The part of `entries` that live entries fill; what is left is free blocks, rounding and retired entries.
    pub live: u64,
    /// Index tables.
    pub index: u64,
    /// Slots.
    pub slab: u64,
    /// Version words.
    pub words: u64,
    /// Insertion order.
    pub order: u64,
    /// What the eviction policy keeps.
    pub policy: u64,
    /// Deadlines.
    pub expiry: u64,
    /// Names of types, and which entries have them.
    pub types: u64,
    /// Shapes of values, and what counts their entries.
    pub shapes: u64,
    /// The map itself.
    pub fixed: u64,
    /// The part of `entries` that waits until no reader can see it.
    pub retired: u64,
    /// Everything, `retired` included.
    pub total: u64,
    /// The limit, if there is one.
    pub limit: Option<u64>,
}

impl MemoryStats {
    pub(crate) fn new(memory: &Memory, live: u64, retired: u64) -> Self {
        Self {
            entries: memory.used(Use::Entries),
            live,
            index: memory.used(Use::Index),
            slab: memory.used(Use::Slab),
            words: memory.used(Use::Words),
            order: memory.used(Use::Order),
            policy: memory.used(Use::Policy),
            expiry: memory.used(Use::Expiry),
            types: memory.used(Use::Types),
            shapes: memory.used(Use::Shapes),
            fixed: memory.used(Use::Fixed),
            retired,
            total: memory.total(),
            limit: memory.limit(),
        }
    }
}

/// Shapes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeStats {
    /// Shapes that are known, those without entries included.
    pub count: u64,
    /// Bytes that they take, and what counts their entries.
    pub bytes: u64,
    /// Values that are stored as records.
    pub values: u64,
}

impl ShapeStats {
    pub(crate) fn new(count: usize, memory: &Memory, values: u64) -> Self {
        Self { count: count as u64, bytes: memory.used(Use::Shapes), values }
    }
}

/// Vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimdStats {
    /// Whether the map may use them.
    pub enabled: bool,
    /// Which it uses: `sse2`, or `none` where they are off or none of use.
    pub level: &'static str,
}

/// What a map reports about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Entries in the map.
    pub entries: u64,
    /// What all threads did.
    pub operations: Operations,
    /// Entries that were evicted for want of room.
    pub evictions: u64,
    /// Entries that were removed because their deadline was over.
    pub expirations: u64,
    /// Entries that have a deadline.
    pub deadlines: u64,
    /// Values of expired entries that are kept for loads.
    pub stale: u64,
    /// Largest number of entries, if there is a limit.
    pub max_entries: Option<u64>,
    /// Largest size of a value, if there is a limit.
    pub max_value_bytes: Option<u64>,
    /// Bytes.
    pub memory: MemoryStats,
    /// Shapes.
    pub shapes: ShapeStats,
    /// Words of all index tables.
    pub capacity: u64,
    /// Entries by key over `capacity`; 0 in an empty map.
    pub load_factor: f64,
    /// Number of shards.
    pub shards: u32,
    /// What lookups use of the processor.
    pub simd: SimdStats,
    /// Threads that have the map open, each open counted.
    pub threads: u64,
    /// Milliseconds since the map was made.
    pub uptime_ms: f64,
}
