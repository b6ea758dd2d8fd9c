//! Deadlines: in order, beside the slots, and the thread that waits for the next one.

pub mod life;
pub mod thread;
pub mod timer_wheel;
