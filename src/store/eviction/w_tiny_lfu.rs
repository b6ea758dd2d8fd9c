//! W-TinyLFU over queues: newcomers are tried in a window; what leaves it must have been seen more often than what would
//! leave in its stead.
//!
//! Einziger, Eytan, Friedman, Manes: "Adaptive Software Cache Management", Middleware '18, for the window and the duel by
//! frequency; Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO Queues are All You Need for Cache Eviction", SOSP '23, for queues
//! in the place of LRU lists, and for ghosts.
//!
//! ```text
//! new ──▶ window (10 %) ── hit often, or wins the duel ──▶ main (90 %) ──▶ hit since? back in, with one life less
//!            └─ loses ─▶ ghosts                              ▲          └─ otherwise ─▶ its oldest fights the duel
//! new, but remembered by the ghosts ─────────────────────────┘
//! ```
//!
//! The queues need no order of hits, the duel keeps a loop or a scan from washing out the main queue, and the ghosts let in at once
//! what comes back soon: where recency counts, duels are too slow.
//!
//! **The duel.** A newcomer must lead by [`LEAD`]. The sketch counts both alike when it comes to keys seen once or twice, so
//! with a smaller lead, a loop larger than the map replaces one entry by another of the same worth again and again.
//!
//! Exact in each shard; frequencies and ghosts are estimates over hashes. Unordered hits cost nothing that was measured:
//! counts up to 255 are taken when the policy looks at an entry. With many shards, each has queues of its own. 12 bytes per
//! entry, 8 for the frequencies and 4 for the ghosts.

use super::super::error::Error;
use super::super::memory::Memory;
use super::super::sync::Arc;
use super::frequencies::Frequencies;
use super::ghosts::Ghosts;
use super::queues::{Queue, Queues};
use super::{Access, Mark, Policy, history_room};

/// The window's share.
const WINDOW_PERCENT: usize = 10;
/// Hits that do not yet take an entry from the window to the main queue without a duel.
pub const PASSING_HITS: u32 = 1;
/// By how much a newcomer's frequency must exceed that of the entry it replaces.
pub const LEAD: u32 = 3;
/// How many evicted newcomers are remembered, as a share of the capacity.
pub const GHOST_PERCENT: usize = 50;

#[derive(Debug)]
pub struct WTinyLfu {
    /// `Small` is the window.
    queues: Queues,
    ghosts: Ghosts,
    frequencies: Frequencies,
    /// Whether anything was evicted since the shard was empty.
    evicts: bool,
}

impl WTinyLfu {
    /// Without entries.
    pub fn new(memory: Arc<Memory>) -> Self {
        Self {
            queues: Queues::new(Arc::clone(&memory)),
            ghosts: Ghosts::new(Arc::clone(&memory)),
            frequencies: Frequencies::new(memory),
            evicts: false,
        }
    }
}

fn window_share(capacity: usize) -> usize {
    (capacity * WINDOW_PERCENT / 100).max(1)
}

impl Policy for WTinyLfu {
    fn insert(&mut self, slot: u32, hash: u64, capacity: usize) -> Result<(), Error> {
        let is_remembered = self.ghosts.take(hash);
        let fills = !self.evicts && self.queues.len(Queue::Small) >= window_share(capacity);
        let queue = if is_remembered || fills { Queue::Main } else { Queue::Small };
        self.queues.add(slot, queue)?;

        if let Some(entries) = history_room(self.frequencies.room(), self.queues.total(), capacity) {
            self.frequencies.resize(entries);
            self.ghosts.resize(entries * GHOST_PERCENT / 100);
        }
        self.frequencies.add(hash, 1);
        Ok(())
    }

    fn hit(&mut self, slot: u32) {
        self.queues.hit(slot);
    }

    fn remove(&mut self, slot: u32, hash: u64, was_evicted: bool) {
        let queue = self.queues.remove(slot);
        if was_evicted && queue == Queue::Small {
            self.ghosts.add(hash);
        }
        self.evicts &= self.queues.total() > 0;
    }

    fn victim(&mut self, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32> {
        self.evicts = true;
        let Self { queues, frequencies, .. } = self;
        let mut count = |slot: u32, hits: u32| frequencies.add(hash_of(slot), hits);
        let window_share = window_share(capacity);
        while queues.len(Queue::Small) >= window_share || queues.len(Queue::Main) == 0 {
            let newcomer = queues.oldest(Queue::Small)?;
            let hits = queues.take_hits(newcomer, access);
            count(newcomer, hits);
            if hits > PASSING_HITS {
                queues.promote(newcomer);
                if queues.len(Queue::Main) > capacity.saturating_sub(window_share) {
                    break;
                }
                continue;
            }
            let Some(resident) = queues.main_victim(access, &mut count) else {
                return Some(newcomer);
            };
            if frequencies.get(hash_of(newcomer)) < frequencies.get(hash_of(resident)) + LEAD {
                return Some(newcomer);
            }
            queues.promote(newcomer);
            return Some(resident);
        }
        queues.main_victim(access, count)
    }

    fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        self.queues.candidates(count, out);
    }

    fn mark(&self) -> Mark {
        Mark::Count
    }
}
