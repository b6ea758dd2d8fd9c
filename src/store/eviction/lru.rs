//! LRU: evicts the entry that was not used for the longest time.
//!
//! Exact in each shard for the order of hits that are reported to it ([`Mark::Order`]): each thread logs its hits, and
//! the log is replayed before the thread's own writes and before anything is evicted. With one thread that is the
//! order in which they happened; hits of several threads come in the order of their logs. With many shards, the least
//! recently used of the shard that needs room. 12 bytes per entry.

use super::super::error::Error;
use super::links::{Links, List};
use super::{Access, Policy, Standing};
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

#[derive(Debug)]
pub struct Lru {
    links: Links,
    list: List,
}

impl Lru {
    /// Without entries.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { links: Links::new(memory), list: List::default() }
    }
}

impl Policy for Lru {
    fn insert(&mut self, slot: u32, _hash: u64, _capacity: usize) -> Result<(), Error> {
        self.links.add(slot)?;
        self.list.push(&mut self.links, slot);
        Ok(())
    }

    fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.links.make_room(slot)
    }

    fn hit(&mut self, slot: u32) {
        self.list.renew(&mut self.links, slot);
    }

    fn remove(&mut self, slot: u32, _hash: u64, _was_evicted: bool) {
        self.list.remove(&mut self.links, slot);
        self.links.forget(slot);
    }

    fn victim(&mut self, _access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        self.list.oldest()
    }

    fn next(&self, _access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        self.list.oldest()
    }

    fn standing(&self, _slot: u32, _access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64) -> Standing {
        Standing::default()
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
        out.extend(self.list.iter(&self.links).take(count));
    }
}
