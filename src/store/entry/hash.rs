//! From a key to 64 bits: the high ones choose the shard, the low 32 are the tag that the index keeps.

use std::hash::{BuildHasher, Hasher as _};

use ahash::RandomState;

use super::algorithm;
use super::algorithm::Algorithm;
use super::folding;
use super::key::{KIND_BITS, Key, KeyKind};

/// As many as kinds can be numbered, so that no number of a kind need be compared with a bound.
const KINDS: usize = 1 << KIND_BITS;

/// The hash function of one map.
#[derive(Debug)]
pub struct KeyHasher {
    /// ahash, keyed: one state per kind of key, so that the kind need not be hashed.
    states: [RandomState; KINDS],
    /// What is hashed otherwise; `None` for ahash of keys as they are.
    other: Option<Other>,
}

/// What is hashed by another algorithm, or regardless of case.
#[derive(Debug)]
struct Other {
    algorithm: Algorithm,
    seed: u64,
    folds: bool,
}

impl KeyHasher {
    /// The function with this seed; the same seed yields the same hashes in every process of one build. If `folds`,
    /// strings that differ in case only have one hash.
    pub fn new(algorithm: Algorithm, seed: u64, folds: bool) -> Self {
        // ahash wants four numbers; odd constants keep them different whatever the seed is.
        let state = |kind: usize| {
            let mix = |odd: u64| seed.wrapping_add(kind as u64).wrapping_mul(odd).rotate_left(29) ^ odd;
            RandomState::with_seeds(
                mix(0x9e37_79b9_7f4a_7c15),
                mix(0xc2b2_ae3d_27d4_eb4f),
                mix(0x1656_67b1_9e37_79f9),
                mix(0xd6e8_feb8_6659_fd93),
            )
        };
        let other = (algorithm != Algorithm::Ahash || folds).then_some(Other { algorithm, seed, folds });
        Self { states: std::array::from_fn(state), other }
    }

    /// A seed that differs from map to map and from process to process.
    pub fn random_seed() -> u64 {
        RandomState::new().hash_one(0x5eed_u64)
    }

    /// Whether strings that differ in case only have one hash.
    pub fn folds(&self) -> bool {
        self.other.as_ref().is_some_and(|other| other.folds)
    }

    /// Whether two keys are one.
    pub fn is_one_key(&self, one: Key<'_>, other: Key<'_>) -> bool {
        one == other || self.folds() && folding::is_equal(one, other)
    }

    /// The hash of a key.
    #[expect(clippy::inline_always, reason = "a call would hand the key over in memory, for 4 to 5 ns")]
    #[inline(always)]
    pub fn hash(&self, key: Key<'_>) -> u64 {
        if let Some(other) = &self.other {
            return self.hash_otherwise(other, key);
        }
        let mut hasher = self.states[key.kind_number() as usize].build_hasher();
        if key.kind_number() == KeyKind::Int as u32 {
            // An integer needs no byte loop.
            hasher.write_u32(key.bytes().try_into().map_or(0, u32::from_le_bytes));
        } else {
            hasher.write(key.bytes());
        }
        hasher.finish()
    }

    #[cold]
    #[inline(never)]
    fn hash_otherwise(&self, other: &Other, key: Key<'_>) -> u64 {
        // Only strings are spelled in several ways.
        let folds = other.folds && matches!(key.kind(), KeyKind::String | KeyKind::Utf16);
        match other.algorithm {
            Algorithm::Ahash => algorithm::finish(self.states[key.kind_number() as usize].build_hasher(), key, folds),
            Algorithm::SipHash => algorithm::siphash(other.seed, key, folds),
            Algorithm::Xxh3 => algorithm::xxh3(other.seed, key, folds),
            Algorithm::Fnv1a => algorithm::fnv1a(other.seed, key, folds),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (Algorithm, bool)> {
        Algorithm::NAMES.into_iter().flat_map(|(_, algorithm)| [(algorithm, false), (algorithm, true)])
    }

    #[test]
    fn the_kind_is_part_of_the_hash() {
        for (algorithm, folds) in all() {
            let hasher = |seed| KeyHasher::new(algorithm, seed, folds);
            let bytes = 1_i32.to_le_bytes();
            let one = Key::new(KeyKind::Int, &bytes);
            let text = Key::new(KeyKind::String, &bytes);
            assert_ne!(hasher(1).hash(one), hasher(1).hash(text), "{algorithm}");
            assert_eq!(hasher(1).hash(text), hasher(1).hash(text));
            assert_ne!(hasher(1).hash(text), hasher(2).hash(text));
            assert_ne!(hasher(1).hash(one), hasher(2).hash(one));
        }
    }

    #[test]
    fn spellings_have_one_hash_where_case_is_ignored() {
        for (algorithm, folds) in all() {
            let hasher = KeyHasher::new(algorithm, 5, folds);
            for (one, other) in [("Key", "kEY"), ("\u{212a}", "k"), ("STRAẞE", "straße")] {
                let is_same = hasher.hash(Key::string(one)) == hasher.hash(Key::string(other));
                assert_eq!(is_same, folds, "{algorithm}: {one} and {other}");
            }
            let (one, other) = (Key::new(KeyKind::Bytes, b"A"), Key::new(KeyKind::Bytes, b"a"));
            assert_ne!(hasher.hash(one), hasher.hash(other), "bytes have no case");
        }
    }

    /// Keys that count up, short ones and long ones, and numbers: bits from the 40th on choose the shard, and the high
    /// bits of the tag the place in the index.
    #[test]
    fn keys_spread_over_shards_and_tables() {
        const PARTS: usize = 64;
        const KEYS: usize = 32_000;
        for (algorithm, folds) in all() {
            let hasher = KeyHasher::new(algorithm, 7, folds);
            let text = |n: usize| format!("{n}");
            let long = |n: usize| format!("https://example.org/articles/{n:09}");
            let spread = |name: &str, hashes: &mut dyn Iterator<Item = u64>| {
                let (mut shards, mut homes) = ([0_usize; PARTS], [0_usize; PARTS]);
                for hash in hashes {
                    shards[(hash >> 40) as usize % PARTS] += 1;
                    homes[(hash as u32 >> 26) as usize] += 1;
                }
                // Of 500 that are expected in each, 5 standard deviations are 112.
                for (what, parts) in [("shards", shards), ("homes", homes)] {
                    let (least, most) = (parts.iter().min().unwrap(), parts.iter().max().unwrap());
                    assert!(*least > 385 && *most < 615, "{algorithm}, {name}: {least} to {most} in {what}");
                }
            };
            spread("short", &mut (0..KEYS).map(|n| hasher.hash(Key::string(&text(n)))));
            spread("long", &mut (0..KEYS).map(|n| hasher.hash(Key::string(&long(n)))));
            spread("numbers", &mut (0..KEYS).map(|n| hasher.hash(Key::new(KeyKind::Int, &(n as i32).to_le_bytes()))));
        }
    }
}
