//! Where words are found by the number of their chunk, and which may be held outside the store.
//!
//! `clear` has to end the copies of all that it takes out. Copies can only be where some thread was given words, so
//! each shard has a mark that says whether that ever happened since it was last cleared. Without it, ending copies is
//! to move that mark on: a compare-and-swap a shard, whatever is in it.
//!
//! **A mark** is the number of times that its shard was cleared, and one bit: whether words were given away since.
//! Chunks know the number of times that they came after; if it is not that of the mark, their words are *withdrawn*
//! and found no more. A thread that gives words away sets the bit before, in one step with the look at the number. A
//! thread that clears raises the number, in one step with the look at the bit, under the shard's lock: either it sees
//! the bit, and finds the words in the list of those given away, or the words are not given away any more.

use std::collections::HashMap;

use super::words::Words;
use crate::store::error::Error;
use crate::store::platform::sync::{Arc, AtomicU32, Mutex, Ordering, Weak};

/// The bit of a mark that says that words were given away.
const GIVEN: u32 = 1;
/// What a mark grows by with each clearing. It wraps after 2^31 of them, when no words of the first one are held any
/// more.
const CLEARING: u32 = 2;

/// The words of one map. Its lock is a leaf.
pub struct WordTable {
    /// One for each shard, so many that thousands of them lie close together.
    marks: Box<[AtomicU32]>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nothing is given away any more.
    is_ended: bool,
    next_chunk: u32,
    /// By the number of their chunk, as long as they are held.
    words: HashMap<u32, Known>,
    /// Those that were given away since their shard was last cleared, by shard.
    given: HashMap<u32, Vec<Weak<Words>>>,
}

struct Known {
    words: Weak<Words>,
    /// The shard, and its mark without the bit; `None` for words of no shard, which nothing withdraws.
    origin: Option<(u32, u32)>,
    is_given: bool,
}

impl WordTable {
    /// No words of so many shards.
    pub fn new(shards: u32) -> Self {
        Self { marks: (0..shards).map(|_| AtomicU32::new(0)).collect(), state: Mutex::new(State::default()) }
    }

    /// What the marks take.
    pub const fn bytes_for(shards: u32) -> usize {
        shards as usize * size_of::<AtomicU32>()
    }

    /// Numbers words and makes them findable; with those of a shard under its lock.
    pub fn register(&self, words: &Arc<Words>, shard: Option<u32>) -> Result<u32, Error> {
        let origin = shard.map(|shard| (shard, self.marks[shard as usize].load(Ordering::Relaxed) & !GIVEN));
        let mut state = self.state.lock();
        // Chunks that went leave their numbers behind until the table would grow.
        if state.words.len() == state.words.capacity() {
            state.words.retain(|_, known| known.words.strong_count() > 0);
        }
        let refused = Error::OutOfMemory { bytes: (state.words.len() * size_of::<(u32, Known)>()) as u64 };
        state.words.try_reserve(1).map_err(|_| refused)?;
        let id = state.next_chunk;
        state.next_chunk = id.wrapping_add(1);
        state.words.insert(id, Known { words: Arc::downgrade(words), origin, is_given: false });
        Ok(id)
    }

    /// Gives the words of a chunk away, unless they are gone or withdrawn, or there is no memory to record that.
    pub fn give(&self, chunk: u32) -> Option<Arc<Words>> {
        let mut state = self.state.lock();
        if state.is_ended {
            return None;
        }
        let State { words, given, .. } = &mut *state;
        let known = words.get_mut(&chunk)?;
        let found = known.words.upgrade()?;
        if let Some((shard, number)) = known.origin {
            let mark = &self.marks[shard as usize];
            let give = |now: u32| (now & !GIVEN == number).then_some(number | GIVEN);
            mark.fetch_update(Ordering::AcqRel, Ordering::Acquire, give).ok()?;
            if !known.is_given {
                given.try_reserve(1).ok()?;
                let of_shard = given.entry(shard).or_default();
                of_shard.try_reserve(1).ok()?;
                of_shard.push(Weak::clone(&known.words));
                known.is_given = true;
            }
        }
        Some(found)
    }

    /// From here on the words of this shard are found no more. Returns those that were given away. Under the shard's
    /// lock.
    pub fn withdraw(&self, shard: u32) -> Vec<Weak<Words>> {
        let next = |now: u32| Some((now & !GIVEN).wrapping_add(CLEARING));
        let before = self.marks[shard as usize].fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        if before.is_ok_and(|before| before & GIVEN == 0) {
            return Vec::new();
        }
        self.state.lock().given.remove(&shard).unwrap_or_default()
    }

    /// Ends every copy of a value, and gives no words away from here on. Writers that hold a shard's lock meanwhile may
    /// settle a version afterwards, and have to see to that.
    pub fn end(&self) {
        let mut state = self.state.lock();
        state.is_ended = true;
        let given = state.given.values().flatten().filter_map(Weak::upgrade);
        given.for_each(|words| words.invalidate());
    }

    /// A map that had ended goes on: words are given away again, but for those that were withdrawn.
    pub fn resume(&self) {
        self.state.lock().is_ended = false;
    }

    /// Forgets the words of this shard that were withdrawn, because they are never freed. Returns their bytes.
    pub fn abandon(&self, shard: u32) -> usize {
        let now = self.marks[shard as usize].load(Ordering::Relaxed) & !GIVEN;
        let mut bytes = 0;
        self.state.lock().words.retain(|_, known| {
            let is_withdrawn = known.origin.is_some_and(|(of, number)| of == shard && number != now);
            if is_withdrawn && let Some(words) = known.words.upgrade() {
                bytes += words.bytes();
            }
            !is_withdrawn
        });
        bytes
    }

    /// Bytes of all words that are held.
    pub fn bytes(&self) -> usize {
        self.state.lock().words.values().filter_map(|known| known.words.upgrade()).map(|words| words.bytes()).sum()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::memory::budget::Memory;

    fn table() -> (WordTable, Arc<Memory>) {
        (WordTable::new(2), Arc::new(Memory::new(None)))
    }

    fn words(memory: &Arc<Memory>) -> Arc<Words> {
        let words = Arc::new(Words::new(4, memory).unwrap());
        words.cells()[0].store(6, Ordering::Relaxed);
        words
    }

    #[test]
    fn words_of_a_shard_that_was_cleared_are_given_away_no_more() {
        let (table, memory) = table();
        let [old, same, other] = [0, 0, 1].map(|shard| {
            let words = words(&memory);
            (table.register(&words, Some(shard)).unwrap(), words)
        });
        for _ in 0..2 {
            assert!(Arc::ptr_eq(&table.give(old.0).unwrap(), &old.1));
        }
        let given: Vec<_> = table.withdraw(0).iter().filter_map(Weak::upgrade).collect();
        assert!(given.len() == 1 && Arc::ptr_eq(&given[0], &old.1), "each once, and only what was given away");
        assert!(table.give(old.0).is_none() && table.give(same.0).is_none());
        assert!(Arc::ptr_eq(&table.give(other.0).unwrap(), &other.1));
        let next = words(&memory);
        let id = table.register(&next, Some(0)).unwrap();
        assert!(table.give(id).is_some() && table.withdraw(0).len() == 1);
        assert_eq!(table.bytes(), 4 * 4 * 4, "withdrawn words count as long as they are held");
    }

    /// What `clear` does in each of thousands of shards.
    #[test]
    fn where_no_words_were_given_away_nothing_is_looked_up() {
        let (table, memory) = table();
        let (words, other) = (words(&memory), words(&memory));
        let id = table.register(&words, Some(0)).unwrap();
        let given = table.register(&other, Some(1)).unwrap();
        assert!(table.give(given).is_some());
        // It would wait for this for ever.
        let state = table.state.lock();
        assert!(table.withdraw(0).is_empty());
        drop(state);
        assert!(table.give(id).is_none());
    }

    #[test]
    fn the_end_of_a_map_ends_copies_and_gives_no_words_away() {
        let (table, memory) = table();
        let (given, kept) = (words(&memory), words(&memory));
        let ids = [&given, &kept].map(|words| table.register(words, Some(0)).unwrap());
        assert!(table.give(ids[0]).is_some());
        table.end();
        assert_eq!(given.cells()[0].load(Ordering::Relaxed), 0);
        assert!(ids.iter().all(|&id| table.give(id).is_none()));
    }
}
