//! Two queues, small and main, and how the main one gives second chances. S3-FIFO and W-TinyLFU differ in which entry
//! passes from one to the other.
//!
//! An entry in the main queue has up to three lives: as many as it had hits since it came in or was last spared. The
//! oldest entry goes to the end of the queue for one life, and is evicted without one.

use super::super::error::Error;
use super::links::{Links, List};
use super::{Access, MAX_LOOKS, Standing};
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;

/// Which queue an entry is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Where newcomers are tried.
    Small,
    /// Where those stay that proved themselves.
    Main,
}

/// The most lives an entry can have, from the S3-FIFO paper. With one, W-TinyLFU loses 0.1 points.
pub const MAX_LIVES: u32 = 3;

/// A slot's note: whether it is in the main queue (1 bit) · lives (2) · hits by writers that were not taken yet (8).
const IN_MAIN: u32 = 1;
const LIVES_SHIFT: u32 = 1;
const HITS_SHIFT: u32 = 3;
const ONE_HIT: u32 = 1 << HITS_SHIFT;
const MAX_HITS: u32 = 255;

#[derive(Debug)]
pub struct Queues {
    links: Links,
    small: List,
    main: List,
}

impl Queues {
    /// Both empty.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { links: Links::new(memory), small: List::default(), main: List::default() }
    }

    /// How many entries are in a queue.
    pub fn len(&self, queue: Queue) -> usize {
        self.list(queue).len()
    }

    /// How many entries there are.
    pub fn total(&self) -> usize {
        self.small.len() + self.main.len()
    }

    /// Whether an entry is in one of them.
    pub fn has(&self, slot: u32) -> bool {
        self.links.has(slot)
    }

    /// Bytes of both.
    pub fn bytes(&self) -> usize {
        self.links.bytes()
    }

    /// The entry that came into a queue first.
    pub fn oldest(&self, queue: Queue) -> Option<u32> {
        self.list(queue).oldest()
    }

    /// Makes sure that an entry in `slot` will find room.
    pub fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        self.links.make_room(slot)
    }

    /// Adds an entry without hits.
    pub fn add(&mut self, slot: u32, queue: Queue) -> Result<(), Error> {
        self.links.add(slot)?;
        match queue {
            Queue::Small => self.small.push(&mut self.links, slot),
            Queue::Main => self.enter_main(slot),
        }
        Ok(())
    }

    /// Records a hit.
    pub fn hit(&mut self, slot: u32) {
        let note = self.links.note(slot);
        if note >> HITS_SHIFT < MAX_HITS {
            self.links.set_note(slot, note + ONE_HIT);
        }
    }

    /// Takes an entry out of its queue, and returns which that was.
    pub fn remove(&mut self, slot: u32) -> Queue {
        let queue = if self.links.note(slot) & IN_MAIN == 0 { Queue::Small } else { Queue::Main };
        match queue {
            Queue::Small => self.small.remove(&mut self.links, slot),
            Queue::Main => self.main.remove(&mut self.links, slot),
        }
        self.links.forget(slot);
        queue
    }

    /// Hits since the last call.
    pub fn take_hits(&mut self, slot: u32, access: &dyn Access) -> u32 {
        let note = self.links.note(slot);
        self.links.set_note(slot, note & (ONE_HIT - 1));
        access.take(slot) + (note >> HITS_SHIFT)
    }

    /// The same, which the next call finds again.
    pub fn hits(&self, slot: u32, access: &dyn Access) -> u32 {
        access.peek(slot) + (self.links.note(slot) >> HITS_SHIFT)
    }

    /// Lives that a look at an entry of the main queue would find.
    pub fn lives_with_hits(&self, slot: u32, access: &dyn Access) -> u32 {
        (self.lives(slot) + self.hits(slot, access)).min(MAX_LIVES)
    }

    /// The entries of a queue, from the one that came first.
    pub fn iter(&self, queue: Queue) -> impl Iterator<Item = u32> + use<'_> {
        self.list(queue).iter(&self.links)
    }

    /// Where an entry stands; `small` is what the small queue is called.
    pub fn standing(&self, slot: u32, access: &dyn Access, small: &'static str) -> Standing {
        let is_main = self.links.note(slot) & IN_MAIN != 0;
        let (queue, lives) = if is_main { ("main", self.lives(slot)) } else { (small, 0) };
        Standing { queue: Some(queue), uses: Some(lives + self.hits(slot, access)), frequency: None }
    }

    /// Moves an entry from the small queue to the main one.
    pub fn promote(&mut self, slot: u32) {
        self.small.remove(&mut self.links, slot);
        self.enter_main(slot);
    }

    /// The oldest entry of the main queue that has no life left. `learn` receives hits that were found on the way.
    pub fn main_victim(&mut self, access: &dyn Access, mut learn: impl FnMut(u32, u32)) -> Option<u32> {
        for _ in 0..MAX_LOOKS {
            let slot = self.main.oldest()?;
            let hits = self.take_hits(slot, access);
            if hits > 0 {
                learn(slot, hits);
            }
            let lives = (self.lives(slot) + hits).min(MAX_LIVES);
            if lives == 0 {
                return Some(slot);
            }
            self.links.set_note(slot, IN_MAIN | (lives - 1) << LIVES_SHIFT);
            self.main.renew(&mut self.links, slot);
        }
        self.main.oldest()
    }

    /// Appends up to `count` slots: of the small queue, then of the main one.
    pub fn candidates(&self, count: usize, out: &mut Vec<u32>) {
        out.extend(self.small.iter(&self.links).chain(self.main.iter(&self.links)).take(count));
    }

    fn list(&self, queue: Queue) -> &List {
        match queue {
            Queue::Small => &self.small,
            Queue::Main => &self.main,
        }
    }

    fn enter_main(&mut self, slot: u32) {
        self.links.set_note(slot, IN_MAIN);
        self.main.push(&mut self.links, slot);
    }

    fn lives(&self, slot: u32) -> u32 {
        self.links.note(slot) >> LIVES_SHIFT & MAX_LIVES
    }
}
