//! Idle: evicts entries that were not used for as long as asked, longest first; none if all were used.
//!
//! A list in the order in which entries were last seen in use. A hit is seen when the entry is the oldest of the list:
//! it then counts as used at that moment, and goes to the end. So an entry is evicted only if it certainly was idle
//! for so long, and may stay up to as long again. Exact in each shard, but for that. 12 bytes per entry.

use super::super::error::Error;
use super::links::{Links, List};
use super::{Access, MAX_LOOKS, Policy, Standing};
use crate::store::memory::budget::Memory;
use crate::store::platform::clock::Clock;
use crate::store::platform::sync::Arc;

/// Times are stored in 32 bits of this many milliseconds, which is enough for two years.
const TICK_MS: u64 = 16;

/// The list, and when an entry was last seen in use.
pub struct Idle {
    links: Links,
    list: List,
    clock: Clock,
    longest_ticks: u64,
}

impl Idle {
    /// Without entries.
    pub fn new(memory: &Arc<Memory>, clock: Clock, idle_ms: u64) -> Self {
        Self { links: Links::new(memory), list: List::default(), clock, longest_ticks: idle_ms.div_ceil(TICK_MS) }
    }

    fn now(&self) -> u32 {
        u32::try_from(self.clock.now_ms() / TICK_MS).unwrap_or(u32::MAX)
    }

    fn used(&mut self, slot: u32) {
        self.links.set_note(slot, self.now());
        self.list.renew(&mut self.links, slot);
    }
}

impl Policy for Idle {
    fn insert(&mut self, slot: u32, _hash: u64, _capacity: usize) -> Result<(), Error> {
        self.links.add(slot)?;
        self.links.set_note(slot, self.now());
        self.list.push(&mut self.links, slot);
        Ok(())
    }

    fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.links.make_room(slot)
    }

    fn hit(&mut self, slot: u32) {
        self.used(slot);
    }

    fn remove(&mut self, slot: u32, _hash: u64, _was_evicted: bool) {
        self.list.remove(&mut self.links, slot);
        self.links.forget(slot);
    }

    fn victim(&mut self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        for _ in 0..MAX_LOOKS {
            let slot = self.list.oldest()?;
            if access.take(slot) == 0 {
                let idle = u64::from(self.now().saturating_sub(self.links.note(slot)));
                // A tick that began is not over.
                return (idle > self.longest_ticks).then_some(slot);
            }
            self.used(slot);
        }
        None
    }

    fn next(&self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        // What was hit counts as used at the moment when that is seen.
        let unused = self.list.iter(&self.links).take(MAX_LOOKS).find(|&slot| access.peek(slot) == 0)?;
        let idle = u64::from(self.now().saturating_sub(self.links.note(unused)));
        (idle > self.longest_ticks).then_some(unused)
    }

    fn standing(&self, slot: u32, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64) -> Standing {
        Standing { uses: Some(access.peek(slot)), ..Standing::default() }
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
