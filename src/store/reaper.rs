//! Freeing much at once, off the caller's thread.
//!
//! `clear`, `destroy` and the last `close` take a map's contents out in one step and hand them here. What is small is freed
//! on the spot. What is large is freed by a thread that lives as long as that takes: giving many pages back to the
//! operating system takes long, and no event loop should wait for it.

use super::large;
use super::sync::Arc;
use std::time::Duration;

use super::sync::process::Mutex;

/// Something that takes long to drop, and that counts as used memory until then.
pub trait Debris: Send + 'static {
    /// Roughly how many bytes there are to give back.
    fn bytes(&self) -> usize;
    /// Whether no reader looks at it any more; `None` if that can never be told.
    fn is_unreachable(&self) -> Option<bool>;
    /// Lets it stay where it is for good: memory that a reader may look at is lost rather than freed.
    fn leak(self);
}

/// Readers are done within microseconds.
const POLL: Duration = Duration::from_micros(100);

/// Up to this much is dropped by the caller.
const INLINE_BYTES: usize = 1 << 20;

/// Gives the reaper a moment, for a write that wants the memory.
pub fn wait() {
    std::thread::sleep(POLL);
}

/// Drops the debris once no reader looks at it, here or in a thread of its own.
pub fn dispose(debris: impl Debris) {
    match debris.is_unreachable() {
        None => return debris.leak(),
        Some(true) if debris.bytes() <= INLINE_BYTES => return drop(debris),
        Some(_) => {}
    }
    let pending = Arc::new(Mutex::new(Some(debris)));
    let reap = {
        let pending = Arc::clone(&pending);
        move || {
            let Some(debris) = pending.lock().take() else { return };
            loop {
                match debris.is_unreachable() {
                    None => return debris.leak(),
                    Some(true) => break,
                    Some(false) => std::thread::sleep(POLL),
                }
            }
            drop(debris);
            large::release_all();
        }
    };
    let spawned = std::thread::Builder::new().name("superdashmap-reaper".into()).spawn(reap.clone());
    if spawned.is_err() {
        // No thread to be had: the caller waits.
        reap();
    }
}
