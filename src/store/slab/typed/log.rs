//! The entries of one type in one shard, in the order of their insertion.
//!
//! A list of `(sequence, slot)` in segments of 256 cells, sorted by sequence. Nothing keeps the place of an entry: its
//! sequence is in the insertion order of the shard, and a binary search leads from there to its cell. So an entry may
//! come and go in the middle, as one does that gets a type or loses it when it is written, and what is removed leaves
//! no hole.
//!
//! ```text
//! segments: [ first sequence | +0 slot 7 · +5 slot 2 · … ] [ first sequence | … ]
//! cell = sequence, lower half (32) · slot (32)
//! ```
//!
//! The cells of a segment have one upper half of the sequence, that of its first. Two neighbours that together fill
//! three quarters of a segment at most become one, so what is in use stays at least three eighths full.

use std::collections::VecDeque;

use crate::store::error::Error;
use crate::store::memory::budget::Reservation;
use crate::store::platform::fallible;

/// Cells of a segment: 2 KiB, so an insertion moves no more than that.
pub(super) const SEGMENT_CELLS: usize = 256;
/// Room of the first segment, because many shards have few entries of a type.
const FIRST_CELLS: usize = 4;
/// Neighbours with so many cells together become one. Less than a segment, so that the next insertion does not split
/// it.
const JOINED_CELLS: usize = SEGMENT_CELLS / 4 * 3;
const CELL_BYTES: usize = size_of::<u64>();

/// The entries of one type.
#[derive(Debug, Default)]
pub struct Log {
    segments: VecDeque<Segment>,
    len: usize,
}

#[derive(Debug)]
struct Segment {
    /// The sequence of the first cell; of the entry that a segment without cells was made for.
    first: u64,
    /// Invariant: sorted, and each of a sequence with the same upper half as `first`.
    cells: Vec<u64>,
}

fn cell(sequence: u64, slot: u32) -> u64 {
    sequence << 32 | u64::from(slot)
}

impl Segment {
    fn high(&self) -> u64 {
        self.first >> 32
    }

    fn sequence(&self, cell: u64) -> u64 {
        self.high() << 32 | cell >> 32
    }

    /// How many cells have this sequence or one before it.
    fn count_to(&self, sequence: u64) -> usize {
        match (sequence >> 32).cmp(&self.high()) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => self.cells.partition_point(|&cell| cell >> 32 <= sequence & 0xffff_ffff),
            std::cmp::Ordering::Greater => self.cells.len(),
        }
    }

    fn bytes(&self) -> usize {
        self.cells.capacity() * CELL_BYTES
    }
}

impl Log {
    /// Entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of cells and segments.
    pub fn bytes(&self) -> usize {
        let cells: usize = self.segments.iter().map(Segment::bytes).sum();
        cells + self.segments.capacity() * size_of::<Segment>()
    }

    /// The segment that has this sequence, if it is there: the last one that does not begin later, else the first.
    fn place_of(&self, sequence: u64) -> usize {
        self.segments.partition_point(|segment| segment.first <= sequence).saturating_sub(1)
    }

    /// Makes sure that [`Log::add`] finds room for an entry of this sequence, or changes nothing that counts. A log
    /// that gets no entry after all is [`Log::tidy`]'s to clean.
    pub fn make_room(&mut self, sequence: u64, held: &mut Reservation) -> Result<(), Error> {
        let (at, segments) = (self.place_of(sequence), self.segments.len());
        let Some(segment) = self.segments.get_mut(at) else {
            return self.add_segment(0, sequence, FIRST_CELLS, held);
        };
        if segment.high() != sequence >> 32 {
            let behind = usize::from(segment.first < sequence);
            return self.add_segment(at + behind, sequence, FIRST_CELLS, held);
        }
        let room = segment.cells.capacity();
        if segment.cells.len() < room {
            return Ok(());
        }
        if room < SEGMENT_CELLS {
            let more = room.min(SEGMENT_CELLS - room);
            held.grow(more * CELL_BYTES)?;
            return fallible::reserve(&mut segment.cells, more).inspect_err(|_| held.shrink(more * CELL_BYTES));
        }
        if at + 1 == segments && segment.count_to(sequence) == room {
            return self.add_segment(at + 1, sequence, SEGMENT_CELLS, held);
        }
        self.split(at, held)
    }

    /// Adds a segment without cells at this place.
    fn add_segment(&mut self, at: usize, first: u64, room: usize, held: &mut Reservation) -> Result<(), Error> {
        self.make_room_for_segment(held)?;
        held.grow(room * CELL_BYTES)?;
        let cells = fallible::vec(room).inspect_err(|_| held.shrink(room * CELL_BYTES))?;
        self.segments.insert(at, Segment { first, cells });
        Ok(())
    }

    fn make_room_for_segment(&mut self, held: &mut Reservation) -> Result<(), Error> {
        let room = self.segments.capacity();
        if self.segments.len() < room {
            return Ok(());
        }
        let more = room.max(1);
        let bytes = more * size_of::<Segment>();
        held.grow(bytes)?;
        let refused = Error::OutOfMemory { bytes: bytes as u64 };
        let grown = fallible::grant(bytes).and_then(|()| self.segments.try_reserve_exact(more).map_err(|_| refused));
        grown.inspect_err(|_| held.shrink(bytes))?;
        debug_assert_eq!(self.segments.capacity(), room + more);
        Ok(())
    }

    /// Makes two segments of a full one.
    fn split(&mut self, at: usize, held: &mut Reservation) -> Result<(), Error> {
        let segment = &self.segments[at];
        let middle = segment.cells.len() / 2;
        let first = segment.sequence(segment.cells[middle]);
        self.add_segment(at + 1, first, SEGMENT_CELLS, held)?;
        let mut lower = std::mem::take(&mut self.segments[at].cells);
        self.segments[at + 1].cells.extend_from_slice(&lower[middle..]);
        lower.truncate(middle);
        self.segments[at].cells = lower;
        Ok(())
    }

    /// Adds an entry. [`Log::make_room`] came before with the same sequence.
    pub fn add(&mut self, sequence: u64, slot: u32) {
        let at = self.place_of(sequence);
        let segment = &mut self.segments[at];
        debug_assert!(segment.cells.len() < segment.cells.capacity(), "no room was made");
        let place = segment.count_to(sequence);
        segment.first = if place == 0 { sequence } else { segment.first };
        segment.cells.insert(place, cell(sequence, slot));
        self.len += 1;
    }

    /// Removes the entry of this sequence; returns whether it was there.
    pub fn remove(&mut self, sequence: u64, held: &mut Reservation) -> bool {
        let at = self.place_of(sequence);
        let Some(place) = self.find(at, sequence) else { return false };
        let segment = &mut self.segments[at];
        segment.cells.remove(place);
        self.len -= 1;
        if let Some(&first) = segment.cells.first() {
            segment.first = segment.sequence(first);
            self.join_neighbours(at, held);
        } else {
            self.drop_segment(at, held);
        }
        true
    }

    /// The place of a sequence's cell in this segment.
    fn find(&self, at: usize, sequence: u64) -> Option<usize> {
        let segment = self.segments.get(at)?;
        let place = segment.count_to(sequence).checked_sub(1)?;
        (segment.sequence(segment.cells[place]) == sequence).then_some(place)
    }

    /// Takes back the room that was made for an entry which did not come.
    pub fn tidy(&mut self, sequence: u64, held: &mut Reservation) {
        let at = self.place_of(sequence);
        if self.segments.get(at).is_some_and(|segment| segment.cells.is_empty()) {
            self.drop_segment(at, held);
        }
    }

    fn drop_segment(&mut self, at: usize, held: &mut Reservation) {
        if let Some(segment) = self.segments.remove(at) {
            held.shrink(segment.bytes());
        }
    }

    /// Joins a segment with the one before or behind it, if both are small enough.
    fn join_neighbours(&mut self, at: usize, held: &mut Reservation) {
        if !self.join(at, held)
            && let Some(older) = at.checked_sub(1)
        {
            self.join(older, held);
        }
    }

    /// Joins a segment with the one behind it; returns whether it did. Needs no memory.
    fn join(&mut self, at: usize, held: &mut Reservation) -> bool {
        let (Some(older), Some(newer)) = (self.segments.get(at), self.segments.get(at + 1)) else { return false };
        let (moved, cells) = (older.cells.len(), older.cells.len() + newer.cells.len());
        if cells > JOINED_CELLS || older.high() != newer.high() {
            return false;
        }
        if cells <= older.cells.capacity() {
            let newer = std::mem::take(&mut self.segments[at + 1].cells);
            self.segments[at].cells.extend_from_slice(&newer);
            self.segments[at + 1].cells = newer;
            self.drop_segment(at + 1, held);
        } else if cells <= newer.cells.capacity() {
            let (first, older) = (older.first, std::mem::take(&mut self.segments[at].cells));
            let newer = &mut self.segments[at + 1];
            newer.cells.extend_from_slice(&older);
            newer.cells.rotate_right(moved);
            newer.first = first;
            self.segments[at].cells = older;
            self.drop_segment(at, held);
        } else {
            return false;
        }
        true
    }

    /// The slot of the entry of this sequence.
    pub fn slot_of(&self, sequence: u64) -> Option<u32> {
        let at = self.place_of(sequence);
        Some(self.segments[at].cells[self.find(at, sequence)?] as u32)
    }

    /// The sequence of the first entry after this one.
    pub fn first_after(&self, sequence: u64) -> Option<u64> {
        self.walk(sequence, sequence, |_, _| ())
    }

    /// Shows the entries after this sequence and up to `last`, oldest first, and returns the sequence of the next one.
    pub fn walk(&self, after: u64, last: u64, mut show: impl FnMut(u64, u32)) -> Option<u64> {
        for segment in self.segments.range(self.place_of(after)..) {
            for &cell in &segment.cells[segment.count_to(after)..] {
                let sequence = segment.sequence(cell);
                if sequence > last {
                    return Some(sequence);
                }
                show(sequence, cell as u32);
            }
        }
        None
    }

    /// Checks the segment at this place, and returns its entries; `None` beyond the last one. `is_there` says whether
    /// the entry of a sequence is in a slot.
    pub fn check(&self, at: usize, is_there: impl Fn(u64, u32) -> bool) -> Option<Result<usize, &'static str>> {
        let segment = self.segments.get(at)?;
        let older = at.checked_sub(1).map(|older| &self.segments[older]);
        let end = |older: &Segment| older.cells.last().map(|&cell| older.sequence(cell));
        let cells = || segment.cells.iter().map(|&cell| (segment.sequence(cell), cell as u32));
        Some(if segment.cells.is_empty() {
            Err("a segment of the log of a type is empty")
        } else if cells().next().map(|(sequence, _)| sequence) != Some(segment.first) {
            Err("a segment of the log of a type does not know its first entry")
        } else if older.and_then(end).is_some_and(|end| end >= segment.first) {
            Err("segments of the log of a type are out of order")
        } else if !cells().is_sorted_by(|(before, _), (after, _)| before < after) {
            Err("cells of the log of a type are out of order")
        } else if !cells().all(|(sequence, slot)| is_there(sequence, slot)) {
            Err("the log of a type names a slot that has no entry of it")
        } else {
            Ok(segment.cells.len())
        })
    }
}
