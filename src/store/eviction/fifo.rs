//! FIFO: the oldest insertion leaves.
//!
//! A hit changes nothing and is not marked, so reads cost nothing. Exact in each shard; with many shards, the oldest of the
//! shard that needs room. 12 bytes per entry.

use super::super::error::Error;
use super::super::memory::Memory;
use super::super::sync::Arc;
use super::links::{Links, List};
use super::{Access, Mark, Policy};

#[derive(Debug)]
pub struct Fifo {
    links: Links,
    list: List,
}

impl Fifo {
    /// Without entries.
    pub fn new(memory: Arc<Memory>) -> Self {
        Self { links: Links::new(memory), list: List::default() }
    }
}

impl Policy for Fifo {
    fn insert(&mut self, slot: u32, _hash: u64, _capacity: usize) -> Result<(), Error> {
        self.links.add(slot)?;
        self.list.push(&mut self.links, slot);
        Ok(())
    }

    fn hit(&mut self, _slot: u32) {}

    fn remove(&mut self, slot: u32, _hash: u64, _was_evicted: bool) {
        self.list.remove(&mut self.links, slot);
        self.links.forget(slot);
    }

    fn victim(&mut self, _access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        self.list.oldest()
    }

    fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        out.extend(self.list.iter(&self.links).take(count));
    }

    fn mark(&self) -> Mark {
        Mark::None
    }
}
