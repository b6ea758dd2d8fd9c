//! Eviction: which entry is evicted when there is no room.
//!
//! ```text
//! shard ─▶ Policy: lru │ lfu │ sieve │ s3_fifo │ w_tiny_lfu │ idle
//!            ├▶ foreseen: what a search would come to
//!            ├▶ links: lists over slot numbers      (residents, 12 bytes each)
//!            └▶ ghosts, frequencies: hashes          (what was seen before and is gone)
//! ```
//!
//! **What a policy knows.** Slot numbers, hashes of keys and marks. It knows no key, no value and no deadline: what
//! has expired is removed before a policy is asked. FIFO and soonest-deadline-first need no policy at all: the shard's
//! insertion order and its timer wheel know which entry is next.
//!
//! **Concurrency.** A policy belongs to one shard and is guarded by its lock. Insertions, removals and evictions come
//! in order. Hits do not: a reader in any thread, the near cache included, adds to the mark of the slot without a
//! lock, and the policy takes the marks of a slot when it looks at it ([`Access`]). Policies that decide by *whether*
//! or *how often* an entry was hit since they last looked lose nothing by that. One that needs the order of hits asks
//! for it ([`Mark::Order`]).
//!
//! **Many shards.** Each shard runs the policy on its own entries, so a map of many shards evicts what its policy
//! would choose among the entries of one shard. Keys are spread by a hash, so every shard sees a fair sample of the
//! requests; what is lost is measured in `benchmark/traces.js`.

mod cells;
mod foreseen;
mod frequencies;
mod ghost;
mod ghosts;
mod idle;
mod lfu;
mod links;
mod lru;
mod miniature;
mod queues;
mod s3_fifo;
mod sieve;
mod w_tiny_lfu;

#[cfg(all(test, not(loom)))]
mod tests;

use super::error::Error;
use crate::store::memory::budget::Memory;
use crate::store::platform::clock::Clock;
use crate::store::platform::sync::Arc;

pub use cells::Cells;
pub use ghost::{Foretold, Ghost};

/// Entries that are looked at to evict one. A policy that spares what was hit would otherwise go over all entries of
/// the shard when all were hit, and the write that waits for it would stall. At up to 100 ns an entry that is 0.4 ms
/// at most; on average an eviction looks at two.
const MAX_LOOKS: usize = 4_096;

/// Hits that readers marked without a lock, by slot.
pub trait Access {
    /// Hits since the last call; the count starts again at 0.
    fn take(&self, slot: u32) -> u32;
    /// The same without starting again.
    fn peek(&self, slot: u32) -> u32;
}

/// Which hits a policy wants to learn of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// None.
    None,
    /// How many there were between two looks, up to so many. What is hit all the time is then only read, not written.
    UpTo(u32),
    /// Each, in the order in which they happened, through [`Policy::hit`].
    Order,
}

/// The policies by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyKind {
    /// Least recently used.
    Lru,
    /// Least frequently used.
    Lfu,
    /// Oldest insertion.
    Fifo,
    /// SIEVE.
    Sieve,
    /// S3-FIFO.
    S3Fifo,
    /// W-TinyLFU over queues.
    #[default]
    WTinyLfu,
    /// Soonest deadline. The shard asks its timer wheel; entries without a deadline are evicted in order of insertion.
    Ttl,
    /// An entry that was not used for so long; none, if there is no such entry.
    Idle {
        /// How long.
        idle_ms: u64,
    },
}

impl PolicyKind {
    /// Those that an option can name.
    const NAMED: [Self; 7] = [Self::Lru, Self::Lfu, Self::Fifo, Self::Sieve, Self::S3Fifo, Self::WTinyLfu, Self::Ttl];

    /// The policy of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|policy| policy.to_string() == name)
    }
}

impl std::fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lru => "lru",
            Self::Lfu => "lfu",
            Self::Fifo => "fifo",
            Self::Sieve => "sieve",
            Self::S3Fifo => "s3-fifo",
            Self::WTinyLfu => "w-tinylfu",
            Self::Ttl => "ttl",
            Self::Idle { .. } => "idle",
        })
    }
}

/// Where an entry stands with its policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The queue that it is in, of a policy that has several.
    pub queue: Option<&'static str>,
    /// Hits that count for it, as far as the policy counts them: those that it has learned of and those that are
    /// marked.
    pub uses: Option<u32>,
    /// How often its key was seen lately, whether there was an entry or not: an estimate.
    pub frequency: Option<u32>,
}

/// Decides in one shard which entry is evicted.
pub trait Policy: Send {
    /// An entry came into `slot`, after room was made for it. `hash` is its key's. `capacity` is how many entries the
    /// shard holds when it is full, as far as is known. After an error the policy does not know the entry.
    fn insert(&mut self, slot: u32, hash: u64, capacity: usize) -> Result<(), Error>;

    /// Makes sure that an insertion into `slot` will find memory.
    fn make_room(&mut self, slot: u32) -> Result<(), Error>;

    /// Memory that an insertion has replaced and that takes long to free.
    fn take_outgrown(&mut self) -> Option<Cells> {
        None
    }

    /// A hit whose order is known, or a write to an entry that stays.
    fn hit(&mut self, slot: u32);

    /// The entry in `slot` was removed, because it was evicted or for any other cause.
    fn remove(&mut self, slot: u32, hash: u64, was_evicted: bool);

    /// The slot to evict; `None` in an empty shard. Changes nothing but the policy's own bookkeeping: the caller
    /// evicts the entry and reports it through [`Policy::remove`]. `hash_of` returns the hash that a slot was inserted
    /// with.
    fn victim(&mut self, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32>;

    /// What [`Policy::victim`] would choose now. Takes no marks and changes nothing.
    fn next(&self, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64, capacity: usize) -> Option<u32>;

    /// Where the entry in `slot` stands, which the policy knows.
    fn standing(&self, slot: u32, access: &dyn Access, hash_of: &dyn Fn(u32) -> u64) -> Standing;

    /// How many entries it knows.
    fn len(&self) -> usize;

    /// Whether it knows the entry in `slot`, and has it between its neighbours.
    fn has(&self, slot: u32) -> bool;

    /// Bytes set aside, counted from what is there.
    fn bytes(&self) -> usize;

    /// Appends up to `count` slots, roughly in the order in which they would be evicted without further hits.
    fn candidates(&self, count: usize, out: &mut Vec<u32>);
}

/// A policy for one shard, whose bytes are accounted for in `memory`. `None` for those that need none: what a shard
/// knows anyway, the order of insertions and of deadlines, is all they go by.
pub fn make(kind: PolicyKind, memory: &Arc<Memory>, clock: &Clock) -> Option<Box<dyn Policy>> {
    Some(match kind {
        PolicyKind::Fifo | PolicyKind::Ttl => return None,
        PolicyKind::Lru => Box::new(lru::Lru::new(memory)),
        PolicyKind::Lfu => Box::new(lfu::Lfu::new(memory)),
        PolicyKind::Sieve => Box::new(sieve::Sieve::new(memory)),
        PolicyKind::S3Fifo => Box::new(s3_fifo::S3Fifo::new(memory)),
        PolicyKind::WTinyLfu => Box::new(w_tiny_lfu::WTinyLfu::new(memory)),
        PolicyKind::Idle { idle_ms } => Box::new(idle::Idle::new(memory, clock.clone(), idle_ms)),
    })
}

impl PolicyKind {
    /// Which hits its policy wants.
    pub fn mark(self) -> Mark {
        match self {
            Self::Fifo | Self::Ttl => Mark::None,
            Self::Sieve | Self::Idle { .. } => Mark::UpTo(1),
            Self::S3Fifo => Mark::UpTo(queues::MAX_LIVES),
            Self::WTinyLfu => Mark::UpTo(frequencies::MAX_FREQUENCY),
            Self::Lfu => Mark::UpTo(255),
            Self::Lru => Mark::Order,
        }
    }
}

/// How many entries what a policy remembers of the past should have room for, if that differs from the `room` it has.
/// Follows the number of entries while a map fills, so that a roomy map pays nothing for its limit, up to what it
/// holds when full.
fn history_room(room: usize, entries: usize, capacity: usize) -> Option<usize> {
    // Growing forgets, so it goes in steps; while a map fills there is nothing to forget yet.
    let step = room + (room / 4).max(16);
    let grown = (2 * room).min(capacity).max(step).max(entries);
    // A limit that was lowered counts once the entries are gone, too: until then, the next write would need the room
    // again.
    let needed = capacity.max(entries);
    let has_shrunk = room > 1_024 && needed < room / 4;
    if entries > room { Some(grown) } else { has_shrunk.then_some(needed) }
}
