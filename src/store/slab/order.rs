//! Insertion order: which slots were filled when.
//!
//! A log of `(sequence, slot)` in segments of 256 cells, sorted by sequence because entries are appended under the
//! shard's lock. An entry that is removed makes its cell a hole. Eight bytes an entry buy what a linked list would
//! not: where the walk went on after sequence `s` is a binary search, so an iterator keeps a number and nothing else,
//! and whatever is deleted, it neither dangles nor has to be updated.
//!
//! ```text
//! sorted:   [ 3 | 0 | 2 | … ]                                  numbers of segments, oldest first
//! segment (base sequence) : [ +0 slot 7 | hole | +5 slot 2 | … ]
//! cell = sequence - base (32) · slot + 1 (32), 0 = hole
//! ```
//!
//! **Compaction.** As soon as two neighbours hold no more together than one of them has room for, they become one,
//! like the leaves of a B-tree, and a segment without entries goes, wherever it stands. There is one such step for
//! each segment that was ever filled, so it is at most a cell moved for each insertion, 256 at once, and what is in
//! use stays at least two fifths full (see [`LOOK_EACH`]). It needs no memory: what lives in one goes into the room of
//! the other.
//!
//! **Positions** are `segment number * 256 + cell`. A segment keeps its number as long as it exists, and the number of
//! one that went is used again first, so numbers never run away however long a map lives.

use std::collections::VecDeque;

use crate::store::error::Error;
use crate::store::memory::boxes;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::fault;
use crate::store::platform::sync::Arc;
use gaps::Gaps;

/// Cells of a segment: 2 KiB, so joining two touches at most this many slots at once.
const SEGMENT_CELLS: usize = 256;
/// Room of the very first segment, so that small maps stay small.
const FIRST_CELLS: usize = 16;
/// Removals from a segment between two looks at its neighbours. A pair may so miss being joined by 30 entries: two
/// neighbours hold at least 226 of 512.
const LOOK_EACH: u32 = 16;
/// Segments that positions can distinguish: four billion entries in one shard.
const MAX_SEGMENTS: usize = if cfg!(test) { 1 << 10 } else { 1 << 24 };

const HOLE: u64 = 0;
/// No segment.
const NONE: u32 = u32::MAX;

/// The insertion order of one shard, guarded by its lock.
#[derive(Debug)]
pub struct Order {
    /// By number. Those that are vacant hold no cells.
    segments: Vec<Segment>,
    /// Numbers of the segments in use, by sequence. Invariant: only the last one may be without entries; it has no
    /// cells then.
    sorted: VecDeque<u32>,
    /// The first vacant segment, which knows the next, or `NONE`.
    vacant: u32,
    live: usize,
    gaps: Gaps,
    /// Cells of segments that several entries at once may need; see [`Order::make_room_for`].
    spare: Vec<Vec<u64>>,
    /// For all of them: cells, segments and their order.
    held: Reservation,
}

#[derive(Debug)]
struct Segment {
    /// Sequence of the first cell that was written; above every sequence until then. Invariant: cells hold
    /// `sequence - base` in 32 bits.
    base: u64,
    cells: Vec<u64>,
    live: u32,
    /// Cells before this are holes.
    start: u32,
    /// The neighbours in `sorted`, or `NONE`. A vacant segment has the next vacant one here.
    newer: u32,
    older: u32,
}

impl Segment {
    fn new(cells: Vec<u64>) -> Self {
        Self { base: u64::MAX, cells, live: 0, start: 0, newer: NONE, older: NONE }
    }

    /// Whether the next cell can hold this sequence.
    fn takes(&self, sequence: u64) -> bool {
        self.cells.is_empty() || (self.cells.len() < SEGMENT_CELLS && u32::try_from(sequence - self.base).is_ok())
    }

    /// Appends and returns the cell's index. There is room, and [`Segment::takes`] was true.
    fn push(&mut self, sequence: u64, slot: u32) -> usize {
        debug_assert!(self.cells.len() < self.cells.capacity(), "no room was made");
        if self.cells.is_empty() {
            self.base = sequence;
        }
        self.cells.push((sequence - self.base) << 32 | u64::from(slot + 1));
        self.live += 1;
        self.cells.len() - 1
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = (u64, u32)> + '_ {
        self.entries_from(self.start as usize)
    }

    fn entries_from(&self, cell: usize) -> impl DoubleEndedIterator<Item = (u64, u32)> + '_ {
        let live = self.cells[cell..].iter().filter(|&&cell| cell != HOLE);
        live.map(|&cell| (self.base + (cell >> 32), cell as u32 - 1))
    }

    /// The entries with a later sequence. Holes say nothing, so the search looks at the entry before one.
    fn entries_after(&self, sequence: u64) -> impl DoubleEndedIterator<Item = (u64, u32)> + '_ {
        let (mut low, mut high) = (self.start as usize, self.cells.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.cells[low..=middle].iter().rposition(|&cell| cell != HOLE) {
                Some(at) if self.base + (self.cells[low + at] >> 32) > sequence => high = low + at,
                _ => low = middle + 1,
            }
        }
        self.entries_from(low)
    }

    /// Forgets everything but its room.
    fn reset(&mut self) {
        self.cells.clear();
        (self.base, self.live, self.start) = (u64::MAX, 0, 0);
    }
}

impl Order {
    /// Nothing was inserted yet.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self {
            segments: Vec::new(),
            sorted: VecDeque::new(),
            vacant: NONE,
            live: 0,
            gaps: Gaps::new(),
            spare: Vec::new(),
            held: Reservation::empty(memory, Use::Order),
        }
    }

    /// Makes sure that [`Order::append`] finds room for an entry of this sequence, or changes nothing.
    pub fn make_room(&mut self, sequence: u64) -> Result<(), Error> {
        let Some(&last) = self.sorted.back() else { return self.add_segment(FIRST_CELLS) };
        let last = &mut self.segments[last as usize];
        if !last.takes(sequence) {
            return self.add_segment(SEGMENT_CELLS);
        }
        let room = last.cells.capacity();
        if last.cells.len() < room {
            return Ok(());
        }
        // A segment grows to its full size once it is worth it.
        let more = room.max(FIRST_CELLS).min(SEGMENT_CELLS - room);
        let bytes = more * size_of::<u64>();
        self.held.grow(bytes)?;
        fallible::reserve(&mut last.cells, more).inspect_err(|_| self.held.shrink(bytes))
    }

    /// Makes sure that so many entries can be appended without memory: what does not fit into the last segment gets
    /// others, which wait until they are needed or [`Order::release_spare`].
    pub fn make_room_for(&mut self, count: usize) -> Result<(), Error> {
        let mut room = 0;
        if let Some(&last) = self.sorted.back() {
            let last = &mut self.segments[last as usize];
            let (len, before) = (last.cells.len(), last.cells.capacity());
            let target = (len + count).max(2 * before).min(SEGMENT_CELLS);
            if len + count > before && target > before {
                let bytes = (target - before) * size_of::<u64>();
                self.held.grow(bytes)?;
                fallible::reserve(&mut last.cells, target - len).inspect_err(|_| self.held.shrink(bytes))?;
            }
            room = last.cells.capacity() - len;
        }
        if room >= count {
            return Ok(());
        }
        let wanted = (count - room).div_ceil(SEGMENT_CELLS);
        let segments = self.segments.len() + wanted;
        boxes::grow(&mut self.segments, segments, &mut self.held)?;
        self.make_room_in_sorted(wanted)?;
        boxes::grow(&mut self.spare, wanted, &mut self.held)?;
        while self.spare.len() < wanted {
            let bytes = SEGMENT_CELLS * size_of::<u64>();
            self.held.grow(bytes)?;
            let cells = fallible::vec(SEGMENT_CELLS).inspect_err(|_| self.held.shrink(bytes))?;
            self.spare.push(cells);
        }
        Ok(())
    }

    /// Whether there is any such.
    pub fn has_spare(&self) -> bool {
        self.spare.capacity() > 0
    }

    /// Gives back what [`Order::make_room_for`] set aside and was not needed.
    pub fn release_spare(&mut self) {
        if self.spare.capacity() > 0 {
            let spare = std::mem::take(&mut self.spare);
            let places = spare.capacity() * size_of::<Vec<u64>>();
            let bytes = places + spare.iter().map(|cells| cells.capacity() * size_of::<u64>()).sum::<usize>();
            drop(spare);
            self.held.shrink(bytes);
        }
    }

    /// Appends an empty segment.
    #[cold]
    fn add_segment(&mut self, room: usize) -> Result<(), Error> {
        let number = if self.vacant == NONE { self.segments.len() } else { self.vacant as usize };
        if number == MAX_SEGMENTS {
            return Err(Error::OutOfMemory { bytes: (SEGMENT_CELLS * size_of::<u64>()) as u64 });
        }
        // All that can fail comes first. What is there already when something is refused waits for the next attempt.
        boxes::grow(&mut self.segments, number + 1, &mut self.held)?;
        self.make_room_in_sorted(1)?;
        let cells = if let Some(cells) = self.spare.pop() {
            cells
        } else {
            let bytes = room * size_of::<u64>();
            self.held.grow(bytes)?;
            fallible::vec(room).inspect_err(|_| self.held.shrink(bytes))?
        };

        fault::point();
        let segment = Segment { older: self.sorted.back().copied().unwrap_or(NONE), ..Segment::new(cells) };
        if let Some(last) = self.segments.get_mut(segment.older as usize) {
            last.newer = number as u32;
        }
        if number == self.segments.len() {
            self.segments.push(segment);
        } else {
            self.vacant = self.segments[number].newer;
            self.segments[number] = segment;
        }
        self.sorted.push_back(number as u32);
        Ok(())
    }

    fn make_room_in_sorted(&mut self, more: usize) -> Result<(), Error> {
        if self.sorted.len() + more <= self.sorted.capacity() {
            return Ok(());
        }
        let (room, wanted) = (self.sorted.capacity(), (self.sorted.len() * 2).max(self.sorted.len() + more).max(8));
        let bytes = (wanted - room) * size_of::<u32>();
        self.held.grow(bytes)?;
        let refused = Error::OutOfMemory { bytes: bytes as u64 };
        let grown = fallible::grant(bytes)
            .and_then(|()| self.sorted.try_reserve_exact(wanted - self.sorted.len()).map_err(|_| refused));
        grown.inspect_err(|_| self.held.shrink(bytes))?;
        debug_assert_eq!(self.sorted.capacity(), wanted);
        Ok(())
    }

    /// Appends an entry: `slot` was filled. Returns its position. Sequences only grow. [`Order::make_room`] came
    /// before with the same sequence.
    pub fn append(&mut self, sequence: u64, slot: u32) -> u32 {
        let last = self.sorted.back().copied().unwrap_or(NONE);
        self.live += 1;
        fault::point();
        self.gaps.append(sequence);
        position(last, self.segments[last as usize].push(sequence, slot))
    }

    /// The sequence of the entry at this position, if there is one.
    pub fn sequence_at(&self, position: u32) -> Option<u64> {
        let segment = self.segments.get((position / SEGMENT_CELLS as u32) as usize)?;
        let cell = *segment.cells.get(position as usize % SEGMENT_CELLS)?;
        (cell != HOLE).then(|| segment.base + (cell >> 32))
    }

    /// Removes the entry at this position, and returns its sequence. `moved` learns the new position of each slot that
    /// is moved.
    pub fn remove(&mut self, position: u32, moved: impl FnMut(u32, u32)) -> u64 {
        let (number, cell) = (position / SEGMENT_CELLS as u32, position as usize % SEGMENT_CELLS);
        let segment = &mut self.segments[number as usize];
        debug_assert_ne!(segment.cells[cell], HOLE);
        let sequence = segment.base + (segment.cells[cell] >> 32);
        segment.cells[cell] = HOLE;
        segment.live -= 1;
        fault::point();
        self.live -= 1;
        if segment.live == 0 {
            self.vacate(number);
        } else {
            if segment.start as usize == cell {
                let holes = segment.cells[cell..].iter().take_while(|&&cell| cell == HOLE).count();
                segment.start += holes as u32;
            }
            if segment.live.is_multiple_of(LOOK_EACH) {
                self.join_neighbours(number, moved);
            }
        }
        if sequence == self.gaps.oldest {
            self.gaps.oldest = self.first().map_or(u64::MAX, |(sequence, _)| sequence);
        }
        sequence
    }

    /// A segment has no entries any more.
    fn vacate(&mut self, number: u32) {
        if self.segments[number as usize].newer == NONE {
            // The last one waits for the next entry.
            self.segments[number as usize].reset();
        } else {
            self.drop_segment(number);
        }
        // Room for many segments is not kept for the few that come next.
        if self.live == 0 && self.segments.capacity() > boxes::FIRST_PLACES {
            (self.segments, self.sorted, self.vacant) = (Vec::new(), VecDeque::new(), NONE);
            self.spare = Vec::new();
            self.held.shrink(self.held.bytes());
        }
    }

    /// Joins a segment with one of its neighbours, if one has room for both.
    fn join_neighbours(&mut self, number: u32, moved: impl FnMut(u32, u32)) {
        let Segment { older, newer, .. } = self.segments[number as usize];
        if !self.can_join(older, number) && self.can_join(number, newer) {
            self.join(number, newer, moved);
        } else if self.can_join(older, number) {
            self.join(older, number, moved);
        }
    }

    /// Whether the older of two neighbours has room for what lives in both.
    fn can_join(&self, older: u32, newer: u32) -> bool {
        if older == NONE || newer == NONE {
            return false;
        }
        let (older, newer) = (&self.segments[older as usize], &self.segments[newer as usize]);
        newer.live > 0
            && (older.live + newer.live) as usize <= older.cells.capacity()
            // 2^32 entries of other shards lie between the two: one base cannot serve both.
            && newer.entries().next_back().is_some_and(|(last, _)| u32::try_from(last - older.base).is_ok())
    }

    /// Moves what lives in a segment to the end of the one before.
    fn join(&mut self, older: u32, newer: u32, mut moved: impl FnMut(u32, u32)) {
        // Taken out first: it gives back what it no longer needs.
        let source = std::mem::replace(&mut self.segments[newer as usize], Segment::new(Vec::new()));
        let target = &mut self.segments[older as usize];
        if target.cells.len() + source.live as usize > target.cells.capacity() {
            // Holes make room. Nothing moves to a later cell, so a cell is read before it is written.
            let mut end = 0;
            for cell in target.start as usize..target.cells.len() {
                let content = target.cells[cell];
                if content != HOLE {
                    if cell != end {
                        target.cells[end] = content;
                        moved(content as u32 - 1, position(older, end));
                    }
                    end += 1;
                }
            }
            target.cells.truncate(end);
            target.start = 0;
        }
        for (sequence, slot) in source.entries() {
            moved(slot, position(older, target.push(sequence, slot)));
        }
        self.segments[newer as usize] = source;
        self.drop_segment(newer);
    }

    /// Takes a segment out of the order and gives its cells back.
    fn drop_segment(&mut self, number: u32) {
        let at = self.place_in_sorted(number);
        self.sorted.remove(at);
        let gone = std::mem::replace(&mut self.segments[number as usize], Segment::new(Vec::new()));
        if let Some(older) = self.segments.get_mut(gone.older as usize) {
            older.newer = gone.newer;
        }
        if let Some(newer) = self.segments.get_mut(gone.newer as usize) {
            newer.older = gone.older;
        }
        self.segments[number as usize].newer = self.vacant;
        self.vacant = number;
        let bytes = gone.cells.capacity() * size_of::<u64>();
        drop(gone);
        self.held.shrink(bytes);
    }

    /// Where a segment with entries stands among the others. The search is by base, which grows from one to the next;
    /// the last may have none.
    fn place_in_sorted(&self, number: u32) -> usize {
        let base = self.segments[number as usize].base;
        let at = self.sorted.partition_point(|&other| self.segments[other as usize].base < base);
        debug_assert_eq!(self.sorted.get(at), Some(&number));
        at
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.live
    }

    /// The slot at this position, if there is one.
    pub fn slot_at(&self, position: u32) -> Option<u32> {
        let (number, cell) = (position / SEGMENT_CELLS as u32, position as usize % SEGMENT_CELLS);
        let cell = *self.segments.get(number as usize)?.cells.get(cell)?;
        (cell != HOLE).then(|| cell as u32 - 1)
    }

    /// Checks the segment at this place of the order, and returns its entries; `None` beyond the last one. `at`
    /// returns where a slot says that it is.
    pub fn check(&self, place: usize, at: impl Fn(u32) -> Option<u32>) -> Option<Result<usize, &'static str>> {
        let &number = self.sorted.get(place)?;
        let segment = &self.segments[number as usize];
        let older = place.checked_sub(1).map(|older| &self.segments[self.sorted[older] as usize]);
        let cells = segment.cells.iter().enumerate().filter(|&(_, &cell)| cell != HOLE);
        let knows = |(index, &cell): (usize, &u64)| at(cell as u32 - 1) == Some(position(number, index));
        let sequences = || segment.entries().map(|(sequence, _)| sequence);
        Some(if cells.clone().count() != segment.live as usize {
            Err("a segment of the order counts its entries wrong")
        } else if segment.live == 0 && place + 1 != self.sorted.len() {
            Err("a segment of the order is empty")
        } else if older.is_some_and(|older| older.newer != number || older.base > segment.base) {
            Err("segments of the order are out of order")
        } else if !cells.clone().is_sorted_by_key(|(_, &cell)| cell >> 32) {
            Err("cells of the order are out of order")
        } else if !cells.clone().all(knows) {
            Err("the order names a slot that does not stand there")
        } else if place == 0 && sequences().next().unwrap_or(u64::MAX) != self.gaps.oldest {
            Err("the order does not know its oldest entry")
        } else if sequences().next_back().is_some_and(|newest| newest > self.gaps.newest) {
            Err("the order knows of no entry as late as one that it has")
        } else {
            Ok(segment.live as usize)
        })
    }

    /// Bytes of cells, segments and their order.
    pub fn bytes(&self) -> usize {
        let cells: usize = self.segments.iter().map(|segment| segment.cells.capacity()).sum();
        cells * size_of::<u64>()
            + self.segments.capacity() * size_of::<Segment>()
            + self.sorted.capacity() * size_of::<u32>()
            + self.spare.capacity() * size_of::<Vec<u64>>()
            + self.spare.iter().map(|cells| cells.capacity() * size_of::<u64>()).sum::<usize>()
    }

    /// Where entries can be.
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// The entries after this sequence and up to `last`, oldest first. Remembers that there are none from there to the
    /// next, whose sequence it returns; `None` if there is no other.
    pub fn walk(&mut self, after: u64, last: u64, out: &mut Vec<(u64, u32)>) -> Option<u64> {
        let before = out.len();
        let next = self.after(after, last, usize::MAX, out);
        let end = out[before..].last().map_or(after, |&(sequence, _)| sequence);
        match next {
            Some(next) => self.gaps.note(end, next, after + 1),
            None => self.gaps.newest = self.gaps.newest.min(end),
        }
        next
    }

    /// The entries after this sequence and up to `last`, oldest first, at most `count` of them. Returns the sequence of
    /// the next one.
    pub fn after(&self, sequence: u64, last: u64, count: usize, out: &mut Vec<(u64, u32)>) -> Option<u64> {
        let start = self.sorted.partition_point(|&number| self.segments[number as usize].base <= sequence);
        let before = out.len();
        for &number in self.sorted.range(start.saturating_sub(1)..) {
            for (found, slot) in self.segments[number as usize].entries_after(sequence) {
                if found > last || out.len() - before == count {
                    return Some(found);
                }
                out.push((found, slot));
            }
        }
        None
    }

    /// The oldest entry's slot.
    pub fn oldest(&self) -> Option<u32> {
        self.first().map(|(_, slot)| slot)
    }

    fn first(&self) -> Option<(u64, u32)> {
        self.sorted.iter().find_map(|&number| self.segments[number as usize].entries().next())
    }
}

fn position(number: u32, cell: usize) -> u32 {
    number * SEGMENT_CELLS as u32 + cell as u32
}

mod draw;
mod gaps;
#[cfg(all(test, not(loom)))]
mod tests;
