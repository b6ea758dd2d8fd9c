//! Memory straight from the operating system, and giving it back there.
//!
//! Systems differ in what they give. On Linux and macOS address space is usable at once and costs memory from the
//! first store into a page on. Windows counts what a program may use against a limit, whether it does or not, so there
//! a stretch of address space is [prepared](prepare) first and [released](release) after use. Callers do both on every
//! system; where one of them is not needed, it does nothing.

use std::ptr::NonNull;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// The size of a page of the operating system where all supported systems agree, or a part of one.
pub const OS_PAGE_BYTES: usize = 4_096;

/// What is prepared at once where that takes a call into the system and the memory beside it is free.
pub const PREPARED_BYTES: usize = if cfg!(any(windows, target_vendor = "apple")) { 64 * 1_024 } else { OS_PAGE_BYTES };

/// Address space that is ours until this is dropped.
#[derive(Debug)]
pub struct Mapping {
    /// Invariant: where a mapping of `bytes` bytes starts, which only this value unmaps.
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping belongs to no thread. It is reached through pointers, whose users answer for what they do.
unsafe impl Send for Mapping {}
// SAFETY: the same; the methods that take `&self` only read its two fields, which never change.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Zeros that can be used at once, or `None` if the system has no memory. They start at a page.
    pub fn new(bytes: usize) -> Option<Self> {
        system::map(bytes).map(|start| Self { start, bytes })
    }

    /// Address space whose stretches can be used once they are [prepared](prepare).
    pub fn reserve(bytes: usize) -> Option<Self> {
        system::reserve(bytes).map(|start| Self { start, bytes })
    }

    /// Its first byte.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Asks for large pages. With them the system is asked for memory 512 times less often.
    pub fn prefer_huge_pages(&self) {
        #[cfg(all(target_os = "linux", not(miri)))]
        // SAFETY: advice on a mapping that is ours; content and addresses stay, and it may be refused.
        unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.bytes, libc::MADV_HUGEPAGE);
        }
    }

    /// Its start, for an owner that remembers the size elsewhere. It is unmapped by way of [`Mapping::from_start`].
    pub fn into_start(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).start
    }

    /// # Safety
    ///
    /// `start` is of [`Mapping::into_start`] of a mapping of so many bytes, and is used once.
    pub unsafe fn from_start(start: NonNull<u8>, bytes: usize) -> Self {
        Self { start, bytes }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the invariant; whoever used the memory has ended before its owner.
        unsafe { system::unmap(self.start, self.bytes) };
    }
}

/// Makes a stretch of reserved address space usable, which it is until it is released. Returns `false` if the system
/// refuses the memory. Content of what was prepared before stays.
///
/// # Safety
///
/// The stretch lies in a mapping that stays meanwhile.
#[must_use]
pub unsafe fn prepare(start: usize, bytes: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { system::prepare(start, bytes) }
}

/// Gives the memory of whole pages of the operating system back. Their content is lost; they are used again after
/// [`prepare`] only. Pages that the range covers in part keep theirs.
///
/// # Safety
///
/// The range lies in a mapping that stays meanwhile, and nothing else uses it.
pub unsafe fn release(start: usize, bytes: usize) {
    if let Some((start, bytes)) = whole_pages(start, bytes) {
        #[cfg(test)]
        RELEASED.set(RELEASED.get() + bytes);
        // SAFETY: the caller's promise.
        unsafe { system::release(start, bytes) };
    }
}

/// Asks the system not to put huge pages into a mapping any more: it would bring back what was released, because one
/// page that is used would be enough for it to take memory for all 512.
///
/// # Safety
///
/// The range is of a mapping that stays meanwhile.
pub unsafe fn forbid_huge_pages(start: usize, bytes: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    if let Some((start, bytes)) = whole_pages(start, bytes) {
        // SAFETY: the caller's promise; content and addresses stay as they are. A system without huge pages refuses,
        // and needs no advice.
        unsafe {
            libc::madvise(start as *mut libc::c_void, bytes, libc::MADV_NOHUGEPAGE);
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (start, bytes);
}

/// The size of the system's pages here: 4 KiB, or 16 or 64 on some processors.
pub fn os_page_bytes() -> usize {
    system::os_page_bytes()
}

/// The whole pages of a range, as start and bytes.
fn whole_pages(start: usize, bytes: usize) -> Option<(usize, usize)> {
    let page = os_page_bytes();
    let (first, end) = (start.next_multiple_of(page), (start + bytes) / page * page);
    (first < end).then(|| (first, end - first))
}

#[cfg(test)]
thread_local! {
    /// Bytes that this thread gave back to the system.
    pub static RELEASED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Bytes of a range that have memory, for tests.
#[cfg(all(test, any(target_os = "linux", windows), not(miri)))]
pub fn resident_bytes(start: usize, bytes: usize) -> usize {
    system::resident_bytes(start, bytes)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const BYTES: usize = 1 << 20;
    /// A page on every system.
    const PAGE: usize = 64 * 1_024;

    fn bytes_at(start: usize, bytes: usize) -> &'static mut [u8] {
        // SAFETY: tests ask for what they have mapped and prepared, one slice at a time.
        unsafe { std::slice::from_raw_parts_mut(start as *mut u8, bytes) }
    }

    #[test]
    fn a_mapping_is_zeros_that_keep_what_is_stored_and_a_part_can_go() {
        let mapping = Mapping::new(BYTES).unwrap();
        let start = mapping.start().as_ptr() as usize;
        assert_eq!((start % OS_PAGE_BYTES, mapping.len()), (0, BYTES));
        assert!(bytes_at(start, BYTES).iter().all(|&byte| byte == 0));
        bytes_at(start, BYTES).fill(7);
        // Pages that are covered in part stay.
        // SAFETY: only this test uses the mapping.
        unsafe { release(start + PAGE - 1, PAGE * 2 + 2) };
        for kept in [0..PAGE, PAGE * 3..BYTES] {
            assert!(bytes_at(start + kept.start, kept.len()).iter().all(|&byte| byte == 7));
        }
    }

    #[test]
    fn a_stretch_is_prepared_used_released_and_prepared_again() {
        let mapping = Mapping::reserve(BYTES).unwrap();
        let start = mapping.start().as_ptr() as usize;
        for round in 1..4 {
            // SAFETY: the mapping stays, and only this test uses it.
            unsafe {
                assert!(prepare(start + PAGE, PAGE * 2));
                bytes_at(start + PAGE, PAGE).fill(round);
                // Preparing what is prepared changes nothing.
                assert!(prepare(start + PAGE, PAGE));
                assert!(bytes_at(start + PAGE, PAGE).iter().all(|&byte| byte == round));
                release(start + PAGE - 1, PAGE * 2 + 1);
            }
            #[cfg(all(any(target_os = "linux", windows), not(miri)))]
            assert_eq!(resident_bytes(start, BYTES), 0);
        }
    }

    #[test]
    fn absurd_sizes_are_refused() {
        assert!(Mapping::new(usize::MAX / 4).is_none());
        assert!(Mapping::reserve(usize::MAX / 4).is_none());
    }
}
