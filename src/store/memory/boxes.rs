//! Boxes by number, each of them counted.
//!
//! An array of pointers: what grows by copying is eight bytes a box, and a box that is not needed is not there.

use std::ops::{Index, IndexMut};

use super::budget::{Memory, Reservation, Use};
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// Pointers that the first array has room for.
pub const FIRST_PLACES: usize = 8;
/// What an allocator adds to a box.
const HEADER_BYTES: usize = 16;

/// Things that stay where they are, found by number.
#[derive(Debug)]
pub struct Boxes<T> {
    places: Vec<Option<Box<T>>>,
    len: usize,
    held: Reservation,
}

impl<T> Boxes<T> {
    const BOX_BYTES: usize = size_of::<T>() + HEADER_BYTES;

    /// No boxes; their bytes will be used for this.
    pub fn new(what: Use, memory: &Arc<Memory>) -> Self {
        Self { places: Vec::new(), len: 0, held: Reservation::empty(memory, what) }
    }

    /// One more than the highest number so far.
    pub fn end(&self) -> u32 {
        self.places.len() as u32
    }

    /// Boxes that exist.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes set aside.
    pub fn bytes(&self) -> usize {
        self.len * Self::BOX_BYTES + self.places.capacity() * size_of::<usize>()
    }

    #[inline]
    pub fn get(&self, number: u32) -> Option<&T> {
        self.places.get(number as usize)?.as_deref()
    }

    /// Puts a value into a box with this number, which is vacant, or changes nothing.
    pub fn put(&mut self, number: u32, value: T) -> Result<(), Error> {
        let number = number as usize;
        grow(&mut self.places, number + 1, &mut self.held)?;
        self.held.grow(Self::BOX_BYTES)?;
        let boxed = fallible::boxed(value).inspect_err(|_| self.held.shrink(Self::BOX_BYTES))?;
        if self.places.len() <= number {
            self.places.resize_with(number + 1, || None);
        }
        debug_assert!(self.places[number].is_none(), "box {number} is taken");
        self.places[number] = Some(boxed);
        self.len += 1;
        Ok(())
    }

    /// Gives a box back, if it exists.
    pub fn remove(&mut self, number: u32) {
        if self.places.get_mut(number as usize).and_then(Option::take).is_some() {
            self.len -= 1;
            self.held.shrink(Self::BOX_BYTES);
        }
    }

    /// Gives everything back.
    pub fn clear(&mut self) {
        self.places = Vec::new();
        self.len = 0;
        self.held.shrink(self.held.bytes());
    }
}

impl<T> Index<u32> for Boxes<T> {
    type Output = T;
    #[inline]
    fn index(&self, number: u32) -> &T {
        match &self.places[number as usize] {
            Some(boxed) => boxed,
            None => vacant(number),
        }
    }
}

impl<T> IndexMut<u32> for Boxes<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        match &mut self.places[number as usize] {
            Some(boxed) => boxed,
            None => vacant(number),
        }
    }
}

#[cold]
fn vacant(number: u32) -> ! {
    panic!("box {number} is vacant")
}

/// Makes room for this many, doubling what there was, or changes nothing. All room of `places` is counted in `held`.
pub fn grow<T>(places: &mut Vec<T>, wanted: usize, held: &mut Reservation) -> Result<(), Error> {
    let before = places.capacity();
    if wanted <= before {
        return Ok(());
    }
    let target = wanted.max(before * 2).max(FIRST_PLACES);
    let bytes = (target - before) * size_of::<T>();
    held.grow(bytes)?;
    fallible::reserve(places, target - places.len()).inspect_err(|_| held.shrink(bytes))?;
    debug_assert_eq!(places.capacity(), target);
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_what_there_is_and_a_refusal_changes_nothing() {
        let memory = Arc::new(Memory::new(Some(2_000)));
        let mut boxes = Boxes::new(Use::Expiry, &memory);
        boxes.put(3, [3_u8; 1_000]).unwrap();
        assert_eq!((boxes.end(), boxes[3][0], boxes.get(2), boxes.get(9)), (4, 3, None, None));
        let before = (boxes.end(), boxes.bytes());
        assert!(matches!(boxes.put(5, [5; 1_000]), Err(Error::MemoryLimit { .. })));
        assert_eq!((boxes.end(), boxes.bytes()), before);
        assert_eq!(memory.total(), boxes.bytes() as u64);
        boxes.remove(3);
        boxes.remove(3);
        boxes.put(5, [5; 1_000]).unwrap();
        assert_eq!((boxes[5][0], memory.total()), (5, boxes.bytes() as u64));
        boxes.clear();
        assert_eq!((boxes.end(), boxes.bytes(), memory.total()), (0, 0, 0));
    }
}
