//! Shapes of values: what a record's fields are called, kept once for a map instead of in each value.
//!
//! ```text
//! numbers  what the number of a shape says, and where a record has it
//! table    number ⇄ definition                 under one lock, which a map's threads seldom take
//! places   number → users                      without a lock
//! counts   shape → entries of it in a shard    under the shard's lock
//! ```
//!
//! A definition is a text to the store. It is published before the first value that uses it is written, and known as
//! long as a shard has an entry of it or a thread holds it ([`ShapeHold`]). Without either it stays, since values of
//! that shape are likely to come back, until the table is full: then it makes room for another. Numbers are not
//! assigned twice, so an old number leads to its own shape or to none.
//!
//! Definitions come from users, so they are hashed with a secret key, bounded in length, in number and in bytes, and
//! counted as memory of the map. Where there is no room for one, values are written without a shape; nothing fails.

pub mod counts;
pub mod numbers;
mod places;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;

use crate::store::error::Error;
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::{Arc, Mutex};
use counts::Tally;
use numbers::{BUILT_IN, PLACES};
use places::Places;
use table::Table;

/// The longest definition: some hundred names. A value with more gains little by leaving them out, and a table of such
/// definitions would have few of them.
pub const MAX_DEFINITION_BYTES: usize = 8 * 1_024;
/// What all definitions of a map may take together: a text of some 150 bytes for each of 4,095.
const MOST_BYTES: usize = 1 << 20;
/// And which part of the limit of a map that has one: definitions save memory, and should not take what entries need.
const LIMIT_PART: u64 = 16;
/// Places of a full table that one call looks at for a shape without users: some microseconds.
const MAX_LOOKS: usize = 64;

#[cfg(all(test, not(loom)))]
thread_local! {
    /// Places of the tables that this thread makes, the first of which has no shape: tests fill small ones.
    pub static MOST_PLACES: std::cell::Cell<usize> = const { std::cell::Cell::new(PLACES) };
}

/// The shapes of one map.
#[derive(Debug)]
pub struct Shapes {
    memory: Arc<Memory>,
    places: Places,
    table: Mutex<Table>,
}

/// As long as this lives, its shape is known.
#[derive(Debug)]
#[must_use = "without a hold, a shape without entries may make room for another"]
pub struct ShapeHold {
    shapes: Arc<Shapes>,
    number: u32,
}

impl ShapeHold {
    /// The shape's number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for ShapeHold {
    fn drop(&mut self) {
        self.shapes.table.lock().release(&self.shapes.places, self.number);
    }
}

impl Shapes {
    /// None but the one that every map knows.
    pub fn new(memory: &Arc<Memory>) -> Self {
        #[cfg(all(test, not(loom)))]
        let places = MOST_PLACES.get();
        // Models fill a table, too.
        #[cfg(not(all(test, not(loom))))]
        let places = if cfg!(loom) { 3 } else { PLACES };
        Self::with_places(memory, places)
    }

    /// The same with fewer places, the first of which has no shape.
    fn with_places(memory: &Arc<Memory>, places: usize) -> Self {
        Self { memory: Arc::clone(memory), places: Places::default(), table: Mutex::new(Table::new(memory, places)) }
    }

    /// Where the shapes are counted.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// The number of a definition, which becomes known if it is not. `None` if it is too long, or if there is no room
    /// for it and no other one can make it. An error if memory is refused; then nothing has changed, except that shapes
    /// without users may have gone.
    pub fn publish(&self, definition: &str) -> Result<Option<u32>, Error> {
        if definition.len() > MAX_DEFINITION_BYTES {
            return Ok(None);
        }
        let limit_bytes = self.memory.limit().map_or(u64::MAX, |limit| limit / LIMIT_PART);
        let most_bytes = MOST_BYTES.min(usize::try_from(limit_bytes).unwrap_or(usize::MAX));
        self.table.lock().publish(&self.places, definition, most_bytes)
    }

    /// The definition of a number, if it is known. The built-in shape has none.
    pub fn definition(&self, number: u32) -> Option<Arc<str>> {
        self.table.lock().definition(number).cloned()
    }

    /// Keeps a shape known; `None` if it is not, or if it is the built-in one, which is in any case.
    pub fn hold(self: &Arc<Self>, number: u32) -> Option<ShapeHold> {
        let is_held = number != BUILT_IN && self.table.lock().hold(&self.places, number);
        is_held.then(|| ShapeHold { shapes: Arc::clone(self), number })
    }

    /// Forgets all, in a map that ended: there will be no others, and what still counts as a user may go.
    pub fn end(&self) {
        self.table.lock().end(self.places.bytes());
    }

    /// Whether entries may have this shape.
    pub fn has(&self, number: u32) -> bool {
        number == BUILT_IN || self.places.get(number).is_some_and(|place| place.has(number))
    }

    /// Shapes that are known, without the built-in one.
    pub fn len(&self) -> usize {
        self.table.lock().len()
    }

    /// Bytes set aside, without what shards count with; and how often that may have changed.
    pub fn bytes(&self) -> (usize, u64) {
        let table = self.table.lock();
        (table.bytes() + self.places.bytes(), table.changes())
    }

    /// The shapes whose users are not the shards that have entries of them, and the holds.
    pub fn miscounted(&self, shards: &Tally, may_be_more: bool) -> Vec<u32> {
        let table = self.table.lock();
        let is_wrong = |&(number, is_held): &(u32, bool)| {
            let expected = shards.of(number) + u32::from(is_held);
            let users = self.places.get(number).map_or(0, places::Place::users);
            users != expected && !(may_be_more && users > expected)
        };
        table.known().filter(is_wrong).map(|(number, _)| number).collect()
    }
}
