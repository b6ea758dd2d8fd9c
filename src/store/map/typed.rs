//! Operations on entries of one type. An entry of another type, or of none, is not there for them, and a write to one
//! of another type is refused. What the entry is is decided where the operation takes place: a read looks at the type
//! of the very block whose value it copies, a write under the lock of the shard.

use std::cell::Cell;

use super::local::{Found, Local, Look};
use crate::store::entry::target::KeyOrHandle;
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::expiry::life::Ttl;
use crate::store::observe::removals::Cause;
use crate::store::platform::fallible;
use crate::store::shard::{Draft, Presence, Shard, Sought, Tenant, Written};

impl Local {
    /// Copies the value of an entry of this type into `out`; `None` if it is not there.
    pub fn get_of_type<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        type_id: u32,
        out: &mut Vec<u8>,
    ) -> Result<Option<Found>, Error> {
        let is_log_full = Cell::new(false);
        // What is of another type is not used, so the use is noted here.
        let found = self.find(target, Look::Peek, |shard, tenant| {
            if tenant.entry.type_id() != type_id {
                return Some(Ok(None));
            }
            if let Err(refused) = fallible::copy_into(out, tenant.entry.value_bytes()) {
                return Some(Err(refused));
            }
            let found = Found::of(self, shard, tenant)?;
            is_log_full.set(self.turn_to_use(shard, tenant));
            Some(Ok(Some(found)))
        })?;
        if is_log_full.get() {
            self.replay_hits();
        }
        let found = found.transpose()?.flatten();
        self.count_read(found.is_some());
        Ok(found)
    }

    /// Whether there is an entry of this type.
    pub fn has_of_type<'t>(&self, target: impl KeyOrHandle<'t>, type_id: u32) -> Result<bool, Error> {
        let is_there = self.find(target, Look::Peek, |_, tenant| Some(tenant.entry.type_id() == type_id))?;
        let is_there = is_there.unwrap_or(false);
        self.count_read(is_there);
        Ok(is_there)
    }

    /// Deletes an entry of this type; returns whether it was there.
    pub fn delete_of_type<'t>(&self, target: impl KeyOrHandle<'t>, type_id: u32) -> Result<bool, Error> {
        self.store().context.check()?;
        let Some((shard, sought)) = self.seek(target) else { return Ok(false) };
        let mut is_other = false;
        let look = |tenant: Tenant<'_>| {
            is_other = tenant.entry.type_id() != type_id;
            if is_other { Err(Error::HandleNotFound) } else { Ok(()) }
        };
        let removed = match shard.remove(&self.member(), sought, Cause::Explicit, look) {
            Err(_) if is_other => false,
            removed => removed?.is_some(),
        };
        self.count_removal(removed);
        Ok(removed)
    }

    /// Sets the value of a key or handle and gives the entry this type, unless it has another.
    pub fn set_of_type<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        type_id: u32,
        value: Value<'_>,
        ttl: Ttl,
    ) -> Result<Written, Error> {
        let (shard, sought) = self.seek_existing(target)?;
        let key_bytes = if let Sought::Key(key, _) = sought { key.len() } else { 0 };
        let mut written = None;
        self.write("set", shard, &[sought], key_bytes + value.bytes.len(), || match sought {
            Sought::Key(key, hash) => {
                let draft = Draft { key: Some((key, hash)), value, type_id, ttl };
                shard.write_key(&self.member(), &draft, Presence::Any, &mut written)
            }
            Sought::Handle(handle) => shard.replace(&self.member(), handle, value, type_id, ttl, &mut written),
        })?;
        let written = written.ok_or(Error::Broken)?;
        self.count_write(&written);
        Ok(written)
    }

    /// Entries of this type. Looks at each shard, one after the other.
    pub fn len_of_type(&self, type_id: u32) -> Result<u64, Error> {
        self.store().context.check()?;
        Ok(self.store().all_shards().iter().map(|shard: &Shard| shard.len_of_type(type_id)).sum())
    }
}
