//! What commits exclude, and the word that says that one is under way.
//!
//! **The lock** is taken before any shard's, by a commit, by `clear` and by `destroy`, so that each sees the others as
//! a whole. Operations on one entry never take it, and it is held neither while memory is freed nor while code of the
//! user runs.
//!
//! **The word** is even while no commit changes anything, and odd from before the first change of a commit until after
//! its last:
//!
//! | step of a commit, under its locks | word | a reader of several entries |
//! |---|---|---|
//! | before | `c`, even | has read `c`, and reads on |
//! | [`begin`] | `c + 1` | begins again |
//! | the version words of all entries turn odd | `c + 1` | has no copy of any of them |
//! | pointers, the index, lives and versions change | `c + 1` | |
//! | [`end`] | `c + 2` | begins again, if it has read `c` |
//!
//! **A reader that found `c` before and after has not seen half of a commit.** It loads the word with acquire before it
//! reads anything. If it says `c`, all changes of the commits before it are seen, since the end of each is stored with
//! release. Whatever a later commit changes is stored with release after the word became odd: a reader that has seen
//! one of these changes finds another word than `c` when it looks again. So it has seen none of them.
//!
//! **Copies of values, which JavaScript reads without a call, are covered in both directions.** A copy that is older
//! than a commit is found fresh only by a thread that has seen nothing of the commit, because the version words of all
//! entries turn odd before the first pointer changes. A copy that is newer was read natively, by a thread that has seen
//! a change of the commit then, and finds the word changed. So the look before must come before the first look at a
//! copy, and the look afterwards after the last.
//!
//! The word is made when a map first commits, or when a thread first asks for it. `models/commits.rs` explores this.

use crate::store::error::Error;
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::process::OnceLock;
use crate::store::platform::sync::{Arc, AtomicU32, Mutex, MutexGuard, Ordering};
use crate::store::slab::word_table::WordTable;
use crate::store::slab::words::Words;

/// Set while a commit changes entries.
const COMMITTING: u32 = 1;

/// The lock and the word of one map.
#[derive(Default)]
pub struct Commits {
    lock: Mutex<()>,
    word: OnceLock<Arc<Words>>,
}

/// A commit that changes entries. Dropping it says that it is done, unless the thread panics: the map is broken then,
/// and nothing of it is read any more.
#[must_use]
pub struct Committing<'a> {
    word: &'a AtomicU32,
    begun: u32,
}

/// The holder of the lock is about to change entries.
#[inline]
pub fn begin(word: &AtomicU32) -> Committing<'_> {
    let begun = word.load(Ordering::Relaxed) | COMMITTING;
    // What changes afterwards is stored with release.
    word.store(begun, Ordering::Relaxed);
    Committing { word, begun }
}

/// What the word says; `None` while a commit changes entries. What is read after that and before the next look is read
/// with acquire.
#[inline]
pub fn settled(word: &AtomicU32) -> Option<u32> {
    Some(word.load(Ordering::Acquire)).filter(|said| said & COMMITTING == 0)
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.word.store(self.begun.wrapping_add(1), Ordering::Release);
        }
    }
}

impl Commits {
    /// Keeps out commits, `clear` and `destroy`. Before any shard's lock.
    pub fn exclude(&self) -> MutexGuard<'_, ()> {
        self.lock.lock()
    }

    /// What the word says; `None` while a commit changes entries.
    #[inline]
    pub fn settled(&self) -> Option<u32> {
        self.word.get().map_or(Some(0), |word| settled(&word.cells()[0]))
    }

    /// A map that had ended, in the middle of a commit, maybe, goes on: the word says that none is under way, and
    /// another number than before. For the holder of the lock.
    pub fn resume(&self) {
        if let Some(word) = self.word.get() {
            drop(begin(&word.cells()[0]));
        }
    }

    /// Whether there is a word yet.
    pub fn has_word(&self) -> bool {
        self.word.get().is_some()
    }

    /// The word, made on first use.
    pub fn word(&self, memory: &Arc<Memory>, table: &WordTable) -> Result<&Arc<Words>, Error> {
        if let Some(word) = self.word.get() {
            return Ok(word);
        }
        let _transfer = memory.transfer();
        let made = Arc::new(Words::new(1, memory)?);
        table.register(&made, None)?;
        Ok(self.word.get_or_init(|| made))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_odd_during_a_commit_and_another_one_afterwards() {
        let memory = Arc::new(Memory::new(None));
        let (commits, table) = (Commits::default(), WordTable::new(1));
        let word = Arc::clone(commits.word(&memory, &table).unwrap());
        assert!(Arc::ptr_eq(&word, commits.word(&memory, &table).unwrap()));
        let says = || word.cells()[0].load(Ordering::Relaxed);
        assert_eq!(says(), 0);
        let committing = begin(&word.cells()[0]);
        assert_eq!(says(), 1);
        drop(committing);
        assert_eq!(says(), 2);
        drop((word, commits));
        assert_eq!(memory.total(), 0);
    }
}
