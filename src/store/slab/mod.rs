//! Slot numbers to entries: the slots, their words outside the store, the order in which entries came, and which of
//! them have a type.

pub mod location;
pub mod order;
pub mod slots;
pub mod typed;
pub mod word_table;
pub mod words;
