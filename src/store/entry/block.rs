//! An entry: one block of memory with header, key and value, written once and never changed.
//!
//! ```text
//! ┌ 4 bytes ──────────────┬ 4 bytes ──┬ 1 byte ─────────────┬ 4 bytes, if typed ┬─────┬───────┐
//! │ key kind (4) len (28) │ value len │ value kind | 0x80 ? │ type id           │ key │ value │
//! └───────────────────────┴───────────┴─────────────────────┴───────────────────┴─────┴───────┘
//! ```
//!
//! An entry without a key has the number of its slot in the key's place, so that a thread that finds the entry finds
//! its slot. A large one is written before it has a slot, and has none there: it is never moved.
//!
//! A change of the value makes a new entry, and the old one is retired. That is what lets a reader copy without a lock
//! and without looking twice.

use std::ptr::NonNull;

use super::key::{Key, KeyKind};
use super::shapes::numbers;
use super::value::{Value, ValueKind};
use crate::store::error::Error;
use crate::store::memory::arena;
use crate::store::memory::arena::{Arena, MAX_BLOCK_BYTES};
use crate::store::memory::budget::{Memory, Transfer};
use crate::store::memory::large;
use crate::store::platform::prefetch::prefetch;

/// Bits of the first word that hold the length of the key; the kind stands above them.
const KEY_LEN_BITS: u32 = 28;
const MAX_KEY_BYTES: usize = (1 << KEY_LEN_BITS) - 1;
const MAX_VALUE_BYTES: usize = u32::MAX as usize;
const FIXED_BYTES: usize = 9;
const TYPE_BYTES: usize = 4;
const TYPED: u8 = 0x80;
/// An offset within most entries, in the second of the two lines that they may lie in.
const SECOND_LINE: usize = 48;

/// An owned pointer to an entry. It does not free itself: its shard does, with [`Entry::free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Entry(NonNull<u8>);

// SAFETY: entries do not change after they are published, and the thread that frees one makes sure that no reader is
// left.
unsafe impl Send for Entry {}

/// A large entry, made before the shard's lock is taken because copying it takes long. Frees itself if it is not used.
pub struct Prepared<'m> {
    /// `None` once it was given away.
    entry: Option<Entry>,
    memory: &'m Memory,
    _transfer: Transfer<'m>,
}

/// What the entry of this content takes.
fn size(key: Key<'_>, value: Value<'_>, type_id: u32) -> usize {
    FIXED_BYTES + if type_id == 0 { 0 } else { TYPE_BYTES } + key.len() + value.bytes.len()
}

/// What the entry of this content costs in memory.
pub fn weight_bytes(key: Key<'_>, value: Value<'_>, type_id: u32) -> usize {
    arena::block_bytes(size(key, value, type_id))
}

/// Refuses what no entry can hold.
pub fn check_size(key: Key<'_>, value: Value<'_>) -> Result<(), Error> {
    let too_large =
        |bytes: usize, limit: usize| Error::ValueTooLarge { bytes: bytes as u64, limit_bytes: limit as u64 };
    if key.len() > MAX_KEY_BYTES {
        return Err(too_large(key.len(), MAX_KEY_BYTES));
    }
    if value.bytes.len() > MAX_VALUE_BYTES {
        return Err(too_large(value.bytes.len(), MAX_VALUE_BYTES));
    }
    if value.is_record() && numbers::read(value.bytes).is_none() {
        return Err(no_record());
    }
    Ok(())
}

#[cold]
fn no_record() -> Error {
    Error::InvalidOption {
        option: "value",
        given: "a record without the number of a shape".to_owned(),
        allowed: "a record that begins with a varint of 32 bits".to_owned(),
    }
}

impl<'m> Prepared<'m> {
    /// The entry, if it is too large for the arena.
    #[inline]
    pub fn new(key: Key<'_>, value: Value<'_>, type_id: u32, memory: &'m Memory) -> Result<Option<Self>, Error> {
        let size = size(key, value, type_id);
        if size <= MAX_BLOCK_BYTES { Ok(None) } else { Self::large(size, key, value, type_id, memory).map(Some) }
    }

    #[cold]
    fn large(size: usize, key: Key<'_>, value: Value<'_>, type_id: u32, memory: &'m Memory) -> Result<Self, Error> {
        let transfer = memory.transfer();
        let block = large::alloc(size, memory)?;
        // SAFETY: the block is new and of the content's size.
        let entry = unsafe { Entry::write(block, key, value, type_id) };
        Ok(Self { entry: Some(entry), memory, _transfer: transfer })
    }

    /// Takes an entry back that was given away.
    ///
    /// # Safety
    ///
    /// The entry is large, was made with this memory and never published, and no other owner frees it.
    pub unsafe fn take_back(entry: Entry, memory: &'m Memory) -> Self {
        Self { entry: Some(entry), memory, _transfer: memory.transfer() }
    }

    /// The entry, if it was not used: the caller's to free.
    pub fn take(mut self) -> Option<Entry> {
        self.entry.take()
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            // SAFETY: large entries come from `large::alloc` with this memory, and this one was never published.
            unsafe { large::free(entry.0, entry.size(), self.memory) };
        }
    }
}

impl Entry {
    /// Makes an entry in `arena`, or takes the one that was prepared because it is large. `prepared` is empty
    /// afterwards.
    pub fn alloc(
        key: Key<'_>,
        value: Value<'_>,
        type_id: u32,
        prepared: &mut Option<Prepared<'_>>,
        arena: &mut Arena,
    ) -> Result<Self, Error> {
        if prepared.is_some()
            && let Some(entry) = prepared.take().and_then(Prepared::take)
        {
            arena.admit_entry_to_look_at();
            return Ok(entry);
        }
        let block = arena.alloc(size(key, value, type_id))?;
        // SAFETY: the block is new and of the content's size.
        Ok(unsafe { Self::write(block, key, value, type_id) })
    }

    /// # Safety
    ///
    /// `block` has room for the content, is aligned to 4, and no other thread uses it.
    unsafe fn write(block: NonNull<u8>, key: Key<'_>, value: Value<'_>, type_id: u32) -> Self {
        let typed = type_id != 0;
        // SAFETY: all writes lie within `size(key, value, type_id)` bytes, which the caller promises.
        unsafe {
            let start = block.as_ptr();
            start.cast::<u32>().write((key.kind() as u32) << KEY_LEN_BITS | key.len() as u32);
            start.cast::<u32>().add(1).write(value.bytes.len() as u32);
            start.add(8).write(value.kind as u8 | if typed { TYPED } else { 0 });
            let mut at = start.add(FIXED_BYTES);
            if typed {
                at.cast::<u32>().write_unaligned(type_id);
                at = at.add(TYPE_BYTES);
            }
            at.copy_from_nonoverlapping(key.bytes().as_ptr(), key.len());
            at.add(key.len()).copy_from_nonoverlapping(value.bytes.as_ptr(), value.bytes.len());
        }
        Self(block)
    }

    /// A copy of a small entry in another block.
    pub fn copy(self, arena: &mut Arena) -> Result<Self, Error> {
        let block = arena.alloc(self.size())?;
        // SAFETY: both blocks have this many bytes, and the new one has no other owner.
        unsafe { block.copy_from_nonoverlapping(self.0, self.size()) };
        Ok(Self(block))
    }

    /// The entry in a block.
    ///
    /// # Safety
    ///
    /// An entry was written there, and it is not freed while the result is used.
    pub unsafe fn in_block(block: NonNull<u8>) -> Self {
        Self(block)
    }

    /// Frees an entry.
    ///
    /// # Safety
    ///
    /// The entry was made with this arena (or was large, with its memory), no thread reads it, and it is freed once.
    pub unsafe fn free(self, arena: &mut Arena, memory: &Memory) {
        let size = self.size();
        // SAFETY: the caller's promise; the size decides where the block came from.
        unsafe {
            if size > MAX_BLOCK_BYTES {
                large::free(self.0, size, memory);
            } else {
                arena.free(self.0, size);
            }
        }
    }

    /// Frees an entry whose arena is about to go as a whole.
    ///
    /// # Safety
    ///
    /// As for [`Entry::free`].
    pub unsafe fn free_if_large(self, memory: &Memory) {
        let size = self.size();
        if size > MAX_BLOCK_BYTES {
            // SAFETY: the caller's promise.
            unsafe { large::free(self.0, size, memory) };
        }
    }

    /// Gives back at most so much of the memory of a mapped entry, after the bytes that `released` says went before,
    /// but not of its header. Returns whether there is more to give back.
    ///
    /// # Safety
    ///
    /// No thread reads the entry any more, and it is freed next.
    pub unsafe fn release_some(self, released: &mut usize, bytes: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { large::release_some(self.0, self.size(), released, bytes) }
    }

    /// As the raw pointer that a slot holds.
    #[inline]
    pub fn as_ptr(self) -> *mut u8 {
        self.0.as_ptr()
    }

    /// Asks for the lines of a small entry: for two, because most lie in two.
    #[inline]
    pub fn prefetch(self) {
        let start = self.as_ptr();
        prefetch(start);
        prefetch(start.wrapping_add(SECOND_LINE));
    }

    /// From a slot's pointer; `None` for a vacant slot.
    ///
    /// # Safety
    ///
    /// The pointer came from [`Entry::as_ptr`], was read with acquire ordering, and the entry is not freed while the
    /// result is used.
    #[inline]
    pub unsafe fn from_ptr(pointer: *mut u8) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    #[inline]
    fn word(self, index: usize) -> u32 {
        // SAFETY: every entry starts with two words, aligned because blocks are.
        unsafe { self.0.cast::<u32>().add(index).read() }
    }

    #[inline]
    fn flags(self) -> u8 {
        // SAFETY: the ninth byte of every entry.
        unsafe { self.0.add(8).read() }
    }

    #[inline]
    fn key_len(self) -> usize {
        self.word(0) as usize & MAX_KEY_BYTES
    }

    #[inline]
    fn key_offset(self) -> usize {
        FIXED_BYTES + if self.flags() & TYPED == 0 { 0 } else { TYPE_BYTES }
    }

    /// Bytes of header, key and value.
    #[inline]
    pub fn size(self) -> usize {
        self.key_offset() + self.key_len() + self.value_len()
    }

    /// Bytes of the value.
    #[inline]
    pub fn value_len(self) -> usize {
        self.word(1) as usize
    }

    /// What it costs in memory.
    #[inline]
    pub fn weight_bytes(self) -> usize {
        arena::block_bytes(self.size())
    }

    /// The key. The lifetime is the caller's: it ends when the pin or the lock that protects the entry does.
    #[inline]
    pub fn key<'a>(self) -> Key<'a> {
        // SAFETY: the key lies at this offset with this length, and entries do not change.
        let bytes = unsafe { std::slice::from_raw_parts(self.0.add(self.key_offset()).as_ptr(), self.key_len()) };
        Key::new(KeyKind::from_number(self.word(0) >> KEY_LEN_BITS), bytes)
    }

    /// Whether this is the entry of `key`.
    #[inline]
    pub fn has_key(self, key: Key<'_>) -> bool {
        self.word(0) == key.kind_number() << KEY_LEN_BITS | key.len() as u32
            && is_equal(self.key().bytes(), key.bytes())
    }

    /// Whether its block can be one of an arena's. Large ones are not.
    pub fn is_in_place(self) -> bool {
        // SAFETY: small entries lie in blocks of an arena, and the holder of an entry keeps it from being freed.
        self.is_large() || unsafe { Arena::may_be_block(self.0, self.size()) }
    }

    /// Whether it has a block of its own.
    #[inline]
    pub fn is_large(self) -> bool {
        self.size() > MAX_BLOCK_BYTES
    }

    /// What it costs outside the arena: 0 unless it is large.
    pub fn large_bytes(self) -> usize {
        if self.is_large() { self.weight_bytes() } else { 0 }
    }

    /// The kind of the value.
    #[inline]
    pub fn value_kind(self) -> ValueKind {
        ValueKind::from_number(self.flags() & !TYPED).unwrap_or(ValueKind::Undefined)
    }

    /// The value's bytes; for the lifetime see [`Entry::key`].
    #[inline]
    pub fn value_bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the value follows the key, and entries do not change.
        unsafe { std::slice::from_raw_parts(self.0.add(self.key_offset() + self.key_len()).as_ptr(), self.value_len()) }
    }

    /// The number of a record's shape; `None` for any other value.
    #[inline]
    pub fn shape(self) -> Option<u32> {
        if self.is_record() { Value { kind: ValueKind::Shaped, bytes: self.value_bytes() }.shape() } else { None }
    }

    /// Whether the value is a record.
    #[inline]
    pub fn is_record(self) -> bool {
        self.flags() & !TYPED == ValueKind::Shaped as u8
    }

    /// The entry's type, 0 for none.
    #[inline]
    pub fn type_id(self) -> u32 {
        if self.flags() & TYPED == 0 {
            return 0;
        }
        // SAFETY: a typed entry has the type's number there.
        unsafe { self.0.add(FIXED_BYTES).cast::<u32>().read_unaligned() }
    }
}

/// Whether two slices of the same length are equal. Most keys are shorter than what calling `memcmp` pays for: two
/// words that may overlap cover 8 to 16 bytes.
#[inline]
fn is_equal(left: &[u8], right: &[u8]) -> bool {
    let len = left.len();
    if !(8..=16).contains(&len) || right.len() != len {
        return left == right;
    }
    let word = |bytes: &[u8], at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_ne_bytes(word)
    };
    word(left, 0) == word(right, 0) && word(left, len - 8) == word(right, len - 8)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::platform::sync::Arc;

    #[test]
    fn an_entry_gives_back_what_was_written() {
        let memory = Arc::new(Memory::new(None));
        let mut arena = Arena::new(&memory);
        let long = vec![7_u8; 5_000];
        for (key, value, type_id) in [
            (Key::string("user:1"), Value::json("{}"), 0),
            (Key::KEYLESS, Value { kind: ValueKind::Null, bytes: &[] }, 9),
            (Key::new(KeyKind::Bytes, &long), Value { kind: ValueKind::Buffer, bytes: &long }, 77),
        ] {
            let mut prepared = Prepared::new(key, value, type_id, &memory).unwrap();
            let entry = Entry::alloc(key, value, type_id, &mut prepared, &mut arena).unwrap();
            assert_eq!(entry.key(), key);
            assert!(entry.has_key(key) && !entry.has_key(Key::string("user:2")));
            assert_eq!((entry.value_kind(), entry.value_bytes(), entry.type_id()), (value.kind, value.bytes, type_id));
            // SAFETY: made above with this arena, read by no other thread.
            unsafe { entry.free(&mut arena, &memory) };
        }
        drop(arena);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn a_large_entry_that_is_not_used_frees_itself() {
        let memory = Memory::new(None);
        let value = vec![0; 100_000];
        let value = Value { kind: ValueKind::Buffer, bytes: &value };
        let prepared = Prepared::new(Key::string("k"), value, 0, &memory).unwrap();
        assert!(memory.total() > 100_000);
        drop(prepared);
        assert_eq!(memory.total(), 0);
    }
}
