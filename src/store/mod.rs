//! The map itself, in plain Rust: no napi, no Node, no JavaScript.
//!
//! ```text
//! map ─▶ shard ─┬▶ index   key → slot number
//!               ├▶ slab    slot → entry, generation; the order in which entries came
//!               ├▶ expiry, eviction   which entries go, and when
//!               └▶ memory  blocks for entries, counted, freed when no reader looks
//! ```
//!
//! Each room imports only those above it:
//!
//! ```text
//! error      what the store refuses
//! platform/  locks and atomics, the clock, threads, address space, allocation that may be refused
//! events     log lines and errors on their way to listeners
//! memory/    the budget, blocks and pages, large entries, reclamation
//! entry/     block, key, value, type, shape, handle    expiry/  timer wheel, lives, the thread
//! slab/      slots, words, order
//! index/     table, probe    observe/  removals, pressure, statistics    eviction/  policies
//! config     what a map is asked to be    options  the same as a table, by name
//! shard/     one shard: what a write does under its lock, what a reader does without
//! map/       the map: shards together, one thread's way in, the registry
//! query/     queries: read from JSON, evaluated on values as they are stored
//! ```
//!
//! A reader takes no lock: index, slab and entries are read under a pin (`reclaim`). A writer holds its shard's lock.
//!
//! ```
//! use typed_superdashmap::store::{Config, Key, Store, Ttl, Value};
//!
//! let store = Store::new(&Config::default())?;
//! let map = store.join();
//! map.set(Key::string("greeting"), Value::json("\"hello\""), Ttl::Default)?;
//! let mut bytes = Vec::new();
//! assert!(map.get(Key::string("greeting"), &mut bytes)?.is_some());
//! assert_eq!(bytes, b"\"hello\"");
//! # Ok::<(), typed_superdashmap::store::Error>(())
//! ```

mod config;
mod entry;
mod error;
mod events;
mod eviction;
mod expiry;
mod index;
mod map;
mod memory;
#[cfg(all(test, loom))]
mod models;
mod observe;
mod options;
mod platform;
mod query;
mod shard;
mod slab;
#[cfg(all(test, not(loom)))]
mod tests;

pub use config::{AutoRecovery, Config, MAX_SHARDS, NONE, TtlOnUpdate, WhenFull};
pub use entry::counter::{BigIntStep, NumberStep, Step as CounterStep};
pub use entry::definition;
pub use entry::equality::Expected;
pub use entry::fields;
pub use entry::glob::{Glob, MAX_GLOB_CHARACTERS};
pub use entry::handle::Handle;
pub use entry::json_text;
pub use entry::key::{Key, KeyKind};
pub use entry::pointer::{Pointer, Token};
pub use entry::record::Record;
pub use entry::shapes::numbers::BUILT_IN as BARE_SHAPE;
pub use entry::shapes::{MAX_DEFINITION_BYTES, ShapeHold};
pub use entry::target::{KeyOrHandle, Target};
pub use entry::text::json_utf8;
pub use entry::types::{MAX_NAME_BYTES as MAX_TYPE_NAME_BYTES, TypeHold, check_name};
pub use entry::value::{Value, ValueKind};
pub use error::{Error, Scope};
pub use events::lines as log_lines;
pub use events::{Desk, DeskPlace, Drained, Event, Events, Level, Line, LogTarget, Subscription, Unheard, Wake};
pub use eviction::{Foretold, Mark, PolicyKind, Standing};
pub use expiry::life::{RemainingTtl, Ttl};
pub use expiry::thread::Expires;
pub use map::compare::{Compared, MOST_READS};
pub use map::field::{FieldOutcome, FieldStep, FieldStepped};
pub use map::foresight::GROUP;
pub use map::instance::image;
pub use map::loads::{Completion, LoadFailure};
pub use map::local::{Ahead, Found, Local};
pub use map::metrics;
pub use map::process::Process;
pub use map::recoveries::{Attempt, Recovered};
pub use map::registry;
pub use map::scan::{Filter, Place, Scan};
pub use map::store::Store;
pub use map::test_clock::HeldTime;
pub use map::timing::{MARK_LENGTH, Timing};
pub use map::transaction::{MAX_BYTES as MAX_TRANSACTION_BYTES, MAX_KEYS as MAX_TRANSACTION_KEYS, Transaction};
pub use map::validate::{Next, Validation};
pub use map::walk::Step;
pub use observe::changes::{ChangeAudience, Taken};
pub use observe::histogram::Summary;
pub use observe::hot_keys::{HotKey, NATIVE_INTERVAL, NEAR_INTERVAL};
pub use observe::latency::{NEAR_SAMPLING as HITS_PER_SAMPLE, Timed};
pub use observe::performance::{SlowStats, TimeTargets};
pub use observe::pressure::{Pressure, PressureNews, PressureSubscription};
pub use observe::removals::{Audience, Cause, Removals};
pub use observe::report::{Report, What};
#[cfg(feature = "binding")]
pub(crate) use observe::stats::shard_figure_names;
pub use observe::stats::{LatencyStats, LockStats, MemoryStats, Operations, ShapeStats, SimdStats, Stats};
pub use options::{OPTIONS, Setting};
pub use platform::clock::Clock;
#[cfg(feature = "binding")]
pub(crate) use platform::fallible;
pub use platform::pool::MAX_JOBS;
pub use query::distribution::{Distribution, MOST_PREFIX_BYTES, Sum, Wanted, distribution};
pub use query::job::{Answer, Inquiry, Progress, Task, begin as ask};
pub use query::reply::Asked;
pub use query::{Fault, MAX_CONDITIONS, MAX_DEPTH, MAX_QUERY_BYTES, NoQuery, Query, Unread};
pub use shard::context::Limits;
pub use shard::explain::Explanation;
pub use shard::load::{Begun, Want};
pub use shard::refresh::Freshness;
pub use shard::seat::{Notice, Outcome, Seat};
pub use shard::{Increment, Incremented, Problem, Written};
pub use slab::location::EntryLocation;
pub use slab::slots::Stamp;
pub use slab::words::Words;

/// Has the system set up what readers of all maps rely on: once in a process, and with several threads running it
/// takes up to some ten milliseconds. The first read does it too, and waits for it.
pub fn prepare() {
    platform::sync::light_fence();
}
