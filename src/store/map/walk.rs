//! Insertion order over all shards: each shard's order, merged by sequence, a window at a time.
//!
//! An iterator is a number, the sequence of the entry that it returned last. So each window begins anew, and what it
//! does must not depend on the number of shards more than by a look at each: a shard says which sequence its next
//! entry has at the least, which it knows of its oldest entry, and of the gap that the window before has recorded
//! (`order/gaps.rs`). Only the shards that are next by that are asked for entries.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::shard::Shard;

/// One entry on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place in the map-wide order; where to go on from.
    pub sequence: u64,
    /// The entry.
    pub handle: Handle,
}

/// What is next in a shard. The earliest one is first in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    /// Sequence of the next entry; of one that was not fetched, the least that it can be.
    sequence: u64,
    shard: u32,
    /// Those that were fetched and did not have their turn.
    fetched: (usize, usize),
    /// Whether there are more behind those.
    has_more: bool,
}

#[cfg(test)]
thread_local! {
    /// How often this thread asked a shard for entries.
    pub static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The next entries after `after`, oldest first: at least one if there is any, at most `count`. `last` is the sequence
/// of the last insertion, read before: what is inserted meanwhile comes in a later window, because shards are asked
/// one after the other, and what one of them gets when it was asked already would be passed over.
pub fn window(shards: &[Shard], last: u64, after: u64, count: usize, out: &mut Vec<Step>) -> Result<(), Error> {
    out.clear();
    let mut heads: Vec<Reverse<Next>> = fallible::vec(shards.len())?;
    heads.extend((0..).zip(shards).filter_map(|(number, shard)| {
        let sequence = shard.first_after(after)?;
        (sequence <= last).then_some(Reverse(Next { sequence, shard: number, fetched: (0, 0), has_more: true }))
    }));
    let mut heads = BinaryHeap::from(heads);
    // One more than its share, so that a shard knows what is next.
    let share = (count / shards.len() * 3 / 2 + 2).min(count + 1);
    let (mut scratch, mut found) = (fallible::vec(share)?, Vec::new());
    while out.len() < count
        && let Some(mut next) = heads.peek_mut()
        && next.0.sequence <= last
    {
        let Next { sequence, shard, fetched: (at, end), .. } = next.0;
        if at == end {
            #[cfg(test)]
            ASKED.set(ASKED.get() + 1);
            let start = found.len();
            fallible::reserve_amortised(&mut found, share)?;
            next.0.has_more = shards[shard as usize].walk(sequence - 1, share, &mut scratch, &mut found);
            next.0.fetched = (start, found.len());
        } else {
            fallible::reserve_amortised(out, 1)?;
            out.push(Step { sequence, handle: found[at].1 });
            next.0.fetched = (at + 1, end);
        }
        match next.0.fetched {
            (at, end) if at < end => next.0.sequence = found[at].0,
            _ if next.0.has_more => next.0.sequence += 1,
            _ => drop(PeekMut::pop(next)),
        }
    }
    let Some(given) = out.last() else { return Ok(()) };
    for Reverse(next) in heads {
        let (at, end) = next.fetched;
        if at < end {
            shards[next.shard as usize].note_gap(given.sequence, found[at].0);
        }
    }
    Ok(())
}
