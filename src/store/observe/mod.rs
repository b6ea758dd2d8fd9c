//! What a map tells of itself: removals, pressure, statistics.

pub mod pressure;
pub mod removals;
pub mod stats;
