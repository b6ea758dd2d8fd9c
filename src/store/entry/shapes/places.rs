//! Who uses a shape: a word for each place of the table.
//!
//! ```text
//! ┌ 32 bits ───────────────────┬ 32 bits ┐
//! │ number of the shape, 0: no │ users   │
//! └────────────────────────────┴─────────┘
//! ```
//!
//! A user is a shard with entries of the shape, or all holds of it together. Both halves change in one step, and that
//! is the whole protocol: a user that comes adds itself and learns from the same step whose place it is; a shape goes
//! by a compare-and-swap that demands its number and no user. So of a user that comes and a shape that goes, one is
//! first, and the other one learns of it: the place keeps its shape, or the user is refused.
//!
//! A user that is refused takes itself back, and stands in a place until then that may be vacant, or have another shape
//! by then. So a number is added to what a place has, not stored over it; and a shape may once seem to be used that is
//! not, and stays a little longer.

use crate::store::error::Error;
use crate::store::memory::budget::Reservation;
use crate::store::platform::fallible;
use crate::store::platform::sync::process::OnceLock;
use crate::store::platform::sync::{AtomicU64, Ordering};

use super::numbers::{PLACES, place_of};

/// Places of the first chunk, and of the second; each that follows has twice as many.
const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = (PLACES / FIRST_CHUNK).ilog2() as usize + 1;
/// What an allocator adds to a chunk.
const HEADER_BYTES: usize = 16;
const NUMBER_SHIFT: u32 = 32;

/// Places by number. One that is there stays where it is as long as the map lives, so that a user finds it without a
/// lock.
#[derive(Debug, Default)]
pub struct Places([OnceLock<Box<[Place]>>; CHUNKS]);

/// One place.
#[derive(Debug)]
pub struct Place(AtomicU64);

/// Chunk of a place, and index in it.
fn locate(place: usize) -> (usize, usize) {
    match (place / FIRST_CHUNK).checked_ilog2() {
        None => (0, place),
        Some(doublings) => (doublings as usize + 1, place - (FIRST_CHUNK << doublings)),
    }
}

/// Places of a chunk.
fn len(chunk: usize) -> usize {
    FIRST_CHUNK << chunk.saturating_sub(1)
}

fn chunk_bytes(chunk: usize) -> usize {
    len(chunk) * size_of::<Place>() + HEADER_BYTES
}

impl Places {
    /// The place that a shape of this number would have, if there is one.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&Place> {
        let (chunk, index) = locate(place_of(number));
        self.0[chunk].get().map(|places| &places[index])
    }

    /// Makes a place, with those of its chunk, or changes nothing. Under the table's lock.
    pub fn make_room(&self, place: usize, held: &mut Reservation) -> Result<(), Error> {
        let (chunk, _) = locate(place);
        if self.0[chunk].get().is_some() {
            return Ok(());
        }
        held.grow(chunk_bytes(chunk))?;
        let places = fallible::slice(len(chunk), |_| Place(AtomicU64::new(0)))
            .inspect_err(|_| held.shrink(chunk_bytes(chunk)))?;
        self.0[chunk].get_or_init(|| places);
        Ok(())
    }

    /// Bytes set aside.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, places)| places.get().is_some())
            .map(|(chunk, _)| chunk_bytes(chunk))
            .sum()
    }
}

impl Place {
    /// A user comes, if the place has the shape of this number. Before it makes anything of that shape visible.
    #[inline]
    pub fn enter(&self, number: u32) -> bool {
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        let is_its = (before >> NUMBER_SHIFT) as u32 == number;
        if !is_its {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
        is_its
    }

    /// A user goes. A thread that still finds something of that shape, and finds the shape gone, looks again and does
    /// not find it: what the user took away before is seen by the one that gives the place to another shape.
    #[inline]
    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Release);
    }

    /// Whether it has the shape of this number.
    pub fn has(&self, number: u32) -> bool {
        (self.0.load(Ordering::Relaxed) >> NUMBER_SHIFT) as u32 == number
    }

    /// Users of its shape, and those that came in vain and are about to go.
    pub fn users(&self) -> u32 {
        self.0.load(Ordering::Relaxed) as u32
    }

    /// Takes the shape of this number away, unless it has users. Under the table's lock.
    pub fn vacate(&self, number: u32) -> bool {
        let unused = u64::from(number) << NUMBER_SHIFT;
        self.0.compare_exchange(unused, 0, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Gives a vacant place the shape of this number. Under the table's lock.
    pub fn assign(&self, number: u32) {
        self.0.fetch_add(u64::from(number) << NUMBER_SHIFT, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::memory::budget::{Memory, Use};
    use crate::store::platform::sync::Arc;

    #[test]
    fn chunks_have_each_place_once() {
        let mut expected = (0..CHUNKS).flat_map(|chunk| (0..len(chunk)).map(move |index| (chunk, index)));
        assert!((0..PLACES).all(|place| expected.next() == Some(locate(place))));
        assert_eq!(expected.next(), None);
    }

    #[test]
    fn a_place_is_vacated_only_without_users_and_only_of_the_shape_that_is_meant() {
        let memory = Arc::new(Memory::new(None));
        let mut held = Reservation::empty(&memory, Use::Shapes);
        let places = Places::default();
        assert!(places.get(5).is_none());
        places.make_room(5, &mut held).unwrap();
        assert_eq!(held.bytes(), places.bytes());
        let place = places.get(5).unwrap();
        assert!(!place.enter(5) && place.users() == 0, "it is vacant");
        place.assign(5);
        assert!(place.has(5) && place.enter(5) && !place.enter(4_101));
        assert!(!place.vacate(5), "it has a user");
        place.leave();
        assert!(!place.vacate(4_101) && place.vacate(5) && !place.has(5));
        place.assign(4_101);
        assert!(!place.enter(5) && place.enter(4_101));
        assert!(places.get(64).is_none() && places.get(4_095).is_none());
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::store::platform::sync::Arc;

    const OLD: u32 = 5;
    const NEW: u32 = 4_101;

    /// A shape goes while a shard gets its first entry of it, and another one loses its last: either the place keeps
    /// its shape as long as there is an entry, or the shard is refused. There are no users afterwards.
    #[test]
    fn a_shape_stays_as_long_as_it_has_a_user() {
        loom::model(|| {
            let place = Arc::new(Place(AtomicU64::new(u64::from(OLD) << NUMBER_SHIFT | 1)));
            let comes = {
                let place = Arc::clone(&place);
                loom::thread::spawn(move || {
                    if place.enter(OLD) {
                        assert!(place.has(OLD), "a shape with an entry is gone");
                        place.leave();
                    }
                })
            };
            let goes = {
                let place = Arc::clone(&place);
                loom::thread::spawn(move || place.leave())
            };
            if place.vacate(OLD) {
                place.assign(NEW);
            }
            comes.join().unwrap();
            goes.join().unwrap();
            assert_eq!(place.users(), 0);
            assert!(place.has(OLD) || place.has(NEW), "a user that was refused has taken more than itself");
        });
    }

    /// The last entry of a shape is removed while its place is taken: the thread that takes it knows of the removal.
    #[test]
    fn a_shape_goes_after_its_last_entry_for_every_thread_that_learns_of_it() {
        loom::model(|| {
            let place = Arc::new(Place(AtomicU64::new(u64::from(OLD) << NUMBER_SHIFT | 1)));
            let entry = Arc::new(AtomicU64::new(1));
            let removes = {
                let (place, entry) = (Arc::clone(&place), Arc::clone(&entry));
                loom::thread::spawn(move || {
                    entry.store(0, Ordering::Relaxed);
                    place.leave();
                })
            };
            if place.vacate(OLD) {
                assert_eq!(entry.load(Ordering::Relaxed), 0, "an entry has no shape");
            }
            removes.join().unwrap();
        });
    }
}
