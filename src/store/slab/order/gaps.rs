//! What is known of a shard's sequences without a look at its order: where the first and the last entry are, and where
//! there are none. A map of thousands of shards is iterated by going on with the shard whose turn is next, and each of
//! these windows may only look at shards whose turn has come.

/// Gaps that are remembered: as many iterators can go through a map at a time without looking for their places.
const REMEMBERED: usize = 4;

/// Where entries of one shard can be in the order of all.
#[derive(Debug)]
pub struct Gaps {
    /// Sequence of the oldest entry; `u64::MAX` if there is none.
    pub oldest: u64,
    /// No entry has a later sequence.
    pub newest: u64,
    /// No entry has a sequence between the two.
    between: [(u64, u64); REMEMBERED],
    /// Which gap is forgotten next.
    turn: usize,
}

impl Gaps {
    /// No entries.
    pub const fn new() -> Self {
        Self { oldest: u64::MAX, newest: 0, between: [(0, 0); REMEMBERED], turn: 0 }
    }

    /// An entry was appended.
    #[inline]
    pub fn append(&mut self, sequence: u64) {
        self.oldest = self.oldest.min(sequence);
        self.newest = sequence;
    }

    /// The first sequence after this one that an entry can have; `None` if there is no entry after it.
    pub fn first_after(&self, after: u64) -> Option<u64> {
        if after >= self.newest || self.oldest == u64::MAX {
            return None;
        }
        let known = self.between.iter().find(|&&(from, to)| (from..to).contains(&after));
        Some(known.map_or(after + 1, |&(_, to)| to).max(self.oldest))
    }

    /// Remembers that there are no entries between two sequences. Later entries come after both. Takes the place of
    /// the gap that led to `found`, the first entry before this gap: the iterator that it was remembered for goes on.
    pub fn note(&mut self, after: u64, before: u64, found: u64) {
        if let Some(passed) = self.between.iter_mut().find(|&&mut (_, to)| to == found) {
            *passed = (after, before);
            return;
        }
        self.between[self.turn] = (after, before);
        self.turn = (self.turn + 1) % REMEMBERED;
    }
}
