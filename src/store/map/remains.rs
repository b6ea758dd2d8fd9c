//! What remains of a map that ended, on its way out: with thousands of shards, taking out and freeing what is in each
//! takes milliseconds, so it is done some shards at a time.

use std::collections::VecDeque;

use crate::store::memory::reaper::Debris;
use crate::store::observe::removals::Cause;
use crate::store::platform::sync::{Arc, Ordering};
use crate::store::shard::context::Context;
use crate::store::shard::member::Member;
use crate::store::shard::{Contents, Shard};

/// Shards of a destroyed map that are emptied in a step: a tenth of a millisecond.
const SHARDS_PER_STEP: usize = 32;

/// Shards that are freed in turns. Their pages lie between each other's, and whole stretches go back to the system.
const SHARDS_AT_ONCE: usize = 16;

/// What a destroyed map is to its remains.
pub trait Emptied: Send + Sync {
    /// Empties at most `count` shards, from the one at `from` on; whether there are none after these.
    fn empty_shards(&self, member: &Member<'_>, from: usize, count: usize) -> bool;
}

/// A map that ended.
pub struct Remains {
    context: Arc<Context>,
    shards: Shards,
    bytes: usize,
}

enum Shards {
    /// The map was destroyed, and threads still have it open: these and later shards were not emptied yet.
    Shared { map: Arc<dyn Emptied>, from: usize },
    /// No thread has the map any more, nor a pin: shards, and what was in one of them.
    Own { shards: Vec<Shard>, contents: VecDeque<Contents> },
}

impl Remains {
    /// Of a map that every thread is refused.
    pub fn of_destroyed(context: &Arc<Context>, map: Arc<dyn Emptied>) -> Self {
        let shards = Shards::Shared { map, from: 0 };
        Self { context: Arc::clone(context), shards, bytes: context.memory.total() as usize }
    }

    /// Of a map that no thread has any more.
    pub fn of_dropped(context: &Arc<Context>, shards: Box<[Shard]>) -> Self {
        let shards = Shards::Own { shards: shards.into_vec(), contents: VecDeque::new() };
        Self { context: Arc::clone(context), shards, bytes: context.memory.total() as usize }
    }
}

impl Debris for Remains {
    fn bytes(&self) -> usize {
        self.bytes
    }

    /// Nothing is freed here that a reader may look at: what was taken out of a destroyed map waits for them by itself.
    fn is_unreachable(&self) -> Option<bool> {
        Some(true)
    }

    fn free_some(&mut self) -> bool {
        match &mut self.shards {
            Shards::Shared { map, from } => {
                let first = *from;
                *from += SHARDS_PER_STEP;
                self.context.as_guest(|member| map.empty_shards(member, first, SHARDS_PER_STEP))
            }
            Shards::Own { shards, contents } => {
                if contents.len() < SHARDS_AT_ONCE
                    && let Some(shard) = shards.pop()
                {
                    contents.extend(self.context.as_guest(|member| shard.detach(member, Cause::Cleared)));
                } else if let Some(mut some) = contents.pop_front()
                    && !some.free_some()
                {
                    contents.push_back(some);
                }
                contents.is_empty() && shards.is_empty()
            }
        }
    }

    fn owner(&self) -> usize {
        self.context.debris_owner()
    }

    fn leak(self: Box<Self>) {
        self.context.has_lost.store(true, Ordering::Relaxed);
        std::mem::forget(*self);
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        while !self.free_some() {}
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::Config;
    use crate::store::map::store::Store;

    #[test]
    fn a_map_that_is_emptied_is_asked_for_more_shards_and_has_none() {
        for shards in [1, 32, 64] {
            let store = Store::new(&Config { shards: Some(shards), ..Config::default() }).unwrap();
            store.destroy();
            let mut remains = Remains::of_destroyed(&store.context, Arc::clone(&store) as Arc<dyn Emptied>);
            while !remains.free_some() {}
            assert!(remains.free_some(), "as it is when it is dropped");
        }
    }
}
