//! Converts JavaScript values to what the store takes, and back.

pub mod definitions;
pub mod details;
pub mod options;
pub mod values;
