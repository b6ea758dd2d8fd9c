//! Numbers of shapes, and where a record says its own.
//!
//! ```text
//! ┌ 20 bits ───────────────────────┬ 12 bits ────────────┐
//! │ how often the place was reused │ place in the table  │
//! └────────────────────────────────┴─────────────────────┘
//! ```
//!
//! A number is assigned once. As a varint, those of a table that was never full take one or two bytes.

use crate::store::entry::record::varint;

/// Bits of a number that say the place.
const PLACE_BITS: u32 = 12;
/// Places of a table; the first has no shape.
pub const PLACES: usize = 1 << PLACE_BITS;
/// The shape that every map knows, and that is not counted: a bare array of numbers.
pub const BUILT_IN: u32 = 0;

/// The place of a number.
#[inline]
pub fn place_of(number: u32) -> usize {
    number as usize & (PLACES - 1)
}

/// The number that the place of a number has next; `None` after its last.
pub fn next(number: u32) -> Option<u32> {
    number.checked_add(1 << PLACE_BITS)
}

/// The number that a record begins with; `None` of bytes that are no record.
#[inline]
pub fn read(record: &[u8]) -> Option<u32> {
    varint(record).map(|(number, _)| number)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_record_begins_with_the_number_of_its_shape() {
        for (record, number) in [
            (&[0][..], 0),
            (&[0x7f, 1, 2], 127),
            (&[0x80, 1], 128),
            (&[0x80, 0x80, 0, 9], 0),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f, 7], u32::MAX),
        ] {
            assert_eq!(read(record), Some(number), "{record:?}");
        }
    }

    #[test]
    fn what_has_no_number_is_no_record() {
        for record in [&[][..], &[0x80], &[0xff; 4], &[0xff, 0xff, 0xff, 0xff, 0x10], &[0xff; 9], &[0x80; 6]] {
            assert_eq!(read(record), None, "{record:?}");
        }
    }

    #[test]
    fn a_place_has_each_of_its_numbers_once() {
        assert_eq!((next(7), next(7).map(place_of)), (Some(4_103), Some(7)));
        assert_eq!((place_of(u32::MAX), next(u32::MAX), next(u32::MAX - 4_096)), (4_095, None, Some(u32::MAX)));
    }
}
