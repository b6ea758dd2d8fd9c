//! What some entries that are drawn say of all, for advice.

use super::draw::Ends;
use super::local::Local;
use crate::store::error::Error;
use crate::store::shard::Shard;

/// Entries that are drawn: a share of them is right within some five per cent, and it takes a millisecond.
const DRAWN: u64 = 512;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Entries with a key that were looked at.
    pub probed: u32,
    /// Words of the index that looks for their keys read, all together.
    pub probes: u64,
    /// The most of one.
    pub longest_probe: u64,
    /// Entries whose policy counts their uses.
    pub counted: u32,
    /// Those of them without any.
    pub unused: u32,
    /// Entries of the fullest shard.
    pub fullest_shard: u64,
}

impl Local {
    /// Draws entries and looks at them. What is drawn follows from `seed`.
    pub fn survey(&self, seed: u64) -> Result<Survey, Error> {
        let store = self.store();
        store.context.check()?;
        let fullest_shard = store.all_shards().iter().map(Shard::len).max().unwrap_or(0);
        let mut found = Survey { fullest_shard, ..Survey::default() };
        let ends = Ends::of(store)?;
        for n in 0..DRAWN {
            let seed = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let pick = |random: &mut _| ends.pick(store, random);
            let glance = self.draw_of(seed, pick, |handle| {
                let shard = store.shard(handle.shard);
                Ok(shard.and_then(|shard| shard.glance(&store.context, handle)))
            })?;
            let Some(glance) = glance else { break };
            if let Some(length) = glance.probe_length {
                found.probed += 1;
                found.probes += length as u64;
                found.longest_probe = found.longest_probe.max(length as u64);
            }
            if let Some(uses) = glance.uses {
                found.counted += 1;
                found.unused += u32::from(uses == 0);
            }
        }
        Ok(found)
    }
}
