//! A lock that counts how often it was taken, and how long threads waited for it.
//!
//! The counts are written under the lock, as plain loads and stores, so they cost no atomic read-modify-write, and any
//! thread reads them without the lock. The clock is read only where the lock was held at the first try. What waits now
//! is counted by the waiters themselves, which have lost their time already.

use super::clock::Stopwatch;
use super::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering};

/// A value, its lock, and what the lock counts.
#[derive(Debug, Default)]
pub struct CountedLock<T> {
    lock: Mutex<T>,
    /// Times that it was taken. Invariant: this and the three below are written under the lock.
    acquisitions: AtomicU64,
    /// Those of them that had to wait.
    waits: AtomicU64,
    /// Nanoseconds of all waits.
    waited_ns: AtomicU64,
    /// Nanoseconds of the longest one.
    longest_wait_ns: AtomicU64,
    /// Threads that wait now.
    waiting: AtomicU32,
}

/// What a lock has counted, or several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockCounts {
    /// Times that it was taken.
    pub acquisitions: u64,
    /// Those of them that had to wait, because another thread held it.
    pub waits: u64,
    /// Nanoseconds of all waits.
    pub waited_ns: u64,
    /// Nanoseconds of the longest one.
    pub longest_wait_ns: u64,
    /// Threads that wait now.
    pub waiting: u32,
}

impl LockCounts {
    /// Adds those of another lock.
    pub fn add(&mut self, other: &Self) {
        self.acquisitions += other.acquisitions;
        self.waits += other.waits;
        self.waited_ns += other.waited_ns;
        self.longest_wait_ns = self.longest_wait_ns.max(other.longest_wait_ns);
        self.waiting += other.waiting;
    }
}

impl<T> CountedLock<T> {
    /// A lock that nothing has taken.
    pub fn new(value: T) -> Self {
        Self {
            lock: Mutex::new(value),
            acquisitions: AtomicU64::new(0),
            waits: AtomicU64::new(0),
            waited_ns: AtomicU64::new(0),
            longest_wait_ns: AtomicU64::new(0),
            waiting: AtomicU32::new(0),
        }
    }

    /// Takes the lock.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.lock_and_time().0
    }

    /// The same, and for how many nanoseconds it was waited for: 0 if it was free.
    #[inline]
    #[track_caller]
    pub fn lock_and_time(&self) -> (MutexGuard<'_, T>, u64) {
        let (guard, waited_ns) = match self.lock.try_lock() {
            Some(guard) => (guard, 0),
            None => self.wait(),
        };
        raise(&self.acquisitions, 1);
        (guard, waited_ns)
    }

    /// Takes the lock for a look that is not counted: one at the counts, or beside them.
    #[track_caller]
    pub fn lock_uncounted(&self) -> MutexGuard<'_, T> {
        self.lock.lock()
    }

    /// The value, where nothing else can have the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.lock.get_mut()
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn wait(&self) -> (MutexGuard<'_, T>, u64) {
        // Before it counts as waiting: whatever sees it wait, and goes on for some time, is waited for that long.
        let watch = Stopwatch::start();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let guard = self.lock.lock();
        // A wait that the clock does not see was one, too.
        let waited_ns = watch.elapsed_ns().max(1);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        raise(&self.waits, 1);
        raise(&self.waited_ns, waited_ns);
        let longest_ns = self.longest_wait_ns.load(Ordering::Relaxed).max(waited_ns);
        self.longest_wait_ns.store(longest_ns, Ordering::Relaxed);
        (guard, waited_ns)
    }

    /// Begins to count anew. Under the lock.
    pub fn reset_counts(&self, _: &MutexGuard<'_, T>) {
        for count in [&self.acquisitions, &self.waits, &self.waited_ns, &self.longest_wait_ns] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// Threads that wait now.
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// What was counted. Without the lock, so the counts may be those of different moments.
    pub fn counts(&self) -> LockCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LockCounts {
            acquisitions: read(&self.acquisitions),
            waits: read(&self.waits),
            waited_ns: read(&self.waited_ns),
            longest_wait_ns: read(&self.longest_wait_ns),
            waiting: self.waiting(),
        }
    }
}

/// Under the lock, so a plain load and store do.
#[inline]
fn raise(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_free_lock_is_taken_without_a_wait() {
        let lock = CountedLock::new(0);
        for _ in 0..10 {
            let (mut guard, waited_ns) = lock.lock_and_time();
            *guard += 1;
            assert_eq!(waited_ns, 0);
        }
        drop(lock.lock_uncounted());
        let expected = LockCounts { acquisitions: 10, ..LockCounts::default() };
        assert_eq!((*lock.lock_uncounted(), lock.counts()), (10, expected));
    }

    #[test]
    fn a_wait_is_counted_with_its_time() {
        let lock = CountedLock::new(());
        let guard = lock.lock();
        let waited_ns = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| lock.lock_and_time().1);
            while lock.waiting() == 0 {
                std::thread::yield_now();
            }
            drop(guard);
            waiter.join().unwrap()
        });
        let counts = lock.counts();
        assert_eq!((counts.acquisitions, counts.waits, counts.waiting), (2, 1, 0));
        assert!(waited_ns > 0 && counts.waited_ns == waited_ns && counts.longest_wait_ns == waited_ns, "{counts:?}");
    }

    #[test]
    fn no_count_is_lost_between_threads() {
        let lock = CountedLock::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| *lock.lock() += 1));
            }
        });
        let counts = lock.counts();
        assert_eq!((counts.acquisitions, *lock.lock_uncounted(), counts.waiting), (40_000, 40_000, 0));
    }
}
