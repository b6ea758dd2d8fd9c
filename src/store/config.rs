//! How a map is made.

use super::eviction::PolicyKind;
use crate::store::entry::algorithm::Algorithm;
use crate::store::observe::performance::TimeTargets;

/// What happens to a write that finds no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Other entries are removed: expired ones, then those that the policy chooses.
    #[default]
    Evict,
    /// The write is refused.
    Reject,
    /// Expired entries are removed; if that is not enough, the write is refused.
    EvictExpired,
    /// Expired entries are removed, then those that were not used for as long; if that is not enough, the write is
    /// refused.
    EvictIdle {
        /// For how long.
        idle_ms: u64,
    },
    /// Expired entries are removed; if that is not enough, the write is refused, and the caller chooses an entry,
    /// evicts it with [`super::Local::evict_entry`] and writes again.
    CallerChooses,
    /// The same, and the caller makes room in some way of its own.
    CallerFrees,
}

impl WhenFull {
    /// Whether the caller may make room and retry a refused write.
    pub(super) fn asks_caller(self) -> bool {
        matches!(self, Self::CallerChooses | Self::CallerFrees)
    }
}

/// What a write to an entry that is there does to its deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TtlOnUpdate {
    /// The same as writing it anew.
    #[default]
    Renew,
    /// Nothing, unless the write brings a time to live of its own.
    Keep,
}

/// How a map recovers by itself. By default it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AutoRecovery {
    /// Attempts in the life of the map.
    pub attempts: u32,
    /// Milliseconds after which one of them is given up.
    pub timeout_ms: u64,
}

/// A limit or a time to live that is said to be none.
pub const NONE: u64 = u64::MAX;

/// What a map was asked to be. `None` leaves a choice to the store; [`crate::store::Store::config`] returns what it
/// chose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Number of shards, rounded up to a power of two, 1 to 4,096.
    pub shards: Option<u32>,
    /// Entries to make room for at once.
    pub initial_capacity: Option<u64>,
    /// Fill at which an index table grows, 0.25 to 0.95.
    pub max_load_factor: Option<f64>,
    /// The hash function.
    pub hash: Option<Algorithm>,
    /// Seed of the hash function.
    pub seed: Option<u64>,
    /// Whether keys that differ in case only are the same.
    pub ignores_case: Option<bool>,
    /// Whether the threads of the map pass each key through a function of their own before it comes here.
    pub normalises_keys: bool,
    /// Whether SIMD may be used where the processor has it.
    pub simd: Option<bool>,
    /// Byte limit over everything the map holds. This, the two below and `ttl_ms` can be [`NONE`].
    pub memory_limit_bytes: Option<u64>,
    /// Largest number of entries.
    pub max_entries: Option<u64>,
    /// Largest size of a value.
    pub max_value_bytes: Option<u64>,
    /// Chooses evictions. If it is given, a map without limits keeps it up to date, too, so that limits can be set
    /// later.
    pub eviction: Option<PolicyKind>,
    /// What happens when there is no room.
    pub when_full: Option<WhenFull>,
    /// How long entries live.
    pub ttl_ms: Option<u64>,
    /// What a write to an entry does to its deadline.
    pub ttl_on_update: Option<TtlOnUpdate>,
    /// Whether a read renews an entry's time to live.
    pub sliding: Option<bool>,
    /// Whether no copy of an entry with a deadline may be kept outside the store.
    pub strict_ttl: Option<bool>,
    /// Whether operations are timed.
    pub latency: Option<bool>,
    /// Whether reads are sampled, to know which keys are read most.
    pub hot_keys: Option<bool>,
    /// Whether it is known how often reads would hit with more and with less memory.
    pub ghost_cache: Option<bool>,
    /// How long they may take.
    pub time_targets: Option<TimeTargets>,
    /// What encodes and decodes the values: a word of JavaScript, or the content type of functions of the user. The
    /// store compares it and shows it.
    pub codec: Option<String>,
    /// Whether the map recovers by itself after it broke.
    pub auto_recovery: Option<AutoRecovery>,
    /// Whether time stands still until [`crate::store::platform::clock::Clock::advance`]; for tests.
    pub manual_clock: bool,
}

/// Fill at which an index table grows by default. Linear probing looks at 13 words for a miss there, which are two
/// cache lines, and the table costs 10 bytes an entry.
pub const DEFAULT_MAX_LOAD_FACTOR: f64 = 0.8;

/// What encodes the values by default.
const DEFAULT_CODEC: &str = "json";

/// The largest number of shards. Whatever looks at each of them once stays below five milliseconds with so many.
pub const MAX_SHARDS: u32 = 1 << 12;

/// Shards per core. Two writers meet in one shard with probability 1 / shards.
const SHARDS_PER_CORE: u32 = 4;

/// Entries that each shard of a bounded map should be able to hold: with fewer, an uneven spread of keys would fill one
/// shard while others have room.
pub const MIN_SHARD_ENTRIES: u64 = 1_024;

/// The same in bytes.
pub const MIN_SHARD_BYTES: u64 = 256 * 1_024;

impl Config {
    /// Fills in what was not set.
    pub(super) fn normalised(&self) -> Self {
        let limit = |given: Option<u64>| given.filter(|limit| *limit != NONE);
        Self {
            memory_limit_bytes: limit(self.memory_limit_bytes),
            max_entries: limit(self.max_entries),
            max_value_bytes: limit(self.max_value_bytes),
            ttl_ms: limit(self.ttl_ms),
            ..self.clone()
        }
        .with_defaults()
    }

    fn with_defaults(&self) -> Self {
        Self {
            shards: Some(
                self.shards.map_or_else(|| self.default_shards(), |n| n.clamp(1, MAX_SHARDS).next_power_of_two()),
            ),
            initial_capacity: self.initial_capacity,
            max_load_factor: Some(self.max_load_factor.unwrap_or(DEFAULT_MAX_LOAD_FACTOR).clamp(0.25, 0.95)),
            hash: Some(self.hash.unwrap_or_default()),
            seed: Some(self.seed.unwrap_or_else(crate::store::entry::hash::KeyHasher::random_seed)),
            ignores_case: Some(self.ignores_case.unwrap_or(false)),
            normalises_keys: self.normalises_keys,
            simd: Some(self.simd.unwrap_or(true)),
            memory_limit_bytes: self.memory_limit_bytes,
            max_entries: self.max_entries,
            max_value_bytes: self.max_value_bytes,
            eviction: self.eviction.or_else(|| self.evicts_for_limits().then(PolicyKind::default)),
            when_full: Some(self.when_full.unwrap_or_default()),
            ttl_ms: self.ttl_ms,
            ttl_on_update: Some(self.ttl_on_update.unwrap_or_default()),
            sliding: Some(self.sliding.unwrap_or(false)),
            strict_ttl: Some(self.strict_ttl.unwrap_or(false)),
            latency: Some(self.latency.unwrap_or(false)),
            hot_keys: Some(self.hot_keys.unwrap_or(false)),
            ghost_cache: Some(self.ghost_cache.unwrap_or(false)),
            time_targets: self.time_targets,
            codec: Some(self.codec.clone().unwrap_or_else(|| DEFAULT_CODEC.to_owned())),
            auto_recovery: Some(self.auto_recovery.unwrap_or_default()),
            manual_clock: self.manual_clock,
        }
    }

    fn evicts_for_limits(&self) -> bool {
        let has_limit = self.memory_limit_bytes.is_some() || self.max_entries.is_some();
        let when_full = self.when_full.unwrap_or_default();
        has_limit && (when_full == WhenFull::Evict || when_full.asks_caller())
    }

    /// Whether the map has limits, or was made to have some later.
    pub(super) fn is_bounded(&self) -> bool {
        self.memory_limit_bytes.is_some() || self.max_entries.is_some() || self.eviction.is_some()
    }

    /// The policy that the shards follow, if they follow one. Of a normalised configuration.
    pub(super) fn policy(&self) -> Option<PolicyKind> {
        match self.when_full {
            Some(WhenFull::EvictIdle { idle_ms }) => Some(PolicyKind::Idle { idle_ms }),
            _ => self.eviction,
        }
    }

    fn default_shards(&self) -> u32 {
        if self.when_full == Some(WhenFull::CallerFrees) {
            // A caller that is asked once frees what it finds, and what is freed in one shard is no room in another.
            return 1;
        }
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
    fn a_limit_that_is_none_is_none() {
        let said = Config {
            memory_limit_bytes: Some(NONE),
            max_entries: Some(NONE),
            max_value_bytes: Some(NONE),
            ttl_ms: Some(NONE),
            seed: Some(7),
            ..Config::default()
        };
        assert_eq!(said.normalised(), Config { seed: Some(7), ..Config::default() }.normalised());
    }

    #[test]
    fn a_given_number_of_shards_is_rounded_up() {
        let shards = |n| Config { shards: Some(n), ..Config::default() }.normalised().shards;
        assert_eq!((shards(1), shards(3), shards(8), shards(0)), (Some(1), Some(4), Some(8), Some(1)));
    }
}
