//! Comparing an entry's value, and setting another one if it is what is expected.

use std::ops::Deref;

use super::local::{Found, Local};
use crate::store::entry::equality::Expected;
use crate::store::entry::fields::Layout;
use crate::store::entry::shapes::numbers::BUILT_IN;
use crate::store::entry::target::KeyOrHandle;
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::expiry::life::Ttl;
use crate::store::shard::Written;

/// How often a record is read again whose shape is not known any more. It was replaced since by another thread, and
/// that as often in a row is no chance.
pub const MOST_READS: usize = 64;

/// What comparing led to.
#[derive(Clone, Copy, Debug)]
pub enum Compared {
    /// There is no such entry.
    Absent,
    /// The value is another one. The caller's buffer has it.
    Different(Found),
    /// It was the expected one, and is the next one now.
    Swapped(Written),
}

impl Local {
    /// Sets another value for an entry whose value equals an expected one, see `entry/equality.rs`. `layout_of` says
    /// what the number of a shape means, `None` if no entry has it any more.
    ///
    /// The value is copied and compared without a lock and without a pin, so that no other thread waits for it. It is
    /// written over only if nothing has changed the entry since; if something has, all of it is done again. That some
    /// thread has written then is why this ends.
    pub fn compare_and_set<'t, L: Deref<Target = Layout>>(
        &self,
        target: impl KeyOrHandle<'t>,
        expected: &mut Expected<'_>,
        next: Value<'_>,
        ttl: Ttl,
        out: &mut Vec<u8>,
        mut layout_of: impl FnMut(u32) -> Result<Option<L>, Error>,
    ) -> Result<Compared, Error> {
        let mut reads_in_vain = 0;
        loop {
            let Some((found, version)) = self.get_version(target, out)? else { return Ok(Compared::Absent) };
            let shape = Value { kind: found.kind, bytes: out }.shape().filter(|shape| *shape != BUILT_IN);
            let layout = shape.map(&mut layout_of).transpose()?.flatten();
            if shape.is_some() && layout.is_none() {
                reads_in_vain += 1;
                if reads_in_vain == MOST_READS {
                    return Err(Error::Broken);
                }
                continue;
            }
            if !expected.is(found.kind, out, layout.as_deref())? {
                return Ok(Compared::Different(found));
            }
            if let Some(written) = self.replace_within("compareAndSet", found.place.handle, version, next, ttl)? {
                return Ok(Compared::Swapped(written));
            }
        }
    }
}
