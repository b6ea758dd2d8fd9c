//! Runs of memory for large entries, shared by all maps of the process.
//!
//! `malloc` cannot be told to give memory back: glibc keeps what it once took from its heaps, and which sizes it maps one by one it
//! changes as it goes. So large entries have spans of their own. Their runs are any number of grains long, join what is free
//! beside them when they come back, and free pages of the operating system can be given back wherever they are.
//!
//! As for `pages`, a part of what is free keeps its memory, and whoever holds a lock leaves the calls into the system for later.

use std::ptr::NonNull;

use super::free_runs::{FreeRuns, GRAIN_BYTES, grains_for};
use super::spans::{self, OS_PAGE_BYTES, Span};
use super::sync::Ordering;
use super::sync::process::{AtomicBool, Mutex};

/// The longest run. What is larger is mapped by itself: a set of 8 MB took 0.7 ms in a run that had memory, 2.4 ms in a new mapping.
pub const MAX_RUN_BYTES: usize = 16 << 20;

/// Memory that free runs keep whatever is in use, for the whole process.
const WARM_BYTES: usize = 4 << 20;
/// And one part in so many of what is in use.
const WARM_PART: usize = 8;
/// Pages that one call into the system gives back: 1 MiB, some ten microseconds.
const RELEASED_PAGES: u32 = 256;
/// Such calls that one caller makes.
const RELEASES: usize = 4;

static POOL: Mutex<Pool> = Mutex::new(Pool { spans: Vec::new(), by_address: Vec::new(), runs: FreeRuns::new() });

/// Whether there is surplus, for a look without the lock.
static HAS_SURPLUS: AtomicBool = AtomicBool::new(false);

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

/// Takes a run of at least so many bytes, at most [`MAX_RUN_BYTES`], or `None` if the operating system has no memory. Its
/// content is arbitrary.
pub fn take(bytes: usize) -> Option<NonNull<u8>> {
    let grains = grains_for(bytes);
    let mut pool = POOL.lock();
    loop {
        if let Some((number, first)) = pool.runs.take(grains) {
            let mapped = pool.spans[number].as_ref()?;
            return NonNull::new((mapped.span.start() + first as usize * GRAIN_BYTES) as *mut u8);
        }
        drop(pool);
        let span = Span::map(OS_PAGE_BYTES)?;
        pool = POOL.lock();
        pool.add(span)?;
    }
}

/// Gives a run back.
///
/// # Safety
///
/// `run` came from [`take`] with so many bytes, and nobody uses it any more.
pub unsafe fn give_back(run: NonNull<u8>, bytes: usize) {
    let address = run.as_ptr() as usize;
    let mut pool = POOL.lock();
    let after = pool.by_address.partition_point(|&(start, _)| start <= address);
    let Some(&(start, number)) = after.checked_sub(1).and_then(|place| pool.by_address.get(place)) else { return };
    pool.runs.give_back(number, ((address - start) / GRAIN_BYTES) as u32, grains_for(bytes));
    if pool.has_surplus(WARM_BYTES) {
        HAS_SURPLUS.store(true, Ordering::Relaxed);
    }
}

/// Gives memory of free runs back to the operating system if there is more of it than is kept, up to 4 MiB. Costs a load if
/// there is none. For callers without a lock.
#[inline]
pub fn release_surplus() {
    if HAS_SURPLUS.load(Ordering::Relaxed) {
        HAS_SURPLUS.store(false, Ordering::Relaxed);
        let has_more = (0..RELEASES).all(|_| release_more_than(WARM_BYTES) > 0);
        if has_more {
            HAS_SURPLUS.store(true, Ordering::Relaxed);
        }
    }
}

/// Gives the memory of all free runs back, but for one part in eight of what is in use. Takes a tenth of a millisecond for each
/// MiB: for the background.
pub fn release_all() {
    let mut left = POOL.lock().runs.loose_bytes();
    // No more than there was: others may be freeing all the time.
    while left > 0 {
        match release_more_than(0) {
            0 => break,
            released => left = left.saturating_sub(released),
        }
    }
}

/// Gives back up to 1 MiB, if free runs have more memory than this and their part of what is in use; how much.
#[cold]
fn release_more_than(warm_bytes: usize) -> usize {
    let mut pool = POOL.lock();
    if !pool.has_surplus(warm_bytes) {
        return 0;
    }
    let Some((number, first, grains)) = pool.runs.take_loose(RELEASED_PAGES) else { return 0 };
    let Some(mapped) = &mut pool.spans[number] else { return 0 };
    let (start, bytes) = (mapped.span.start(), mapped.span.len());
    let had_holes = std::mem::replace(&mut mapped.has_holes, true);
    // Nobody else can take what was taken here, so the calls into the operating system do not need the lock.
    drop(pool);
    // SAFETY: the run is this call's alone, and as long as a part of it is in use, a span stays.
    unsafe {
        if !had_holes {
            spans::forbid_huge_pages(start, bytes);
        }
        spans::release(start + first as usize * GRAIN_BYTES, grains as usize * GRAIN_BYTES);
    }
    let mut pool = POOL.lock();
    let gone = pool.runs.return_clean(number, first, grains);
    let span = gone.as_ref().and_then(|_| pool.remove(number));
    drop(pool);
    // A span without memory is unmapped, and so is what was known of it.
    drop((span, gone));
    grains as usize * GRAIN_BYTES
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
        let sizes = [2_041, 3_000, 4_096, 70_000, MAX_RUN_BYTES, 5_000, 1 << 20];
        let mut held = Vec::new();
        for (n, size) in (0..400).flat_map(|_| sizes).enumerate() {
            let run = take(size).unwrap();
            assert_eq!(run.as_ptr() as usize % GRAIN_BYTES, 0);
            // SAFETY: the run has this many bytes and is ours.
            unsafe { run.write_bytes(n as u8, size) };
            held.push((run, size, n as u8));
            if held.len() > 40 {
                let (run, size, fill) = held.swap_remove(n * 31 % held.len());
                // SAFETY: ours, of this size, given back once.
                unsafe {
                    assert!(std::slice::from_raw_parts(run.as_ptr(), size).iter().all(|&byte| byte == fill));
                    give_back(run, size);
                }
                release_surplus();
            }
        }
        for (run, size, fill) in held {
            // SAFETY: ours, of this size, given back once.
            unsafe {
                assert!(std::slice::from_raw_parts(run.as_ptr(), size).iter().all(|&byte| byte == fill));
                give_back(run, size);
            }
        }
        release_all();
    }
}
