//! What a map reports about itself.

pub mod advice;
pub mod changes;
pub mod distribution;
pub mod events;
pub mod explain;
pub mod hot_keys;
pub mod metrics;
pub mod outline;
pub mod pressure;
pub mod recover;
pub mod removals;
pub mod stats;
pub mod validate;
pub mod watch;
