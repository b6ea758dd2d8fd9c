//! Looking at eight words of an index at once.
//!
//! Where a run of words ends is chance, so a loop that goes from word to word mispredicts its last step, and a miss
//! goes through the longest runs. Eight words hold most of them, and to compare eight takes no branch.
//!
//! 128-bit vectors, which every x86-64 processor has, are compared in the middle of the caller. 256 bits need fewer
//! instructions and a function of their own, which costs what they save (see `src/ARCHITECTURE.md`).
//!
//! # Why the loads are written in assembler
//!
//! Writers store to these words meanwhile, so they have to be loaded as atomics, and no atomic type is as wide as a
//! vector. The assembler block stands for eight relaxed loads of a word each, in any order: no x86 processor tears an
//! aligned 64-bit word that a wider load covers, and none lets a later load overtake an earlier one; the fence keeps
//! the compiler from it. What the index proves of a miss needs no more: it rests on loads before the first and after
//! the last of a run. That words are not torn is how processors behave rather than what their manuals promise for
//! loads of 16 bytes, and nothing depends on it: a word that could be torn is one that a writer is changing at that
//! moment, which is an insertion or a removal that a miss may come before, or a move that the index's move counter
//! tells of. What is found is loaded again as an atomic.

use crate::store::platform::sync::AtomicU64;

/// Words of one look.
pub const WORDS: usize = 8;

/// What lookups use of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// One word at a time.
    None,
    /// 128-bit vectors of integers.
    #[cfg(all(target_arch = "x86_64", not(any(loom, tsan, miri))))]
    Sse2,
}

impl Simd {
    /// The best there is.
    pub const fn best() -> Self {
        #[cfg(all(target_arch = "x86_64", not(any(loom, tsan, miri))))]
        return Self::Sse2;
        #[cfg(not(all(target_arch = "x86_64", not(any(loom, tsan, miri)))))]
        return Self::None;
    }

    /// Its name in statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            #[cfg(all(target_arch = "x86_64", not(any(loom, tsan, miri))))]
            Self::Sse2 => "sse2",
        }
    }
}

/// Which of these words have the tag in their upper half, and which have a lower half of 0, as words have that are
/// empty: a bit for each, the first word's lowest. Without vectors every word may have the tag.
#[inline]
#[cfg_attr(
    not(all(target_arch = "x86_64", not(any(loom, tsan, miri)))),
    expect(unused_variables, reason = "no vectors")
)]
pub fn look(simd: Simd, words: &[AtomicU64; WORDS], tag: u32) -> (u32, u32) {
    match simd {
        Simd::None => ((1 << WORDS) - 1, 0),
        #[cfg(all(target_arch = "x86_64", not(any(loom, tsan, miri))))]
        Simd::Sse2 => x86::look(words, tag),
    }
}

#[cfg(all(target_arch = "x86_64", not(any(loom, tsan, miri))))]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::{
        __m128i, _mm_castps_si128, _mm_castsi128_ps, _mm_cmpeq_epi32, _mm_movemask_epi8, _mm_packs_epi16,
        _mm_packs_epi32, _mm_set1_epi32, _mm_setzero_si128, _mm_shuffle_ps,
    };

    use super::WORDS;
    use crate::store::platform::sync::{AtomicU64, Ordering, compiler_fence};

    #[inline]
    pub fn look(words: &[AtomicU64; WORDS], tag: u32) -> (u32, u32) {
        let (a, b, c, d): (__m128i, __m128i, __m128i, __m128i);
        // SAFETY: reads the 64 bytes of the words and nothing else; the head of this file says why that is no data
        // race.
        unsafe {
            asm!(
                "movdqu {a}, [{words}]",
                "movdqu {b}, [{words} + 16]",
                "movdqu {c}, [{words} + 32]",
                "movdqu {d}, [{words} + 48]",
                words = in(reg) words.as_ptr(),
                a = out(xmm_reg) a,
                b = out(xmm_reg) b,
                c = out(xmm_reg) c,
                d = out(xmm_reg) d,
                options(nostack, preserves_flags, readonly),
            );
        }
        compiler_fence(Ordering::Acquire);
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let upper =
                |a, b| _mm_castps_si128(_mm_shuffle_ps::<0b11_01_11_01>(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
            let lower =
                |a, b| _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
            let (wanted, zero) = (_mm_set1_epi32(tag.cast_signed()), _mm_setzero_si128());
            let tagged = _mm_packs_epi32(_mm_cmpeq_epi32(upper(a, b), wanted), _mm_cmpeq_epi32(upper(c, d), wanted));
            let empty = _mm_packs_epi32(_mm_cmpeq_epi32(lower(a, b), zero), _mm_cmpeq_epi32(lower(c, d), zero));
            let both = _mm_movemask_epi8(_mm_packs_epi16(tagged, empty)) as u32;
            (both & 0xff, both >> 8)
        }
    }
}

#[cfg(all(test, target_arch = "x86_64", not(any(loom, tsan, miri))))]
mod tests {
    use super::*;
    use crate::store::platform::sync::Ordering;

    #[test]
    fn eight_words_at_once_say_what_each_says_alone() {
        for seed in 1..200_u64 {
            let mut random = seed;
            let mut next = |below: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            // Few tags and few slots, so that each of the two halves is often 0 or the one looked for.
            let words: [AtomicU64; WORDS] = std::array::from_fn(|_| AtomicU64::new(next(3) << 32 | next(3)));
            for tag in 0..3 {
                let mask = |holds: &dyn Fn(u64) -> bool| {
                    let bits = words.iter().map(|word| u32::from(holds(word.load(Ordering::Relaxed))));
                    bits.rev().fold(0, |mask, bit| mask << 1 | bit)
                };
                let expected = (mask(&|word| (word >> 32) as u32 == tag), mask(&|word| word as u32 == 0));
                assert_eq!(look(Simd::Sse2, &words, tag), expected, "seed {seed}, tag {tag}, {words:?}");
            }
        }
    }
}
