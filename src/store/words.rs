//! Version words: one integer per slot that every thread sees and JavaScript reads directly.
//!
//! A version word changes whenever the entry in its slot does: when it is written, removed or replaced by a new tenant. A
//! copy of a value that was taken at version `v` is fresh as long as the word still is `v`. The word never restarts: it goes
//! through all 32-bit values but 0 before one comes again, which takes 2^32 - 1 changes of one slot.
//!
//! **Access words** stand beside the version words in maps whose policy wants to know of hits: whoever reads an entry adds to
//! its access word, in a plain load and a plain store that may lose a hit to another thread's, and the policy takes what it finds.
//!
//! The value 0 is nobody's version. Words of a chunk that was cleared are 0 for good, so no copy from before is fresh.
//!
//! The memory outlives its chunk as long as somebody, such as an `ArrayBuffer` in some thread, still holds it.

use super::error::Error;
use super::fallible;
use super::memory::{Memory, Reservation, Use};
use super::sync::{Arc, AtomicU32, Ordering};

/// The words of one chunk of slots: a version word for each, followed by its access word in maps that mark hits.
#[derive(Debug)]
pub struct Words {
    cells: Box<[AtomicU32]>,
    #[expect(dead_code, reason = "gives the bytes of `cells` back when it is dropped")]
    held: Reservation,
}

impl Words {
    /// This many words, all 0.
    pub(super) fn new(len: usize, memory: &Arc<Memory>) -> Result<Self, Error> {
        let held = Reservation::new(memory, Use::Words, len * size_of::<AtomicU32>())?;
        Ok(Self { cells: fallible::half_words(len)?, held })
    }

    /// The words themselves.
    pub(super) fn cells(&self) -> &[AtomicU32] {
        &self.cells
    }

    /// Ends every copy that was taken from this chunk. Under the shard's lock, or when the map is broken; nobody writes to its
    /// slots afterwards.
    pub(super) fn invalidate(&self) {
        for cell in &self.cells {
            cell.store(0, Ordering::Release);
        }
    }

    /// Address of the first word. Reading through it races with the writers of this map, which is what it is for: a reader
    /// outside Rust takes one aligned 32-bit load.
    pub fn ptr(&self) -> *mut u32 {
        self.cells.as_ptr().cast_mut().cast::<u32>()
    }

    /// How many 32-bit words.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Never: a chunk has slots.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// Marks a change of the entry that this word belongs to and gives the new version. Under the shard's lock, after the
/// change itself.
pub(super) fn bump(word: &AtomicU32) -> u32 {
    let next = word.load(Ordering::Relaxed).wrapping_add(1).max(1);
    word.store(next, Ordering::Release);
    next
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_version_goes_around_without_being_zero() {
        let memory = Arc::new(Memory::new(None));
        let words = Words::new(2, &memory).unwrap();
        let word = &words.cells[1];
        assert_eq!((bump(word), bump(word), words.cells[0].load(Ordering::Relaxed)), (1, 2, 0));
        word.store(u32::MAX, Ordering::Relaxed);
        assert_eq!(bump(word), 1);
        drop(words);
        assert_eq!(memory.total(), 0);
    }
}
