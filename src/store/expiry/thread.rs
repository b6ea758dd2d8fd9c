//! The thread that lets a map's entries expire while no thread reads them.
//!
//! **When it runs.** From the first deadline on; it ends by itself a second after the last one, or when the map is
//! gone, and starts again with the next deadline. It is detached and holds the map weakly, so it keeps neither the map
//! nor the process alive. A map without deadlines has no thread.
//!
//! **What it does.** It sleeps until the next deadline, asks the map to let expire what is due ([`Expires::expire`]),
//! step by step, each short enough for a writer that waits for the same lock, and sleeps until the deadline that the
//! map names.
//!
//! **How it is woken.** `next_ms` is a promise: at that time, at the latest, the thread looks at all deadlines. A
//! deadline that is not earlier needs no notification, which one load finds out. An earlier one lowers the promise and
//! wakes the thread.
//!
//! **What happens if deadlines are set meanwhile.** Before the thread looks, it takes the promise back (`NEVER`). A
//! writer that was too late to be seen then set its deadline under a lock that the thread had held, therefore finds no
//! promise, and makes one; the thread adds what it found with a minimum, so that the earliest of all holds.
//!
//! **What is promised without a thread**, because the system refuses one or because it died: no entry is read after
//! its deadline by native code, as ever; it is removed when it is written, purged or evicted. But copies outside the
//! store would not be ended in time. So they may be kept of entries with a deadline only while the thread is there
//! ([`Attendance`]), and those that were kept before are ended ([`Expires::unattended`]). The next deadline that is
//! set asks for a thread again, at most every [`RETRY_MS`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::store::platform::background;
use crate::store::platform::clock::{Clock, Watch};
use crate::store::platform::sync::process::{AtomicBool, AtomicU32, AtomicU64, Condvar, Mutex};
use crate::store::platform::sync::{Arc, Ordering, Weak};

/// How long the thread stays without a deadline. Starting one costs some tens of microseconds; a map that is written to
/// now and then should not pay that each time.
const LINGER_MS: u64 = 1_000;
/// How long after the system refused a thread it is asked again.
const RETRY_MS: u64 = 100;
/// No deadline, no promise.
const NEVER: u64 = u64::MAX;
/// The thread is there.
const THERE: u32 = 1;
/// A time that is told of late, once.
const LATE: u32 = 2;

/// What has deadlines.
pub trait Expires: Send + Sync + 'static {
    /// Lets expire what is due at `now_ms`, or some of it: in one step that holds no lock for long and releases it to
    /// threads that wait for it. The thread does not yield between steps: beside a busy thread, each time would cost
    /// it a whole time slice, and a million entries that expire at once would stay for seconds. Returns the next
    /// deadline, of all; one that is over asks for the next step. Sees every deadline that was set before the call.
    fn expire(&self, now_ms: u64) -> Option<u64>;
    /// There is no thread, and there was one since the last time or not. [`Attendance`] says so already: ends the
    /// copies of whatever has a deadline, and reports it if it is news. Called without a lock.
    fn unattended(&self, is_news: bool);
}

/// Whether a thread is there that ends copies of entries when their deadline is over.
#[derive(Debug, Default)]
pub struct Attendance {
    /// [`THERE`], and [`LATE`] for each test that has time pass without saying so at once. In one word, so that a
    /// reader looks at one.
    state: AtomicU32,
    /// Whether copies of entries with a deadline may have been kept since they were last ended.
    may_have_copies: AtomicBool,
}

impl Attendance {
    /// Whether copies of entries with a deadline may be kept. A reader asks after it has read the version under which
    /// it keeps the copy: copies are ended by another version after this turned false, so under that, this is seen to
    /// be false.
    #[inline]
    pub fn is_there(&self) -> bool {
        self.state.load(Ordering::Acquire) == THERE
    }

    fn begin(&self) {
        self.may_have_copies.store(true, Ordering::Relaxed);
        self.state.fetch_or(THERE, Ordering::Release);
    }

    fn end(&self) {
        self.state.fetch_and(!THERE, Ordering::Release);
    }

    /// Has no copies kept, as without a thread, until as many calls of [`Attendance::in_time`]. The caller ends those
    /// that there are.
    pub fn too_late(&self) {
        self.state.fetch_add(LATE, Ordering::Release);
    }

    /// Ends that.
    pub fn in_time(&self) {
        self.may_have_copies.store(true, Ordering::Relaxed);
        self.state.fetch_sub(LATE, Ordering::Release);
    }

    /// Whether there may be copies to be ended, which the caller does.
    pub fn take_copies(&self) -> bool {
        self.may_have_copies.swap(false, Ordering::AcqRel)
    }
}

/// A map's expiry thread. The thread ends when this is dropped.
pub struct Expiry(Arc<Shared>);

struct Shared {
    clock: Clock,
    /// Changed with `is_running`.
    attendance: Arc<Attendance>,
    /// When the thread looks next. Invariant: if it is not `NEVER`, then the thread sleeps until then at most, or
    /// a thread that lowered it is on the way to wake or start this one.
    next_ms: AtomicU64,
    /// A leaf: nothing else is locked under it.
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// Invariant: changed to `false` by the thread, as its last act.
    is_running: bool,
    is_closed: bool,
    /// Whether the system refused the last thread, and when it is asked again.
    is_refused: bool,
    retry_ms: u64,
}

impl Expiry {
    /// No thread yet; its deadlines will be times of this clock.
    pub fn new(clock: Clock, attendance: Arc<Attendance>) -> Self {
        let next_ms = AtomicU64::new(NEVER);
        let shared = Arc::new(Shared { clock, attendance, next_ms, state: Mutex::default(), wake: Condvar::new() });
        let watcher: Weak<Shared> = Arc::downgrade(&shared);
        shared.clock.watch(watcher);
        Self(shared)
    }

    /// Sees to it that what expires at `deadline_ms` does so. The map can find that deadline already. Called without
    /// a lock, because the map may be notified that there is no thread.
    #[inline]
    pub fn schedule<T: Expires>(&self, deadline_ms: u64, map: &Arc<T>) {
        // Relaxed is enough here: the lock under which the map keeps its deadlines orders this after the thread's last
        // look.
        let next_ms = &self.0.next_ms;
        if deadline_ms < next_ms.load(Ordering::Relaxed)
            && deadline_ms < next_ms.fetch_min(deadline_ms, Ordering::Relaxed)
        {
            let map: Weak<T> = Arc::downgrade(map);
            let map: Weak<dyn Expires> = map;
            self.rouse(&map);
        }
    }

    /// Wakes the thread, or starts one.
    #[cold]
    fn rouse(&self, map: &Weak<dyn Expires>) {
        let mut state = self.0.state.lock();
        if state.is_running {
            self.0.wake.notify_one();
            return;
        }
        let now_ms = self.0.clock.now_ms();
        if now_ms >= state.retry_ms {
            let (shared, map) = (Arc::clone(&self.0), Weak::clone(map));
            state.is_running = background::start("superdashmap-expiry", move || run(&shared, &map));
            if state.is_running {
                state.is_refused = false;
                self.0.attendance.begin();
                return;
            }
            state.retry_ms = now_ms.saturating_add(RETRY_MS);
        }
        // No thread to be had: the promise is void, and the next deadline that is set tries again.
        self.0.next_ms.store(NEVER, Ordering::Relaxed);
        let is_news = !std::mem::replace(&mut state.is_refused, true);
        drop(state);
        if let Some(map) = map.upgrade() {
            map.unattended(is_news);
        }
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        self.0.state.lock().is_closed = true;
        self.0.wake.notify_one();
    }
}

impl Watch for Shared {
    fn time_passed(&self) {
        // With the lock, the thread either sleeps already or has not looked at the clock yet.
        drop(self.state.lock());
        self.wake.notify_one();
    }
}

impl Shared {
    /// Sleeps until it is time to look. `false`: there is nothing to wait for any more, and no thread from here on.
    fn sleep(&self) -> bool {
        let mut state = self.state.lock();
        let mut idle_until_ms = None;
        loop {
            let now_ms = self.clock.now_ms();
            let next_ms = self.next_ms.load(Ordering::Relaxed);
            if next_ms <= now_ms && !state.is_closed {
                return true;
            }
            let wake_ms = match next_ms {
                NEVER => *idle_until_ms.get_or_insert(now_ms.saturating_add(LINGER_MS)),
                next_ms => next_ms,
            };
            // A thread that lowers the promise after this waits for the lock, and then starts a new one.
            if wake_ms <= now_ms || state.is_closed {
                state.is_running = false;
                self.attendance.end();
                return false;
            }
            match self.clock.until(wake_ms) {
                Some(timeout) => drop(self.wake.wait_for(&mut state, timeout)),
                None => self.wake.wait(&mut state),
            }
        }
    }

    /// The thread ends for a reason of the map's.
    fn end(&self) {
        let mut state = self.state.lock();
        self.next_ms.store(NEVER, Ordering::Relaxed);
        state.is_running = false;
        self.attendance.end();
    }
}

/// The thread.
fn run(shared: &Shared, map: &Weak<dyn Expires>) {
    while shared.sleep() {
        let Some(map) = map.upgrade() else { return shared.end() };
        shared.next_ms.store(NEVER, Ordering::Relaxed);
        // A map that panics declares itself broken; that is not this thread's to judge.
        let Ok(next_ms) = catch_unwind(AssertUnwindSafe(|| map.expire(shared.clock.now_ms()))) else {
            shared.end();
            // What it broke on may stand in the way of this, too, and then the map says that it is broken.
            drop(catch_unwind(AssertUnwindSafe(|| map.unattended(true))));
            return;
        };
        shared.next_ms.fetch_min(next_ms.unwrap_or(NEVER), Ordering::Relaxed);
        // If every other holder is gone meanwhile, the map ends here.
        drop(map);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    use super::*;

    /// Deadlines behind a lock.
    struct Map {
        expiry: Expiry,
        clock: Clock,
        deadlines: Mutex<BTreeSet<u64>>,
        /// How much one step takes out.
        step: usize,
        looks: AtomicU64,
        /// How often copies were ended, and how often that was news.
        copies_ended: AtomicU64,
        news: AtomicU64,
    }

    impl Map {
        fn new(clock: &Clock, step: usize) -> Arc<Self> {
            let counts = [(); 3].map(|()| AtomicU64::new(0));
            let [looks, copies_ended, news] = counts;
            let expiry = Expiry::new(clock.clone(), Arc::default());
            Arc::new(Self {
                expiry,
                clock: clock.clone(),
                deadlines: Mutex::default(),
                step,
                looks,
                copies_ended,
                news,
            })
        }
        fn expire_in(self: &Arc<Self>, ttl_ms: u64) {
            let deadline_ms = self.clock.now_ms() + ttl_ms;
            self.deadlines.lock().insert(deadline_ms);
            self.expiry.schedule(deadline_ms, self);
        }
        fn len(&self) -> usize {
            self.deadlines.lock().len()
        }
        fn looks(&self) -> u64 {
            self.looks.load(Ordering::Relaxed)
        }
        fn has_thread(&self) -> bool {
            self.expiry.0.state.lock().is_running
        }
    }

    impl Expires for Map {
        fn expire(&self, now_ms: u64) -> Option<u64> {
            let mut deadlines = self.deadlines.lock();
            let due = deadlines.range(..=now_ms).count();
            for _ in 0..due.min(self.step) {
                deadlines.pop_first();
            }
            self.looks.fetch_add(1, Ordering::Relaxed);
            deadlines.first().copied()
        }
        fn unattended(&self, is_news: bool) {
            if self.expiry.0.attendance.take_copies() {
                self.copies_ended.fetch_add(1, Ordering::Relaxed);
            }
            self.news.fetch_add(u64::from(is_news), Ordering::Relaxed);
        }
    }

    /// Waits for another thread to bring this about.
    fn until(what: &str, is_so: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < Duration::from_secs(30), "{what}");
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// Long enough for a thread that should not do something to do it.
    fn a_moment() {
        std::thread::sleep(Duration::from_millis(20));
    }

    #[test]
    fn entries_expire_in_their_millisecond_and_the_thread_sleeps_before() {
        let clock = Clock::manual();
        let map = Map::new(&clock, usize::MAX);
        assert!(!map.has_thread(), "nothing can expire");
        map.expire_in(100);
        map.expire_in(200);
        clock.advance(99);
        a_moment();
        assert_eq!((map.len(), map.looks()), (2, 0));
        clock.advance(1);
        until("the first expires", || map.len() == 1);
        clock.advance(99);
        a_moment();
        assert_eq!((map.len(), map.looks()), (1, 1));
        clock.advance(1);
        until("the second expires", || map.len() == 0);
    }

    #[test]
    fn an_earlier_deadline_wakes_the_thread() {
        let clock = Clock::manual();
        let map = Map::new(&clock, 100);
        map.expire_in(3_600_000);
        a_moment();
        map.expire_in(5);
        clock.advance(5);
        until("the earlier one expires", || map.len() == 1);

        // The same by the system's clock, which has to be slept by.
        let map = Map::new(&Clock::system(), 100);
        let decades_ms = 40 * 365 * 86_400_000;
        map.expire_in(decades_ms);
        map.expire_in(3_600_000);
        a_moment();
        let start = Instant::now();
        map.expire_in(30);
        until("the earlier one expires", || map.len() == 2);
        assert!(start.elapsed() > Duration::from_millis(28), "{:?}", start.elapsed());
    }

    #[test]
    fn what_is_due_at_once_goes_in_as_many_steps_as_the_map_likes() {
        let clock = Clock::manual();
        let map = Map::new(&clock, 7);
        (0..1_000).for_each(|ttl_ms| map.expire_in(ttl_ms));
        clock.advance(2_000);
        until("all expire", || map.len() == 0);
        assert!(map.looks() >= 1_000 / 7);
    }

    #[test]
    fn the_thread_ends_when_nothing_is_left_and_starts_again() {
        let clock = Clock::manual();
        let map = Map::new(&clock, 100);
        for _ in 0..3 {
            map.expire_in(10);
            clock.advance(10);
            until("it expires", || map.len() == 0);
            // Stays for a while, for the next deadline.
            map.expire_in(10);
            clock.advance(10);
            until("the next one expires", || map.len() == 0);
            until("it promises nothing", || map.expiry.0.next_ms.load(Ordering::Relaxed) == NEVER);
            a_moment();
            clock.advance(LINGER_MS - 1);
            a_moment();
            assert!(map.has_thread());
            // In steps, should the thread have come late to its own idleness.
            until("the thread ends", || clock.advance(1) && !map.has_thread());
            until("and leaves", || Arc::strong_count(&map.expiry.0) == 1);
        }
    }

    #[test]
    fn the_thread_ends_by_the_systems_clock_too() {
        let map = Map::new(&Clock::system(), 100);
        map.expire_in(1);
        until("it expires", || map.len() == 0);
        until("the thread ends", || !map.has_thread());
        assert!(map.clock.now_ms() > LINGER_MS);
    }

    #[test]
    fn a_map_that_goes_while_the_thread_sleeps_takes_it_along() {
        let clock = Clock::manual();
        let map = Map::new(&clock, 100);
        map.expire_in(3_600_000);
        a_moment();
        let (shared, gone) = (Arc::downgrade(&map.expiry.0), Arc::downgrade(&map));
        drop(map);
        assert!(gone.upgrade().is_none(), "the thread does not keep the map");
        until("the thread ends", || shared.upgrade().is_none());
        clock.advance(4_000_000);
    }

    #[test]
    fn a_map_whose_last_holder_leaves_while_the_thread_looks_ends_in_the_thread() {
        struct Slow {
            expiry: Expiry,
            /// Locked while the thread may not come back.
            gate: Arc<Mutex<()>>,
            looking: Arc<AtomicU64>,
        }
        impl Expires for Slow {
            fn expire(&self, _: u64) -> Option<u64> {
                self.looking.store(1, Ordering::SeqCst);
                drop(self.gate.lock());
                Some(1)
            }
            fn unattended(&self, _: bool) {}
        }
        let (gate, looking) = (Arc::new(Mutex::new(())), Arc::new(AtomicU64::new(0)));
        let expiry = Expiry::new(Clock::system(), Arc::default());
        let shared = Arc::downgrade(&expiry.0);
        let map = Arc::new(Slow { expiry, gate: Arc::clone(&gate), looking: Arc::clone(&looking) });
        let closed = gate.lock();
        map.expiry.schedule(1, &map);
        until("the thread looks", || looking.load(Ordering::SeqCst) == 1);
        let gone = Arc::downgrade(&map);
        drop(map);
        assert!(gone.upgrade().is_some());
        drop(closed);
        until("the map ends", || gone.upgrade().is_none());
        until("the thread ends", || shared.upgrade().is_none());
    }

    #[test]
    fn a_deadline_that_is_set_while_the_thread_looks_is_kept() {
        /// Finds an hour, and while it is still looking, five milliseconds are set.
        struct Busy {
            expiry: Expiry,
            looks: AtomicU64,
            itself: Weak<Busy>,
        }
        impl Expires for Busy {
            fn expire(&self, now_ms: u64) -> Option<u64> {
                if self.looks.fetch_add(1, Ordering::SeqCst) == 0 {
                    let map = self.itself.upgrade()?;
                    self.expiry.schedule(now_ms + 5, &map);
                }
                Some(now_ms + 3_600_000)
            }
            fn unattended(&self, _: bool) {}
        }
        let clock = Clock::manual();
        let expiry = Expiry::new(clock.clone(), Arc::default());
        let map = Arc::new_cyclic(|itself| Busy { expiry, looks: AtomicU64::new(0), itself: itself.clone() });
        map.expiry.schedule(1, &map);
        until("the thread looks", || map.looks.load(Ordering::SeqCst) == 1);
        a_moment();
        clock.advance(5);
        until("it looks again", || map.looks.load(Ordering::SeqCst) == 2);
    }

    #[test]
    fn a_map_that_panics_has_no_thread_until_it_asks_for_one() {
        struct Panics(Expiry, AtomicU64, AtomicU64);
        impl Expires for Panics {
            fn expire(&self, _: u64) -> Option<u64> {
                self.1.fetch_add(1, Ordering::Relaxed);
                // Without the message on the console.
                std::panic::resume_unwind(Box::new("broken"));
            }
            fn unattended(&self, is_news: bool) {
                assert!(is_news && !self.0.0.attendance.is_there() && self.0.0.attendance.take_copies());
                self.2.fetch_add(1, Ordering::SeqCst);
            }
        }
        let expiry = Expiry::new(Clock::system(), Arc::default());
        let map = Arc::new(Panics(expiry, AtomicU64::new(0), AtomicU64::new(0)));
        for looks in 1..4 {
            map.0.schedule(1, &map);
            until("it ends", || map.2.load(Ordering::SeqCst) == looks);
            assert_eq!(map.1.load(Ordering::Relaxed), looks);
        }
    }

    #[test]
    fn without_a_thread_copies_are_ended_once_and_the_system_is_asked_again_later() {
        let clock = Clock::manual();
        let map = Map::new(&clock, 100);
        let is_there = || map.expiry.0.attendance.is_there();
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        background::refuse(true);
        for ttl_ms in [50, 40, 30] {
            map.expire_in(ttl_ms);
            assert!(!is_there() && !map.has_thread());
        }
        assert_eq!((count(&map.copies_ended), count(&map.news)), (0, 1), "there never were any");
        background::refuse(false);
        map.expire_in(20);
        assert!(!is_there(), "asked a moment ago");
        clock.advance(RETRY_MS);
        map.expire_in(10);
        assert!(is_there() && map.has_thread());
        clock.advance(10);
        until("all expire", || map.len() == 0);
        until("it promises nothing", || count(&map.expiry.0.next_ms) == NEVER);
        until("the thread ends", || clock.advance(LINGER_MS) && !map.has_thread());
        assert!(!is_there());
        background::refuse(true);
        clock.advance(RETRY_MS);
        map.expire_in(10);
        map.expire_in(5);
        assert_eq!((count(&map.copies_ended), count(&map.news)), (1, 2), "of those that were kept meanwhile");
        background::refuse(false);
    }

    #[test]
    fn no_deadline_is_forgotten_however_it_meets_the_thread() {
        let map = Map::new(&Clock::system(), 3);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let map = &map;
                scope.spawn(move || {
                    for round in 0..300 {
                        // With a wait after each, no other thread would wake this one by chance, most of the time.
                        map.expire_in((round * 7 + thread) % 3);
                        if round % 2 == 0 {
                            until("all expire", || map.len() == 0);
                        }
                    }
                });
            }
        });
        until("all expire", || map.len() == 0);
    }
}
