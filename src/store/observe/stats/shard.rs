//! What a shard counts under its lock, and what it reports.

use super::index::IndexStats;
use super::loads::LoadStats;
use super::removals::RemovalStats;
use crate::store::memory::arena::Blocks;
use crate::store::observe::removals::Cause;
use crate::store::platform::counted_lock::LockCounts;

/// What a shard counts. Written under its lock, so counting costs an addition.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShardCounts {
    /// Bytes of the keys of living entries.
    pub key_bytes: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// What left, by the cause.
    pub removals: RemovalStats,
    /// Loads that ended, and calls that waited for one.
    pub loads: LoadStats,
    /// Blocks of what was detached: all of them count as freed.
    pub detached: Blocks,
}

impl ShardCounts {
    /// Begins to count anew; what is there stays what it is.
    pub fn reset(&mut self) {
        *self = Self { key_bytes: self.key_bytes, value_bytes: self.value_bytes, ..Self::default() };
    }

    /// What is held was made anew; what was counted goes on.
    pub fn go_on_from(&mut self, before: &Self, blocks: Blocks) {
        let (key_bytes, value_bytes) = (self.key_bytes, self.value_bytes);
        *self = *before;
        self.detach(Cause::Cleared, 0, blocks);
        (self.key_bytes, self.value_bytes) = (key_bytes, value_bytes);
    }

    /// Everything was taken out at once.
    pub fn detach(&mut self, cause: Cause, entries: u64, blocks: Blocks) {
        (self.key_bytes, self.value_bytes) = (0, 0);
        self.removals.count(cause, entries);
        self.detached.allocations += blocks.allocations;
        self.detached.frees += blocks.allocations;
    }
}

/// What one shard reports, or all together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ShardStats {
    /// Entries.
    pub entries: u64,
    /// Bytes of their blocks.
    pub live_bytes: u64,
    /// Bytes of their keys.
    pub key_bytes: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// Bytes that wait until no reader can see them.
    pub retired_bytes: u64,
    /// Blocks.
    pub blocks: Blocks,
    /// Entries that are records.
    pub records: u64,
    /// Entries that have a deadline.
    pub deadlines: u64,
    /// Values of expired entries that are kept for loads.
    pub stale: u64,
    /// What left.
    pub removals: RemovalStats,
    /// Loads.
    pub loads: LoadStats,
    /// Its lock.
    pub locks: LockCounts,
    /// Tables.
    pub index: IndexStats,
}

impl ShardStats {
    /// Adds those of another shard.
    pub fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.live_bytes += other.live_bytes;
        self.key_bytes += other.key_bytes;
        self.value_bytes += other.value_bytes;
        self.retired_bytes += other.retired_bytes;
        self.blocks.add(&other.blocks);
        self.records += other.records;
        self.deadlines += other.deadlines;
        self.stale += other.stale;
        self.removals.add(&other.removals);
        self.loads.add(&other.loads);
        self.locks.add(&other.locks);
        self.index.add(&other.index);
    }
}

/// The figures of a shard, by name, as they go to JavaScript.
type Figure = (&'static str, fn(&ShardStats) -> f64);

/// All of them, in order.
const FIGURES: [Figure; 28] = [
    ("entries", |shard| shard.entries as f64),
    ("handles", |shard| (shard.entries - shard.index.keyed) as f64),
    ("deadlines", |shard| shard.deadlines as f64),
    ("stale", |shard| shard.stale as f64),
    ("live", |shard| shard.live_bytes as f64),
    ("keys", |shard| shard.key_bytes as f64),
    ("values", |shard| shard.value_bytes as f64),
    ("retired", |shard| shard.retired_bytes as f64),
    ("explicit", |shard| shard.removals.of(Cause::Explicit) as f64),
    ("replaced", |shard| shard.removals.of(Cause::Replaced) as f64),
    ("evicted", |shard| shard.removals.of(Cause::Evicted) as f64),
    ("expired", |shard| shard.removals.of(Cause::Expired) as f64),
    ("cleared", |shard| shard.removals.of(Cause::Cleared) as f64),
    ("loaded", |shard| shard.loads.count as f64),
    ("failures", |shard| shard.loads.failures as f64),
    ("shared", |shard| shard.loads.shared as f64),
    ("underWay", |shard| shard.loads.under_way as f64),
    ("acquisitions", |shard| shard.locks.acquisitions as f64),
    ("waits", |shard| shard.locks.waits as f64),
    ("waitNs", |shard| shard.locks.waited_ns as f64),
    ("capacity", |shard| shard.index.capacity as f64),
    ("loadFactor", |shard| shard.index.load_factor()),
    ("meanProbe", |shard| shard.index.probes.mean()),
    ("longestProbe", |shard| shard.index.probes.longest as f64),
    ("collisions", |shard| shard.index.probes.displaced_of(shard.index.keyed) as f64),
    ("growths", |shard| shard.index.growths as f64),
    ("shrinks", |shard| shard.index.shrinks as f64),
    ("migrationProgress", |shard| shard.index.progress()),
];

/// How many figures a shard has.
const SHARD_FIGURES: usize = FIGURES.len();

/// Their names, in their order.
#[cfg(feature = "binding")]
pub fn shard_figure_names() -> [&'static str; SHARD_FIGURES] {
    FIGURES.map(|(name, _)| name)
}

impl ShardStats {
    /// Its figures, in their order.
    pub fn figures(&self) -> [f64; SHARD_FIGURES] {
        FIGURES.map(|(_, figure)| figure(self))
    }
}
