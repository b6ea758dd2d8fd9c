//! Scans: walks over slots, which anybody can go on with at any time.
//!
//! **How to call it.** Where a scan goes on is a shard and a slot of it. [`Local::scan`] begins there, [`Scan::next`]
//! gives the next entry, and [`Scan::place`] says where to go on. Nothing of a scan is kept between two pages.
//!
//! **What is guaranteed.** An entry that is there from the first page to the last is given exactly once. An entry that
//! comes or goes meanwhile is given once or not at all.
//!
//! **Why.** An entry stays in the slot that it was put in: a write to its key replaces what the slot holds, growing and
//! shrinking move words of the index, and compaction moves blocks. A scan looks at each slot of each shard once, in
//! order. So it sees the entry when it comes to its slot, whatever happened before and happens afterwards. A walk over
//! the index would see entries move, from where it has not been to where it has: Redis and Valkey, which do that, give
//! an entry again rather than not at all.
//!
//! **If things change meanwhile.** A slot that a new entry takes when the scan has passed it is not looked at again.
//! `clear` leaves a shard without slots, and those that come next begin at 0 again. A scan that was beyond goes on with
//! the next shard: of the entries that are new, none was there from the first page on.
//!
//! **Bounds.** [`Scan::next`] goes on until it finds an entry that is asked for, and returns without one when a page
//! has taken its time.

use std::cell::Cell;
use std::time::Duration;

use super::local::{Found, Local, Look};
use crate::store::entry::glob::Glob;
use crate::store::entry::key::KeyKind;
use crate::store::entry::types::TypeHold;
use crate::store::error::Error;
use crate::store::memory::reclaim::Pin;
use crate::store::platform::clock::Patience;
use crate::store::platform::fallible;
use crate::store::shard::{Shard, Tenant};

/// What a page may take.
const PAGE_TIME: Duration = Duration::from_millis(1);
/// Looks between two at the clock. A look at a vacant slot takes less than one at an entry, which may wait for memory.
const LOOKS: u32 = 64;
/// Slots that are looked at under one pin.
const SLOTS_PER_PIN: u32 = 256;
/// Bytes of a key that take as long as a look.
const BYTES_PER_LOOK: usize = 64;

/// Where a scan goes on: behind the last entry that it has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The shard.
    pub shard: u32,
    /// The slot that is next.
    pub slot: u32,
}

/// Which entries a scan gives.
#[derive(Debug, Default)]
pub struct Filter {
    /// Those whose keys it matches.
    pub glob: Option<Glob>,
    /// Those of the type of this name.
    pub type_name: Option<String>,
}

/// The type that is asked for.
enum Type {
    Any,
    Known(TypeHold),
    /// No entry has it.
    Unknown,
}

/// One page of a scan.
pub struct Scan<'a> {
    local: &'a Local,
    place: Place,
    glob: Option<Glob>,
    of_type: Type,
    patience: Patience,
    looks: u32,
}

/// What an entry is for the filter.
enum Seen<T> {
    Asked(T),
    Other,
}

impl Local {
    /// A page of a scan that goes on at `place`. Counts as one walk and no read.
    pub fn scan(&self, place: Place, filter: Filter) -> Result<Scan<'_>, Error> {
        let context = &self.store().context;
        context.check()?;
        self.count_walk();
        let of_type = match &filter.type_name {
            None => Type::Any,
            Some(name) => context.types.hold_known(name).map_or(Type::Unknown, Type::Known),
        };
        Ok(Scan { local: self, place, glob: filter.glob, of_type, patience: Patience::new(PAGE_TIME), looks: 0 })
    }
}

impl Scan<'_> {
    /// Where the next page begins; `None` at the end.
    pub fn place(&self) -> Option<Place> {
        (self.place.shard < self.local.store().shards()).then_some(self.place)
    }

    /// Copies key and value of the next entry. `None` at the end, and if the page has taken its time.
    pub fn next(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<Option<(KeyKind, Found)>, Error> {
        if matches!(self.of_type, Type::Unknown) {
            self.place = Place { shard: self.local.store().shards(), slot: 0 };
        }
        let local = self.local;
        while let Some(shard) = local.store().shard(self.place.shard) {
            if self.looks >= LOOKS {
                self.looks = 0;
                if self.patience.is_over() {
                    return Ok(None);
                }
            }
            let next = Cell::new(Some(0));
            let seen = self.look(shard, &next, key, value)?;
            let slots = next.get().unwrap_or(self.place.slot).saturating_sub(self.place.slot);
            self.looks += 1 + slots / BYTES_PER_LOOK as u32;
            self.place = match next.get() {
                Some(slot) => Place { slot, ..self.place },
                None => Place { shard: self.place.shard + 1, slot: 0 },
            };
            if let Some(Seen::Asked(found)) = seen {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Looks at the slots of a shard until one has an entry. `next` learns where to go on in this shard.
    fn look(
        &mut self,
        shard: &Shard,
        next: &Cell<Option<u32>>,
        key_out: &mut Vec<u8>,
        value_out: &mut Vec<u8>,
    ) -> Result<Option<Seen<(KeyKind, Found)>>, Error> {
        let Self { local, place, glob, of_type, looks, .. } = self;
        let from = place.slot;
        let find = |pin: &Pin<'_>| {
            let (tenant, behind) = shard.next_tenant(from, from.saturating_add(SLOTS_PER_PIN), pin);
            next.set(behind);
            Ok(tenant)
        };
        let copy = |shard: &Shard, tenant: &Tenant<'_>| {
            let key = tenant.entry.key();
            *looks += (key.bytes().len() / BYTES_PER_LOOK) as u32;
            let is_asked = match of_type {
                Type::Known(of_type) => tenant.entry.type_id() == of_type.id(),
                Type::Any | Type::Unknown => true,
            };
            if !is_asked || glob.as_mut().is_some_and(|glob| !glob.matches(key)) {
                return Some(Ok(Seen::Other));
            }
            let copied = fallible::copy_into(key_out, key.bytes())
                .and_then(|()| fallible::copy_into(value_out, tenant.entry.value_bytes()));
            match copied {
                Ok(()) => Some(Ok(Seen::Asked((key.kind(), Found::of(local, shard, tenant)?)))),
                Err(refused) => Some(Err(refused)),
            }
        };
        local.use_tenant(shard, Look::Peek, find, |_| None, copy).transpose()
    }
}
