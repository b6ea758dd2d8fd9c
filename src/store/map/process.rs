//! What all maps of the process do for its byte limit: they make room for each other, and say how full it is.
//!
//! **Which map gives way.** A write that the limit of the process refuses has its own map evict first, as under a limit
//! of its own. If that has nothing to evict, or uses less than half of what evicting maps use on average, the others
//! do, in proportion to the bytes of their entries. A map gives way if it has an eviction policy and evicts when it is
//! full; of a map that asks a function of the user, or refuses, nothing is taken. The steward keeps a twentieth free
//! (`steward.rs`), in the same proportion, so that maps that evict nothing, and new ones, find room at once.

use super::steward::{Kept, Look, Steward};
use crate::store::error::{Error, Scope};
use crate::store::events::{Line, Wake, lines};
use crate::store::memory::marks::Gauged;
use crate::store::memory::process::ProcessMemory;
use crate::store::memory::{pages, runs};
use crate::store::observe::pressure::{Hears, Pressure, PressureNews, PressureSubscription, Woken, relief};
use crate::store::platform::sync::process::Mutex;
use crate::store::platform::sync::{Arc, Weak};

/// Shares of the limit that the steward reports and sees to.
const LOW: f64 = 0.8;
const PRESSURE: f64 = 0.95;

/// Bytes that are evicted in one round, of all maps together.
const ROUND_BYTES: u64 = 4 << 20;
/// And at least: some pages.
const LEAST_BYTES: u64 = 64 << 10;
/// Rounds after which no more are tried that evict entries and free nothing, because readers hold what was evicted or
/// other threads have taken it.
const MOST_IDLE_ROUNDS: u32 = 4;

/// A map, as the others see it.
pub(super) trait Neighbour: Send + Sync {
    /// Whether it can be used.
    fn is_there(&self) -> bool;
    /// Whether entries of it are evicted for other maps.
    fn gives_way(&self) -> bool;
    /// Its bytes.
    fn total(&self) -> u64;
    /// Those of its entries.
    fn entry_bytes(&self) -> u64;
    /// Has others evict before it, or no longer.
    fn spare(&self, is_spared: bool);
    /// Evicts entries until it has so many bytes, or some. Returns how many.
    fn evict_down_to(&self, bytes: u64) -> u64;
    /// Removes what no program reads any more.
    fn clean_up(&self);
    /// Logs a line.
    fn log(&self, line: &'static Line, numbers: &[(&'static str, u64)]);
}

/// Maps that give way, each with the bytes of its entries.
type Givers = [(u64, Arc<dyn Neighbour>)];

/// All maps of the process.
pub struct Process {
    pub(super) memory: Arc<ProcessMemory>,
    /// All, and some that are gone.
    stores: Mutex<Vec<Weak<dyn Neighbour>>>,
    pressure: Arc<Pressure>,
    pub(super) steward: Steward,
}

impl Process {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: ProcessMemory::current(),
            stores: Mutex::default(),
            pressure: Arc::default(),
            steward: Steward::default(),
        })
    }

    /// The one of this process; in a test, of its thread.
    #[cfg(not(test))]
    pub fn current() -> Arc<Self> {
        static CURRENT: std::sync::OnceLock<Arc<Process>> = std::sync::OnceLock::new();
        Arc::clone(CURRENT.get_or_init(Self::new))
    }

    /// One for each thread, so that tests do not limit each other.
    #[cfg(test)]
    pub fn current() -> Arc<Self> {
        thread_local! {
            static CURRENT: Arc<Process> = Process::new();
        }
        CURRENT.with(Arc::clone)
    }

    /// Adds a map.
    pub(super) fn join(&self, store: &Arc<dyn Neighbour>) {
        let mut stores = self.stores.lock();
        if stores.len() == stores.capacity() {
            stores.retain(|one| one.strong_count() > 0);
        }
        stores.push(Arc::downgrade(store));
    }

    /// Limits the bytes of all maps together, or no longer. What is in use stays: the steward has maps evict what is
    /// too much.
    pub fn set_limit(self: &Arc<Self>, limit_bytes: Option<u64>) {
        self.memory.set_limit(limit_bytes);
        if limit_bytes.is_some() {
            let kept: Weak<Self> = Arc::downgrade(self);
            self.steward.begin(kept, |hears| self.hear_pressure(vec![LOW, PRESSURE], hears));
        }
        self.pressure.update(&*self.memory);
        self.steward.wake();
    }

    /// The limit, if there is one.
    pub fn limit(&self) -> Option<u64> {
        self.memory.limit()
    }

    /// How many maps there are, and the bytes of all of them.
    pub fn maps(&self) -> (usize, u64) {
        self.memory.maps()
    }

    /// Adds a subscriber, which hears when the bytes of all maps rise past one of these shares of the limit, and when
    /// they fall below it.
    pub(super) fn hear_pressure(&self, thresholds: Vec<f64>, hears: Arc<dyn Hears>) -> PressureSubscription {
        let gauged: Arc<dyn Gauged> = self.memory.clone();
        self.pressure.subscribe(&gauged, thresholds, hears)
    }

    /// The same, for a subscriber that is woken and asks.
    pub fn watch_pressure(&self, thresholds: Vec<f64>, wake: Arc<dyn Wake>) -> PressureSubscription {
        self.hear_pressure(thresholds, Arc::new(Woken(wake)))
    }

    /// Those that are there. Called without a lock: dropping one of them may end it.
    fn stores(&self) -> Vec<Arc<dyn Neighbour>> {
        self.stores.lock().iter().filter_map(Weak::upgrade).filter(|store| store.is_there()).collect()
    }

    /// Those that give way. Finds out which of them the others evict for.
    pub(super) fn compare(&self) -> Vec<Arc<dyn Neighbour>> {
        let all: Vec<_> = self.stores().into_iter().filter(|store| store.gives_way()).collect();
        let sum: u64 = all.iter().map(|store| store.total()).sum();
        let small_bytes = sum / all.len().max(1) as u64 / 2;
        for store in &all {
            store.spare(store.total() < small_bytes);
        }
        all
    }

    /// Those that give way but for one, each with the bytes of its entries.
    fn givers(&self, own: Option<&dyn Neighbour>) -> Vec<(u64, Arc<dyn Neighbour>)> {
        let all = self.compare();
        let others = all.into_iter().filter(|store| !own.is_some_and(|own| std::ptr::addr_eq(own, Arc::as_ptr(store))));
        others.map(|store| (store.entry_bytes(), store)).filter(|&(bytes, _)| bytes > 0).collect()
    }

    /// Has these evict entries of so many bytes, each in proportion to what it uses. Returns how many entries.
    fn take_from(givers: &Givers, bytes: u64) -> u64 {
        let sum: u64 = givers.iter().map(|(used, _)| used).sum();
        let give = |(used, store): &(u64, Arc<dyn Neighbour>)| {
            let share = u128::from(bytes) * u128::from(*used) / u128::from(sum.max(1));
            store.evict_down_to(store.total().saturating_sub((share as u64).max(1)))
        };
        givers.iter().map(give).sum()
    }

    /// Has all that give way evict entries until at most so many bytes are in use, or a round of it. Returns how many
    /// entries.
    pub fn evict_to(&self, bytes: u64) -> u64 {
        match self.memory.used_bytes().saturating_sub(bytes) {
            0 => 0,
            excess => Self::take_from(&self.givers(None), excess.min(ROUND_BYTES)),
        }
    }

    /// Has others than `own` make room for what was refused; whether they did. Without a lock.
    ///
    /// Entries are evicted even if the bytes are there: the write wanted others as well, which it has given back. So
    /// each answer that has it try again brings it closer, or the others to their end.
    pub(super) fn relieve(&self, refused: &Error, own: Option<&dyn Neighbour>) -> bool {
        let Error::MemoryLimit { scope: Scope::Process, requested_bytes, .. } = *refused else { return false };
        let mut idle_rounds = 0;
        loop {
            let missing = self.memory.missing(requested_bytes);
            let givers = self.givers(own);
            if givers.iter().map(|(used, _)| used).sum::<u64>() < missing {
                // Not even all entries of others would be enough.
                return false;
            }
            if Self::take_from(&givers, missing.clamp(LEAST_BYTES, ROUND_BYTES)) == 0 {
                return false;
            }
            let left = self.memory.missing(requested_bytes);
            if left == 0 {
                return true;
            }
            idle_rounds = if left < missing { 0 } else { idle_rounds + 1 };
            if idle_rounds > MOST_IDLE_ROUNDS {
                return false;
            }
        }
    }
}

impl Kept for Process {
    fn look(&self, is_pressed: &mut bool) -> Look {
        self.memory.settle();
        while let Some(news) = self.steward.news() {
            self.report(&news);
            if news.rising {
                self.clean_up();
            }
        }
        let Some(limit_bytes) = self.memory.limit() else { return Look::Unlimited };
        let used_bytes = self.memory.used_bytes();
        let share_of = |part: f64| (part * limit_bytes as f64) as u64;
        let goal_bytes = share_of(relief(PRESSURE)).saturating_sub(1);
        *is_pressed = used_bytes > if *is_pressed { goal_bytes } else { share_of(PRESSURE) };
        if !*is_pressed {
            return Look::Content;
        }
        let evicted = self.evict_to(goal_bytes);
        self.memory.settle();
        if evicted > 0 && self.memory.used_bytes() < used_bytes { Look::Freed } else { Look::Idle }
    }
}

impl Process {
    /// Logs it to every map.
    fn report(&self, news: &PressureNews) {
        let line = line_of(news);
        let limit_bytes = news.limit_bytes.map(|limit_bytes| ("limitBytes", limit_bytes));
        let numbers: Vec<_> = [("usedBytes", news.used_bytes)].into_iter().chain(limit_bytes).collect();
        self.stores().iter().for_each(|store| store.log(line, &numbers));
    }

    /// Removes what no program reads any more, and gives back what no map uses.
    fn clean_up(&self) {
        self.stores().iter().for_each(|store| store.clean_up());
        runs::release_all();
        pages::release_all();
    }
}

fn line_of(news: &PressureNews) -> &'static Line {
    match news {
        PressureNews { is_high: false, .. } => &lines::PROCESS_NORMAL,
        PressureNews { rising: true, threshold, .. } if *threshold >= PRESSURE => &lines::PROCESS_PRESSURE,
        _ => &lines::PROCESS_LOW,
    }
}
