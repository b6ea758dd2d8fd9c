//! Operations that read and write an entry in one moment.

use super::local::{Found, Local, Look, Moved};
use crate::store::entry::handle::Handle;
use crate::store::entry::target::KeyOrHandle;
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::expiry::life::Ttl;
use crate::store::platform::fallible;
use crate::store::shard::{Increment, Incremented, Shard, Sought, Tenant, Written};

impl Local {
    /// Adds to the number or bigint of an entry, whose deadline stays; a missing key is inserted. The value afterwards
    /// is in `out`, what was done in `done`, see [`Local::get_into`].
    pub fn increment<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        increment: &Increment<'_>,
        out: &mut Vec<u8>,
        done: &mut Incremented,
    ) -> Result<(), Error> {
        let (shard, sought) = self.seek_existing(target)?;
        let added_bytes = size_of::<f64>() + if let Sought::Key(key, _) = sought { key.len() } else { 0 };
        self.write("increment", shard, &[sought], added_bytes, || {
            shard.increment(&self.member(), sought, increment, out, done)
        })?;
        if let Some(written) = &done.written {
            self.count_write(written);
        }
        Ok(())
    }

    /// Copies the value of an entry into `out`, as a read that counts. With it comes the version of the value, for
    /// [`Local::replace_if`] and [`Local::remove_if`].
    pub fn get_version<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        out: &mut Vec<u8>,
    ) -> Result<Option<(Found, u32)>, Error> {
        let found = self.look_at_version(target, Look::Use, out)?;
        self.count_read(found.is_some());
        Ok(found)
    }

    /// The same as a look that does not count.
    pub fn peek_version<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        out: &mut Vec<u8>,
    ) -> Result<Option<(Found, u32)>, Error> {
        self.look_at_version(target, Look::Peek, out)
    }

    /// The version is read under the lock, where no change is under way, and the value is copied without it: a block
    /// does not change, and the pin keeps it.
    fn look_at_version<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        look: Look,
        out: &mut Vec<u8>,
    ) -> Result<Option<(Found, u32)>, Error> {
        self.store().context.check()?;
        let Some((shard, sought)) = self.seek(target) else { return Ok(None) };
        let mut is_log_full = false;
        let found = loop {
            let stillness = shard.stillness();
            // The lock before the pin: a pin never waits for one.
            let pin = self.pin();
            let tenant = match sought {
                Sought::Key(key, hash) => shard.find_still(key, hash as u32, &stillness),
                Sought::Handle(handle) => shard.find_handle(handle, &pin),
            };
            let Some(tenant) = tenant else { break None };
            let version = tenant.version(&stillness);
            drop(stillness);
            let mut copy = |shard: &Shard, tenant: &Tenant<'_>| {
                let copied = fallible::copy_into(out, tenant.entry.value_bytes());
                Some(copied.map(|()| Found::of(self, shard, tenant)))
            };
            match self.try_to_use(shard, look, &tenant, &mut copy, &mut is_log_full) {
                Ok(Some(Ok(Some(found)))) => break Some((found, version)),
                Ok(Some(Err(refused))) => return Err(refused),
                Ok(None) => break None,
                // The slot has another entry by now.
                Ok(Some(Ok(None))) | Err(Moved) => {}
            }
        };
        if is_log_full {
            self.replay_hits();
        }
        Ok(found)
    }

    /// Sets another value for an entry, if nothing has changed it since [`Local::get_version`]; `None` if something
    /// has, its end included.
    pub fn replace_if(
        &self,
        handle: Handle,
        version: u32,
        value: Value<'_>,
        ttl: Ttl,
    ) -> Result<Option<Written>, Error> {
        self.replace_within("update", handle, version, value, ttl)
    }

    /// The same as a part of another operation, which errors and events name.
    pub(super) fn replace_within(
        &self,
        operation: &'static str,
        handle: Handle,
        version: u32,
        value: Value<'_>,
        ttl: Ttl,
    ) -> Result<Option<Written>, Error> {
        let (shard, sought) = self.seek_existing(handle)?;
        let mut written = None;
        self.write(operation, shard, &[sought], value.bytes.len(), || {
            shard.replace_if(&self.member(), handle, version, value, ttl, &mut written)
        })?;
        if let Some(written) = &written {
            self.count_write(written);
        }
        Ok(written)
    }

    /// Deletes an entry, if nothing has changed it since [`Local::get_version`]; returns whether it did.
    pub fn remove_if(&self, handle: Handle, version: u32) -> Result<bool, Error> {
        self.store().context.check()?;
        let (shard, _) = self.seek_existing(handle)?;
        let is_removed = shard.remove_if(&self.member(), handle, version)?;
        self.count_removal(is_removed);
        Ok(is_removed)
    }
}
