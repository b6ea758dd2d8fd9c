//! Panics on purpose, for tests: writers pass points in the middle of what they do under a lock, and a test has the
//! n-th that its thread passes panic. Outside of tests there is nothing at these points.

#[cfg(all(test, not(loom)))]
thread_local! {
    /// Points until the one that panics; 0 for none.
    static LEFT: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// A point in the middle of a write.
#[inline]
pub fn point() {
    #[cfg(all(test, not(loom)))]
    {
        let left = LEFT.get();
        // A panic while another one unwinds would end the process.
        if left > 0 && !std::thread::panicking() {
            LEFT.set(left - 1);
            assert!(left > 1, "a panic on purpose");
        }
    }
}

/// Has the n-th point that this thread passes from now on panic; none for 0. Returns how many were left before.
#[cfg(all(test, not(loom)))]
pub fn arm(points: u32) -> u32 {
    LEFT.replace(points)
}
