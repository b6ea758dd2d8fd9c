//! Reports to subscribers how full a map is, when it becomes fuller than their thresholds and when it no longer is.
//!
//! A subscriber names thresholds, shares of the byte limit. When use rises past one, it is woken, once; when use has
//! fallen a little below it, once more, and then the threshold counts again. So a full map, which always is about as
//! full, does not ring without end.
//!
//! The bytes in use are compared with two marks ([`Marks`](crate::store::memory::marks::Marks)), with the upper one at
//! the end of each write, with the lower one wherever memory is freed; all else happens when one of them is passed.

use crate::store::events::Wake;
use crate::store::memory::marks::{Crossing, Gauged};
use crate::store::platform::sync::process::Mutex;
use crate::store::platform::sync::{Arc, Weak};

/// By how much of the limit use has to fall below a threshold, and by which part of the threshold at most.
const RELIEF: f64 = 0.02;
const RELIEF_PART: f64 = 0.25;

/// The subscribers of one map, or of the process.
#[derive(Default)]
pub struct Pressure {
    watchers: Mutex<Vec<Arc<Watcher>>>,
}

/// A threshold was passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PressureNews {
    /// Whether use rose above it, or fell below it.
    pub rising: bool,
    /// Of several that were passed at once, the last.
    pub threshold: f64,
    /// Whether use is above any threshold of the subscriber.
    pub is_high: bool,
    /// Bytes in use.
    pub used_bytes: u64,
    /// The limit; `None` if it was removed, which ends the pressure.
    pub limit_bytes: Option<u64>,
}

/// Hears what was passed as it happens.
pub trait Hears: Send + Sync {
    /// Called from the thread that caused it, maybe under a lock: it must not block and must not call back into a map.
    fn hear(&self, news: &PressureNews);
}

/// A subscriber that is woken, and asks.
pub struct Woken(pub Arc<dyn Wake>);

impl Hears for Woken {
    fn hear(&self, _: &PressureNews) {
        self.0.wake();
    }
}

struct Watcher {
    hears: Arc<dyn Hears>,
    state: Mutex<State>,
}

struct State {
    /// Rising.
    thresholds: Vec<f64>,
    /// How many of them are passed.
    passed: usize,
    /// What was not fetched yet: a rise, and a fall after it.
    risen: Option<PressureNews>,
    fallen: Option<PressureNews>,
}

impl PressureNews {
    /// The share of the limit in use; 0 without a limit.
    pub fn ratio(&self) -> f64 {
        self.limit_bytes.map_or(0.0, |limit_bytes| self.used_bytes as f64 / limit_bytes as f64)
    }

    /// The most bytes in use at which use has fallen below the threshold again.
    pub fn goal_bytes(&self) -> u64 {
        let limit_bytes = self.limit_bytes.map_or(0.0, |limit_bytes| limit_bytes as f64);
        ((relief(self.threshold) * limit_bytes).ceil() as u64).saturating_sub(1)
    }
}

/// Where a threshold that was passed is left again.
pub(crate) fn relief(threshold: f64) -> f64 {
    threshold - RELIEF.min(threshold * RELIEF_PART)
}

impl State {
    /// Notes what is passed at this use; what of it is new.
    fn see(&mut self, used_bytes: u64, limit_bytes: Option<u64>) -> Option<PressureNews> {
        let ratio = limit_bytes.map_or(0.0, |limit_bytes| used_bytes as f64 / limit_bytes as f64);
        let before = self.passed;
        let above = self.thresholds.iter().take_while(|&&threshold| threshold < ratio).count();
        let kept = self.thresholds.iter().take_while(|&&threshold| relief(threshold) <= ratio).count();
        self.passed = above.max(before.min(kept));
        if self.passed == before {
            return None;
        }
        let rising = self.passed > before;
        // Of those that were passed, the last: rising the highest, falling the lowest.
        let threshold = self.thresholds[if rising { self.passed - 1 } else { self.passed }];
        let news = PressureNews { rising, threshold, is_high: self.passed > 0, used_bytes, limit_bytes };
        if rising {
            // What fell and rose again before it was told of never fell.
            (self.risen, self.fallen) = (Some(news), None);
        } else {
            self.fallen = Some(news);
        }
        Some(news)
    }
}

impl Pressure {
    /// Finds the subscribers for which this is news, and tells them.
    #[cold]
    pub(crate) fn update(&self, gauged: &dyn Gauged) {
        let mut to_tell = Vec::new();
        let watchers = self.watchers.lock();
        loop {
            let (used_bytes, limit_bytes) = (gauged.used_bytes(), gauged.limit_bytes());
            let (mut alarm, mut below) = (f64::INFINITY, 0.0_f64);
            for watcher in watchers.iter() {
                let mut state = watcher.state.lock();
                if let Some(news) = state.see(used_bytes, limit_bytes) {
                    to_tell.push((Arc::clone(&watcher.hears), news));
                }
                let Some(limit) = limit_bytes.map(|limit_bytes| limit_bytes as f64) else { continue };
                if let Some(next) = state.thresholds.get(state.passed) {
                    alarm = alarm.min(next * limit);
                }
                if let Some(last) = state.passed.checked_sub(1) {
                    below = below.max(relief(state.thresholds[last]) * limit);
                }
            }
            let bytes = |bytes: f64| if bytes.is_finite() { bytes as u64 } else { u64::MAX };
            gauged.marks().set(bytes(alarm), bytes(below));
            // What another thread frees is compared with the marks after it was subtracted. So either that thread sees
            // these marks, or this one sees what it subtracted.
            if !gauged.marks().is_beyond(gauged.used_bytes()) {
                break;
            }
        }
        drop(watchers);
        for (hears, news) in to_tell {
            hears.hear(&news);
        }
    }

    /// Adds a subscriber. What is passed already counts as news.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        gauged: &Arc<dyn Gauged>,
        mut thresholds: Vec<f64>,
        hears: Arc<dyn Hears>,
    ) -> PressureSubscription {
        let crossing: Weak<Self> = Arc::downgrade(self);
        gauged.marks().report_to(crossing);
        thresholds.sort_by(f64::total_cmp);
        let state = Mutex::new(State { thresholds, passed: 0, risen: None, fallen: None });
        let watcher = Arc::new(Watcher { hears, state });
        self.watchers.lock().push(Arc::clone(&watcher));
        self.update(&**gauged);
        PressureSubscription { pressure: Arc::clone(self), gauged: Arc::clone(gauged), watcher }
    }
}

impl Crossing for Pressure {
    fn crossed(&self, gauged: &dyn Gauged) {
        self.update(gauged);
    }
}

/// One subscriber. Dropping it unsubscribes.
pub struct PressureSubscription {
    pressure: Arc<Pressure>,
    gauged: Arc<dyn Gauged>,
    watcher: Arc<Watcher>,
}

impl PressureSubscription {
    /// What was passed since this was last asked, one at a time. A fall follows the rise before it; of several rises
    /// and falls that waited, the last of each.
    pub fn take(&self) -> Option<PressureNews> {
        let mut state = self.watcher.state.lock();
        state.risen.take().or_else(|| state.fallen.take())
    }
}

impl Drop for PressureSubscription {
    fn drop(&mut self) {
        self.pressure.watchers.lock().retain(|other| !Arc::ptr_eq(other, &self.watcher));
        self.pressure.update(&*self.gauged);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::memory::budget::{Memory, Reservation, Use};
    use crate::store::platform::sync::Ordering;
    use crate::store::platform::sync::process::AtomicU64;

    #[derive(Default)]
    struct Bell(AtomicU64);

    impl Hears for Bell {
        fn hear(&self, _: &PressureNews) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Scene {
        memory: Arc<Memory>,
        used: Reservation,
        bell: Arc<Bell>,
        subscription: PressureSubscription,
    }

    impl Scene {
        fn new(thresholds: &[f64]) -> Self {
            let memory = Arc::new(Memory::new(Some(1_000)));
            let bell = Arc::new(Bell::default());
            let gauged: Arc<dyn Gauged> = memory.clone();
            let subscription = Arc::new(Pressure::default()).subscribe(&gauged, thresholds.to_vec(), bell.clone());
            Self { used: Reservation::empty(&memory, Use::Entries), memory, bell, subscription }
        }

        fn use_bytes(&mut self, wanted: u64) {
            self.used.resize(wanted as usize).unwrap();
            self.memory.rose();
        }

        /// Direction, threshold and whether use is high, of what is new.
        fn news(&self) -> Option<(&'static str, f64, bool)> {
            let news = self.subscription.take()?;
            Some((if news.rising { "rose" } else { "fell" }, news.threshold, news.is_high))
        }
    }

    #[test]
    fn a_threshold_rings_once_when_use_rises_past_it_and_once_when_it_has_fallen_below() {
        let mut scene = Scene::new(&[0.9, 0.5]);
        let mut at = |wanted| {
            scene.use_bytes(wanted);
            let news = scene.news();
            assert_eq!(scene.news(), None);
            news
        };
        assert_eq!([400, 500].map(&mut at), [None, None]);
        assert_eq!(at(501), Some(("rose", 0.5, true)));
        assert_eq!([600, 505, 495, 501, 480].map(&mut at), [None; 5], "about as full");
        assert_eq!(at(479), Some(("fell", 0.5, false)));
        assert_eq!([490, 470, 500].map(&mut at), [None; 3]);
        assert_eq!(at(950), Some(("rose", 0.9, true)), "past two at once");
        assert_eq!(at(870), Some(("fell", 0.9, true)));
        assert_eq!(at(901), Some(("rose", 0.9, true)));
        assert_eq!(at(400), Some(("fell", 0.5, false)), "below two at once");
        assert_eq!(scene.bell.0.load(Ordering::Relaxed), 6);
        drop(scene.subscription);
        scene.used.resize(1_000).unwrap();
        scene.memory.rose();
        assert_eq!(scene.bell.0.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn what_a_busy_thread_missed_is_told_in_order() {
        let mut scene = Scene::new(&[0.5]);
        for wanted in [600, 100] {
            scene.use_bytes(wanted);
        }
        assert_eq!(scene.news(), Some(("rose", 0.5, true)));
        assert_eq!(scene.news(), Some(("fell", 0.5, false)));
        for wanted in [600, 100, 700] {
            scene.use_bytes(wanted);
        }
        assert_eq!((scene.news(), scene.news()), (Some(("rose", 0.5, true)), None));
        for wanted in [100, 600, 100] {
            scene.use_bytes(wanted);
        }
        assert_eq!((scene.news().unwrap().0, scene.news().unwrap().0, scene.news()), ("rose", "fell", None));
    }

    #[test]
    fn a_tiny_threshold_is_left_too() {
        let mut scene = Scene::new(&[0.01]);
        scene.use_bytes(11);
        assert_eq!(scene.news(), Some(("rose", 0.01, true)));
        scene.use_bytes(8);
        assert_eq!(scene.news(), None);
        scene.use_bytes(6);
        assert_eq!(scene.news(), Some(("fell", 0.01, false)));
    }

    #[test]
    fn the_end_of_a_limit_is_the_end_of_pressure() {
        let mut scene = Scene::new(&[0.5]);
        scene.use_bytes(600);
        let news = scene.subscription.take().unwrap();
        assert_eq!((news.used_bytes, news.limit_bytes, news.ratio()), (600, Some(1_000), 0.6));
        assert_eq!(news.goal_bytes(), 479);
        scene.memory.set_limit(None);
        scene.subscription.pressure.update(&*scene.memory);
        let news = scene.subscription.take().unwrap();
        assert_eq!((news.rising, news.limit_bytes, news.ratio()), (false, None, 0.0));
        scene.use_bytes(900);
        assert_eq!(scene.news(), None);
    }
}
