//! LFU: evicts the entry that was used least often; among equals, the one that was used least recently.
//!
//! A newcomer starts at 1 and is always admitted; its frequency is forgotten when it is removed. Lists of slots by
//! frequency, in a sorted array, because most shards see few different frequencies.
//!
//! **Exactness.** Frequencies are learned when an entry is about to be evicted: its marks are taken, and it moves up
//! by as many. An entry without marks at the bottom has the lowest frequency of all, because the others only have
//! more, so the choice is that of an LFU which sees each hit at once, up to 255 hits between two looks. Ties are where
//! it differs: recency is when an entry reached its frequency as far as the policy had learned. On the traces that
//! `benchmark/traces.js` replays, the hit ratio is the exact one within 0.03 points. With many shards, the least
//! frequently used of the shard that needs room. 12 bytes per entry, and 16 for each different frequency.

use super::super::error::Error;
use super::links::{Links, List};
use super::{Access, MAX_LOOKS, Policy, Standing};
use crate::store::memory::boxes;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::sync::Arc;

/// The slots of one frequency.
#[derive(Debug)]
struct Class {
    /// Also the note of each of its slots.
    frequency: u32,
    list: List,
}

#[derive(Debug)]
pub struct Lfu {
    links: Links,
    /// By descending frequency, so that newcomers, which are at the end, move nothing. Invariant: none is empty.
    classes: Vec<Class>,
    /// For `classes`.
    held: Reservation,
}

impl Lfu {
    /// Without entries.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { links: Links::new(memory), classes: Vec::new(), held: Reservation::empty(memory, Use::Policy) }
    }

    fn find(&self, frequency: u32) -> Result<usize, usize> {
        self.classes.binary_search_by(|class| frequency.cmp(&class.frequency))
    }

    /// Makes sure that one more class finds room.
    fn make_room_for_class(&mut self) -> Result<(), Error> {
        let wanted = self.classes.len() + 1;
        boxes::grow(&mut self.classes, wanted, &mut self.held)
    }

    /// Puts a slot that is in no list where its frequency says. There is room for one more class.
    fn put(&mut self, slot: u32, frequency: u32) {
        let at = self.find(frequency).unwrap_or_else(|at| {
            self.classes.insert(at, Class { frequency, list: List::default() });
            at
        });
        self.links.set_note(slot, frequency);
        self.classes[at].list.push(&mut self.links, slot);
    }

    fn take_out(&mut self, slot: u32) {
        if let Ok(at) = self.find(self.links.note(slot)) {
            self.classes[at].list.remove(&mut self.links, slot);
            if self.classes[at].list.len() == 0 {
                self.classes.remove(at);
            }
        }
    }

    /// Adds hits to a slot's frequency.
    fn raise(&mut self, slot: u32, hits: u32) {
        // Without memory for another class, the hits are lost; the entry stays where it is.
        if self.make_room_for_class().is_ok() {
            let frequency = self.links.note(slot).saturating_add(hits);
            self.take_out(slot);
            self.put(slot, frequency);
        }
    }
}

impl Policy for Lfu {
    fn insert(&mut self, slot: u32, _hash: u64, _capacity: usize) -> Result<(), Error> {
        self.make_room_for_class()?;
        self.links.add(slot)?;
        self.put(slot, 1);
        Ok(())
    }

    fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.make_room_for_class()?;
        self.links.make_room(slot)
    }

    fn hit(&mut self, slot: u32) {
        self.raise(slot, 1);
    }

    fn remove(&mut self, slot: u32, _hash: u64, _was_evicted: bool) {
        self.take_out(slot);
        self.links.forget(slot);
    }

    fn victim(&mut self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        for _ in 0..MAX_LOOKS {
            let slot = self.classes.last()?.list.oldest()?;
            let hits = access.take(slot);
            if hits == 0 {
                return Some(slot);
            }
            self.raise(slot, hits);
        }
        self.classes.last()?.list.oldest()
    }

    fn next(&self, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64, _capacity: usize) -> Option<u32> {
        // The first of those that marks would raise the least.
        let mut raised: Option<(u32, u32)> = None;
        let slots = self
            .classes
            .iter()
            .rev()
            .flat_map(|class| class.list.iter(&self.links).map(|slot| (class.frequency, slot)));
        for (frequency, slot) in slots.take(MAX_LOOKS) {
            if raised.is_some_and(|(least, _)| least < frequency) {
                break;
            }
            let hits = access.peek(slot);
            if hits == 0 {
                return Some(slot);
            }
            let higher = frequency.saturating_add(hits);
            if raised.is_none_or(|(least, _)| higher < least) {
                raised = Some((higher, slot));
            }
        }
        raised.map(|(_, slot)| slot)
    }

    fn standing(&self, slot: u32, access: &dyn Access, _hash_of: &dyn Fn(u32) -> u64) -> Standing {
        let uses = self.links.note(slot).saturating_add(access.peek(slot));
        Standing { uses: Some(uses), ..Standing::default() }
    }

    fn len(&self) -> usize {
        self.classes.iter().map(|class| class.list.len()).sum()
    }

    fn has(&self, slot: u32) -> bool {
        self.links.has(slot)
    }

    fn bytes(&self) -> usize {
        self.links.bytes() + self.classes.capacity() * size_of::<Class>()
    }

    fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        let slots = self.classes.iter().rev().flat_map(|class| class.list.iter(&self.links));
        out.extend(slots.take(count));
    }
}
