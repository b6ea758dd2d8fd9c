//! Values of entries that have expired, which loads may still hand out until they have brought newer ones.
//!
//! The entry has expired for everything else: it was taken out of index and slab, its handle is dead, and listeners
//! were told. What is kept is a copy of key and value, which only a load finds (`Shard::begin_load`). It counts as an
//! entry and by its bytes, and is the first to be dropped where room is needed (`Store::drop_stale`). A write or a
//! deletion of its key drops it, as it makes a load void.

use std::collections::{BTreeMap, HashMap};

use super::member::Member;
use super::seat::Outcome;
use super::{Shard, Tenant, Writer};
use crate::store::entry::folding;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::shapes::ShapeHold;
use crate::store::entry::value::ValueKind;
use crate::store::error::Error;
use crate::store::expiry::life::LifeRef;
use crate::store::memory::budget::{Reservation, Use};
use crate::store::observe::report::CARRIED_BYTES;
use crate::store::platform::fallible;
use crate::store::platform::sync::{Arc, Ordering};

/// What a value costs beside key and value: itself, and its places in two tables.
const OWN_BYTES: usize = 192;

/// One value.
pub struct StaleValue {
    key_kind: KeyKind,
    kind: ValueKind,
    /// Key and value.
    bytes: Vec<u8>,
    key_len: usize,
    /// Whether keys that differ in case only are the same.
    ignores_case: bool,
    /// Keeps the shape of a record known.
    shape: Option<Arc<ShapeHold>>,
    /// Whether it must not be found any more. It waits to be freed.
    is_void: bool,
    /// When it is over, and a number that no other value of the shard has.
    end: (u64, u64),
    reservation: Reservation,
}

impl StaleValue {
    fn is_of(&self, key: Key<'_>) -> bool {
        let own = Key::new(self.key_kind, &self.bytes[..self.key_len]);
        own == key || self.ignores_case && folding::is_equal(own, key)
    }

    fn outcome(&self) -> Result<Outcome, Error> {
        let value = &self.bytes[self.key_len..];
        let mut bytes = fallible::vec(value.len())?;
        bytes.extend_from_slice(value);
        Ok(Outcome::Loaded { kind: self.kind, bytes, shape: self.shape.clone() })
    }
}

/// Those of a shard, by the hashes of their keys, and in the order in which they are over.
#[derive(Default)]
pub struct StaleValues {
    by_hash: HashMap<u64, Vec<StaleValue>>,
    by_end: BTreeMap<(u64, u64), u64>,
    last: u64,
    bytes: usize,
}

impl StaleValues {
    /// Whether there are none: all that a write has to know if so.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.by_end.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_end.len()
    }

    /// Bytes that are set aside for them.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn find(&self, key: Key<'_>, hash: u64) -> Option<&StaleValue> {
        self.by_hash.get(&hash)?.iter().find(|value| value.is_of(key) && !value.is_void)
    }

    /// A key was written or deleted by a commit, which frees nothing under its locks.
    pub fn void(&mut self, key: Key<'_>, hash: u64) {
        if let Some(same) = self.by_hash.get_mut(&hash) {
            same.iter_mut().filter(|value| value.is_of(key)).for_each(|value| value.is_void = true);
        }
    }

    fn add(&mut self, mut value: StaleValue, hash: u64) {
        self.last += 1;
        value.end.1 = self.last;
        self.bytes += value.reservation.bytes();
        self.by_end.insert(value.end, hash);
        self.by_hash.entry(hash).or_default().push(value);
    }

    /// Takes that of a key out.
    fn take(&mut self, key: Key<'_>, hash: u64) -> Option<StaleValue> {
        let end = self.find(key, hash)?.end;
        self.take_at(end)
    }

    fn take_at(&mut self, end: (u64, u64)) -> Option<StaleValue> {
        let hash = self.by_end.remove(&end)?;
        let same = self.by_hash.get_mut(&hash)?;
        let at = same.iter().position(|value| value.end == end)?;
        let value = same.swap_remove(at);
        if same.is_empty() {
            self.by_hash.remove(&hash);
        }
        self.bytes -= value.reservation.bytes();
        Some(value)
    }

    /// Takes the one out that is over first.
    fn take_first(&mut self) -> Option<StaleValue> {
        let (&end, _) = self.by_end.first_key_value()?;
        self.take_at(end)
    }

    fn next_end_ms(&self) -> u64 {
        self.by_end.first_key_value().map_or(u64::MAX, |(&(end_ms, _), _)| end_ms)
    }
}

impl Shard {
    /// When the next stale value is over; `u64::MAX` if there is none.
    pub fn next_stale_end_ms(&self) -> u64 {
        self.next_stale_end_ms.load(Ordering::Relaxed)
    }

    /// Keeps the value of an entry that is about to expire, if a load has asked for that, and there is room. Before the
    /// entry is taken out; what is returned is added after that.
    pub(super) fn copy_for_loads(
        &self,
        writer: &Writer,
        context: &Member<'_>,
        tenant: Tenant<'_>,
    ) -> Option<(StaleValue, u64)> {
        let stale_ms = writer.stale_for.deadline_of(tenant.number())?;
        let (key, entry) = (tenant.entry.key(), tenant.entry);
        if key.kind() == KeyKind::Keyless || entry.value_len() > CARRIED_BYTES {
            return None;
        }
        let now_ms = context.clock.now_ms();
        let deadline_ms = self.slab.life(tenant.number()).and_then(LifeRef::deadline_ms).unwrap_or(now_ms);
        let end_ms = deadline_ms.saturating_add(stale_ms);
        if end_ms <= now_ms {
            return None;
        }
        let len = key.len() + entry.value_len();
        let reservation = Reservation::new(&context.memory, Use::Expiry, len + OWN_BYTES).ok()?;
        let mut bytes = fallible::vec(len).ok()?;
        bytes.extend_from_slice(key.bytes());
        bytes.extend_from_slice(entry.value_bytes());
        // The shard still counts the entry, so its shape is known.
        let shape = entry.shape().and_then(|number| context.shapes.hold(number)).map(Arc::new);
        let (key_kind, kind, end) = (key.kind(), entry.value_kind(), (end_ms, 0));
        let value = StaleValue {
            key_kind,
            kind,
            bytes,
            key_len: key.len(),
            shape,
            is_void: false,
            end,
            reservation,
            ignores_case: self.ignores_case,
        };
        Some((value, context.hasher.hash(key)))
    }

    /// Adds what was copied, after its entry was taken out.
    pub(super) fn keep_for_loads(&self, writer: &mut Writer, context: &Member<'_>, (value, hash): (StaleValue, u64)) {
        if context.admit_entry().is_err() {
            return;
        }
        context.stale_entries.fetch_add(1, Ordering::Relaxed);
        if value.end.0 < self.next_stale_end_ms() {
            self.next_stale_end_ms.store(value.end.0, Ordering::Relaxed);
        }
        writer.stale.add(value, hash);
    }

    /// The value of a key that loads may hand out, for as long as it may be.
    pub(super) fn stale_value(
        writer: &Writer,
        context: &Member<'_>,
        key: Key<'_>,
        hash: u64,
    ) -> Result<Option<Outcome>, Error> {
        let now_ms = context.clock.now_ms();
        writer.stale.find(key, hash).filter(|value| value.end.0 > now_ms).map(StaleValue::outcome).transpose()
    }

    /// A key was written or deleted.
    #[cold]
    pub(super) fn drop_stale_of(writer: &mut Writer, context: &Member<'_>, key: Key<'_>, hash: u64) {
        if writer.stale.take(key, hash).is_some() {
            Self::count_dropped(context, 1);
        }
    }

    /// Drops those that are over.
    pub fn end_stale(&self, context: &Member<'_>, now_ms: u64, limit: usize) -> Result<(), Error> {
        let mut dropped = Vec::new();
        let ended = self.locked(context, |writer| {
            while dropped.len() < limit && writer.stale.next_end_ms() <= now_ms {
                dropped.extend(writer.stale.take_first());
            }
            self.next_stale_end_ms.store(writer.stale.next_end_ms(), Ordering::Relaxed);
            Ok(())
        });
        Self::count_dropped(context, dropped.len());
        ended
    }

    /// Drops some for room: of so many bytes, or one if that is 0. Returns how many, and how many bytes.
    pub fn drop_some_stale(&self, context: &Member<'_>, bytes: u64, limit: usize) -> Result<(u64, u64), Error> {
        // Freed without the lock.
        let (mut dropped, mut freed) = (Vec::new(), 0);
        self.locked(context, |writer| {
            while dropped.len() < limit
                && (dropped.is_empty() || freed < bytes)
                && let Some(value) = writer.stale.take_first()
            {
                freed += value.reservation.bytes() as u64;
                dropped.push(value);
            }
            self.next_stale_end_ms.store(writer.stale.next_end_ms(), Ordering::Relaxed);
            Ok(())
        })?;
        Self::count_dropped(context, dropped.len());
        Ok((dropped.len() as u64, freed))
    }

    pub(super) fn count_dropped(context: &Member<'_>, values: usize) {
        if values > 0 {
            context.release_entries(values as u64);
            context.stale_entries.fetch_sub(values as u64, Ordering::Relaxed);
        }
    }
}
