//! The one place that imports atomics, locks and fences, so that loom can take their place.
//!
//! Everything else in the store imports from here. `--cfg loom` swaps the standard types for loom's, which explores the
//! interleavings that the models of the structures and those in `models/` describe.

#[cfg(loom)]
pub use self::model::*;
#[cfg(not(loom))]
pub use self::native::*;

pub use std::sync::atomic::Ordering;

/// For state that no model covers, because it is the whole process's or has to do with time: always the real thing.
pub mod process {
    pub use super::locks::Mutex;
    pub use parking_lot::Condvar;
    pub use std::sync::OnceLock;
    pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
}

/// Locks that a pinned thread must not wait for: builds with debug assertions refuse.
mod locks {
    use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    use super::pins::assert_none;

    /// `parking_lot`'s mutex.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(parking_lot::Mutex<T>);

    /// `parking_lot`'s lock for one writer or many readers.
    #[derive(Debug, Default)]
    pub struct RwLock<T>(parking_lot::RwLock<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(parking_lot::Mutex::new(value))
        }
        #[inline]
        #[track_caller]
        pub fn lock(&self) -> MutexGuard<'_, T> {
            assert_none();
            self.0.lock()
        }
        /// The lock, if it is free.
        #[cfg(not(loom))]
        #[inline]
        #[track_caller]
        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            assert_none();
            self.0.try_lock()
        }
        /// For a lock whose holder waits for nothing, so that a pinned thread may ask for it.
        #[cfg(not(loom))]
        pub fn lock_briefly(&self) -> MutexGuard<'_, T> {
            self.0.lock()
        }
        #[cfg(not(loom))]
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut()
        }
    }

    impl<T> RwLock<T> {
        pub const fn new(value: T) -> Self {
            Self(parking_lot::RwLock::new(value))
        }
        #[inline]
        #[track_caller]
        pub fn read(&self) -> RwLockReadGuard<'_, T> {
            assert_none();
            self.0.read()
        }
        #[inline]
        #[track_caller]
        pub fn write(&self) -> RwLockWriteGuard<'_, T> {
            assert_none();
            self.0.write()
        }
    }
}

/// How many pins the running thread holds, in builds with debug assertions. loom runs its threads in one, so models
/// count none.
pub mod pins {
    #[cfg(all(debug_assertions, not(loom)))]
    thread_local! {
        static HELD: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[inline]
    pub fn pinned() {
        #[cfg(all(debug_assertions, not(loom)))]
        HELD.set(HELD.get() + 1);
        #[cfg(all(test, unix, not(loom)))]
        super::super::pin_times::pinned();
    }

    #[inline]
    pub fn unpinned() {
        #[cfg(all(debug_assertions, not(loom)))]
        HELD.set(HELD.get() - 1);
        #[cfg(all(test, unix, not(loom)))]
        super::super::pin_times::unpinned();
    }

    /// A pin never waits for a lock, because the holder of a lock waits for pins.
    #[inline]
    #[track_caller]
    pub fn assert_none() {
        #[cfg(all(debug_assertions, not(loom)))]
        assert_eq!(HELD.get(), 0, "a lock is asked for under a pin");
    }
}

/// Proof that a [`heavy_fence`] was run.
#[derive(Debug)]
#[must_use]
pub struct HeavyFence(());

#[cfg(not(loom))]
mod native {
    pub use super::locks::{Mutex, RwLock};
    pub use parking_lot::MutexGuard;
    pub use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64};
    pub use std::sync::{Arc, Weak};

    use std::alloc::Layout;
    use std::ptr::NonNull;
    pub use std::sync::atomic::compiler_fence;
    use std::sync::atomic::{Ordering, fence};

    use super::HeavyFence;

    /// A boxed slice of zeroed words, or `None` if there is no memory. The allocator hands out large ones as untouched
    /// pages, so a big index table costs
    /// memory only where it is used.
    pub fn zeroed_u64(len: usize) -> Option<Box<[AtomicU64]>> {
        // SAFETY: zeros are an `AtomicU64`.
        unsafe { zeroed(len) }
    }

    /// The same for 32-bit words.
    pub fn zeroed_u32(len: usize) -> Option<Box<[AtomicU32]>> {
        // SAFETY: zeros are an `AtomicU32`.
        unsafe { zeroed(len) }
    }

    /// # Safety
    ///
    /// A `T` may be all zeros.
    unsafe fn zeroed<T>(len: usize) -> Option<Box<[T]>> {
        let layout = Layout::array::<T>(len).ok()?;
        if layout.size() == 0 {
            return Some(Box::default());
        }
        // SAFETY: the layout is not empty, and it is the one that a boxed slice of this length is freed with.
        unsafe {
            let words = NonNull::new(std::alloc::alloc_zeroed(layout).cast::<T>())?;
            Some(Box::from_raw(NonNull::slice_from_raw_parts(words, len).as_ptr()))
        }
    }

    /// Releases a lock to a thread that waits for it. Without that, a thread that takes the lock again at once is
    /// faster than one that has to wake up first, again and again.
    pub fn unlock_fairly<T>(guard: MutexGuard<'_, T>) {
        MutexGuard::unlock_fair(guard);
    }

    /// The reader's half of an asymmetric barrier: where the kernel can interrupt every running thread of the process
    /// for the writer's half ([`heavy_fence`]), the reader only has to keep the compiler from reordering.
    #[inline]
    pub fn light_fence() {
        if membarrier::available() {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// The writer's half: after it, every store that a [`light_fence`] in another thread ordered is visible here, or
    /// that thread sees everything this thread stored before. `None` if the system refuses it: readers are unordered
    /// then, so nothing may be freed.
    pub fn heavy_fence() -> Option<HeavyFence> {
        #[cfg(test)]
        if REFUSED.get() {
            return None;
        }
        fence(Ordering::SeqCst);
        (!membarrier::available() || membarrier::run()).then_some(HeavyFence(()))
    }

    #[cfg(test)]
    thread_local! {
        static REFUSED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }

    /// Makes the system refuse this thread's heavy fences, or no longer.
    #[cfg(test)]
    pub fn refuse_fences(refused: bool) {
        REFUSED.set(refused);
    }

    /// `membarrier(2)`, expedited for this process. `ThreadSanitizer` and Miri know nothing of it, so they get plain
    /// fences.
    #[cfg(all(target_os = "linux", not(miri), not(tsan)))]
    mod membarrier {
        use std::sync::atomic::{AtomicU8, Ordering};

        const UNKNOWN: u8 = 0;
        const YES: u8 = 1;
        const NO: u8 = 2;
        /// Invariant: leaves `UNKNOWN` once, so readers and writers never go by different answers.
        static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

        #[inline]
        pub fn available() -> bool {
            match STATE.load(Ordering::Relaxed) {
                UNKNOWN => decide(),
                state => state == YES,
            }
        }

        /// The kernel wants a process to announce that it will use the expedited command. A filter of system calls
        /// may let the announcement pass and refuse the command, so that is tried, too. Threads may find different
        /// answers, since filters are a thread's own; the first one holds for all.
        #[cold]
        fn decide() -> bool {
            let found = if announce() && command() { YES } else { NO };
            let held = STATE.compare_exchange(UNKNOWN, found, Ordering::AcqRel, Ordering::Acquire);
            held.map_or_else(|first| first, |_unknown| found) == YES
        }

        /// Returns whether the kernel has interrupted all other threads. A child process may have to announce itself
        /// again.
        pub fn run() -> bool {
            command() || announce() && command()
        }

        fn announce() -> bool {
            call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
        }

        fn command() -> bool {
            call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        }

        fn call(command: libc::c_int) -> bool {
            // SAFETY: membarrier takes three integers and touches no memory of ours.
            unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
        }
    }

    #[cfg(not(all(target_os = "linux", not(miri), not(tsan))))]
    mod membarrier {
        #[inline]
        pub fn available() -> bool {
            false
        }
        pub fn run() -> bool {
            true
        }
    }
}

#[cfg(loom)]
mod model {
    pub use loom::sync::MutexGuard;
    pub use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64};
    pub use std::sync::{Arc, Weak};

    use loom::sync::atomic::{Ordering, fence};

    use super::HeavyFence;

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
        pub fn lock_briefly(&self) -> MutexGuard<'_, T> {
            self.lock()
        }
        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    pub fn unlock_fairly<T>(guard: MutexGuard<'_, T>) {
        drop(guard);
    }

    pub use super::locks::RwLock;

    pub fn zeroed_u64(len: usize) -> Option<Box<[AtomicU64]>> {
        Some((0..len).map(|_| AtomicU64::new(0)).collect())
    }

    pub fn zeroed_u32(len: usize) -> Option<Box<[AtomicU32]>> {
        Some((0..len).map(|_| AtomicU32::new(0)).collect())
    }

    pub fn light_fence() {
        fence(Ordering::SeqCst);
    }

    #[expect(clippy::unnecessary_wraps, reason = "the system's may be refused")]
    pub fn heavy_fence() -> Option<HeavyFence> {
        fence(Ordering::SeqCst);
        Some(HeavyFence(()))
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
