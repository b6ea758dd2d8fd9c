//! Starting threads that work beside their callers, which the system may refuse.

use std::thread::Builder;

/// Starts a thread; returns whether there is one.
#[must_use]
pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> bool {
    #[cfg(test)]
    if REFUSED.get() {
        return false;
    }
    Builder::new().name(name.to_owned()).spawn(work).is_ok()
}

/// Has the system prefer other threads to this one from now on. Where it refuses, they are equals.
pub fn step_back() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: numbers only. On Linux, 0 is the thread that calls.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS);
    }
    #[cfg(target_vendor = "apple")]
    // SAFETY: numbers only.
    unsafe {
        libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_UTILITY, 0);
    }
    #[cfg(windows)]
    // SAFETY: numbers only, and a handle that stands for the thread that calls.
    unsafe {
        use windows_sys::Win32::System::Threading;
        Threading::SetThreadPriority(Threading::GetCurrentThread(), Threading::THREAD_PRIORITY_BELOW_NORMAL);
    }
}

/// A thread with it gets about a third of the processor beside one without.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NICENESS: libc::c_int = 5;

#[cfg(test)]
thread_local! {
    static REFUSED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Makes the system refuse threads that this one asks for, or no longer.
#[cfg(test)]
pub fn refuse(refused: bool) {
    REFUSED.set(refused);
}
