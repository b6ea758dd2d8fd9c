//! Blocks for large entries: runs of memory shared by all maps (`runs`), and above 16 MiB mappings of their own. None
//! of this needs a shard's lock.
//!
//! What a block costs follows from its size alone, and is what is set aside for it.

use std::ptr::NonNull;

use super::budget::Memory;
use super::pages;
use super::runs;
use super::runs::MAX_RUN_BYTES;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::platform::mapping;
use crate::store::platform::mapping::Mapping;

/// What mappings are multiples of: whole pages on every system.
const MAPPING_GRAIN_BYTES: usize = 64 * 1_024;

/// What a block of this size costs.
pub fn block_bytes(size: usize) -> usize {
    if size > MAX_RUN_BYTES { size.next_multiple_of(MAPPING_GRAIN_BYTES) } else { runs::run_bytes(size) }
}

/// A block of at least so many bytes, aligned to 8.
pub fn alloc(size: usize, memory: &Memory) -> Result<NonNull<u8>, Error> {
    let bytes = block_bytes(size);
    memory.reserve_block(bytes)?;
    let granted = fallible::grant(bytes).ok();
    let block = granted.and_then(|()| if size > MAX_RUN_BYTES { map(bytes) } else { runs::take(size) });
    block.ok_or_else(|| {
        memory.release_block(bytes);
        Error::OutOfMemory { bytes: size as u64 }
    })
}

/// Frees a block. Takes the longer the larger the block is if it is above [`MAX_RUN_BYTES`], see [`mapped_bytes`].
/// Never under a lock. Free memory in excess stays until [`release_surplus`].
///
/// # Safety
///
/// `block` came from [`alloc`] with this size and memory, and it is no longer in use.
pub unsafe fn free(block: NonNull<u8>, size: usize, memory: &Memory) {
    // SAFETY: the caller's promise.
    unsafe { free_uncounted(block, size) };
    count_off(size, memory);
    if GIVES_BACK.get() {
        release_surplus();
    }
}

/// Counts a block no more that is still in use, and was counted by this memory.
pub fn count_off(size: usize, memory: &Memory) {
    memory.release_block(block_bytes(size));
}

/// Frees a block that is not counted any more; otherwise as [`free`].
///
/// # Safety
///
/// `block` came from [`alloc`] with this size, and it is no longer in use.
pub unsafe fn free_uncounted(block: NonNull<u8>, size: usize) {
    // SAFETY: the caller's promise; the size decides where the block came from.
    unsafe {
        if size > MAX_RUN_BYTES {
            let bytes = block_bytes(size);
            #[cfg(test)]
            mapping::RELEASED.set(mapping::RELEASED.get() + bytes);
            drop(Mapping::from_start(block, bytes));
        } else {
            // A thread that still reads it shall notice in tests.
            #[cfg(debug_assertions)]
            block.write_bytes(0xdd, size);
            runs::give_back(block, size);
        }
    }
}

thread_local! {
    /// Whether this thread gives free memory in excess back to the system as it frees.
    static GIVES_BACK: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// From here on, this thread gives free memory in excess back to the system with each large block that it frees: for
/// the background, where a step may free many megabytes of large blocks. Other threads want memory free, not gone.
pub fn give_back_while_freeing() {
    GIVES_BACK.set(true);
}

/// Gives back at most so much of the memory of a mapped block, after the bytes that `released` says went before; the
/// first 64 KiB stay. Returns whether there is more to give back.
///
/// # Safety
///
/// `block` came from [`alloc`] with this size, and no more than its first 64 KiB are still in use.
pub unsafe fn release_some(block: NonNull<u8>, size: usize, released: &mut usize, bytes: usize) -> bool {
    let end = mapped_bytes(size);
    let from = MAPPING_GRAIN_BYTES + *released;
    if from >= end {
        return false;
    }
    let count = bytes.min(end - from);
    // SAFETY: the range lies within the mapping, and the caller promises that it is not in use.
    unsafe { mapping::release(block.as_ptr() as usize + from, count) };
    *released += count;
    from + count < end
}

/// Bytes that freeing a block of this size gives back to the operating system on the spot, which takes about 30 µs for
/// each MiB.
pub fn mapped_bytes(size: usize) -> usize {
    if size > MAX_RUN_BYTES { block_bytes(size) } else { 0 }
}

/// Returns memory that is not in use to the operating system, a few MiB at most. For a caller that has just freed
/// something and holds no lock; costs two loads if there is nothing to do.
#[inline]
pub fn release_surplus() {
    pages::release_surplus();
    runs::release_surplus();
}

/// The same for all of it, but for a small part of what is in use: for the background.
pub fn release_all() {
    pages::release_all();
    runs::release_all();
}

/// A mapping for one block. All of it is about to be written, and huge pages lie within the mapping as a whole, so none
/// of it is memory that is not counted.
fn map(bytes: usize) -> Option<NonNull<u8>> {
    let mapping = Mapping::new(bytes)?;
    mapping.prefer_huge_pages();
    Some(mapping.into_start())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::memory::budget::Use;

    #[test]
    fn what_is_counted_is_what_is_set_aside_and_all_of_it_goes() {
        let memory = Memory::new(Some(40 << 20));
        for size in [2_041, 10_000, 1 << 20, MAX_RUN_BYTES, MAX_RUN_BYTES + 1, 20 << 20] {
            let block = alloc(size, &memory).unwrap();
            let bytes = block_bytes(size);
            assert_eq!(memory.used(Use::Entries), bytes as u64);
            // SAFETY: ours, and what is counted may be used.
            unsafe {
                block.write_bytes(7, bytes);
                free(block, size, &memory);
            }
            assert_eq!(memory.total(), 0);
        }
        assert!(matches!(alloc(41 << 20, &memory), Err(Error::MemoryLimit { .. })));
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn a_mapped_block_is_given_back_in_steps_that_leave_its_start() {
        const SIZE: usize = 20 << 20;
        let memory = Memory::new(None);
        let block = alloc(SIZE, &memory).unwrap();
        // SAFETY: ours, of this size.
        unsafe { block.write_bytes(7, SIZE) };
        let (mut released, mut steps) = (0, 1);
        // SAFETY: only this test uses the block, and only the start.
        while unsafe { release_some(block, SIZE, &mut released, 8 << 20) } {
            steps += 1;
        }
        assert_eq!((steps, released), (3, SIZE - MAPPING_GRAIN_BYTES));
        #[cfg(all(any(target_os = "linux", windows), not(miri)))]
        assert_eq!(mapping::resident_bytes(block.as_ptr() as usize, SIZE), MAPPING_GRAIN_BYTES);
        // SAFETY: ours, of this size; the start has its content.
        unsafe {
            assert_eq!(block.add(MAPPING_GRAIN_BYTES - 1).read(), 7);
            free(block, SIZE, &memory);
        }
        assert_eq!(memory.total(), 0);
        let small = alloc(10_000, &memory).unwrap();
        // SAFETY: ours, of this size.
        unsafe {
            assert!(!release_some(small, 10_000, &mut 0, 8 << 20));
            free(small, 10_000, &memory);
        }
    }
}
