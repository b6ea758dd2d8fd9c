//! A map as one participant works on it.
//!
//! What frees memory needs to know on whose behalf it runs: a fence is left out where the caller is the map's only
//! participant. A member can be made of a participant alone, so work that frees cannot be reached without one.

use std::ops::Deref;

use super::context::Context;
use crate::store::memory::reclaim::Participant;

/// What all shards share, and the participant that works on them.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    context: &'a Context,
    participant: &'a Participant,
}

impl<'a> Member<'a> {
    /// `participant` has joined the collector of `context`.
    #[inline]
    pub fn new(context: &'a Context, participant: &'a Participant) -> Self {
        Self { context, participant }
    }

    /// On whose behalf memory is freed.
    #[inline]
    pub fn participant(&self) -> &'a Participant {
        self.participant
    }
}

impl Deref for Member<'_> {
    type Target = Context;

    #[inline]
    fn deref(&self) -> &Context {
        self.context
    }
}

impl Context {
    /// Does work that requires a participant: callers from outside become one for as long as it takes.
    pub fn as_guest<T>(&self, work: impl FnOnce(&Member<'_>) -> T) -> T {
        let guest = self.collector.join();
        let answer = work(&Member::new(self, &guest));
        self.collector.leave(&guest);
        answer
    }
}
