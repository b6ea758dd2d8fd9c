//! An entry drawn at random, each as likely as any other: first its shard, by its size, then a place in the order of
//! that shard (`slab/order/draw.rs`).

use super::local::Local;
use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::shard::Shard;

/// Draws between two steps that remove entries whose deadline is over, because such an entry was drawn again and again.
const DRAWS_PER_STEP: u32 = 16;
/// Entries that such a step removes.
const EXPIRED_PER_STEP: usize = 64;
/// Such steps of one call: 4,096 entries are removed in two or three milliseconds.
const STEPS: u32 = 64;

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`. What is left over of 2^64 makes one of them more likely by less than a billionth.
    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> u64::BITS) as u64
    }
}

impl Local {
    /// Draws entries until `read` makes something of one. `None` if the map has none, or so many entries whose deadline
    /// is over that a call cannot remove them. What is drawn follows from `seed` and from what is in the map.
    pub fn draw<T>(
        &self,
        seed: u64,
        mut read: impl FnMut(Handle) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let store = self.store();
        store.context.check()?;
        let mut random = Random(seed);
        for draws in 1..=DRAWS_PER_STEP * STEPS {
            let entries = store.len();
            if entries == 0 {
                break;
            }
            let mut left = random.below(entries);
            let shard = store.all_shards().iter().find(|shard| match left.checked_sub(shard.len()) {
                Some(more) => {
                    left = more;
                    false
                }
                None => true,
            });
            // Without one, the shards have lost entries since they were counted.
            let Some(shard) = shard else { continue };
            if let Some(handle) = shard.draw(|limit| random.below(limit))
                && let Some(answer) = read(handle)?
            {
                return Ok(Some(answer));
            }
            if draws % DRAWS_PER_STEP == 0 {
                self.expire_some(shard)?;
            }
        }
        Ok(None)
    }

    /// Removes some entries of a shard whose deadline is over.
    fn expire_some(&self, shard: &Shard) -> Result<(), Error> {
        let now_ms = self.store().clock().now_ms();
        if shard.next_deadline_ms() <= now_ms {
            shard.expire_due(&self.member(), now_ms, EXPIRED_PER_STEP)?;
        }
        Ok(())
    }
}
