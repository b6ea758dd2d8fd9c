//! Arrays of zeroed words that come and go as a whole, like the tables of an index.
//!
//! Large ones are mapped: they cost memory only where they are used, and all of it goes back to the operating system
//! when they go. From the process's allocator each would leave a hole among smaller things that stay: a map that grew
//! to a million entries held 10 bytes an entry in such holes.

use super::fallible;
#[cfg(not(loom))]
use super::mapping;
#[cfg(not(loom))]
use super::mapping::Mapping;
use super::sync::AtomicU64;

/// From this many words on an array is mapped: 128 KiB, where allocators do that too until they find it happens often.
#[cfg(not(loom))]
const MAPPED_FROM_WORDS: usize = 16 * 1_024;

/// Words that are zero until something else is stored.
#[derive(Debug)]
pub enum Zeroed {
    /// From the process's allocator.
    Boxed(Box<[AtomicU64]>),
    /// From the operating system. Invariant: the mapping has room for `len` words, and none of it was released unless
    /// that is 0.
    #[cfg(not(loom))]
    Mapped { mapping: Mapping, len: usize },
}

impl Zeroed {
    /// That many words, or `None` if there is no memory for them.
    pub fn new(len: usize) -> Option<Self> {
        #[cfg(not(loom))]
        if len >= MAPPED_FROM_WORDS {
            let bytes = len.checked_mul(size_of::<AtomicU64>())?;
            fallible::grant(bytes).ok()?;
            let mapping = Mapping::new(bytes)?;
            return Some(Self::Mapped { mapping, len });
        }
        fallible::words(len).ok().map(Self::Boxed)
    }

    /// Bytes that are mapped.
    pub fn mapped_bytes(&self) -> usize {
        match self {
            Self::Boxed(_) => 0,
            #[cfg(not(loom))]
            Self::Mapped { mapping, .. } => mapping.len(),
        }
    }

    /// Gives the memory of a stretch of a mapping back to the operating system. No words are left after that. To unmap
    /// much at once takes milliseconds.
    pub fn release(&mut self, from_bytes: usize, to_bytes: usize) {
        #[cfg(not(loom))]
        if let Self::Mapped { mapping, len } = self
            && from_bytes < to_bytes
        {
            *len = 0;
            let (start, to_bytes) = (mapping.start().as_ptr() as usize, to_bytes.min(mapping.len()));
            // SAFETY: the stretch lies within the mapping, no other reference to it exists, since this is exclusive,
            // and from here on none is made.
            unsafe { mapping::release(start + from_bytes, to_bytes.saturating_sub(from_bytes)) };
        }
        #[cfg(loom)]
        let _ = (from_bytes, to_bytes);
    }

    /// The words. They stay where they are when the array is moved.
    pub fn words(&self) -> &[AtomicU64] {
        match self {
            Self::Boxed(words) => words,
            // SAFETY: a mapping starts at a page, has room for so many words, all of which are there (invariant), and
            // begins as zeros, which is what an `AtomicU64` may hold; it is reached through this array only.
            #[cfg(not(loom))]
            Self::Mapped { mapping, len } => unsafe {
                std::slice::from_raw_parts(mapping.start().as_ptr().cast(), *len)
            },
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::platform::sync::Ordering;

    #[test]
    fn small_and_large_arrays_are_zero_and_keep_what_is_stored() {
        for len in [1, MAPPED_FROM_WORDS - 1, MAPPED_FROM_WORDS, MAPPED_FROM_WORDS * 3 + 1] {
            let array = Zeroed::new(len).unwrap();
            assert_eq!(array.words().len(), len);
            assert!(array.words().iter().all(|word| word.load(Ordering::Relaxed) == 0));
            array.words()[len - 1].store(7, Ordering::Relaxed);
            let mut moved = array;
            moved.release(0, 0);
            assert_eq!(moved.words()[len - 1].load(Ordering::Relaxed), 7);
            moved.release(0, len * size_of::<AtomicU64>() / 2);
            assert_eq!(moved.words().is_empty(), len >= MAPPED_FROM_WORDS);
        }
    }
}
