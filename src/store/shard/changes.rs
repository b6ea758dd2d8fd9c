//! How often each shard changed, in words that every thread sees and JavaScript reads directly: an iterator that
//! fetched some entries ahead need not look at the version word of each, as long as its shard has not changed since.
//!
//! A word is even while its shard does not change, and odd while the holder of the shard's lock may be changing it:
//!
//! | step | word | what a walk is told |
//! |---|---|---|
//! | before | `c`, even | `c`, read before the entry |
//! | [`Changes::begin`], under the lock | `c + 1` | to look at the entry's own word |
//! | entries change: pointers, versions, the index | `c + 1` | the same |
//! | the end of [`Changing`], before the lock is released | `c + 2` | `c + 2` |
//!
//! **A walk that was told `c` sees no change that it must not pass over.** It reads the word before the entry. If the
//! word says `c`, all changes before it are done, and it sees them, since the end of each is stored with release. Each
//! later change first makes the word odd, and what it changes is stored with release after that. So a thread that has
//! learnt of such a change reads another word than `c`, and looks at the version of the entry itself, as it would
//! without these words (`words.rs`).
//!
//! **What changes without the lock is not seen here**: a reader that finds an entry past its deadline ends its copies.
//! Walks of a map that may have deadlines are always told to look at the entries' own words.
//!
//! **The end of a map** turns the words odd for good, as it ends the versions: after [`Changing`] has ended, a writer
//! looks whether the map has ended meanwhile, behind a fence, and then turns its word odd again (`Context::end_copies`
//! has the argument).
//!
//! The words are made when a thread first walks ahead; maps that are never walked that way have none. A writer that
//! was at work then knows nothing of them, so [`Changes::share`] waits for each shard's lock once.
//!
//! `models/walks.rs` explores all of this.

use crate::store::error::Error;
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::{Arc, AtomicPtr, AtomicU32, Ordering};
use crate::store::slab::word_table::WordTable;
use crate::store::slab::words::Words;

/// Set while a shard may be changing.
const CHANGING: u32 = 1;
/// Words from one shard's to the next, where there are few shards: 64 bytes, because writers of two shards must not
/// contend for a line of the processor's cache. Among thousands of shards two writers seldom meet.
const APART: u32 = 16;
const MAX_SHARDS_APART: u32 = 64;

/// The words of all shards.
pub struct Changes {
    /// Null until a thread asks. Invariant: from an `Arc`, set once, given back when this is dropped.
    words: AtomicPtr<Words>,
    shards: u32,
}

/// A shard that may be changing, under its lock. Dropping it says that it is done, unless the thread panics.
#[must_use]
pub struct Changing<'a> {
    cell: Option<&'a AtomicU32>,
    /// What it says meanwhile.
    begun: u32,
}

impl Changes {
    /// No words yet.
    pub fn new(shards: u32) -> Self {
        Self { words: AtomicPtr::new(std::ptr::null_mut()), shards }
    }

    /// Words from one shard's to the next.
    const fn apart(&self) -> u32 {
        if self.shards <= MAX_SHARDS_APART { APART } else { 1 }
    }

    #[inline]
    fn words(&self) -> Option<&Words> {
        // SAFETY: null, or from an `Arc` that this holds (invariant of `words`).
        unsafe { self.words.load(Ordering::Acquire).as_ref() }
    }

    #[inline]
    fn cell(&self, shard: u32) -> Option<&AtomicU32> {
        self.words()?.cells().get((shard * self.apart()) as usize)
    }

    /// The words, made on first use. `wait` waits for whoever holds the lock of any shard: those writers do not know
    /// of the words.
    pub fn share(&self, memory: &Arc<Memory>, table: &WordTable, wait: impl FnOnce()) -> Result<Arc<Words>, Error> {
        if self.words().is_none() {
            let _transfer = memory.transfer();
            let words = Arc::new(Words::new((self.shards * self.apart()) as usize, memory)?);
            table.register(&words, None)?;
            let made = Arc::into_raw(words).cast_mut();
            let none = std::ptr::null_mut();
            if self.words.compare_exchange(none, made, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: from `into_raw` above, and another thread's are used.
                drop(unsafe { Arc::from_raw(made) });
            }
        }
        wait();
        let words = self.words.load(Ordering::Acquire);
        // SAFETY: set by now, from an `Arc` that this holds; the count is raised for the one that is returned.
        Ok(unsafe {
            Arc::increment_strong_count(words);
            Arc::from_raw(words)
        })
    }

    /// The holder of a shard's lock may change it from here on.
    #[inline]
    pub fn begin(&self, shard: u32) -> Changing<'_> {
        let Some(cell) = self.cell(shard) else { return Changing { cell: None, begun: 0 } };
        let before = cell.load(Ordering::Relaxed);
        if before & CHANGING != 0 {
            // The map has ended.
            return Changing { cell: None, begun: 0 };
        }
        cell.store(before + CHANGING, Ordering::Relaxed);
        Changing { cell: Some(cell), begun: before + CHANGING }
    }

    /// The word of a shard, read before an entry of it; a number that the word does not say if that is no use.
    #[inline]
    pub fn seen(&self, shard: u32) -> u32 {
        match self.cell(shard).map(|cell| cell.load(Ordering::Acquire)) {
            Some(even) if even & CHANGING == 0 => even,
            // Odd, and passed long ago.
            Some(odd) => odd.wrapping_sub(2),
            None => CHANGING,
        }
    }

    /// A number in place of a `seen` one that the word does not say: only the entry's own word tells.
    #[inline]
    pub const fn unseen(seen: u32) -> u32 {
        seen.wrapping_sub(1) | CHANGING
    }

    /// The map has ended: this shard is never the same again.
    pub fn end(&self, shard: u32) {
        if let Some(cell) = self.cell(shard) {
            cell.fetch_or(CHANGING, Ordering::Release);
        }
    }

    /// The same for all shards.
    pub fn end_all(&self) {
        (0..self.shards).for_each(|shard| self.end(shard));
    }

    /// A map that had ended goes on: this shard has changed, and may stay the same from here on. Under its lock.
    pub fn resume(&self, shard: u32) {
        if let Some(cell) = self.cell(shard) {
            let ended = cell.load(Ordering::Relaxed) | CHANGING;
            cell.store(ended.wrapping_add(1), Ordering::Release);
        }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell
            && !std::thread::panicking()
        {
            cell.store(self.begun.wrapping_add(1), Ordering::Release);
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let words = self.words.load(Ordering::Acquire);
        if !words.is_null() {
            // SAFETY: from an `Arc` (invariant of `words`), and nothing uses it any more.
            drop(unsafe { Arc::from_raw(words) });
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_told_while_nothing_changes_and_moves_with_every_change() {
        let memory = Arc::new(Memory::new(None));
        let (changes, table) = (Changes::new(2), WordTable::new(2));
        assert_eq!(changes.seen(0) & CHANGING, CHANGING, "nothing is told before there are words");
        drop(changes.begin(0));
        let words = changes.share(&memory, &table, || ()).unwrap();
        let word = |shard: usize| words.cells()[shard * APART as usize].load(Ordering::Relaxed);
        let before = changes.seen(0);
        assert_eq!((before, word(0)), (0, 0));
        let changing = changes.begin(0);
        assert_ne!(word(0), before);
        assert_ne!(changes.seen(0), word(0), "amid a change");
        drop(changing);
        assert_ne!(word(0), before);
        assert_eq!((changes.seen(0), word(1)), (word(0), 0));
        assert_ne!(Changes::unseen(changes.seen(0)), word(0));
        changes.end_all();
        for shard in 0..2 {
            drop(changes.begin(shard as u32));
            assert_ne!(changes.seen(shard as u32), word(shard), "after the end");
        }
        assert!(Arc::ptr_eq(&words, &changes.share(&memory, &table, || ()).unwrap()));
        drop((words, changes));
        assert_eq!(memory.total(), 0);
    }
}
