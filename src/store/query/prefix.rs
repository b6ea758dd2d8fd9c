//! Keys that begin with a text, by code units, as `startsWith` of JavaScript has it.

use crate::store::entry::key::{Key, KeyKind};
use crate::store::error::Error;
use crate::store::platform::fallible;

/// The beginning of keys.
#[derive(Debug)]
pub struct Prefix {
    /// UTF-8; `None` if it ends amid a character, or has lone surrogates elsewhere.
    utf8: Option<Vec<u8>>,
    /// Little-endian code units.
    wide: Vec<u8>,
}

impl Prefix {
    /// Of a text, as a key holds one.
    pub fn new(text: Key<'_>) -> Result<Self, Error> {
        let (mut utf8, mut wide) = (None, Vec::new());
        if text.kind() == KeyKind::Utf16 {
            fallible::copy_into(&mut wide, text.bytes())?;
        } else {
            fallible::copy_into(utf8.insert(Vec::new()), text.bytes())?;
            fallible::reserve(&mut wide, 2 * text.bytes().len())?;
            wide.extend(units(text.bytes()).flat_map(u16::to_le_bytes));
        }
        Ok(Self { utf8, wide })
    }

    /// Whether a key is a text that begins so.
    pub fn begins(&self, key: Key<'_>) -> bool {
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
        let begins = |prefix: Key<'_>, key: Key<'_>| Prefix::new(prefix).unwrap().begins(key);
        assert!(begins(Key::string("user:"), Key::string("user:1")));
        assert!(!begins(Key::string("user:1"), Key::string("user:")));
        assert!(begins(Key::string(""), Key::string("")));
        assert!(!begins(Key::string(""), Key::new(KeyKind::Int, &[0; 4])));
        let lone = wide(&[0x61, 0xd83d]);
        let lone = Key::new(KeyKind::Utf16, &lone);
        assert!(begins(lone, Key::string("a\u{1f600}")) && !begins(lone, Key::string("a\u{1f9e0}b")));
        assert!(begins(Key::string("a"), lone) && begins(lone, lone));
    }
}
