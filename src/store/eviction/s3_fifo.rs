//! S3-FIFO: a small queue that most newcomers do not survive, a main queue, and ghosts of those that did not.
//!
//! Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO Queues are All You Need for Cache Eviction", SOSP '23.
//!
//! ```text
//! new ──▶ small (10 %) ── hit more than once ──▶ main (90 %) ──▶ hit since? back in, with one life less
//!            └─ otherwise ─▶ ghosts                 ▲        └─ otherwise ─▶ out
//! new, but remembered by the ghosts ────────────────┘
//! ```
//!
//! Differs from Algorithm 1 of the paper in two things. As long as nothing was evicted, newcomers go to the main queue
//! once the small one has its share, as the authors' own implementation (libCacheSim) does; otherwise the first keys
//! of a long loop are all lost. And one entry is evicted where one must be, while the algorithm can evict one of each
//! queue.
//!
//! Exact in each shard, and unordered hits lose nothing: counts are saturated anyway. Ghosts are remembered by a hash
//! of 15 bits in buckets, see `ghosts.rs`. With many shards, each has queues of its own. 12 bytes per entry, and 7.2
//! for the ghosts.

use super::super::error::Error;
use super::foreseen::Foreseen;
use super::ghosts::Ghosts;
use super::queues::{Queue, Queues};
use super::{Access, Cells, MAX_LOOKS, Policy, Standing, history_room};
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

/// The small queue's share, from the paper.
const SMALL_PERCENT: usize = 10;
/// Hits that do not yet take an entry from the small queue to the main one, from the paper.
const PASSING_HITS: u32 = 1;

#[derive(Debug)]
pub struct S3Fifo {
    queues: Queues,
    ghosts: Ghosts,
    /// Whether anything was evicted since the shard was empty.
    evicts: bool,
}

impl S3Fifo {
    /// Without entries.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { queues: Queues::new(memory), ghosts: Ghosts::new(memory), evicts: false }
    }
}

fn small_share(capacity: usize) -> usize {
    (capacity * SMALL_PERCENT / 100).max(1)
}

impl Policy for S3Fifo {
    fn insert(&mut self, slot: u32, hash: u64, capacity: usize) -> Result<(), Error> {
        let is_remembered = self.ghosts.take(hash).is_some();
        let fills = !self.evicts && self.queues.len(Queue::Small) >= small_share(capacity);
        let queue = if is_remembered || fills { Queue::Main } else { Queue::Small };
        self.queues.add(slot, queue)?;

        let main_share = |entries: usize| entries - small_share(entries).min(entries);
        if let Some(entries) = history_room(self.ghosts.room(), main_share(self.queues.total()), main_share(capacity)) {
            self.ghosts.resize(entries);
        }
        Ok(())
    }

    fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.queues.make_room(slot)
    }

    fn take_outgrown(&mut self) -> Option<Cells> {
        self.ghosts.take_outgrown()
    }

    fn hit(&mut self, slot: u32) {
        self.queues.hit(slot);
    }

    fn remove(&mut self, slot: u32, hash: u64, was_evicted: bool) {
        let queue = self.queues.remove(slot);
        if was_evicted && queue == Queue::Small {
            self.ghosts.add(hash, queue);
        }
        self.evicts &= self.queues.total() > 0;
    }

    fn victim(&mut self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32> {
        self.evicts = true;
        let small_share = small_share(capacity);
        for _ in 0..MAX_LOOKS {
            if self.queues.len(Queue::Small) < small_share && self.queues.len(Queue::Main) > 0 {
                break;
            }
            let slot = self.queues.oldest(Queue::Small)?;
            if self.queues.take_hits(slot, access) <= PASSING_HITS {
                return Some(slot);
            }
            self.queues.promote(slot);
            if self.queues.len(Queue::Main) > capacity.saturating_sub(small_share) {
                break;
            }
        }
        self.queues.main_victim(access, |_, _| ())
    }

    fn next(&self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32> {
        let small_share = small_share(capacity);
        let mut looked = Foreseen::new(&self.queues);
        for _ in 0..MAX_LOOKS {
            if looked.small < small_share && looked.main > 0 {
                break;
            }
            let slot = looked.newcomer()?;
            if self.queues.hits(slot, access) <= PASSING_HITS {
                return Some(slot);
            }
            looked.promote();
            if looked.main > capacity.saturating_sub(small_share) {
                break;
            }
        }
        looked.main_victim(access)
    }

    fn standing(&self, slot: u32, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64) -> Standing {
        self.queues.standing(slot, access, "small")
    }

    fn len(&self) -> usize {
        self.queues.total()
    }

    fn has(&self, slot: u32) -> bool {
        self.queues.has(slot)
    }

    fn bytes(&self) -> usize {
        self.queues.bytes() + self.ghosts.bytes()
    }

    fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        self.queues.candidates(count, out);
    }
}
