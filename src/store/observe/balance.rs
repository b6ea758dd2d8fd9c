//! Whether the writes of a map are spread over its shards. A key that is written far more often than others makes the
//! writers of one shard wait for each other, whatever number of shards there is.
//!
//! Each shard notes once in [`WRITES_PER_NOTE`] writes that it has had so many. After [`NOTES_PER_LOOK`] notes of its
//! own it looks how many notes of all shards there were meanwhile: about [`NOTES_PER_LOOK`] of each, where the load is
//! even. The first notes of all shards come at about the same time, which is why one note of its own says nothing.

use crate::store::platform::sync::{AtomicU64, Ordering};

/// Writes of a shard from one note to the next.
const WRITES_PER_NOTE: u64 = 4_096;
/// Notes of a shard from one look to the next.
const NOTES_PER_LOOK: u64 = 16;
/// How many times its share a shard has from which on the load is skewed. Where there are few shards, fewer times are
/// nearly all writes: see [`Balance::is_skewed`].
const TIMES: u64 = 4;

/// How writes are spread.
#[derive(Debug)]
pub struct Balance {
    shards: u64,
    /// Notes of all shards.
    notes: AtomicU64,
}

impl Balance {
    /// Of a map with so many shards.
    pub fn new(shards: u32) -> Self {
        Self { shards: u64::from(shards), notes: AtomicU64::new(0) }
    }

    /// Whether a shard that was written to so many times has something to note.
    #[inline]
    pub fn is_due(writes: u64) -> bool {
        writes.is_multiple_of(WRITES_PER_NOTE)
    }

    /// Notes writes of a shard, which are so many by now. `seen` is the shard's own. Returns the percentage of the
    /// writes of all shards that were in this one since its last look, if it has far more than its share.
    pub fn note(&self, writes: u64, seen: &mut u64) -> Option<u64> {
        let notes = self.notes.fetch_add(1, Ordering::Relaxed) + 1;
        if !writes.is_multiple_of(WRITES_PER_NOTE * NOTES_PER_LOOK) {
            return None;
        }
        // Another shard's notes may be in between, but none is counted twice.
        let since = notes.saturating_sub(std::mem::replace(seen, notes)).max(NOTES_PER_LOOK);
        self.is_skewed(since).then(|| NOTES_PER_LOOK * 100 / since)
    }

    /// Whether the notes of one look, among so many of all shards, are far more than the share of a shard. Twice that
    /// is compared, so that two shards are skewed from 3 in 4 writes on, and four from 5 in 8.
    fn is_skewed(&self, since: u64) -> bool {
        self.shards > 1 && since * (2 * TIMES).min(1 + self.shards) <= 2 * NOTES_PER_LOOK * self.shards
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Lets shards have their turns, each of so many writes, until the first has so many looks behind it; what they
    /// said, by shard.
    fn said(turns: &[u64], looks: u64) -> Vec<Vec<u64>> {
        let balance = Balance::new(turns.len() as u32);
        let mut shards = vec![(0, 0, Vec::new()); turns.len()];
        while shards[0].0 < looks * WRITES_PER_NOTE * NOTES_PER_LOOK {
            for ((writes, seen, said), turn) in shards.iter_mut().zip(turns) {
                for _ in 0..*turn {
                    *writes += 1;
                    if Balance::is_due(*writes) {
                        said.extend(balance.note(*writes, seen));
                    }
                }
            }
        }
        shards.into_iter().map(|(_, _, said)| said).collect()
    }

    #[test]
    fn an_even_load_is_nothing_to_speak_of() {
        for shards in [1, 2, 8, 64] {
            assert!(said(&vec![7; shards], 4).concat().is_empty(), "{shards} shards");
        }
    }

    #[test]
    fn a_shard_with_several_times_its_share_says_so_and_no_other() {
        for (others, turn, percent) in [(1, 10, 90), (3, 7, 70), (7, 9, 56), (63, 10, 13)] {
            let mut turns = vec![1; others + 1];
            turns[0] = turn;
            let said = said(&turns, 4);
            assert_eq!(said[0].len(), 4, "{others} others");
            // Of each shard a note more or less is counted, which evens out.
            let mean = said[0].iter().sum::<u64>() / 4;
            assert!(4 * mean.abs_diff(percent) <= percent, "{said:?}");
            assert!(said[1..].concat().is_empty());
        }
    }

    #[test]
    fn twice_its_share_is_chance() {
        for others in [1, 7, 63] {
            let mut turns = vec![1; others + 1];
            turns[0] = 2;
            assert!(said(&turns, 4).concat().is_empty(), "{others} others");
        }
    }

    #[test]
    fn what_was_before_the_last_look_does_not_count() {
        let balance = Balance::new(8);
        let mut seen = 0;
        balance.notes.store(1_000_000, Ordering::Relaxed);
        assert_eq!(balance.note(WRITES_PER_NOTE * NOTES_PER_LOOK, &mut seen), None);
        balance.notes.fetch_add(NOTES_PER_LOOK - 1, Ordering::Relaxed);
        assert_eq!(balance.note(2 * WRITES_PER_NOTE * NOTES_PER_LOOK, &mut seen), Some(100));
    }
}
