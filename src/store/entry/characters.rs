//! The characters of strings, as keys hold them: code points, of which a lone surrogate is one, too.

use super::key::{Key, KeyKind};

/// Those of UTF-8.
pub fn of_utf8(bytes: &[u8]) -> impl Iterator<Item = u32> {
    // Strings are stored as UTF-8, so there is one chunk.
    bytes.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).map(u32::from)
}

/// Those of little-endian UTF-16.
pub fn of_utf16(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    char::decode_utf16(units).map(|unit| unit.map_or_else(|lone| u32::from(lone.unpaired_surrogate()), u32::from))
}

/// Calls `next` with each character of a string until that returns false.
pub fn each(text: Key<'_>, mut next: impl FnMut(u32) -> bool) {
    if text.kind() == KeyKind::Utf16 {
        of_utf16(text.bytes()).all(next);
    } else {
        // Chunk by chunk: the engine of a nested iterator would be asked for each character.
        text.bytes().utf8_chunks().all(|chunk| chunk.valid().chars().all(|character| next(character.into())));
    }
}
