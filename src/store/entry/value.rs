//! Values: a kind and bytes. The store keeps both and looks into neither, but for the shape that a record says it has.

use super::shapes::numbers;

/// What a value was in JavaScript. JavaScript knows the same numbers (`lib/native/layout.js`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the typed arrays are named after what they are in JavaScript")]
pub enum ValueKind {
    /// `undefined`, no bytes.
    Undefined = 1,
    /// `null`, no bytes.
    Null = 2,
    /// `false`, no bytes.
    False = 3,
    /// `true`, no bytes.
    True = 4,
    /// A number that is a 32-bit integer, as 4 little-endian bytes.
    Int = 5,
    /// Any other number, `-0` included, as the 8 little-endian bytes of an `f64`.
    Float = 6,
    /// A string, as UTF-8.
    String = 7,
    /// A string with lone surrogates, as little-endian UTF-16 code units.
    Utf16 = 8,
    /// A bigint: a sign byte (1 = negative) and its magnitude as little-endian 64-bit words.
    BigInt = 9,
    /// JSON text, as UTF-8.
    Json = 10,
    /// The fields of an object, or an array of numbers, as a record (`record.rs`).
    Shaped = 11,
    Uint8Array = 16,
    Buffer = 17,
    Int8Array = 18,
    Uint8ClampedArray = 19,
    Int16Array = 20,
    Uint16Array = 21,
    Int32Array = 22,
    Uint32Array = 23,
    Float32Array = 24,
    Float64Array = 25,
    BigInt64Array = 26,
    BigUint64Array = 27,
    Float16Array = 28,
    /// What the codec of a map made of a value, as bytes. Only JavaScript knows what is in it.
    Encoded = 29,
    /// The same as text, in UTF-8.
    EncodedText = 30,
    /// The same as text with lone surrogates, as little-endian UTF-16 code units.
    EncodedUtf16 = 31,
}

impl ValueKind {
    /// The kind with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Undefined,
            2 => Self::Null,
            3 => Self::False,
            4 => Self::True,
            5 => Self::Int,
            6 => Self::Float,
            7 => Self::String,
            8 => Self::Utf16,
            9 => Self::BigInt,
            10 => Self::Json,
            11 => Self::Shaped,
            16 => Self::Uint8Array,
            17 => Self::Buffer,
            18 => Self::Int8Array,
            19 => Self::Uint8ClampedArray,
            20 => Self::Int16Array,
            21 => Self::Uint16Array,
            22 => Self::Int32Array,
            23 => Self::Uint32Array,
            24 => Self::Float32Array,
            25 => Self::Float64Array,
            26 => Self::BigInt64Array,
            27 => Self::BigUint64Array,
            28 => Self::Float16Array,
            29 => Self::Encoded,
            30 => Self::EncodedText,
            31 => Self::EncodedUtf16,
            _ => return None,
        })
    }

    /// What it is, in words.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::False | Self::True => "a boolean",
            Self::Int | Self::Float => "a number",
            Self::String | Self::Utf16 => "a string",
            Self::BigInt => "a bigint",
            Self::Json | Self::Shaped => "an object or array",
            Self::Encoded | Self::EncodedText | Self::EncodedUtf16 => "a value of a codec",
            _ => "bytes",
        }
    }
}

/// A borrowed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// What it was in JavaScript.
    pub kind: ValueKind,
    /// Its content, see [`ValueKind`].
    pub bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// JSON text.
    #[must_use]
    pub fn json(text: &'a str) -> Self {
        Self { kind: ValueKind::Json, bytes: text.as_bytes() }
    }

    /// Whether it is a record.
    #[inline]
    #[must_use]
    pub fn is_record(&self) -> bool {
        self.kind == ValueKind::Shaped
    }

    /// The number of a record's shape; `None` for any other value. One that says none counts as of the built-in shape,
    /// and is refused before it becomes an entry.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> Option<u32> {
        self.is_record().then(|| numbers::read(self.bytes).unwrap_or(numbers::BUILT_IN))
    }
}
