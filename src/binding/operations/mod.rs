//! The operations: each converts, calls the store once, and converts back.

pub mod ask;
pub mod atomic;
pub mod batch;
pub mod field;
pub mod for_tests;
pub mod lifecycle;
pub mod lifetime;
pub mod limits;
pub mod load;
pub mod observe;
pub mod pending;
pub mod process;
pub mod read;
pub mod scan;
pub mod shared_words;
pub mod test_clock;
pub mod transaction;
pub mod typed;
pub mod walk;
pub mod write;
