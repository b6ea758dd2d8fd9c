//! When entries are to be loaded again, in the background, because a program asked for that as it loaded or read them.
//!
//! The times are in a timer wheel of their own, beside that of the deadlines. When one has come, the copies of the
//! entry that threads keep end, so that their next read asks here; nothing else happens to the entry. The slot stays in
//! the wheel, at [`DUE`], until it is written or removed: a write that a program asked for is newer than the load, and
//! has no such time.

use super::load::{Load, Party};
use super::member::Member;
use super::{Shard, Writer};
use crate::store::entry::key::Key;
use crate::store::error::Error;
use crate::store::platform::sync::{Ordering, unlock_fairly};
use crate::store::slab::slots::SlotRef;

/// The time of what is due already, later than that of any clock.
const DUE: u64 = u64::MAX - 2;

/// How the entry of a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// There is none.
    Absent,
    /// It is not to be loaded yet. `is_watched`: when it is, the copies of before have ended.
    Fresh {
        /// Whether a thread ends them.
        is_watched: bool,
    },
    /// It is being loaded.
    Loading,
    /// It is to be loaded, and the caller owns the load, under this token.
    Owned(u64),
}

impl Shard {
    /// When the next entry is to be loaded again, or earlier; `u64::MAX` if none is.
    pub fn next_refresh_ms(&self) -> u64 {
        self.next_refresh_ms.load(Ordering::Relaxed)
    }

    /// Begins a load of an entry that is to be loaded again. One without a time for that gets one, `after_ms` from now.
    pub fn begin_refresh(
        &self,
        context: &Member<'_>,
        key: Key<'_>,
        hash: u64,
        after_ms: u64,
        party: &Party,
    ) -> Result<Freshness, Error> {
        let load = Load::new(key, self.ignores_case, party.clone(), true, super::loading::time_of(context))?;
        self.locked(context, |writer| {
            let Some(spot) = self.living_spot(writer, context, &key, hash) else { return Ok(Freshness::Absent) };
            let now_ms = context.clock.now_ms();
            if writer.refreshes.deadline_of(spot.slot).is_none() {
                self.plan_refresh(writer, spot.slot, now_ms.saturating_add(after_ms));
            }
            let planned_ms = writer.refreshes.deadline_of(spot.slot);
            if planned_ms.is_none_or(|at_ms| at_ms > now_ms && at_ms != DUE) {
                let is_watched = planned_ms.is_some() && context.attendance.is_there();
                return Ok(Freshness::Fresh { is_watched });
            }
            if let Some(found) = writer.loads.find(key, hash) {
                let Some(token) = found.overdue(now_ms) else { return Ok(Freshness::Loading) };
                // Its loader hangs.
                drop(writer.loads.take(hash, token));
            }
            let token = load.token();
            writer.loads.add(load, hash)?;
            Ok(Freshness::Owned(token))
        })
    }

    /// Sets when a slot's entry is to be loaded again. Without memory for that, the next read does.
    pub(super) fn plan_refresh(&self, writer: &mut Writer, number: u32, at_ms: u64) {
        if writer.refreshes.schedule(number, at_ms.min(DUE - 1)).is_ok() && at_ms < self.next_refresh_ms() {
            self.next_refresh_ms.store(at_ms, Ordering::Relaxed);
        }
    }

    /// Ends the copies of at most `limit` entries that are to be loaded again. The caller comes back for more.
    pub fn end_refreshable_copies(&self, context: &Member<'_>, now_ms: u64, limit: usize) -> Result<(), Error> {
        self.locked_until(unlock_fairly, context, |writer| {
            let mut due = std::mem::take(&mut writer.due);
            writer.refreshes.advance(now_ms, limit, &mut due);
            for number in due.drain(..) {
                if let Some(change) = self.slab.slot(number).map(SlotRef::change) {
                    let _ = change.settle(self.slab.life(number));
                }
                // Without memory for it, the next read plans anew.
                drop(writer.refreshes.schedule(number, DUE));
            }
            writer.due = due;
            let next_ms = writer.refreshes.next_deadline_ms().filter(|&at_ms| at_ms != DUE);
            self.next_refresh_ms.store(next_ms.unwrap_or(u64::MAX), Ordering::Relaxed);
            Ok(())
        })
    }
}
