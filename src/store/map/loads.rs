//! Loads: one loader for each key among all threads (`shard/loads.rs`).

use super::local::Local;
use crate::store::entry::key::Key;
use crate::store::entry::shapes::ShapeHold;
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::events::{Wake, lines};
use crate::store::expiry::life::Ttl;
use crate::store::platform::sync::Arc;
use crate::store::shard::load::{Begun, Party, Want};
use crate::store::shard::loading::LoadEnd;
use crate::store::shard::refresh::Freshness;
use crate::store::shard::seat::{Outcome, Seat};
use crate::store::shard::{Draft, Written};

/// What a load brought.
#[derive(Clone, Copy, Debug)]
pub struct Completion<'a> {
    /// The key that was loaded.
    pub key: Key<'a>,
    /// What its owner got.
    pub token: u64,
    /// What is handed to the waiters.
    pub value: Value<'a>,
    /// Whether it is to be stored, too.
    pub is_stored: bool,
    /// How long it lives then.
    pub ttl: Ttl,
    /// After how long it is to be loaded again.
    pub refresh_ms: Option<u64>,
    /// For how long its value is kept for loads after its deadline.
    pub stale_ms: Option<u64>,
}

/// What became of a load that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadFailure {
    /// It was another's by then.
    NotOwned,
    /// It has ended.
    Owned,
    /// So has one in the background, and no subscriber hears of it.
    Unheard,
}

impl Local {
    /// A seat for an open map, through which its thread learns of loads. It ends with [`Local::leave_loads`].
    pub fn loads_seat(&self, wake: Arc<dyn Wake>) -> Arc<Seat> {
        self.store().context.seats.add(wake)
    }

    /// Begins a load of a key, or joins the one that is under way. A ticket is a number that the seat has not used.
    /// The value of an expired entry that is kept for loads is put into `stale`.
    pub fn begin_load(
        &self,
        key: Key<'_>,
        seat: &Arc<Seat>,
        ticket: u64,
        stale: &mut Option<Outcome>,
    ) -> Result<Begun, Error> {
        self.store().context.check()?;
        *stale = None;
        let (shard, hash) = self.shard_of(key);
        let begun = shard.begin_load(&self.member(), key, hash, &Party { seat: Arc::clone(seat), ticket }, stale)?;
        if matches!(begun, Begun::Joined(_)) {
            self.store().expect_lease(shard);
        }
        Ok(begun)
    }

    /// Whether an entry is to be loaded again; if so, the caller owns the load, unless it is under way. One without a
    /// time for that gets one, `after_ms` from now.
    pub fn begin_refresh(
        &self,
        key: Key<'_>,
        after_ms: u64,
        seat: &Arc<Seat>,
        ticket: u64,
    ) -> Result<Freshness, Error> {
        let (shard, hash) = self.shard_of(key);
        let party = Party { seat: Arc::clone(seat), ticket };
        let freshness = shard.begin_refresh(&self.member(), key, hash, after_ms, &party)?;
        self.store().expect_lease(shard);
        Ok(freshness)
    }

    /// Ends a load with a value. `None` if the load is owned by another seat meanwhile, or has ended: nothing is stored
    /// then. Otherwise what was written, which is nothing if it was not to be stored or the load is void.
    pub fn complete_load(&self, completion: &Completion<'_>, written: &mut Option<Written>) -> Result<bool, Error> {
        let Completion { key, token, value, is_stored, ttl, refresh_ms, stale_ms } = *completion;
        *written = None;
        // Waiters read the record when its entry may be gone.
        let hold = match value.shape() {
            Some(number) => self.hold_for_waiters(number)?,
            None => None,
        };
        let (shard, sought) = self.seek_existing(key)?;
        let (_, hash) = self.shard_of(key);
        let draft = Draft { key: Some((key, hash)), value, type_id: 0, ttl };
        let end = LoadEnd { token, draft, is_stored, refresh_ms, stale_ms };
        let added_bytes = key.len() + value.bytes.len();
        let load = self
            .write("getOrLoad", shard, &[sought], added_bytes, || shard.complete_load(&self.member(), &end, written))?;
        if let Some(written) = written {
            self.count_write(written);
        }
        if refresh_ms.is_some() {
            self.store().expect_lease(shard);
        }
        let was_owned = load.is_some();
        if let Some(load) = load {
            self.note_load(load.began_ms());
            load.report(|| Outcome::of(value, hold));
        }
        Ok(was_owned)
    }

    fn hold_for_waiters(&self, number: u32) -> Result<Option<ShapeHold>, Error> {
        let shapes = &self.store().context.shapes;
        match shapes.hold(number) {
            Some(hold) => Ok(Some(hold)),
            // The built-in one is known anyway.
            None if shapes.has(number) => Ok(None),
            None => Err(Error::ShapeGone),
        }
    }

    /// Ends a load that brought no value, for a reason that the waiters get.
    pub fn fail_load(&self, key: Key<'_>, token: u64, reason: Vec<u8>) -> Result<LoadFailure, Error> {
        let (shard, hash) = self.shard_of(key);
        let Some(load) = shard.take_load(&self.member(), hash, token)? else { return Ok(LoadFailure::NotOwned) };
        self.note_load(load.began_ms());
        let mut failure = LoadFailure::Owned;
        if load.is_background() {
            let context = &self.store().context;
            context.events.log(&lines::REFRESH_FAILED, &[]);
            let error = Error::RefreshFailed { reason: String::from_utf8_lossy(&reason).into_owned() };
            context.errors.count(error.code());
            if !context.events.error(&error, "getOrLoad") {
                failure = LoadFailure::Unheard;
            }
        }
        load.report(|| Outcome::Failed(reason));
        Ok(failure)
    }

    /// Changes what a seat wants of a load. Returns whether the loader that it runs, with this token (0 for none), is
    /// the one that counts: if not, nothing waits for it.
    pub fn want_load(
        &self,
        key: Key<'_>,
        seat: &Arc<Seat>,
        ticket: u64,
        want: Want,
        token: u64,
    ) -> Result<bool, Error> {
        let (shard, hash) = self.shard_of(key);
        let party = Party { seat: Arc::clone(seat), ticket };
        let counts = shard.want_load(&self.member(), hash, &party, want, token)?;
        self.store().expect_lease(shard);
        Ok(counts)
    }

    /// Ends a seat. The loads that it owns go to their first waiters.
    pub fn leave_loads(&self, seat: &Arc<Seat>) {
        for shard in self.store().all_shards() {
            // A map that has ended has told all of them.
            if shard.leave_loads(&self.member(), seat).is_err() {
                return;
            }
            self.store().expect_lease(shard);
        }
    }
}
