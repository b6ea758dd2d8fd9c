//! What listens to a map, and what it logs of its memory meanwhile: that it is nearly full, and that it is fragmented.

use super::store::Store;
use crate::store::entry::glob::Glob;
use crate::store::events::{Level, LogTarget, Subscription, Wake, lines};
use crate::store::memory::marks::Gauged;
use crate::store::observe::changes::ChangeAudience;
use crate::store::observe::memory_watch::PressureLine;
use crate::store::observe::pressure::{Hears, PressureSubscription, Woken};
use crate::store::platform::sync::{Arc, Ordering};

/// The share of the limit above which a map is nearly full.
const NEARLY_FULL: f64 = 0.9;

/// Memory that holds nothing is told of above this share, and counts as news again below the other one.
const FRAGMENTED: f64 = 0.25;
const COMPACT: f64 = 0.2;

/// And from so many bytes set aside for each shard on: below, it is two pages that are not full yet.
const LEAST_BYTES: u64 = 128 * 1024;

impl Store {
    /// Queues log lines and errors, as `Events::subscribe` does.
    pub fn listen(&self, level: Level, targets: u32, errors: bool, wake: Arc<dyn Wake>) -> Subscription {
        let subscription = self.events().subscribe(level, targets, errors, wake);
        self.watch_memory(level, targets);
        subscription
    }

    /// Adds a listener to the changes in a set of [`crate::store::What::bit`]s, of keys that the glob matches.
    pub fn watch_changes(&self, wanted: u32, glob: Option<Glob>, wake: Arc<dyn Wake>) -> ChangeAudience {
        self.context.removals.listen(wanted, glob, wake)
    }

    /// Adds a subscriber, which is woken when the bytes in use rise past one of these shares of the limit, and when
    /// they fall below it.
    pub fn watch_pressure(&self, thresholds: Vec<f64>, wake: Arc<dyn Wake>) -> PressureSubscription {
        self.hear_pressure(thresholds, Arc::new(Woken(wake)))
    }

    fn hear_pressure(&self, thresholds: Vec<f64>, hears: Arc<dyn Hears>) -> PressureSubscription {
        let memory: Arc<dyn Gauged> = self.context.memory.clone();
        self.context.pressure.subscribe(&memory, thresholds, hears)
    }

    /// Sees to it that what a subscription wants of memory is looked at.
    pub fn watch_memory(&self, level: Level, targets: u32) {
        if targets & LogTarget::Memory.bit() == 0 || level > lines::MEMORY_PRESSURE.level {
            return;
        }
        self.memory_watch
            .pressure
            .get_or_init(|| self.hear_pressure(vec![NEARLY_FULL], Arc::new(PressureLine(self.events().clone()))));
    }

    /// Looks whether much of the memory set aside for entries holds none, and logs it once until it is compact again.
    /// Costs a lock per shard.
    pub fn check_fragmentation(&self) {
        if !self.events().listens(&lines::MEMORY_FRAGMENTED) {
            return;
        }
        let memory = self.stats().memory;
        let idle_bytes = memory.entries.saturating_sub(memory.live + memory.retired);
        let is_small = memory.entries < LEAST_BYTES * u64::from(self.shards());
        let share = if is_small { 0.0 } else { idle_bytes as f64 / memory.entries as f64 };
        let is_fragmented = &self.memory_watch.is_fragmented;
        if share < COMPACT {
            is_fragmented.store(false, Ordering::Relaxed);
        } else if share > FRAGMENTED && !is_fragmented.swap(true, Ordering::Relaxed) {
            let numbers = [("idleBytes", idle_bytes), ("entriesBytes", memory.entries)];
            self.events().log(&lines::MEMORY_FRAGMENTED, &numbers);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;
    use crate::store::entry::key::Key;
    use crate::store::entry::value::{Value, ValueKind};
    use crate::store::events::Event;
    use crate::store::expiry::life::Ttl;

    struct Silent;

    impl Wake for Silent {
        fn wake(&self) {}
    }

    fn codes(subscription: &Subscription) -> Vec<&'static str> {
        let code = |event: Event| if let Event::Log { line, .. } = event { line.code } else { "" };
        subscription.drain(usize::MAX).events.into_iter().map(code).collect()
    }

    fn fill(store: &Arc<Store>, keys: std::ops::Range<u32>) {
        let local = store.join();
        for key in keys {
            let key = key.to_string();
            let value = Value { kind: ValueKind::String, bytes: &[b'v'; 500] };
            local.set(Key::string(&key), value, Ttl::Default).unwrap();
        }
    }

    #[test]
    fn a_map_that_is_nearly_full_says_so_once_for_all_subscribers() {
        let store = Store::new(&Config { memory_limit_bytes: Some(4 << 20), ..Config::default() }).unwrap();
        let memory = LogTarget::Memory.bit();
        let first = store.listen(Level::Warn, memory, false, Arc::new(Silent));
        let second = store.listen(Level::Warn, memory, false, Arc::new(Silent));
        let other = store.listen(Level::Warn, LogTarget::Lifecycle.bit(), false, Arc::new(Silent));
        fill(&store, 0..1_000);
        assert!(codes(&first).is_empty());
        fill(&store, 0..20_000);
        for subscription in [first, second] {
            assert_eq!(codes(&subscription), ["memory.pressure"]);
        }
        assert!(codes(&other).is_empty());
    }

    #[test]
    fn memory_that_holds_no_entry_is_told_of_once_until_it_is_compact_again() {
        let store = Store::new(&Config { shards: Some(64), ..Config::default() }).unwrap();
        let subscription = store.listen(Level::Trace, LogTarget::Memory.bit(), false, Arc::new(Silent));
        let look = || {
            store.check_fragmentation();
            store.check_fragmentation();
            codes(&subscription)
        };
        fill(&store, 0..100);
        assert!(look().is_empty(), "a page of each shard is hardly used yet");
        fill(&store, 0..20_000);
        assert!(look().is_empty());
        let local = store.join();
        for round in 0..2 {
            // Some of each page stay.
            for key in (0..20_000).filter(|key| key % 10 != 0) {
                local.delete(Key::string(&key.to_string())).unwrap();
            }
            assert_eq!(look(), ["memory.fragmented"], "round {round}");
            fill(&store, 0..20_000);
            assert!(look().is_empty());
        }
    }
}
