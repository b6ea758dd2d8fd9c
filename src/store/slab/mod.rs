//! Slot numbers to entries: the slots, their words outside the store, and the order in which entries came.

pub mod location;
pub mod order;
pub mod slots;
pub mod word_table;
pub mod words;
