//! What the memory of a map is made of, counted by a job of the pool: sizes, kinds, types, prefixes of keys, and the
//! largest entries.
//!
//! It goes over slots as a scan does, 256 under one pin, and reads headers and keys but no values. Each entry is
//! counted as it was when it was looked at, and one that is there all the while is counted once. Everything is bounded:
//! prefixes and types by sketches (`observe/frequent.rs`), which are exact while there are few enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use memchr::memmem::Finder;

use super::reply::{Asked, Reply, reply};
use crate::store::entry::handle::Handle;
use crate::store::entry::key::KeyKind;
use crate::store::entry::value::ValueKind;
use crate::store::error::Error;
use crate::store::events::Wake;
use crate::store::map::store::Store;
use crate::store::memory::reclaim::Participant;
use crate::store::observe::frequent::Frequent;
use crate::store::platform::clock::Patience;
use crate::store::platform::fallible;
use crate::store::platform::pool::{self, Job};
use crate::store::platform::sync::Arc;
use crate::store::shard::{Liveness, Tenant};

/// What a slice of the job takes.
const SLICE: Duration = Duration::from_millis(1);
/// Slots of a stretch.
const SLOTS: u32 = 256;
/// Prefixes and types that are told apart.
const ROOM: usize = 2_048;
/// A separator is looked for in so many bytes of a key.
pub const MOST_PREFIX_BYTES: usize = 256;
/// Sizes by powers of two: the last is for all above.
const SIZES: usize = 33;
/// Numbers of kinds are below this.
const KINDS: usize = ValueKind::EncodedUtf16 as usize + 1;

/// What is asked for.
#[derive(Debug)]
pub struct Wanted {
    /// What ends the prefix of a key. No prefixes are told apart if it is empty.
    pub separator: Vec<u8>,
    /// How many of the largest entries are named.
    pub largest: usize,
}

/// Entries and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many entries.
    pub entries: u64,
    /// Bytes that they cost.
    pub bytes: u64,
    /// The part that is keys.
    pub key_bytes: u64,
    /// The part that is values as they are stored.
    pub value_bytes: u64,
}

/// What a map is made of.
#[derive(Debug)]
pub struct Distribution {
    /// All entries.
    pub all: Sum,
    /// By size: those of place `n` cost more than `2^(n-1)` bytes and at most `2^n`.
    pub sizes: [Sum; SIZES],
    /// By the number of their kind.
    pub kinds: [Sum; KINDS],
    /// By the number of their type, 0 for none.
    pub types: Frequent<u32, Sum>,
    /// By what their keys begin with.
    pub prefixes: Frequent<Vec<u8>, Sum>,
    /// Those with a key that has no prefix.
    pub without_prefix: Sum,
    /// The largest, with their kinds and bytes, largest first.
    pub largest: Vec<(u64, Handle, ValueKind)>,
}

impl Distribution {
    fn new(room: usize) -> Result<Box<Self>, Error> {
        fallible::boxed(Self {
            all: Sum::default(),
            sizes: [Sum::default(); SIZES],
            kinds: [Sum::default(); KINDS],
            types: Frequent::new(room)?,
            prefixes: Frequent::new(room)?,
            without_prefix: Sum::default(),
            largest: Vec::new(),
        })
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.key_bytes += other.key_bytes;
        self.value_bytes += other.value_bytes;
    }
}

/// Bytes, shard, slot, generation and the number of the kind.
type Large = (u64, u32, u32, u32, u8);

struct Counting {
    store: Arc<Store>,
    participant: Arc<Participant>,
    finder: Finder<'static>,
    wanted: Wanted,
    found: Box<Distribution>,
    /// The smallest of the largest is on top.
    largest: BinaryHeap<Reverse<Large>>,
    shard: u32,
    slot: u32,
    reply: Reply<Box<Distribution>>,
}

/// Counts what a map is made of.
pub fn distribution(
    store: &Arc<Store>,
    wanted: Wanted,
    notice: Arc<dyn Wake>,
) -> Result<Asked<Box<Distribution>>, Error> {
    store.context.check()?;
    fallible::grant(wanted.largest * size_of::<(u64, Handle, ValueKind)>())?;
    let found = Distribution::new(ROOM)?;
    let (asked, reply) = reply(notice);
    pool::submit(Counting {
        store: Arc::clone(store),
        participant: store.context.collector.join(),
        finder: Finder::new(&wanted.separator).into_owned(),
        largest: BinaryHeap::with_capacity(wanted.largest + 1),
        wanted,
        found,
        shard: 0,
        slot: 0,
        reply,
    })?;
    Ok(asked)
}

impl Job for Counting {
    fn slice(&mut self) -> bool {
        let patience = Patience::new(SLICE);
        while !self.reply.is_cancelled() {
            match self.stretch() {
                Ok(true) => {}
                Ok(false) => {
                    let found = self.finish();
                    self.reply.give(found);
                    return false;
                }
                Err(refused) => {
                    self.reply.give(Err(refused));
                    return false;
                }
            }
            if patience.is_over() {
                return true;
            }
        }
        false
    }
}

impl Counting {
    /// Looks at some slots. Whether there are more.
    fn stretch(&mut self) -> Result<bool, Error> {
        let store = Arc::clone(&self.store);
        store.context.check()?;
        let Some(shard) = store.shard(self.shard) else { return Ok(false) };
        let participant = Arc::clone(&self.participant);
        let pin = store.context.collector.pin(&participant);
        let end = self.slot.saturating_add(SLOTS);
        while self.slot < end {
            let (tenant, next) = shard.next_tenant(self.slot, end, &pin);
            if let Some(tenant) = tenant
                && (!store.context.may_expire() || shard.liveness(tenant, &store.context) == Liveness::Alive)
            {
                self.count(&tenant)?;
            }
            let Some(next) = next else {
                (self.shard, self.slot) = (self.shard + 1, 0);
                return Ok(true);
            };
            self.slot = next;
        }
        Ok(true)
    }

    fn count(&mut self, tenant: &Tenant<'_>) -> Result<(), Error> {
        let (entry, key) = (tenant.entry, tenant.entry.key());
        let bytes = entry.weight_bytes() as u64;
        let key_bytes = if key.kind() == KeyKind::Keyless { 0 } else { key.len() as u64 };
        let sum = Sum { entries: 1, bytes, key_bytes, value_bytes: entry.value_len() as u64 };
        let found = &mut *self.found;
        found.all.add(sum);
        found.sizes[size_class(bytes)].add(sum);
        if let Some(of_kind) = found.kinds.get_mut(entry.value_kind() as usize) {
            of_kind.add(sum);
        }
        found.types.add(&entry.type_id(), bytes, |&id| Ok(id), |of_type| of_type.add(sum))?;
        match prefix_of(&self.finder, key.kind(), key.bytes()) {
            Some(prefix) => {
                let own = |prefix: &[u8]| {
                    let mut copy = Vec::new();
                    fallible::copy_into(&mut copy, prefix).map(|()| copy)
                };
                found.prefixes.add(prefix, bytes, own, |of_prefix| of_prefix.add(sum))?;
            }
            None => found.without_prefix.add(sum),
        }
        self.note_large(tenant, bytes);
        Ok(())
    }

    fn note_large(&mut self, tenant: &Tenant<'_>, bytes: u64) {
        let is_full = self.largest.len() >= self.wanted.largest;
        if is_full && self.largest.peek().is_none_or(|Reverse(smallest)| smallest.0 >= bytes) {
            return;
        }
        let Some(place) = tenant.place() else { return };
        let Handle { shard, slot, generation } = place.handle;
        self.largest.push(Reverse((bytes, shard, slot, generation, tenant.entry.value_kind() as u8)));
        if is_full {
            self.largest.pop();
        }
    }

    fn finish(&mut self) -> Result<Box<Distribution>, Error> {
        let mut found = std::mem::replace(&mut self.found, Distribution::new(0)?);
        let largest = std::mem::take(&mut self.largest).into_sorted_vec().into_iter();
        let row = |Reverse((bytes, shard, slot, generation, kind)): Reverse<Large>| {
            Some((bytes, Handle { shard, slot, generation }, ValueKind::from_number(kind)?))
        };
        found.largest = largest.filter_map(row).collect();
        Ok(found)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.store.context.collector.leave(&self.participant);
    }
}

/// The place of a size in the histogram.
fn size_class(bytes: u64) -> usize {
    (bytes.max(1).next_power_of_two().trailing_zeros() as usize).min(SIZES - 1)
}

/// What a key begins with, the separator included.
fn prefix_of<'k>(finder: &Finder<'_>, kind: KeyKind, key: &'k [u8]) -> Option<&'k [u8]> {
    let separator = finder.needle().len();
    if kind != KeyKind::String || separator == 0 {
        return None;
    }
    let end = finder.find(&key[..key.len().min(MOST_PREFIX_BYTES)])? + separator;
    Some(&key[..end])
}
