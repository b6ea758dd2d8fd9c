//! From a key to 64 bits: the high ones choose the shard, the low 32 are the tag that the index keeps.

use std::hash::{BuildHasher, Hasher as _};

use ahash::RandomState;

use super::key::{Key, KeyKind};

/// The hash function of one map: ahash, keyed, so that colliding keys cannot be prepared without knowing the seed.
#[derive(Debug)]
pub struct KeyHasher {
    /// One state per kind of key, so that the kind need not be hashed.
    states: [RandomState; KeyKind::COUNT],
}

impl KeyHasher {
    /// The function with this seed; the same seed yields the same hashes in every process of one build.
    pub fn new(seed: u64) -> Self {
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
        Self { states: std::array::from_fn(state) }
    }

    /// A seed that differs from map to map and from process to process.
    pub fn random_seed() -> u64 {
        // 53 bits, so that it survives a trip through a JavaScript number.
        RandomState::new().hash_one(0x5eed_u64) >> 11
    }

    /// The hash of a key.
    #[expect(clippy::inline_always, reason = "a call would hand the key over in memory, for 4 to 5 ns")]
    #[inline(always)]
    pub fn hash(&self, key: Key<'_>) -> u64 {
        let mut hasher = self.states[key.kind_number() as usize].build_hasher();
        if key.kind() == KeyKind::Int {
            // An integer needs no byte loop.
            hasher.write_u32(key.bytes().try_into().map_or(0, u32::from_le_bytes));
        } else {
            hasher.write(key.bytes());
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_part_of_the_hash() {
        let hasher = KeyHasher::new(1);
        let bytes = 1_i32.to_le_bytes();
        let one = Key::new(KeyKind::Int, &bytes);
        let text = Key::new(KeyKind::String, &bytes);
        assert_ne!(hasher.hash(one), hasher.hash(text));
        assert_eq!(hasher.hash(text), KeyHasher::new(1).hash(text));
        assert_ne!(hasher.hash(text), KeyHasher::new(2).hash(text));
    }
}
