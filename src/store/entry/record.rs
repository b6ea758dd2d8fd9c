//! Records: the fields of an object as bytes, without their names.
//!
//! ```text
//! ┌ varint ───────────┬ varint ──────┬ bytes ─────────────────────────┬ a tag and its content each ┐
//! │ number of a shape │ len of tail  │ tail: Latin-1 texts, in order  │ fields, in order           │
//! └───────────────────┴──────────────┴────────────────────────────────┴────────────────────────────┘
//! ```
//!
//! The shape says which members the fields are of (`shapes.rs`); 0 stands for one field without a name. Varints are
//! LEB128, of 32 bits. The fields:
//!
//! | tag | content |
//! |---|---|
//! | 0 to 127 | the integer `tag - 16` |
//! | 128 to 191 | the next `tag - 128` bytes of the tail, as a string |
//! | 192, 193, 194 | `null`, `false`, `true` |
//! | 195, 196 | an integer of 2 or 4 bytes |
//! | 197, 198 | a float of 4 or 8 bytes |
//! | 199, 200 | a string: varint of its length, in the tail; the same, and its UTF-16 code units |
//! | 201, 202 | the same for JSON text, which the field is when it is read |
//! | 203, 204, 205 | an array: varint of its length, and so many integers of 1, 2 or 4 bytes |
//! | 206, 207 | the same with floats of 4 or 8 bytes |
//! | 208 | an array of strings: varint of its length, and so many fields |
//!
//! Rows, which the shape tells of, are a field that is their number, as an integer, and the fields of each row. Numbers
//! are little-endian. JavaScript writes and reads records (`lib/codec/record.js`).

use crate::store::error::Error;
use crate::store::platform::fallible;

/// The longest varint of 32 bits.
const MAX_VARINT_BYTES: usize = 5;

/// The parts of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Number of the shape.
    pub shape: u32,
    /// The texts.
    pub tail: &'a [u8],
    /// The fields.
    pub fields: &'a [u8],
}

impl<'a> Record<'a> {
    /// The parts of what is stored; `None` for bytes that do not begin as a record.
    #[inline]
    #[must_use]
    pub fn split(bytes: &'a [u8]) -> Option<Self> {
        let (shape, rest) = varint(bytes)?;
        let (len, rest) = varint(rest)?;
        let (tail, fields) = rest.split_at_checked(len as usize)?;
        Some(Self { shape, tail, fields })
    }

    /// Writes it in place of what is in `out`.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.clear();
        fallible::reserve(out, 2 * MAX_VARINT_BYTES + self.tail.len() + self.fields.len())?;
        put_varint(out, self.shape);
        put_varint(out, self.tail.len() as u32);
        out.extend_from_slice(self.tail);
        out.extend_from_slice(self.fields);
        Ok(())
    }
}

/// A varint, and what follows it.
#[inline]
pub fn varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    if let [byte @ 0..0x80, rest @ ..] = bytes {
        return Some((u32::from(*byte), rest));
    }
    long_varint(bytes)
}

/// Writes a varint.
pub fn put_varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn long_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(MAX_VARINT_BYTES) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return Some((u32::try_from(number).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn varints_have_up_to_five_bytes() {
        let all: [(&[u8], u32); 6] = [
            (&[0], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&[0xff, 0x7f], 16_383),
            (&[0x80, 0x80, 0x01], 16_384),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f], u32::MAX),
        ];
        for (bytes, number) in all {
            assert_eq!(varint(bytes), Some((number, &[][..])));
            assert_eq!(varint(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x1f]), None, "33 bits");
        assert_eq!(varint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), None);
        assert_eq!(varint(&[5, 6]), Some((5, &[6][..])));
    }

    #[test]
    fn a_record_is_split_as_it_was_written() {
        let tail = [b'a'; 300];
        for shape in [0, 127, 128, 16_384, u32::MAX] {
            let record = Record { shape, tail: &tail, fields: &[0x80, 1] };
            let mut out = vec![7; 3];
            record.write(&mut out).unwrap();
            assert_eq!(Record::split(&out), Some(record));
        }
    }

    #[test]
    fn a_record_is_split_within_its_bytes() {
        let record = Record { shape: 1, tail: b"ab", fields: &[0x82] };
        assert_eq!(Record::split(&[1, 2, b'a', b'b', 0x82]), Some(record));
        assert_eq!(Record::split(&[1, 3, b'a', b'b']), None);
        assert_eq!(Record::split(&[1]), None);
        assert_eq!(Record::split(&[]), None);
    }
}
