//! The index of one shard: from a key's tag to slot numbers. One writer, any number of readers, no lock for reading.
//!
//! Open addressing with linear probing over one array of words, each a 32-bit tag (the low half of the key's hash) and
//! a 32-bit slot number. A probe seldom leaves a cache line, a different key is seldom looked at (its tag would have
//! to be equal), and because the tag is the hash, entries move without being looked at. A tag's home is `tag *
//! capacity / 2^32`, so capacities need not be powers of two.
//!
//! # Deleting
//!
//! Deleting shifts later words of the run back over the hole, so there are no tombstones, which caches would drown in:
//! they delete as much as they insert.
//!
//! # Growing
//!
//! Growing makes a second table and moves a bounded number of words with each write; shrinking is the same. An
//! insertion goes to the new table. A word that was moved, or deleted meanwhile, leaves a mark in the old table that
//! keeps its runs connected. Both tables hang from one pointer, so a reader sees a consistent pair.
//!
//! # Reading while entries move
//!
//! A reader probes the old table, then the current one. What it finds it can use, whatever happens meanwhile: the slot
//! tells whether the key is still there. What it does not find may have been moved past it. So every move, in this
//! order, stores the word in its new place, bumps the *move counter*, and only then overwrites the old place. A reader
//! that missed the word because it came to the old place too late has, by acquire and release on that place, a view in
//! which the counter is bumped; and if it had seen the bumped counter before it began, it would also have seen the
//! word in its new place. So: a miss is a miss if the counter is the same before and after. Otherwise the reader looks
//! again, a bounded number of times, and then asks for the lock.
//!
//! Credits: the single-writer table with a version counter is Concurrency Kit's `ck_ht`; deletion is Knuth's Algorithm
//! 6.4R.

use super::probe;
use super::probe::Simd;
use crate::store::error::Error;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::fault;
use crate::store::platform::prefetch::prefetch;
use crate::store::platform::sync::{Arc, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::store::platform::zeroed::Zeroed;
use crate::store::slab::slots::CopiesEnded;

/// A word that holds nothing and ends a run.
const EMPTY: u64 = 0;
/// The slot half of a word whose entry went to the current table, or was deleted while it was in the old one.
const MOVED: u64 = u32::MAX as u64;
/// Words moved per write while a table grows: two cache lines of the old table, which so is empty before the new one
/// is full.
const MIGRATION_BATCH: usize = 16;
/// Words of the first table.
const MIN_CAPACITY: usize = 16;
/// From this capacity on a table grows by half instead of doubling: it wastes less, and a move costs little.
const SLOW_GROWTH_FROM: usize = 4_096;
/// The fill at which a table grows although it is not to be resized.
const HELD_LOAD_FACTOR: f64 = 0.95;
/// The fill that is never exceeded, even where memory for a larger table is refused.
const HARD_LOAD_FACTOR: f64 = 0.97;

/// An entry that is put so many words from its home, or more, is worth a report. At a load factor of 0.8, one insertion
/// in twenty billion meets that where keys are hashed well.
const LONG_PROBE: usize = 1_024;

/// What readers see.
#[derive(Debug)]
pub struct Index {
    /// Null while the shard is empty. Invariant: what it replaces is freed only after a grace period.
    tables: AtomicPtr<Tables>,
    /// Bumped after a word was stored in its new place and before its old place is overwritten.
    moves: AtomicU32,
    /// How readers look at words.
    simd: Simd,
}

/// The pair of tables that belong together.
#[derive(Debug)]
pub struct Tables {
    current: Table,
    old: Option<Table>,
}

/// One table, as a pair of tables holds it.
#[derive(Clone, Debug)]
struct Table {
    /// The words of `owner`, one step closer. Invariant: they live as long as `owner`, which nothing else changes.
    words: *const [AtomicU64],
    owner: Arc<Allocation>,
}

// SAFETY: the pointer leads into `owner`, which may be sent and shared.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

#[derive(Debug)]
struct Allocation {
    words: Zeroed,
    #[expect(dead_code, reason = "gives the bytes of `words` back when it is dropped")]
    held: Reservation,
}

/// What the holder of the shard's lock knows besides.
#[derive(Debug)]
pub struct IndexWriter {
    /// Words in the current table.
    current_len: usize,
    /// Words in the old table that were not moved.
    old_len: usize,
    /// Next word of the old table to move.
    migrated: usize,
    max_load_factor: f64,
    /// Whether tables are resized only where they have to be, or where that is asked for.
    is_held: bool,
    /// Words that the user made room for; tables do not shrink below it.
    reserved: usize,
    /// Words from home of an entry that was put far from it, until that is reported.
    long_probe: Option<usize>,
    /// How often a table was replaced.
    pub resizes: Resizes,
}

/// How often tables were replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resizes {
    /// By larger ones.
    pub growths: u64,
    /// By smaller ones.
    pub shrinks: u64,
}

/// Where a word stands. Good until the next change under the same lock.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    in_old: bool,
    position: usize,
    /// The slot found.
    pub slot: u32,
}

impl Tables {
    /// Bytes that dropping this frees: those of tables that no other pair has.
    pub fn unshared_bytes(&self) -> usize {
        let tables = std::iter::once(&self.current).chain(&self.old);
        let unshared = tables.filter(|table| Arc::strong_count(&table.owner) == 1);
        unshared.map(|table| Table::bytes(table.words().len())).sum()
    }
}

impl Table {
    fn new(capacity: usize, memory: &Arc<Memory>) -> Result<Self, Error> {
        let bytes = Self::bytes(capacity);
        let held = Reservation::new(memory, Use::Index, bytes)?;
        let Some(words) = Zeroed::new(capacity) else {
            return Err(Error::OutOfMemory { bytes: bytes as u64 });
        };
        let owner = Arc::new(Allocation { words, held });
        Ok(Self { words: owner.words.words(), owner })
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the words live as long as `owner` does, so as long as `self`.
        unsafe { &*self.words }
    }

    fn bytes(capacity: usize) -> usize {
        capacity * size_of::<AtomicU64>()
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.words().len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, position: usize) -> usize {
        if position + 1 == self.words().len() { 0 } else { position + 1 }
    }

    /// Steps from `from` forward to `to`.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.words().len() - from }
    }

    /// How many words a search looks at that finds nothing.
    fn run_length(&self, tag: u32) -> usize {
        let (words, home) = (self.words(), self.home(tag));
        let run = words[home..].iter().chain(&words[..home]);
        run.take_while(|word| word.load(Ordering::Acquire) != EMPTY).count() + 1
    }

    /// The first word with this tag for whose slot `accept` has an answer. `accept` is called in one place, so that it
    /// becomes a part of the loop.
    #[inline]
    fn find<T>(&self, simd: Simd, tag: u32, mut accept: impl FnMut(u32) -> Option<T>) -> Option<(usize, T)> {
        if simd != Simd::None && self.surely_lacks(simd, tag) {
            return None;
        }
        let words = self.words();
        let mut position = self.home(tag);
        loop {
            let word = words[position].load(Ordering::Acquire);
            if (word >> 32) as u32 == tag
                && word as u32 != MOVED as u32
                && word != EMPTY
                && let Some(answer) = accept(word as u32 - 1)
            {
                return Some((position, answer));
            }
            // There is an empty word in every table: the load factor stays below 1.
            if word == EMPTY {
                return None;
            }
            position += 1;
            if position == words.len() {
                position = 0;
            }
        }
    }

    /// Whether a look at eight words at a time shows that no word has this tag; `false` does not say that one has.
    #[inline]
    fn surely_lacks(&self, simd: Simd, tag: u32) -> bool {
        let words = self.words();
        let mut position = self.home(tag);
        while let Some(block) = words[position..].first_chunk::<{ probe::WORDS }>() {
            let (tagged, empty) = probe::look(simd, block, tag);
            // Words after the first empty one are of other runs.
            if tagged & empty.wrapping_sub(1) & !empty != 0 {
                return false;
            }
            if empty != 0 {
                return true;
            }
            position += probe::WORDS;
        }
        // The run goes on at the start of the table.
        false
    }

    /// Returns how many words from home it was put.
    fn insert(&self, word: u64) -> usize {
        let home = self.home((word >> 32) as u32);
        let mut position = home;
        while self.words()[position].load(Ordering::Relaxed) != EMPTY {
            position = self.after(position);
        }
        self.words()[position].store(word, Ordering::Release);
        self.distance(home, position)
    }
}

impl Tables {
    /// Gives back at most so much of the tables' memory, after the bytes that `released` says went before; no reader
    /// is left, and a table has no words from its first step on. Whether more of it is mapped. A table that other
    /// tables share stays as it is.
    pub fn release_some(&mut self, released: &mut usize, bytes: usize) -> bool {
        let (mut before, end) = (0, *released + bytes);
        for table in self.old.iter_mut().chain([&mut self.current]) {
            if let Some(allocation) = Arc::get_mut(&mut table.owner) {
                let mapped = allocation.words.mapped_bytes();
                let (from, to) = (released.saturating_sub(before).min(mapped), end.saturating_sub(before).min(mapped));
                allocation.words.release(from, to);
                table.words = allocation.words.words();
                before += mapped;
            }
        }
        *released = end;
        end < before
    }

    /// Address and bytes of each table. A table may be part of several pairs.
    pub fn allocations(&self) -> impl Iterator<Item = (usize, usize)> {
        let tables = std::iter::once(&self.current).chain(&self.old);
        tables.map(|table| (table.words.cast::<u8>() as usize, Table::bytes(table.words().len())))
    }
}

impl Index {
    /// No tables.
    pub fn new(simd: Simd) -> Self {
        Self { tables: AtomicPtr::new(std::ptr::null_mut()), moves: AtomicU32::new(0), simd }
    }

    /// The caller is pinned or holds the shard's lock for as long as it uses the result.
    #[inline]
    fn tables(&self) -> Option<&Tables> {
        // SAFETY: tables that were replaced are freed after a grace period, and the caller is pinned or holds the lock.
        unsafe { self.tables.load(Ordering::Acquire).as_ref() }
    }

    /// What `accept` answers for the first slot under this tag that it accepts. The caller is pinned. `Err` means that
    /// words moved all the time and that only the holder of the lock can tell.
    #[inline]
    pub fn find<T>(&self, tag: u32, mut accept: impl FnMut(u32) -> Option<T>) -> Result<Option<T>, Contended> {
        /// Looks before a reader asks for the lock: a writer moves 16 words in a row, then has other things to do.
        /// Models take the rare path.
        const LOOKS: usize = if cfg!(loom) { 1 } else { 8 };
        for _ in 0..LOOKS {
            let moves = self.moves.load(Ordering::Acquire);
            if let Some(tables) = self.tables() {
                if let Some(old) = &tables.old
                    && let Some((_, answer)) = old.find(self.simd, tag, &mut accept)
                {
                    return Ok(Some(answer));
                }
                if let Some((_, answer)) = tables.current.find(self.simd, tag, &mut accept) {
                    return Ok(Some(answer));
                }
            }
            if self.moves.load(Ordering::Acquire) == moves {
                return Ok(None);
            }
        }
        Err(Contended)
    }

    /// Where the slot stands that `accept` accepts. Under the shard's lock.
    pub fn spot(&self, tag: u32, mut accept: impl FnMut(u32) -> bool) -> Option<Spot> {
        let tables = self.tables()?;
        let mut accept = |slot| accept(slot).then_some(slot);
        // Word by word: a writer looks at words that it has just stored, and a wider load would have to wait for them.
        if let Some((position, slot)) = tables.current.find(Simd::None, tag, &mut accept) {
            return Some(Spot { in_old: false, position, slot });
        }
        let (position, slot) = tables.old.as_ref()?.find(Simd::None, tag, &mut accept)?;
        Some(Spot { in_old: true, position, slot })
    }

    /// How many words a reader looks at, one after the other, until it finds this one; those of an old table are looked
    /// at first. Under the shard's lock.
    pub fn probe_length(&self, tag: u32, spot: Spot) -> usize {
        let Some(tables) = self.tables() else { return 0 };
        let steps = |table: &Table| table.distance(table.home(tag), spot.position) + 1;
        match &tables.old {
            Some(old) if spot.in_old => steps(old),
            Some(old) => old.run_length(tag) + steps(&tables.current),
            None => steps(&tables.current),
        }
    }

    /// Asks for the words where a tag is at home. The caller is pinned, as for [`Index::guess`].
    #[inline]
    pub fn prefetch(&self, tag: u32) {
        let Some(tables) = self.tables() else { return };
        for table in std::iter::once(&tables.current).chain(&tables.old) {
            prefetch(&raw const table.words()[table.home(tag)]);
        }
    }

    /// The first slot under this tag, which is most probably the one of a key that has it.
    #[inline]
    pub fn guess(&self, tag: u32) -> Option<u32> {
        let tables = self.tables()?;
        let first = |table: &Table| table.find(Simd::None, tag, Some).map(|(_, slot)| slot);
        first(&tables.current).or_else(|| tables.old.as_ref().and_then(first))
    }

    fn bump_moves(&self) {
        self.moves.store(self.moves.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// Puts other tables in place; the replaced ones come back, to be retired.
    fn replace(&self, tables: Option<Box<Tables>>) -> Option<Box<Tables>> {
        let next = tables.map_or(std::ptr::null_mut(), Box::into_raw);
        let replaced = self.tables.swap(next, Ordering::AcqRel);
        // SAFETY: tables are boxes; this one was just unlinked, and the caller retires it.
        (!replaced.is_null()).then(|| unsafe { Box::from_raw(replaced) })
    }

    /// Takes everything out. Under the shard's lock, after copies of what it leads to have ended.
    pub fn detach(&self, _: &CopiesEnded) -> Option<Box<Tables>> {
        let detached = self.replace(None);
        self.bump_moves();
        detached
    }

    /// Has the tables of another index in place of its own, which come back. Under the shard's lock, after copies of
    /// what they lead to have ended.
    pub fn replace_by(&self, other: &Self, _: &CopiesEnded) -> Option<Box<Tables>> {
        let replaced = self.replace(other.replace(None));
        self.bump_moves();
        replaced
    }

    /// Looks at up to `count` words from number `from` on, those of the old table after those of the current one, and
    /// calls `found` with the tag and the slot of each that names one. Returns the number of the next word; `None`
    /// beyond the last.
    pub fn look(&self, from: usize, count: usize, mut found: impl FnMut(u32, u32)) -> Option<usize> {
        let tables = self.tables()?;
        let (current, old) = (tables.current.words(), tables.old.as_ref().map_or(&[][..], Table::words));
        let words = match from.checked_sub(current.len()) {
            None => &current[from..],
            Some(from) => old.get(from..).filter(|words| !words.is_empty())?,
        };
        for word in words.iter().take(count).map(|word| word.load(Ordering::Relaxed)) {
            if word != EMPTY && word as u32 != MOVED as u32 {
                found((word >> 32) as u32, word as u32 - 1);
            }
        }
        Some(from + words.len().min(count))
    }

    /// The tables in use, if there are any. Under the shard's lock.
    pub fn current(&self) -> Option<&Tables> {
        self.tables()
    }

    /// Whether words are being moved to another table. The caller is pinned or holds the shard's lock.
    pub fn is_migrating(&self) -> bool {
        self.tables().is_some_and(|tables| tables.old.is_some())
    }

    /// Words of the tables in use.
    pub fn capacity(&self) -> usize {
        self.tables().map_or(0, |tables| tables.current.words().len())
    }

    /// Looks at so many words in a row of the current table, from one of them on, which may be beyond its end. Tells of
    /// each that leads to an entry how many words a lookup looks at that finds it. Under the shard's lock.
    pub fn sample(&self, from: usize, count: usize, mut found: impl FnMut(usize)) {
        let Some(tables) = self.tables() else { return };
        let table = &tables.current;
        let words = table.words();
        let mut position = from % words.len();
        for _ in 0..count.min(words.len()) {
            let word = words[position].load(Ordering::Relaxed);
            if word != EMPTY && word as u32 != MOVED as u32 {
                found(table.distance(table.home((word >> 32) as u32), position) + 1);
            }
            position = table.after(position);
        }
    }
}

/// A reader could not tell whether a key is there, because words kept moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contended;

impl Drop for Index {
    fn drop(&mut self) {
        drop(self.replace(None));
    }
}

impl IndexWriter {
    /// The writer of an index without tables.
    pub fn new(max_load_factor: f64) -> Self {
        Self {
            current_len: 0,
            old_len: 0,
            migrated: 0,
            max_load_factor,
            is_held: false,
            reserved: 0,
            long_probe: None,
            resizes: Resizes::default(),
        }
    }

    /// Makes its tables shrink no further than those of another index, and counts on from there.
    pub fn inherit(&mut self, other: &Self) {
        self.reserved = other.reserved;
        self.resizes = other.resizes;
    }

    /// Has tables resized only where they have to be, or no longer so.
    pub fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    /// Words in both tables.
    pub fn len(&self) -> usize {
        self.current_len + self.old_len
    }

    /// Words of the table that words are moved from, and how many of them were looked at; none while nothing is moved.
    pub fn progress(&self, index: &Index) -> (usize, usize) {
        let old = index.tables().and_then(|tables| tables.old.as_ref());
        old.map_or((0, 0), |old| (old.words().len(), self.migrated))
    }

    /// Makes sure that [`IndexWriter::insert`] finds room. Tables that were replaced are added to `replaced`, to be
    /// retired.
    #[expect(clippy::vec_box, reason = "readers may be looking into the boxes")]
    pub fn make_room(
        &mut self,
        index: &Index,
        memory: &Arc<Memory>,
        replaced: &mut Vec<Box<Tables>>,
    ) -> Result<(), Error> {
        self.make_room_for(1, index, memory, replaced)
    }

    /// Whether so many entries fit into the table as it is.
    pub fn has_room_for(&self, count: usize, index: &Index) -> bool {
        ((self.len() + count) as f64) < index.capacity() as f64 * HARD_LOAD_FACTOR
    }

    /// The same as [`IndexWriter::make_room`] for several entries.
    #[expect(clippy::vec_box, reason = "readers may be looking into the boxes")]
    #[inline]
    pub fn make_room_for(
        &mut self,
        count: usize,
        index: &Index,
        memory: &Arc<Memory>,
        replaced: &mut Vec<Box<Tables>>,
    ) -> Result<(), Error> {
        let capacity = index.capacity();
        let wanted = self.len() + count;
        if wanted as f64 <= capacity as f64 * self.max_load_factor {
            return Ok(());
        }
        if self.is_held && wanted as f64 <= capacity as f64 * HELD_LOAD_FACTOR {
            return Ok(());
        }
        // A migration under way has room by construction, unless entries were inserted faster than they were moved.
        if let Some(old) = index.tables().and_then(|tables| tables.old.as_ref()) {
            replaced.extend(self.migrate(index, old.words().len()));
        }
        if index.is_migrating() {
            return Err(Error::OutOfMemory { bytes: size_of::<Tables>() as u64 });
        }
        let grown = if capacity < MIN_CAPACITY {
            MIN_CAPACITY
        } else if capacity < SLOW_GROWTH_FROM {
            capacity * 2
        } else {
            capacity + capacity / 2
        };
        let least = if count > 1 { self.capacity_for(wanted) } else { 0 };
        match self.start_migration(index, grown.max(least).max(self.reserved), memory) {
            Ok(tables) => replaced.extend(tables),
            Err(_) if (wanted as f64) < capacity as f64 * HARD_LOAD_FACTOR => {}
            Err(refused) => return Err(refused),
        }
        Ok(())
    }

    /// Makes the table large enough for this many entries, now or, while it is growing anyway, with its next growth.
    pub fn reserve(
        &mut self,
        index: &Index,
        entries: usize,
        memory: &Arc<Memory>,
    ) -> Result<Option<Box<Tables>>, Error> {
        let wanted = self.capacity_for(entries);
        let replaced = if wanted <= index.capacity() || index.is_migrating() {
            None
        } else {
            self.start_migration(index, wanted, memory)?
        };
        self.reserved = wanted;
        Ok(replaced)
    }

    /// Makes the table as small as its entries allow, room for a few more included.
    pub fn shrink_to_fit(&mut self, index: &Index, memory: &Arc<Memory>) -> Option<Box<Tables>> {
        self.reserved = 0;
        let wanted = self.capacity_for(self.len() + self.len() / 16);
        if wanted >= index.capacity() || index.is_migrating() {
            return None;
        }
        // Refused memory means that the large table stays.
        self.start_migration(index, wanted, memory).ok().flatten()
    }

    /// Shrinks a table that became far too large, if it is worth it. Tables that were replaced come back, to be
    /// retired.
    pub fn shrink(&mut self, index: &Index, memory: &Arc<Memory>) -> Option<Box<Tables>> {
        let capacity = index.capacity();
        let is_sparse = capacity > self.reserved.max(MIN_CAPACITY * 4) && self.len() < capacity / 8;
        if !is_sparse || self.is_held || index.is_migrating() {
            return None;
        }
        let wanted = self.capacity_for(self.len() * 2).max(self.reserved);
        self.start_migration(index, wanted, memory).ok().flatten()
    }

    fn capacity_for(&self, entries: usize) -> usize {
        ((entries + 1) as f64 / self.max_load_factor).ceil().max(MIN_CAPACITY as f64) as usize
    }

    fn start_migration(
        &mut self,
        index: &Index,
        capacity: usize,
        memory: &Arc<Memory>,
    ) -> Result<Option<Box<Tables>>, Error> {
        let current = Table::new(capacity, memory)?;
        let before = index.capacity();
        let old = index.tables().map(|tables| tables.current.clone());
        let tables = fallible::boxed(Tables { current, old })?;
        self.old_len = self.current_len;
        fault::point();
        self.current_len = 0;
        self.migrated = 0;
        if before > 0 {
            self.resizes.growths += u64::from(capacity > before);
            self.resizes.shrinks += u64::from(capacity < before);
        }
        Ok(index.replace(Some(tables)))
    }

    /// Does one write's share of a migration. Tables that were replaced come back, to be retired.
    pub fn step(&mut self, index: &Index) -> Option<Box<Tables>> {
        self.migrate(index, MIGRATION_BATCH)
    }

    /// Moves so many words, if a migration is under way. Tables that were replaced come back, to be retired.
    pub fn migrate(&mut self, index: &Index, words: usize) -> Option<Box<Tables>> {
        let tables = index.tables()?;
        let old = tables.old.as_ref()?;
        let end = (self.migrated + words).min(old.words().len());
        for place in &old.words()[self.migrated..end] {
            let word = place.load(Ordering::Relaxed);
            if word != EMPTY && word as u32 != MOVED as u32 {
                tables.current.insert(word);
                index.bump_moves();
                place.store(MOVED, Ordering::Release);
                fault::point();
                self.old_len -= 1;
                self.current_len += 1;
            }
        }
        self.migrated = end;
        if self.old_len > 0 {
            return None;
        }
        // Without memory for the new pair, the old table stays beside the current one until the next write.
        let tables = fallible::boxed(Tables { current: tables.current.clone(), old: None }).ok()?;
        index.replace(Some(tables))
    }

    /// Adds a word. [`IndexWriter::make_room`] came before, and the slot is ready to be read.
    pub fn insert(&mut self, index: &Index, tag: u32, slot: u32) {
        if let Some(tables) = index.tables() {
            let words = tables.current.insert(u64::from(tag) << 32 | u64::from(slot + 1));
            if words >= LONG_PROBE {
                self.long_probe = Some(words);
            }
            self.current_len += 1;
        }
    }

    /// How many words from home an entry was put that is worth a report, if one was since the last call.
    #[inline]
    pub fn take_long_probe(&mut self) -> Option<usize> {
        self.long_probe.take()
    }

    /// Takes a word out.
    pub fn remove(&mut self, index: &Index, spot: Spot) {
        let Some(tables) = index.tables() else { return };
        if spot.in_old {
            if let Some(old) = &tables.old {
                old.words()[spot.position].store(MOVED, Ordering::Release);
                self.old_len -= 1;
            }
            return;
        }
        let table = &tables.current;
        let mut hole = spot.position;
        let mut position = hole;
        loop {
            position = table.after(position);
            let word = table.words()[position].load(Ordering::Relaxed);
            if word == EMPTY {
                break;
            }
            // The word may go back to the hole if its home is not between the two.
            let home = table.home((word >> 32) as u32);
            if table.distance(home, position) >= table.distance(hole, position) {
                table.words()[hole].store(word, Ordering::Release);
                index.bump_moves();
                fault::point();
                hole = position;
            }
        }
        table.words()[hole].store(EMPTY, Ordering::Release);
        self.current_len -= 1;
    }
}

#[cfg(all(test, not(loom)))]
mod lengths;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Tables of every fill, with marks of a migration in them and tags that collide, at both ends.
    #[test]
    fn vectors_find_what_a_look_at_each_word_finds() {
        for seed in 1..400_u64 {
            let mut random = seed;
            let mut next = |below: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            let memory = Arc::new(Memory::new(None));
            let table = Table::new(MIN_CAPACITY + next(60) as usize, &memory).unwrap();
            let capacity = table.words().len() as u64;
            let tag = |n: u64| ((n << 32) / capacity) as u32;
            for slot in 0..next(capacity) {
                table.insert(u64::from(tag(next(capacity / 3) * 3)) << 32 | (slot + 1));
            }
            for place in table.words() {
                if place.load(Ordering::Relaxed) != EMPTY && next(5) == 0 {
                    place.store(MOVED, Ordering::Relaxed);
                }
            }
            for home in 0..capacity {
                for tag in [tag(home), tag(home) + 1] {
                    for divisor in [1, 2, 1_000] {
                        let accept = |slot: u32| (slot % divisor == divisor - 1).then_some(slot);
                        let expected = table.find(Simd::None, tag, accept);
                        assert_eq!(table.find(Simd::best(), tag, accept), expected, "seed {seed}, tag {tag}");
                    }
                }
            }
        }
    }

    /// Random insertions and removals with tags that collide on purpose, compared with a map after each.
    #[test]
    fn agrees_with_a_map_while_it_grows_and_shrinks() {
        for seed in 1..6_u64 {
            let memory = Arc::new(Memory::new(None));
            let index = Index::new(Simd::best());
            let mut writer = IndexWriter::new(0.8);
            let mut expected: HashMap<u32, u32> = HashMap::new();
            let mut random = seed;
            let mut next = |below: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            // A few homes for many slots, at both ends of the table.
            let tag_of = |slot: u32| (slot % 61).wrapping_mul(0x0432_1234).wrapping_sub(slot % 7);
            for round in 0..40_000_u32 {
                let grow = (round / 5_000) % 2 == 0;
                let slot = next(6_000) as u32;
                let tag = tag_of(slot);
                let spot = index.spot(tag, |found| found == slot);
                assert_eq!(spot.is_some(), expected.contains_key(&slot), "seed {seed}, round {round}");
                match spot {
                    Some(spot) if !grow || next(4) == 0 => {
                        writer.remove(&index, spot);
                        drop(writer.shrink(&index, &memory));
                        expected.remove(&slot);
                    }
                    None if grow || next(4) == 0 => {
                        writer.make_room(&index, &memory, &mut Vec::new()).unwrap();
                        writer.insert(&index, tag, slot);
                        expected.insert(slot, tag);
                    }
                    _ => {}
                }
                drop(writer.step(&index));
                if round % 1_000 == 0 {
                    for (&slot, &tag) in &expected {
                        let found = index.find(tag, |found| (found == slot).then_some(()));
                        assert_eq!(found, Ok(Some(())), "seed {seed}, round {round}, slot {slot}");
                    }
                    assert_eq!(writer.len(), expected.len());
                }
            }
            drop(index);
            assert_eq!(memory.total(), 0);
        }
    }

    /// Where tables are held, they grow at 95 %, and shrink only when that is asked for.
    #[test]
    fn a_table_that_is_held_grows_when_it_has_to() {
        let memory = Arc::new(Memory::new(None));
        let index = Index::new(Simd::best());
        let mut writer = IndexWriter::new(0.5);
        let fill = |writer: &mut IndexWriter, slots: std::ops::Range<u32>| {
            for slot in slots {
                writer.make_room(&index, &memory, &mut Vec::new()).unwrap();
                writer.insert(&index, slot.wrapping_mul(0x9e37_79b9), slot);
                drop(writer.migrate(&index, usize::MAX / 2));
            }
        };
        fill(&mut writer, 0..500);
        assert_eq!(index.capacity(), 1_024, "at half of it, it grows");
        writer.hold(true);
        fill(&mut writer, 500..972);
        assert_eq!((index.capacity(), writer.len()), (1_024, 972));
        fill(&mut writer, 972..973);
        assert_eq!(index.capacity(), 2_048, "the next one is above 95 %");
        let remove = |writer: &mut IndexWriter, slots: std::ops::Range<u32>| {
            for slot in slots {
                let spot = index.spot(slot.wrapping_mul(0x9e37_79b9), |found| found == slot).unwrap();
                writer.remove(&index, spot);
                drop(writer.shrink(&index, &memory));
                drop(writer.migrate(&index, usize::MAX / 2));
            }
        };
        remove(&mut writer, 0..960);
        assert_eq!(index.capacity(), 2_048);
        writer.hold(false);
        remove(&mut writer, 960..961);
        assert!(index.capacity() < 64 && !index.is_migrating());
    }

    #[test]
    fn a_refused_table_is_no_reason_to_refuse_an_entry_that_fits() {
        let memory = Arc::new(Memory::new(Some(MIN_CAPACITY as u64 * 8)));
        let index = Index::new(Simd::best());
        let mut writer = IndexWriter::new(0.8);
        let room = (0..).take_while(|&n| {
            let made = writer.make_room(&index, &memory, &mut Vec::new()).is_ok();
            if made {
                writer.insert(&index, n * 977, n);
            }
            made
        });
        assert_eq!(room.count(), (MIN_CAPACITY as f64 * HARD_LOAD_FACTOR) as usize);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    fn filled(slots: &[(u32, u32)], capacity: usize) -> (Arc<Index>, IndexWriter) {
        let memory = Arc::new(Memory::new(None));
        let index = Arc::new(Index::new(Simd::best()));
        let mut writer = IndexWriter::new(0.9);
        drop(writer.start_migration(&index, capacity, &memory).unwrap());
        for &(tag, slot) in slots {
            writer.insert(&index, tag, slot);
        }
        (index, writer)
    }

    /// A present key is found while the run it stands in closes over a deleted one.
    #[test]
    fn a_present_key_is_found_while_another_is_deleted() {
        loom::model(|| {
            // Three words of one home; deleting the first moves the others back.
            let (index, mut writer) = filled(&[(5, 0), (5, 1), (5, 2)], 4);
            let reader = loom::thread::spawn({
                let index = Arc::clone(&index);
                move || match index.find(5, |slot| (slot == 2).then_some(slot)) {
                    Ok(found) => assert_eq!(found, Some(2)),
                    Err(Contended) => {}
                }
            });
            let spot = index.spot(5, |slot| slot == 0).unwrap();
            writer.remove(&index, spot);
            reader.join().unwrap();
        });
    }

    /// A present key is found while the table grows under the reader, up to and beyond the swap of tables.
    #[test]
    fn a_present_key_is_found_while_the_table_grows() {
        loom::model(|| {
            let (index, mut writer) = filled(&[(5, 0), (6, 1)], 4);
            let memory = Arc::new(Memory::new(None));
            let reader = loom::thread::spawn({
                let index = Arc::clone(&index);
                move || match index.find(6, |slot| (slot == 1).then_some(slot)) {
                    Ok(found) => assert_eq!(found, Some(1)),
                    Err(Contended) => {}
                }
            });
            // Replaced tables are kept until the reader is done: reclamation has a model of its own.
            let started = writer.start_migration(&index, 6, &memory).unwrap();
            let moved = writer.migrate(&index, 4);
            reader.join().unwrap();
            drop((started, moved));
        });
    }
}
