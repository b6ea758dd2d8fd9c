//! A cache without values: which keys another cache would hold, by the policy of a map.
//!
//! The policy is the one that the shards have ([`Policy`]), over slots that hold hashes. A key that is asked for and
//! not there comes in, as a program that reads through its cache would have it. What it allocates is bounded and
//! counted.

use std::cell::Cell;
use std::collections::HashMap;

use super::super::error::Error;
use super::{Access, Mark, Policy, PolicyKind, make};
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::clock::Clock;
use crate::store::platform::sync::Arc;

/// Bytes of a key: its place in the table, which is half full at worst, its hash, its marks, and a free slot.
const KEY_BYTES: usize = 2 * 17 + 8 + 4 + 4;

/// The cache.
pub struct Miniature {
    policy: Box<dyn Policy>,
    mark: Mark,
    slots: HashMap<u64, u32>,
    /// By slot.
    hashes: Vec<u64>,
    marks: Marks,
    free: Vec<u32>,
    /// Keys that it may ever hold.
    most: usize,
    _held: Reservation,
}

/// Hits by slot that the policy has not taken.
struct Marks(Vec<Cell<u32>>);

impl Access for Marks {
    fn take(&self, slot: u32) -> u32 {
        self.0[slot as usize].take()
    }

    fn peek(&self, slot: u32) -> u32 {
        self.0[slot as usize].get()
    }
}

impl Miniature {
    /// An empty one, for `most` keys at most.
    pub fn new(kind: PolicyKind, most: usize, memory: &Arc<Memory>, clock: &Clock) -> Result<Self, Error> {
        let held = Reservation::new(memory, Use::Policy, most * KEY_BYTES)?;
        // A list that is told of no hit is in order of insertion.
        let policy = make(kind, memory, clock).or_else(|| make(PolicyKind::Lru, memory, clock));
        let refused = Error::OutOfMemory { bytes: (most * KEY_BYTES) as u64 };
        let (mut slots, mut hashes, mut marks, mut free) = (HashMap::new(), Vec::new(), Vec::new(), Vec::new());
        let fits = slots.try_reserve(most).is_ok()
            && hashes.try_reserve_exact(most).is_ok()
            && marks.try_reserve_exact(most).is_ok()
            && free.try_reserve_exact(most).is_ok();
        let policy = policy.filter(|_| fits).ok_or(refused)?;
        Ok(Self { policy, mark: kind.mark(), slots, hashes, marks: Marks(marks), free, most, _held: held })
    }

    /// Keys that it holds.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Asks for a key, of a cache that holds so many. Whether it was there; it is afterwards.
    pub fn ask(&mut self, hash: u64, capacity: usize) -> Result<bool, Error> {
        if let Some(&slot) = self.slots.get(&hash) {
            match self.mark {
                Mark::None => {}
                Mark::Order => self.policy.hit(slot),
                Mark::UpTo(limit) => {
                    let marks = &self.marks.0[slot as usize];
                    marks.set((marks.get() + 1).min(limit));
                }
            }
            return Ok(true);
        }
        let capacity = capacity.clamp(1, self.most);
        while self.slots.len() >= capacity {
            if !self.evict(capacity) {
                return Ok(false);
            }
        }
        let slot = self.free.pop().unwrap_or(self.hashes.len() as u32);
        self.policy.make_room(slot)?;
        self.policy.insert(slot, hash, capacity)?;
        if slot as usize == self.hashes.len() {
            self.hashes.push(hash);
            self.marks.0.push(Cell::new(0));
        } else {
            self.hashes[slot as usize] = hash;
            self.marks.0[slot as usize].set(0);
        }
        self.slots.insert(hash, slot);
        Ok(false)
    }

    /// Whether there was something to evict.
    fn evict(&mut self, capacity: usize) -> bool {
        let hashes = &self.hashes;
        let victim = self.policy.victim(&self.marks, &|slot| hashes[slot as usize], capacity);
        let Some(slot) = victim else { return false };
        self.drop_slot(slot, true);
        true
    }

    /// Keeps only some of its keys.
    pub fn retain(&mut self, keeps: impl Fn(u64) -> bool) {
        for slot in 0..self.hashes.len() as u32 {
            let hash = self.hashes[slot as usize];
            if !keeps(hash) && self.slots.get(&hash) == Some(&slot) {
                self.drop_slot(slot, false);
            }
        }
    }

    fn drop_slot(&mut self, slot: u32, was_evicted: bool) {
        let hash = self.hashes[slot as usize];
        self.policy.remove(slot, hash, was_evicted);
        self.slots.remove(&hash);
        self.free.push(slot);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_its_policy_keeps_and_gives_its_memory_back() {
        let memory = Arc::new(Memory::new(None));
        for (kind, kept) in [(PolicyKind::Lru, 0), (PolicyKind::Fifo, 1)] {
            let mut cache = Miniature::new(kind, 8, &memory, &Clock::manual()).unwrap();
            for hash in [0, 1, 0, 2] {
                cache.ask(hash, 2).unwrap();
            }
            assert_eq!(cache.len(), 2);
            // The oldest was used again, which only one of them looks at.
            assert!(cache.ask(kept, 2).unwrap(), "{kind}");
            cache.retain(|hash| hash != kept);
            assert_eq!(cache.len(), 1);
            assert!(!cache.ask(kept, 2).unwrap());
        }
        assert_eq!(memory.total(), 0);
        let small = Arc::new(Memory::new(Some(1_000)));
        assert!(Miniature::new(PolicyKind::Lru, 1_000, &small, &Clock::manual()).is_err());
    }
}
