//! Slot numbers to entries: the slots, their words outside the store, and the order in which entries came.

pub mod order;
pub mod place;
pub mod slots;
pub mod word_table;
pub mod words;
