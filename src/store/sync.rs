//! The one place that imports atomics, locks and fences, so that loom can take their place.
//!
//! Everything else in the store imports from here. `--cfg loom` swaps the standard types for loom's, which explores the
//! interleavings that the models in `index.rs`, `reclaim.rs` and `slab.rs` describe.

#[cfg(loom)]
pub use self::model::*;
#[cfg(not(loom))]
pub use self::native::*;

pub use std::sync::atomic::Ordering;

/// For state that no model covers, because it is the whole process's or has to do with time: always the real thing.
pub mod process {
    pub use parking_lot::{Condvar, Mutex};
    pub use std::sync::atomic::{AtomicU32, AtomicU64};
}

#[cfg(not(loom))]
mod native {
    pub use parking_lot::{Mutex, MutexGuard, RwLock};
    pub use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64};
    pub use std::sync::{Arc, Weak};

    pub use std::sync::atomic::compiler_fence;
    use std::sync::atomic::{Ordering, fence};

    /// A boxed slice of zeroed words. The allocator hands out large ones as untouched pages, so a big index table costs
    /// memory only where it is used.
    pub fn zeroed_u64(len: usize) -> Box<[AtomicU64]> {
        let words = Box::into_raw(vec![0_u64; len].into_boxed_slice());
        // SAFETY: `AtomicU64` has the size, alignment and bit validity of `u64`, and the box is owned here alone.
        unsafe { Box::from_raw(words as *mut [AtomicU64]) }
    }

    /// The same for 32-bit words.
    pub fn zeroed_u32(len: usize) -> Box<[AtomicU32]> {
        let words = Box::into_raw(vec![0_u32; len].into_boxed_slice());
        // SAFETY: `AtomicU32` has the size, alignment and bit validity of `u32`, and the box is owned here alone.
        unsafe { Box::from_raw(words as *mut [AtomicU32]) }
    }

    /// Releases a lock to whoever waits for it. Without that, a thread that takes the lock again at once is faster than one
    /// that has to wake up first, again and again.
    pub fn unlock_fairly<T>(guard: MutexGuard<'_, T>) {
        MutexGuard::unlock_fair(guard);
    }

    /// The reader's half of an asymmetric barrier: where the kernel can interrupt every running thread of the process for
    /// the writer's half ([`heavy_fence`]), the reader only has to keep the compiler from reordering.
    #[inline]
    pub fn light_fence() {
        if membarrier::available() {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// The writer's half: after it, every store that a [`light_fence`] in another thread ordered is visible here, or that
    /// thread sees everything this thread stored before.
    pub fn heavy_fence() {
        fence(Ordering::SeqCst);
        if membarrier::available() {
            membarrier::run();
        }
    }

    /// `membarrier(2)`, expedited for this process. `ThreadSanitizer` and Miri know nothing of it, so they get plain fences.
    #[cfg(all(target_os = "linux", not(miri), not(tsan)))]
    mod membarrier {
        use std::sync::atomic::{AtomicU8, Ordering};

        const UNKNOWN: u8 = 0;
        const YES: u8 = 1;
        const NO: u8 = 2;
        static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

        #[inline]
        pub fn available() -> bool {
            match STATE.load(Ordering::Relaxed) {
                UNKNOWN => register(),
                state => state == YES,
            }
        }

        /// The kernel wants a process to announce that it will use the expedited command. All threads come to the same
        /// answer, so it does not matter who stores it.
        #[cold]
        fn register() -> bool {
            let answer = call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
            let state = if answer == 0 { YES } else { NO };
            STATE.store(state, Ordering::Relaxed);
            state == YES
        }

        pub fn run() {
            let answer = call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED);
            // A registered process is never refused; if it were, readers would go unordered, so stop right here.
            assert!(answer == 0, "membarrier refused a registered process");
        }

        fn call(command: libc::c_int) -> libc::c_long {
            // SAFETY: membarrier takes three integers and touches no memory of ours.
            unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }
        }
    }

    #[cfg(not(all(target_os = "linux", not(miri), not(tsan))))]
    mod membarrier {
        #[inline]
        pub fn available() -> bool {
            false
        }
        pub fn run() {}
    }
}

#[cfg(loom)]
mod model {
    pub use loom::sync::MutexGuard;
    pub use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64};
    pub use std::sync::{Arc, Weak};

    use loom::sync::atomic::{Ordering, fence};

    /// loom's mutex with the signature of `parking_lot`'s.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    pub fn unlock_fairly<T>(guard: MutexGuard<'_, T>) {
        drop(guard);
    }

    pub use parking_lot::RwLock;

    pub fn zeroed_u64(len: usize) -> Box<[AtomicU64]> {
        (0..len).map(|_| AtomicU64::new(0)).collect()
    }

    pub fn zeroed_u32(len: usize) -> Box<[AtomicU32]> {
        (0..len).map(|_| AtomicU32::new(0)).collect()
    }

    pub fn light_fence() {
        fence(Ordering::SeqCst);
    }

    pub fn heavy_fence() {
        fence(Ordering::SeqCst);
    }
}

/// A value on a cache line of its own, so that threads that write neighbours do not slow each other down.
/// 128 bytes, because processors fetch lines in pairs.
#[repr(align(128))]
#[derive(Debug, Default)]
pub struct CachePadded<T>(pub T);

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
