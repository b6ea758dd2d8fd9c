//! Commits: all writes of a transaction in one moment, if nothing has changed what it has read.
//!
//! 1. *Stage* (`shard/stage.rs`): blocks are written, entries and bytes are reserved, tables grow, and entries are
//!    evicted for that, though none that the transaction has read or will write. Under one lock at a time.
//! 2. *Lock*: what excludes commits, `clear` and `destroy` first (`shard/commits.rs`), then all shards in the order of
//!    their numbers.
//! 3. *Validate* what was read, and *plan* what will be written (`shard/commit.rs`). If something is missing that was
//!    there when it was staged, everything is released, and the commit begins again.
//! 4. *Publish*. From here on nothing can fail.
//!
//! Under the locks nothing is allocated, freed or evicted, and nothing waits for readers.
//!
//! **A commit of a few small writes** begins with step 2: where the shards have free blocks and room in their tables,
//! *plan* takes them itself, so that each shard is locked once. Where one has not, or has upkeep to do, everything is
//! released, and the commit begins with step 1.

use super::local::Local;
use super::store::Store;
use super::transaction::{Item, Seen, Transaction};
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::memory::budget::Frozen;
use crate::store::memory::large;
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;
use crate::store::shard::commits;
use crate::store::shard::member::Member;
use crate::store::shard::{Intent, Locked, SAME_TYPE, Shard, Sought, Staged, Step, Wanted, Written};
use crate::store::slab::location::EntryLocation;
use crate::store::slab::words::Words;

/// How often a commit begins again because something is missing under the locks. Then it is a conflict.
const ATTEMPTS: u32 = 64;
/// After so many, small things may be allocated under the locks: deadlines of many entries at once may crowd in a way
/// that no room was made for.
const FROZEN_ATTEMPTS: u32 = 3;
/// A commit of so few writes, of so few bytes, is attempted before anything is staged.
const FEW_WRITES: usize = 16;
const FEW_BYTES: usize = 8 * 1_024;

#[cfg(test)]
thread_local! {
    /// Attempts that the longest commit of this thread took.
    pub static MOST_ATTEMPTS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    /// Commits of this thread for which nothing was staged; `None` has everything staged.
    pub static UNSTAGED: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(Some(0)) };
}

/// A write of a commit.
struct Planned<'t> {
    intent: Intent<'t>,
    shard: u32,
    item: usize,
}

impl Planned<'_> {
    /// Whether an entry gets a type.
    fn gives_type(&self) -> bool {
        !matches!(self.intent.type_id, 0 | SAME_TYPE)
    }
}

/// What an attempt relies on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reserve {
    /// What the shards have at hand: nothing was staged.
    AtHand,
    /// What was staged.
    Staged,
    /// What was staged, and small things that may be allocated under the locks.
    More,
}

/// How an attempt ended.
enum Outcome {
    Done,
    /// Something has to be staged again.
    Missing,
    /// Others have changed these items.
    Changed(Vec<usize>),
}

impl Transaction {
    /// Makes all writes, or none. The transaction is over after that, unless a limit has refused it.
    pub fn commit(&mut self, map: &Local) -> Result<(), Error> {
        map.store().context.check()?;
        if !self.changed.is_empty() {
            return Err(Error::TransactionConflict);
        }
        let mut placed = Vec::new();
        match map.commit(self, &mut placed)? {
            Outcome::Done => {
                for (at, place) in placed {
                    self.items[at].placed = Some(place);
                    if let Seen::Inserted(number) = self.items[at].seen {
                        self.inserted[number] = Some(place);
                    }
                }
                map.counters().commits.add(1);
                Ok(())
            }
            Outcome::Changed(items) => {
                self.changed = items;
                map.counters().conflicts.add(1);
                Err(Error::TransactionConflict)
            }
            Outcome::Missing => Err(Error::Broken),
        }
    }

    /// What is to be written.
    fn planned(&self, map: &Local) -> Result<Vec<Planned<'_>>, Error> {
        let store = map.store();
        let mut planned = fallible::vec(self.items.len())?;
        let mut now_ms = None;
        for (at, item) in self.items.iter().enumerate() {
            let Some(write) = &item.write else { continue };
            let target = item.sought();
            // An entry that is to be inserted and is removed again leaves nothing.
            if target.is_none() && write.value.is_none() {
                continue;
            }
            let shard = match target {
                Some(Sought::Key(_, hash)) => store.shard_of(hash).number(),
                Some(Sought::Handle(handle)) => handle.shard,
                None => store.next_shard().number(),
            };
            let value = write.value.as_ref().map(|(kind, bytes)| Value { kind: *kind, bytes });
            let span = store.context.span(write.ttl, || *now_ms.get_or_insert_with(|| store.context.clock.now_ms()));
            let type_id = match &write.type_hold {
                Some(hold) => hold.id(),
                None if write.keeps_type => SAME_TYPE,
                None => 0,
            };
            let intent = Intent { target, value, type_id, ttl: write.ttl, span: span.filter(|_| value.is_some()) };
            planned.push(Planned { intent, shard, item: at });
        }
        Ok(planned)
    }
}

impl Local {
    /// A word that is odd while a commit changes entries, and another even number after each; made on first use.
    pub fn commit_word(&self) -> Result<Arc<Words>, Error> {
        let context = &self.store().context;
        context.check()?;
        context.commits.word(&context.memory, &context.words).map(Arc::clone)
    }

    /// How far commits have come; `None` while one changes entries. What was read between two looks that say the same
    /// is as they have left it. A map that never committed pays a load for each.
    #[inline]
    pub fn commits(&self) -> Option<u32> {
        self.store().context.commits.settled()
    }

    /// Runs `read` while nothing is committed, so that what it reads is as one commit left it. It takes as long as
    /// other commits wait.
    pub fn between_commits<T>(&self, read: impl FnOnce() -> T) -> T {
        let _excluded = self.store().context.commits.exclude();
        read()
    }

    fn commit(&self, transaction: &Transaction, placed: &mut Vec<(usize, EntryLocation)>) -> Result<Outcome, Error> {
        let planned = transaction.planned(self)?;
        // What only reads was confirmed with its last read.
        if planned.is_empty() {
            return Ok(Outcome::Done);
        }
        let member = self.member();
        let mut staged = fallible::slice(planned.len(), |_| Staged::default())?;
        fallible::reserve(placed, planned.len())?;
        let mut outcome = self.commit_unstaged(&member, transaction, &planned, &mut staged, placed);
        if let Ok(Outcome::Missing) = outcome {
            outcome = self.commit_staged(&member, transaction, &planned, &mut staged, placed);
        }
        for (one, planned) in staged.iter_mut().zip(&planned) {
            self.shard_at(planned.shard).unstage(&member, one);
        }
        if let Ok(Outcome::Missing) = outcome {
            // Others write to the same keys all the time.
            outcome = Ok(Outcome::Changed(planned.iter().map(|planned| planned.item).collect()));
        }
        if let Ok(Outcome::Done) = outcome {
            let mut last = None;
            for Planned { shard, intent, .. } in &planned {
                if last != Some(*shard) {
                    self.follow_up(self.shard_at(*shard), intent.bytes());
                    last = Some(*shard);
                }
            }
        }
        outcome
    }

    /// Attempts a commit of a few writes with what the shards have at hand, which mostly is all that it needs: each is
    /// locked once. `Missing` if there is more to it.
    fn commit_unstaged<'c>(
        &'c self,
        member: &'c Member<'_>,
        transaction: &Transaction,
        planned: &[Planned<'_>],
        staged: &mut [Staged<'c>],
        placed: &mut Vec<(usize, EntryLocation)>,
    ) -> Result<Outcome, Error> {
        #[cfg(test)]
        if UNSTAGED.get().is_none() {
            return Ok(Outcome::Missing);
        }
        let bytes = planned.iter().map(|planned| planned.intent.bytes()).sum();
        let is_more = |planned: &Planned<'_>| planned.intent.span.is_some() || planned.gives_type();
        let has_word = self.store().context.commits.has_word();
        if planned.len() > FEW_WRITES || bytes > FEW_BYTES || !has_word || planned.iter().any(is_more) {
            return Ok(Outcome::Missing);
        }
        let outcome = self.write("transaction", self.shard_at(planned[0].shard), &[], bytes, || {
            self.attempt(member, transaction, planned, staged, placed, Reserve::AtHand)
        });
        #[cfg(test)]
        if let Ok(Outcome::Done) = outcome {
            UNSTAGED.set(UNSTAGED.get().map(|commits| commits + 1));
        }
        outcome
    }

    /// Sets everything aside that is needed, and then makes all writes.
    fn commit_staged<'c>(
        &'c self,
        member: &'c Member<'_>,
        transaction: &Transaction,
        planned: &[Planned<'_>],
        staged: &mut [Staged<'c>],
        placed: &mut Vec<(usize, EntryLocation)>,
    ) -> Result<Outcome, Error> {
        let mut about = fallible::vec(transaction.items.len())?;
        let is_about = |item: &&Item| item.seen != Seen::Not || item.write.is_some();
        about.extend(transaction.items.iter().filter(is_about).filter_map(Item::sought));
        // Those in one shard together.
        let mut order = fallible::slice(planned.len(), |at| at)?;
        order.sort_unstable_by_key(|&at| (planned[at].shard, at));
        // Logs of types grow when an entry gets a type.
        let have_types = planned.iter().any(Planned::gives_type);
        for attempt in 0..ATTEMPTS {
            #[cfg(test)]
            MOST_ATTEMPTS.set(MOST_ATTEMPTS.get().max(attempt + 1));
            self.stage(member, planned, &order, &about, staged)?;
            let reserve = if attempt < FROZEN_ATTEMPTS && !have_types { Reserve::Staged } else { Reserve::More };
            let outcome = self.attempt(member, transaction, planned, staged, placed, reserve)?;
            if !matches!(outcome, Outcome::Missing) {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Missing)
    }

    fn shard_at(&self, number: u32) -> &Shard {
        &self.store().all_shards()[number as usize]
    }

    /// Sets aside what all writes need.
    fn stage<'c>(
        &self,
        member: &'c Member<'_>,
        planned: &[Planned<'_>],
        order: &[usize],
        about: &[Sought<'_>],
        staged: &mut [Staged<'c>],
    ) -> Result<(), Error> {
        let context = &self.store().context;
        let have_deadlines = planned.iter().any(|planned| planned.intent.span.is_some());
        if !context.commits.has_word() {
            let word = || context.commits.word(&context.memory, &context.words).map(|_| ());
            self.write("transaction", self.shard_at(planned[order[0]].shard), about, 0, word)?;
        }
        let mut rest = order;
        while let Some(&first) = rest.first() {
            let number = planned[first].shard;
            let writes = rest.iter().take_while(|&&at| planned[at].shard == number).count();
            let shard = self.shard_at(number);
            let mut inserts = 0;
            for (nth, &at) in rest[..writes].iter().enumerate() {
                let Planned { intent, .. } = &planned[at];
                let wanted = Wanted { writes, inserts, is_last: nth + 1 == writes, have_deadlines };
                let one = &mut staged[at];
                self.write("transaction", shard, about, intent.bytes(), || {
                    shard.stage(member, intent, &wanted, about, one)
                })?;
                inserts += usize::from(staged[at].inserts());
            }
            rest = &rest[writes..];
        }
        Ok(())
    }

    /// Locks, validates, plans and publishes.
    fn attempt<'c>(
        &'c self,
        member: &'c Member<'_>,
        transaction: &Transaction,
        planned: &[Planned<'_>],
        staged: &mut [Staged<'c>],
        placed: &mut Vec<(usize, EntryLocation)>,
        reserve: Reserve,
    ) -> Result<Outcome, Error> {
        let context = &*self.store().context;
        let word = context.commits.word(&context.memory, &context.words)?;
        // All lists have their room before any lock is held.
        let mut numbers = fallible::vec(planned.len() + transaction.items.len())?;
        numbers.extend(planned.iter().map(|planned| planned.shard));
        numbers.extend(transaction.items.iter().filter_map(|item| match item.seen {
            Seen::Present { handle, .. } => Some(handle.shard),
            Seen::Absent => item.key.as_ref().map(|key| self.store().shard_of(key.hash).number()),
            Seen::Not | Seen::Inserted(_) => None,
        }));
        numbers.sort_unstable();
        numbers.dedup();
        let mut locked = fallible::vec(numbers.len())?;
        let mut unlocked = fallible::vec(numbers.len())?;
        let mut steps = fallible::vec(planned.len())?;
        let seen = transaction.items.iter().filter(|item| item.seen != Seen::Not).count();
        let mut changed = fallible::vec(seen)?;

        let excluded = context.commits.exclude();
        context.check()?;
        locked.extend(numbers.iter().map(|&number| self.shard_at(number).lock(context)));
        let frozen = (reserve != Reserve::More).then(Frozen::begin);
        validate(self.store(), transaction, &locked, &mut changed);
        let outcome = if !changed.is_empty() {
            Outcome::Changed(changed)
        } else if plan(member, planned, &mut locked, staged, &mut steps, reserve) {
            let committing = commits::begin(&word.cells()[0]);
            for (step, planned) in steps.iter().zip(planned) {
                at(&mut locked, planned.shard).begin(step);
            }
            for (step, planned) in steps.iter_mut().zip(planned) {
                at(&mut locked, planned.shard).publish(member, &planned.intent, step);
            }
            drop(committing);
            Outcome::Done
        } else {
            Outcome::Missing
        };
        drop(frozen);
        unlocked.extend(locked.into_iter().filter_map(|locked| locked.unlock(context)));
        drop(excluded);
        for unlocked in unlocked {
            unlocked.finish(member);
        }
        large::release_surplus();
        for (step, planned) in steps.iter().zip(planned).filter(|_| matches!(outcome, Outcome::Done)) {
            if let Some((place, replaced)) = step.written() {
                self.count_write(&Written { place, replaced });
                placed.push((planned.item, place));
            }
            self.count_removal(step.has_removed());
        }
        Ok(outcome)
    }
}

/// The shard of this number, which is one of those.
fn at<'l, 's>(locked: &'l mut [Locked<'s>], number: u32) -> &'l mut Locked<'s> {
    let at = locked.binary_search_by_key(&number, Locked::number).expect("every shard of a write is locked");
    &mut locked[at]
}

/// Looks for what others have changed since it was read.
fn validate(store: &Store, transaction: &Transaction, locked: &[Locked<'_>], changed: &mut Vec<usize>) {
    let context = &store.context;
    let find = |number| locked.binary_search_by_key(&number, Locked::number).map(|at| &locked[at]);
    for (at, item) in transaction.items.iter().enumerate() {
        let is_same = match (item.seen, &item.key) {
            (Seen::Present { handle, version }, _) => {
                find(handle.shard).is_ok_and(|shard| shard.is_current(context, handle, version))
            }
            (Seen::Absent, Some(key)) => {
                let shard = find(store.shard_of(key.hash).number());
                shard.is_ok_and(|shard| shard.is_absent(context, key.key(), key.hash))
            }
            _ => true,
        };
        if !is_same {
            changed.push(at);
        }
    }
}

/// Takes what all writes need; false, and nothing is taken, if something is missing.
fn plan<'c, 's>(
    member: &'c Member<'_>,
    planned: &[Planned<'_>],
    locked: &mut [Locked<'s>],
    staged: &mut [Staged<'c>],
    steps: &mut Vec<Step<'s>>,
    reserve: Reserve,
) -> bool {
    for (planned, staged) in planned.iter().zip(&mut *staged) {
        match at(locked, planned.shard).plan(member, &planned.intent, staged, reserve == Reserve::AtHand) {
            Some(step) => steps.push(step),
            None => break,
        }
    }
    let is_whole = steps.len() == planned.len();
    // Last, because readers see it: a deadline that is renewed is one that they no longer find over.
    if is_whole && steps.iter_mut().zip(planned).all(|(step, planned)| at(locked, planned.shard).claim(step)) {
        return true;
    }
    while let Some(step) = steps.pop() {
        let last = steps.len();
        at(locked, planned[last].shard).undo(member, step, &mut staged[last]);
    }
    false
}
