//! The only reader of time.
//!
//! Time is counted in milliseconds since the clock started, from 1, so that 0 can say "no deadline". It comes from the
//! system's monotonic clock: setting the wall clock, or a leap second, moves no deadline. Whether time passes while
//! the machine sleeps is up to the system (on Linux and macOS it does not).
//!
//! **A clock that is held** stands still until it is moved, so tests decide when a deadline is over. Several tests may
//! hold one clock, as several threads share a map: each moves it, and it runs again when the last one lets go, from
//! where it stands. So no deadline comes closer by being held, and time never goes back.
//!
//! **What a read costs.** One word says whether the clock is held and, if not, how far it is from the system's. It
//! lies beside the start of the clock, and a clock that was never held has 0 in it: the read is the system's, one
//! branch that always goes the same way, and one addition. A thread that was about to read the system's clock when
//! another one took it in hand still goes by what it read, like any thread that is slow.

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

    /// How long it may take, in whole milliseconds.
    pub fn limit_ms(&self) -> u64 {
        self.limit.as_millis() as u64
    }

    /// How long it has taken so far, in milliseconds.
    pub fn spent_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1_000.0
    }

    /// Whether it has taken that long.
    pub fn is_over(&self) -> bool {
        self.start.elapsed() >= self.limit
    }
}

/// How long something took, by the system's clock.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    #[inline]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since it was started.
    #[inline]
    pub fn elapsed_ns(&self) -> u64 {
        // As whole seconds and the rest: a division of 128 bits takes longer than reading the clock.
        let elapsed = self.0.elapsed();
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }
}

/// A monotonic clock. Clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<Shared>);

struct Shared {
    start: Instant,
    /// Twice the milliseconds that have passed, and [`HELD`]; or, while the clock runs, twice how many more (or, as a
    /// negative number, fewer) they are than those of the system. Invariant: changed under the lock of `hand`.
    state: AtomicU64,
    hand: Mutex<Hand>,
}

/// The bit of `state` that says that the clock stands still.
const HELD: u64 = 1;
/// The farthest time of a held clock: of the 64 bits, one says that it is held, and one is the sign of the others.
const FARTHEST_MS: u64 = u64::MAX >> 2;

/// What moves a clock, and what sleeps by it.
#[derive(Default)]
struct Hand {
    /// How many hold it. Invariant: not 0 as long as `state` says that it is held.
    holders: usize,
    watchers: Vec<Weak<dyn Watch>>,
}

/// A sleeper by a clock.
pub trait Watch: Send + Sync {
    /// A held clock was moved, or runs again. Called by the thread that did it, without a lock held.
    fn time_passed(&self);
}

/// Holds a clock, until it is dropped.
#[must_use]
pub struct HeldClock(Clock);

impl Drop for HeldClock {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

impl Clock {
    fn new(state: u64, holders: usize) -> Self {
        let hand = Mutex::new(Hand { holders, watchers: Vec::new() });
        Self(Arc::new(Shared { start: Instant::now(), state: AtomicU64::new(state), hand }))
    }

    /// The system's clock, from now on.
    pub fn system() -> Self {
        Self::new(0, 0)
    }

    /// A clock that is held from its start, for good.
    pub fn manual() -> Self {
        Self::new(HELD, 1)
    }

    /// The time in milliseconds, from 1.
    #[inline]
    pub fn now_ms(&self) -> u64 {
        let Shared { start, state, .. } = &*self.0;
        let state = state.load(Ordering::Acquire);
        let elapsed_ms = if state & HELD == HELD {
            state >> 1
        } else {
            // Not below 0: when it was let go, the sum was what the clock stood at, and the system's time only grows.
            (start.elapsed().as_millis() as u64).wrapping_add(ahead_ms(state).cast_unsigned())
        };
        elapsed_ms + 1
    }

    /// Milliseconds since the start, with their fraction.
    pub fn elapsed_ms(&self) -> f64 {
        let state = self.0.state.load(Ordering::Acquire);
        if state & HELD == HELD {
            (state >> 1) as f64
        } else {
            self.0.start.elapsed().as_secs_f64() * 1_000.0 + ahead_ms(state) as f64
        }
    }

    /// How long to sleep until [`Clock::now_ms`] returns `time_ms`: to the fraction of a millisecond by the system's
    /// clock. `None` where sleeping does not help, because only [`Clock::advance`] brings that time.
    pub fn until(&self, time_ms: u64) -> Option<Duration> {
        let state = self.0.state.load(Ordering::Acquire);
        if state & HELD == HELD {
            return (time_ms <= (state >> 1) + 1).then_some(Duration::ZERO);
        }
        let by_system_ms = time_ms.saturating_sub(1).saturating_add_signed(-ahead_ms(state));
        Some(Duration::from_millis(by_system_ms).saturating_sub(self.0.start.elapsed()))
    }

    /// Stops the clock where it is, until what is returned is dropped.
    pub fn hold(&self) -> HeldClock {
        let mut hand = self.0.hand.lock();
        if hand.holders == 0 {
            let elapsed_ms = (self.now_ms() - 1).min(FARTHEST_MS);
            self.0.state.store(elapsed_ms << 1 | HELD, Ordering::Release);
        }
        hand.holders += 1;
        HeldClock(self.clone())
    }

    /// Ends one [`Clock::hold`].
    fn let_go(&self) {
        {
            let mut hand = self.0.hand.lock();
            hand.holders -= 1;
            if hand.holders > 0 {
                return;
            }
            let elapsed_ms = self.0.state.load(Ordering::Relaxed) >> 1;
            let ahead_ms = elapsed_ms.wrapping_sub(self.0.start.elapsed().as_millis() as u64);
            self.0.state.store(ahead_ms << 1, Ordering::Release);
        }
        self.notify();
    }

    /// Moves a held clock and notifies its watchers. One that runs moves by itself, and the answer is `false`.
    pub fn advance(&self, by_ms: u64) -> bool {
        let is_held = self.shift(by_ms);
        if is_held {
            self.notify();
        }
        is_held
    }

    /// The same without notifying them.
    pub fn shift(&self, by_ms: u64) -> bool {
        let hand = self.0.hand.lock();
        if hand.holders > 0 {
            let elapsed_ms = self.0.state.load(Ordering::Relaxed) >> 1;
            let elapsed_ms = elapsed_ms.saturating_add(by_ms).min(FARTHEST_MS);
            self.0.state.store(elapsed_ms << 1 | HELD, Ordering::Release);
        }
        hand.holders > 0
    }

    /// Has the watchers look at the clock.
    pub fn notify(&self) {
        // Notified outside the lock: a watcher takes locks of its own.
        let watchers: Vec<Arc<dyn Watch>> = self.0.hand.lock().watchers.iter().filter_map(Weak::upgrade).collect();
        for watcher in watchers {
            watcher.time_passed();
        }
    }

    /// Notifies a watcher when a held clock is moved or runs again, as long as the watcher lives.
    pub fn watch(&self, watcher: Weak<dyn Watch>) {
        let watchers = &mut self.0.hand.lock().watchers;
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(watcher);
    }
}

/// How far a clock that runs is ahead of the system's; below 0 if it is behind.
#[inline]
fn ahead_ms(state: u64) -> i64 {
    state.cast_signed() >> 1
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
    fn clones_of_a_held_clock_move_together_and_notify_their_watchers() {
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
        assert_eq!((clone.now_ms(), stays.0.load(Ordering::Relaxed)), (FARTHEST_MS + 1, 2));
        // That it runs again changes how long to sleep.
        let clock = Clock::system();
        let watcher: Weak<Count> = Arc::downgrade(&stays);
        clock.watch(watcher);
        let held = [clock.hold(), clock.hold()];
        assert_eq!(stays.0.load(Ordering::Relaxed), 2);
        drop(held);
        assert_eq!(stays.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_clock_that_was_held_goes_on_from_where_it_stands() {
        let clock = Clock::system();
        let by_system_ms = || clock.0.start.elapsed().as_millis() as u64 + 1;
        // Moved by less than passes meanwhile, and then by more.
        for by_ms in [0, 1, 1_000_000] {
            let held = clock.hold();
            let time_ms = clock.now_ms();
            std::thread::sleep(Duration::from_millis(5));
            assert_eq!((clock.now_ms(), clock.elapsed_ms()), (time_ms, (time_ms - 1) as f64));
            assert_eq!((clock.until(time_ms), clock.until(time_ms + 1)), (Some(Duration::ZERO), None));
            assert!(clock.advance(by_ms));
            assert_eq!(clock.now_ms(), time_ms + by_ms);
            let before_ms = by_system_ms();
            drop(held);
            let distance_ms = clock.now_ms() as i64 - by_system_ms() as i64;
            assert!((by_ms == 1_000_000) == (distance_ms > 0), "{distance_ms}");
            assert!(clock.now_ms() >= time_ms + by_ms && !clock.advance(1));
            assert!(clock.now_ms() - (time_ms + by_ms) <= by_system_ms() - before_ms + 1);
            assert!(clock.elapsed_ms() >= (time_ms + by_ms - 1) as f64);
            let wait = clock.until(time_ms + by_ms + 20).unwrap();
            assert!(wait <= Duration::from_millis(20), "{wait:?}");
            std::thread::sleep(wait);
            assert!(clock.now_ms() >= time_ms + by_ms + 20);
        }
    }

    #[test]
    fn a_clock_that_several_hold_runs_when_the_last_one_lets_go() {
        let clock = Clock::system();
        let (first, second) = (clock.hold(), clock.clone().hold());
        let time_ms = clock.now_ms();
        drop(first);
        assert!(clock.advance(10));
        assert_eq!(clock.now_ms(), time_ms + 10);
        drop(second);
        assert!(!clock.advance(10) && clock.now_ms() < time_ms + 1_000_000);
        drop(Clock::manual().hold());
        let manual = Clock::manual();
        drop(manual.hold());
        assert!(manual.advance(5) && manual.now_ms() == 6, "it is held for good");
    }
}
