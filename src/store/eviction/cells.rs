//! Cells: the zeroed memory of a table that a policy replaces as a whole when the number of entries has doubled.
//!
//! A large one is mapped, so to make it takes no time, whatever its size; to unmap it takes some, so what a policy has
//! outgrown is freed without the shard's lock. Each array of cells owns the bytes that it is counted with.

use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::sync::{Arc, AtomicU64, Ordering};
use crate::store::platform::zeroed::Zeroed;

/// Words, or twice as many halves, of one thread at a time.
#[derive(Debug)]
pub struct Cells {
    words: Option<Zeroed>,
    held: Reservation,
}

impl Cells {
    /// No words.
    pub fn none(memory: &Arc<Memory>) -> Self {
        Self { words: None, held: Reservation::empty(memory, Use::Policy) }
    }

    /// So many words, all 0, or `None` if there is no memory for them.
    pub fn new(len: usize, memory: &Arc<Memory>) -> Option<Self> {
        let held = Reservation::new(memory, Use::Policy, len * size_of::<u64>()).ok()?;
        Some(Self { words: Some(Zeroed::new(len)?), held })
    }

    /// Others that are counted in the same place: so many words, if there is memory for them.
    pub fn successor(&self, len: usize) -> Option<Self> {
        Self::new(len, self.held.memory())
    }

    /// Words.
    #[inline]
    pub fn len(&self) -> usize {
        self.words().len()
    }

    /// Bytes of the words.
    pub fn bytes(&self) -> usize {
        size_of_val(self.words())
    }

    /// Bytes that freeing this unmaps.
    pub fn mapped_bytes(&self) -> usize {
        self.words.as_ref().map_or(0, Zeroed::mapped_bytes)
    }

    /// Gives back at most so many bytes, after those that `released` says went before; what stood in the cells is
    /// lost. Returns whether more is mapped.
    pub fn release_some(&mut self, released: &mut usize, bytes: usize) -> bool {
        let mapped_bytes = self.mapped_bytes();
        let (from, to) = ((*released).min(mapped_bytes), (*released + bytes).min(mapped_bytes));
        if let Some(words) = &mut self.words {
            words.release(from, to);
        }
        *released = to;
        to < mapped_bytes
    }

    #[inline]
    pub fn get(&self, at: usize) -> u64 {
        self.words()[at].load(Ordering::Relaxed)
    }

    #[inline]
    pub fn set(&mut self, at: usize, word: u64) {
        self.words()[at].store(word, Ordering::Relaxed);
    }

    #[inline]
    pub fn half(&self, at: usize) -> u32 {
        (self.get(at / 2) >> (at % 2 * 32)) as u32
    }

    #[inline]
    pub fn set_half(&mut self, at: usize, half: u32) {
        let shift = at % 2 * 32;
        let others = self.get(at / 2) & !(u64::from(u32::MAX) << shift);
        self.set(at / 2, others | u64::from(half) << shift);
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        self.words.as_ref().map_or(&[], Zeroed::words)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn words_are_two_halves_and_bytes_are_counted_until_they_are_gone() {
        let memory = Arc::new(Memory::new(Some(4 << 20)));
        let none = Cells::none(&memory);
        assert_eq!((none.len(), memory.total()), (0, 0));
        assert!(none.successor(1 << 20).is_none());
        let mut cells = none.successor(1 << 18).unwrap();
        assert_eq!((cells.bytes(), memory.total()), (2 << 20, 2 << 20));
        cells.set_half(7, 5);
        cells.set_half(6, u32::MAX);
        cells.set_half(7, 6);
        assert_eq!((cells.half(6), cells.half(7), cells.get(3)), (u32::MAX, 6, 6 << 32 | u64::from(u32::MAX)));
        let mut released = 0;
        assert!(cells.release_some(&mut released, 1 << 20));
        assert!(!cells.release_some(&mut released, 1 << 20));
        assert_eq!(memory.total(), 2 << 20);
        drop(cells);
        assert_eq!(memory.total(), 0);
    }
}
