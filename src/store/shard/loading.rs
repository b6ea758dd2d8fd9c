//! Loading: what a shard does, under its lock, while a program loads the value of a key (`loads.rs`).

use super::context::Context;
use super::load::{Begun, Load, Party, Time, Want, Woken};
use super::member::Member;
use super::seat::{Outcome, Seat};
use super::write::{Draft, Written};
use super::{Shard, Writer, freed};
use crate::store::entry::key::Key;
use crate::store::error::Error;
use crate::store::platform::sync::{Arc, Ordering};

/// What a load brought.
pub struct LoadEnd<'a> {
    /// What its owner got.
    pub token: u64,
    /// Its key and its value.
    pub draft: Draft<'a>,
    /// Whether the value is to be stored.
    pub is_stored: bool,
    /// After how long the entry is to be loaded again.
    pub refresh_ms: Option<u64>,
    /// For how long its value is kept for loads after its deadline.
    pub stale_ms: Option<u64>,
}

impl Shard {
    /// When the first load that is waited for may be handed over, or earlier; `u64::MAX` if there is none.
    pub fn next_lease_ms(&self) -> u64 {
        self.next_lease_ms.load(Ordering::Relaxed)
    }

    /// Begins a load of a key, or joins the one that is under way, unless the key has an entry. Where the value of an
    /// expired one is kept, it is put into `stale`, and the load is one in the background.
    pub fn begin_load(
        &self,
        context: &Member<'_>,
        key: Key<'_>,
        hash: u64,
        party: &Party,
        stale: &mut Option<Outcome>,
    ) -> Result<Begun, Error> {
        let mut woken = Woken::new();
        let mut load = Load::new(key, self.ignores_case, party.clone(), false, time_of(context))?;
        let begun = self.locked(context, |writer| {
            if self.living_spot(writer, context, &key, hash).is_some() {
                return Ok(Begun::Present);
            }
            if !writer.stale.is_empty() {
                *stale = Self::stale_value(writer, context, key, hash)?;
            }
            if stale.is_some() {
                if let Some(found) = writer.loads.find(key, hash) {
                    let Some(token) = found.overdue(context.clock.now_ms()) else { return Ok(Begun::Stale(None)) };
                    // Its loader hangs.
                    drop(writer.loads.take(hash, token));
                }
                let token = load.token();
                load.go_to_background();
                writer.loads.add(load, hash)?;
                return Ok(Begun::Stale(Some(token)));
            }
            let Some(found) = writer.loads.find(key, hash) else {
                let token = load.token();
                writer.loads.add(load, hash)?;
                return Ok(Begun::Owned(token));
            };
            let ticket = found.join(party)?;
            self.expect_lease(found);
            writer.counts.loads.shared += 1;
            self.hand_over_due(writer, context, &mut woken);
            Ok(Begun::Joined(ticket))
        });
        wake(woken);
        begun
    }

    /// Ends a load. Its value is stored, if that is asked for and the load is not void; `written` says so. Returns the
    /// load, for those that wait for it; `None` if there is none with this token.
    pub fn complete_load(
        &self,
        context: &Member<'_>,
        end: &LoadEnd<'_>,
        written: &mut Option<Written>,
    ) -> Result<Option<Load>, Error> {
        let LoadEnd { token, ref draft, is_stored, refresh_ms, stale_ms } = *end;
        let Some((key, hash)) = draft.key else { return Err(Error::Broken) };
        let mut prepared = if is_stored { draft.prepare(context)? } else { None };
        let done = self.locked(context, |writer| {
            self.step(writer, context);
            let Some(is_good) = writer.loads.standing(hash, token) else { return Ok(None) };
            if is_stored && is_good {
                self.with_room(writer, context, draft.value.bytes.len(), |writer| {
                    if let Some(spot) = self.living_spot(writer, context, &key, hash) {
                        self.exchange(writer, context, spot.slot, draft, &mut prepared, written)?;
                    }
                    match written {
                        None => self.insert(writer, context, draft, &mut prepared, written),
                        Some(_) => Ok(()),
                    }
                })?;
            }
            if let (Some(after_ms), Some(written)) = (refresh_ms, &written) {
                let at_ms = context.clock.now_ms().saturating_add(after_ms);
                self.plan_refresh(writer, written.place.handle.slot, at_ms);
            }
            if let (Some(stale_ms), Some(written)) = (stale_ms, &written) {
                // Without memory for that, nothing is kept.
                drop(writer.stale_for.schedule(written.place.handle.slot, stale_ms));
            }
            Ok(Self::end_load(writer, context, hash, token, false))
        });
        freed::discard(prepared, context);
        done
    }

    /// Keys are deleted for which `is_deleted` says so: what is loaded of them is not stored.
    pub fn void_loads(&self, context: &Member<'_>, is_deleted: impl FnMut(Key<'_>) -> bool) -> Result<(), Error> {
        self.locked(context, |writer| {
            writer.loads.void_where(is_deleted);
            Ok(())
        })
    }

    /// Ends a load that brought nothing. As [`Shard::complete_load`].
    pub fn take_load(&self, context: &Member<'_>, hash: u64, token: u64) -> Result<Option<Load>, Error> {
        self.locked(context, |writer| Ok(Self::end_load(writer, context, hash, token, true)))
    }

    fn end_load(writer: &mut Writer, context: &Member<'_>, hash: u64, token: u64, is_failure: bool) -> Option<Load> {
        let load = writer.loads.take(hash, token)?;
        writer.counts.loads.end(is_failure, context.clock.elapsed_ms() - load.began_ms());
        Some(load)
    }

    /// Changes what a seat wants of a load. Returns whether the loader that it runs, with this token (0 for none), is
    /// the one that counts.
    pub fn want_load(
        &self,
        context: &Member<'_>,
        hash: u64,
        party: &Party,
        want: Want,
        token: u64,
    ) -> Result<bool, Error> {
        let mut woken = Woken::new();
        let counts = self.locked(context, |writer| {
            let counts = writer.loads.set_want(hash, party, want, token, time_of(context), &mut woken)?;
            if let Some(load) = writer.loads.of(hash, party) {
                self.expect_lease(load);
            }
            Ok(counts)
        });
        wake(woken);
        counts
    }

    /// A seat ends: the loads that it owns go to their first waiters.
    pub fn leave_loads(&self, context: &Member<'_>, seat: &Arc<Seat>) -> Result<(), Error> {
        let mut woken = Woken::new();
        let left = self.locked(context, |writer| {
            writer.loads.leave(seat, time_of(context), &mut woken);
            self.hand_over_due(writer, context, &mut woken);
            Ok(())
        });
        wake(woken);
        left
    }

    /// Hands over the loads whose lease is over.
    pub fn end_leases(&self, context: &Member<'_>) -> Result<(), Error> {
        let mut woken = Woken::new();
        let ended = self.locked(context, |writer| {
            self.hand_over_due(writer, context, &mut woken);
            Ok(())
        });
        wake(woken);
        ended
    }

    fn hand_over_due(&self, writer: &mut Writer, context: &Member<'_>, woken: &mut Woken) {
        let next_ms = writer.loads.end_leases(time_of(context), woken);
        self.next_lease_ms.store(next_ms, Ordering::Relaxed);
    }

    fn expect_lease(&self, load: &Load) {
        let ends_ms = load.lease_ends_ms().unwrap_or(u64::MAX);
        if ends_ms < self.next_lease_ms() {
            self.next_lease_ms.store(ends_ms, Ordering::Relaxed);
        }
    }
}

pub(super) fn time_of(context: &Context) -> Time<'_> {
    Time { seats: &context.seats, now_ms: context.clock.now_ms(), elapsed_ms: context.clock.elapsed_ms() }
}

/// Without the lock.
fn wake(woken: Woken) {
    for seat in woken {
        seat.wake();
    }
}
