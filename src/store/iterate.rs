//! Insertion order over all shards: each shard's order, merged by sequence, a window at a time.

use super::error::Error;
use super::fallible;
use super::handle::Handle;
use super::shard::Shard;

/// One entry on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place in the map-wide order; where to go on from.
    pub sequence: u64,
    /// The entry.
    pub handle: Handle,
}

/// Up to so many shards, each is asked for a few entries more than its share.
const FEW_SHARDS: usize = 256;

/// The next entries after `after`, oldest first: at least one if there is any, at most `count`.
///
/// Each shard gives a share of the window. Where a shard has more than its share, nothing beyond its last answer can be
/// told yet, so the window ends at the smallest of these.
pub fn window(shards: &[Shard], after: u64, count: usize, out: &mut Vec<Step>) -> Result<(), Error> {
    out.clear();
    // With thousands of shards, two or three of each are a window of hundreds before any of them has a third or fourth.
    let least = if shards.len() <= FEW_SHARDS { 8 } else { 3 };
    let share = count / shards.len() * 2 + least;
    let entries = shards.iter().map(Shard::len).sum::<u64>() as usize;
    let mut scratch = fallible::vec(share.min(entries))?;
    let mut found = fallible::vec(count.saturating_mul(2).min(entries))?;
    let mut end = u64::MAX;
    for shard in shards.iter().filter(|shard| shard.len() > 0) {
        let more = shard.walk(after, share, &mut scratch, &mut found);
        if let (true, Some(&(last, _))) = (more, found.last()) {
            end = end.min(last);
        }
    }
    found.retain(|&(sequence, _)| sequence <= end);
    found.sort_unstable_by_key(|&(sequence, _)| sequence);
    fallible::reserve(out, found.len().min(count))?;
    out.extend(found.iter().take(count).map(|&(sequence, handle)| Step { sequence, handle }));
    Ok(())
}
