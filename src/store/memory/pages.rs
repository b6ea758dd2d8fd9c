//! Pages of memory, shared by all maps of the process.
//!
//! Entries live in pages, and a page belongs to one arena at a time. Pages are cut from *regions* of 1 MiB, and
//! regions from *spans* of address space that are mapped once and kept. A page comes from the fullest region that has
//! one free, so that what is free gathers in the others, and a region without a page in use serves whatever size of
//! page is wanted next.
//!
//! Free pages keep their memory while there are few of them, so that a map that empties and fills again does not pay
//! for fresh memory each time. What is beyond that is *surplus*: [`release_surplus`] gives it back to the operating
//! system, also where a neighbour of it is in use. That takes a call into the system, so the holder of a lock defers
//! it.

use std::ptr::NonNull;

use super::regions::{PageSize, REGION_BYTES, Regions, stretches};
use crate::store::platform::mapping;
use crate::store::platform::mapping::OS_PAGE_BYTES;
use crate::store::platform::spans::Span;
use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::{AtomicBool, Mutex};

/// Memory that free pages keep whatever is in use, for the whole process.
const WARM_BYTES: usize = 2 << 20;
/// And one part in so many of what is in use.
const WARM_PART: usize = 16;

static PAGES: Shared = Shared::new();

/// The pages of a process.
struct Shared {
    pool: Mutex<Pool>,
    /// Whether there is surplus, for a look without the lock.
    has_surplus: AtomicBool,
}

struct Pool {
    /// By address, with the number of the first region of each.
    spans: Vec<Mapped>,
    regions: Regions,
}

struct Mapped {
    span: Span,
    first_region: u32,
    /// Whether a part of it was given back already.
    has_holes: bool,
}

/// Takes a page, or `None` if the operating system has no memory. Its content is arbitrary.
pub fn take(size: PageSize) -> Option<NonNull<u8>> {
    PAGES.take(size)
}

/// Gives a page back.
///
/// # Safety
///
/// `page` came from [`take`] with this size, and it is no longer in use.
pub unsafe fn give_back(page: NonNull<u8>, size: PageSize) {
    PAGES.give_back(page, size);
}

/// Gives memory of free pages back to the operating system if there is more of it than is kept: of one region at most,
/// so up to 1 MiB. Costs a load if there is none. For callers without a lock.
#[inline]
pub fn release_surplus() {
    PAGES.release_surplus();
}

/// Gives the memory of all free pages back, but for one part in 16 of what is in use. Takes a tenth of a millisecond
/// for each MiB: for the background.
pub fn release_all() {
    PAGES.release_all();
}

impl Shared {
    const fn new() -> Self {
        let pool = Pool { spans: Vec::new(), regions: Regions::new() };
        Self { pool: Mutex::new(pool), has_surplus: AtomicBool::new(false) }
    }

    fn take(&self, size: PageSize) -> Option<NonNull<u8>> {
        let mut pool = self.pool.lock();
        let mut is_refused = false;
        loop {
            // SAFETY: spans of pages stay mapped for good.
            let prepare = |start, bytes| unsafe { mapping::prepare(start, bytes) };
            let address = pool.regions.take(size, |start, bytes| {
                is_refused = !prepare(start, bytes);
                !is_refused
            });
            if let Some(address) = address {
                return NonNull::new(address as *mut u8);
            }
            drop(pool);
            if is_refused {
                return None;
            }
            let span = Span::map(REGION_BYTES)?;
            pool = self.pool.lock();
            pool.add(span)?;
        }
    }

    fn give_back(&self, page: NonNull<u8>, size: PageSize) {
        let address = page.as_ptr() as usize;
        let mut pool = self.pool.lock();
        let Some(mapped) = pool.span_of(address) else { return };
        let id = mapped.first_region + ((address - mapped.span.start()) / REGION_BYTES) as u32;
        pool.regions.give_back(id, address, size);
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
        if self.release_more_than(WARM_BYTES) > 0 {
            self.has_surplus.store(true, Ordering::Relaxed);
        }
    }

    fn release_all(&self) {
        let mut left = self.pool.lock().regions.loose_bytes();
        // No more than there was: others may be freeing all the time.
        while left > 0 {
            match self.release_more_than(0) {
                0 => break,
                released => left = left.saturating_sub(released),
            }
        }
    }

    /// Gives back what one region has to spare, if free pages have more memory than this and their part of what is in
    /// use; how much.
    #[cold]
    fn release_more_than(&self, warm_bytes: usize) -> usize {
        let mut pool = self.pool.lock();
        if !pool.has_surplus(warm_bytes) {
            return 0;
        }
        let before = pool.regions.loose_bytes();
        let Some((id, units)) = pool.regions.take_loose(mapping::os_page_bytes() / OS_PAGE_BYTES) else { return 0 };
        let released = before - pool.regions.loose_bytes();
        let start = pool.regions.start(id);
        let whole = pool.span_of(start).filter(|mapped| !mapped.has_holes);
        let whole = whole.map(|mapped| {
            mapped.has_holes = true;
            (mapped.span.start(), mapped.span.len())
        });
        // No other thread can take what was taken here, so the calls into the operating system do not need the lock.
        drop(pool);
        // SAFETY: spans of pages stay mapped for good, and the units are this call's alone.
        unsafe {
            if let Some((start, bytes)) = whole {
                mapping::forbid_huge_pages(start, bytes);
            }
            for (first, count) in stretches(&units) {
                mapping::release(start + first * OS_PAGE_BYTES, count * OS_PAGE_BYTES);
            }
        }
        self.pool.lock().regions.return_clean(id, &units);
        released
    }
}

impl Pool {
    fn add(&mut self, span: Span) -> Option<()> {
        self.spans.try_reserve(1).ok()?;
        let first_region = self.regions.add(span.start(), span.len() / REGION_BYTES)?;
        let place = self.spans.partition_point(|other| other.span.start() < span.start());
        self.spans.insert(place, Mapped { span, first_region, has_holes: false });
        Some(())
    }

    fn span_of(&mut self, address: usize) -> Option<&mut Mapped> {
        let after = self.spans.partition_point(|other| other.span.start() <= address);
        self.spans.get_mut(after.checked_sub(1)?)
    }

    fn has_surplus(&self, warm_bytes: usize) -> bool {
        self.regions.loose_bytes() > warm_bytes + self.regions.used_bytes() / WARM_PART
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn pages_do_not_overlap_and_are_aligned() {
        let shared = Shared::new();
        for size in [PageSize::Small, PageSize::Large] {
            let mut pages: Vec<_> = (0..600).map(|_| shared.take(size).unwrap()).collect();
            pages.sort();
            for pair in pages.windows(2) {
                assert!(pair[1].as_ptr() as usize - pair[0].as_ptr() as usize >= size.bytes());
            }
            for page in pages {
                assert_eq!(page.as_ptr() as usize % size.bytes(), 0);
                shared.give_back(page, size);
            }
        }
    }

    /// Properties: a page keeps its content while others are taken, given back and released by other threads; in the
    /// end nothing is in use.
    #[cfg(not(miri))]
    #[test]
    fn pages_keep_their_content_while_memory_is_given_back() {
        let shared = Shared::new();
        let work = |thread: u64| {
            let mut state = thread;
            let mut below = |limit: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize % limit
            };
            let mut held = Vec::new();
            for round in 0..4_000_u64 {
                // Mostly all of it goes, so that regions serve the other size next.
                let (size, kept) = ([PageSize::Small, PageSize::Large][below(2)], if below(8) == 0 { 3 } else { 0 });
                for n in 0..below(20) as u64 {
                    let (page, mark) = (shared.take(size).unwrap(), thread << 32 | round << 8 | n);
                    // SAFETY: ours, of this size, and aligned to it.
                    unsafe {
                        let words = std::slice::from_raw_parts_mut(page.cast::<u64>().as_ptr(), size.bytes() / 8);
                        words.fill(mark);
                    }
                    held.push((page, size, mark));
                }
                while held.len() > kept {
                    let (page, size, mark) = held.swap_remove(below(held.len()));
                    // SAFETY: ours, of this size, aligned to it, and written as a whole.
                    let words = unsafe { std::slice::from_raw_parts(page.cast::<u64>().as_ptr(), size.bytes() / 8) };
                    let lost = words.iter().find(|&&word| word != mark);
                    assert_eq!(lost, None, "thread {thread}, round {round}: {mark} was written");
                    shared.give_back(page, size);
                }
            }
            for (page, size, _) in held {
                shared.give_back(page, size);
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..=2).map(|thread| scope.spawn(move || work(thread))).collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                shared.release_all();
            }
        });
        assert_eq!(shared.pool.lock().regions.used_bytes(), 0);
    }

    #[cfg(all(any(target_os = "linux", windows), not(miri)))]
    #[test]
    fn memory_between_pages_that_stay_goes_back_to_the_system() {
        for (size, count) in [(PageSize::Small, 4_096), (PageSize::Large, 1_024)] {
            let shared = Shared::new();
            let held: Vec<_> = (0..count).map(|_| shared.take(size).unwrap()).collect();
            for &page in &held {
                // SAFETY: ours, of this size.
                unsafe { page.write_bytes(7, size.bytes()) };
            }
            let start = held.iter().map(|page| page.as_ptr() as usize).min().unwrap();
            let resident = || mapping::resident_bytes(start, count * size.bytes());
            assert_eq!(resident(), count * size.bytes());
            let (kept, freed): (Vec<_>, Vec<_>) = held.iter().enumerate().partition(|(n, _)| n % 50 == 0);
            for &(_, &page) in &freed {
                shared.give_back(page, size);
                shared.release_surplus();
            }
            let used = kept.len() * size.bytes();
            assert!(resident() <= used + used / WARM_PART + WARM_BYTES, "{} bytes for {used}", resident());
            shared.release_all();
            assert!(resident() <= used + used / WARM_PART, "{} bytes for {used}", resident());
            for &(_, &page) in &kept {
                // SAFETY: ours, of this size.
                unsafe {
                    assert!(std::slice::from_raw_parts(page.as_ptr(), size.bytes()).iter().all(|&byte| byte == 7));
                };
            }
        }
    }
}
