//! What a map reports about itself: removals, changes, pressure, statistics.

pub mod balance;
pub mod cause;
pub mod changes;
pub mod counter;
pub mod frequent;
pub mod histogram;
pub mod hot_keys;
pub mod latency;
pub mod memory_watch;
pub mod metrics;
pub mod performance;
pub mod pieces;
pub mod pressure;
pub mod queue;
pub mod removals;
pub mod report;
pub mod stats;
