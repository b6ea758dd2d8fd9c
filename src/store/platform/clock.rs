//! The only reader of time.
//!
//! Time is counted in milliseconds since the clock started, from 1, so that 0 can say "no deadline". It comes from the
//! system's monotonic clock: setting the wall clock, or a leap second, moves no deadline. Whether time passes while
//! the machine sleeps is up to the system (on Linux and macOS it does not).
//!
//! A manual clock stands still until it is moved, and wakes the threads that sleep by it: tests decide when a deadline
//! is over.

use std::time::{Duration, Instant};

use super::sync::process::{AtomicU64, Mutex};
use super::sync::{Arc, Ordering, Weak};

/// How long something may still take, by the system's clock.
pub struct Patience {
    start: Instant,
    limit: Duration,
}

impl Patience {
    /// For so long from now on.
    pub fn new(limit: Duration) -> Self {
        Self { start: Instant::now(), limit }
    }

    /// Whether it has taken that long.
    pub fn is_over(&self) -> bool {
        self.start.elapsed() >= self.limit
    }
}

/// A monotonic clock. Clones show the same time.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System(Instant),
    Manual(Arc<Manual>),
}

struct Manual {
    elapsed_ms: AtomicU64,
    watchers: Mutex<Vec<Weak<dyn Watch>>>,
}

/// A sleeper by a clock.
pub trait Watch: Send + Sync {
    /// A manual clock was moved. Called by the thread that moved it, without a lock held.
    fn time_passed(&self);
}

impl Clock {
    /// The system's clock, from now on.
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// The same.
    pub fn start() -> Self {
        Self::system()
    }

    /// A clock that stands still until [`Clock::advance`].
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(Manual { elapsed_ms: AtomicU64::new(0), watchers: Mutex::new(Vec::new()) })))
    }

    /// The time in milliseconds, from 1.
    #[inline]
    pub fn now_ms(&self) -> u64 {
        let elapsed_ms = match &self.0 {
            Source::System(start) => start.elapsed().as_millis() as u64,
            Source::Manual(manual) => manual.elapsed_ms.load(Ordering::Acquire),
        };
        elapsed_ms.saturating_add(1)
    }

    /// Milliseconds since the start, with their fraction.
    pub fn elapsed_ms(&self) -> f64 {
        match &self.0 {
            Source::System(start) => start.elapsed().as_secs_f64() * 1_000.0,
            Source::Manual(manual) => manual.elapsed_ms.load(Ordering::Acquire) as f64,
        }
    }

    /// How long to sleep until [`Clock::now_ms`] returns `time_ms`: to the fraction of a millisecond by the system's
    /// clock. `None` where sleeping does not help, because only [`Clock::advance`] brings that time.
    pub fn until(&self, time_ms: u64) -> Option<Duration> {
        match &self.0 {
            Source::System(start) => {
                Some(Duration::from_millis(time_ms.saturating_sub(1)).saturating_sub(start.elapsed()))
            }
            Source::Manual(_) => (time_ms <= self.now_ms()).then_some(Duration::ZERO),
        }
    }

    /// Moves a manual clock and notifies its watchers. The system's clock moves by itself, and the answer is `false`.
    pub fn advance(&self, by_ms: u64) -> bool {
        let Source::Manual(manual) = &self.0 else { return false };
        let later = |elapsed_ms: u64| Some(elapsed_ms.saturating_add(by_ms));
        let moved = manual.elapsed_ms.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
        debug_assert!(moved.is_ok(), "the function above always has an answer");
        // Notified outside the lock: a watcher takes locks of its own.
        let watchers: Vec<Arc<dyn Watch>> = manual.watchers.lock().iter().filter_map(Weak::upgrade).collect();
        for watcher in watchers {
            watcher.time_passed();
        }
        true
    }

    /// Notifies a watcher when a manual clock is moved, as long as it lives.
    pub fn watch(&self, watcher: Weak<dyn Watch>) {
        if let Source::Manual(manual) = &self.0 {
            let mut watchers = manual.watchers.lock();
            watchers.retain(|watcher| watcher.strong_count() > 0);
            watchers.push(watcher);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clock_never_shows_zero_and_never_goes_back() {
        let clock = Clock::system();
        let mut last = 0;
        while last < 3 {
            let now = clock.now_ms();
            assert!(now >= last.max(1));
            last = now;
        }
        assert!(!clock.advance(1_000_000));
        assert!(clock.now_ms() < 1_000_000);
    }

    #[test]
    fn sleeping_until_a_time_brings_that_time_and_not_much_more() {
        let clock = Clock::system();
        let time_ms = clock.now_ms() + 5;
        let wait = clock.until(time_ms).unwrap();
        assert!(wait > Duration::from_millis(3) && wait <= Duration::from_millis(5), "{wait:?}");
        std::thread::sleep(wait);
        assert!(clock.now_ms() >= time_ms);
        assert_eq!(clock.until(time_ms), Some(Duration::ZERO));
        assert!(clock.until(u64::MAX).unwrap() > Duration::from_secs(1 << 40));
    }

    #[test]
    fn clones_of_a_manual_clock_move_together_and_count_their_watchers() {
        struct Count(AtomicU64);
        impl Watch for Count {
            fn time_passed(&self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let clock = Clock::manual();
        let [stays, leaves] = [(); 2].map(|()| Arc::new(Count(AtomicU64::new(0))));
        for watcher in [&stays, &leaves] {
            let watcher: Weak<Count> = Arc::downgrade(watcher);
            clock.watch(watcher);
        }
        let clone = clock.clone();
        assert_eq!((clock.now_ms(), clock.until(2)), (1, None));
        assert!(clone.advance(1));
        assert_eq!((clock.now_ms(), clock.until(2)), (2, Some(Duration::ZERO)));
        drop(leaves);
        clock.advance(u64::MAX);
        assert_eq!((clone.now_ms(), stays.0.load(Ordering::Relaxed)), (u64::MAX, 2));
    }
}
