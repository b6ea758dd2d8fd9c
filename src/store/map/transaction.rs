//! Transactions: reads of one moment, and writes that are all made at once or not at all.
//!
//! A transaction is a list of entries, each with what was seen of it and what will be written to it. It belongs to one
//! thread, and takes no lock between two calls. Other threads see nothing of it before [`Transaction::commit`].
//!
//! **Reads are of one moment.** With each read, everything that was read before is looked at again (`observe.rs`): if
//! something has changed, the transaction is *doomed*, and each call fails with [`Error::TransactionConflict`] from
//! then on.
//!
//! **An entry is known by its key if it has one**, however it was reached first, so that a write by key is seen by a
//! read by handle. A handle without an entry is not remembered: it is dead for good.

use std::collections::HashMap;

use super::local::Local;
use crate::store::entry::block;
use crate::store::entry::counter::Sum;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::shapes::ShapeHold;
use crate::store::entry::shapes::numbers::BUILT_IN;
use crate::store::entry::target::Target;
use crate::store::entry::types::TypeHold;
use crate::store::entry::value::{Value, ValueKind};
use crate::store::error::Error;
use crate::store::expiry::life::{Span, Ttl};
use crate::store::platform::bytes::Bytes;
use crate::store::platform::fallible;
use crate::store::shard::{Increment, Sought};
use crate::store::slab::location::EntryLocation;

/// Entries that a transaction may read or write.
pub const MAX_KEYS: usize = 1_024;
/// Bytes of their keys and of what is written.
pub const MAX_BYTES: usize = 16 << 20;
/// Items from which on they are not looked through one by one.
const MANY: usize = 12;
/// In place of the shard of an entry that a transaction is about to insert. Its slot says which one.
const TO_BE_INSERTED: u32 = u32::MAX;

/// A transaction of one thread in one map.
#[derive(Default)]
pub struct Transaction {
    pub(super) items: Vec<Item>,
    /// Which item has a hash, once there are many.
    by_hash: HashMap<u64, usize>,
    /// Which has a handle, likewise.
    by_handle: HashMap<Handle, usize>,
    bytes: usize,
    /// Items that were not there when they were read.
    pub(super) absent: usize,
    /// Entries to be inserted without a key, and where they are once it is committed.
    pub(super) inserted: Vec<Option<EntryLocation>>,
    /// Items that others changed, after which the transaction is doomed.
    pub(super) changed: Vec<usize>,
}

/// An entry that a transaction reads or writes.
pub(super) struct Item {
    pub(super) key: Option<OwnedKey>,
    pub(super) seen: Seen,
    pub(super) write: Option<Write>,
    /// Where the entry is that was written, after the commit.
    pub(super) placed: Option<EntryLocation>,
    /// The item before with the same hash of another key.
    next: Option<usize>,
}

pub(super) struct OwnedKey {
    kind: KeyKind,
    bytes: Bytes,
    pub(super) hash: u64,
}

/// What was seen of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing: it was only written.
    Not,
    /// That there is none.
    Absent,
    /// One of its values.
    Present { handle: Handle, version: u32 },
    /// That it is to be inserted: the number of it.
    Inserted(usize),
}

/// What will be written.
pub(super) struct Write {
    /// `None` if the entry will be removed.
    pub(super) value: Option<(ValueKind, Bytes)>,
    pub(super) ttl: Ttl,
    /// Whether the entry keeps its type, as one that is written by its handle does.
    pub(super) keeps_type: bool,
    /// Known until the commit.
    pub(super) type_hold: Option<TypeHold>,
    #[expect(dead_code, reason = "keeps the shape of the value known")]
    shape_hold: Option<ShapeHold>,
}

/// A value of an entry at the moment of a read. Its bytes are in the caller's buffer.
pub(super) struct Observed {
    pub(super) kind: ValueKind,
    pub(super) handle: Handle,
    pub(super) version: u32,
}

impl OwnedKey {
    pub(super) fn key(&self) -> Key<'_> {
        Key::new(self.kind, &self.bytes)
    }
}

impl Item {
    /// The handle that it has in the transaction.
    fn handle(&self) -> Option<Handle> {
        match self.seen {
            Seen::Present { handle, .. } => Some(handle),
            Seen::Inserted(number) => Some(Handle { shard: TO_BE_INSERTED, slot: number as u32, generation: 0 }),
            Seen::Not | Seen::Absent => None,
        }
    }

    /// What is locked, looked at and written for it; `None` for one that is to be inserted without a key.
    pub(super) fn sought(&self) -> Option<Sought<'_>> {
        match (&self.key, self.seen) {
            (Some(key), _) => Some(Sought::Key(key.key(), key.hash)),
            (None, Seen::Present { handle, .. }) => Some(Sought::Handle(handle)),
            (None, _) => None,
        }
    }
}

impl Transaction {
    /// Begins another one in the memory of this, unless that is much.
    pub fn clear(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        *self = if items.capacity() <= 2 * MANY { Self { items, ..Self::default() } } else { Self::default() };
    }

    /// Whether others have changed what it read.
    pub fn is_doomed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Which of the entries were changed by others.
    pub fn conflicts(&self) -> impl Iterator<Item = Target<'_>> {
        self.changed.iter().filter_map(|&at| match self.items[at].sought()? {
            Sought::Key(key, _) => Some(Target::Key(key)),
            Sought::Handle(handle) => Some(Target::Handle(handle)),
        })
    }

    /// Where the entries are that were inserted without a key, in that order. After the commit.
    pub fn inserted(&self) -> impl Iterator<Item = Option<EntryLocation>> {
        self.inserted.iter().copied()
    }

    /// Where the entry is that was written for a target; `None` if none was. After the commit.
    pub fn placed(&self, map: &Local, target: Target<'_>) -> Option<EntryLocation> {
        self.items[self.find(map, target)?].placed
    }

    /// Copies a value into `out`, and says what it is; `None` if there is none.
    pub fn get(&mut self, map: &Local, target: Target<'_>, out: &mut Vec<u8>) -> Result<Option<ValueKind>, Error> {
        self.check(map)?;
        let kind = self.read(map, target, out)?.map(|(_, kind)| kind);
        map.count_read(kind.is_some());
        Ok(kind)
    }

    /// Whether an entry is there.
    pub fn has(&mut self, map: &Local, target: Target<'_>) -> Result<bool, Error> {
        Ok(self.get(map, target, &mut Vec::new())?.is_some())
    }

    /// Sets a value. The entry of a handle has to be there.
    pub fn set(&mut self, map: &Local, target: Target<'_>, value: Value<'_>, ttl: Ttl) -> Result<(), Error> {
        self.check(map)?;
        let at = match target {
            Target::Key(key) => self.item_of(map, key)?,
            Target::Handle(handle) => self.read_existing(map, handle, &mut Vec::new())?.0,
        };
        self.put(map, at, Some(value), ttl, matches!(target, Target::Handle(_)), None)
    }

    /// Removes an entry; whether it was there.
    pub fn delete(&mut self, map: &Local, target: Target<'_>) -> Result<bool, Error> {
        self.check(map)?;
        let found = self.read(map, target, &mut Vec::new())?;
        // A key that is not there is deleted, too: a load of it that is under way is void.
        let at = found.map(|(at, _)| at).or_else(|| self.find(map, target));
        if let Some(at) = at.filter(|&at| self.items[at].write.as_ref().is_none_or(|write| write.value.is_some())) {
            self.put(map, at, None, Ttl::Default, false, None)?;
        }
        Ok(found.is_some())
    }

    /// Adds an entry without a key. The answer stands for its handle in this transaction.
    pub fn insert(&mut self, map: &Local, value: Value<'_>, hold: Option<TypeHold>, ttl: Ttl) -> Result<Handle, Error> {
        self.check(map)?;
        let number = self.inserted.len();
        let handle = Handle { shard: TO_BE_INSERTED, slot: number as u32, generation: 0 };
        fallible::reserve_amortised(&mut self.inserted, 1)?;
        let at = self.add(Item { key: None, seen: Seen::Inserted(number), write: None, placed: None, next: None })?;
        self.inserted.push(None);
        let put = self.put(map, at, Some(value), ttl, true, hold);
        if put.is_err() {
            self.inserted.pop();
            self.items.pop();
            self.by_handle.remove(&handle);
        }
        put.map(|()| handle)
    }

    /// Adds to a number or bigint, whose deadline stays. What it is afterwards is in `out`.
    pub fn increment(
        &mut self,
        map: &Local,
        target: Target<'_>,
        increment: &Increment<'_>,
        out: &mut Vec<u8>,
    ) -> Result<ValueKind, Error> {
        self.check(map)?;
        let mut before = Vec::new();
        let found = match target {
            Target::Key(_) => self.read(map, target, &mut before)?,
            Target::Handle(handle) => Some(self.read_existing(map, handle, &mut before)?),
        };
        let value = found.map(|(_, kind)| (kind, before.as_slice()));
        let kind = match increment.step.add(value, out)? {
            Sum::Within(kind) => kind,
            Sum::Outside(_) => return Err(increment.step.refusal(out)),
        };
        let (at, ttl) = match (found, target) {
            (Some((at, _)), _) => (at, Ttl::Keep),
            (None, Target::Key(key)) => (self.item_of(map, key)?, increment.ttl),
            (None, Target::Handle(_)) => return Err(Error::HandleNotFound),
        };
        let sum = std::mem::take(out);
        let done = self.put(map, at, Some(Value { kind, bytes: &sum }), ttl, true, None);
        *out = sum;
        done.map(|()| kind)
    }

    /// Whether everything that was read is still as it was. If not, the transaction is doomed.
    pub fn is_valid(&mut self, map: &Local) -> Result<bool, Error> {
        match self.check(map).and_then(|()| self.confirm(map)) {
            Ok(()) => Ok(true),
            Err(Error::TransactionConflict) => Ok(false),
            Err(refused) => Err(refused),
        }
    }

    fn check(&self, map: &Local) -> Result<(), Error> {
        map.store().context.check()?;
        if self.changed.is_empty() { Ok(()) } else { Err(Error::TransactionConflict) }
    }

    /// Which item a target is, if it is known.
    fn find(&self, map: &Local, target: Target<'_>) -> Option<usize> {
        match target {
            Target::Key(key) => self.find_key(map, key, map.store().context.hasher.hash(key)),
            Target::Handle(handle) => self.find_handle(handle),
        }
    }

    fn find_handle(&self, handle: Handle) -> Option<usize> {
        if self.items.len() > MANY {
            return self.by_handle.get(&handle).copied();
        }
        self.items.iter().position(|item| item.handle() == Some(handle))
    }

    fn find_key(&self, map: &Local, key: Key<'_>, hash: u64) -> Option<usize> {
        if self.items.len() <= MANY {
            let is_it = |own: &OwnedKey| own.hash == hash && map.store().is_one_key(own.key(), key);
            return self.items.iter().position(|item| item.key.as_ref().is_some_and(is_it));
        }
        let mut next = self.by_hash.get(&hash).copied();
        while let Some(at) = next {
            let item = &self.items[at];
            if item.key.as_ref().is_some_and(|own| map.store().is_one_key(own.key(), key)) {
                return Some(at);
            }
            next = item.next;
        }
        None
    }

    /// The item of a key, which becomes one if it is none.
    fn item_of(&mut self, map: &Local, key: Key<'_>) -> Result<usize, Error> {
        let hash = map.store().context.hasher.hash(key);
        if let Some(at) = self.find_key(map, key, hash) {
            return Ok(at);
        }
        let key = Some(OwnedKey { kind: key.kind(), bytes: Bytes::copy(key.bytes())?, hash });
        self.add(Item { key, seen: Seen::Not, write: None, placed: None, next: None })
    }

    fn add(&mut self, item: Item) -> Result<usize, Error> {
        let bytes = self.bytes + item.key.as_ref().map_or(0, |key| key.bytes.len());
        if self.items.len() == MAX_KEYS || bytes > MAX_BYTES {
            return Err(self.too_large(bytes));
        }
        fallible::reserve_amortised(&mut self.items, 1)?;
        self.bytes = bytes;
        self.items.push(item);
        let at = self.items.len() - 1;
        match at {
            ..MANY => {}
            // From here on they are found by hash and by handle.
            MANY => (0..=at).for_each(|at| self.list(at)),
            _ => self.list(at),
        }
        Ok(at)
    }

    /// Has an item found by its hash and its handle, once there are many.
    fn list(&mut self, at: usize) {
        let item = &mut self.items[at];
        if let Some(key) = &item.key {
            item.next = self.by_hash.insert(key.hash, at);
        }
        if let Some(handle) = item.handle() {
            self.by_handle.insert(handle, at);
        }
    }

    /// Notes what was seen of an item.
    fn see(&mut self, at: usize, seen: Seen) {
        self.items[at].seen = seen;
        if let Some(handle) = self.items[at].handle()
            && self.items.len() > MANY
        {
            self.by_handle.insert(handle, at);
        }
    }

    fn too_large(&self, bytes: usize) -> Error {
        Error::TransactionTooLarge { keys: self.items.len() as u64 + 1, bytes: bytes as u64 }
    }

    /// Notes what will be written to an item.
    fn put(
        &mut self,
        map: &Local,
        at: usize,
        value: Option<Value<'_>>,
        ttl: Ttl,
        keeps_type: bool,
        type_hold: Option<TypeHold>,
    ) -> Result<(), Error> {
        let context = &map.store().context;
        let item = &self.items[at];
        let mut shape_hold = None;
        if let Some(value) = value {
            block::check_size(item.key.as_ref().map_or(Key::KEYLESS, OwnedKey::key), value)?;
            context.check_value(value.bytes.len())?;
            if let Some(shape) = value.shape().filter(|&shape| shape != BUILT_IN) {
                shape_hold = Some(context.shapes.hold(shape).ok_or(Error::ShapeGone)?);
            }
        }
        let before = item.write.as_ref().and_then(|write| write.value.as_ref()).map_or(0, |(_, bytes)| bytes.len());
        let bytes = self.bytes + value.map_or(0, |value| value.bytes.len()) - before;
        if bytes > MAX_BYTES {
            return Err(self.too_large(bytes));
        }
        let value = match value {
            Some(value) => Some((value.kind, Bytes::copy(value.bytes)?)),
            None => None,
        };
        let item = &mut self.items[at];
        let (ttl, keeps_type, type_hold) = match item.write.take() {
            None => (ttl, keeps_type, type_hold),
            // What follows a removal is a new entry.
            Some(Write { value: None, type_hold, .. }) => (as_of_new(context.span(ttl, || 0)), false, type_hold),
            Some(Write { ttl: before, keeps_type: kept_type, type_hold, .. }) => {
                let keeps = context.keeps_deadline(ttl);
                (if keeps { before } else { ttl }, keeps_type && kept_type, type_hold)
            }
        };
        item.write = Some(Write { value, ttl, keeps_type, type_hold, shape_hold });
        self.bytes = bytes;
        Ok(())
    }

    /// Reads an entry: its own write, or what is there, as of one moment with everything that was read before. `None`
    /// if there is none.
    fn read(
        &mut self,
        map: &Local,
        target: Target<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<(usize, ValueKind)>, Error> {
        if let Some(at) = self.find(map, target)
            && let Some(write) = &self.items[at].write
        {
            let Some((kind, bytes)) = &write.value else { return Ok(None) };
            fallible::copy_into(out, bytes)?;
            return Ok(Some((at, *kind)));
        }
        let mut key_out = None;
        let Some(observed) = self.observe(map, target, out, &mut key_out)? else {
            if let Target::Key(key) = target {
                let at = self.item_of(map, key)?;
                if self.items[at].seen == Seen::Not {
                    self.see(at, Seen::Absent);
                    self.absent += 1;
                }
            }
            return Ok(None);
        };
        let at = match (target, &key_out) {
            (Target::Key(key), _) => self.item_of(map, key)?,
            (Target::Handle(_), Some((kind, bytes))) => self.item_of(map, Key::new(*kind, bytes))?,
            (Target::Handle(handle), None) => match self.find_handle(handle) {
                Some(at) => at,
                None => self.add(Item { key: None, seen: Seen::Not, write: None, placed: None, next: None })?,
            },
        };
        self.see(at, Seen::Present { handle: observed.handle, version: observed.version });
        let item = &self.items[at];
        // Its key may have been written before.
        let Some(write) = &item.write else { return Ok(Some((at, observed.kind))) };
        let Some((kind, bytes)) = &write.value else { return Ok(None) };
        fallible::copy_into(out, bytes)?;
        Ok(Some((at, *kind)))
    }

    /// The same for a handle whose entry has to be there.
    fn read_existing(&mut self, map: &Local, handle: Handle, out: &mut Vec<u8>) -> Result<(usize, ValueKind), Error> {
        if let Some(found) = self.read(map, Target::Handle(handle), out)? {
            return Ok(found);
        }
        map.check(handle)?;
        // The transaction itself has removed it.
        Err(Error::HandleNotFound)
    }
}

fn as_of_new(span: Option<Span>) -> Ttl {
    span.map_or(Ttl::Never, |span| Ttl::Of(span.ttl_ms))
}
