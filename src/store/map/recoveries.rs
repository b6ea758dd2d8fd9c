//! Recoveries of a map that are under way or have ended: what the threads that wait for one share, and what the map
//! remembers. `recover.rs` does the work.

use crate::store::error::Error;
use crate::store::events::Wake;
use crate::store::observe::stats::{RecoveryStats, Tally};
use crate::store::platform::sync::Arc;
use crate::store::platform::sync::process::Mutex;

/// What a recovery came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recovered {
    /// Entries and bytes.
    pub tally: Tally,
    /// What it took, in milliseconds.
    pub time_ms: f64,
}

/// What a map knows of its recoveries. Its lock is taken before any other of the map.
#[derive(Default)]
pub struct Recoveries(pub(super) Mutex<State>);

/// What [`Recoveries`] guards.
#[derive(Default)]
pub(super) struct State {
    /// The one that is under way.
    pub running: Option<Arc<Attempt>>,
    /// How many the map has begun by itself.
    pub automatic: u32,
    pub stats: RecoveryStats,
}

/// A recovery, for the threads that wait for it.
#[derive(Default)]
pub struct Attempt(Mutex<Progress>);

#[derive(Default)]
struct Progress {
    outcome: Option<Result<Recovered, Error>>,
    waiting: Vec<Arc<dyn Wake>>,
}

impl Attempt {
    /// What it came to; `None` as long as it is under way.
    pub fn outcome(&self) -> Option<Result<Recovered, Error>> {
        self.0.lock().outcome.clone()
    }

    /// Has `notice` woken at its end, which may have come already.
    pub(super) fn watch(&self, notice: Arc<dyn Wake>) {
        let mut progress = self.0.lock();
        if progress.outcome.is_none() {
            progress.waiting.push(notice);
            return;
        }
        drop(progress);
        notice.wake();
    }

    pub(super) fn end(&self, outcome: Result<Recovered, Error>) {
        let mut progress = self.0.lock();
        progress.outcome = Some(outcome);
        let waiting = std::mem::take(&mut progress.waiting);
        drop(progress);
        for notice in &waiting {
            notice.wake();
        }
    }
}
