//! Keys that differ in case only: Unicode's simple case folding, which maps one character to one.
//!
//! | character | becomes |
//! |---|---|
//! | `A`, `É`, `Σ`, `Ж` | `a`, `é`, `σ`, `ж` |
//! | `ς`, the final sigma | `σ` |
//! | `K`, the sign of Kelvin | `k` |
//! | `ẞ`, the capital sharp s | `ß`, and not `ss`: that would be full folding |
//! | `İ`, a capital i with a dot | itself: it is another letter, and Turkish alone knows its pair |
//!
//! Nothing depends on a language or on the process. The data is that of Unicode 16; what later versions add to it are
//! characters that are new then.
//!
//! An entry keeps its key as it was first spelled. What is folded is made when a key is hashed or compared, and stored
//! nowhere.

use std::num::NonZeroU32;
use std::sync::OnceLock;

use super::characters;
use super::key::{Key, KeyKind};

/// Bytes of a folded key that are hashed at once. A key is cut at the same places however it is spelled.
const PIECE: usize = 256;

/// No character from here on has a case.
const CASELESS: u32 = 0x1_f000;

/// The character that stands for all that differ from it in case only.
#[inline]
pub fn fold(character: u32) -> u32 {
    if character < 0x80 {
        return u32::from((character as u8).to_ascii_lowercase());
    }
    char::from_u32(character).and_then(unicode_case_mapping::case_folded).map_or(character, NonZeroU32::get)
}

/// All characters that become others, with what they become, in order.
pub fn folded_characters() -> &'static [(u32, u32)] {
    static ALL: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let pairs = (0..CASELESS).map(|character| (character, fold(character)));
        pairs.filter(|(character, folded)| character != folded).collect()
    })
}

/// Whether two keys differ in case only, if at all.
pub fn is_equal(left: Key<'_>, right: Key<'_>) -> bool {
    let (one, other) = (left.bytes(), right.bytes());
    match (left.kind(), right.kind()) {
        (KeyKind::String, KeyKind::String) if one.is_ascii() && other.is_ascii() => one.eq_ignore_ascii_case(other),
        (KeyKind::String, KeyKind::String) => {
            characters::of_utf8(one).map(fold).eq(characters::of_utf8(other).map(fold))
        }
        (KeyKind::Utf16, KeyKind::Utf16) => {
            characters::of_utf16(one).map(fold).eq(characters::of_utf16(other).map(fold))
        }
        _ => left == right,
    }
}

/// Calls `write` with the bytes of a key, folded if it is a string. What it is called with is the same for keys that
/// differ in case only.
pub fn in_pieces(key: Key<'_>, write: impl FnMut(&[u8])) {
    let mut pieces = Pieces { bytes: [0; PIECE], len: 0, write };
    match key.kind() {
        KeyKind::String if key.bytes().is_ascii() => {
            for part in key.bytes().chunks(PIECE) {
                pieces.bytes[..part.len()].copy_from_slice(part);
                pieces.bytes[..part.len()].make_ascii_lowercase();
                pieces.len = part.len();
                pieces.write_if_full();
            }
        }
        KeyKind::String => {
            let mut space = [0; 4];
            for character in characters::of_utf8(key.bytes()) {
                let folded = char::from_u32(fold(character)).unwrap_or(char::REPLACEMENT_CHARACTER);
                pieces.push(folded.encode_utf8(&mut space).as_bytes());
            }
        }
        KeyKind::Utf16 => {
            let mut space = [0; 2];
            for character in characters::of_utf16(key.bytes()) {
                let folded = fold(character);
                match char::from_u32(folded) {
                    Some(folded) => {
                        folded.encode_utf16(&mut space).iter().for_each(|unit| pieces.push(&unit.to_le_bytes()));
                    }
                    None => pieces.push(&(folded as u16).to_le_bytes()),
                }
            }
        }
        _ => {
            (pieces.write)(key.bytes());
            return;
        }
    }
    pieces.end();
}

/// Bytes on their way.
struct Pieces<W> {
    bytes: [u8; PIECE],
    len: usize,
    write: W,
}

impl<W: FnMut(&[u8])> Pieces<W> {
    /// Adds the bytes of a character.
    fn push(&mut self, character: &[u8]) {
        for byte in character {
            self.bytes[self.len] = *byte;
            self.len += 1;
            self.write_if_full();
        }
    }

    fn write_if_full(&mut self) {
        if self.len == PIECE {
            (self.write)(&self.bytes);
            self.len = 0;
        }
    }

    /// Writes what is left, which may be nothing.
    fn end(mut self) {
        (self.write)(&self.bytes[..self.len]);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn utf16(text: &[u16]) -> Vec<u8> {
        text.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    }

    fn pieces(key: Key<'_>) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        in_pieces(key, |piece| all.push(piece.to_vec()));
        all
    }

    #[test]
    fn characters_become_what_unicode_says() {
        for (from, to) in [
            ('A', 'a'),
            ('z', 'z'),
            ('[', '['),
            ('É', 'é'),
            ('Σ', 'σ'),
            ('ς', 'σ'),
            ('\u{212a}', 'k'),
            ('\u{212b}', 'å'),
            ('ſ', 's'),
            ('µ', 'μ'),
            ('ẞ', 'ß'),
            ('ß', 'ß'),
            ('İ', 'İ'),
            ('ı', 'ı'),
            ('Ꮿ', 'Ꮿ'),
            ('ᏸ', 'Ᏸ'),
            ('𐐀', '𐐨'),
            ('日', '日'),
        ] {
            assert_eq!(char::from_u32(fold(from.into())), Some(to), "{from}");
        }
        assert_eq!((fold(0xd800), fold(0x10_ffff)), (0xd800, 0x10_ffff));
    }

    #[test]
    fn the_list_has_every_character_that_becomes_another() {
        let all: Vec<_> = (0..0x11_0000).map(|from| (from, fold(from))).filter(|(from, to)| from != to).collect();
        assert_eq!(folded_characters(), all);
        assert!(all.iter().all(|&(_, to)| fold(to) == to), "what is folded stays so");
    }

    #[test]
    fn keys_that_differ_in_case_are_equal_and_come_in_the_same_pieces() {
        // Spellings of different lengths in bytes, and a piece that ends within a character.
        let (kelvin, long) = ("\u{212a}".repeat(300), "k".repeat(300));
        let (sharp, short) = (format!("{}ẞ", "x".repeat(255)), format!("{}ß", "X".repeat(255)));
        let same = [
            ("Content-Type", "CONTENT-TYPE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("STRAẞE", "straße"),
            (&kelvin, &long),
            (&sharp, &short),
            (&"A".repeat(256), &"a".repeat(256)),
            ("", ""),
        ];
        for (one, other) in same {
            let (one, other) = (Key::string(one), Key::string(other));
            assert!(is_equal(one, other), "{one:?} {other:?}");
            assert_eq!(pieces(one), pieces(other));
        }
        for (one, other) in
            [("straße", "strasse"), ("İ", "i"), ("İ", "i\u{307}"), ("a", "ab"), ("[", "{"), ("é", "e\u{301}")]
        {
            let (one, other) = (Key::string(one), Key::string(other));
            assert!(!is_equal(one, other), "{one:?} {other:?}");
            assert_ne!(pieces(one), pieces(other));
        }
    }

    #[test]
    fn strings_with_lone_surrogates_are_folded_and_other_keys_are_not() {
        let (upper, lower) = (utf16(&[0xd800, 0x41, 0xd801, 0xdc00]), utf16(&[0xd800, 0x61, 0xd801, 0xdc28]));
        let (one, other) = (Key::new(KeyKind::Utf16, &upper), Key::new(KeyKind::Utf16, &lower));
        assert!(is_equal(one, other));
        assert_eq!(pieces(one), pieces(other));
        assert_eq!(pieces(one), std::slice::from_ref(&lower));
        let kinds = [KeyKind::Bytes, KeyKind::Int, KeyKind::Float, KeyKind::BigInt];
        for kind in kinds {
            let (one, other) = (Key::new(kind, b"ABCD"), Key::new(kind, b"abcd"));
            assert!(!is_equal(one, other) && is_equal(one, one));
            assert_eq!(pieces(one), [b"ABCD"]);
        }
        assert!(!is_equal(Key::string("A"), Key::new(KeyKind::Bytes, b"A")));
    }
}
