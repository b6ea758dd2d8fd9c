//! The table of shapes: definitions by number, and numbers by definition.

use std::hash::{BuildHasher, RandomState};

use super::numbers;
use super::numbers::{PLACES, place_of};
use super::places::Places;
use super::{MAX_LOOKS, places};
use crate::store::error::Error;
use crate::store::memory::boxes;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// What a definition takes beside its text: counters, and half of what an allocator adds.
const TEXT_BYTES: usize = 2 * size_of::<usize>() + 16;
/// What a shape takes beside its definition, with its share in lists that grow by doubling.
const ROW_BYTES: usize = 2 * (size_of::<Row>() + size_of::<u64>() + size_of::<u16>()) + size_of::<places::Place>();

/// What the table says of a place.
#[derive(Debug)]
struct Row {
    /// The number of its shape; of a vacant place, the one that it has next.
    number: u32,
    /// Holds, all of which are one user.
    holds: u32,
    /// `None` for a vacant place.
    definition: Option<Arc<str>>,
}

/// Shapes by place and by definition.
#[derive(Debug)]
pub struct Table {
    /// By place. The first is none.
    rows: Vec<Row>,
    /// High bits of each definition's hash, with its place in the low ones; sorted.
    index: Vec<u64>,
    /// Places whose shapes are gone, and that have numbers left.
    vacant: Vec<u16>,
    /// Places that there may be.
    places: usize,
    /// The place that was looked at last for a shape without users.
    hand: usize,
    /// What definitions take together, with what comes with each.
    weight_bytes: usize,
    /// How often shapes came or went.
    changes: u64,
    hasher: RandomState,
    held: Reservation,
}

/// What a shape costs.
fn weight_bytes(definition: &str) -> usize {
    definition.len() + TEXT_BYTES + ROW_BYTES
}

impl Table {
    /// An empty one of at most so many places.
    pub fn new(memory: &Arc<Memory>, places: usize) -> Self {
        Self {
            rows: Vec::new(),
            index: Vec::new(),
            vacant: Vec::new(),
            places,
            hand: 0,
            weight_bytes: 0,
            changes: 0,
            hasher: RandomState::new(),
            held: Reservation::empty(memory, Use::Shapes),
        }
    }

    /// The number of a definition, which gets one if all of them then take no more than so many bytes. Shapes without
    /// users make room for it.
    pub fn publish(&mut self, places: &Places, definition: &str, most_bytes: usize) -> Result<Option<u32>, Error> {
        let hash = self.hasher.hash_one(definition) & !(PLACES as u64 - 1);
        if let Some(number) = self.find(hash, definition) {
            return Ok(Some(number));
        }
        self.changes += 1;
        let mut looks = MAX_LOOKS.min(self.rows.len());
        loop {
            let has_place = !self.vacant.is_empty() || self.rows.len() < self.places;
            let fits = self.weight_bytes + weight_bytes(definition) <= most_bytes;
            let added = (has_place && fits).then(|| self.add(places, hash, definition)).transpose();
            match added {
                Ok(Some(number)) => return Ok(Some(number)),
                refused if !self.vacate_one(places, &mut looks) => return refused,
                _ => {}
            }
        }
    }

    fn find(&self, hash: u64, definition: &str) -> Option<u32> {
        let from = self.index.partition_point(|&word| word < hash);
        let same = self.index[from..].iter().take_while(|&&word| word - hash < PLACES as u64);
        let rows = same.map(|&word| &self.rows[(word - hash) as usize]);
        rows.into_iter().find(|row| row.definition.as_deref() == Some(definition)).map(|row| row.number)
    }

    /// Everything that can fail comes first.
    fn add(&mut self, places: &Places, hash: u64, definition: &str) -> Result<u32, Error> {
        let place = self.vacant.last().map_or(self.rows.len().max(1), |&place| usize::from(place));
        boxes::grow(&mut self.rows, place + 1, &mut self.held)?;
        let shapes = self.index.len();
        boxes::grow(&mut self.index, shapes + 1, &mut self.held)?;
        // Each place can become vacant.
        boxes::grow(&mut self.vacant, self.rows.capacity(), &mut self.held)?;
        places.make_room(place, &mut self.held)?;
        let bytes = definition.len() + TEXT_BYTES;
        self.held.grow(bytes)?;
        fallible::grant(bytes).inspect_err(|_| self.held.shrink(bytes))?;

        let definition: Arc<str> = definition.into();
        self.vacant.pop();
        while self.rows.len() <= place {
            let number = self.rows.len() as u32;
            self.rows.push(Row { number, holds: 0, definition: None });
        }
        self.weight_bytes += weight_bytes(&definition);
        let row = &mut self.rows[place];
        row.definition = Some(definition);
        let word = hash | place as u64;
        self.index.insert(self.index.partition_point(|&other| other < word), word);
        if let Some(place) = places.get(row.number) {
            place.assign(row.number);
        }
        Ok(row.number)
    }

    /// Takes away one shape without users, if one is found with so many looks.
    fn vacate_one(&mut self, places: &Places, looks: &mut usize) -> bool {
        while *looks > 0 {
            *looks -= 1;
            self.hand = (self.hand + 1) % self.rows.len();
            let Row { number, definition, .. } = &mut self.rows[self.hand];
            if definition.is_some()
                && places.get(*number).is_some_and(|place| place.vacate(*number))
                && let Some(definition) = definition.take()
            {
                if let Some(next) = numbers::next(*number) {
                    *number = next;
                    self.vacant.push(self.hand as u16);
                }
                self.forget(definition);
                return true;
            }
        }
        false
    }

    /// Forgets the definition of the place at the hand.
    fn forget(&mut self, definition: Arc<str>) {
        let word = self.hasher.hash_one(&*definition) & !(PLACES as u64 - 1) | self.hand as u64;
        if let Ok(at) = self.index.binary_search(&word) {
            self.index.remove(at);
        }
        let bytes = definition.len() + TEXT_BYTES;
        self.weight_bytes -= bytes + ROW_BYTES;
        drop(definition);
        self.held.shrink(bytes);
    }

    /// The definition of a number.
    pub fn definition(&self, number: u32) -> Option<&Arc<str>> {
        self.rows.get(place_of(number)).filter(|row| row.number == number)?.definition.as_ref()
    }

    /// A hold comes, if the shape is known.
    pub fn hold(&mut self, places: &Places, number: u32) -> bool {
        let is_known = self.definition(number).is_some();
        if let Some(place) = places.get(number).filter(|_| is_known) {
            let row = &mut self.rows[place_of(number)];
            // Under the table's lock, so it is not being vacated.
            if row.holds == 0 {
                place.enter(number);
            }
            row.holds += 1;
        }
        is_known
    }

    /// A hold goes.
    pub fn release(&mut self, places: &Places, number: u32) {
        // There are none in a map that ended.
        let Some(row) = self.rows.get_mut(place_of(number)) else { return };
        row.holds -= 1;
        if let Some(place) = places.get(number).filter(|_| row.holds == 0) {
            place.leave();
        }
    }

    /// Forgets all shapes, for good. So many bytes stay: the places, which count users.
    pub fn end(&mut self, places_bytes: usize) {
        (self.rows, self.index, self.vacant) = Default::default();
        (self.places, self.weight_bytes) = (0, 0);
        self.changes += 1;
        self.held.shrink(self.held.bytes() - places_bytes);
    }

    /// Shapes.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// How often shapes came or went.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// All shapes, each with whether it is held.
    pub fn known(&self) -> impl Iterator<Item = (u32, bool)> {
        self.rows.iter().filter(|row| row.definition.is_some()).map(|row| (row.number, row.holds > 0))
    }

    /// Gives a shape another number in its place, for tests of what happens after many.
    #[cfg(all(test, not(loom)))]
    pub fn set_number(&mut self, places: &Places, from: u32, to: u32) {
        let place = places.get(from).unwrap();
        assert!(place.vacate(from));
        place.assign(to);
        self.rows[place_of(from)].number = to;
    }

    /// Bytes set aside, counted from what is there.
    pub fn bytes(&self) -> usize {
        let texts = self.rows.iter().filter_map(|row| row.definition.as_ref()).map(|text| text.len() + TEXT_BYTES);
        self.rows.capacity() * size_of::<Row>()
            + self.index.capacity() * size_of::<u64>()
            + self.vacant.capacity() * size_of::<u16>()
            + texts.sum::<usize>()
    }
}
