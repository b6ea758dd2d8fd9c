//! An entry drawn at random, each as likely as any other: first its shard, by its size, then a place in the order of
//! that shard (`slab/order/draw.rs`).

use super::local::Local;
use super::store::Store;
use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::shard::Shard;

/// Draws between two steps that remove entries whose deadline is over, because such an entry was drawn again and again.
const DRAWS_PER_STEP: u32 = 16;
/// Entries that such a step removes.
const EXPIRED_PER_STEP: usize = 64;
/// Such steps of one call: 4,096 entries are removed in two or three milliseconds.
const STEPS: u32 = 64;

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
pub(super) struct Random(u64);

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

/// Where each shard ends when the entries of all are counted through, as they were at one look: for many draws, each
/// of which would otherwise look at every shard.
pub(super) struct Ends(Box<[u64]>);

impl Ends {
    pub fn of(store: &Store) -> Result<Self, Error> {
        let (shards, mut end) = (store.all_shards(), 0);
        let ends = fallible::slice(shards.len(), |number| {
            end += shards[number].len();
            end
        })?;
        Ok(Self(ends))
    }

    /// A shard, by its size. `None` if there were no entries.
    pub fn pick<'s>(&self, store: &'s Store, random: &mut Random) -> Option<&'s Shard> {
        let entries = self.0.last().copied().filter(|&entries| entries > 0)?;
        let entry = random.below(entries);
        store.all_shards().get(self.0.partition_point(|&end| end <= entry))
    }
}

/// The same without counting ahead. `None`, too, if the shards have lost entries since they were counted.
fn pick<'s>(store: &'s Store, random: &mut Random) -> Option<&'s Shard> {
    let mut left = random.below(store.len());
    store.all_shards().iter().find(|shard| match left.checked_sub(shard.len()) {
        Some(more) => {
            left = more;
            false
        }
        None => true,
    })
}

impl Local {
    /// Draws entries until `read` makes something of one. `None` if the map has none, or so many entries whose deadline
    /// is over that a call cannot remove them. What is drawn follows from `seed` and from what is in the map.
    pub fn draw<T>(&self, seed: u64, read: impl FnMut(Handle) -> Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        self.draw_of(seed, |random| pick(self.store(), random), read)
    }

    /// The same with another way to pick a shard by its size.
    pub(super) fn draw_of<'s, T>(
        &'s self,
        seed: u64,
        mut pick: impl FnMut(&mut Random) -> Option<&'s Shard>,
        mut read: impl FnMut(Handle) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.store().context.check()?;
        let mut random = Random(seed);
        for draws in 1..=DRAWS_PER_STEP * STEPS {
            let Some(shard) = pick(&mut random) else {
                if self.is_empty() {
                    break;
                }
                continue;
            };
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;
    use crate::store::entry::key::Key;
    use crate::store::entry::value::Value;
    use crate::store::expiry::life::Ttl;

    #[test]
    fn a_shard_is_picked_by_its_size_however_it_is_picked() {
        const PICKS: u32 = 80_000;
        let store = Store::new(&Config { shards: Some(8), ..Config::default() }).unwrap();
        assert!(Ends::of(&store).unwrap().pick(&store, &mut Random(1)).is_none(), "there is nothing");
        let map = store.join();
        let handles: Vec<_> = (0..4_000)
            .map(|n| map.set(Key::string(&n.to_string()), Value::json("1"), Ttl::Default).unwrap().place.handle)
            .collect();
        let gone = handles.iter().filter(|handle| handle.shard == 3 || handle.shard == 5 && handle.slot % 2 == 0);
        gone.for_each(|&handle| assert!(map.delete(handle).unwrap()));
        let ends = Ends::of(&store).unwrap();
        let ways: [&dyn Fn(&mut Random) -> u32; 2] =
            [&|random| ends.pick(&store, random).unwrap().number(), &|random| pick(&store, random).unwrap().number()];
        for way in ways {
            let (mut counts, mut random) = ([0_u32; 8], Random(7));
            (0..PICKS).for_each(|_| counts[way(&mut random) as usize] += 1);
            for shard in store.all_shards() {
                let expected = f64::from(PICKS) * shard.len() as f64 / store.len() as f64;
                let off = (f64::from(counts[shard.number() as usize]) - expected).abs();
                assert!(off <= 6.0 * expected.sqrt(), "shard {}: {off} of {expected}", shard.number());
            }
        }
    }
}
