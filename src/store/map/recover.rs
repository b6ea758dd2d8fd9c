//! Recovery of a broken map.
//!
//! A map is broken by a panic under a shard's lock, and refuses everything from then on. [`Store::recover`] makes it
//! usable again: a job of the pool (`platform/pool.rs`) waits until no thread is pinned that was so when the map broke,
//! and then makes each shard anew of those of its entries that fit (`shard/rebuild.rs`), one shard after the other.
//! When all are done, the map is open again, for all threads that have it.
//!
//! **What holds meanwhile.** Every call is refused, so no thread writes: `locked` asks again under the lock, and so do
//! commits and `clear` under the lock of commits. A thread that passed its look at the state before the map broke, and
//! goes on only now, meets old shards or new ones, each as a whole. `destroy` may come at any time, and ends the
//! recovery.
//!
//! **What stays**: limits, deadlines and times to live, types, shapes, the insertion order, listeners, and which
//! threads have the map open. **What begins anew**: handles, version words, the order of eviction, times at which
//! entries are loaded again, and stale values. Loads and transactions that were under way when the map broke have
//! failed.
//!
//! **An attempt that fails** (no memory, out of time, another panic) leaves the map broken. Shards that were done stay
//! as they are; another attempt makes all of them anew once more.
//!
//! **Limits.** While shards are copied, the limit in bytes does not hold, for the size of one shard. What is never
//! freed is counted no more afterwards, or a map that is full would have no room for what it still has.

use std::time::Duration;

use super::recoveries::{Attempt, Recovered, State};
use super::store::Store;
use crate::store::config::AutoRecovery;
use crate::store::error::Error;
use crate::store::events::{Wake, lines};
use crate::store::observe::stats::{LastRecovery, RecoveryStats, Tally};
use crate::store::platform::clock::Patience;
use crate::store::platform::pool::{self, Job};
use crate::store::platform::sync::Arc;
use crate::store::shard::Rebuild;

/// What a slice of the job takes.
const SLICE: Duration = Duration::from_millis(1);
/// The time of an attempt without a limit.
const NO_LIMIT: Duration = Duration::from_secs(1 << 40);

impl Store {
    /// Begins to recover the map, if it is broken and no recovery is under way. What is returned is the one that is
    /// under way, or one that has nothing to do; `notice` is woken at its end. To drop it does not end it.
    pub fn recover(self: &Arc<Self>, notice: Arc<dyn Wake>) -> Result<Arc<Attempt>, Error> {
        let attempt = self.begin_recovery(None)?;
        attempt.watch(notice);
        Ok(attempt)
    }

    /// Begins to recover a broken map that was made to recover by itself, as often as it was made to.
    #[cold]
    pub fn recover_if_asked_for(self: &Arc<Self>) {
        if let Some(asked) = self.config().auto_recovery.filter(|asked| asked.attempts > 0 && self.is_broken()) {
            // Refused, the next call that finds the map broken tries again.
            drop(self.begin_recovery(Some(asked)));
        }
    }

    /// Recovers the map in this thread.
    #[cfg(all(test, not(loom)))]
    pub fn recover_here(self: &Arc<Self>) -> Result<Recovered, Error> {
        let attempt = Arc::new(Attempt::default());
        let mut job = Recovering::new(self, &attempt, None);
        while job.slice() {}
        attempt.outcome().unwrap_or(Err(Error::Broken))
    }

    /// Attempts so far.
    pub fn recovery_stats(&self) -> RecoveryStats {
        self.recoveries.0.lock().stats
    }

    fn begin_recovery(self: &Arc<Self>, automatic: Option<AutoRecovery>) -> Result<Arc<Attempt>, Error> {
        let mut state = self.recoveries.0.lock();
        if let Some(running) = &state.running {
            return Ok(Arc::clone(running));
        }
        match self.context.check() {
            Ok(()) => {
                let nothing = Attempt::default();
                nothing.end(Ok(Recovered::default()));
                return Ok(Arc::new(nothing));
            }
            Err(Error::Broken) => {}
            Err(refused) => return Err(refused),
        }
        if automatic.is_some_and(|asked| state.automatic >= asked.attempts) {
            return Err(Error::Broken);
        }
        let attempt = Arc::new(Attempt::default());
        pool::submit(Recovering::new(self, &attempt, automatic))?;
        state.automatic += u32::from(automatic.is_some());
        state.running = Some(Arc::clone(&attempt));
        Ok(attempt)
    }
}

/// The job.
struct Recovering {
    store: Arc<Store>,
    attempt: Arc<Attempt>,
    is_automatic: bool,
    /// The epoch in which readers may be pinned that came before the map broke.
    sealed: Option<u64>,
    is_unpinned: bool,
    shard: usize,
    rebuild: Option<Rebuild>,
    tally: Tally,
    patience: Patience,
    is_over: bool,
}

enum Next {
    Step,
    Wait,
    Stop,
}

impl Job for Recovering {
    fn slice(&mut self) -> bool {
        let slice = Patience::new(SLICE);
        loop {
            match self.step() {
                Ok(Next::Step) => {}
                Ok(Next::Wait) => {
                    std::thread::sleep(SLICE);
                    return true;
                }
                Ok(Next::Stop) => {
                    self.end(None);
                    return false;
                }
                Err(refused) => {
                    self.end(Some(refused));
                    return false;
                }
            }
            if slice.is_over() {
                return true;
            }
        }
    }
}

impl Recovering {
    fn new(store: &Arc<Store>, attempt: &Arc<Attempt>, automatic: Option<AutoRecovery>) -> Self {
        let limit = automatic.map_or(NO_LIMIT, |asked| Duration::from_millis(asked.timeout_ms));
        Self {
            store: Arc::clone(store),
            attempt: Arc::clone(attempt),
            is_automatic: automatic.is_some(),
            sealed: None,
            is_unpinned: false,
            shard: 0,
            rebuild: None,
            tally: Tally::default(),
            patience: Patience::new(limit),
            is_over: false,
        }
    }

    fn step(&mut self) -> Result<Next, Error> {
        if self.patience.is_over() {
            return Err(Error::RecoveryTimeout { ms: self.patience.limit_ms() });
        }
        let context = &self.store.context;
        if !self.is_unpinned {
            let sealed = *self.sealed.get_or_insert_with(|| context.collector.seal());
            // Where the system refuses the fence, what is replaced is not freed either.
            if context.collector.is_past(sealed) == Some(false) {
                return Ok(Next::Wait);
            }
            self.is_unpinned = true;
            context.memory.lift_limit();
        }
        let Some(shard) = self.store.all_shards().get(self.shard) else {
            return self.resume().map(|()| Next::Stop);
        };
        let mut rebuild = match self.rebuild.take() {
            None => shard.begin_rebuild(context)?,
            Some(rebuild) => rebuild,
        };
        let stepped = context.as_guest(|member| shard.rebuild(member, &mut rebuild));
        if !matches!(stepped, Ok(false)) {
            self.rebuild = Some(rebuild);
            return stepped.map(|_| Next::Step);
        }
        // From when it is replaced until everything counts as debris.
        let transfer = context.memory.transfer();
        let replaced = context.as_guest(|member| shard.finish_rebuild(member, rebuild))?;
        context.removals.wake();
        self.store.dispose(replaced.contents.into_iter().collect());
        drop(transfer);
        self.tally.add(replaced.tally);
        self.shard += 1;
        Ok(Next::Step)
    }

    /// All shards are done: the map goes on.
    fn resume(&self) -> Result<(), Error> {
        let store = &self.store;
        // What finds the map open finds its recovery ended: it may break again at once.
        let mut state = store.recoveries.0.lock();
        let excluded = store.context.commits.exclude();
        let is_open = store.context.resume(store.len());
        drop(excluded);
        if !is_open {
            return Err(Error::Closed);
        }
        self.record(&mut state, None);
        drop(state);
        store.context.pressure.update(&*store.context.memory);
        for shard in store.all_shards() {
            store.expect_expiry(shard);
        }
        Ok(())
    }

    /// The attempt has ended.
    fn record(&self, state: &mut State, refused: Option<&Error>) {
        state.running = None;
        state.stats.attempts += 1;
        state.stats.automatic += u64::from(self.is_automatic);
        state.stats.failures += u64::from(refused.is_some());
        state.stats.total.add(self.tally);
        let (at_ms, time_ms) = (self.store.context.clock.elapsed_ms(), self.patience.spent_ms());
        state.stats.last = Some(LastRecovery { at_ms, time_ms, failure: refused.map(Error::code) });
    }

    fn end(&mut self, refused: Option<Error>) {
        self.is_over = true;
        let store = &self.store;
        if let Some(rebuild) = self.rebuild.take() {
            store.dispose(vec![rebuild.discard(&store.context)]);
        }
        let context = &store.context;
        let outcome = match refused {
            None => Ok(Recovered { tally: self.tally, time_ms: self.patience.spent_ms() }),
            Some(refused) => {
                context.memory.set_limit(context.memory.limit());
                self.record(&mut store.recoveries.0.lock(), Some(&refused));
                Err(refused)
            }
        };
        match &outcome {
            Ok(Recovered { tally, time_ms }) => {
                let fields = [
                    ("recovered", tally.recovered),
                    ("dropped", tally.dropped),
                    ("expired", tally.expired),
                    ("leakedBytes", tally.leaked_bytes),
                    ("timeMs", *time_ms as u64),
                ];
                context.events.log(&lines::MAP_RECOVERED, &fields);
            }
            Err(refused) => {
                let fields = [("code", u64::from(refused.code())), ("shards", self.shard as u64)];
                context.events.log(&lines::MAP_UNRECOVERED, &fields);
                if self.is_automatic {
                    // No caller throws it.
                    context.errors.count(refused.code());
                    context.events.report(refused, "recover");
                } else {
                    context.events.error(refused, "recover");
                }
            }
        }
        self.attempt.end(outcome);
    }
}

impl Drop for Recovering {
    /// A job that ends before its end has panicked.
    fn drop(&mut self) {
        if !self.is_over {
            self.rebuild = None;
            self.end(Some(Error::Broken));
        }
    }
}
