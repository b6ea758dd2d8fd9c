//! What two queues will come to: which entry a search for a victim would find, with no mark taken and no entry moved.
//!
//! A search promotes the first entries of the small queue, so those that it promoted are a prefix of that queue, and it
//! looks at the main queue once. There each round takes one life of every entry, so the victim is the first of those
//! that have the fewest.

use super::queues::{Queue, Queues};
use super::{Access, MAX_LOOKS};

/// How far a search would be.
pub struct Foreseen<'a> {
    queues: &'a Queues,
    newcomers: Box<dyn Iterator<Item = u32> + 'a>,
    /// Entries that would have passed from the small queue to the end of the main one, without lives.
    promoted: usize,
    /// Entries of the small queue.
    pub small: usize,
    /// Entries of the main queue.
    pub main: usize,
}

impl<'a> Foreseen<'a> {
    /// Before it.
    pub fn new(queues: &'a Queues) -> Self {
        let (small, main) = (queues.len(Queue::Small), queues.len(Queue::Main));
        Self { queues, newcomers: Box::new(queues.iter(Queue::Small)), promoted: 0, small, main }
    }

    /// The oldest entry of the small queue.
    pub fn newcomer(&mut self) -> Option<u32> {
        self.newcomers.next()
    }

    /// That entry passes to the main queue.
    pub fn promote(&mut self) {
        self.promoted += 1;
        self.small -= 1;
        self.main += 1;
    }

    /// The entry of the main queue that would be evicted.
    pub fn main_victim(&self, access: &dyn Access) -> Option<u32> {
        let residents = self.queues.iter(Queue::Main).map(|slot| (slot, self.queues.lives_with_hits(slot, access)));
        let promoted = self.queues.iter(Queue::Small).take(self.promoted).map(|slot| (slot, 0));
        let mut fewest: Option<(usize, u32, u32)> = None;
        for (at, (slot, lives)) in residents.chain(promoted).enumerate() {
            // The last: all entries before it were spared.
            if lives == 0 || at == MAX_LOOKS {
                return Some(slot);
            }
            if fewest.is_none_or(|(_, least, _)| lives < least) {
                fewest = Some((at, lives, slot));
            }
        }
        let (at, lives, slot) = fewest?;
        let looks = self.main * lives as usize + at;
        if looks < MAX_LOOKS { Some(slot) } else { self.queues.iter(Queue::Main).nth(MAX_LOOKS % self.main) }
    }
}
