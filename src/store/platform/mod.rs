//! What the operating system and the processor offer: locks and atomics, the clock, threads, address space,
//! allocation that may be refused.

pub mod background;
pub mod bytes;
pub mod clock;
pub mod counted_lock;
pub mod fallible;
pub mod fault;
pub mod mapping;
#[cfg(all(test, unix, not(loom)))]
pub mod pin_times;
pub mod pool;
pub mod prefetch;
pub mod spans;
pub mod sync;
pub mod zeroed;
