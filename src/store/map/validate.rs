//! Does the map hold together? Everything is walked through and counted anew, and compared with what the map keeps
//! counts of.
//!
//! A [`Validation`] goes over the shards one after the other, a slice at a time under the shard's lock, so that others
//! go on meanwhile: a slice takes some hundred microseconds. What is wrong with one slot is found in any case. Counts
//! are compared where no thread wrote between the first slice and the last; after a write, it is tried again a few
//! times, and then left alone: in a map that is written all the time, a wrong count may go unnoticed, but a right one
//! is never called wrong.

use std::time::Duration;

use super::store::Store;
use crate::store::error::Error;
use crate::store::eviction::Ghost;
use crate::store::memory::budget::Use;
use crate::store::platform::sync::Ordering;
use crate::store::shard::{Findings, Problem, Recount, Walk};

/// Attempts to recount all bytes while no thread writes.
const ATTEMPTS: u32 = 5;
/// Waits of a millisecond for what is being freed beside the map.
const PATIENCE: u32 = 5_000;

/// What the caller of [`Validation::step`] does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next step.
    Step,
    /// The next step, in a millisecond: something is being freed.
    Wait,
    /// Nothing: that was the last.
    Stop,
}

/// A look at all of a map, in steps.
#[derive(Debug, Default)]
pub struct Validation {
    shard: usize,
    walk: Walk,
    /// What each shard's walk began with; empty if one of them was disturbed.
    changes: Vec<Option<u64>>,
    findings: Findings,
    recount: Recount,
    attempts: u32,
    waited: u32,
}

impl Validation {
    /// Does the next step, a fraction of a millisecond.
    pub fn step(&mut self, store: &Store) -> Result<Next, Error> {
        store.context.check()?;
        if let Some(shard) = store.all_shards().get(self.shard) {
            if shard.validate(&store.context, &mut self.walk, &mut self.findings, &mut self.recount) {
                self.changes.push(self.walk.changes().filter(|_| self.walk.is_whole()));
                self.walk = Walk::default();
                self.shard += 1;
            }
            return Ok(Next::Step);
        }
        if store.context.is_freeing() && self.waited < PATIENCE {
            self.waited += 1;
            return Ok(Next::Wait);
        }
        let before = self.findings.len();
        let transfers = store.context.memory.settled_transfers();
        let published = self.compare(store);
        let is_undisturbed = transfers.is_some()
            && published == store.context.shapes.bytes().1
            && transfers == store.context.memory.settled_transfers()
            && !store.context.is_freeing()
            && store.all_shards().iter().zip(&self.changes).all(|(shard, &changes)| changes == Some(shard.changes()));
        if is_undisturbed && self.findings.len() == before {
            return Ok(self.stop(store));
        }
        // A thread wrote, or was about to: an entry may be counted that is in no shard yet.
        self.attempts += 1;
        if self.attempts < ATTEMPTS {
            self.findings.forget_after(0);
            (self.shard, self.recount) = (0, Recount::default());
            self.changes.clear();
            return Ok(Next::Wait);
        }
        if !is_undisturbed {
            self.findings.forget_after(before);
        }
        Ok(self.stop(store))
    }

    fn stop(&self, store: &Store) -> Next {
        store.context.errors.count_corruptions(self.findings.len() as u64);
        Next::Stop
    }

    /// What was found, after the last step.
    pub fn problems(self) -> Vec<Problem> {
        self.findings.into_problems()
    }

    /// Returns how often shapes had come or gone before.
    fn compare(&mut self, store: &Store) -> u64 {
        let context = &store.context;
        let (shapes_bytes, published) = context.shapes.bytes();
        self.recount.add(Use::Words, context.words.bytes());
        self.recount.add(Use::Types, context.types.bytes());
        self.recount.add(Use::Shapes, shapes_bytes);
        self.recount.add(Use::Fixed, Store::fixed_bytes(store.shards()));
        self.recount.add(Use::Policy, store.ghost.as_ref().map_or(0, Ghost::bytes));
        let mut problem = |what: String| self.findings.push(Problem { shard: None, slot: None, what });
        for (what, &found) in Use::ALL.into_iter().zip(self.recount.by_use()) {
            let counted = context.memory.used(what);
            let is_lost = context.has_lost() && counted > found as u64;
            if counted != found as u64 && !is_lost {
                problem(format!("{counted} bytes are counted for {what:?}, and {found} are there"));
            }
        }
        let (sum, total) =
            (Use::ALL.into_iter().map(|what| context.memory.used(what)).sum::<u64>(), context.memory.total());
        if sum != total {
            problem(format!("{total} bytes are counted in all, and {sum} for all uses"));
        }
        if context.memory.unowned() > 0 {
            problem(format!("{} bytes were released that were not reserved", context.memory.unowned()));
        }
        let there = self.recount.entries + context.stale_entries.load(Ordering::Relaxed);
        if let Some(admitted) = context.admitted_entries().filter(|&admitted| admitted != there) {
            problem(format!("{admitted} entries are counted, and {there} are there"));
        }
        if let Some(shards) = self.recount.shards_by_shape() {
            for number in context.shapes.miscounted(shards, context.has_lost()) {
                problem(format!("shape {number} has other users than the shards with entries of it"));
            }
        }
        published
    }
}

impl Store {
    /// Looks at everything at once. Waits for what is being freed.
    pub fn validate(&self) -> Result<Vec<Problem>, Error> {
        let mut validation = Validation::default();
        loop {
            match validation.step(self)? {
                Next::Step => {}
                Next::Wait => std::thread::sleep(Duration::from_millis(1)),
                Next::Stop => return Ok(validation.problems()),
            }
        }
    }
}
