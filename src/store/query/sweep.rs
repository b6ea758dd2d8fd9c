//! A walk of a job over the slots of a map, which asks a query of each entry.
//!
//! It goes over slots as a scan does (`map/scan.rs` says why that sees an entry exactly once that is there all the
//! while), in *stretches*: each is bounded in what it looks at, and done under one pin, so that a pin stays below a
//! tenth of a millisecond. What takes longer ends the stretch and is done without a pin: a look at the definition of a
//! shape, for which a lock is taken, and a value so long that it is copied first.

use super::{Effort, Query, Unread};
use crate::store::entry::definition;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::types::TypeHold;
use crate::store::entry::value::ValueKind;
use crate::store::error::Error;
use crate::store::map::store::Store;
use crate::store::memory::reclaim::Participant;
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;
use crate::store::shard::member::Member;
use crate::store::shard::{Liveness, Shard, Tenant};
use crate::store::slab::slots::Stamp;

/// Slots of a stretch.
const SLOTS: u32 = 256;
/// What a stretch may take, in bytes of which each is looked at once: some ten microseconds.
const WORK: usize = 32 * 1_024;
/// What a look at an entry takes, whatever it is.
const LOOK: usize = 64;
/// An entry that takes more than so much is copied, and looked at without a pin.
const LONG: usize = 16 * 1_024;
/// Bytes that are copied under one pin.
const PIECE_BYTES: usize = 256 * 1_024;
/// Attempts to copy a long value in pieces while others replace it. After them it is copied at once.
const ATTEMPTS: u32 = 8;
/// Bytes of all definitions that are kept parsed at a time.
const MOST_LAYOUT_BYTES: usize = 1 << 20;

/// An entry that a query asks for, as it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The entry.
    pub handle: Handle,
    /// What tells its value from those before and after it; `None` amid a change.
    pub version: Option<u32>,
}

/// The type that is asked for.
#[derive(Debug)]
pub enum Type {
    Any,
    Known(TypeHold),
    /// No entry has it.
    Unknown,
}

/// The walk.
pub struct Sweep {
    store: Arc<Store>,
    participant: Arc<Participant>,
    query: Query,
    effort: Effort,
    of_type: Type,
    layout_bytes: usize,
    shard: u32,
    slot: u32,
    seen: u64,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Why a look at an entry came to no answer under the pin.
enum Stop {
    /// The slot has another entry by now, or another value.
    Moved,
    /// What a shape means is not known here.
    Shape(u32),
    /// It is long.
    Long,
}

/// Where a stretch ended.
enum End {
    /// At a slot of the shard, of which `Stop` says what is to be done.
    At(u32, Option<Stop>),
    /// With the last slot of the shard.
    OfShard,
}

impl Sweep {
    pub fn new(store: Arc<Store>, query: Query, of_type: Type) -> Self {
        let participant = store.context.collector.join();
        let effort = query.effort();
        Self {
            store,
            participant,
            query,
            effort,
            of_type,
            layout_bytes: 0,
            shard: 0,
            slot: 0,
            seen: 0,
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Before entries are deleted: loads that have begun of keys that may be asked for store nothing, because what they
    /// bring may be older. Those of the shard that comes next, once for each.
    pub fn void_loads(&mut self) -> Result<(), Error> {
        // What is loaded has no type.
        if self.slot > 0 || !matches!(self.of_type, Type::Any) {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        let Some(shard) = store.shard(self.shard) else { return Ok(()) };
        let member = Member::new(&store.context, &self.participant);
        shard.void_loads(&member, |key| self.query.is_of_key(key))
    }

    /// Removes entries, each as it was when it was found. One that has changed since is looked at again, and removed if
    /// the query asks for what it is now. Returns how many were removed.
    pub fn remove(&mut self, matches: &[Match]) -> Result<u64, Error> {
        let store = Arc::clone(&self.store);
        let mut removed = 0;
        for &found in matches {
            let Some(shard) = store.shard(found.handle.shard) else { continue };
            let mut found = Some(found);
            for _ in 0..ATTEMPTS {
                let Some(Match { handle, version }) = found else { break };
                let member = Member::new(&store.context, &self.participant);
                if let Some(version) = version
                    && shard.remove_if(&member, handle, version)?
                {
                    removed += 1;
                    break;
                }
                found = self.look_again(shard, handle)?;
            }
        }
        Ok(removed)
    }

    /// Asks the query of the entry of a handle once more; `None` if it is gone, or not asked for any more.
    fn look_again(&mut self, shard: &Shard, handle: Handle) -> Result<Option<Match>, Error> {
        loop {
            let Some(Copied { found, key_kind, kind }) = self.copy(shard, handle.slot)? else { return Ok(None) };
            if found.handle != handle {
                return Ok(None);
            }
            match self.query.matches(Key::new(key_kind, &self.key), kind, &self.value) {
                Ok(true) => return Ok(Some(found)),
                Ok(false) | Err(Unread::Malformed) => return Ok(None),
                Err(Unread::Shape(number)) => self.learn(number),
                Err(Unread::OutOfMemory { bytes }) => return Err(Error::OutOfMemory { bytes }),
            }
            self.store.context.check()?;
        }
    }

    /// Entries that were looked at.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether every slot was looked at.
    pub fn is_over(&self) -> bool {
        self.shard >= self.store.shards()
    }

    /// Does the next stretch. What it asks for is added to `matches`, at most `most` of them.
    pub fn stretch(&mut self, most: usize, matches: &mut Vec<Match>) -> Result<(), Error> {
        let store = Arc::clone(&self.store);
        if matches!(self.of_type, Type::Unknown) {
            self.shard = store.shards();
        }
        let Some(shard) = store.shard(self.shard) else { return Ok(()) };
        // Before the pin, because it may be much.
        fallible::reserve_amortised(matches, SLOTS as usize)?;
        let room = matches.len() + most.min(SLOTS as usize);
        match self.pinned(shard, room, matches) {
            End::OfShard => (self.shard, self.slot) = (self.shard + 1, 0),
            End::At(slot, stop) => {
                self.slot = slot;
                match stop {
                    None | Some(Stop::Moved) => {}
                    Some(Stop::Shape(number)) => self.learn(number),
                    Some(Stop::Long) => self.look_at_long(shard, matches)?,
                }
            }
        }
        Ok(())
    }

    fn pinned(&mut self, shard: &Shard, room: usize, matches: &mut Vec<Match>) -> End {
        let pin = self.store.context.collector.pin(&self.participant);
        let looker = (&*self.store, &self.of_type, self.effort);
        let mut tenants = shard.tenants(self.slot, self.slot.saturating_add(SLOTS), &pin);
        let mut work = 0;
        while work < WORK && matches.len() < room {
            let Some(tenant) = tenants.next() else { break };
            match look(looker, &mut self.query, shard, tenant, &mut work) {
                Ok(answer) => {
                    self.seen += u64::from(answer.is_seen);
                    matches.extend(answer.found);
                }
                Err(stop) => return End::At(tenant.number(), Some(stop)),
            }
        }
        tenants.rest().map_or(End::OfShard, |rest| End::At(rest, None))
    }

    /// Looks up what a shape means. If it is not known any more, no entry of it is there any more, and the slot is
    /// looked at again.
    fn learn(&mut self, number: u32) {
        let Some(definition) = self.store.context.shapes.definition(number) else { return };
        self.layout_bytes += definition.len();
        if self.layout_bytes > MOST_LAYOUT_BYTES {
            self.query.forget_shapes();
            self.layout_bytes = definition.len();
        }
        // A definition was read by those that published it.
        self.query.learn(number, definition::parse(&definition).unwrap_or_default());
    }

    /// Looks at the entry in the slot that is next without a pin, in a copy of it.
    fn look_at_long(&mut self, shard: &Shard, matches: &mut Vec<Match>) -> Result<(), Error> {
        let Some(copied) = self.copy(shard, self.slot)? else {
            self.slot += 1;
            return Ok(());
        };
        let Copied { found, key_kind, kind } = copied;
        let key = Key::new(key_kind, &self.key);
        match self.query.matches(key, kind, &self.value) {
            Ok(true) => matches.push(found),
            // Bytes that are none of their kind are asked for by no query.
            Ok(false) | Err(Unread::Malformed) => {}
            Err(Unread::Shape(number)) => {
                self.learn(number);
                return Ok(());
            }
            Err(Unread::OutOfMemory { bytes }) => return Err(Error::OutOfMemory { bytes }),
        }
        self.slot += 1;
        self.seen += 1;
        Ok(())
    }

    /// Copies the entry in a slot; `None` if there is none, or none that is alive.
    fn copy(&mut self, shard: &Shard, slot: u32) -> Result<Option<Copied>, Error> {
        let mut attempt = 0;
        loop {
            let piece_bytes = if attempt < ATTEMPTS { PIECE_BYTES } else { usize::MAX };
            attempt += 1;
            match self.copy_in_pieces(shard, slot, piece_bytes)? {
                Copying::Done(copied) => return Ok(Some(copied)),
                Copying::Nothing => return Ok(None),
                Copying::Changed => {}
            }
        }
    }

    fn copy_in_pieces(&mut self, shard: &Shard, slot: u32, piece_bytes: usize) -> Result<Copying, Error> {
        let Self { store, participant, key, value, .. } = self;
        let collector = &store.context.collector;
        let lengths = {
            let pin = collector.pin(participant);
            let (tenant, _) = shard.next_tenant(slot, slot + 1, &pin);
            tenant.map(|tenant| (tenant.entry.key().bytes().len(), tenant.entry.value_len()))
        };
        let Some((key_len, value_len)) = lengths else { return Ok(Copying::Nothing) };
        key.clear();
        value.clear();
        fallible::reserve(key, key_len)?;
        fallible::reserve(value, value_len)?;
        let mut first: Option<Copied> = None;
        loop {
            let pin = collector.pin(participant);
            let (tenant, _) = shard.next_tenant(slot, slot + 1, &pin);
            let Some(tenant) = tenant else { return Ok(Copying::Nothing) };
            match alive(&store.context, shard, tenant) {
                Liveness::Alive => {}
                Liveness::Over => return Ok(Copying::Nothing),
                Liveness::Gone => return Ok(Copying::Changed),
            }
            let Some(found) = Match::of(&tenant) else { return Ok(Copying::Changed) };
            let entry = tenant.entry;
            let is_same = match &first {
                None => (entry.key().bytes().len(), entry.value_len()) == (key_len, value_len),
                Some(first) => first.found == found && found.version.is_some(),
            };
            if !is_same {
                return Ok(Copying::Changed);
            }
            if first.is_none() {
                key.extend_from_slice(entry.key().bytes());
                first = Some(Copied { found, key_kind: entry.key().kind(), kind: entry.value_kind() });
            }
            let rest = &entry.value_bytes()[value.len()..];
            value.extend_from_slice(&rest[..rest.len().min(piece_bytes)]);
            if let Some(copied) = first.as_ref().filter(|_| value.len() == value_len) {
                return Ok(Copying::Done(*copied));
            }
        }
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.store.context.collector.leave(&self.participant);
    }
}

/// What a copied entry is, besides its bytes.
#[derive(Clone, Copy)]
struct Copied {
    found: Match,
    key_kind: KeyKind,
    kind: ValueKind,
}

enum Copying {
    Done(Copied),
    Nothing,
    /// Another thread changes it.
    Changed,
}

/// What a look at an entry came to.
struct Answer {
    is_seen: bool,
    found: Option<Match>,
}

impl Match {
    /// The entry of a tenant as it was found; `None` if the slot has another value by now.
    fn of(tenant: &Tenant<'_>) -> Option<Self> {
        let place = tenant.place()?;
        Some(Self { handle: place.handle, version: place.stamp.map(Stamp::version) })
    }
}

fn alive(context: &crate::store::shard::context::Context, shard: &Shard, tenant: Tenant<'_>) -> Liveness {
    if context.may_expire() { shard.liveness(tenant, context) } else { Liveness::Alive }
}

/// Asks the query of a tenant, under the pin that it was found under.
#[inline]
fn look(
    (store, of_type, effort): (&Store, &Type, Effort),
    query: &mut Query,
    shard: &Shard,
    tenant: Tenant<'_>,
    work: &mut usize,
) -> Result<Answer, Stop> {
    *work += LOOK;
    let not_asked = Answer { is_seen: true, found: None };
    if let Type::Known(of_type) = of_type
        && tenant.entry.type_id() != of_type.id()
    {
        return Ok(not_asked);
    }
    match alive(&store.context, shard, tenant) {
        Liveness::Alive => {}
        Liveness::Over => return Ok(Answer { is_seen: false, found: None }),
        Liveness::Gone => return Err(Stop::Moved),
    }
    let (key, bytes) = (tenant.entry.key(), tenant.entry.value_bytes());
    let takes = effort.of(key.bytes().len(), bytes.len());
    if takes > LONG {
        return Err(Stop::Long);
    }
    *work += takes;
    match query.matches(key, tenant.entry.value_kind(), bytes) {
        Ok(true) => match Match::of(&tenant) {
            Some(found) => Ok(Answer { is_seen: true, found: Some(found) }),
            None => Err(Stop::Moved),
        },
        Ok(false) | Err(Unread::Malformed) => Ok(not_asked),
        Err(Unread::Shape(number)) => Err(Stop::Shape(number)),
        // Where it is looked at without a pin, and refused if there is none.
        Err(Unread::OutOfMemory { .. }) => Err(Stop::Long),
    }
}
