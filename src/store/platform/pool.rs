//! The threads that do long jobs beside the threads of the program: one pool for the whole process.
//!
//! **Fairness.** A job is done in slices, and goes behind the others after each. So a short job is not kept waiting by
//! a long one that came before it.
//!
//! **Threads.** As many as there are processors, less one for the program, and at least one. They run below normal
//! priority, start when there are jobs for them, and end when there was nothing to do for a while. A job belongs to no
//! thread: each of its slices may run in another one.
//!
//! **Bounds.** At most [`MAX_JOBS`] at a time, those under way included.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use super::background;
use super::sync::process::{Condvar, Mutex, OnceLock};
use crate::store::error::Error;

/// Jobs of the process at a time.
pub const MAX_JOBS: usize = 64;

/// How long a thread stays without jobs.
const LINGER: Duration = Duration::from_secs(1);

/// Something that takes long. It is dropped after its last slice, or after one that panicked.
pub trait Job: Send {
    /// Does the next slice, a millisecond or so. Whether there is more to do.
    fn slice(&mut self) -> bool;
}

static POOL: Mutex<Pool> = Mutex::new(Pool { waiting: VecDeque::new(), jobs: 0, threads: 0, idle: 0 });
static ARRIVAL: Condvar = Condvar::new();

struct Pool {
    /// Jobs that no thread is at, the next one first.
    waiting: VecDeque<Box<dyn Job>>,
    /// All jobs.
    jobs: usize,
    threads: usize,
    /// Threads that wait for a job. Invariant: counted down by the thread that has waited.
    idle: usize,
}

/// Hands a job to the pool. Refuses it if there are too many, or if the system starts no thread for it.
pub fn submit(job: impl Job + 'static) -> Result<(), Error> {
    let mut pool = POOL.lock();
    if pool.jobs >= MAX_JOBS {
        return Err(Error::TooManyJobs { limit: MAX_JOBS });
    }
    // Jobs that wait find the idle threads first.
    if pool.waiting.len() >= pool.idle && pool.threads < most_threads() {
        if background::start("superdashmap-pool", run) {
            pool.threads += 1;
        } else if pool.threads == 0 {
            return Err(Error::NoThread);
        }
    }
    pool.jobs += 1;
    pool.waiting.push_back(Box::new(job));
    ARRIVAL.notify_one();
    Ok(())
}

fn most_threads() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| thread::available_parallelism().map_or(1, |processors| processors.get().max(2) - 1))
}

/// A thread.
fn run() {
    background::step_back();
    while let Some(mut job) = next() {
        if catch_unwind(AssertUnwindSafe(|| job.slice())).unwrap_or(false) {
            POOL.lock().waiting.push_back(job);
            continue;
        }
        // It says itself that it came to nothing, when it is dropped before its end.
        drop(catch_unwind(AssertUnwindSafe(|| drop(job))));
        POOL.lock().jobs -= 1;
    }
}

/// The next job. `None`: no thread from here on.
fn next() -> Option<Box<dyn Job>> {
    let mut pool = POOL.lock();
    loop {
        if let Some(job) = pool.waiting.pop_front() {
            return Some(job);
        }
        pool.idle += 1;
        let waited = ARRIVAL.wait_for(&mut pool, LINGER);
        pool.idle -= 1;
        if waited.timed_out() && pool.waiting.is_empty() {
            pool.threads -= 1;
            return None;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// One at a time, because the pool is the process's.
    static ALONE: Mutex<()> = Mutex::new(());

    /// Sends its name for each slice, once it may begin.
    struct Turns {
        name: char,
        left: usize,
        may_begin: std::sync::Arc<std::sync::atomic::AtomicBool>,
        taken: mpsc::Sender<char>,
    }

    impl Job for Turns {
        fn slice(&mut self) -> bool {
            if !self.may_begin.load(std::sync::atomic::Ordering::SeqCst) {
                thread::yield_now();
                return true;
            }
            self.taken.send(self.name).unwrap();
            self.left -= 1;
            self.left > 0
        }
    }

    fn jobs(names: &[char], slices: usize) -> (Vec<Turns>, mpsc::Receiver<char>, impl Fn()) {
        let (taken, turns) = mpsc::channel();
        let may_begin = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let job = |&name| Turns { name, left: slices, may_begin: may_begin.clone(), taken: taken.clone() };
        let jobs = names.iter().map(job).collect();
        (jobs, turns, move || may_begin.store(true, std::sync::atomic::Ordering::SeqCst))
    }

    fn submit_all(jobs: Vec<Turns>) {
        for job in jobs {
            submit(job).unwrap();
        }
    }

    fn wait_until_idle() {
        while POOL.lock().jobs > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn jobs_take_turns() {
        let _alone = ALONE.lock();
        wait_until_idle();
        let (submitted, turns, begin) = jobs(&['a', 'b', 'c'], 20);
        submit_all(submitted);
        begin();
        let turns: Vec<_> = turns.iter().collect();
        assert_eq!(turns.len(), 60);
        // However many threads there are, no job is more than a round or two ahead of another.
        for name in ['a', 'b', 'c'] {
            let done = turns[..30].iter().filter(|turn| **turn == name).count();
            assert!((6..=14).contains(&done), "{name}: {turns:?}");
        }
    }

    #[test]
    fn there_is_a_limit_and_jobs_that_end_make_room() {
        let _alone = ALONE.lock();
        wait_until_idle();
        let (mut submitted, turns, begin) = jobs(&['x'; MAX_JOBS + 1], 1);
        let last = submitted.pop().unwrap();
        submit_all(submitted);
        assert_eq!(submit(last), Err(Error::TooManyJobs { limit: MAX_JOBS }));
        begin();
        assert_eq!(turns.iter().count(), MAX_JOBS);
        wait_until_idle();
        assert!(POOL.lock().threads <= most_threads());
    }

    #[test]
    fn a_panic_ends_its_job_alone() {
        struct Panics(mpsc::Sender<&'static str>);
        impl Job for Panics {
            fn slice(&mut self) -> bool {
                panic!("on purpose")
            }
        }
        impl Drop for Panics {
            fn drop(&mut self) {
                self.0.send("dropped").unwrap();
            }
        }
        let _alone = ALONE.lock();
        wait_until_idle();
        let (dropped, was_dropped) = mpsc::channel();
        submit(Panics(dropped)).unwrap();
        assert_eq!(was_dropped.recv(), Ok("dropped"));
        let (submitted, turns, begin) = jobs(&['a'], 2);
        submit_all(submitted);
        begin();
        assert_eq!(turns.iter().count(), 2);
    }

    #[test]
    fn without_a_thread_a_job_is_refused() {
        let _alone = ALONE.lock();
        // Threads end when there was nothing to do for a while.
        while POOL.lock().threads > 0 {
            thread::yield_now();
        }
        background::refuse(true);
        let (mut submitted, ..) = jobs(&['a'], 1);
        let refused = submit(submitted.pop().unwrap());
        background::refuse(false);
        assert_eq!(refused, Err(Error::NoThread));
        assert_eq!(POOL.lock().jobs, 0);
    }
}
