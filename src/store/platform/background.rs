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

#[cfg(test)]
thread_local! {
    static REFUSED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Makes the system refuse threads that this one asks for, or no longer.
#[cfg(test)]
pub fn refuse(refused: bool) {
    REFUSED.set(refused);
}
