//! Keys: a kind and bytes, equal only if both are.

use std::fmt;
use std::marker::PhantomData;
use std::slice;

/// What a key was in JavaScript. The number stands in an entry's header, so it stays below 15.
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

/// A borrowed key: where its content begins, and its kind and length in one word.
///
/// Two words are passed in registers. Three are passed in memory, and are read there in other pieces than they were
/// written in, which a processor cannot forward: each read of a key waited for all loads before it, and no two reads
/// overlapped (`cargo bench --bench store -- '^read/'`: 490 against 260 ns).
///
/// Invariant: `start` and the length are those of a slice that is borrowed for `'a`.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    start: *const u8,
    /// The kind in the low [`KIND_BITS`] bits, the length in bytes above: as in the header of a small entry.
    kind_and_len: u64,
    content: PhantomData<&'a [u8]>,
}

/// Bits of the number of a kind. No slice is so long that its length needs more than the others.
pub(crate) const KIND_BITS: u32 = 4;

// SAFETY: it is a shared slice and a number, as the invariant says.
unsafe impl Send for Key<'_> {}
// SAFETY: see above.
unsafe impl Sync for Key<'_> {}

impl<'a> Key<'a> {
    /// The key of an entry that has none. In its place stand four bytes, which the store uses.
    pub const KEYLESS: Key<'static> = Key::new(KeyKind::Keyless, &[0; 4]);

    /// A key of this kind and content, see [`KeyKind`].
    #[inline]
    #[must_use]
    pub const fn new(kind: KeyKind, bytes: &'a [u8]) -> Self {
        let kind_and_len = (bytes.len() as u64) << KIND_BITS | kind as u64;
        Self { start: bytes.as_ptr(), kind_and_len, content: PhantomData }
    }

    /// A string key.
    #[inline]
    #[must_use]
    pub const fn string(text: &'a str) -> Self {
        Self::new(KeyKind::String, text.as_bytes())
    }

    /// What it was in JavaScript.
    #[inline]
    #[must_use]
    pub fn kind(self) -> KeyKind {
        KeyKind::from_number(self.kind_number())
    }

    /// The number of its kind.
    #[inline]
    pub(crate) const fn kind_number(self) -> u32 {
        (self.kind_and_len & ((1 << KIND_BITS) - 1)) as u32
    }

    /// Its kind and length in one word.
    #[inline]
    pub(crate) const fn kind_and_len(self) -> u64 {
        self.kind_and_len
    }

    /// Bytes of its content.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no caller asks for an empty key")]
    pub const fn len(self) -> usize {
        (self.kind_and_len >> KIND_BITS) as usize
    }

    /// Its content, see [`KeyKind`].
    #[inline]
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        // SAFETY: they are the parts of a slice that is borrowed for `'a`, see the invariant.
        unsafe { slice::from_raw_parts(self.start, self.len()) }
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind_and_len == other.kind_and_len && self.bytes() == other.bytes()
    }
}

impl Eq for Key<'_> {}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("kind", &self.kind()).field("bytes", &self.bytes()).finish()
    }
}
