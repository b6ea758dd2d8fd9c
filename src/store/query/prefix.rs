//! Keys that begin with a text, by code units, as `startsWith` of JavaScript has it.

use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::{characters, folding};
use crate::store::error::Error;
use crate::store::platform::fallible;

/// The beginning of keys.
#[derive(Debug)]
pub struct Prefix {
    /// UTF-8; `None` if it ends amid a character, or has lone surrogates elsewhere.
    utf8: Option<Vec<u8>>,
    /// Little-endian code units.
    wide: Vec<u8>,
    /// Whether the code units are folded, as those of keys have to be then.
    folds: bool,
}

impl Prefix {
    /// Of a text, as a key holds one. If `folds`, it ignores case.
    pub fn new(text: Key<'_>, folds: bool) -> Result<Self, Error> {
        let (mut utf8, mut wide) = (None, Vec::new());
        if folds {
            // A character of UTF-8 has at least a byte for each of its code units, and one of UTF-16 has two.
            fallible::reserve(&mut wide, 2 * text.bytes().len())?;
            each_folded_unit(text, |unit| {
                wide.extend(unit.to_le_bytes());
                true
            });
        } else if text.kind() == KeyKind::Utf16 {
            fallible::copy_into(&mut wide, text.bytes())?;
        } else {
            fallible::copy_into(utf8.insert(Vec::new()), text.bytes())?;
            fallible::reserve(&mut wide, 2 * text.bytes().len())?;
            wide.extend(units(text.bytes()).flat_map(u16::to_le_bytes));
        }
        Ok(Self { utf8, wide, folds })
    }

    /// Whether a key is a text that begins so.
    pub fn begins(&self, key: Key<'_>) -> bool {
        if self.folds {
            return self.begins_folded(key);
        }
        match (key.kind(), &self.utf8) {
            (KeyKind::String, Some(utf8)) => key.bytes().starts_with(utf8),
            (KeyKind::String, None) => {
                let mut units = units(key.bytes());
                self.wide.chunks_exact(2).all(|pair| units.next().is_some_and(|unit| pair == unit.to_le_bytes()))
            }
            (KeyKind::Utf16, _) => key.bytes().starts_with(&self.wide),
            _ => false,
        }
    }

    fn begins_folded(&self, key: Key<'_>) -> bool {
        if !matches!(key.kind(), KeyKind::String | KeyKind::Utf16) {
            return false;
        }
        let mut left = &self.wide[..];
        each_folded_unit(key, |unit| match left.split_first_chunk() {
            Some((next, rest)) if *next == unit.to_le_bytes() => {
                left = rest;
                true
            }
            _ => false,
        });
        left.is_empty()
    }
}

/// Calls `next` with each code unit of a folded text until that returns false.
fn each_folded_unit(text: Key<'_>, mut next: impl FnMut(u16) -> bool) {
    characters::each(text, |character| match char::from_u32(folding::fold(character)) {
        Some(folded) => folded.encode_utf16(&mut [0; 2]).iter().all(|&unit| next(unit)),
        // A lone surrogate.
        None => next(character as u16),
    });
}

/// The code units of UTF-8.
fn units(utf8: &[u8]) -> impl Iterator<Item = u16> {
    utf8.utf8_chunks().flat_map(|chunk| chunk.valid().encode_utf16())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_compared_by_code_units() {
        let wide = |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
        let begins = |prefix: Key<'_>, key: Key<'_>| Prefix::new(prefix, false).unwrap().begins(key);
        assert!(begins(Key::string("user:"), Key::string("user:1")));
        assert!(!begins(Key::string("user:1"), Key::string("user:")));
        assert!(begins(Key::string(""), Key::string("")));
        assert!(!begins(Key::string(""), Key::new(KeyKind::Int, &[0; 4])));
        let lone = wide(&[0x61, 0xd83d]);
        let lone = Key::new(KeyKind::Utf16, &lone);
        assert!(begins(lone, Key::string("a\u{1f600}")) && !begins(lone, Key::string("a\u{1f9e0}b")));
        assert!(begins(Key::string("a"), lone) && begins(lone, lone));
    }

    #[test]
    fn a_prefix_ignores_case_where_keys_do() {
        let wide = |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
        let begins = |prefix: Key<'_>, key: Key<'_>| Prefix::new(prefix, true).unwrap().begins(key);
        for (prefix, key, is_one) in [
            ("USER:", "user:1", true),
            ("\u{212a}", "Key", true),
            ("k", "\u{212a}ey", true),
            ("STRAẞ", "straße", true),
            ("strass", "straße", false),
            ("ΣΑΣ", "σας", true),
            ("σαςα", "σας", false),
            ("", "a", true),
            ("", "", true),
            ("\u{10400}", "\u{10428}x", true),
        ] {
            assert_eq!(begins(Key::string(prefix), Key::string(key)), is_one, "{prefix:?} and {key:?}");
        }
        // It may end amid a character, and keys may have lone surrogates.
        let (half, lone) = (wide(&[0x41, 0xd801]), wide(&[0x61, 0xd801, 0x61]));
        assert!(begins(Key::new(KeyKind::Utf16, &half), Key::string("a\u{10400}")));
        assert!(begins(Key::new(KeyKind::Utf16, &half), Key::new(KeyKind::Utf16, &lone)));
        assert!(begins(Key::string("A"), Key::new(KeyKind::Utf16, &lone)));
        assert!(!begins(Key::string("A"), Key::new(KeyKind::Bytes, b"a")));
    }
}
