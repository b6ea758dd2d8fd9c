//! A map: its shards, the threads that use it, its name.

pub mod atomic;
pub mod commit;
pub mod compare;
mod contention;
mod draw;
mod explain;
pub mod field;
pub mod foresight;
mod growth;
pub mod hit_log;
pub mod instance;
pub mod limits;
pub mod loads;
pub mod local;
mod observe;
pub mod registry;
pub mod remains;
pub mod room;
pub mod scan;
mod stats;
pub mod store;
pub mod test_clock;
pub mod timing;
pub mod transaction;
mod typed;
pub mod validate;
pub mod walk;
