//! What a map reports about itself: removals, pressure, statistics.

pub mod balance;
pub mod frequent;
pub mod histogram;
pub mod hot_keys;
pub mod latency;
pub mod memory_watch;
pub mod metrics;
pub mod performance;
pub mod pieces;
pub mod pressure;
pub mod removals;
pub mod stats;
