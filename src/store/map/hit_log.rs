//! The hits of one thread in the order in which they happened, for a policy that goes by it.
//!
//! ```text
//! words:  [ hits logged | ticket | ticket | … ]      ticket = slot * shards + shard
//! ```
//!
//! Its thread alone writes it: reads in Rust through [`HitLog::note`], reads that never leave JavaScript directly. It
//! is replayed when it is full, and before each write of its thread, so that with one thread a policy learns of
//! everything in order. A ticket says nothing of the tenant: where another thread changed it meanwhile, the newcomer
//! gets the hit.

use crate::store::error::Error;
use crate::store::platform::sync::{Arc, Ordering};
use crate::store::shard::context::Context;
use crate::store::slab::words::Words;

/// Hits between two replays at most: they cost 4 KB, and a replay some ten microseconds.
const HITS: usize = 1_023;

/// What one takes.
pub const BYTES: u64 = (1 + HITS as u64) * size_of::<u32>() as u64;

/// One thread's hits in one map.
pub struct HitLog {
    words: Arc<Words>,
    shards: u32,
}

impl HitLog {
    /// No hits yet.
    pub fn new(shards: u32, context: &Context) -> Result<Self, Error> {
        let _transfer = context.memory.transfer();
        let words = Arc::new(Words::new(1 + HITS, &context.memory)?);
        context.words.register(&words, None)?;
        Ok(Self { words, shards })
    }

    /// The memory, to be shared with those that record hits for the same thread.
    pub fn words(&self) -> &Arc<Words> {
        &self.words
    }

    /// Records a hit; returns whether the log is full.
    #[inline]
    pub fn note(&self, shard: u32, slot: u32) -> bool {
        let cells = self.words.cells();
        let noted = cells[0].load(Ordering::Relaxed) as usize;
        // Slots too far away for a ticket go without; it takes four billion entries.
        let Some(ticket) = slot.checked_mul(self.shards) else { return false };
        if noted < HITS {
            cells[1 + noted].store(ticket + shard, Ordering::Relaxed);
            cells[0].store(noted as u32 + 1, Ordering::Relaxed);
        }
        noted + 1 >= HITS
    }

    /// Whether the log is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.words.cells()[0].load(Ordering::Relaxed) == 0
    }

    /// Takes out all hits, as shard and slots of hits in a row that went to it.
    pub fn replay(&self, mut hits: impl FnMut(u32, &[u32])) {
        let cells = self.words.cells();
        // JavaScript can write here, so nothing is taken for granted.
        let noted = (cells[0].swap(0, Ordering::Relaxed) as usize).min(HITS);
        let tickets = cells[1..=noted].iter().map(|cell| cell.load(Ordering::Relaxed));
        let (mut slots, mut current) = (Vec::new(), 0);
        for ticket in tickets {
            let shard = ticket % self.shards;
            if shard != current && !slots.is_empty() {
                hits(current, &slots);
                slots.clear();
            }
            current = shard;
            slots.push(ticket / self.shards);
        }
        if !slots.is_empty() {
            hits(current, &slots);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;

    #[test]
    fn hits_come_out_in_order_by_shard() {
        let context = Context::new(&Config::default());
        let log = HitLog::new(4, &context).unwrap();
        assert!(log.is_empty());
        for (shard, slot) in [(1, 10), (1, 11), (3, 0), (1, 10), (0, u32::MAX)] {
            assert!(!log.note(shard, slot));
        }
        let mut replayed = Vec::new();
        log.replay(|shard, slots| replayed.push((shard, slots.to_vec())));
        assert_eq!(replayed, [(1, vec![10, 11]), (3, vec![0]), (1, vec![10])]);
        assert!(log.is_empty());
        let full: Vec<bool> = (0..=HITS as u32).map(|slot| log.note(0, slot)).collect();
        assert_eq!(full.iter().filter(|&&is_full| is_full).count(), 2);
        let mut count = 0;
        log.replay(|_, slots| count += slots.len());
        assert_eq!(count, HITS);
    }
}
