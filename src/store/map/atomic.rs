//! Operations that read and write an entry in one moment.

use super::local::Local;
use crate::store::entry::target::KeyOrHandle;
use crate::store::error::Error;
use crate::store::shard::{Increment, Incremented, Sought};

impl Local {
    /// Adds to the number or bigint of an entry, whose deadline stays; a missing key is inserted. The value afterwards
    /// is in `out`, what was done in `done`, see [`Local::get_into`].
    pub fn increment<'t>(
        &self,
        target: impl KeyOrHandle<'t>,
        increment: &Increment<'_>,
        out: &mut Vec<u8>,
        done: &mut Option<Incremented>,
    ) -> Result<(), Error> {
        *done = None;
        let (shard, sought) = self.seek_existing(target)?;
        let added_bytes = size_of::<f64>() + if let Sought::Key(key, _) = sought { key.len() } else { 0 };
        self.write("increment", shard, Some(sought), added_bytes, || {
            shard.increment(&self.member(), sought, increment, out, done)
        })?;
        if let Some(written) = done.as_ref().and_then(|done| done.written.as_ref()) {
            self.count_write(written);
        }
        Ok(())
    }
}
