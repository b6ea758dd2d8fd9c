//! Texts as they are stored, compared with texts of a query.

use std::cmp::Ordering;

use memchr::memmem;

use crate::store::entry::json_text::unescaped_units;
use crate::store::entry::text::Text;

/// A text of a query.
#[derive(Debug)]
pub struct Needle {
    utf8: Box<[u8]>,
    /// Latin-1, if it is that.
    latin: Option<Box<[u8]>>,
    /// Little-endian code units.
    wide: Box<[u8]>,
}

impl Needle {
    /// Of this text.
    pub fn new(text: &str) -> Self {
        let latin: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Self { utf8: text.as_bytes().into(), latin: latin.map(Into::into), wide: wide.into() }
    }
}

/// Whether a text begins with another.
pub fn starts_with(text: Text<'_>, needle: &Needle) -> bool {
    match text {
        Text::Utf8(bytes) => bytes.starts_with(&needle.utf8),
        Text::Latin(bytes) => needle.latin.as_deref().is_some_and(|latin| bytes.starts_with(latin)),
        Text::Wide(bytes) => bytes.starts_with(&needle.wide),
        Text::Escaped(_) => wide(&units(text)).starts_with(&needle.wide),
    }
}

/// Whether another is a part of a text. Takes a time that grows with the two lengths and no faster.
pub fn contains(text: Text<'_>, needle: &Needle) -> bool {
    match text {
        Text::Utf8(bytes) => memmem::find(bytes, &needle.utf8).is_some(),
        Text::Latin(bytes) => needle.latin.as_deref().is_some_and(|latin| memmem::find(bytes, latin).is_some()),
        // A match may begin in the middle of a unit.
        _ => aligned_find(&units(text), &units(Text::Wide(&needle.wide))),
    }
}

/// Which comes first, by code units, as JavaScript compares.
pub fn compare(text: Text<'_>, needle: &Needle) -> Ordering {
    units(text).cmp(&units(Text::Wide(&needle.wide)))
}

/// Code units.
fn units(text: Text<'_>) -> Vec<u16> {
    match text {
        Text::Utf8(bytes) => bytes.utf8_chunks().flat_map(|chunk| chunk.valid().encode_utf16()).collect(),
        Text::Latin(bytes) => bytes.iter().copied().map(u16::from).collect(),
        Text::Wide(bytes) => bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect(),
        Text::Escaped(content) => unescaped_units(content).unwrap_or_default(),
    }
}

fn wide(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Whether units contain others. Of matches in the middle of a unit there may be as many as there are units, so units
/// are looked for as such: by the failure function of Knuth, Morris and Pratt.
fn aligned_find(units: &[u16], needle: &[u16]) -> bool {
    if needle.is_empty() {
        return true;
    }
    let mut borders = vec![0; needle.len()];
    let mut border = 0;
    for at in 1..needle.len() {
        while border > 0 && needle[at] != needle[border] {
            border = borders[border - 1];
        }
        border += usize::from(needle[at] == needle[border]);
        borders[at] = border;
    }
    let mut matched = 0;
    for unit in units {
        while matched > 0 && *unit != needle[matched] {
            matched = borders[matched - 1];
        }
        matched += usize::from(*unit == needle[matched]);
        if matched == needle.len() {
            return true;
        }
    }
    false
}
