//! Slots that follow each other: what a walk over a slab goes along, without finding the chunk of each.

use super::{Chunk, Slab, SlotRef};

/// Slots of one chunk, from one of them to the last.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    chunk: &'a Chunk,
    /// The first one, in its chunk.
    offset: usize,
    words_shift: u32,
}

impl Slab {
    /// The slots from this number to the end of its chunk; `None` if there is no such slot. The caller is pinned or
    /// holds the shard's lock for as long as it uses them.
    pub fn run(&self, number: u32) -> Option<Run<'_>> {
        let (chunk, offset) = self.chunk(number)?;
        Some(Run { chunk, offset, words_shift: self.words_shift })
    }
}

impl<'a> Run<'a> {
    /// One of them.
    #[inline]
    pub fn slot(&self, at: u32) -> Option<SlotRef<'a>> {
        let offset = self.offset + at as usize;
        let slot = self.chunk.slots.get(offset)?;
        let word = offset << self.words_shift;
        let version = self.chunk.words.cells().get(word)?;
        Some(SlotRef { slot, version, chunk: self.chunk.id, word: word as u32 })
    }
}
