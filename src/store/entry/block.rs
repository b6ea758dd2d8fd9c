//! An entry: one block of memory with header, key and value, written once and never changed.
//!
//! ```text
//! ┌ 4 bytes ───────────────────────────────────────────────────────────┬ 4 bytes, if typed ┬─────┬───────┐
//! │ key kind (4) key len (11) value len (11) value kind (5) typed? (1) │ type id           │ key │ value │
//! └────────────────────────────────────────────────────────────────────┴───────────────────┴─────┴───────┘
//! ```
//!
//! Bits are listed from the lowest. The lengths of whatever fits into a block of an arena fit into this word. A larger
//! entry, which has a block of its own, has its lengths in two more words, and a third one counts its owners
//! (`held.rs`):
//!
//! ```text
//! ┌ 4 bytes ─────────────────────────────────────────────────┬ 4 bytes ┬ 4 bytes ──┬ 4 ─────┬ 4 or 0 ─┬─────┬───────┐
//! │ 15 (4) key kind (4) zeros (18) value kind (5) typed? (1) │ key len │ value len │ owners │ type id │ key │ value │
//! └──────────────────────────────────────────────────────────┴─────────┴───────────┴────────┴─────────┴─────┴───────┘
//! ```
//!
//! A key's own word has kind and length in the same bits, so one comparison says that an entry is small and that its
//! key has this kind and length.
//!
//! An entry without a key has the number of its slot in the key's place, so that a thread that finds the entry finds
//! its slot. A large one is written before it has a slot, and has none there: it is never moved.
//!
//! A change of the value makes a new entry, and the old one is retired. That is what lets a reader copy without a lock
//! and without looking twice.

use std::ptr::NonNull;

use super::folding;
use super::key::{KIND_BITS, Key, KeyKind};
use super::shapes::numbers;
use super::value::{Value, ValueKind};
use crate::store::error::Error;
use crate::store::memory::arena;
use crate::store::memory::arena::{Arena, MAX_BLOCK_BYTES};
use crate::store::memory::budget::{Memory, Transfer};
use crate::store::memory::large;
use crate::store::platform::prefetch::prefetch;
use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::AtomicU32;

const MAX_KEY_BYTES: usize = (1 << 28) - 1;
const MAX_VALUE_BYTES: usize = u32::MAX as usize;
/// Words of the header of a large entry, without the type.
const LARGE_WORDS: usize = 4;
/// The header of a small entry, and that of a large one, without the type.
const SMALL_HEADER_BYTES: usize = 4;
const LARGE_HEADER_BYTES: usize = LARGE_WORDS * size_of::<u32>();
const TYPE_BYTES: usize = 4;

/// Bits of a length in the first word of a small entry.
const LEN_BITS: u32 = 11;
/// Where they are, and the other parts of the first word.
const VALUE_LEN_BIT: u32 = KIND_BITS + LEN_BITS;
const VALUE_KIND_BIT: u32 = VALUE_LEN_BIT + LEN_BITS;
const TYPED_BIT: u32 = 31;
const LARGE_KEY_KIND_BIT: u32 = KIND_BITS;

const KIND_MASK: u32 = (1 << KIND_BITS) - 1;
const LEN_MASK: u32 = (1 << LEN_BITS) - 1;
/// Kind and length of a small entry's key.
const KEY_MASK: u32 = (1 << VALUE_LEN_BIT) - 1;
const VALUE_KIND_MASK: u32 = (1 << (TYPED_BIT - VALUE_KIND_BIT)) - 1;
/// Stands in a large entry where a small one has the kind of its key.
const LARGE: u32 = KIND_MASK;

const _: () = assert!(MAX_BLOCK_BYTES <= LEN_MASK as usize, "both lengths of a small entry fit into its header");
const _: () = assert!(KeyKind::COUNT <= LARGE as usize, "no key has the kind that marks a large entry");
const _: () = assert!(ValueKind::EncodedUtf16 as u32 <= VALUE_KIND_MASK, "the last kind of value fits as well");

/// An offset within most entries, in the second of the two lines that they may lie in.
const SECOND_LINE: usize = 48;

/// An owned pointer to an entry. It does not free itself: its shard does, with [`Entry::free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Entry(NonNull<u8>);

// SAFETY: entries do not change after they are published, and the thread that frees one makes sure that no reader is
// left.
unsafe impl Send for Entry {}

/// Bytes that an entry takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its key; none without one, though the number of its slot lies there.
    pub key: usize,
    /// Its value.
    pub value: usize,
    /// Its block.
    pub weight: usize,
}

/// Where key and value of an entry are: the key's offset and length, and the length of the value, which follows it.
#[derive(Clone, Copy)]
struct Layout {
    key: usize,
    key_len: usize,
    value_len: usize,
}

/// A large entry, made before the shard's lock is taken because copying it takes long. Frees itself if it is not used.
pub struct Prepared<'m> {
    /// `None` once it was given away.
    entry: Option<Entry>,
    memory: &'m Memory,
    _transfer: Transfer<'m>,
}

/// What the entry of this content takes. It is large if that is more than [`MAX_BLOCK_BYTES`].
#[inline]
fn size(key: Key<'_>, value: Value<'_>, type_id: u32) -> usize {
    let small = small_size(key, value, type_id);
    if small <= MAX_BLOCK_BYTES { small } else { small + (LARGE_HEADER_BYTES - SMALL_HEADER_BYTES) }
}

/// The same, if it is small.
#[inline]
fn small_size(key: Key<'_>, value: Value<'_>, type_id: u32) -> usize {
    SMALL_HEADER_BYTES + type_bytes(type_id != 0) + key.len() + value.bytes.len()
}

#[inline]
fn type_bytes(is_typed: bool) -> usize {
    usize::from(is_typed) * TYPE_BYTES
}

/// What the first words of a small and of a large entry have in common.
#[inline]
fn common_bits(value: Value<'_>, type_id: u32) -> u32 {
    (value.kind as u32) << VALUE_KIND_BIT | u32::from(type_id != 0) << TYPED_BIT
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
        // SAFETY: the block is new and of the content's size, which is that of a large entry.
        let entry = unsafe { Entry::write_large(block, key, value, type_id) };
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

    /// The type of the entry, 0 for none.
    pub fn type_id(&self) -> u32 {
        self.entry.map_or(0, Entry::type_id)
    }

    /// Makes it the entry of this key, if its own has the same kind and length; whether it is.
    pub fn respell(&mut self, key: Key<'_>) -> bool {
        let Some(entry) = self.entry else { return false };
        let own = entry.key();
        if own.kind_and_len() != key.kind_and_len() {
            return false;
        }
        if own != key {
            // SAFETY: the key lies at this offset with this length. The entry was never published, so no other thread
            // reads it, and `own` is not used any more.
            unsafe { entry.0.add(entry.layout().key).as_ptr().copy_from(key.bytes().as_ptr(), key.len()) };
        }
        true
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
            unsafe { entry.let_go(self.memory) };
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
        // What was not prepared is small.
        let block = arena.alloc(small_size(key, value, type_id))?;
        // SAFETY: the block is new and of the content's size. Arenas have none of more than `MAX_BLOCK_BYTES`.
        Ok(unsafe { Self::write_small(block, key, value, type_id) })
    }

    /// # Safety
    ///
    /// `block` has [`small_size`] bytes, at most [`MAX_BLOCK_BYTES`], is aligned to 4, and no other thread uses it.
    #[inline]
    unsafe fn write_small(block: NonNull<u8>, key: Key<'_>, value: Value<'_>, type_id: u32) -> Self {
        let value_len = value.bytes.len() as u32;
        let head = common_bits(value, type_id) | value_len << VALUE_LEN_BIT | key.kind_and_len() as u32;
        // SAFETY: the caller's promise.
        unsafe {
            block.cast::<u32>().write(head);
            Self::write_content(block.add(SMALL_HEADER_BYTES), key, value, type_id);
        }
        Self(block)
    }

    /// # Safety
    ///
    /// `block` has [`size`] bytes, more than [`MAX_BLOCK_BYTES`], is aligned to 4, and no other thread uses it.
    unsafe fn write_large(block: NonNull<u8>, key: Key<'_>, value: Value<'_>, type_id: u32) -> Self {
        let head = common_bits(value, type_id) | key.kind_number() << LARGE_KEY_KIND_BIT | LARGE;
        // SAFETY: the caller's promise.
        unsafe {
            block.cast::<[u32; LARGE_WORDS]>().write([head, key.len() as u32, value.bytes.len() as u32, 1]);
            Self::write_content(block.add(LARGE_HEADER_BYTES), key, value, type_id);
        }
        Self(block)
    }

    /// What follows lengths and kinds.
    ///
    /// # Safety
    ///
    /// There is room for it from `at` on, which is aligned to 4, and no other thread uses it.
    #[inline]
    unsafe fn write_content(mut at: NonNull<u8>, key: Key<'_>, value: Value<'_>, type_id: u32) {
        // SAFETY: all writes lie within the room that the caller promises.
        unsafe {
            if type_id != 0 {
                at.cast::<u32>().write(type_id);
                at = at.add(TYPE_BYTES);
            }
            at.as_ptr().copy_from_nonoverlapping(key.bytes().as_ptr(), key.len());
            at.add(key.len()).as_ptr().copy_from_nonoverlapping(value.bytes.as_ptr(), value.bytes.len());
        }
    }

    /// Writes an entry that is small into a block of `arena`.
    pub fn alloc_small(key: Key<'_>, value: Value<'_>, type_id: u32, arena: &mut Arena) -> Result<Self, Error> {
        Self::alloc(key, value, type_id, &mut None, arena)
    }

    /// Names the slot of a small entry without a key, which was not known when the entry was written.
    ///
    /// # Safety
    ///
    /// The entry was never published, and no other thread has it.
    pub unsafe fn set_slot(self, number: u32) {
        let Layout { key, key_len, .. } = self.layout();
        if key_len == size_of::<u32>() && !self.is_large() {
            // SAFETY: the key of an entry without one has as many bytes as a slot's number; the rest is the caller's
            // promise.
            unsafe { self.0.add(key).cast::<[u8; 4]>().write(number.to_le_bytes()) };
        }
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

    /// Frees an entry; a large one as far as the shard is concerned, if something else holds it.
    ///
    /// # Safety
    ///
    /// The entry was made with this arena (or was large, with its memory), no thread reads it but as one of
    /// its owners, and it is freed once.
    pub unsafe fn free(self, arena: &mut Arena, memory: &Memory) {
        // SAFETY: the caller's promise; large entries have blocks of their own.
        unsafe {
            if self.is_large() {
                self.let_go(memory);
            } else {
                arena.free(self.0, self.size());
            }
        }
    }

    /// Frees an entry whose arena is about to go as a whole.
    ///
    /// # Safety
    ///
    /// As for [`Entry::free`].
    pub unsafe fn free_if_large(self, memory: &Memory) {
        if self.is_large() {
            // SAFETY: the caller's promise.
            unsafe { self.let_go(memory) };
        }
    }

    /// The shard lets go of a large entry, and frees it if there is no other owner.
    ///
    /// # Safety
    ///
    /// The entry was made with this memory, no thread reads it but for other owners, and this is called once.
    unsafe fn let_go(self, memory: &Memory) {
        let size = self.size();
        if self.leave() {
            // SAFETY: the caller's promise, and no other owner is left.
            unsafe { large::free(self.0, size, memory) };
        } else {
            large::count_off(size, memory);
        }
    }

    /// Another owner of a large entry comes, while one is there.
    pub(super) fn join(self) {
        self.owners().fetch_add(1, Ordering::Relaxed);
    }

    /// An owner leaves; whether it was the last one.
    pub(super) fn leave(self) -> bool {
        self.owners().fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn owners(&self) -> &AtomicU32 {
        debug_assert!(self.is_large());
        // SAFETY: in a large entry this word is the count, aligned because blocks are. Only the three functions above
        // use it once the entry was written, and their caller is one of the owners, so the block is there.
        unsafe { AtomicU32::from_ptr(self.0.cast::<u32>().add(LARGE_WORDS - 1).as_ptr()) }
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

    /// Where it is.
    pub(super) fn block(self) -> NonNull<u8> {
        self.0
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

    /// The first word.
    #[inline]
    fn head(self) -> u32 {
        // SAFETY: every entry starts with a word, aligned because blocks are.
        unsafe { self.0.cast::<u32>().read() }
    }

    /// Where key and value are.
    #[inline]
    fn layout(self) -> Layout {
        let head = self.head();
        let type_bytes = type_bytes(head >> TYPED_BIT != 0);
        if head & KIND_MASK == LARGE {
            // SAFETY: the marker of a large entry stands in the first of its words. No thread writes these three.
            let [_, key_len, value_len] = unsafe { self.0.cast::<[u32; 3]>().read() };
            let (key_len, value_len) = (key_len as usize, value_len as usize);
            return Layout { key: LARGE_HEADER_BYTES + type_bytes, key_len, value_len };
        }
        Layout {
            key: SMALL_HEADER_BYTES + type_bytes,
            key_len: (head >> KIND_BITS & LEN_MASK) as usize,
            value_len: (head >> VALUE_LEN_BIT & LEN_MASK) as usize,
        }
    }

    /// Bytes of header, key and value.
    #[inline]
    pub fn size(self) -> usize {
        let Layout { key, key_len, value_len } = self.layout();
        key + key_len + value_len
    }

    /// Bytes of the value.
    #[inline]
    pub fn value_len(self) -> usize {
        self.layout().value_len
    }

    /// What it costs in memory.
    #[inline]
    pub fn weight_bytes(self) -> usize {
        arena::block_bytes(self.size())
    }

    /// What it takes.
    #[inline]
    pub fn taken(self) -> Taken {
        let Layout { key, key_len, value_len } = self.layout();
        let head = self.head();
        let kind = if head & KIND_MASK == LARGE { head >> LARGE_KEY_KIND_BIT } else { head } & KIND_MASK;
        Taken {
            key: if kind == KeyKind::Keyless as u32 { 0 } else { key_len },
            value: value_len,
            weight: arena::block_bytes(key + key_len + value_len),
        }
    }

    /// Whether both are small, with keys and values of the same kinds and lengths: then they take the same.
    #[inline]
    pub fn is_like(self, other: Self) -> bool {
        let head = self.head();
        head == other.head() && head & KIND_MASK != LARGE
    }

    /// The key. The lifetime is the caller's: it ends when the pin or the lock that protects the entry does.
    #[inline]
    pub fn key<'a>(self) -> Key<'a> {
        let Layout { key, key_len, .. } = self.layout();
        let head = self.head();
        let kind = if head & KIND_MASK == LARGE { head >> LARGE_KEY_KIND_BIT } else { head } & KIND_MASK;
        // SAFETY: the key lies at this offset with this length, and entries do not change.
        let bytes = unsafe { std::slice::from_raw_parts(self.0.add(key).as_ptr(), key_len) };
        Key::new(KeyKind::from_number(kind), bytes)
    }

    /// Whether this is the entry of `key`.
    #[inline]
    pub fn has_key(self, key: Key<'_>) -> bool {
        let head = self.head();
        if u64::from(head & KEY_MASK) != key.kind_and_len() {
            return head & KIND_MASK == LARGE && self.key() == key;
        }
        let offset = SMALL_HEADER_BYTES + type_bytes(head >> TYPED_BIT != 0);
        // SAFETY: the kind is one of a key, so the entry is small, and its key lies at this offset with this length.
        // Entries do not change.
        let bytes = unsafe { std::slice::from_raw_parts(self.0.add(offset).as_ptr(), key.len()) };
        is_equal(bytes, key.bytes())
    }

    /// The same where keys that differ in case only are the same.
    #[cold]
    #[inline(never)]
    pub fn has_key_in_another_case(self, key: Key<'_>) -> bool {
        folding::is_equal(self.key(), key)
    }

    /// Whether its block can be one of an arena's. Large ones are not.
    pub fn is_in_place(self) -> bool {
        let size = self.size();
        // SAFETY: small entries lie in blocks of an arena, and the holder of an entry keeps it from being freed.
        self.is_large() || size <= MAX_BLOCK_BYTES && unsafe { Arena::may_be_block(self.0, size) }
    }

    /// Whether it has a block of its own.
    #[inline]
    pub fn is_large(self) -> bool {
        self.head() & KIND_MASK == LARGE
    }

    /// What it costs outside the arena: 0 unless it is large.
    pub fn large_bytes(self) -> usize {
        if self.is_large() { self.weight_bytes() } else { 0 }
    }

    /// The kind of the value.
    #[inline]
    pub fn value_kind(self) -> ValueKind {
        ValueKind::from_number(self.value_kind_number() as u8).unwrap_or(ValueKind::Undefined)
    }

    #[inline]
    fn value_kind_number(self) -> u32 {
        self.head() >> VALUE_KIND_BIT & VALUE_KIND_MASK
    }

    /// The value's bytes; for the lifetime see [`Entry::key`].
    #[inline]
    pub fn value_bytes<'a>(self) -> &'a [u8] {
        let Layout { key, key_len, value_len } = self.layout();
        // SAFETY: the value follows the key, and entries do not change.
        unsafe { std::slice::from_raw_parts(self.0.add(key + key_len).as_ptr(), value_len) }
    }

    /// The number of a record's shape; `None` for any other value.
    #[inline]
    pub fn shape(self) -> Option<u32> {
        if self.is_record() { Value { kind: ValueKind::Shaped, bytes: self.value_bytes() }.shape() } else { None }
    }

    /// Whether the value is a record.
    #[inline]
    pub fn is_record(self) -> bool {
        self.value_kind_number() == ValueKind::Shaped as u32
    }

    /// The entry's type, 0 for none.
    #[inline]
    pub fn type_id(self) -> u32 {
        if self.head() >> TYPED_BIT == 0 {
            return 0;
        }
        // SAFETY: a typed entry has the type's number before the key. The parts of a header are words, so it is
        // aligned as its block is.
        unsafe { self.0.add(self.layout().key - TYPE_BYTES).cast::<u32>().read() }
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
mod tests;
