//! Asking the processor for a cache line before it is needed.

/// Whether it can be asked. Elsewhere a prefetch does nothing, so what only prepares one is wasted.
pub const IS_AVAILABLE: bool = cfg!(all(target_arch = "x86_64", not(any(loom, miri))));

/// Has the processor fetch the line that `address` lies in. A hint: nothing is read as far as a program can tell, so
/// the address need not be of anything that still exists.
#[inline]
pub fn prefetch<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: SSE is part of x86-64, and a prefetch of any address accesses no memory.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
    let _ = address;
}
