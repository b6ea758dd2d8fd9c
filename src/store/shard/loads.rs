//! Loads under way in a shard: which key is being loaded, by which thread, and which threads wait for it.
//!
//! **One load for each key.** A thread that misses a key asks the shard, under its lock, to begin a load. The first to
//! ask owns the load and gets a *token* for it; the others are enqueued as waiters. Nothing blocks: each open map has a
//! [`Seat`], to which notices are sent, and which wakes its thread.
//!
//! **Leases.** A load is owned for [`LEASE_MS`]. When that is over, or its owner's seat ends, the first waiter becomes
//! the owner, under another token. What the former owner brings afterwards has a token that no load has, and is not
//! stored. A load without waiters goes on for as long as it takes, until a thread asks for its key.
//!
//! **What voids a load.** A write or a deletion that a program asked for, of the key that is being loaded, makes the
//! load void, under the same lock: what the loader brings is older than that write, so it is handed to the waiters and
//! not stored. A void load accepts no more waiters: they would be given what was loaded before the write that they
//! may have made themselves. They begin a load of their own.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::load::{Load, Party, Standing, Time, Want, Woken};
use super::seat::Seat;
use crate::store::entry::key::Key;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// The hashes of keys are what loads are found by, so they are used as they are.
#[derive(Default)]
struct HashOfKey(u64);

impl Hasher for HashOfKey {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The loads of a shard, by the hashes of their keys. At most one of a key is not void.
#[derive(Default)]
pub struct Loads(HashMap<u64, Vec<Load>, BuildHasherDefault<HashOfKey>>);

impl Loads {
    /// Whether nothing is being loaded: all that a write has to know if so.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The load of a key that newcomers join.
    pub fn find(&mut self, key: Key<'_>, hash: u64) -> Option<&mut Load> {
        self.0.get_mut(&hash)?.iter_mut().find(|load| !load.is_void() && load.is_of(key))
    }

    /// Adds one. The caller has found none of its key.
    pub fn add(&mut self, load: Load, hash: u64) -> Result<(), Error> {
        self.0.try_reserve(1).map_err(|_| Error::OutOfMemory { bytes: size_of::<Load>() as u64 })?;
        let same = self.0.entry(hash).or_default();
        let reserved = fallible::reserve_amortised(same, 1);
        if reserved.is_ok() {
            same.push(load);
        }
        self.tidy(hash);
        reserved
    }

    /// The load that a ticket is for.
    pub fn of(&self, hash: u64, party: &Party) -> Option<&Load> {
        self.0.get(&hash)?.iter().find(|load| load.has(party))
    }

    /// Whether the load with this token may store what it brings; `None` if there is none.
    pub fn standing(&self, hash: u64, token: u64) -> Option<bool> {
        let load = self.0.get(&hash)?.iter().find(|load| load.token() == token)?;
        Some(!load.is_void())
    }

    /// Takes out the load with this token.
    pub fn take(&mut self, hash: u64, token: u64) -> Option<Load> {
        let same = self.0.get_mut(&hash)?;
        let at = same.iter().position(|load| load.token() == token)?;
        let load = same.swap_remove(at);
        self.tidy(hash);
        Some(load)
    }

    /// A key was written or deleted.
    #[cold]
    pub fn void(&mut self, key: Key<'_>, hash: u64) {
        if let Some(same) = self.0.get_mut(&hash) {
            same.iter_mut().filter(|load| load.is_of(key)).for_each(Load::void);
        }
    }

    /// Keys were deleted for which `is_deleted` says so, whether they are there or not.
    pub fn void_where(&mut self, mut is_deleted: impl FnMut(Key<'_>) -> bool) {
        self.0.values_mut().flatten().filter(|load| is_deleted(load.key())).for_each(Load::void);
    }

    /// All keys were.
    pub fn void_all(&mut self) {
        self.0.values_mut().flatten().for_each(Load::void);
    }

    /// Changes what a seat wants of a load. Returns whether the loader that it runs, with this token, is the one that
    /// counts.
    pub fn set_want(
        &mut self,
        hash: u64,
        party: &Party,
        want: Want,
        token: u64,
        time: Time<'_>,
        woken: &mut Woken,
    ) -> Result<bool, Error> {
        let Some(same) = self.0.get_mut(&hash) else { return Ok(false) };
        let Some(at) = same.iter().position(|load| load.has(party)) else { return Ok(false) };
        match same[at].set_want(party, want, token, woken)? {
            Standing::GoesOn => {}
            Standing::HasEnded => drop(same.swap_remove(at)),
            Standing::NeedsOwner => _ = hand_over(same, at, time, woken),
        }
        let counts = same.iter().any(|load| load.is_loaded_by(party, token));
        self.tidy(hash);
        Ok(counts)
    }

    /// A seat ends: what it owns goes to the first waiter.
    pub fn leave(&mut self, seat: &Arc<Seat>, time: Time<'_>, woken: &mut Woken) {
        for same in self.0.values_mut() {
            let mut at = 0;
            while let Some(load) = same.get_mut(at) {
                let is_own = load.is_owned_by(seat);
                let stays = load.leave(seat, woken);
                if stays && is_own {
                    at += usize::from(hand_over(same, at, time, woken));
                } else if stays {
                    at += 1;
                } else {
                    same.swap_remove(at);
                }
            }
        }
        self.0.retain(|_, same| !same.is_empty());
    }

    /// Hands over the loads whose lease is over, where there is a waiter. Returns when the next one is.
    pub fn end_leases(&mut self, time: Time<'_>, woken: &mut Woken) -> u64 {
        let mut next_ms = u64::MAX;
        for same in self.0.values_mut() {
            let mut at = 0;
            while let Some(load) = same.get(at) {
                let is_due = load.lease_ends_ms().is_some_and(|ends_ms| ends_ms <= time.now_ms);
                at += usize::from(!is_due || hand_over(same, at, time, woken));
            }
            next_ms = same.iter().filter_map(Load::lease_ends_ms).fold(next_ms, u64::min);
        }
        next_ms
    }

    fn tidy(&mut self, hash: u64) {
        if self.0.get(&hash).is_some_and(Vec::is_empty) {
            self.0.remove(&hash);
        }
    }
}

/// Hands a load over that has a waiter; whether it stays. Where newcomers have begun another one since it is void, its
/// waiters join that.
fn hand_over(same: &mut Vec<Load>, at: usize, time: Time<'_>, woken: &mut Woken) -> bool {
    let other = same.iter().position(|other| !other.is_void() && other.is_like(&same[at]));
    let Some(other) = other.filter(|&other| other != at) else {
        same[at].hand_over(time, woken);
        return true;
    };
    let mut void = std::mem::take(same[at].waiters());
    same[other].waiters().append(&mut void);
    same.swap_remove(at);
    false
}
