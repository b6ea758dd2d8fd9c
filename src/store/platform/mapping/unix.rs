//! Mappings on Linux and macOS: usable at once, with memory from the first store into a page on.

use std::ptr::NonNull;

pub fn map(bytes: usize) -> Option<NonNull<u8>> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping that replaces none.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()) }
}

pub fn reserve(bytes: usize) -> Option<NonNull<u8>> {
    map(bytes)
}

/// # Safety
///
/// A mapping of so many bytes that is no longer in use.
pub unsafe fn unmap(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    let answer = unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
    debug_assert_eq!(answer, 0, "a mapping goes as a whole");
}

/// macOS wants to know when released memory is used again, or it counts that as free for good. Other systems notice.
///
/// # Safety
///
/// The range lies in a mapping that stays meanwhile.
pub unsafe fn prepare(start: usize, bytes: usize) -> bool {
    #[cfg(target_vendor = "apple")]
    {
        let page = os_page_bytes();
        let first = start / page * page;
        let end = (start + bytes).next_multiple_of(page);
        // SAFETY: the caller's promise; content and addresses stay as they are. A refusal only makes a count wrong.
        unsafe { advise(first, end - first, libc::MADV_FREE_REUSE) };
    }
    let _ = (start, bytes);
    true
}

/// # Safety
///
/// Whole pages of a mapping that stays meanwhile and that nothing else uses.
pub unsafe fn release(start: usize, bytes: usize) {
    // `MADV_DONTNEED` frees pages at once on Linux. On macOS it only makes them the first to be swapped out; there,
    // `MADV_FREE_REUSABLE` takes them off the memory that the process is charged with, at once, and the system takes
    // them when it needs some.
    #[cfg(target_vendor = "apple")]
    let advice = libc::MADV_FREE_REUSABLE;
    #[cfg(not(target_vendor = "apple"))]
    let advice = libc::MADV_DONTNEED;
    // SAFETY: the caller's promise. That advice may be refused does not matter: then the memory is used again later.
    unsafe { advise(start, bytes, advice) };
}

/// # Safety
///
/// Whole pages of a mapping that stays meanwhile, and their users can live with what the advice does.
unsafe fn advise(start: usize, bytes: usize, advice: libc::c_int) {
    // Miri knows no advice.
    #[cfg(not(miri))]
    // SAFETY: the caller's promise.
    unsafe {
        libc::madvise(start as *mut libc::c_void, bytes, advice);
    }
    #[cfg(miri)]
    let _ = (start, bytes, advice);
}

pub fn os_page_bytes() -> usize {
    use std::sync::OnceLock;
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        // SAFETY: it asks for a number.
        let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(answer).ok().filter(|bytes| bytes.is_power_of_two()).unwrap_or(64 * 1_024)
    })
}

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
