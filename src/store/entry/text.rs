//! Texts as they are stored, in any of their encodings, and whether two of them are the same.

use std::cmp::Ordering;

use super::fields;
use super::json_text::Unescaped;
use crate::store::error::Error;
use crate::store::platform::fallible;

/// A text that is stored.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// UTF-8.
    Utf8(&'a [u8]),
    /// Latin-1.
    Latin(&'a [u8]),
    /// Little-endian code units.
    Wide(&'a [u8]),
    /// What stands between the quotes of a JSON string that has escapes.
    Escaped(&'a [u8]),
}

impl<'a> From<fields::Text<'a>> for Text<'a> {
    fn from(text: fields::Text<'a>) -> Self {
        match text {
            fields::Text::Latin(bytes) => Self::Latin(bytes),
            fields::Text::Wide(bytes) => Self::Wide(bytes),
        }
    }
}

impl<'a> From<&'a fields::Name> for Text<'a> {
    fn from(name: &'a fields::Name) -> Self {
        match name {
            fields::Name::Utf8(bytes) => Self::Utf8(bytes),
            fields::Name::Wide(bytes) => Self::Wide(bytes),
        }
    }
}

impl<'a> Text<'a> {
    /// What a JSON string stands for, from its quotes on; `None` if it is none.
    #[must_use]
    pub fn of_json(quoted: &'a [u8]) -> Option<Self> {
        let [b'"', content @ .., b'"'] = quoted else { return None };
        let has_escapes = memchr::memchr(b'\\', content).is_some();
        Some(if has_escapes { Self::Escaped(content) } else { Self::Utf8(content) })
    }

    /// Whether both stand for the same code units.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Utf8(one), Self::Utf8(other))
            | (Self::Latin(one), Self::Latin(other))
            | (Self::Wide(one), Self::Wide(other)) => one == other,
            (Self::Utf8(utf8), Self::Latin(latin)) | (Self::Latin(latin), Self::Utf8(utf8)) => is_latin(utf8, latin),
            _ => self.compare(other).is_eq(),
        }
    }

    /// An order of texts, which is not that of JavaScript: by code points, as UTF-8 is ordered.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Utf8(one), Self::Utf8(other)) | (Self::Latin(one), Self::Latin(other)) => one.cmp(other),
            _ => self.points().cmp(other.points()),
        }
    }

    /// Its code points; a lone surrogate is one, too.
    pub fn points(self) -> impl Iterator<Item = u32> + use<'a> {
        let (utf8, latin, units): (&[u8], &[u8], _) = match self {
            Self::Utf8(bytes) => (bytes, &[], Units::Wide(&[])),
            Self::Latin(bytes) => (&[], bytes, Units::Wide(&[])),
            Self::Wide(bytes) => (&[], &[], Units::Wide(bytes)),
            Self::Escaped(content) => (&[], &[], Units::Escaped(Unescaped::of(content))),
        };
        let utf8 = utf8.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).map(u32::from);
        let latin = latin.iter().copied().map(u32::from);
        let wide = char::decode_utf16(units)
            .map(|decoded| decoded.map_or_else(|lone| u32::from(lone.unpaired_surrogate()), u32::from));
        utf8.chain(latin).chain(wide)
    }
}

/// Whether UTF-8 and Latin-1 are the same text.
fn is_latin(utf8: &[u8], latin: &[u8]) -> bool {
    if utf8.len() == latin.len() {
        // Only ASCII has as many bytes in both.
        return utf8 == latin && utf8.is_ascii();
    }
    utf8.len() > latin.len() && Text::Utf8(utf8).compare(Text::Latin(latin)).is_eq()
}

/// Code units of a text.
enum Units<'a> {
    Wide(&'a [u8]),
    Escaped(Unescaped<'a>),
}

impl Iterator for Units<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        match self {
            Self::Wide(bytes) => {
                let (unit, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(u16::from_le_bytes(*unit))
            }
            // What is no escape ends the text.
            Self::Escaped(units) => units.next()?.ok(),
        }
    }
}

/// JSON text of a record as UTF-8, in `space` if it is not that already. It has no lone surrogates, which JSON writes
/// as escapes.
pub fn json_utf8<'b>(text: fields::Text<'b>, space: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
    let most_bytes = match text {
        fields::Text::Latin(bytes) if bytes.is_ascii() => return Ok(bytes),
        fields::Text::Latin(bytes) => 2 * bytes.len(),
        fields::Text::Wide(bytes) => 3 * (bytes.len() / 2),
    };
    space.clear();
    fallible::reserve(space, most_bytes)?;
    let mut encoded = [0; 4];
    for point in Text::from(text).points() {
        let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        space.extend_from_slice(character.encode_utf8(&mut encoded).as_bytes());
    }
    Ok(space)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// A text in each encoding that has it.
    fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
        let escaped = text.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect();
        let latin: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
        let mut all = vec![("utf8", text.as_bytes().to_vec()), ("wide", wide(text)), ("escaped", escaped)];
        all.extend(latin.map(|latin| ("latin", latin)));
        all
    }

    fn text<'a>((encoding, bytes): &'a (&'static str, Vec<u8>)) -> Text<'a> {
        match *encoding {
            "utf8" => Text::Utf8(bytes),
            "latin" => Text::Latin(bytes),
            "wide" => Text::Wide(bytes),
            _ => Text::Escaped(bytes),
        }
    }

    #[test]
    fn a_text_is_the_same_in_each_encoding_and_ordered_alike() {
        let texts = ["", "a", "ab", "b", "é", "Ã©", "éa", "ÿ", "ÿÿ", "Ā", "日", "\u{ff61}", "😀", "😀a"];
        for one in texts {
            for other in texts {
                for left in &encodings(one) {
                    for right in &encodings(other) {
                        assert_eq!(text(left).is(text(right)), one == other, "{left:?} {right:?}");
                        assert_eq!(text(left).compare(text(right)), one.cmp(other), "{left:?} {right:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn lone_surrogates_are_code_points_of_their_own() {
        let lone = [0x00, 0xd8, b'a', 0];
        assert!(Text::Wide(&lone).is(Text::Escaped(br"\ud800a")));
        assert!(!Text::Wide(&lone).is(Text::Escaped(br"\ud801a")));
        assert!(!Text::Wide(&lone).is(Text::Utf8("\u{fffd}a".as_bytes())));
        assert_eq!(Text::Wide(&lone).points().collect::<Vec<_>>(), [0xd800, 0x61]);
    }

    #[test]
    fn json_text_of_a_record_becomes_utf_8() {
        let utf8 = |text| json_utf8(text, &mut vec![7]).map(<[u8]>::to_vec).unwrap();
        assert_eq!(utf8(fields::Text::Latin(b"[1]")), b"[1]");
        assert_eq!(utf8(fields::Text::Latin(&[b'"', 0xe9, 0xff, b'"'])), "\"éÿ\"".as_bytes());
        let units = wide("\"é日😀\"");
        assert_eq!(utf8(fields::Text::Wide(&units)), "\"é日😀\"".as_bytes());
        assert_eq!(utf8(fields::Text::Wide(&[0, 0xd8])), "\u{fffd}".as_bytes());
    }
}
