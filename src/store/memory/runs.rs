//! Runs of memory for large entries, shared by all maps of the process.
//!
//! `malloc` cannot be made to return memory: glibc keeps what it once took from its heaps, and which sizes it maps one
//! by one it changes as it goes. So large entries have spans of their own. Their runs are any number of grains long,
//! join what is free beside them when they come back, and free pages of the operating system can be given back
//! wherever they are.
//!
//! As for `pages`, a part of what is free keeps its memory, and the holder of a lock defers the calls into the system.

use std::ptr::NonNull;

use super::free_runs::{FreeRuns, GRAIN_BYTES, grains_for};
use crate::store::platform::mapping;
use crate::store::platform::mapping::OS_PAGE_BYTES;
use crate::store::platform::spans::Span;
use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::{AtomicBool, Mutex};

/// The longest run. What is larger is mapped by itself: a set of 8 MB took 0.7 ms in a run that had memory, 2.4 ms in
/// a new mapping.
pub const MAX_RUN_BYTES: usize = 16 << 20;

/// Memory that free runs keep whatever is in use, for the whole process.
const WARM_BYTES: usize = 4 << 20;
/// And one part in so many of what is in use.
const WARM_PART: usize = 16;
/// Pages that one call into the system gives back: 1 MiB, some ten microseconds.
const RELEASED_PAGES: u32 = 256;
/// Such calls that one caller makes.
const RELEASES: usize = 4;

static RUNS: Shared = Shared::new();

/// The runs of a process.
struct Shared {
    pool: Mutex<Pool>,
    /// Whether there is surplus, for a look without the lock.
    has_surplus: AtomicBool,
}

struct Pool {
    /// By the numbers that `runs` gives them.
    spans: Vec<Option<Mapped>>,
    /// Start and number of each span, in ascending order.
    by_address: Vec<(usize, usize)>,
    runs: FreeRuns,
}

struct Mapped {
    span: Span,
    /// Whether a part of it was given back already.
    has_holes: bool,
}

/// What the run for so many bytes takes.
pub fn run_bytes(bytes: usize) -> usize {
    grains_for(bytes) as usize * GRAIN_BYTES
}

/// Takes a run of at least so many bytes, at most [`MAX_RUN_BYTES`], or `None` if the operating system has no memory.
/// Its content is arbitrary.
pub fn take(bytes: usize) -> Option<NonNull<u8>> {
    RUNS.take(bytes)
}

/// Gives a run back.
///
/// # Safety
///
/// `run` came from [`take`] with so many bytes, and it is no longer in use.
pub unsafe fn give_back(run: NonNull<u8>, bytes: usize) {
    RUNS.give_back(run, bytes);
}

/// Gives memory of free runs back to the operating system if there is more of it than is kept, up to 4 MiB. Costs a
/// load if there is none. For callers without a lock.
#[inline]
pub fn release_surplus() {
    RUNS.release_surplus();
}

/// Gives the memory of all free runs back, but for one part in 16 of what is in use. Takes a tenth of a millisecond
/// for each MiB: for the background.
pub fn release_all() {
    RUNS.release_all();
}

impl Shared {
    const fn new() -> Self {
        let pool = Pool { spans: Vec::new(), by_address: Vec::new(), runs: FreeRuns::new() };
        Self { pool: Mutex::new(pool), has_surplus: AtomicBool::new(false) }
    }

    fn take(&self, bytes: usize) -> Option<NonNull<u8>> {
        let grains = grains_for(bytes);
        let mut pool = self.pool.lock();
        let mut is_refused = false;
        loop {
            let Pool { spans, runs, .. } = &mut *pool;
            let address_of = |number: usize, first: u32| {
                let start = spans[number].as_ref().map_or(0, |mapped| mapped.span.start());
                start + first as usize * GRAIN_BYTES
            };
            let taken = runs.take(grains, |number, first| {
                // SAFETY: a span stays as long as runs know it.
                is_refused = !unsafe { mapping::prepare(address_of(number, first), grains as usize * GRAIN_BYTES) };
                !is_refused
            });
            if let Some((number, first)) = taken {
                return NonNull::new(address_of(number, first) as *mut u8);
            }
            drop(pool);
            if is_refused {
                return None;
            }
            let span = Span::map(OS_PAGE_BYTES)?;
            pool = self.pool.lock();
            pool.add(span)?;
        }
    }

    fn give_back(&self, run: NonNull<u8>, bytes: usize) {
        let address = run.as_ptr() as usize;
        let mut pool = self.pool.lock();
        let after = pool.by_address.partition_point(|&(start, _)| start <= address);
        let Some(&(start, number)) = after.checked_sub(1).and_then(|place| pool.by_address.get(place)) else { return };
        pool.runs.give_back(number, ((address - start) / GRAIN_BYTES) as u32, grains_for(bytes));
        if pool.has_surplus(WARM_BYTES) {
            self.has_surplus.store(true, Ordering::Relaxed);
        }
    }

    #[inline]
    fn release_surplus(&self) {
        if self.has_surplus.load(Ordering::Relaxed) {
            self.release_some_surplus();
        }
    }

    #[cold]
    fn release_some_surplus(&self) {
        self.has_surplus.store(false, Ordering::Relaxed);
        let has_more = (0..RELEASES).all(|_| self.release_more_than(WARM_BYTES) > 0);
        if has_more {
            self.has_surplus.store(true, Ordering::Relaxed);
        }
    }

    fn release_all(&self) {
        let mut left = self.pool.lock().runs.loose_bytes();
        // No more than there was: others may be freeing all the time.
        while left > 0 {
            match self.release_more_than(0) {
                0 => break,
                released => left = left.saturating_sub(released),
            }
        }
    }

    /// Gives back up to 1 MiB, if free runs have more memory than this and their part of what is in use; how much.
    #[cold]
    fn release_more_than(&self, warm_bytes: usize) -> usize {
        let mut pool = self.pool.lock();
        if !pool.has_surplus(warm_bytes) {
            return 0;
        }
        let before = pool.runs.loose_bytes();
        let os_page_pages = (mapping::os_page_bytes() / OS_PAGE_BYTES) as u32;
        let Some((number, first, grains)) = pool.runs.take_loose(RELEASED_PAGES, os_page_pages) else { return 0 };
        let released = before - pool.runs.loose_bytes();
        let Some(mapped) = &mut pool.spans[number] else { return 0 };
        let (start, bytes) = (mapped.span.start(), mapped.span.len());
        let had_holes = std::mem::replace(&mut mapped.has_holes, true);
        // No other thread can take what was taken here, so the calls into the operating system do not need the lock.
        drop(pool);
        // SAFETY: the run is this call's alone, and as long as a part of it is in use, a span stays.
        unsafe {
            if !had_holes {
                mapping::forbid_huge_pages(start, bytes);
            }
            mapping::release(start + first as usize * GRAIN_BYTES, grains as usize * GRAIN_BYTES);
        }
        let mut pool = self.pool.lock();
        let gone = pool.runs.return_clean(number, first, grains);
        let span = gone.as_ref().and_then(|_| pool.remove(number));
        drop(pool);
        // A span without memory is unmapped, and so is what was known of it.
        drop((span, gone));
        released
    }
}

impl Pool {
    fn add(&mut self, span: Span) -> Option<()> {
        self.spans.try_reserve(1).ok()?;
        self.by_address.try_reserve(1).ok()?;
        let number = self.runs.add(span.len())?;
        let place = self.by_address.partition_point(|&(start, _)| start < span.start());
        self.by_address.insert(place, (span.start(), number));
        if number == self.spans.len() {
            self.spans.push(None);
        }
        self.spans[number] = Some(Mapped { span, has_holes: false });
        Some(())
    }

    fn remove(&mut self, number: usize) -> Option<Mapped> {
        self.by_address.retain(|&(_, other)| other != number);
        self.spans[number].take()
    }

    fn has_surplus(&self, warm_bytes: usize) -> bool {
        self.runs.loose_bytes() > warm_bytes + self.runs.used_bytes() / WARM_PART
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn runs_keep_their_content_and_do_not_overlap() {
        let runs = Shared::new();
        let sizes = [2_041, 3_000, 4_096, 70_000, 6 << 20, 5_000, 1 << 20];
        let mut held = Vec::new();
        let check = |(run, size, fill): (NonNull<u8>, usize, u8)| {
            // SAFETY: ours, of this size, written as a whole, and given back once.
            unsafe { assert!(std::slice::from_raw_parts(run.as_ptr(), size).iter().all(|&byte| byte == fill)) };
            runs.give_back(run, size);
        };
        for (n, size) in (0..60).flat_map(|_| sizes).enumerate() {
            let run = runs.take(size).unwrap();
            assert_eq!(run.as_ptr() as usize % GRAIN_BYTES, 0);
            // SAFETY: the run has this many bytes and is ours.
            unsafe { run.write_bytes(n as u8, size) };
            held.push((run, size, n as u8));
            if held.len() > 20 {
                check(held.swap_remove(n * 31 % held.len()));
                runs.release_surplus();
            }
        }
        held.into_iter().for_each(check);
        runs.release_all();
        let pool = runs.pool.lock();
        assert_eq!((pool.runs.used_bytes(), pool.runs.loose_bytes(), pool.by_address.len()), (0, 0, 0));
    }

    #[cfg(all(any(target_os = "linux", windows), not(miri)))]
    #[test]
    fn memory_between_runs_that_stay_goes_back_to_the_system() {
        const SIZE: usize = 20_000;
        let runs = Shared::new();
        let held: Vec<_> = (0..1_000).map(|_| runs.take(SIZE).unwrap()).collect();
        for &run in &held {
            // SAFETY: ours, of this size.
            unsafe { run.write_bytes(7, SIZE) };
        }
        let start = held.iter().map(|run| run.as_ptr() as usize).min().unwrap();
        let resident = || mapping::resident_bytes(start, 1_000 * run_bytes(SIZE));
        assert!(resident() >= 1_000 * SIZE);
        let (kept, freed): (Vec<_>, Vec<_>) = held.iter().enumerate().partition(|(n, _)| n % 20 == 0);
        for &(_, &run) in &freed {
            runs.give_back(run, SIZE);
            runs.release_surplus();
        }
        // What is in use, in pages that it does not fill alone, and what is kept.
        let used = kept.len() * (run_bytes(SIZE) + 2 * OS_PAGE_BYTES);
        assert!(resident() <= used + used / WARM_PART + WARM_BYTES, "{} bytes for {used}", resident());
        runs.release_all();
        assert!(resident() <= used + used / WARM_PART, "{} bytes for {used}", resident());
        for &(_, &run) in &kept {
            // SAFETY: ours, of this size.
            unsafe { assert!(std::slice::from_raw_parts(run.as_ptr(), SIZE).iter().all(|&byte| byte == 7)) };
        }
    }
}
