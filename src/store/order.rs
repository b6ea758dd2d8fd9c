//! Insertion order: which slots were filled when.
//!
//! A log of `(sequence, slot)` in segments of 256 cells, sorted by sequence because entries are appended under the shard's
//! lock. An entry that leaves makes its cell a hole. Eight bytes an entry buy what a linked list would not: where the walk
//! went on after sequence `s` is a binary search, so an iterator keeps a number and nothing else, and whatever is deleted,
//! it neither dangles nor has to be told.
//!
//! ```text
//! segment (base sequence) : [ +0 slot 7 | hole | +5 slot 2 | … ]      cell = sequence - base (32) · slot + 1 (32), 0 = hole
//! ```
//!
//! **Compaction.** When holes outnumber entries, a pass goes over the segments from the front, a segment at a time, and
//! moves what lives in each to the end of what it kept so far. A segment that was emptied stays as a stub until the pass
//! ends, so that positions of later ones stay true. Each change of the log does a bounded part of a pass.
//!
//! **Positions** are `segment number * 256 + cell`; numbers of segments count on from the front, which also moves when the
//! oldest entries leave first.

use std::collections::VecDeque;

use super::error::Error;
use super::memory::{Memory, Use};
use super::sync::Arc;

/// Cells of a segment: 2 KiB, so a pass touches at most this many slots at once.
const SEGMENT_CELLS: usize = 256;
/// Room of the very first segment, so that small maps stay small.
const FIRST_CELLS: usize = 16;
/// Changes between two steps of a compaction pass. A step looks at 256 cells, so a pass over `n` cells ends within `n / 4`
/// changes, before holes can pile up again.
const CHANGES_PER_STEP: u32 = 64;
/// Holes that are never worth a pass.
const TOLERATED_HOLES: usize = 1_024;

const HOLE: u64 = 0;

/// The insertion order of one shard, guarded by its lock.
#[derive(Debug)]
pub struct Order {
    segments: VecDeque<Segment>,
    /// Number of the first segment.
    first: u32,
    live: usize,
    /// Cells in use, holes included.
    used: usize,
    pass: Option<Pass>,
    changes: u32,
    memory: Arc<Memory>,
}

#[derive(Debug)]
struct Segment {
    /// Sequence of the first cell that was written; above every sequence until then. Invariant: cells hold
    /// `sequence - base` in 32 bits.
    base: u64,
    cells: Vec<u64>,
    live: u32,
}

/// A compaction pass. Segments before `keep` are dense, those between `keep` and `next` are stubs.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// Segment that takes what lives, as an index from the front.
    keep: usize,
    /// Segment to look at next.
    next: usize,
}

impl Segment {
    fn stub() -> Self {
        Self { base: u64::MAX, cells: Vec::new(), live: 0 }
    }

    fn takes(&self, sequence: u64) -> bool {
        self.cells.is_empty() || (self.cells.len() < SEGMENT_CELLS && u32::try_from(sequence - self.base).is_ok())
    }

    /// Appends and gives the cell's index. [`Segment::takes`] was true.
    fn push(&mut self, sequence: u64, slot: u32) -> usize {
        if self.cells.is_empty() {
            self.base = sequence;
        }
        self.cells.push((sequence - self.base) << 32 | u64::from(slot + 1));
        self.live += 1;
        self.cells.len() - 1
    }

    fn entries(&self, from: usize) -> impl Iterator<Item = (u64, u32)> + '_ {
        let live = self.cells[from..].iter().filter(|&&cell| cell != HOLE);
        live.map(|&cell| (self.base + (cell >> 32), cell as u32 - 1))
    }
}

impl Order {
    /// Nothing was inserted yet.
    pub fn new(memory: Arc<Memory>) -> Self {
        Self { segments: VecDeque::new(), first: 0, live: 0, used: 0, pass: None, changes: 0, memory }
    }

    /// Makes sure that [`Order::append`] finds room.
    pub fn make_room(&mut self) -> Result<(), Error> {
        match self.segments.back_mut() {
            // A segment grows to its full size once it is worth it.
            Some(last) if last.cells.len() < last.cells.capacity() => Ok(()),
            Some(last) if last.cells.len() < SEGMENT_CELLS => {
                let more = SEGMENT_CELLS.min(last.cells.capacity() * 2).max(FIRST_CELLS) - last.cells.len();
                grow(&mut last.cells, more, &self.memory)
            }
            last => {
                let mut cells = Vec::new();
                let room = if last.is_none() { FIRST_CELLS } else { SEGMENT_CELLS };
                grow(&mut cells, room, &self.memory)?;
                self.segments.push_back(Segment { cells, ..Segment::stub() });
                Ok(())
            }
        }
    }

    /// Notes that `slot` was filled, and gives its position. Sequences only grow. [`Order::make_room`] came before.
    pub fn append(&mut self, sequence: u64, slot: u32) -> u32 {
        if self.segments.back().is_none_or(|last| !last.takes(sequence)) {
            // 2^32 entries of other shards since this segment began: its cells cannot say that.
            self.segments.push_back(Segment::stub());
        }
        let index = self.segments.len() - 1;
        self.live += 1;
        self.used += 1;
        let segment = &mut self.segments[index];
        let room_before = segment.cells.capacity();
        let cell = segment.push(sequence, slot);
        let grown = segment.cells.capacity() - room_before;
        debug_assert!(grown == 0 || cell == 0, "append without make_room");
        if grown > 0 {
            // Only on the rare path above; a handful of bytes that must not fail.
            let _ = self.memory.reserve(Use::Order, grown * size_of::<u64>());
        }
        self.position(index, cell)
    }

    /// Notes that the entry at this position left.
    pub fn remove(&mut self, position: u32) {
        let (index, cell) = self.locate(position);
        let is_last = index + 1 == self.segments.len();
        let segment = &mut self.segments[index];
        debug_assert_ne!(segment.cells[cell], HOLE);
        segment.cells[cell] = HOLE;
        segment.live -= 1;
        self.live -= 1;
        if segment.live == 0 && !is_last {
            self.used -= segment.cells.len();
            release(&mut segment.cells, &self.memory);
            self.drop_front();
        }
    }

    /// Does its share of compaction after a change; `moved` learns the new position of each slot that moved.
    pub fn step(&mut self, mut moved: impl FnMut(u32, u32)) {
        self.changes = self.changes.wrapping_add(1);
        if !self.changes.is_multiple_of(CHANGES_PER_STEP) {
            return;
        }
        if self.pass.is_none() && self.used > 2 * self.live + TOLERATED_HOLES {
            self.pass = Some(Pass { keep: 0, next: 0 });
        }
        if let Some(pass) = self.pass {
            self.compact_segment(pass, &mut moved);
        }
    }

    fn compact_segment(&mut self, mut pass: Pass, moved: &mut impl FnMut(u32, u32)) {
        // Taken out first: what lives in it may go back into the same segment.
        let mut cells = std::mem::take(&mut self.segments[pass.next].cells);
        self.segments[pass.next].live = 0;
        let source_base = self.segments[pass.next].base;
        self.used -= cells.len();
        for &cell in cells.iter().filter(|&&cell| cell != HOLE) {
            let (sequence, slot) = (source_base + (cell >> 32), cell as u32 - 1);
            while !self.segments[pass.keep].takes(sequence) {
                pass.keep += 1;
            }
            let segment = &mut self.segments[pass.keep];
            let before = segment.cells.capacity();
            if before == 0 {
                segment.cells.reserve_exact(SEGMENT_CELLS);
            }
            let index = segment.push(sequence, slot);
            let grown = segment.cells.capacity() - before;
            if grown > 0 {
                // The room comes out of what this very segment gives back below.
                let _ = self.memory.reserve(Use::Order, grown * size_of::<u64>());
            }
            self.used += 1;
            moved(slot, self.position(pass.keep, index));
        }
        release(&mut cells, &self.memory);
        pass.next += 1;
        if pass.next < self.segments.len() {
            self.pass = Some(pass);
            return;
        }
        // The pass is over: what follows the last kept segment are stubs.
        while self.segments.len() > pass.keep + 1 {
            self.segments.pop_back();
        }
        self.pass = None;
        self.drop_front();
    }

    /// The entries after this sequence, oldest first, at most `count` of them. The answer says whether there are more.
    pub fn after(&self, sequence: u64, count: usize, out: &mut Vec<(u64, u32)>) -> bool {
        // Sorted by base, but for the stubs in the middle of a pass.
        let (dense, rest) = match self.pass {
            Some(pass) => (pass.keep + 1, pass.next.max(pass.keep + 1)),
            None => (self.segments.len(), self.segments.len()),
        };
        let starts_before = |segment: &Segment| segment.base <= sequence;
        let mut start = partition(&self.segments, 0, dense, starts_before);
        if start == dense {
            start = partition(&self.segments, rest, self.segments.len(), starts_before);
            start = if start == rest { dense } else { start };
        }
        let before = out.len();
        for segment in self.segments.range(start.saturating_sub(1)..) {
            for (found, slot) in segment.entries(0) {
                if found <= sequence {
                    continue;
                }
                if out.len() - before == count {
                    return true;
                }
                out.push((found, slot));
            }
        }
        false
    }

    /// The oldest entry's slot.
    pub fn oldest(&self) -> Option<u32> {
        self.segments.iter().find_map(|segment| segment.entries(0).next()).map(|(_, slot)| slot)
    }

    fn position(&self, index: usize, cell: usize) -> u32 {
        self.first.wrapping_add(index as u32).wrapping_mul(SEGMENT_CELLS as u32) + cell as u32
    }

    fn locate(&self, position: u32) -> (usize, usize) {
        // Numbers of segments go around at 2^24, which is more than there ever are at once.
        let number = position / SEGMENT_CELLS as u32;
        let index = number.wrapping_sub(self.first) & (u32::MAX / SEGMENT_CELLS as u32);
        (index as usize, position as usize % SEGMENT_CELLS)
    }

    /// Forgets empty segments at the front. Not during a pass, which counts from there.
    fn drop_front(&mut self) {
        while self.pass.is_none() && self.segments.len() > 1 && self.segments.front().is_some_and(|s| s.live == 0) {
            if let Some(mut segment) = self.segments.pop_front() {
                self.used -= segment.cells.len();
                release(&mut segment.cells, &self.memory);
                self.first = self.first.wrapping_add(1);
            }
        }
    }
}

/// The first index from `from` to `to` whose segment does not satisfy the predicate.
fn partition(segments: &VecDeque<Segment>, from: usize, to: usize, holds: impl Fn(&Segment) -> bool) -> usize {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low.midpoint(high);
        if holds(&segments[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn grow(cells: &mut Vec<u64>, more: usize, memory: &Memory) -> Result<(), Error> {
    let before = cells.capacity();
    let wanted = (cells.len() + more).saturating_sub(before) * size_of::<u64>();
    memory.reserve(Use::Order, wanted)?;
    cells.reserve_exact(more);
    debug_assert_eq!((cells.capacity() - before) * size_of::<u64>(), wanted);
    Ok(())
}

fn release(cells: &mut Vec<u64>, memory: &Memory) {
    memory.release(Use::Order, cells.capacity() * size_of::<u64>());
    *cells = Vec::new();
}

impl Drop for Order {
    fn drop(&mut self) {
        for segment in &mut self.segments {
            release(&mut segment.cells, &self.memory);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Compares with a sorted map: append, remove and look after any sequence, in the middle of passes too.
    #[test]
    fn agrees_with_a_sorted_map_whatever_is_removed() {
        for (seed, keep_percent) in [(1_u64, 50), (2, 3), (3, 97), (4, 20)] {
            let memory = Arc::new(Memory::new(None));
            let mut order = Order::new(Arc::clone(&memory));
            let mut positions: Vec<u32> = Vec::new();
            let mut expected: BTreeMap<u64, u32> = BTreeMap::new();
            let mut random = seed;
            let mut next = |below: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            let mut sequence = 0;
            for round in 0..60_000_u32 {
                // Every now and then other shards insert more than 32 bits can count.
                sequence += if next(9_000) == 0 { 1 << 33 } else { 1 + next(3) };
                order.make_room().unwrap();
                let position = order.append(sequence, round);
                positions.push(position);
                expected.insert(sequence, round);
                order.step(|slot, position| positions[slot as usize] = position);
                while expected.len() as u64 > 10 + u64::from(round) * keep_percent / 100 {
                    let from = next(sequence);
                    let Some((&victim, &slot)) = expected.range(from..).next() else { continue };
                    expected.remove(&victim);
                    order.remove(positions[slot as usize]);
                    order.step(|slot, position| positions[slot as usize] = position);
                }
                if round % 97 == 0 {
                    let (from, count) = (next(sequence + 5), next(600) as usize);
                    let mut found = Vec::new();
                    let more = order.after(from, count, &mut found);
                    let rest = expected.range(from + 1..).map(|(&sequence, &slot)| (sequence, slot));
                    let wanted: Vec<_> = rest.clone().take(count).collect();
                    assert_eq!(found, wanted, "seed {seed}, round {round}");
                    assert_eq!(more, rest.count() > count, "seed {seed}, round {round}");
                }
            }
            assert!(order.used <= 3 * order.live + 2 * TOLERATED_HOLES, "{} cells for {}", order.used, order.live);
            assert_eq!(order.oldest(), expected.values().next().copied());
            drop(order);
            assert_eq!(memory.total(), 0);
        }
    }

    #[test]
    fn a_queue_takes_no_more_room_than_what_it_holds() {
        let memory = Arc::new(Memory::new(None));
        let mut order = Order::new(Arc::clone(&memory));
        let mut positions = std::collections::VecDeque::new();
        for n in 0..100_000_u64 {
            order.make_room().unwrap();
            positions.push_back(order.append(n + 1, 5));
            order.step(|_, _| ());
            if n >= 100 {
                order.remove(positions.pop_front().unwrap());
            }
        }
        assert!(memory.used(Use::Order) < 8 * 1_024, "{} bytes for 100 entries", memory.used(Use::Order));
    }
}
