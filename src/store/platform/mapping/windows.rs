//! Mappings on Windows. Address space is reserved, and pages of it are committed before use: from then on they count
//! against what the system, or the job of a container, has to give, and get memory with the first store.

use std::ptr::NonNull;

use windows_sys::Win32::System::Memory;

pub fn map(bytes: usize) -> Option<NonNull<u8>> {
    allocate(std::ptr::null(), bytes, Memory::MEM_RESERVE | Memory::MEM_COMMIT)
}

pub fn reserve(bytes: usize) -> Option<NonNull<u8>> {
    allocate(std::ptr::null(), bytes, Memory::MEM_RESERVE)
}

fn allocate(at: *const u8, bytes: usize, kind: Memory::VIRTUAL_ALLOCATION_TYPE) -> Option<NonNull<u8>> {
    // SAFETY: new address space has no user yet, and to commit pages that are committed changes nothing.
    let address = unsafe { Memory::VirtualAlloc(at.cast(), bytes, kind, Memory::PAGE_READWRITE) };
    NonNull::new(address.cast())
}

/// # Safety
///
/// A mapping that is no longer in use.
pub unsafe fn unmap(start: NonNull<u8>, _bytes: usize) {
    // SAFETY: the caller's promise. With this flag the size has to be 0, and all of it goes.
    let answer = unsafe { Memory::VirtualFree(start.as_ptr().cast(), 0, Memory::MEM_RELEASE) };
    debug_assert_ne!(answer, 0, "a mapping goes as a whole");
}

/// # Safety
///
/// The range lies in a mapping that stays meanwhile.
pub unsafe fn prepare(start: usize, bytes: usize) -> bool {
    allocate(start as *const u8, bytes, Memory::MEM_COMMIT).is_some()
}

/// # Safety
///
/// Whole pages of a mapping that stays meanwhile and that nothing else uses before they are prepared again.
pub unsafe fn release(start: usize, bytes: usize) {
    // Decommitted rather than discarded or reset: a process that was once large would else count as large for good.
    // SAFETY: the caller's promise. That it may be refused does not matter: then the memory is used again later.
    unsafe { Memory::VirtualFree(start as *mut _, bytes, Memory::MEM_DECOMMIT) };
}

/// The same on all processors that Node.js runs on.
pub fn os_page_bytes() -> usize {
    super::OS_PAGE_BYTES
}

/// Bytes that are committed.
#[cfg(test)]
pub fn resident_bytes(start: usize, bytes: usize) -> usize {
    let (mut at, end, mut committed) = (start, start + bytes, 0);
    while at < end {
        let mut found = Memory::MEMORY_BASIC_INFORMATION::default();
        // SAFETY: it asks about addresses, whatever they are, and writes no more than there is room for.
        let answer = unsafe { Memory::VirtualQuery(at as *const _, &raw mut found, size_of_val(&found)) };
        assert_ne!(answer, 0);
        let next = (found.BaseAddress as usize + found.RegionSize).min(end);
        if found.State == Memory::MEM_COMMIT {
            committed += next - at;
        }
        at = next;
    }
    committed
}
