//! How long pins last, for tests: in the time of the thread's own work, so that it does not depend on what else the
//! machine does.

use std::cell::RefCell;
use std::time::Duration;

thread_local! {
    /// Pins of this thread since they are recorded: the times of those that have ended, and the begin of the last.
    static RECORD: RefCell<Option<(Vec<Duration>, Duration)>> = const { RefCell::new(None) };
}

/// Runs `work` and says how long each pin lasted that it made, in their order.
pub fn record(work: impl FnOnce()) -> Vec<Duration> {
    RECORD.set(Some((Vec::new(), Duration::ZERO)));
    work();
    RECORD.take().map_or_else(Vec::new, |(pins, _)| pins)
}

pub fn pinned() {
    RECORD.with_borrow_mut(|record| {
        if let Some((_, begun)) = record {
            *begun = own_time();
        }
    });
}

pub fn unpinned() {
    RECORD.with_borrow_mut(|record| {
        if let Some((pins, begun)) = record {
            pins.push(own_time().saturating_sub(*begun));
        }
    });
}

/// What this thread has worked.
fn own_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes a time to where it is told to.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "a thread has a clock of its own");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
