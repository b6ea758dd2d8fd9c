//! One thread's membership of a map: its reclamation word, its counters, and every operation.

use std::cell::Cell;
use std::marker::PhantomData;

use super::error::Error;
use super::events::Level;
use super::handle::{Handle, Place};
use super::iterate::{self, Step};
use super::key::{Key, KeyKind};
use super::reaper;
use super::reclaim::{Participant, Pin};
use super::shard::{Presence, Shard, Target, Tenant, Written};
use super::stats::Counters;
use super::store::Store;
use super::sync::{Arc, CachePadded};
use super::value::{Value, ValueKind};
use super::words::Words;

/// A map as one thread uses it. Not shared between threads: each makes its own with [`Store::join`].
///
/// Reads copy into a buffer of the caller's and take no lock. Every operation fails with [`Error::Closed`] after
/// [`Store::destroy`] and with [`Error::Broken`] after a panic under a lock.
pub struct Local {
    store: Arc<Store>,
    participant: Arc<Participant>,
    counters: Arc<CachePadded<Counters>>,
    /// A participant's word and its counters have one writer: a `Local` may move to another thread, but not be shared.
    _not_sync: PhantomData<Cell<()>>,
}

/// What a read found; the bytes are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the value is.
    pub kind: ValueKind,
    /// The entry, and the version that was read.
    pub place: Place,
    /// Its type, 0 for none.
    pub type_id: u32,
}

impl Found {
    /// Copies the value out. `None` if the slot has another entry by now.
    fn copy(tenant: Tenant<'_>, out: &mut Vec<u8>) -> Option<Self> {
        out.clear();
        out.extend_from_slice(tenant.entry.value_bytes());
        let place = tenant.place()?;
        Some(Self { kind: tenant.entry.value_kind(), place, type_id: tenant.entry.type_id() })
    }
}

impl Local {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let participant = store.context.collector.join();
        let counters = store.add_counters();
        Self { store, participant, counters, _not_sync: PhantomData }
    }

    /// The map.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Entries in the map.
    pub fn len(&self) -> u64 {
        self.store.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn pin(&self) -> Pin<'_> {
        self.store.context.collector.pin(&self.participant)
    }

    #[inline]
    fn shard_of(&self, key: Key<'_>) -> (&Shard, u32) {
        let hash = self.store.context.hasher.hash(key);
        (self.store.shard_of(hash), hash as u32)
    }

    /// Finds a key's entry and uses it under a pin; looks again if `use_it` says that the slot changed meanwhile.
    #[inline]
    fn find<T>(&self, key: Key<'_>, mut use_it: impl FnMut(Tenant<'_>) -> Option<T>) -> Result<Option<T>, Error> {
        self.store.context.check()?;
        let (shard, tag) = self.shard_of(key);
        let pin = self.pin();
        loop {
            let Some(tenant) = shard.find(key, tag, &pin) else { return Ok(None) };
            if let Some(answer) = use_it(tenant) {
                return Ok(Some(answer));
            }
        }
    }

    /// The same for a handle's entry.
    #[inline]
    fn find_handle<T>(
        &self,
        handle: Handle,
        mut use_it: impl FnMut(Tenant<'_>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.store.context.check()?;
        let Some(shard) = self.store.shard(handle.shard) else { return Ok(None) };
        let pin = self.pin();
        loop {
            let Some(tenant) = shard.find_handle(handle, &pin) else { return Ok(None) };
            if let Some(answer) = use_it(tenant) {
                return Ok(Some(answer));
            }
        }
    }

    #[inline]
    fn counted<T>(&self, found: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        match &found {
            Ok(Some(_)) => self.counters.hits.add(1),
            Ok(None) => self.counters.misses.add(1),
            Err(_) => {}
        }
        found
    }

    /// Copies the value of a key into `out`.
    pub fn get(&self, key: Key<'_>, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        self.counted(self.find(key, |tenant| Found::copy(tenant, out)))
    }

    /// Copies the value of a handle's entry into `out`; `None` for any dead or forged handle.
    pub fn get_by_handle(&self, handle: Handle, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        self.counted(self.find_handle(handle, |tenant| Found::copy(tenant, out)))
    }

    /// Lets `look` see the value of a key without copying it. `look` must be short: nothing is freed meanwhile.
    pub fn with<T>(&self, key: Key<'_>, look: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Error> {
        let mut look = Some(look);
        self.counted(self.find(key, |tenant| look.take().map(|look| look(tenant.entry.value_bytes()))))
    }

    /// The same by handle.
    pub fn with_handle<T>(&self, handle: Handle, look: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Error> {
        let mut look = Some(look);
        self.counted(self.find_handle(handle, |tenant| look.take().map(|look| look(tenant.entry.value_bytes()))))
    }

    /// Why a handle is dead; `Ok` if it is alive.
    pub fn check(&self, handle: Handle) -> Result<(), Error> {
        self.store.context.check()?;
        self.shard_of_handle(handle)?.check_handle(handle)
    }

    fn shard_of_handle(&self, handle: Handle) -> Result<&Shard, Error> {
        let unknown = Error::InvalidShardIndex { shard: handle.shard, shards: self.store.shards() };
        self.store.shard(handle.shard).ok_or(unknown)
    }

    /// Whether the key is there.
    pub fn has(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.counted(self.find(key, |_| Some(())))?.is_some())
    }

    /// Whether the handle is alive.
    pub fn has_handle(&self, handle: Handle) -> Result<bool, Error> {
        Ok(self.counted(self.find_handle(handle, |_| Some(())))?.is_some())
    }

    /// The handle of a key's entry. Counts as no read.
    pub fn place_of(&self, key: Key<'_>) -> Result<Option<Place>, Error> {
        self.find(key, |tenant| tenant.place())
    }

    fn count_write(&self, written: &Written) {
        if written.replaced { self.counters.updates.add(1) } else { self.counters.inserts.add(1) }
    }

    /// Runs a write again once what a `clear` left behind was freed, if that is what it lacked.
    fn write<T>(&self, operation: &'static str, mut write: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        self.store.context.check()?;
        loop {
            // Asked before the attempt: what is freed between the two makes the next attempt worth it.
            let is_freeing = self.store.is_freeing();
            match write() {
                Err(Error::MemoryLimit { .. }) if is_freeing => reaper::wait(),
                Err(refused) => {
                    self.refused(&refused, operation);
                    return Err(refused);
                }
                written => return written,
            }
        }
    }

    #[cold]
    fn refused(&self, error: &Error, operation: &'static str) {
        let events = &self.store.context.events;
        if let Error::MemoryLimit { requested_bytes, used_bytes, limit_bytes } = *error {
            let fields = [("requestedBytes", requested_bytes), ("usedBytes", used_bytes), ("limitBytes", limit_bytes)];
            events.log(Level::Warn, "limit.memory", &fields);
        }
        if let Error::EntryLimit { limit } = *error {
            events.log(Level::Warn, "limit.entries", &[("limit", limit)]);
        }
        if error.code() == 1006 {
            self.counters.refusals.add(1);
        }
        events.error(error, operation);
    }

    /// Sets the value of a key.
    pub fn set(&self, key: Key<'_>, value: Value<'_>) -> Result<Written, Error> {
        let written = self.write_key("set", key, value, Presence::Any)?;
        written.ok_or(Error::Broken)
    }

    /// Sets the value of a key that is there.
    pub fn update(&self, key: Key<'_>, value: Value<'_>) -> Result<Option<Written>, Error> {
        self.write_key("updateMany", key, value, Presence::Present)
    }

    fn write_key(
        &self,
        operation: &'static str,
        key: Key<'_>,
        value: Value<'_>,
        wanted: Presence,
    ) -> Result<Option<Written>, Error> {
        let (shard, tag) = self.shard_of(key);
        let written = self.write(operation, || shard.write_key(&self.store.context, key, tag, value, wanted))?;
        if let Some(written) = &written {
            self.count_write(written);
        }
        Ok(written)
    }

    /// The value of a key, or the given one if the key is not there. Exactly one part of the answer is `Some`: what was
    /// found, with its bytes in `out`, or what was written.
    pub fn get_or_insert(
        &self,
        key: Key<'_>,
        value: Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(Option<Found>, Option<Written>), Error> {
        loop {
            if let Some(found) = self.get(key, out)? {
                return Ok((Some(found), None));
            }
            if let Some(written) = self.write_key("getOrInsert", key, value, Presence::Absent)? {
                return Ok((None, Some(written)));
            }
            // Another thread was faster; unless it has deleted the key again, the next look finds it.
        }
    }

    /// Adds an entry without a key, of a type (0 for none).
    pub fn insert(&self, value: Value<'_>, type_id: u32) -> Result<Written, Error> {
        let shard = self.store.next_shard();
        let written = self.write("insert", || shard.insert_keyless(&self.store.context, value, type_id))?;
        self.count_write(&written);
        Ok(written)
    }

    /// Gives the entry of a handle another value.
    pub fn replace(&self, handle: Handle, value: Value<'_>) -> Result<Written, Error> {
        let written =
            self.write("replace", || self.shard_of_handle(handle)?.replace(&self.store.context, handle, value))?;
        self.count_write(&written);
        Ok(written)
    }

    /// Deletes a key; says whether it was there.
    pub fn delete(&self, key: Key<'_>) -> Result<bool, Error> {
        Ok(self.take(key, |_| ())?.is_some())
    }

    /// Deletes the entry of a handle; says whether it was alive.
    pub fn delete_handle(&self, handle: Handle) -> Result<bool, Error> {
        Ok(self.take_handle(handle, |_| ())?.is_some())
    }

    /// Deletes a key and copies its last value into `out`.
    pub fn remove(&self, key: Key<'_>, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        Ok(self.take(key, |tenant| Found::copy(tenant, out))?.flatten())
    }

    /// Deletes the entry of a handle and copies its last value into `out`.
    pub fn remove_handle(&self, handle: Handle, out: &mut Vec<u8>) -> Result<Option<Found>, Error> {
        Ok(self.take_handle(handle, |tenant| Found::copy(tenant, out))?.flatten())
    }

    fn take<T>(&self, key: Key<'_>, look: impl FnOnce(Tenant<'_>) -> T) -> Result<Option<T>, Error> {
        self.store.context.check()?;
        let (shard, tag) = self.shard_of(key);
        self.taken(shard.remove(&self.store.context, Target::Key(key, tag), look))
    }

    fn take_handle<T>(&self, handle: Handle, look: impl FnOnce(Tenant<'_>) -> T) -> Result<Option<T>, Error> {
        self.store.context.check()?;
        let Some(shard) = self.store.shard(handle.shard) else { return Ok(None) };
        self.taken(shard.remove(&self.store.context, Target::Handle(handle), look))
    }

    fn taken<T>(&self, taken: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        if let Ok(Some(_)) = taken {
            self.counters.deletes.add(1);
        }
        taken
    }

    /// Removes every entry; atomic for each shard.
    pub fn clear(&self) -> Result<(), Error> {
        self.store.context.check()?;
        let entries = self.store.clear();
        self.counters.clears.add(1);
        self.store.context.events.log(Level::Info, "map.cleared", &[("entries", entries)]);
        Ok(())
    }

    /// The next entries in insertion order, after the sequence `after` (0 at the start): none at the end, at most `count`.
    pub fn walk(&self, after: u64, count: usize, out: &mut Vec<Step>) -> Result<(), Error> {
        self.store.context.check()?;
        self.counters.iterations.add(1);
        iterate::window(self.store.all_shards(), after, count.max(1), out);
        Ok(())
    }

    /// Key and value of an entry, for iteration: it counts as no read.
    pub fn read_step(
        &self,
        handle: Handle,
        key_out: &mut Vec<u8>,
        value_out: &mut Vec<u8>,
    ) -> Result<Option<(KeyKind, Found)>, Error> {
        self.find_handle(handle, |tenant| {
            let key = tenant.entry.key();
            key_out.clear();
            key_out.extend_from_slice(key.bytes);
            Found::copy(tenant, value_out).map(|found| (key.kind, found))
        })
    }

    /// Adds reads that never came here because a fresh copy was at hand.
    pub fn add_near_hits(&self, hits: u64) {
        self.counters.near_hits.add(hits);
    }

    /// The version words of a chunk, unless they are gone.
    pub fn words(&self, chunk: u32) -> Option<Arc<Words>> {
        self.store.context.words(chunk)
    }

    /// Panics while a lock is held, so that tests can see what becomes of it.
    pub fn panic_for_test(&self) -> Result<(), Error> {
        self.store.all_shards()[0].panic_under_lock(&self.store.context)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.store.context.collector.leave(&self.participant);
        self.store.forget_counters(&self.counters);
    }
}
