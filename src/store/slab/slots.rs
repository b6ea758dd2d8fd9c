//! The slab: stable storage for the entries of one shard.
//!
//! ```text
//! directory ─▶ chunk 0 (32 slots) │ chunk 1 (32) │ 64 │ 128 │ … │ 2,048 │ 4,096 │ 4,096 │ …
//!               ├▶ slots: entry pointer · generation · position
//!               └▶ words: version of each slot
//! ```
//!
//! A slot never moves, so its number is a name that handles, the index and the insertion order can keep. Chunks start
//! small, so that an empty map is small, and stop growing at 4,096 slots, so that adding one is never felt.
//!
//! **Generation** distinguishes the tenants of a slot. It grows when an entry is removed, so a handle that outlived
//! its entry never fits the next one. A slot whose generation reaches its end is not used again. **Version** tells the
//! values of one slot apart (see `words.rs`). The two are never mixed.
//!
//! Readers take no lock. This file is the only one that changes an entry pointer, and it changes what a slot holds
//! through a [`Change`] only: the version word turns odd before anything else is stored, and even after it, so that
//! no thread sees a copy as fresh once it has seen what came after it. A slot that is vacant has an odd word.
//! `words.rs` has the argument.
//!
//! When a reader loads the pointer first and the generation second, a matching generation proves that the entry is that
//! tenant's: a new tenant's pointer is stored after the generation grew.

pub mod run;

use super::words;
use super::words::{Version, Words};
use crate::store::entry::block::Entry;
use crate::store::error::Error;
use crate::store::expiry::life::{LifeRef, Lives};
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::fault;
use crate::store::platform::prefetch::prefetch;
use crate::store::platform::sync::{Arc, AtomicPtr, AtomicU32, Ordering, Weak};

/// Slots of the first two chunks; each later one doubles.
const FIRST_CHUNK_SLOTS: u32 = 32;
/// Slots of a chunk from the ninth on.
const MAX_CHUNK_SLOTS: u32 = 4_096;
/// Chunks that together hold the first `MAX_CHUNK_SLOTS` slots.
const GROWING_CHUNKS: usize = (MAX_CHUNK_SLOTS / FIRST_CHUNK_SLOTS).ilog2() as usize + 1;
/// The end of the free list, and of slot numbers: the index keeps `slot + 1` and one mark in 32 bits.
const NO_SLOT: u32 = u32::MAX - 2;
/// What a slot costs, its version word included.
pub const SLOT_BYTES: usize = size_of::<Slot>() + size_of::<AtomicU32>();
/// The last generation a tenant can have.
pub const MAX_GENERATION: u32 = u32::MAX - 1;

/// One place for an entry.
#[derive(Debug)]
pub struct Slot {
    /// The entry, or null. Invariant: changed under the shard's lock only, and an entry that was here is freed only
    /// after a grace period.
    entry: AtomicPtr<u8>,
    /// Generation of the tenant, or of the next one. Invariant: grows, under the shard's lock.
    generation: AtomicU32,
    /// Occupied: position in the insertion order. Vacant: the next free slot. Read and written under the shard's lock.
    position: AtomicU32,
}

/// A run of slots with their words.
#[derive(Debug)]
pub struct Chunk {
    /// Unique in the map for all time.
    id: u32,
    slots: Box<[Slot]>,
    words: Arc<Words>,
    /// Deadlines of its slots, or null as long as none has one. Invariant: a box, made under the shard's lock, never
    /// replaced.
    lives: AtomicPtr<Lives>,
    held: Reservation,
}

/// Finds chunks by number. Replaced as a whole when it is full.
#[derive(Debug)]
pub struct Directory {
    /// Vacant from the first chunk that does not exist on.
    chunks: Box<[Entrance]>,
    #[expect(dead_code, reason = "gives the bytes of `chunks` back when it is dropped")]
    held: Reservation,
}

/// A chunk as readers reach it: what a read needs stands here, so that it need not go through the chunk.
#[derive(Debug)]
struct Entrance {
    /// The chunk's slots, or null. Stored last and loaded first.
    slots: AtomicPtr<Slot>,
    /// The chunk's version words.
    words: AtomicPtr<AtomicU32>,
    /// The chunk itself.
    chunk: AtomicPtr<Chunk>,
    /// The chunk's number.
    id: AtomicU32,
}

/// What readers see of a slab.
#[derive(Debug)]
pub struct Slab {
    /// Null in an empty slab. Invariant: a replaced directory is freed only after a grace period, its chunks live on.
    directory: AtomicPtr<Directory>,
    /// Words of a slot, as a power of two: 0 for the version alone, 1 with an access word after it.
    words_shift: u32,
}

/// What the holder of the shard's lock knows besides.
#[derive(Debug)]
pub struct SlabWriter {
    /// Chunks that exist.
    chunks: usize,
    /// Slots that exist.
    capacity: u32,
    /// Slots from this number on were never used.
    fresh: u32,
    /// First slot of the free list.
    free: u32,
    /// Generation that the slots of a new chunk start with: above every generation of a slab that was cleared.
    base_generation: u32,
    /// The highest generation given to a slot so far.
    max_generation: u32,
}

/// A slab taken out of its shard. Frees the chunks, not the entries.
#[derive(Debug)]
pub struct Detached {
    directory: Option<Box<Directory>>,
}

/// A slot in its chunk.
#[derive(Clone, Copy, Debug)]
pub struct SlotRef<'a> {
    slot: &'a Slot,
    version: &'a AtomicU32,
    chunk: u32,
    /// Index of the version word.
    word: u32,
}

/// A change of what a slot holds, under the shard's lock. Copies of the value end with its beginning, and none may be
/// kept before [`Change::settle`].
#[derive(Debug)]
#[must_use]
pub struct Change<'a> {
    at: SlotRef<'a>,
    /// What the version word says meanwhile.
    begun: u32,
}

/// What a copy of a value is kept by outside the store: it is fresh as long as this word says this version. Only this
/// file makes one, of a version word that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    chunk: u32,
    word: u32,
    version: Version,
}

/// Proof that no copy of a value of this slab is fresh any more, and that none can be kept.
#[derive(Debug)]
#[must_use]
pub struct CopiesEnded(());

impl CopiesEnded {
    /// Ends the copies of a slab as [`Slab::end_copies`] does, where its words are given away no more, and these were.
    /// Copies can only be where words are held outside the slab, so the others need not be written: at millions of
    /// slots that is what takes longest.
    pub fn in_words(given: Vec<Weak<Words>>) -> Self {
        given.into_iter().filter_map(|words| words.upgrade()).for_each(|words| words.invalidate());
        Self(())
    }
}

impl Stamp {
    /// The chunk of words that holds the version word: unique in its map for all time.
    #[inline]
    pub fn chunk(self) -> u32 {
        self.chunk
    }

    /// Index of the version word in that chunk.
    #[inline]
    pub fn word(self) -> u32 {
        self.word
    }

    /// What the word says as long as the copy is fresh: even, never 0.
    #[inline]
    pub fn version(self) -> u32 {
        self.version.get()
    }
}

/// Chunk number and offset of a slot.
#[inline]
fn locate(slot: u32) -> (usize, usize) {
    if slot < FIRST_CHUNK_SLOTS {
        return (0, slot as usize);
    }
    if slot < MAX_CHUNK_SLOTS {
        // Chunk k ≥ 1 holds the slots from 2^(k + 4) to 2^(k + 5).
        let doubling = slot.ilog2();
        return ((doubling - FIRST_CHUNK_SLOTS.ilog2()) as usize + 1, (slot - (1 << doubling)) as usize);
    }
    let chunk = GROWING_CHUNKS + (slot / MAX_CHUNK_SLOTS) as usize - 1;
    (chunk, (slot % MAX_CHUNK_SLOTS) as usize)
}

fn chunk_slots(chunk: usize) -> u32 {
    match chunk {
        0 => FIRST_CHUNK_SLOTS,
        chunk if chunk < GROWING_CHUNKS => FIRST_CHUNK_SLOTS << (chunk - 1),
        _ => MAX_CHUNK_SLOTS,
    }
}

impl Slab {
    /// An empty slab, whose slots have access words if `marks`.
    pub fn new(marks: bool) -> Self {
        Self { directory: AtomicPtr::new(std::ptr::null_mut()), words_shift: u32::from(marks) }
    }

    /// The slot with this number, if there is one. The caller is pinned or holds the shard's lock for as long as it
    /// uses it.
    #[inline]
    pub fn slot(&self, number: u32) -> Option<SlotRef<'_>> {
        let directory = self.directory.load(Ordering::Acquire);
        // SAFETY: a directory is freed after a grace period, and the caller is pinned or holds the lock.
        let directory = unsafe { directory.as_ref() }?;
        let (chunk, offset) = locate(number);
        let entrance = directory.chunks.get(chunk)?;
        let slots = entrance.slots.load(Ordering::Acquire);
        if slots.is_null() {
            return None;
        }
        let words = entrance.words.load(Ordering::Relaxed);
        let word = offset << self.words_shift;
        // SAFETY: slots and words of a chunk go with their slab, after a grace period; `locate` returns offsets below
        // the chunk's number of slots, each with `1 << words_shift` words; the words were stored before the slots
        // were.
        let (slot, version) = unsafe { (&*slots.add(offset), &*words.add(word)) };
        Some(SlotRef { slot, version, chunk: entrance.id.load(Ordering::Relaxed), word: word as u32 })
    }

    /// The chunk that has this slot, and the slot's place in it. The caller is pinned or holds the shard's lock.
    #[inline]
    fn chunk(&self, number: u32) -> Option<(&Chunk, usize)> {
        let directory = self.directory.load(Ordering::Acquire);
        // SAFETY: as in `slot`.
        let directory = unsafe { directory.as_ref() }?;
        let (chunk, offset) = locate(number);
        let entrance = directory.chunks.get(chunk)?;
        if entrance.slots.load(Ordering::Acquire).is_null() {
            return None;
        }
        // SAFETY: as for the slots of a chunk, which were stored after it.
        Some((unsafe { entrance.chunk.load(Ordering::Relaxed).as_ref() }?, offset))
    }

    /// The access word of a slot, where slots have one. The caller is pinned or holds the shard's lock.
    #[inline]
    pub fn access(&self, number: u32) -> Option<&AtomicU32> {
        let (chunk, offset) = self.chunk(number).filter(|_| self.words_shift > 0)?;
        chunk.words.cells().get((offset << self.words_shift) + 1)
    }

    /// The life of a slot, if any slot near it ever had a deadline. The caller is pinned or holds the shard's lock.
    #[inline]
    pub fn life(&self, number: u32) -> Option<LifeRef<'_>> {
        let (chunk, offset) = self.chunk(number)?;
        // SAFETY: a chunk's lives go with it.
        let lives = unsafe { chunk.lives.load(Ordering::Acquire).as_ref() }?;
        Some(lives.of(offset))
    }

    /// The life of a slot, made if there is none. Under the shard's lock.
    pub fn make_life(&self, number: u32) -> Result<LifeRef<'_>, Error> {
        let (chunk, offset) = self.chunk(number).ok_or(Error::Broken)?;
        let mut lives = chunk.lives.load(Ordering::Acquire);
        if lives.is_null() {
            lives = Box::into_raw(fallible::boxed(Lives::new(chunk.slots.len(), chunk.held.memory())?)?);
            chunk.lives.store(lives, Ordering::Release);
        }
        // SAFETY: just made, or as in `life`.
        Ok(unsafe { &*lives }.of(offset))
    }

    /// Bytes of slots and directory, and bytes of lives. Under the shard's lock.
    pub fn bytes(&self) -> (usize, usize) {
        // SAFETY: the caller holds the lock.
        let Some(directory) = (unsafe { self.directory.load(Ordering::Acquire).as_ref() }) else { return (0, 0) };
        let chunks = directory.chunks.iter().map(|entrance| entrance.chunk.load(Ordering::Relaxed));
        // SAFETY: chunks of a directory live as long as their slab.
        let chunks = chunks.filter_map(|chunk| unsafe { chunk.as_ref() });
        chunks.fold((directory.bytes(), 0), |(slots, lives), chunk| {
            // SAFETY: a chunk's lives go with it.
            let own = unsafe { chunk.lives.load(Ordering::Acquire).as_ref() };
            (slots + Chunk::bytes(chunk.slots.len()), lives + own.map_or(0, Lives::bytes))
        })
    }

    /// Ends all copies of its values, for good. Under the shard's lock, under which nothing is changed afterwards but
    /// that everything is taken out.
    pub fn end_copies(&self) -> CopiesEnded {
        // SAFETY: a directory is freed after a grace period, and the caller holds the lock or owns the slab.
        if let Some(directory) = unsafe { self.directory.load(Ordering::Acquire).as_ref() } {
            directory.chunks().for_each(|chunk| chunk.words.invalidate());
        }
        CopiesEnded(())
    }

    /// Ends the copies of entries with a deadline whose slots are in one chunk; returns whether there is such a chunk.
    /// Under the shard's lock.
    pub fn end_expiring_copies(&self, chunk: usize) -> bool {
        // SAFETY: a directory is freed after a grace period, and the caller holds the lock.
        let directory = unsafe { self.directory.load(Ordering::Acquire).as_ref() };
        let Some(chunk) = directory.and_then(|directory| directory.chunks().nth(chunk)) else { return false };
        // SAFETY: a chunk's lives go with it.
        let Some(lives) = (unsafe { chunk.lives.load(Ordering::Acquire).as_ref() }) else { return true };
        let words = chunk.words.cells().iter().step_by(1 << self.words_shift);
        for (offset, word) in words.enumerate() {
            if lives.of(offset).deadline_ms().is_some() {
                words::renew(word);
            }
        }
        true
    }

    /// Has the chunks of another slab in place of its own, which come back. Under the shard's lock.
    pub fn replace_by(&self, other: &Self, _: &CopiesEnded) -> Detached {
        let next = other.directory.swap(std::ptr::null_mut(), Ordering::AcqRel);
        let directory = self.directory.swap(next, Ordering::AcqRel);
        // SAFETY: directories are boxes, and the swap took this one out of its only slab, so it is reachable through
        // the result only, apart from pinned readers, for which the caller waits before it drops the result.
        let directory = (!directory.is_null()).then(|| unsafe { Box::from_raw(directory) });
        Detached { directory }
    }

    /// Takes everything out. Copies have ended before, so no thread that finds nothing here takes a copy for fresh.
    pub fn detach(&self, _: &CopiesEnded) -> Detached {
        let directory = self.directory.swap(std::ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: directories are boxes, and this one is reachable through the result only, apart from pinned readers,
        // for which the caller waits before it drops the result.
        let directory = (!directory.is_null()).then(|| unsafe { Box::from_raw(directory) });
        Detached { directory }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        let ended = self.end_copies();
        drop(self.detach(&ended));
    }
}

impl SlabWriter {
    /// The writer of an empty slab whose generations start at `base_generation`.
    pub fn new(base_generation: u32) -> Self {
        Self { chunks: 0, capacity: 0, fresh: 0, free: NO_SLOT, base_generation, max_generation: base_generation }
    }

    /// Slots that exist.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Generations below this are of entries that were cleared.
    pub fn base_generation(&self) -> u32 {
        self.base_generation
    }

    /// The highest generation given to a slot so far.
    pub fn highest_generation(&self) -> u32 {
        self.max_generation
    }

    /// The writer of the slab that follows a cleared one, or `None` if generations are used up.
    pub fn successor(&self) -> Option<Self> {
        (self.max_generation < MAX_GENERATION).then(|| Self::new(self.max_generation + 1))
    }

    /// The same where `highest` may be a generation that was given and is not known here.
    pub fn successor_above(&self, highest: u32) -> Option<Self> {
        let highest = highest.max(self.max_generation).max(self.base_generation);
        (highest < MAX_GENERATION).then(|| Self::new(highest + 1))
    }

    /// Makes sure that [`SlabWriter::take`] has a slot to return. `new_id` numbers the words of a new chunk and keeps
    /// them findable. A directory that was replaced comes back, to be retired.
    pub fn make_room(
        &mut self,
        slab: &Slab,
        memory: &Arc<Memory>,
        new_id: impl FnOnce(&Arc<Words>) -> Result<u32, Error>,
    ) -> Result<Option<Box<Directory>>, Error> {
        if self.free != NO_SLOT || self.fresh < self.capacity {
            return Ok(None);
        }
        self.add_chunk(slab, memory, new_id)
    }

    /// The slots that [`SlabWriter::take`] returns next, at most `count`.
    pub fn coming(&self, slab: &Slab, count: usize) -> impl Iterator<Item = u32> {
        let free = std::iter::successors(self.first_free(), |&number| slab.slot(number).and_then(Self::next_free));
        free.chain(self.fresh..self.capacity).take(count)
    }

    /// Adds a chunk of slots, be there vacant ones or not. A directory that was replaced comes back, to be retired.
    pub fn add_chunk(
        &mut self,
        slab: &Slab,
        memory: &Arc<Memory>,
        new_id: impl FnOnce(&Arc<Words>) -> Result<u32, Error>,
    ) -> Result<Option<Box<Directory>>, Error> {
        let slots = chunk_slots(self.chunks);
        if NO_SLOT - self.capacity < slots {
            return Err(Error::OutOfMemory { bytes: u64::from(slots) * size_of::<Slot>() as u64 });
        }
        fault::point();
        let chunk = Chunk::new(slots, slab.words_shift, self.base_generation, memory, new_id)?;
        let replaced = self.add(slab, chunk, memory)?;
        self.chunks += 1;
        self.capacity += slots;
        Ok(replaced)
    }

    fn add(&self, slab: &Slab, chunk: Box<Chunk>, memory: &Arc<Memory>) -> Result<Option<Box<Directory>>, Error> {
        let current = slab.directory.load(Ordering::Relaxed);
        // SAFETY: the caller holds the shard's lock, and only its holders replace the directory.
        let old = unsafe { current.as_ref() };
        let number = self.chunks;
        if let Some(entrance) = old.and_then(|directory| directory.chunks.get(number)) {
            entrance.open(chunk);
            return Ok(None);
        }
        let grown = Directory::new(((number + 1) * 2).max(8), memory)?;
        for (to, from) in grown.chunks.iter().zip(old.iter().flat_map(|directory| &directory.chunks)) {
            to.copy(from);
        }
        grown.chunks[number].open(chunk);
        slab.directory.store(Box::into_raw(grown), Ordering::Release);
        // SAFETY: directories are boxes; this one was just unlinked, and the caller retires it.
        Ok((!current.is_null()).then(|| unsafe { Box::from_raw(current) }))
    }

    /// Slots that were used at some time: those below this number.
    pub fn fresh(&self) -> u32 {
        self.fresh
    }

    /// The first slot of the free list, and of each the next.
    pub fn first_free(&self) -> Option<u32> {
        Some(self.free).filter(|&number| number != NO_SLOT)
    }

    /// The next slot of the free list.
    pub fn next_free(slot: SlotRef<'_>) -> Option<u32> {
        Some(slot.position()).filter(|&number| number != NO_SLOT)
    }

    /// The slot that [`SlabWriter::take`] returns next.
    pub fn next(&self) -> u32 {
        if self.free == NO_SLOT { self.fresh } else { self.free }
    }

    /// A vacant slot. [`SlabWriter::make_room`] came before.
    pub fn take(&mut self, slab: &Slab) -> u32 {
        if self.free == NO_SLOT {
            assert!(self.fresh < self.capacity, "take without make_room");
            self.fresh += 1;
            return self.fresh - 1;
        }
        let number = self.free;
        self.free = slab.slot(number).map_or(NO_SLOT, SlotRef::position);
        number
    }

    /// Gives a slot back that [`SlotRef::vacate`] emptied.
    pub fn give_back(&mut self, number: u32, slot: SlotRef<'_>) {
        fault::point();
        let generation = slot.generation();
        self.max_generation = self.max_generation.max(generation);
        // A slot that has had its last tenant stays empty: a generation must not come twice.
        if generation <= MAX_GENERATION {
            slot.set_position(self.free);
            self.free = number;
        }
    }
}

impl Directory {
    /// What it takes, without its chunks.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.chunks)
    }

    fn new(len: usize, memory: &Arc<Memory>) -> Result<Box<Self>, Error> {
        let held = Reservation::new(memory, Use::Slab, size_of::<Self>() + len * size_of::<Entrance>())?;
        fallible::boxed(Self { chunks: fallible::slice(len, |_| Entrance::vacant())?, held })
    }
}

impl Chunk {
    fn new(
        slots: u32,
        words_shift: u32,
        generation: u32,
        memory: &Arc<Memory>,
        new_id: impl FnOnce(&Arc<Words>) -> Result<u32, Error>,
    ) -> Result<Box<Self>, Error> {
        let words = Arc::new(Words::new((slots as usize) << words_shift, memory)?);
        let held = Reservation::new(memory, Use::Slab, Self::bytes(slots as usize))?;
        let vacant = |_| Slot {
            entry: AtomicPtr::new(std::ptr::null_mut()),
            generation: AtomicU32::new(generation),
            position: AtomicU32::new(NO_SLOT),
        };
        let slots = fallible::slice(slots as usize, vacant)?;
        let id = new_id(&words)?;
        let lives = AtomicPtr::new(std::ptr::null_mut());
        fallible::boxed(Self { id, slots, words, lives, held })
    }

    fn bytes(slots: usize) -> usize {
        slots * size_of::<Slot>() + size_of::<Self>()
    }
}

impl Entrance {
    fn vacant() -> Self {
        Self {
            slots: AtomicPtr::new(std::ptr::null_mut()),
            words: AtomicPtr::new(std::ptr::null_mut()),
            chunk: AtomicPtr::new(std::ptr::null_mut()),
            id: AtomicU32::new(0),
        }
    }

    /// Lets readers in. Under the shard's lock.
    fn open(&self, chunk: Box<Chunk>) {
        self.id.store(chunk.id, Ordering::Relaxed);
        self.words.store(chunk.words.cells().as_ptr().cast_mut(), Ordering::Relaxed);
        let slots = chunk.slots.as_ptr().cast_mut();
        self.chunk.store(Box::into_raw(chunk), Ordering::Relaxed);
        self.slots.store(slots, Ordering::Release);
    }

    fn copy(&self, other: &Self) {
        self.id.store(other.id.load(Ordering::Relaxed), Ordering::Relaxed);
        self.words.store(other.words.load(Ordering::Relaxed), Ordering::Relaxed);
        self.chunk.store(other.chunk.load(Ordering::Relaxed), Ordering::Relaxed);
        self.slots.store(other.slots.load(Ordering::Relaxed), Ordering::Release);
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let lives = self.lives.load(Ordering::Acquire);
        if !lives.is_null() {
            // SAFETY: a box that `make_life` gave up, and the chunk's alone.
            drop(unsafe { Box::from_raw(lives) });
        }
    }
}

impl Directory {
    /// The chunks, in order. The caller holds the shard's lock or owns the directory.
    fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        // SAFETY: chunks go with their slab, and the caller keeps that.
        self.chunks.iter().map_while(|entrance| unsafe { entrance.chunk.load(Ordering::Acquire).as_ref() })
    }
}

impl Detached {
    fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.directory.iter().flat_map(|directory| directory.chunks())
    }

    /// A chunk by number; there are none after the first that is missing.
    fn chunk(&self, number: usize) -> Option<&Chunk> {
        // SAFETY: the chunks of a directory belong to it once it is detached.
        unsafe { self.directory.as_ref()?.chunks.get(number)?.chunk.load(Ordering::Acquire).as_ref() }
    }

    /// How many slots a chunk has; `None` if there is no chunk with this number.
    pub fn slots_of(&self, chunk: usize) -> Option<usize> {
        self.chunk(chunk).map(|chunk| chunk.slots.len())
    }

    /// Takes the entries out of some slots of a chunk. They are the caller's to free.
    pub fn take_entries(&self, chunk: usize, from: usize, count: usize) -> impl Iterator<Item = Entry> {
        let slots = self.chunk(chunk).into_iter().flat_map(move |chunk| chunk.slots.iter().skip(from).take(count));
        // SAFETY: entries of a detached slab are freed by its owner.
        slots.filter_map(|slot| unsafe { Entry::from_ptr(slot.entry.swap(std::ptr::null_mut(), Ordering::AcqRel)) })
    }

    /// Frees at most so many chunks, from the last. Whether there were any.
    pub fn free_some(&mut self, chunks: usize) -> bool {
        let Some(directory) = &mut self.directory else { return false };
        let mut freed = 0;
        for entrance in directory.chunks.iter().rev() {
            let chunk = entrance.chunk.swap(std::ptr::null_mut(), Ordering::AcqRel);
            if !chunk.is_null() {
                // SAFETY: chunks are boxes, each in one place of the directory, and the caller waited for the readers.
                drop(unsafe { Box::from_raw(chunk) });
                freed += 1;
                if freed == chunks {
                    return true;
                }
            }
        }
        freed > 0
    }

    /// The entries in its slots, each with the number of its slot and its generation.
    pub fn entries(&self) -> impl Iterator<Item = (Entry, u32, u32)> {
        let slots = (0..).zip(self.chunks().flat_map(|chunk| &chunk.slots));
        slots.filter_map(|(number, slot)| {
            // SAFETY: entries of a detached slab are freed by its owner.
            let entry = unsafe { slot.entry() }?;
            Some((entry, number, slot.generation.load(Ordering::Relaxed)))
        })
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        self.free_some(usize::MAX);
    }
}

impl Slot {
    /// # Safety
    ///
    /// The caller is pinned, holds the shard's lock or owns the slab for as long as it uses the entry.
    #[inline]
    unsafe fn entry(&self) -> Option<Entry> {
        // SAFETY: loaded with acquire; the rest is the caller's promise.
        unsafe { Entry::from_ptr(self.entry.load(Ordering::Acquire)) }
    }
}

impl<'a> SlotRef<'a> {
    /// The entry, if the slot is occupied. The caller is pinned or holds the shard's lock, as for [`Slab::slot`].
    #[inline]
    pub fn entry(self) -> Option<Entry> {
        // SAFETY: the holder of a `SlotRef` is pinned or holds the lock.
        unsafe { self.slot.entry() }
    }

    /// Asks for the lines of the slot and of its version word.
    #[inline]
    pub fn prefetch(self) {
        prefetch(self.slot);
        prefetch(self.version);
    }

    /// Generation of the tenant, or of the next one.
    #[inline]
    pub fn generation(self) -> u32 {
        self.slot.generation.load(Ordering::Acquire)
    }

    /// What a copy of the value could be kept by that is here now; `None` amid a change. Whether it is the tenant's
    /// that the caller has read is for the caller to find out: see `words.rs`.
    #[inline]
    pub fn stamp(self) -> Option<Stamp> {
        Some(Stamp { chunk: self.chunk, word: self.word, version: Version::of(self.version)? })
    }

    /// What the version word says, amid a change or not. Under the shard's lock, under which it stays so, unless a
    /// reader finds that the deadline of the tenant has passed.
    #[inline]
    pub fn version(self) -> u32 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether the version word says that no tenant ever came, or that the slot was cleared. Under the shard's lock.
    pub fn has_no_version(self) -> bool {
        self.version.load(Ordering::Relaxed) == 0
    }

    /// Damages the version word.
    #[cfg(test)]
    pub fn clear_version(self) {
        self.version.store(0, Ordering::Release);
    }

    /// Ends the copies of an entry whose life was closed, if it is still there. Under a pin or the lock.
    pub fn end_copies(self, entry: Entry) {
        words::end_copies(self.version, || self.entry() == Some(entry));
    }

    /// Position in the insertion order. Under the shard's lock.
    pub fn position(self) -> u32 {
        self.slot.position.load(Ordering::Relaxed)
    }

    /// Stores a new position in the insertion order. Under the shard's lock.
    pub fn set_position(self, position: u32) {
        self.slot.position.store(position, Ordering::Relaxed);
    }

    /// Puts a copy of the tenant's entry in its place. Nothing changes for readers, so the version stays. Under the
    /// shard's lock.
    pub fn relocate(self, copy: Entry) {
        self.slot.entry.store(copy.as_ptr(), Ordering::Release);
    }

    /// Ends copies of the value for a change that [`SlotRef::change`] begins later. Under the shard's lock.
    pub fn end_copies_of_change(self) {
        words::begin(self.version);
    }

    /// Begins a change: copies of the value are not fresh from here on. Under the shard's lock.
    #[inline]
    pub fn change(self) -> Change<'a> {
        Change { at: self, begun: words::begin(self.version) }
    }
}

impl Change<'_> {
    /// Puts an entry into the vacant slot.
    #[inline]
    pub fn occupy(&self, entry: Entry, position: u32) {
        self.at.set_position(position);
        fault::point();
        self.at.slot.entry.store(entry.as_ptr(), Ordering::Release);
        fault::point();
    }

    /// Puts a new entry in the place of the tenant's old one, which comes back.
    #[inline]
    pub fn exchange(&self, entry: Entry) -> Option<Entry> {
        self.replace(entry.as_ptr())
    }

    /// Takes the entry out and ends the tenancy: handles to it are dead from here on. Nothing is settled, for there
    /// is nothing to keep a copy of.
    pub fn vacate(self) -> Option<Entry> {
        let slot = self.at.slot;
        // Unlinked before the generation grows: a reader that finds the entry there twice has read the generation of
        // its own tenant.
        let old = self.replace(std::ptr::null_mut());
        slot.generation.store(slot.generation.load(Ordering::Relaxed) + 1, Ordering::Release);
        fault::point();
        old
    }

    /// Stores another pointer and returns the entry that was there. A load and a store, where an atomic exchange would
    /// stop the processor for 20 cycles: only the holder of the shard's lock stores here, so nothing comes in between,
    /// and readers need no more than that what was stored before is there (release). That what is unlinked here
    /// is unlinked before it is freed rests on the fences of `reclaim.rs`, not on this store.
    #[inline]
    fn replace(&self, entry: *mut u8) -> Option<Entry> {
        let slot = self.at.slot;
        // SAFETY: the caller holds the lock and retires the entry, which is what keeps it for readers.
        let old = unsafe { slot.entry() };
        slot.entry.store(entry, Ordering::Release);
        old
    }

    /// The change is done: what the slot holds now may be kept by the stamp that comes back. `None` if a reader has
    /// found meanwhile that the tenant, whose life this is, is over.
    #[inline]
    pub fn settle(self, life: Option<LifeRef<'_>>) -> Option<Stamp> {
        let SlotRef { version: word_of, chunk, word, .. } = self.at;
        let version = match life.filter(|life| life.deadline_ms().is_some()) {
            None => words::settle(word_of, self.begun),
            Some(life) if life.is_closed() => return None,
            Some(_) => words::settle_unless_ended(word_of, self.begun)?,
        };
        Some(Stamp { chunk, word, version })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_place_of_its_own() {
        let (mut chunk, mut offset) = (0, 0);
        for slot in 0..50_000 {
            assert_eq!(locate(slot), (chunk, offset), "slot {slot}");
            offset += 1;
            if offset == chunk_slots(chunk) as usize {
                (chunk, offset) = (chunk + 1, 0);
            }
        }
    }

    #[test]
    fn slots_are_reused_with_a_new_generation_and_counted_bytes_go_back() {
        let memory = Arc::new(Memory::new(None));
        let slab = Slab::new(false);
        let mut writer = SlabWriter::new(1);
        let mut ids = 0..;
        let mut take = |writer: &mut SlabWriter| {
            drop(writer.make_room(&slab, &memory, |_| Ok(ids.next().unwrap())).unwrap());
            writer.take(&slab)
        };
        let numbers: Vec<u32> = (0..10_000).map(|_| take(&mut writer)).collect();
        assert_eq!(numbers, (0..10_000).collect::<Vec<_>>());

        let slot = slab.slot(77).unwrap();
        let generation = slot.generation();
        assert_eq!(slot.stamp(), None, "a slot without a tenant has nothing to keep");
        let stamp = slot.change().settle(None).unwrap();
        assert_eq!(slot.stamp(), Some(stamp));
        slot.change().vacate();
        assert_eq!(slot.stamp(), None);
        writer.give_back(77, slot);
        assert_eq!(take(&mut writer), 77);
        assert_eq!(slot.generation(), generation + 1);
        assert_ne!(slot.change().settle(None), Some(stamp));

        assert!(slab.slot(writer.capacity()).is_none());
        drop(slab);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn a_slot_is_not_used_again_after_its_last_generation() {
        let memory = Arc::new(Memory::new(None));
        let slab = Slab::new(false);
        let mut writer = SlabWriter::new(MAX_GENERATION);
        drop(writer.make_room(&slab, &memory, |_| Ok(0)).unwrap());
        let number = writer.take(&slab);
        let slot = slab.slot(number).unwrap();
        slot.change().vacate();
        writer.give_back(number, slot);
        assert_ne!(writer.take(&slab), number);
        assert!(writer.successor().is_none());
    }
}
