//! An entry drawn from the order of its shard.

use super::{HOLE, Order, SEGMENT_CELLS};

/// Cells that are drawn in turn until one has an entry. Two in five have one, so as many fail once in 10^14 times.
const TRIES: usize = 64;
/// Segments whose entries are counted at once: a map of few entries has few in the cells that it has room for.
const FEW_SEGMENTS: usize = 4;

impl Order {
    /// The slot of an entry, each as likely as any other. `below` returns a number below the one it is given, each as
    /// likely. `None` if there are no entries.
    ///
    /// A cell of all segments is drawn until one has an entry. That is as good as drawing among entries, and takes no
    /// count of those before.
    pub fn draw(&self, mut below: impl FnMut(u64) -> u64) -> Option<u32> {
        if self.live == 0 {
            return None;
        }
        let tries = if self.sorted.len() <= FEW_SEGMENTS { 0 } else { TRIES };
        for _ in 0..tries {
            let place = below((self.sorted.len() * SEGMENT_CELLS) as u64) as usize;
            let segment = &self.segments[self.sorted[place / SEGMENT_CELLS] as usize];
            let cell = segment.cells.get(place % SEGMENT_CELLS).copied().unwrap_or(HOLE);
            if cell != HOLE {
                return Some(cell as u32 - 1);
            }
        }
        let mut left = below(self.live as u64) as usize;
        for &number in &self.sorted {
            let segment = &self.segments[number as usize];
            if left < segment.live as usize {
                return segment.entries().nth(left).map(|(_, slot)| slot);
            }
            left -= segment.live as usize;
        }
        None
    }
}
