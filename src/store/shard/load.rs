//! One load under way: its owner, its waiters, and how it goes from one to the other.

use std::collections::VecDeque;

use super::seat::{Notice, Outcome, Seat, Seats};
use crate::store::entry::folding;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// How long a load is owned before the first waiter may take it over.
pub const LEASE_MS: u64 = 60_000;

/// How a load that was asked for stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// There is an entry, so nothing is to be loaded.
    Present,
    /// The load is owned, under this token.
    Owned(u64),
    /// The value of an expired entry is there. A load in the background is owned, under this token, or is under way.
    Stale(Option<u64>),
    /// Another load of the key is under way, and this seat knows it by this ticket.
    Joined(u64),
}

/// What a seat wants of a load that it has a ticket for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing any more.
    Nothing,
    /// What it brings, where the seat owns it.
    Outcome,
    /// To be one of its next owners.
    Turn,
}

/// What is to be done with a load after a seat has said what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    GoesOn,
    HasEnded,
    NeedsOwner,
}

/// A seat, and its ticket for a load.
#[derive(Clone)]
pub struct Party {
    /// Where it is reached.
    pub seat: Arc<Seat>,
    /// What it knows the load by.
    pub ticket: u64,
}

impl Party {
    fn is(&self, other: &Self) -> bool {
        self.ticket == other.ticket && self.is_of(&other.seat)
    }

    fn is_of(&self, seat: &Arc<Seat>) -> bool {
        Arc::ptr_eq(&self.seat, seat)
    }
}

/// The key of a load.
struct OwnKey {
    kind: KeyKind,
    bytes: Vec<u8>,
    /// Whether keys that differ in case only are the same.
    ignores_case: bool,
}

impl OwnKey {
    fn key(&self) -> Key<'_> {
        Key::new(self.kind, &self.bytes)
    }

    fn is(&self, other: Key<'_>) -> bool {
        self.key() == other || self.ignores_case && folding::is_equal(self.key(), other)
    }
}

/// A load under way.
pub struct Load {
    key: OwnKey,
    token: u64,
    owner: Party,
    /// Whether the owner's thread waits for what it loads.
    is_wanted_by_owner: bool,
    /// Whether it goes on if nothing waits for it.
    is_background: bool,
    is_void: bool,
    lease_ends_ms: u64,
    /// When its loader began.
    began_ms: f64,
    /// The first is the next owner. The owner may be among them: where several calls of its thread wait, another of
    /// them is next.
    waiters: VecDeque<Party>,
}

/// When something happens to loads, and what numbers them.
#[derive(Clone, Copy)]
pub struct Time<'a> {
    /// The seats of the map.
    pub seats: &'a Seats,
    /// The time.
    pub now_ms: u64,
    /// The same to the fraction of a millisecond.
    pub elapsed_ms: f64,
}

/// Seats to be woken as soon as the lock is released.
pub type Woken = Vec<Arc<Seat>>;

impl Load {
    /// A load of a key, which is not begun yet. `ignores_case` if the map does.
    pub fn new(
        key: Key<'_>,
        ignores_case: bool,
        owner: Party,
        is_background: bool,
        time: Time<'_>,
    ) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        fallible::copy_into(&mut bytes, key.bytes())?;
        Ok(Self {
            key: OwnKey { kind: key.kind(), bytes, ignores_case },
            token: time.seats.next_token(),
            owner,
            is_wanted_by_owner: !is_background,
            is_background,
            is_void: false,
            lease_ends_ms: time.now_ms.saturating_add(LEASE_MS),
            began_ms: time.elapsed_ms,
            waiters: VecDeque::new(),
        })
    }

    /// What is loaded.
    pub(super) fn key(&self) -> Key<'_> {
        self.key.key()
    }

    pub(super) fn is_of(&self, key: Key<'_>) -> bool {
        self.key.is(key)
    }

    /// Whether both are of one key.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.key.is(other.key.key())
    }

    /// What its owner proves by that it is.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// When its loader began, by the clock of the map.
    pub fn began_ms(&self) -> f64 {
        self.began_ms
    }

    /// Whether what it brings must not be stored.
    pub fn is_void(&self) -> bool {
        self.is_void
    }

    /// Whether it goes on if nothing waits for it.
    pub fn is_background(&self) -> bool {
        self.is_background
    }

    /// Has it go on if nothing waits for it. Before it is begun.
    pub(super) fn go_to_background(&mut self) {
        (self.is_background, self.is_wanted_by_owner) = (true, false);
    }

    /// Its key was written or deleted.
    pub(super) fn void(&mut self) {
        self.is_void = true;
    }

    /// Whether a seat loads it.
    pub(super) fn is_owned_by(&self, seat: &Arc<Seat>) -> bool {
        self.owner.is_of(seat)
    }

    /// Whether a loader of this party is the one that counts.
    pub(super) fn is_loaded_by(&self, party: &Party, token: u64) -> bool {
        self.token == token && self.owner.is(party)
    }

    /// Whether a ticket is for this load.
    pub(super) fn has(&self, party: &Party) -> bool {
        self.owner.is(party) || self.waiters.iter().any(|waiter| waiter.is(party))
    }

    /// What waits for it.
    pub(super) fn waiters(&mut self) -> &mut VecDeque<Party> {
        &mut self.waiters
    }

    /// When the first waiter may take it over, if there is one.
    pub fn lease_ends_ms(&self) -> Option<u64> {
        (!self.waiters.is_empty()).then_some(self.lease_ends_ms)
    }

    /// Its token, if its lease is over and there is none to take it over: its loader hangs.
    pub(super) fn overdue(&self, now_ms: u64) -> Option<u64> {
        (self.lease_ends_ms <= now_ms && self.waiters.is_empty()).then_some(self.token)
    }

    /// The ticket by which a seat knows it.
    fn ticket_of(&self, seat: &Arc<Seat>) -> Option<u64> {
        std::iter::once(&self.owner).chain(&self.waiters).find(|party| party.is_of(seat)).map(|party| party.ticket)
    }

    /// Enqueues a waiter, unless it waits already.
    fn enqueue(&mut self, party: Party) -> Result<(), Error> {
        if self.waiters.iter().any(|waiter| waiter.is(&party)) {
            return Ok(());
        }
        let refused = |_| Error::OutOfMemory { bytes: size_of::<Party>() as u64 };
        self.waiters.try_reserve(1).map_err(refused)?;
        self.waiters.push_back(party);
        Ok(())
    }

    /// Adds a seat, whose ticket this is unless it has one already, to what waits. Returns the ticket.
    pub fn join(&mut self, party: &Party) -> Result<u64, Error> {
        let ticket = self.ticket_of(&party.seat).unwrap_or(party.ticket);
        if self.owner.is_of(&party.seat) && !self.is_background {
            self.is_wanted_by_owner = true;
        }
        self.enqueue(Party { ticket, ..party.clone() })?;
        Ok(ticket)
    }

    /// Changes what a seat wants of it. `token` is that of the loader that the seat runs, 0 for none.
    pub(super) fn set_want(
        &mut self,
        party: &Party,
        want: Want,
        token: u64,
        woken: &mut Woken,
    ) -> Result<Standing, Error> {
        if want == Want::Turn {
            self.enqueue(party.clone())?;
            return Ok(Standing::GoesOn);
        }
        self.waiters.retain(|waiter| !waiter.is(party));
        if !self.owner.is(party) {
            return Ok(if self.is_wanted_or_says_so(woken) { Standing::GoesOn } else { Standing::HasEnded });
        }
        if want == Want::Outcome {
            return Ok(Standing::GoesOn);
        }
        self.is_wanted_by_owner = false;
        Ok(match self.is_wanted() {
            false => Standing::HasEnded,
            // The seat does not know yet that it is the owner, so nothing runs there.
            true if token != self.token => Standing::NeedsOwner,
            true => Standing::GoesOn,
        })
    }

    /// A seat ends. Whether the load goes on, with another owner if it was that.
    pub(super) fn leave(&mut self, seat: &Arc<Seat>, woken: &mut Woken) -> bool {
        self.waiters.retain(|waiter| !waiter.is_of(seat));
        if self.owner.is_of(seat) {
            self.is_wanted_by_owner = false;
            return !self.waiters.is_empty();
        }
        self.is_wanted_or_says_so(woken)
    }

    fn is_wanted(&self) -> bool {
        self.is_background || self.is_wanted_by_owner || !self.waiters.is_empty()
    }

    /// Whether anything waits for it. If not, its owner is told that it has ended.
    fn is_wanted_or_says_so(&self, woken: &mut Woken) -> bool {
        let is_wanted = self.is_wanted();
        if !is_wanted {
            self.owner.seat.send(Notice::Unwanted(self.owner.ticket));
            woken.push(Arc::clone(&self.owner.seat));
        }
        is_wanted
    }

    /// Makes the first waiter its owner; whether there is one. The former owner waits behind the others, if it still
    /// waits.
    pub(super) fn hand_over(&mut self, time: Time<'_>, woken: &mut Woken) -> bool {
        let Some(next) = self.waiters.pop_front() else { return false };
        let former = std::mem::replace(&mut self.owner, next);
        let waits = former.is(&self.owner) || self.waiters.iter().any(|waiter| waiter.is(&former));
        if self.is_wanted_by_owner && !waits {
            // In the place of the one that was taken.
            self.waiters.push_back(former);
        }
        self.is_wanted_by_owner = true;
        self.is_background = false;
        self.token = time.seats.next_token();
        self.lease_ends_ms = time.now_ms.saturating_add(LEASE_MS);
        self.began_ms = time.elapsed_ms;
        // A loader that begins now reads what was written before.
        self.is_void = false;
        self.owner.seat.send(Notice::Granted(self.owner.ticket, self.token));
        woken.push(Arc::clone(&self.owner.seat));
        true
    }

    /// Sends what it was to its waiters, and wakes them. Without a lock of the map. Its owner knows.
    pub fn report(self, outcome: impl FnOnce() -> Outcome) {
        let Self { owner, waiters, .. } = self;
        let mut others = waiters.into_iter().filter(|waiter| !waiter.is(&owner)).peekable();
        if others.peek().is_none() {
            return;
        }
        let outcome = Arc::new(outcome());
        for waiter in others {
            waiter.seat.send(Notice::Ended(waiter.ticket, Arc::clone(&outcome)));
            waiter.seat.wake();
        }
    }
}
