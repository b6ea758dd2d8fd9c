//! Pages of memory, shared by all maps of the process.
//!
//! Entries live in pages, and a page belongs to one arena at a time. Pages are cut from *regions* of 1 MiB, and regions
//! from *spans* of address space that are mapped once and kept. A region whose last page came back gives its memory to the
//! operating system and waits, as mere addresses, for its next use: memory that one map freed is there for the next,
//! whatever size of page that one wants. A few regions keep theirs, so that a map that empties and fills again does not
//! pay for fresh memory each time.

use std::ptr::NonNull;

use ahash::AHashMap;
use memmap2::{MmapMut, MmapOptions};

use super::sync::process::Mutex;

/// A region: large enough that mapping and giving back cost little per page, small enough that one live page pins little.
const REGION_BYTES: usize = 1 << 20;

/// Address space mapped at a time. Untouched pages of it cost nothing.
const SPAN_BYTES: usize = 64 << 20;

/// Idle regions that keep their memory: 8 MiB for the whole process.
const WARM_REGIONS: usize = 8;

/// The two sizes of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// 4 KiB, for blocks up to 256 bytes.
    Small,
    /// 16 KiB, for blocks up to 2 KiB.
    Large,
}

impl PageSize {
    /// Bytes of such a page; it is aligned to as many.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Small => 4 * 1_024,
            Self::Large => 16 * 1_024,
        }
    }
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

#[derive(Default)]
struct Pool {
    spans: Vec<MmapMut>,
    /// Addresses of regions that nobody uses; their memory is with the operating system.
    idle_regions: Vec<usize>,
    /// Addresses of regions that nobody uses and that still have their memory.
    warm_regions: Vec<usize>,
    /// Regions in use, by address.
    regions: AHashMap<usize, Region>,
    /// Addresses of regions with a free page, by page size.
    open: [Vec<usize>; 2],
}

struct Region {
    size: PageSize,
    /// Pages that came back, by number.
    free: Vec<u16>,
    /// Pages from this number on were never used.
    fresh: u16,
    live: u16,
}

impl Region {
    fn pages(&self) -> u16 {
        (REGION_BYTES / self.size.bytes()) as u16
    }

    fn is_full(&self) -> bool {
        self.free.is_empty() && self.fresh == self.pages()
    }
}

/// Takes a page, or `None` if the operating system has no memory. Its content is arbitrary.
pub fn take(size: PageSize) -> Option<NonNull<u8>> {
    let mut pool = POOL.lock();
    let pool = pool.get_or_insert_with(Pool::default);
    let base = match pool.open[size as usize].last() {
        Some(&base) => base,
        None => pool.open_region(size)?,
    };
    let region = pool.regions.get_mut(&base)?;
    let number = region.free.pop().unwrap_or_else(|| {
        region.fresh += 1;
        region.fresh - 1
    });
    region.live += 1;
    if region.is_full() {
        pool.open[size as usize].pop();
    }
    NonNull::new((base + usize::from(number) * size.bytes()) as *mut u8)
}

/// Gives a page back.
///
/// # Safety
///
/// `page` came from [`take`] with this size, and nobody uses it any more.
pub unsafe fn give_back(page: NonNull<u8>, size: PageSize) {
    let address = page.as_ptr() as usize;
    let base = address & !(REGION_BYTES - 1);
    let mut guard = POOL.lock();
    let Some(pool) = guard.as_mut() else { return };
    let Some(region) = pool.regions.get_mut(&base) else { return };
    let was_full = region.is_full();
    region.free.push(((address - base) / size.bytes()) as u16);
    region.live -= 1;
    if region.live > 0 {
        if was_full {
            pool.open[size as usize].push(base);
        }
        return;
    }
    // The last page of its region. Nobody else can take from the region once it is off the lists, so the call into the
    // operating system does not need the lock.
    pool.regions.remove(&base);
    pool.open[size as usize].retain(|&other| other != base);
    if pool.warm_regions.len() < WARM_REGIONS {
        pool.warm_regions.push(base);
        return;
    }
    drop(guard);
    release_memory(base);
    if let Some(pool) = POOL.lock().as_mut() {
        pool.idle_regions.push(base);
    }
}

impl Pool {
    fn open_region(&mut self, size: PageSize) -> Option<usize> {
        if self.warm_regions.is_empty() && self.idle_regions.is_empty() {
            self.map_span()?;
        }
        let base = self.warm_regions.pop().or_else(|| self.idle_regions.pop())?;
        self.regions.insert(base, Region { size, free: Vec::new(), fresh: 0, live: 0 });
        self.open[size as usize].push(base);
        Some(base)
    }

    fn map_span(&mut self) -> Option<()> {
        let mut span = MmapOptions::new().len(SPAN_BYTES).map_anon().ok()?;
        let start = span.as_mut_ptr() as usize;
        let first = start.next_multiple_of(REGION_BYTES);
        let end = start + SPAN_BYTES;
        let regions = (end - first) / REGION_BYTES;
        // Lowest address last, so that it is taken first.
        self.idle_regions.extend((0..regions).rev().map(|n| first + n * REGION_BYTES));
        self.spans.push(span);
        Some(())
    }
}

/// Lets the operating system have the memory of an idle region.
fn release_memory(base: usize) {
    #[cfg(all(unix, not(miri)))]
    {
        // SAFETY: the region lies within a span that is mapped for good, belongs to nobody, and its content is arbitrary.
        // That the advice may be refused does not matter: then the memory is used again later.
        unsafe {
            libc::madvise(base as *mut libc::c_void, REGION_BYTES, libc::MADV_DONTNEED);
        }
    }
    #[cfg(not(all(unix, not(miri))))]
    let _ = base;
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn pages_do_not_overlap_and_are_aligned() {
        for size in [PageSize::Small, PageSize::Large] {
            let mut pages: Vec<_> = (0..600).map(|_| take(size).unwrap()).collect();
            pages.sort();
            for pair in pages.windows(2) {
                assert!(pair[1].as_ptr() as usize - pair[0].as_ptr() as usize >= size.bytes());
            }
            for page in pages {
                assert_eq!(page.as_ptr() as usize % size.bytes(), 0);
                // SAFETY: taken above with this size, used by nobody.
                unsafe { give_back(page, size) };
            }
        }
    }
}
