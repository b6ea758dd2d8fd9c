//! W-TinyLFU over queues: newcomers are tried in a window, and what passes out of it must have been seen more often
//! than what would be evicted in its stead. The window is as large as regrets say.
//!
//! ```text
//! new ──▶ window (1–80 %) ── hit more than once, or wins the duel ──▶ main ── hit since? back in, with one life less
//!            └─ loses ─▶ ghosts                                         ▲     └─ otherwise ─▶ duel, or is out
//! new, but remembered by the ghosts ────────────────────────────────────┘
//! ```
//!
//! Window and duel: Einziger, Eytan, Friedman, Manes: "Adaptive Software Cache Management", Middleware '18. Queues in
//! the place of LRU lists, and ghosts that lead into the main queue: Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO Queues
//! are All You Need for Cache Eviction", SOSP '23. Learning from two kinds of ghosts: Megiddo, Modha: "ARC: A
//! Self-Tuning, Low Overhead Replacement Cache", FAST '03.
//!
//! **The duel** keeps a loop or a scan from washing out the main queue. A newcomer must lead by [`LEAD`]: frequencies
//! are estimates, and with less, a loop larger than the map replaces one entry by another of the same worth again and
//! again. The ghosts correct it: where recency counts, frequencies are too slow, and what comes back soon is let in at
//! once.
//!
//! **The window.** An eviction is regretted when its key comes back while it is a ghost. The window grows with each
//! regret about a newcomer and shrinks with each regret about an entry of the main queue, both weighed by how many
//! evictions there were of that kind, so that it rests where one of either is regretted as often as one of the other.
//! A loop regrets both alike, or neither; popularity that lasts regrets what it lost of the main queue; popularity
//! that moves on regrets newcomers, and the window grows until the policy is nearly FIFO with second chances. Only the
//! order of evictions and insertions matters for this, which is known, and not that of hits, which is not.
//!
//! As long as nothing was evicted, newcomers go to the main queue once the window has its share.
//!
//! Exact in each shard; frequencies and ghosts are estimates over hashes. Counts up to 255 are taken when the policy
//! looks at an entry, and added to its frequency then. With many shards, each learns on its own. 12 bytes per entry, 4
//! for the frequencies and 4 for the ghosts.

use super::super::error::Error;
use super::foreseen::Foreseen;
use super::frequencies::{Frequencies, MAX_FREQUENCY};
use super::ghosts::Ghosts;
use super::queues::{Queue, Queues};
use super::{Access, Cells, MAX_LOOKS, Policy, Standing, history_room};
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

// The evidence below is in points of the mean hit ratio over seven recorded traces (LIRS, ARC OLTP, cache2k web): what
// `npm run bench:traces -- --dir DIR --policies w-tinylfu --threads 1` prints with another value in a constant's place.

/// The window's share to begin with. From 2 to 10 % it is the same within 0.1; with 20 %, loops lose so much before
/// the window has shrunk that the mean falls by 0.5.
const FIRST_SHARE: f64 = 0.05;
/// The smallest window: 5 % costs 0.1.
const LEAST_SHARE: f64 = 0.01;
/// The largest window. With 40 %, the mean is the same, but where popularity moves fast, synthetic traces lose up to
/// ten points to LRU, instead of three.
const MOST_SHARE: f64 = 0.8;
/// A regret moves the window by one entry in a map of this size or more, times the weight of the regret; in a smaller
/// one by less, because a handful of entries says little: without this, maps of fewer than 100 lose one to three
/// points. 1,024 gains 0.1, but follows slowly where popularity moves.
const STEADY_CAPACITY: usize = 256;
/// The most that a regret can weigh. From 20 to 1,000 it is the same; without weights, the window only grows, and 1.6
/// are lost.
const MOST_WEIGHT: f64 = 20.0;
/// Hits that do not yet take an entry from the window to the main queue without a duel, as in S3-FIFO. 0 costs 0.2.
const PASSING_HITS: u32 = 1;
/// By how much a newcomer's frequency must exceed that of the entry it replaces. 2 costs 0.1, 4 costs 0.3.
pub const LEAD: u32 = 3;
/// How many evicted keys are remembered, as a share of the capacity. From 25 to 75 it is the same, but with 25 the
/// window learns more slowly when popularity moves.
pub const GHOST_PERCENT: usize = 50;

#[derive(Debug)]
pub struct WTinyLfu {
    /// The small one is the window.
    queues: Queues,
    ghosts: Ghosts,
    frequencies: Frequencies,
    window: Window,
    /// Whether anything was evicted since the shard was empty.
    evicts: bool,
}

/// How large the window should be.
#[derive(Debug)]
struct Window {
    share: f64,
    /// Evictions lately, of newcomers and of the main queue's entries. Invariant: at least 1.
    newcomers: usize,
    residents: usize,
}

impl Window {
    fn new() -> Self {
        Self { share: FIRST_SHARE, newcomers: 1, residents: 1 }
    }

    fn entries(&self, capacity: usize) -> usize {
        ((capacity as f64 * self.share) as usize).max(1)
    }

    /// Counts an eviction in a shard of `entries`, and forgets slowly what was long ago.
    fn evicted(&mut self, queue: Queue, entries: usize) {
        match queue {
            Queue::Small => self.newcomers += 1,
            Queue::Main => self.residents += 1,
        }
        if self.newcomers + self.residents > 2 * entries {
            self.newcomers = (self.newcomers / 2).max(1);
            self.residents = (self.residents / 2).max(1);
        }
    }

    /// An eviction from this queue was a mistake.
    fn regret(&mut self, queue: Queue, capacity: usize) {
        let evictions = (self.newcomers + self.residents) as f64;
        let step = 1.0 / capacity.max(STEADY_CAPACITY) as f64;
        let move_by = |of_its_kind: usize| step * (evictions / of_its_kind as f64).min(MOST_WEIGHT);
        match queue {
            Queue::Small => self.share += move_by(self.newcomers),
            Queue::Main => self.share -= move_by(self.residents),
        }
        self.share = self.share.clamp(LEAST_SHARE, MOST_SHARE);
    }
}

impl WTinyLfu {
    /// Without entries.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self {
            queues: Queues::new(memory),
            ghosts: Ghosts::new(memory),
            frequencies: Frequencies::new(memory),
            window: Window::new(),
            evicts: false,
        }
    }
}

impl Policy for WTinyLfu {
    fn insert(&mut self, slot: u32, hash: u64, capacity: usize) -> Result<(), Error> {
        let ghost = self.ghosts.take(hash);
        if let Some(queue) = ghost {
            self.window.regret(queue, capacity);
        }
        let fills = !self.evicts && self.queues.len(Queue::Small) >= self.window.entries(capacity);
        let queue = if fills || ghost == Some(Queue::Small) { Queue::Main } else { Queue::Small };
        self.queues.add(slot, queue)?;

        if let Some(entries) = history_room(self.frequencies.room(), self.queues.total(), capacity) {
            self.frequencies.resize(entries);
            self.ghosts.resize(entries * GHOST_PERCENT / 100);
        }
        self.frequencies.add(hash, 1);
        Ok(())
    }

    fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.queues.make_room(slot)
    }

    fn take_outgrown(&mut self) -> Option<Cells> {
        self.frequencies.take_outgrown().or_else(|| self.ghosts.take_outgrown())
    }

    fn hit(&mut self, slot: u32) {
        self.queues.hit(slot);
    }

    fn remove(&mut self, slot: u32, hash: u64, was_evicted: bool) {
        let queue = self.queues.remove(slot);
        if was_evicted {
            self.ghosts.add(hash, queue);
            self.window.evicted(queue, self.queues.total());
        }
        self.evicts &= self.queues.total() > 0;
    }

    fn victim(&mut self, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32> {
        self.evicts = true;
        let window = self.window.entries(capacity);
        let Self { queues, frequencies, .. } = self;
        let mut learn = |slot: u32, hits: u32| frequencies.add(hash_of(slot), hits);
        for _ in 0..MAX_LOOKS {
            if queues.len(Queue::Small) < window && queues.len(Queue::Main) > 0 {
                break;
            }
            let newcomer = queues.oldest(Queue::Small)?;
            let hits = queues.take_hits(newcomer, access);
            learn(newcomer, hits);
            if hits > PASSING_HITS {
                queues.promote(newcomer);
                if queues.len(Queue::Main) > capacity.saturating_sub(window) {
                    break;
                }
                continue;
            }
            let Some(resident) = queues.main_victim(access, &mut learn) else {
                return Some(newcomer);
            };
            if frequencies.get(hash_of(newcomer)) < frequencies.get(hash_of(resident)) + LEAD {
                return Some(newcomer);
            }
            queues.promote(newcomer);
            return Some(resident);
        }
        queues.main_victim(access, learn)
    }

    fn next(&self, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32> {
        let window = self.window.entries(capacity);
        let mut looked = Foreseen::new(&self.queues);
        for _ in 0..MAX_LOOKS {
            if looked.small < window && looked.main > 0 {
                break;
            }
            let newcomer = looked.newcomer()?;
            let hits = self.queues.hits(newcomer, access);
            if hits > PASSING_HITS {
                looked.promote();
                if looked.main > capacity.saturating_sub(window) {
                    break;
                }
                continue;
            }
            let Some(resident) = looked.main_victim(access) else { return Some(newcomer) };
            let learned = |slot: u32| {
                let frequency = self.frequencies.get(hash_of(slot)) + self.queues.hits(slot, access);
                frequency.min(MAX_FREQUENCY)
            };
            return Some(if learned(newcomer) < learned(resident) + LEAD { newcomer } else { resident });
        }
        looked.main_victim(access)
    }

    fn standing(&self, slot: u32, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64) -> Standing {
        let frequency = self.frequencies.get(hash_of(slot)) + self.queues.hits(slot, access);
        let standing = self.queues.standing(slot, access, "window");
        Standing { frequency: Some(frequency.min(MAX_FREQUENCY)), ..standing }
    }

    fn len(&self) -> usize {
        self.queues.total()
    }

    fn has(&self, slot: u32) -> bool {
        self.queues.has(slot)
    }

    fn bytes(&self) -> usize {
        self.queues.bytes() + self.ghosts.bytes() + self.frequencies.bytes()
    }

    fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        self.queues.candidates(count, out);
    }
}
