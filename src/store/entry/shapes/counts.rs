//! How many entries of each shape a shard has.
//!
//! Counted under the shard's lock. Only the first entry of a shape and the last one are reported to the place that all
//! shards share, so that writes of values whose shapes are there write nothing that other threads read.
//!
//! A sorted list of what is there: most shards have a few shapes, and one with thousands finds its own in a dozen
//! steps. At most eight bytes for each entry, and twice that for room to grow.

use super::Shapes;
use super::numbers::BUILT_IN;
use crate::store::error::Error;
use crate::store::memory::boxes;
use crate::store::memory::boxes::FIRST_PLACES;
use crate::store::memory::budget::{Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// How often there is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    number: u32,
    times: u32,
}

/// Shapes by number, each with how often it is there.
#[derive(Debug, Default)]
pub struct Tally(Vec<Count>);

impl Tally {
    fn position(&self, number: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |count| count.number)
    }

    /// How often a shape is there.
    pub fn of(&self, number: u32) -> u32 {
        self.position(number).map_or(0, |at| self.0[at].times)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().map(|count| (count.number, count.times))
    }

    /// Adds one, for a recount: what it takes is counted for no map.
    pub fn add(&mut self, number: u32) -> Result<(), Error> {
        match self.position(number) {
            Ok(at) => self.0[at].times += 1,
            Err(at) => {
                fallible::reserve_amortised(&mut self.0, 1)?;
                self.0.insert(at, Count { number, times: 1 });
            }
        }
        Ok(())
    }
}

/// The shapes of a shard's entries. Wherever it goes, its shapes lose it as a user.
#[derive(Debug)]
pub struct ShapeCounts {
    tally: Tally,
    /// Entries that are records, those of the shape that every map knows included.
    records: u64,
    held: Reservation,
    shapes: Arc<Shapes>,
}

impl ShapeCounts {
    /// None.
    pub fn new(shapes: &Arc<Shapes>) -> Self {
        let held = Reservation::empty(shapes.memory(), Use::Shapes);
        Self { tally: Tally::default(), records: 0, held, shapes: Arc::clone(shapes) }
    }

    /// An entry comes that has this shape; changes nothing if there is no memory for that, or no such shape. Before any
    /// thread sees the entry.
    pub fn enter(&mut self, number: u32) -> Result<(), Error> {
        if number != BUILT_IN {
            match self.tally.position(number) {
                Ok(at) => self.tally.0[at].times += 1,
                Err(at) => {
                    let len = self.tally.0.len();
                    boxes::grow(&mut self.tally.0, len + 1, &mut self.held)?;
                    if !self.shapes.places.get(number).is_some_and(|place| place.enter(number)) {
                        return Err(Error::ShapeGone);
                    }
                    self.tally.0.insert(at, Count { number, times: 1 });
                }
            }
        }
        self.records += 1;
        Ok(())
    }

    /// Makes sure that entries of so many shapes that are held find room.
    pub fn make_room_for(&mut self, count: usize) -> Result<(), Error> {
        // A power of two, as `shrink` halves it.
        let wanted = (self.tally.0.len() + count).next_power_of_two();
        boxes::grow(&mut self.tally.0, wanted, &mut self.held)
    }

    /// An entry of this shape is gone for all threads that look from now on.
    pub fn leave(&mut self, number: u32) {
        debug_assert!(self.records > 0, "a record leaves that never came");
        self.records -= 1;
        if number == BUILT_IN {
            return;
        }
        let Ok(at) = self.tally.position(number) else {
            debug_assert!(false, "an entry of shape {number} leaves that never came");
            return;
        };
        self.tally.0[at].times -= 1;
        if self.tally.0[at].times == 0 {
            self.tally.0.remove(at);
            self.leave_shape(number);
            self.shrink();
        }
    }

    fn leave_shape(&self, number: u32) {
        if let Some(place) = self.shapes.places.get(number) {
            place.leave();
        }
    }

    /// Gives back what a shard does not need that once had many more shapes. Where that is refused, it stays.
    fn shrink(&mut self) {
        let (room, bytes) = (self.tally.0.capacity(), self.bytes());
        if room <= FIRST_PLACES || self.tally.0.len() > room / 4 || self.held.grow(bytes / 2).is_err() {
            return;
        }
        let Ok(mut fewer) = fallible::vec(room / 2) else { return self.held.shrink(bytes / 2) };
        fewer.extend_from_slice(&self.tally.0);
        self.tally.0 = fewer;
        self.held.shrink(bytes);
    }

    /// The shapes, each with how many entries have it.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Entries that are records.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes set aside.
    pub fn bytes(&self) -> usize {
        self.tally.0.capacity() * size_of::<Count>()
    }
}

impl Drop for ShapeCounts {
    /// Some ten nanoseconds a shape, 4,095 at most.
    fn drop(&mut self) {
        self.tally.iter().for_each(|(number, _)| self.leave_shape(number));
    }
}
