//! Frequencies: roughly how often a key was seen lately, whether its entry is here or not.
//!
//! A count-min sketch of 4-bit counters that are halved over time, as in Einziger, Friedman, Manes: "`TinyLFU`: A
//! Highly Efficient Cache Admission Policy", ACM Transactions on Storage 13(4), 2017.
//!
//! ```text
//! block (64 bytes) │ block │ …        block: 4 rows of 2 words, 16 counters each
//! ```
//!
//! A key has one counter in each row of one block, so it touches one cache line. Its frequency is the least of the
//! four, never less than what was counted and aged. **Aging** is spread out: one word is halved at a time, such that
//! each is once in [`AGING_PERIOD`] additions per entry. No write ever pays for a pass over all.
//!
//! 4 bytes per entry that there is room for, and at least 1 KiB.

use super::cells::Cells;
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

/// Additions per entry between two halvings of a counter. With 5, what is worth keeping is forgotten too early (a
/// quarter of a point of the mean over the traces of `benchmark/traces.js`); with 12 it is the same as with 8.
pub const AGING_PERIOD: usize = 8;
/// Words of the smallest sketch: 1 KiB. With fewer, keys share so many counters that small maps would choose by chance.
const LEAST_WORDS: usize = 128;
/// What a counter can say.
pub const MAX_FREQUENCY: u32 = 15;

/// Two counters per entry and row. Twice as many gain less than a tenth of a point.
const ENTRIES_PER_WORD: usize = 2;
const ROWS: u32 = 4;
const BLOCK_WORDS: usize = 8;
/// Low three bits of each counter.
const HALVES: u64 = 0x7777_7777_7777_7777;
const SPREAD: u64 = 0xbf58_476d_1ce4_e5b9;

/// The frequencies of one shard.
#[derive(Debug)]
pub struct Frequencies {
    words: Cells,
    /// Words that were outgrown, until they are taken.
    outgrown: Option<Cells>,
    /// Entries there is room for.
    room: usize,
    /// Words due for halving, times `room * AGING_PERIOD`.
    due: usize,
    /// The next word to halve.
    sweep: usize,
}

impl Frequencies {
    /// Without room.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { words: Cells::none(memory), outgrown: None, room: 0, due: 0, sweep: 0 }
    }

    /// Entries there is room for.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Bytes of its counters.
    pub fn bytes(&self) -> usize {
        self.words.bytes()
    }

    /// What [`Frequencies::resize`] replaced.
    pub fn take_outgrown(&mut self) -> Option<Cells> {
        self.outgrown.take()
    }

    /// Makes room for the keys around `room` entries, forgetting all frequencies. Without memory, all stays as it is.
    pub fn resize(&mut self, room: usize) {
        let len = (room / ENTRIES_PER_WORD).next_multiple_of(BLOCK_WORDS).max(LEAST_WORDS);
        let Some(words) = self.words.successor(len) else { return };
        self.outgrown = Some(std::mem::replace(&mut self.words, words));
        self.room = room;
        (self.due, self.sweep) = (0, 0);
    }

    /// Counts a key `times` times.
    pub fn add(&mut self, hash: u64, times: u32) {
        if self.room == 0 || times == 0 {
            return;
        }
        let (block, spread) = self.locate(hash);
        let (mut raised, times) = (0, u64::from(times.min(MAX_FREQUENCY)));
        for row in 0..ROWS {
            let (word, shift) = counter(block, spread, row);
            let counters = self.words.get(word);
            let more = times.min(u64::from(MAX_FREQUENCY) - (counters >> shift & 15));
            self.words.set(word, counters + (more << shift));
            raised = raised.max(more as usize);
        }
        self.due += raised * self.words.len();
        while self.due >= self.room * AGING_PERIOD {
            self.due -= self.room * AGING_PERIOD;
            self.words.set(self.sweep, self.words.get(self.sweep) >> 1 & HALVES);
            self.sweep = if self.sweep + 1 == self.words.len() { 0 } else { self.sweep + 1 };
        }
    }

    /// Roughly how often a key was counted lately.
    pub fn get(&self, hash: u64) -> u32 {
        if self.room == 0 {
            return 0;
        }
        let (block, spread) = self.locate(hash);
        let counts = (0..ROWS).map(|row| {
            let (word, shift) = counter(block, spread, row);
            (self.words.get(word) >> shift & 15) as u32
        });
        counts.min().unwrap_or(0)
    }

    /// First word of the key's block, and bits to choose its counters by.
    fn locate(&self, hash: u64) -> (usize, u64) {
        let spread = (hash ^ hash >> 32).wrapping_mul(SPREAD);
        let blocks = (self.words.len() / BLOCK_WORDS) as u64;
        let block = ((spread >> 32) * blocks) >> 32;
        (block as usize * BLOCK_WORDS, spread)
    }
}

/// The word of a row's counter, and how far up it stands. Five bits choose among the 32 counters of a row.
fn counter(block: usize, spread: u64, row: u32) -> (usize, u32) {
    let choice = (spread >> (5 * row) & 31) as u32;
    (block + (2 * row + choice / 16) as usize, choice % 16 * 4)
}
