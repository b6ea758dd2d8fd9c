//! How a map is made.

/// What a map was asked to be. `None` leaves a choice to the store; [`crate::store::Store::config`] tells what it chose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Number of shards, rounded up to a power of two, 1 to 65,536.
    pub shards: Option<u32>,
    /// Entries to make room for at once.
    pub initial_capacity: Option<u64>,
    /// Fill at which an index table grows, 0.25 to 0.95.
    pub max_load_factor: Option<f64>,
    /// Seed of the hash function.
    pub seed: Option<u64>,
    /// Whether SIMD may be used where the processor has it.
    pub simd: Option<bool>,
    /// Byte limit over everything the map holds.
    pub memory_limit_bytes: Option<u64>,
    /// Largest number of entries.
    pub max_entries: Option<u64>,
}

/// Fill at which an index table grows unless told otherwise. Linear probing looks at 13 words for a miss there, which are
/// two cache lines, and the table costs 10 bytes an entry.
pub const DEFAULT_MAX_LOAD_FACTOR: f64 = 0.8;

/// The largest number of shards: a handle's shard and a few bits more would still fit the 64 bits of a hash.
pub const MAX_SHARDS: u32 = 1 << 16;

/// Shards per core. Two writers meet in one shard with probability 1 / shards.
const SHARDS_PER_CORE: u32 = 4;

/// Entries that each shard of a bounded map should be able to hold: with fewer, an uneven spread of keys would fill one
/// shard while others have room.
const MIN_SHARD_ENTRIES: u64 = 1_024;

/// The same in bytes.
const MIN_SHARD_BYTES: u64 = 256 * 1_024;

impl Config {
    /// Fills in what was left open.
    pub(super) fn normalised(&self) -> Self {
        Self {
            shards: Some(
                self.shards.map_or_else(|| self.default_shards(), |n| n.clamp(1, MAX_SHARDS).next_power_of_two()),
            ),
            initial_capacity: self.initial_capacity,
            max_load_factor: Some(self.max_load_factor.unwrap_or(DEFAULT_MAX_LOAD_FACTOR).clamp(0.25, 0.95)),
            seed: Some(self.seed.unwrap_or_else(super::hash::KeyHasher::random_seed)),
            simd: Some(self.simd.unwrap_or(true)),
            memory_limit_bytes: self.memory_limit_bytes,
            max_entries: self.max_entries,
        }
    }

    fn default_shards(&self) -> u32 {
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
        let wanted = cores.saturating_mul(SHARDS_PER_CORE).clamp(1, 256).next_power_of_two();
        let by_entries = self.max_entries.map_or(u64::MAX, |n| n / MIN_SHARD_ENTRIES);
        let by_bytes = self.memory_limit_bytes.map_or(u64::MAX, |n| n / MIN_SHARD_BYTES);
        let most = u32::try_from(by_entries.min(by_bytes).max(1)).unwrap_or(u32::MAX);
        // The largest power of two that is not above `most`.
        wanted.min(1 << most.ilog2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_limit_leaves_each_shard_room() {
        let shards = |max_entries| Config { max_entries: Some(max_entries), ..Config::default() }.normalised().shards;
        assert_eq!(shards(10), Some(1));
        assert_eq!(shards(2_047), Some(1));
        assert_eq!(shards(2_048), Some(2));
        let tiny = Config { memory_limit_bytes: Some(300_000), ..Config::default() };
        assert_eq!(tiny.normalised().shards, Some(1));
    }

    #[test]
    fn a_given_number_of_shards_is_rounded_up() {
        let shards = |n| Config { shards: Some(n), ..Config::default() }.normalised().shards;
        assert_eq!((shards(1), shards(3), shards(8), shards(0)), (Some(1), Some(4), Some(8), Some(1)));
    }
}
