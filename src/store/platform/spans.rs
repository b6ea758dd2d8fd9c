//! Spans: address space from the operating system, which pages and runs are cut from.
//!
//! Mapping a span costs no memory. A page of the operating system costs memory from the first store into it until it is
//! [released](Span::release); then it is zeros again.

use memmap2::{MmapMut, MmapOptions};

/// Bytes of a span. Few of them cover much memory, and what is not used of one costs nothing.
pub const SPAN_BYTES: usize = 64 << 20;

/// Bytes of a span where the process may not map that much: a process with an address-space limit still gets what is
/// there.
pub const LEAST_SPAN_BYTES: usize = 32 << 20;

/// The size of a page of the operating system where all supported systems agree, or a part of one.
pub const OS_PAGE_BYTES: usize = 4_096;

/// Address space that is mapped until the span is dropped.
#[derive(Debug)]
pub struct Span {
    /// Invariant: `start..start + len` lies within it.
    _mapping: MmapMut,
    start: usize,
    len: usize,
}

impl Span {
    /// A span whose start is a multiple of `align`, or `None` if the system refuses even a small one. Content: zeros.
    pub fn map(align: usize) -> Option<Self> {
        Self::map_bytes(SPAN_BYTES, align).or_else(|| Self::map_bytes(LEAST_SPAN_BYTES, align))
    }

    fn map_bytes(bytes: usize, align: usize) -> Option<Self> {
        let mut mapping = MmapOptions::new().len(bytes).map_anon().ok()?;
        let address = mapping.as_mut_ptr() as usize;
        let start = address.next_multiple_of(align);
        let len = (address + bytes - start) / align * align;
        Some(Self { _mapping: mapping, start, len })
    }

    /// Address of its first byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Bytes that can be used.
    pub fn len(&self) -> usize {
        self.len
    }
}

/// Gives the memory of whole pages of the operating system back; their content is arbitrary from then on. Pages that
/// the range covers in part keep theirs.
///
/// # Safety
///
/// The range lies in a span that stays mapped meanwhile, and no other thread uses it.
pub unsafe fn release(start: usize, bytes: usize) {
    #[cfg(all(unix, not(miri)))]
    {
        let os_page_bytes = os_page_bytes();
        let first = start.next_multiple_of(os_page_bytes);
        let end = (start + bytes) / os_page_bytes * os_page_bytes;
        if first < end {
            #[cfg(test)]
            RELEASED.set(RELEASED.get() + (end - first));
            // SAFETY: the caller's promise. That the advice may be refused does not matter: then the memory is used
            // again later.
            unsafe {
                libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_DONTNEED);
            }
        }
    }
    #[cfg(not(all(unix, not(miri))))]
    let _ = (start, bytes);
}

#[cfg(test)]
thread_local! {
    /// Bytes that this thread gave back to the system.
    pub static RELEASED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Asks the system not to put huge pages into a span any more: it would bring back what was released, because one page
/// that is used would be enough for it to take memory for all 512.
///
/// # Safety
///
/// The range is a whole span that stays mapped meanwhile.
pub unsafe fn forbid_huge_pages(start: usize, bytes: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        let os_page_bytes = os_page_bytes();
        let first = start.next_multiple_of(os_page_bytes);
        let end = (start + bytes) / os_page_bytes * os_page_bytes;
        // SAFETY: the caller's promise; content and addresses stay as they are. A system without huge pages refuses,
        // and needs no advice.
        unsafe {
            libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_NOHUGEPAGE);
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (start, bytes);
}

/// The size of the system's pages here: 4 KiB, or 16 or 64 on some processors.
#[cfg(all(unix, not(miri)))]
fn os_page_bytes() -> usize {
    use std::sync::OnceLock;
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        // SAFETY: it asks for a number.
        let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(answer).ok().filter(|bytes| bytes.is_power_of_two()).unwrap_or(64 * 1_024)
    })
}

/// Bytes of a range that have memory, for tests.
#[cfg(all(test, target_os = "linux", not(miri)))]
pub fn resident_bytes(start: usize, bytes: usize) -> usize {
    let first = start / os_page_bytes() * os_page_bytes();
    let pages = (start + bytes - first).div_ceil(os_page_bytes());
    let mut found = vec![0_u8; pages];
    // SAFETY: the range is mapped, and there is a byte for each page of it.
    let answer = unsafe { libc::mincore(first as *mut libc::c_void, start + bytes - first, found.as_mut_ptr()) };
    assert_eq!(answer, 0);
    found.iter().filter(|&&page| page & 1 == 1).count() * os_page_bytes()
}
