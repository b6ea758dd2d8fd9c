//! SIEVE: a hand goes from old to new, spares what was hit since it last came by, and takes the first that was not.
//!
//! Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is Simpler than LRU", NSDI '24. What was spared stays where it is, so
//! new entries are sifted faster than old ones.
//!
//! Exact in each shard, and unordered hits lose nothing: SIEVE only asks whether there was one. With many shards, each
//! has a hand of its own. 12 bytes per entry.

use super::super::error::Error;
use super::links::{Links, List, NONE};
use super::{Access, MAX_LOOKS, Policy, Standing};
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

/// Note of a slot that was written since the hand came by.
const HIT: u32 = 1;

#[derive(Debug)]
pub struct Sieve {
    links: Links,
    list: List,
    /// Where the hand looks next; [`NONE`] for the oldest.
    hand: u32,
}

impl Sieve {
    /// Without entries.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { links: Links::new(memory), list: List::default(), hand: NONE }
    }
}

impl Policy for Sieve {
    fn insert(&mut self, slot: u32, _hash: u64, _capacity: usize) -> Result<(), Error> {
        self.links.add(slot)?;
        self.list.push(&mut self.links, slot);
        Ok(())
    }

    fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.links.make_room(slot)
    }

    fn hit(&mut self, slot: u32) {
        self.links.set_note(slot, HIT);
    }

    fn remove(&mut self, slot: u32, _hash: u64, _was_evicted: bool) {
        if self.hand == slot {
            self.hand = self.links.newer(slot);
        }
        self.list.remove(&mut self.links, slot);
        self.links.forget(slot);
    }

    fn victim(&mut self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        let oldest = self.list.oldest()?;
        let mut slot = if self.hand == NONE { oldest } else { self.hand };
        for _ in 0..MAX_LOOKS {
            let was_hit = self.links.note(slot) == HIT || access.peek(slot) > 0;
            if !was_hit {
                break;
            }
            access.take(slot);
            self.links.set_note(slot, 0);
            slot = self.links.newer(slot);
            if slot == NONE {
                slot = oldest;
            }
        }
        self.hand = slot;
        Some(slot)
    }

    fn next(&self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        let oldest = self.list.oldest()?;
        let start = if self.hand == NONE { oldest } else { self.hand };
        let mut slot = start;
        for _ in 0..MAX_LOOKS {
            if self.links.note(slot) != HIT && access.peek(slot) == 0 {
                return Some(slot);
            }
            slot = self.links.newer(slot);
            if slot == NONE {
                slot = oldest;
            }
            // After a round without a victim, no hit is left.
            if slot == start {
                break;
            }
        }
        Some(slot)
    }

    fn standing(&self, slot: u32, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64) -> Standing {
        Standing { uses: Some((self.links.note(slot) + access.peek(slot)).min(HIT)), ..Standing::default() }
    }

    fn len(&self) -> usize {
        self.list.len()
    }

    fn has(&self, slot: u32) -> bool {
        self.links.has(slot)
    }

    fn bytes(&self) -> usize {
        self.links.bytes()
    }

    fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        let start = if self.hand == NONE { self.list.oldest() } else { Some(self.hand) };
        let after_hand =
            std::iter::successors(start, |&slot| Some(self.links.newer(slot)).filter(|&next| next != NONE));
        let before_hand = self.list.iter(&self.links).take_while(|&slot| Some(slot) != start);
        out.extend(after_hand.chain(before_hand).take(count));
    }
}
