//! Ghosts: hashes of entries that were evicted lately.
//!
//! ```text
//! bucket: 8 cells │ bucket │ …        cell: fingerprint (15) · queue (1) · stamp (16), 0 = empty
//! ```
//!
//! A first-in-first-out queue of a given length that answers "was this key evicted lately, and from where?" and
//! forgets it. The order is kept by stamps instead of links: an addition is stamped with how many came before it, and
//! a cell whose stamp is older than the queue is long counts as empty. Half of the cells are in use, so a bucket
//! overflows rarely, and then loses its oldest. A wrong answer takes an equal fingerprint in the same bucket: about 4
//! in 32,768 questions.
//!
//! Stamps go around after at least four lengths; a sweep that looks at one cell per addition empties old cells within
//! three.
//!
//! 8 bytes per ghost.

use super::cells::Cells;
use super::queues::Queue;
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

const BUCKET_CELLS: usize = 8;
/// Stamps within the length of the queue: a quarter of what 16 bits can distinguish.
const MAX_STAMPS: usize = 1 << 14;
/// The bits of a cell.
const FINGERPRINT: u32 = 0xfffe_0000;
const LEAST_FINGERPRINT: u32 = 1 << 17;
const MAIN: u32 = 1 << 16;
/// An odd number that spreads hashes: the shard was picked by some of their bits, which are all the same here.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The ghosts of one shard.
#[derive(Debug)]
pub struct Ghosts {
    /// One in each half of a word.
    cells: Cells,
    /// Cells that were outgrown, until they are taken.
    outgrown: Option<Cells>,
    /// How many ghosts there are room for.
    room: usize,
    /// Additions so far.
    added: u64,
    /// Additions per stamp, as a power of two.
    stamp_shift: u32,
    /// The next cell of the sweep.
    sweep: usize,
}

impl Ghosts {
    /// Without room.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { cells: Cells::none(memory), outgrown: None, room: 0, added: 0, stamp_shift: 0, sweep: 0 }
    }

    /// How many ghosts there are room for.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Bytes of its cells.
    pub fn bytes(&self) -> usize {
        self.cells.bytes()
    }

    /// What [`Ghosts::resize`] replaced.
    pub fn take_outgrown(&mut self) -> Option<Cells> {
        self.outgrown.take()
    }

    fn len(&self) -> usize {
        2 * self.cells.len()
    }

    /// Makes room for `room` ghosts, forgetting those there are. Without memory, all stays as it is.
    pub fn resize(&mut self, room: usize) {
        let len = (2 * room).next_multiple_of(BUCKET_CELLS);
        let Some(cells) = self.cells.successor(len / 2) else { return };
        self.outgrown = Some(std::mem::replace(&mut self.cells, cells));
        self.room = room;
        self.stamp_shift = room.div_ceil(MAX_STAMPS).next_power_of_two().ilog2();
        (self.added, self.sweep) = (0, 0);
    }

    /// Remembers a key, and which queue it was evicted from.
    pub fn add(&mut self, hash: u64, queue: Queue) {
        if self.len() == 0 {
            return;
        }
        self.added += 1;
        if self.age(self.cells.half(self.sweep)).is_none() {
            self.cells.set_half(self.sweep, 0);
        }
        self.sweep = if self.sweep + 1 == self.len() { 0 } else { self.sweep + 1 };

        let (bucket, fingerprint) = self.locate(hash);
        let age_or_vacant = |&at: &usize| self.age(self.cells.half(at)).unwrap_or(u32::MAX);
        let at = (bucket..bucket + BUCKET_CELLS).max_by_key(age_or_vacant).unwrap_or(bucket);
        let main = if queue == Queue::Main { MAIN } else { 0 };
        self.cells.set_half(at, fingerprint | main | self.stamp());
    }

    /// The queue this key was evicted from, if it is remembered; it no longer is.
    pub fn take(&mut self, hash: u64) -> Option<Queue> {
        if self.len() == 0 {
            return None;
        }
        let (bucket, fingerprint) = self.locate(hash);
        let is_it = |&at: &usize| {
            let cell = self.cells.half(at);
            cell & FINGERPRINT == fingerprint && self.age(cell).is_some()
        };
        let at = (bucket..bucket + BUCKET_CELLS).find(is_it)?;
        let cell = self.cells.half(at);
        self.cells.set_half(at, 0);
        Some(if cell & MAIN == 0 { Queue::Small } else { Queue::Main })
    }

    fn stamp(&self) -> u32 {
        (self.added >> self.stamp_shift) as u32 & 0xffff
    }

    /// How many stamps ago this ghost was added; `None` if that is too long ago, or the cell empty.
    fn age(&self, cell: u32) -> Option<u32> {
        let age = self.stamp().wrapping_sub(cell) & 0xffff;
        (cell != 0 && (age as usize) << self.stamp_shift < self.room).then_some(age)
    }

    /// First cell of the key's bucket, and its fingerprint, which is not 0.
    fn locate(&self, hash: u64) -> (usize, u32) {
        let spread = hash.wrapping_mul(SPREAD);
        let buckets = (self.len() / BUCKET_CELLS) as u64;
        let bucket = ((spread >> 32) * buckets) >> 32;
        let fingerprint = spread as u32 & FINGERPRINT;
        (bucket as usize * BUCKET_CELLS, fingerprint.max(LEAST_FINGERPRINT))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Hashes as a shard sees them: the high bits are all the same.
    fn hash(n: u64) -> u64 {
        n.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(31).wrapping_mul(SPREAD) >> 8 | 0xab << 56
    }

    #[test]
    fn forgets_what_came_first_and_what_was_asked_for() {
        for room in [1, 9, 100, 5_000, 40_000] {
            let memory = Arc::new(Memory::new(None));
            let mut ghosts = Ghosts::new(&memory);
            assert_eq!(ghosts.take(hash(1)), None);
            ghosts.resize(room);
            assert!(memory.total() <= (8 * room as u64).next_multiple_of(32));
            let count = 5 * room as u64;
            for n in 0..count {
                ghosts.add(hash(n), if n % 2 == 0 { Queue::Small } else { Queue::Main });
            }
            let is_kept = |&n: &u64| {
                let queue = ghosts.take(hash(n));
                queue == Some(if n % 2 == 0 { Queue::Small } else { Queue::Main })
            };
            let kept = (count - room as u64..count).filter(is_kept).count();
            assert!(kept * 10 >= room * 9, "{kept} of {room}");
            let ghostly = (0..count).filter(|&n| ghosts.take(hash(n)).is_some()).count();
            assert!(ghostly <= room / 100 + 1, "{ghostly} of {room}: taken twice, or too old");
            drop(ghosts);
            assert_eq!(memory.total(), 0);
        }
    }
}
