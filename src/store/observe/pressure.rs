//! Reports to subscribers how full a map is, when it becomes fuller than their thresholds.
//!
//! A subscriber names thresholds, shares of the byte limit. When use goes past one, it is woken, once: a threshold
//! counts again after use has fallen a little below it, so that a full map, which always is about as full, does not
//! ring without end.
//!
//! Writers compare the bytes in use with two numbers, [`Pressure::is_due`]; all else happens when one of them is
//! passed.

use crate::store::events::Wake;
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::process::{AtomicU64, Mutex};
use crate::store::platform::sync::{Arc, Ordering};

/// By how much of the limit use has to fall below a threshold before that counts again.
const RELIEF: f64 = 0.02;

/// The subscribers of one map.
pub struct Pressure {
    /// Above this, a subscriber has to be woken. A hint: the truth is in `watchers`.
    alarm_bytes: AtomicU64,
    /// Below this, a threshold that was passed counts again.
    relief_bytes: AtomicU64,
    watchers: Mutex<Vec<Arc<Watcher>>>,
}

struct Watcher {
    wake: Arc<dyn Wake>,
    state: Mutex<State>,
}

struct State {
    /// Rising.
    thresholds: Vec<f64>,
    /// How many of them are passed.
    passed: usize,
    news: Option<f64>,
}

impl Pressure {
    /// Without subscribers.
    pub(crate) fn new() -> Self {
        Self { alarm_bytes: AtomicU64::new(u64::MAX), relief_bytes: AtomicU64::new(0), watchers: Mutex::default() }
    }

    /// Whether [`Pressure::update`] has something to do.
    #[inline]
    pub(crate) fn is_due(&self, used_bytes: u64) -> bool {
        used_bytes > self.alarm_bytes.load(Ordering::Relaxed) || self.is_relieved(used_bytes)
    }

    /// Whether use has fallen so far that a threshold counts again, which [`Pressure::update`] has to see before it
    /// rises.
    #[inline]
    pub(crate) fn is_relieved(&self, used_bytes: u64) -> bool {
        used_bytes < self.relief_bytes.load(Ordering::Relaxed)
    }

    /// Finds the subscribers to be woken, and wakes them. Without any lock of the map.
    #[cold]
    pub(crate) fn update(&self, memory: &Memory) {
        let mut to_wake = Vec::new();
        let (mut alarm, mut relief) = (f64::INFINITY, 0.0_f64);
        let watchers = self.watchers.lock();
        if let Some(limit_bytes) = memory.limit() {
            let limit = limit_bytes as f64;
            let ratio = memory.total() as f64 / limit;
            for watcher in watchers.iter() {
                let mut state = watcher.state.lock();
                let passed = state.thresholds.iter().take_while(|&&threshold| threshold < ratio).count();
                if passed > state.passed {
                    state.passed = passed;
                    state.news = Some(ratio);
                    to_wake.push(Arc::clone(watcher));
                } else {
                    let kept = state.thresholds.iter().take_while(|&&threshold| threshold - RELIEF <= ratio).count();
                    state.passed = state.passed.min(kept);
                }
                if let Some(next) = state.thresholds.get(state.passed) {
                    alarm = alarm.min(next * limit);
                }
                if let Some(last) = state.passed.checked_sub(1) {
                    relief = relief.max((state.thresholds[last] - RELIEF) * limit);
                }
            }
        }
        let bytes = |bytes: f64| if bytes.is_finite() { bytes as u64 } else { u64::MAX };
        self.alarm_bytes.store(bytes(alarm), Ordering::Relaxed);
        self.relief_bytes.store(bytes(relief.max(0.0)), Ordering::Relaxed);
        drop(watchers);
        for watcher in to_wake {
            watcher.wake.wake();
        }
    }

    /// Adds a subscriber. What is passed already counts as news at the next write.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        memory: &Arc<Memory>,
        mut thresholds: Vec<f64>,
        wake: Arc<dyn Wake>,
    ) -> PressureSubscription {
        thresholds.sort_by(f64::total_cmp);
        let watcher = Arc::new(Watcher { wake, state: Mutex::new(State { thresholds, passed: 0, news: None }) });
        self.watchers.lock().push(Arc::clone(&watcher));
        self.update(memory);
        PressureSubscription { pressure: Arc::clone(self), memory: Arc::clone(memory), watcher }
    }
}

/// One subscriber. Dropping it unsubscribes.
pub struct PressureSubscription {
    pressure: Arc<Pressure>,
    memory: Arc<Memory>,
    watcher: Arc<Watcher>,
}

impl PressureSubscription {
    /// The ratio of bytes in use to the limit, as it was when a threshold was last passed; `None` if none was since
    /// this was last asked.
    pub fn take(&self) -> Option<f64> {
        self.watcher.state.lock().news.take()
    }
}

impl Drop for PressureSubscription {
    fn drop(&mut self) {
        self.pressure.watchers.lock().retain(|other| !Arc::ptr_eq(other, &self.watcher));
        self.pressure.update(&self.memory);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::memory::budget::{Reservation, Use};

    #[derive(Default)]
    struct Bell(AtomicU64);

    impl Wake for Bell {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_threshold_rings_once_until_use_has_fallen_below_it() {
        let memory = Arc::new(Memory::new(Some(1_000)));
        let pressure = Arc::new(Pressure::new());
        let bell = Arc::new(Bell::default());
        let subscription = pressure.subscribe(&memory, vec![0.9, 0.5], bell.clone());
        let mut used = Reservation::empty(&memory, Use::Entries);
        let mut use_bytes = |wanted: u64| {
            used.resize(wanted as usize).unwrap();
            if pressure.is_due(wanted) {
                pressure.update(&memory);
            }
            subscription.take()
        };
        let rung = [400, 501, 600, 505, 495, 501, 470, 510, 950, 400, 1_000].map(&mut use_bytes);
        let expected = [None, Some(0.501), None, None, None, None, None, Some(0.51), Some(0.95), None, Some(1.0)];
        assert_eq!(rung, expected);
        assert_eq!(bell.0.load(Ordering::Relaxed), 4);
        drop(subscription);
        assert!(!pressure.is_due(1_000));
    }
}
