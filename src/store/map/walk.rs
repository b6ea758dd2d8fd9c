//! Insertion order over all shards: each shard's order, merged by sequence, a window at a time.
//!
//! An iterator is a number, the sequence of the entry that it returned last. So each window begins anew, and what it
//! does must not depend on the number of shards more than by a look at each: a shard says which sequence its next
//! entry has at the least, which it knows of its oldest entry, and of the gap that the window before has recorded
//! (`order/gaps.rs`). Only the shards that are next by that are asked for entries.
//!
//! Sequences are numbers of one map, each of one entry. So a *stretch* of as many sequences as entries are wanted holds
//! no more entries than that, whichever shards have them: each shard is asked for those of its own, nothing is fetched
//! in vain, and their order is had by putting each into the place of its sequence. Where much was removed, the next
//! stretch is longer, and begins with the next entry that any shard knows of.

use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::shard::Shard;

/// Sequences of a stretch, at most: it costs a word for each.
const LONGEST_STRETCH: usize = 4_096;
/// How much longer a stretch is than the one before, which held too few.
const LONGER: usize = 4;

/// A stretch with less than one entry in so many sequences is sorted: a look at each place would take longer. So it is
/// where few entries are of the type that is walked over.
const FEW: usize = 16;

/// One entry on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place in the map-wide order; where to go on from.
    pub sequence: u64,
    /// The entry.
    pub handle: Handle,
}

/// What is next in a shard.
struct Next {
    shard: u32,
    /// Sequence of its next entry; before it was asked, the least that this can be.
    sequence: u64,
}

#[cfg(test)]
thread_local! {
    /// How often this thread asked a shard for entries.
    pub static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The next entries after `after`, oldest first: at least one if there is any, at most `count`. Those of a type, unless
/// that is 0. `last` is the sequence of the last insertion, read before: what is inserted meanwhile comes in a later
/// window, because shards are asked one after the other, and what one of them gets when it was asked already would be
/// passed over.
pub fn window(
    shards: &[Shard],
    type_id: u32,
    last: u64,
    after: u64,
    count: usize,
    out: &mut Vec<Step>,
) -> Result<(), Error> {
    out.clear();
    let mut heads: Vec<Next> = fallible::vec(shards.len())?;
    let first_of = |(shard, of): (u32, &Shard)| Some(Next { shard, sequence: of.first_after(type_id, after)? });
    heads.extend((0..).zip(shards).filter_map(first_of));
    let (mut scratch, mut found, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let mut length = count.min(LONGEST_STRETCH);
    while out.len() < count
        && let Some(first) = heads.iter().map(|next| next.sequence).min()
        && first <= last
    {
        let end = last.min(first + length as u64 - 1);
        found.clear();
        fallible::reserve(&mut found, length)?;
        fallible::reserve(&mut scratch, length)?;
        heads.retain_mut(|next| {
            if next.sequence > end {
                return true;
            }
            #[cfg(test)]
            ASKED.set(ASKED.get() + 1);
            let answer = shards[next.shard as usize].walk(type_id, next.sequence - 1, end, &mut scratch, &mut found);
            next.sequence = answer.unwrap_or(u64::MAX);
            answer.is_some()
        });
        let wanted = found.len().min(count - out.len());
        fallible::reserve(out, wanted)?;
        let step = |&(sequence, handle): &(u64, Handle)| Step { sequence, handle };
        if found.len() < length / FEW {
            found.sort_unstable_by_key(|&(sequence, _)| sequence);
            out.extend(found.iter().take(wanted).map(step));
        } else {
            places.clear();
            fallible::reserve(&mut places, length)?;
            places.resize(length, 0_u32);
            for (place, &(sequence, _)) in (1..).zip(&found) {
                places[(sequence - first) as usize] = place;
            }
            let in_order = places.iter().filter_map(|&place| found.get((place as usize).wrapping_sub(1)));
            out.extend(in_order.take(wanted).map(step));
        }
        length = (length * LONGER).min(LONGEST_STRETCH);
    }
    Ok(())
}
