//! Keys to slot numbers.

pub mod probe;
pub mod table;
