//! The hash functions that a map may be made with, besides ahash, which `hash.rs` computes itself.
//!
//! | name | is | colliding keys can be prepared |
//! |---|---|---|
//! | `ahash` | the default: AES instructions where there are some | no, as long as the seed is unknown |
//! | `siphash` | SipHash-2-4, made for this purpose | no, as long as the seed is unknown |
//! | `xxh3` | XXH3 of 64 bits, the fastest for long keys | yes |
//! | `fnv1a` | FNV-1a of 64 bits, with a last step | yes, and for every seed at once |
//!
//! **What a hash has to be good for.** Bits of its upper half choose the shard, the upper bits of its lower half the
//! place in the index. Of FNV-1a, those hardly depend on the last characters of a key: keys that count up would fill a
//! few shards and leave the others empty. So what it gives is mixed once more, by the last step of `MurmurHash3`: a
//! permutation, so no two hashes become one.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use super::folding;
use super::key::Key;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
/// Makes numbers that differ little differ in half of their bits.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// ahash.
    #[default]
    Ahash,
    /// SipHash-2-4.
    SipHash,
    /// XXH3, 64 bits.
    Xxh3,
    /// FNV-1a, 64 bits.
    Fnv1a,
}

impl Algorithm {
    /// All of them, by the names that users know them by.
    pub const NAMES: [(&'static str, Self); 4] =
        [("ahash", Self::Ahash), ("siphash", Self::SipHash), ("xxh3", Self::Xxh3), ("fnv1a", Self::Fnv1a)];

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(other, _)| *other == name).map(|&(_, algorithm)| algorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::NAMES.iter().find(|(_, algorithm)| algorithm == self);
        f.write_str(known.map_or("", |(name, _)| name))
    }
}

/// SipHash-2-4 of a key. The kind makes another function of it.
pub fn siphash(seed: u64, key: Key<'_>, folds: bool) -> u64 {
    let other = (seed ^ u64::from(key.kind_number())).wrapping_mul(ODD).rotate_left(32);
    finish(SipHasher24::new_with_keys(seed, other), key, folds)
}

/// XXH3 of a key.
pub fn xxh3(seed: u64, key: Key<'_>, folds: bool) -> u64 {
    let seed = seed ^ u64::from(key.kind_number()).wrapping_mul(ODD);
    // At once, where it can be: the state of the other takes 576 bytes.
    if folds { finish(Xxh3::with_seed(seed), key, true) } else { xxh3_64_with_seed(key.bytes(), seed) }
}

/// FNV-1a of the seed, the kind and the key, and its last step.
pub fn fnv1a(seed: u64, key: Key<'_>, folds: bool) -> u64 {
    let mut hasher = Fnv1a::default();
    hasher.write_u64(seed);
    hasher.write_u8(key.kind_number() as u8);
    mix(finish(hasher, key, folds))
}

/// Hashes the content of a key; that of a string regardless of its case, if `folds`.
#[inline]
pub fn finish(mut hasher: impl Hasher, key: Key<'_>, folds: bool) -> u64 {
    if folds {
        folding::in_pieces(key, |piece| hasher.write(piece));
    } else {
        hasher.write(key.bytes());
    }
    hasher.finish()
}

/// FNV-1a as it is.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(FNV_OFFSET)
    }
}

impl Hasher for Fnv1a {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The last step of `MurmurHash3`.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::entry::key::KeyKind;

    /// From the reference implementation of `SipHash`: hashes of the first bytes 0, 1, 2, … under the key 0 to 15.
    #[test]
    fn siphash_is_what_its_authors_publish() {
        let vectors: [[u8; 8]; 16] = [
            [0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72],
            [0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74],
            [0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d],
            [0x2d, 0x7e, 0xfb, 0xd7, 0x96, 0x66, 0x67, 0x85],
            [0xb7, 0x87, 0x71, 0x27, 0xe0, 0x94, 0x27, 0xcf],
            [0x8d, 0xa6, 0x99, 0xcd, 0x64, 0x55, 0x76, 0x18],
            [0xce, 0xe3, 0xfe, 0x58, 0x6e, 0x46, 0xc9, 0xcb],
            [0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab],
            [0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93],
            [0xb0, 0xe4, 0xa9, 0x0b, 0xdf, 0x82, 0x00, 0x9e],
            [0xf3, 0xb9, 0xdd, 0x94, 0xc5, 0xbb, 0x5d, 0x7a],
            [0xa7, 0xad, 0x6b, 0x22, 0x46, 0x2f, 0xb3, 0xf4],
            [0xfb, 0xe5, 0x0e, 0x86, 0xbc, 0x8f, 0x1e, 0x75],
            [0x90, 0x3d, 0x84, 0xc0, 0x27, 0x56, 0xea, 0x14],
            [0xee, 0xf2, 0x7a, 0x8e, 0x90, 0xca, 0x23, 0xf7],
            [0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1],
        ];
        let bytes: Vec<u8> = (0..16).collect();
        let keys: [u64; 2] = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        for (length, expected) in vectors.iter().enumerate() {
            let key = Key::new(KeyKind::Bytes, &bytes[..length]);
            for folds in [false, true] {
                let hash = finish(SipHasher24::new_with_keys(keys[0], keys[1]), key, folds);
                assert_eq!(hash.to_le_bytes(), *expected, "{length} bytes");
            }
        }
    }

    /// From the reference implementation of xxHash, whose input is made in this way, and from its documentation.
    #[test]
    fn xxh3_is_what_its_author_publishes() {
        let mut generator: u64 = 2_654_435_761;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            let byte = (generator >> 56) as u8;
            generator = generator.wrapping_mul(11_400_714_785_074_694_797);
            byte
        })
        .take(403)
        .collect();
        let seed = 0x9e37_79b1_85eb_ca8d;
        for (length, plain, seeded) in [
            (0, 0x2d06_8005_38d3_94c2, 0xa8a6_b918_b2f0_364a),
            (1, 0xc44b_dff4_074e_ecdb, 0x032b_e332_dd76_6ef8),
            (6, 0x27b5_6a84_cd2d_7325, 0x8458_9c11_6ab5_9ab9),
            (12, 0xa713_daf0_dfbb_77e7, 0xe730_3e1b_2336_de0e),
            (24, 0xa3fe_70bf_9d35_10eb, 0x850e_80fc_35bd_d690),
            (48, 0x397d_a259_ecba_1f11, 0xadc2_cbaa_44ac_c616),
            (80, 0xbcde_fbbb_2c47_c90a, 0xc6dd_0cb6_9953_2e73),
            (195, 0xcd94_217e_e362_ec3a, 0xba68_003d_370c_b3d9),
            (403, 0xcdeb_804d_65c6_dea4, 0x6259_f6ec_fd64_43fd_u64),
        ] {
            let key = &bytes[..length];
            assert_eq!((xxh3_64_with_seed(key, 0), xxh3_64_with_seed(key, seed)), (plain, seeded), "{length} bytes");
            let mut pieces = Xxh3::with_seed(seed);
            key.chunks(100).for_each(|piece| pieces.update(piece));
            assert_eq!(pieces.digest(), seeded, "{length} bytes in pieces");
        }
    }

    /// From the appendix of the FNV draft (`draft-eastlake-fnv`) and the test suite of Landon Noll.
    #[test]
    fn fnv1a_is_what_its_authors_publish() {
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("b", 0xaf63_df4c_8601_f1a5),
            ("fo", 0x0898_5907_b541_d342),
            ("foobar", 0x8594_4171_f739_67e8_u64),
        ] {
            assert_eq!(finish(Fnv1a::default(), Key::string(text), false), expected, "{text:?}");
        }
    }

    /// The last step of `MurmurHash3` takes 0 to 0 and no two numbers to one.
    #[test]
    fn the_last_step_loses_nothing() {
        let inverse = |mut hash: u64| {
            let unshift = |hash: u64| hash ^ hash >> 33;
            hash = unshift(hash).wrapping_mul(0x9cb4_b2f8_1293_37db);
            hash = unshift(hash).wrapping_mul(0x4f74_430c_22a5_4005);
            unshift(hash)
        };
        for number in (0..1_000).map(|n: u64| n.wrapping_mul(ODD)) {
            assert_eq!(inverse(mix(number)), number);
        }
    }

    #[test]
    fn algorithms_have_names() {
        for (name, algorithm) in Algorithm::NAMES {
            assert_eq!((Algorithm::named(name), algorithm.to_string()), (Some(algorithm), name.to_owned()));
        }
        assert_eq!(Algorithm::named("md5"), None);
    }
}
