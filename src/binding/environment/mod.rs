//! What the binding keeps for one environment, for each evaluation of the package in it, and for each open map.

mod alarm;
mod change_listeners;
mod evaluation;
mod gauges;
mod holds;
mod open_map;
mod pending;
mod roster;
mod scratch;
mod state;
mod test_clock;
mod transactions;
mod watched;

pub use alarm::{Alarm, Waiting};
pub use change_listeners::ChangeListeners;
pub use evaluation::{Buffer, Evaluation, ttl_of};
pub use holds::Holds;
pub use open_map::OpenMap;
pub use pending::{Notice, Pending};
pub use roster::Roster;
pub use scratch::Scratch;
pub use state::Environment;
