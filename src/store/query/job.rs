//! A query that is asked of a whole map, as a job of the pool (`platform/pool.rs`).
//!
//! **How to call it.** [`begin`] starts it and returns an [`Inquiry`], which the caller keeps: what it has come to so
//! far, and in the end the [`Answer`]. Dropping the inquiry cancels the job. `notice` is woken when there is an answer.
//!
//! **What is guaranteed.** An entry that is there from the beginning to the end is looked at exactly once. Each entry
//! is seen at one moment, not all of them at the same. [`Task::Delete`] deletes an entry only as it was when it was
//! asked for: one that has changed since is looked at again. A load that began before and whose key is asked for stores
//! nothing.
//!
//! **What it holds.** The map, and nothing of the thread that asked.

use super::Query;
use super::sweep::{Match, Sweep, Type};
use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::events::Wake;
use crate::store::map::store::Store;
use crate::store::platform::clock::Patience;
use crate::store::platform::fallible;
use crate::store::platform::pool::{self, Job};
use crate::store::platform::sync::process::{AtomicBool, AtomicU64, Mutex};
use crate::store::platform::sync::{Arc, Ordering};
use std::time::Duration;

/// What a slice of a job takes.
const SLICE: Duration = Duration::from_millis(1);

/// What is done with the entries that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// They are counted.
    Count,
    /// Their handles are given, up to so many.
    Find {
        /// How many.
        most: usize,
    },
    /// They are deleted.
    Delete,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// How many entries were found, or deleted.
    pub found: u64,
    /// Their handles, if they were asked for.
    pub handles: Vec<Handle>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries that were looked at.
    pub seen: u64,
    /// Entries that were found, or deleted.
    pub found: u64,
}

/// A job, for the thread that asked.
pub struct Inquiry(Arc<Shared>);

#[derive(Default)]
struct Shared {
    seen: AtomicU64,
    found: AtomicU64,
    is_cancelled: AtomicBool,
    end: Mutex<End>,
}

#[derive(Default)]
enum End {
    #[default]
    NotYet,
    Answered(Result<Answer, Error>),
    /// It was answered, and the answer was taken; or the job panicked.
    Nothing,
}

impl Inquiry {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { seen: self.0.seen.load(Ordering::Relaxed), found: self.0.found.load(Ordering::Relaxed) }
    }

    /// Takes the answer, once notice of it was given. `None` before, after it was taken, and if the job panicked.
    pub fn take(&self) -> Result<Option<Answer>, Error> {
        let mut end = self.0.end.lock();
        if matches!(*end, End::NotYet) {
            return Ok(None);
        }
        match std::mem::replace(&mut *end, End::Nothing) {
            End::Answered(answer) => answer.map(Some),
            End::NotYet | End::Nothing => Ok(None),
        }
    }
}

impl Drop for Inquiry {
    fn drop(&mut self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }
}

struct Asking {
    sweep: Sweep,
    task: Task,
    answer: Answer,
    /// Entries that were found and not dealt with.
    matches: Vec<Match>,
    shared: Arc<Shared>,
    notice: Arc<dyn Wake>,
}

/// Asks a query of all entries of a map, or of all of one type.
pub fn begin(
    store: &Arc<Store>,
    query: Query,
    of_type: Option<&str>,
    task: Task,
    notice: Arc<dyn Wake>,
) -> Result<Inquiry, Error> {
    let (asking, inquiry) = asking(store, query, of_type, task, notice)?;
    pool::submit(asking)?;
    Ok(inquiry)
}

/// Asks a query in this thread.
#[cfg(test)]
pub fn answer_here(store: &Arc<Store>, query: Query, of_type: Option<&str>, task: Task) -> Result<Answer, Error> {
    struct Silent;
    impl Wake for Silent {
        fn wake(&self) {}
    }
    let (mut asking, inquiry) = asking(store, query, of_type, task, Arc::new(Silent))?;
    while asking.slice() {}
    inquiry.take().map(Option::unwrap_or_default)
}

/// A job, and what its caller keeps.
fn asking(
    store: &Arc<Store>,
    query: Query,
    of_type: Option<&str>,
    task: Task,
    notice: Arc<dyn Wake>,
) -> Result<(Asking, Inquiry), Error> {
    store.context.check()?;
    let shared = Arc::new(Shared::default());
    let of_type = match of_type {
        None => Type::Any,
        Some(name) => store.context.types.hold_known(name).map_or(Type::Unknown, Type::Known),
    };
    let sweep = Sweep::new(Arc::clone(store), query, of_type);
    let (answer, matches) = (Answer::default(), Vec::new());
    Ok((Asking { sweep, task, answer, matches, shared: Arc::clone(&shared), notice }, Inquiry(shared)))
}

impl Job for Asking {
    fn slice(&mut self) -> bool {
        let patience = Patience::new(SLICE);
        loop {
            if self.shared.is_cancelled.load(Ordering::Relaxed) {
                return false;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    let answer = std::mem::take(&mut self.answer);
                    self.end(End::Answered(Ok(answer)));
                    return false;
                }
                Err(refused) => {
                    self.end(End::Answered(Err(refused)));
                    return false;
                }
            }
            if patience.is_over() {
                return true;
            }
        }
    }
}

impl Asking {
    /// Looks at some entries. Whether there are more to look at.
    fn step(&mut self) -> Result<bool, Error> {
        self.sweep.store().context.check()?;
        let most = match self.task {
            Task::Find { most } => most - self.answer.handles.len(),
            Task::Count | Task::Delete => usize::MAX,
        };
        if most == 0 || self.sweep.is_over() {
            return Ok(false);
        }
        if self.task == Task::Delete {
            self.sweep.void_loads()?;
        }
        self.sweep.stretch(most, &mut self.matches)?;
        self.answer.found += match self.task {
            Task::Count => self.matches.len() as u64,
            Task::Find { .. } => {
                fallible::reserve_amortised(&mut self.answer.handles, self.matches.len())?;
                self.answer.handles.extend(self.matches.iter().map(|found| found.handle));
                self.matches.len() as u64
            }
            Task::Delete => {
                let removed = self.sweep.remove(&self.matches)?;
                self.sweep.store().count_deletes(removed);
                removed
            }
        };
        self.matches.clear();
        self.shared.seen.store(self.sweep.seen(), Ordering::Relaxed);
        self.shared.found.store(self.answer.found, Ordering::Relaxed);
        Ok(true)
    }

    fn end(&self, end: End) {
        *self.shared.end.lock() = end;
        self.notice.wake();
    }
}

impl Drop for Asking {
    /// A job that ends without an answer has panicked, unless nothing waits for it any more.
    fn drop(&mut self) {
        if matches!(*self.shared.end.lock(), End::NotYet) {
            self.end(End::Nothing);
        }
    }
}
