//! What JavaScript gives, as the store wants it, and back.

pub mod details;
pub mod options;
pub mod values;
