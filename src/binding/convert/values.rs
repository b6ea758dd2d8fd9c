//! Keys and values between JavaScript and the store: bytes and a kind on one side, a JavaScript value on the other.

use std::mem::MaybeUninit;

use crate::binding::engine::{Engine, Js, JsType, is_whole};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::MAX_POINTER_STEPS;
use crate::store::fields::Text as RecordText;
use crate::store::{Key, KeyKind, Pointer, Value, ValueKind, fallible};

/// Bytes that a string can have and still be read without allocating. Most keys and small objects need far less, and
/// the engine has a faster path where the room is three times the length.
const INLINE_BYTES: usize = 4096;

/// Room for the bytes of one key or value on the stack of a call. Nothing is written to it before it is needed.
pub struct Space {
    inline: [MaybeUninit<u8>; INLINE_BYTES],
    heap: Vec<u8>,
    held: Held,
}

/// Where the bytes of a [`Space`] are.
enum Held {
    /// Invariant: as many bytes at the start of `inline` are written.
    Inline(usize),
    Heap,
}

impl Default for Space {
    #[inline]
    fn default() -> Space {
        Space { inline: [const { MaybeUninit::uninit() }; INLINE_BYTES], heap: Vec::new(), held: Held::Inline(0) }
    }
}

impl Space {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self.held {
            // SAFETY: the invariant of `Held::Inline`.
            Held::Inline(len) => unsafe { std::slice::from_raw_parts(self.inline.as_ptr().cast(), len) },
            Held::Heap => &self.heap,
        }
    }

    /// Copies bytes here.
    #[inline]
    pub fn copy(&mut self, bytes: &[u8]) -> Outcome<&[u8]> {
        if let Some(room) = self.inline.get_mut(..bytes.len()) {
            for (place, byte) in room.iter_mut().zip(bytes) {
                place.write(*byte);
            }
            self.held = Held::Inline(bytes.len());
        } else {
            fallible::copy_into(&mut self.heap, bytes)?;
            self.held = Held::Heap;
        }
        Ok(self.bytes())
    }

    fn hold<const N: usize>(&mut self, bytes: [u8; N]) -> &[u8] {
        self.inline[..N].copy_from_slice(&bytes.map(MaybeUninit::new));
        self.held = Held::Inline(N);
        self.bytes()
    }

    /// Reads a string as UTF-8; whether it is one.
    #[inline]
    fn read_utf8(&mut self, engine: Engine<'_>, js: Js<'_>) -> Outcome<bool> {
        let Some(bytes) = engine.utf8(js, &mut self.inline)? else { return Ok(false) };
        self.held = Held::Inline(bytes.len());
        if !is_whole(bytes.len(), INLINE_BYTES) {
            self.read_long_utf8(engine, js)?;
        }
        Ok(true)
    }

    #[cold]
    fn read_long_utf8(&mut self, engine: Engine<'_>, js: Js<'_>) -> Outcome<()> {
        let len = engine.utf8_len(js)?;
        self.heap.clear();
        // One more for the zero that the engine puts at the end.
        fallible::reserve(&mut self.heap, len + 1)?;
        let read = engine.utf8(js, self.heap.spare_capacity_mut())?.map_or(0, <[u8]>::len);
        // SAFETY: the engine wrote `read` bytes to the start of the spare capacity, which is the start of the vector.
        unsafe { self.heap.set_len(read) };
        self.held = Held::Heap;
        Ok(())
    }

    /// Reads a string, unharmed: as UTF-8, or as little-endian code units if it has lone surrogates.
    #[inline]
    fn read_text(&mut self, engine: Engine<'_>, js: Js<'_>) -> Outcome<Option<Text>> {
        if !self.read_utf8(engine, js)? {
            return Ok(None);
        }
        // Node-API replaces a lone surrogate by U+FFFD without a word. So does a user at times.
        if self.bytes().is_ascii() || !has_replacement(self.bytes()) {
            return Ok(Some(Text::Utf8));
        }
        let units = engine.utf16(js)?;
        if char::decode_utf16(units.iter().copied()).all(|unit| unit.is_ok()) {
            return Ok(Some(Text::Utf8));
        }
        self.heap.clear();
        fallible::reserve(&mut self.heap, units.len() * size_of::<u16>())?;
        self.heap.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        self.held = Held::Heap;
        Ok(Some(Text::Utf16))
    }

    fn read_bigint(&mut self, engine: Engine<'_>, js: Js<'_>) -> Outcome<()> {
        let mut words = Vec::new();
        let negative = engine.bigint_words(js, &mut words)?;
        self.heap.clear();
        fallible::reserve(&mut self.heap, 1 + words.len() * size_of::<u64>())?;
        self.heap.push(u8::from(negative));
        self.heap.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.held = Held::Heap;
        Ok(())
    }
}

/// How a string was read.
enum Text {
    Utf8,
    Utf16,
}

/// Whether U+FFFD is in this UTF-8.
fn has_replacement(utf8: &[u8]) -> bool {
    const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
    let mut rest = utf8;
    while let Some(at) = rest.iter().position(|byte| *byte == REPLACEMENT[0]) {
        rest = &rest[at..];
        if rest.starts_with(REPLACEMENT) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// The integer that a number is as a key, where `-0` is `0`.
fn as_int(number: f64) -> Option<i32> {
    let int = number as i32;
    #[expect(clippy::float_cmp, reason = "a number that is an integer is exactly that integer")]
    (f64::from(int) == number).then_some(int)
}

/// Reads a key. Most are strings, so that is tried before asking what it is.
#[inline]
pub fn key<'b>(engine: Engine<'_>, js: Js<'_>, space: &'b mut Space) -> Outcome<Key<'b>> {
    match space.read_text(engine, js)? {
        Some(Text::Utf8) => Ok(Key::new(KeyKind::String, space.bytes())),
        Some(Text::Utf16) => Ok(Key::new(KeyKind::Utf16, space.bytes())),
        None => other_key(engine, js, space),
    }
}

fn other_key<'b>(engine: Engine<'_>, js: Js<'_>, space: &'b mut Space) -> Outcome<Key<'b>> {
    // Asking for a number costs less than asking what it is.
    if let Some(number) = engine.number(js)? {
        if let Some(int) = as_int(number) {
            return Ok(Key::new(KeyKind::Int, space.hold(int.to_le_bytes())));
        }
        // All NaNs are one key.
        let number = if number.is_nan() { f64::NAN } else { number };
        return Ok(Key::new(KeyKind::Float, space.hold(number.to_le_bytes())));
    }
    let what = engine.type_of(js)?;
    let plain = |kind| Ok(Key::new(kind, &[]));
    match what {
        JsType::BigInt => {
            space.read_bigint(engine, js)?;
            Ok(Key::new(KeyKind::BigInt, space.bytes()))
        }
        JsType::Boolean => plain(if engine.bool(js)? { KeyKind::True } else { KeyKind::False }),
        JsType::Null => plain(KeyKind::Null),
        JsType::Undefined => plain(KeyKind::Undefined),
        JsType::Object => match engine.bytes(js, &mut space.heap)? {
            Some(bytes) => Ok(Key::new(KeyKind::Bytes, bytes)),
            None => Err(Failure::KeyType { given: what.name() }),
        },
        JsType::String | JsType::Number | JsType::Symbol | JsType::Function => {
            Err(Failure::KeyType { given: what.name() })
        }
    }
}

/// The value kind with this number.
#[inline]
pub fn kind(number: u32) -> Outcome<ValueKind> {
    u8::try_from(number).ok().and_then(ValueKind::from_number).ok_or(Failure::Misuse("no value kind has this number"))
}

/// Reads a value of the kind that JavaScript says it has.
#[inline]
pub fn value<'b>(engine: Engine<'_>, js: Js<'_>, kind: ValueKind, space: &'b mut Space) -> Outcome<Value<'b>> {
    const OTHER: Failure = Failure::Misuse("the value is not of the kind that was given");
    match kind {
        // `JSON.stringify` escapes lone surrogates, so JSON text is always whole in UTF-8.
        ValueKind::Json => {
            if space.read_utf8(engine, js)? {
                Ok(Value { kind, bytes: space.bytes() })
            } else {
                Err(OTHER)
            }
        }
        ValueKind::String | ValueKind::Utf16 => match space.read_text(engine, js)? {
            Some(Text::Utf8) => Ok(Value { kind: ValueKind::String, bytes: space.bytes() }),
            Some(Text::Utf16) => Ok(Value { kind: ValueKind::Utf16, bytes: space.bytes() }),
            None => Err(OTHER),
        },
        ValueKind::EncodedText | ValueKind::EncodedUtf16 => match space.read_text(engine, js)? {
            Some(Text::Utf8) => Ok(Value { kind: ValueKind::EncodedText, bytes: space.bytes() }),
            Some(Text::Utf16) => Ok(Value { kind: ValueKind::EncodedUtf16, bytes: space.bytes() }),
            None => Err(OTHER),
        },
        ValueKind::Undefined | ValueKind::Null | ValueKind::False | ValueKind::True => Ok(Value { kind, bytes: &[] }),
        ValueKind::Int => Ok(Value { kind, bytes: space.hold(engine.i32(js)?.to_le_bytes()) }),
        ValueKind::Float => Ok(Value { kind, bytes: space.hold(engine.f64(js)?.to_le_bytes()) }),
        ValueKind::BigInt => {
            space.read_bigint(engine, js)?;
            Ok(Value { kind, bytes: space.bytes() })
        }
        _ => match engine.bytes(js, &mut space.heap)? {
            Some(bytes) => Ok(Value { kind, bytes }),
            None => Err(OTHER),
        },
    }
}

/// Reads a pointer, which JavaScript has checked.
pub fn pointer<'b>(engine: Engine<'_>, js: Js<'_>, space: &'b mut Space) -> Outcome<Pointer<'b>> {
    let pointer = if space.read_utf8(engine, js)? { Pointer::of(space.bytes()) } else { None };
    pointer.filter(|pointer| pointer.len() <= MAX_POINTER_STEPS).ok_or(Failure::Misuse("that is no pointer"))
}

/// Makes the string that a text of a record is.
pub fn text_to_js<'s>(engine: Engine<'s>, text: RecordText<'_>) -> Outcome<Js<'s>> {
    match text {
        RecordText::Latin(bytes) => engine.latin1(bytes),
        RecordText::Wide(bytes) => engine.text_utf16(&units(bytes)?),
    }
}

/// Makes the JavaScript value that a stored value comes back as: JSON as its text, bytes of all kinds as a
/// `Uint8Array`.
#[inline]
pub fn value_to_js<'s>(engine: Engine<'s>, kind: ValueKind, bytes: &[u8]) -> Outcome<Js<'s>> {
    match kind {
        ValueKind::Json | ValueKind::String | ValueKind::EncodedText => engine.text(bytes),
        ValueKind::Int => engine.int(i32::from_le_bytes(exactly(bytes)?)),
        ValueKind::Float => engine.float(f64::from_le_bytes(exactly(bytes)?)),
        ValueKind::Undefined => engine.undefined(),
        ValueKind::Null => engine.null(),
        ValueKind::False => engine.boolean(false),
        ValueKind::True => engine.boolean(true),
        ValueKind::Utf16 | ValueKind::EncodedUtf16 => engine.text_utf16(&units(bytes)?),
        ValueKind::BigInt => bigint_to_js(engine, bytes),
        _ => engine.uint8_array(bytes),
    }
}

/// Makes the JavaScript value that a key was. An entry without key has `undefined` there.
pub fn key_to_js<'s>(engine: Engine<'s>, kind: KeyKind, bytes: &[u8]) -> Outcome<Js<'s>> {
    match kind {
        KeyKind::String => engine.text(bytes),
        KeyKind::Utf16 => engine.text_utf16(&units(bytes)?),
        KeyKind::Int => engine.int(i32::from_le_bytes(exactly(bytes)?)),
        KeyKind::Float => engine.float(f64::from_le_bytes(exactly(bytes)?)),
        KeyKind::BigInt => bigint_to_js(engine, bytes),
        KeyKind::True => engine.boolean(true),
        KeyKind::False => engine.boolean(false),
        KeyKind::Null => engine.null(),
        KeyKind::Undefined | KeyKind::Keyless => engine.undefined(),
        KeyKind::Bytes => engine.uint8_array(bytes),
    }
}

fn bigint_to_js<'s>(engine: Engine<'s>, bytes: &[u8]) -> Outcome<Js<'s>> {
    let (sign, magnitude) = bytes.split_first().ok_or(Failure::Misuse("a stored bigint has no sign"))?;
    let mut words = fallible::vec(magnitude.len() / size_of::<u64>())?;
    for word in magnitude.chunks_exact(size_of::<u64>()) {
        words.push(u64::from_le_bytes(exactly(word)?));
    }
    engine.bigint(*sign != 0, &words)
}

fn units(bytes: &[u8]) -> Outcome<Vec<u16>> {
    let mut units = fallible::vec(bytes.len() / size_of::<u16>())?;
    units.extend(bytes.chunks_exact(size_of::<u16>()).map(|unit| u16::from_le_bytes([unit[0], unit[1]])));
    Ok(units)
}

/// Bytes that are as many as the number they hold has.
pub fn exactly<const N: usize>(bytes: &[u8]) -> Outcome<[u8; N]> {
    bytes.try_into().map_err(|_| Failure::Misuse("a stored number has another size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_integers_and_minus_zero_is_zero() {
        assert_eq!(as_int(0.0), Some(0));
        assert_eq!(as_int(-0.0), Some(0));
        assert_eq!(as_int(-2_147_483_648.0), Some(i32::MIN));
        assert_eq!(as_int(2_147_483_647.0), Some(i32::MAX));
        assert_eq!(as_int(2_147_483_648.0), None);
        assert_eq!(as_int(0.5), None);
        assert_eq!(as_int(f64::NAN), None);
        assert_eq!(as_int(f64::INFINITY), None);
    }

    #[test]
    fn the_replacement_character_is_found_among_its_neighbours() {
        assert!(has_replacement("\u{fffd}".as_bytes()));
        assert!(has_replacement("\u{f000}€\u{ffff}\u{fffd}x".as_bytes()));
        assert!(!has_replacement("".as_bytes()));
        assert!(!has_replacement("\u{f000}\u{fffc}\u{fffe}".as_bytes()));
    }

    #[test]
    fn code_units_come_back_as_they_went() {
        let lone: Vec<u8> = [0xd800_u16, 0x61].iter().flat_map(|unit| unit.to_le_bytes()).collect();
        assert_eq!(units(&lone).unwrap(), [0xd800, 0x61]);
    }
}
