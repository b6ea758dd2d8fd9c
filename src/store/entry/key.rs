//! Keys: a kind and bytes, equal only if both are.

/// What a key was in JavaScript. The number stands in an entry's header, so it stays below 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyKind {
    /// No key: the entry is reached by its handle alone.
    Keyless = 0,
    /// A string, as UTF-8.
    String = 1,
    /// A string with lone surrogates, as little-endian UTF-16 code units.
    Utf16 = 2,
    /// A number that is a 32-bit integer (`-0` is `0`), as 4 little-endian bytes.
    Int = 3,
    /// Any other number, as the 8 little-endian bytes of an `f64`; one bit pattern for all `NaN`s.
    Float = 4,
    /// A bigint: a sign byte (1 = negative) and its magnitude as little-endian 64-bit words without leading zero words.
    BigInt = 5,
    /// `true`.
    True = 6,
    /// `false`.
    False = 7,
    /// `null`.
    Null = 8,
    /// `undefined`.
    Undefined = 9,
    /// A `Uint8Array`, by content.
    Bytes = 10,
}

impl KeyKind {
    /// How many kinds there are.
    pub(crate) const COUNT: usize = 11;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Keyless,
        Self::String,
        Self::Utf16,
        Self::Int,
        Self::Float,
        Self::BigInt,
        Self::True,
        Self::False,
        Self::Null,
        Self::Undefined,
        Self::Bytes,
    ];

    /// The kind with this number; [`KeyKind::Keyless`] for a number that is none.
    #[inline]
    pub(crate) fn from_number(number: u32) -> Self {
        Self::ALL.get(number as usize).copied().unwrap_or(Self::Keyless)
    }
}

/// A borrowed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// What it was in JavaScript.
    pub kind: KeyKind,
    /// Its content, see [`KeyKind`].
    pub bytes: &'a [u8],
}

impl<'a> Key<'a> {
    /// The key of an entry that has none. In its place stand four bytes, which the store uses.
    pub const KEYLESS: Key<'static> = Key { kind: KeyKind::Keyless, bytes: &[0; 4] };

    /// A string key.
    #[must_use]
    pub fn string(text: &'a str) -> Self {
        Self { kind: KeyKind::String, bytes: text.as_bytes() }
    }
}
