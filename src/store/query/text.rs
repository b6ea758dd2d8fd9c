//! Texts as they are stored, compared with texts of a query.

use std::borrow::Cow;
use std::cmp::Ordering;

use memchr::memmem;

use crate::store::entry::fields::Text as RecordText;
use crate::store::entry::json_text::unescaped_units;

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

    /// As UTF-8.
    pub fn utf8(&self) -> &[u8] {
        &self.utf8
    }
}

/// A text that is stored.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// UTF-8.
    Utf8(&'a [u8]),
    /// Latin-1.
    Latin(&'a [u8]),
    /// Little-endian code units.
    Wide(Cow<'a, [u8]>),
}

impl<'a> From<RecordText<'a>> for Text<'a> {
    fn from(text: RecordText<'a>) -> Self {
        match text {
            RecordText::Latin(bytes) => Self::Latin(bytes),
            RecordText::Wide(bytes) => Self::Wide(bytes.into()),
        }
    }
}

impl<'a> Text<'a> {
    /// What a JSON string stands for, from its quotes on; `None` if it is none.
    pub fn of_json(quoted: &'a [u8]) -> Option<Self> {
        let [b'"', content @ .., b'"'] = quoted else { return None };
        if memchr::memchr(b'\\', content).is_none() {
            return Some(Self::Utf8(content));
        }
        let units = unescaped_units(content)?;
        Some(Self::Wide(units.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>().into()))
    }

    /// Whether both are the same.
    pub fn is(&self, needle: &Needle) -> bool {
        match self {
            Self::Utf8(bytes) => **bytes == *needle.utf8,
            Self::Latin(bytes) => needle.latin.as_deref() == Some(bytes),
            Self::Wide(bytes) => **bytes == *needle.wide,
        }
    }

    /// Whether it begins with the other.
    pub fn starts_with(&self, needle: &Needle) -> bool {
        match self {
            Self::Utf8(bytes) => bytes.starts_with(&needle.utf8),
            Self::Latin(bytes) => needle.latin.as_deref().is_some_and(|latin| bytes.starts_with(latin)),
            Self::Wide(bytes) => bytes.starts_with(&needle.wide),
        }
    }

    /// Whether the other is a part of it. Takes a time that grows with the two lengths and no faster.
    pub fn contains(&self, needle: &Needle) -> bool {
        match self {
            Self::Utf8(bytes) => memmem::find(bytes, &needle.utf8).is_some(),
            Self::Latin(bytes) => needle.latin.as_deref().is_some_and(|latin| memmem::find(bytes, latin).is_some()),
            // A match may begin in the middle of a unit.
            Self::Wide(bytes) => match &*needle.wide {
                [] => true,
                wide => aligned_find(bytes, wide),
            },
        }
    }

    /// Which comes first, by code units, as JavaScript compares.
    pub fn compare(&self, needle: &Needle) -> Ordering {
        self.units().as_slice().cmp(units(&needle.wide).as_slice())
    }

    /// Its code units.
    fn units(&self) -> Vec<u16> {
        match self {
            Self::Utf8(bytes) => bytes.utf8_chunks().flat_map(|chunk| chunk.valid().encode_utf16()).collect(),
            Self::Latin(bytes) => bytes.iter().copied().map(u16::from).collect(),
            Self::Wide(bytes) => units(bytes),
        }
    }
}

fn units(wide: &[u8]) -> Vec<u16> {
    wide.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect()
}

/// Whether units contain others. Of matches in the middle of a unit there may be as many as there are units, so units
/// are looked for as such: by the failure function of Knuth, Morris and Pratt.
fn aligned_find(bytes: &[u8], wide: &[u8]) -> bool {
    let needle = units(wide);
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
    for unit in bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])) {
        while matched > 0 && unit != needle[matched] {
            matched = borders[matched - 1];
        }
        matched += usize::from(unit == needle[matched]);
        if matched == needle.len() {
            return true;
        }
    }
    false
}
