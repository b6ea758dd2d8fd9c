//! Version words: one integer per slot that every thread sees and JavaScript reads directly.
//!
//! A version word changes whenever the entry in its slot does: when it is written, removed or replaced by a new
//! tenant. A copy of a value that was taken at version `v` is fresh as long as the word still is `v`. The word never
//! restarts: it goes through all 32-bit values but 0 before one comes again, which takes 2^31 - 1 changes of one slot.
//!
//! **Even and odd.** A word is even while its slot has a tenant that nothing is changing; that is a [`Version`], and
//! a copy may be kept under it. It is odd while the slot is vacant, while its tenant is being changed, and after
//! copies of it were ended. What is read under an odd word may be used and must not be kept.
//!
//! | step of a change, under the shard's lock | word | a copy of the old value | a reader may keep |
//! |---|---|---|---|
//! | before | `v`, even | is fresh | the old value under `v` |
//! | [`begin`] | `v + 1`, odd | is not | nothing |
//! | the pointer, the index, the life change | `v + 1` | is not | nothing |
//! | [`settle`] | `v + 2`, even | is not | the new value under `v + 2` |
//!
//! **No thread sees time go backwards.** A thread that learns of a change from the pointer, the index or the life
//! reads what was stored with release after the word became odd, so its next look at the word finds it odd or later:
//! a copy of the old value is never fresh after the new one was seen. One bump alone cannot do this: before the
//! change, a reader would keep the old value under the new version; after it, a copy of the old value would be fresh
//! beside the new pointer.
//!
//! **Why what is kept is the current value.** `settle` stores with release after the pointer, so a reader that loads
//! `v + 2` sees the new pointer or a later one. It looks at the pointer before it reads the version and once more
//! after it. No block is used again under a pin, so if both looks find the same entry, that was the tenant all the
//! while, and the even versions that the word can have said meanwhile are one: that of this entry.
//!
//! **A reader may end copies**, without a lock ([`end_copies`]): it finds an entry past its deadline, closes the
//! entry's life (`life.rs`), and then moves the word to its next odd value, whatever it says. That matters when the
//! word is odd because a writer is amid a change: the writer must not settle what the reader has reported as gone. So
//! where a tenant has a deadline, a writer looks at its life after it began and before it settles, with a
//! read-modify-write, and settles with a compare-and-swap ([`settle_unless_ended`]). If the reader closed the life
//! first, the writer sees it and leaves the word odd. Otherwise closing the life synchronises with the writer's look,
//! so the reader changes the word after [`begin`]: the writer's swap fails, or came first, and then the reader's
//! change ends what was settled.
//!
//! **0 is not a version.** It stands in words that never had a tenant, and, for good, in those of a chunk that was
//! cleared: the holder of the shard's lock writes it before index and slab are detached. A reader that still holds
//! the old directory reads 0 and may keep nothing. [`Version`] cannot be 0 or odd, and what JavaScript is given to
//! keep a copy by is made of one. A cleared chunk whose words are held nowhere outside the slab is only withdrawn from
//! the table in which words are found (`context.rs`): a thread that has a version of it finds no word to keep a copy
//! by.
//!
//! **Access words** stand beside the version words in maps whose policy counts hits: each reader of an entry adds to
//! its access word, in a plain load and a plain store that may lose a hit to another thread's, and the policy takes
//! what it finds.
//!
//! The memory outlives its chunk as long as a holder, such as an `ArrayBuffer` in some thread, is left.

use std::num::NonZeroU32;

use crate::store::error::Error;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::sync::{Arc, AtomicU32, Ordering};

/// The words of one chunk of slots: a version word for each, followed by its access word in maps that mark hits.
#[derive(Debug)]
pub struct Words {
    cells: Box<[AtomicU32]>,
    #[expect(dead_code, reason = "gives the bytes of `cells` back when it is dropped")]
    held: Reservation,
}

impl Words {
    /// This many words, all 0.
    pub(crate) fn new(len: usize, memory: &Arc<Memory>) -> Result<Self, Error> {
        let held = Reservation::new(memory, Use::Words, len * size_of::<AtomicU32>())?;
        Ok(Self { cells: fallible::half_words(len)?, held })
    }

    /// The words themselves.
    pub(crate) fn cells(&self) -> &[AtomicU32] {
        &self.cells
    }

    /// Ends every copy that was taken from this chunk. Under the shard's lock, or when the map is broken; no slot of
    /// it is changed afterwards.
    pub(crate) fn invalidate(&self) {
        for cell in &self.cells {
            cell.store(0, Ordering::Release);
        }
    }

    /// Address of the first word. Reading through it races with the writers of this map, which is what it is for: a
    /// reader outside Rust takes one aligned 32-bit load.
    pub fn ptr(&self) -> *mut u32 {
        self.cells.as_ptr().cast_mut().cast::<u32>()
    }

    /// Bytes set aside.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.cells)
    }

    /// How many 32-bit words.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Never: a chunk has slots.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// What a version word said while its slot had a tenant that nothing was changing: even, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(NonZeroU32);

/// The lowest bit of a word under which nothing may be kept.
const UNSETTLED: u32 = 1;

impl Version {
    /// What a word says, if a copy may be kept under it.
    #[inline]
    pub(crate) fn of(word: &AtomicU32) -> Option<Self> {
        let said = word.load(Ordering::Acquire);
        NonZeroU32::new(said).filter(|_| said & UNSETTLED == 0).map(Self)
    }

    /// The word's value.
    #[inline]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// Ends every copy of the value in a word's slot before it changes; none may be kept until [`settle`], which wants
/// the answer. Under the shard's lock. What changes afterwards is stored with release.
#[inline]
pub(crate) fn begin(word: &AtomicU32) -> u32 {
    let begun = word.load(Ordering::Relaxed) | UNSETTLED;
    word.store(begun, Ordering::Relaxed);
    begun
}

/// The change is done: returns the version of the value that is there now. Under the same lock as [`begin`].
#[inline]
pub(crate) fn settle(word: &AtomicU32, begun: u32) -> Version {
    let version = version_after(begun);
    word.store(version.get(), Ordering::Release);
    Version(version)
}

/// The same for a tenant that has a deadline, whose life is open: `None` if a reader has ended copies since [`begin`].
/// The word stays odd then.
pub(crate) fn settle_unless_ended(word: &AtomicU32, begun: u32) -> Option<Version> {
    let version = version_after(begun);
    let settled = word.compare_exchange(begun, version.get(), Ordering::AcqRel, Ordering::Relaxed);
    settled.ok().map(|_| Version(version))
}

/// Ends the copies of a value that stays, and lets new ones be kept. Under the shard's lock. Does nothing where a
/// reader has ended them.
pub(crate) fn renew(word: &AtomicU32) {
    let Some(seen) = Version::of(word) else { return };
    let next = version_after(seen.get() | UNSETTLED);
    #[expect(clippy::let_underscore_must_use, reason = "refused, a reader was faster")]
    let _ = word.compare_exchange(seen.get(), next.get(), Ordering::AcqRel, Ordering::Relaxed);
}

/// The even value that follows an odd one.
fn version_after(begun: u32) -> NonZeroU32 {
    NonZeroU32::new(begun.wrapping_add(1)).unwrap_or(FIRST)
}

/// The version that follows the last one.
const FIRST: NonZeroU32 = NonZeroU32::new(2).expect("two");

/// Ends copies and keeps a change that is under way from being settled, as long as `is_there` says that the word is
/// that of the entry which is over. Without a lock, after its life was closed. The word is odd until a writer settles
/// it.
pub(crate) fn end_copies(word: &AtomicU32, is_there: impl Fn() -> bool) {
    let mut seen = word.load(Ordering::Acquire);
    // The word is read first: if the entry is there afterwards, it was there when the word said so. 0 stays.
    while seen != 0 && is_there() {
        let ended = seen.wrapping_add(1) | UNSETTLED;
        match word.compare_exchange(seen, ended, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(changed) => seen = changed,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_version_goes_around_without_being_zero_or_odd() {
        let memory = Arc::new(Memory::new(None));
        let words = Words::new(2, &memory).unwrap();
        let word = &words.cells[1];
        let change = |word| settle(word, begin(word)).get();
        assert_eq!(Version::of(word), None, "no tenant yet");
        assert_eq!((change(word), change(word), words.cells[0].load(Ordering::Relaxed)), (2, 4, 0));
        word.store(u32::MAX - 1, Ordering::Relaxed);
        assert_eq!((change(word), Version::of(word).map(Version::get)), (2, Some(2)));
        drop(words);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn nothing_is_kept_amid_a_change_nor_after_copies_were_ended() {
        let word = AtomicU32::new(0);
        let first = settle(&word, begin(&word));
        let begun = begin(&word);
        assert_eq!(Version::of(&word), None);
        let second = settle(&word, begun);
        end_copies(&word, || false);
        assert_eq!(Version::of(&word), Some(second), "of an entry that is gone");
        end_copies(&word, || true);
        assert_eq!(Version::of(&word), None);
        let third = settle(&word, begin(&word));
        assert!(third != second && third != first);
        // Amid a change: it cannot be settled.
        let begun = begin(&word);
        end_copies(&word, || true);
        assert_eq!((settle_unless_ended(&word, begun), Version::of(&word)), (None, None));
        renew(&word);
        assert_eq!(Version::of(&word), None, "ended copies stay so");
        let begun = begin(&word);
        let fourth = settle_unless_ended(&word, begun).unwrap();
        renew(&word);
        assert!(Version::of(&word).is_some_and(|fifth| fifth != fourth));
        word.store(0, Ordering::Relaxed);
        end_copies(&word, || true);
        assert_eq!(word.load(Ordering::Relaxed), 0, "what was cleared stays so");
    }
}
