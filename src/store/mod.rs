//! The map itself, in plain Rust: no napi, no Node, no JavaScript.
//!
//! ```text
//! store ─▶ shard ─┬▶ index   key → slot number        local: one thread's membership
//!                 ├▶ slab    slot → entry, generation   └ pin (reclaim), counters (stats)
//!                 ├▶ order   who came when
//!                 └▶ arena   blocks for entries ─▶ pages
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

mod arena;
mod background;
mod boxes;
mod clock;
mod config;
mod context;
mod entry;
mod error;
mod events;
mod eviction;
mod expiry;
pub(crate) mod fallible;
mod free_runs;
#[cfg(all(test, loom))]
mod freshness_model;
mod handle;
mod hash;
mod hit_log;
mod index;
mod instance;
mod iterate;
mod key;
mod large;
mod least;
mod life;
mod local;
mod member;
mod memory;
mod options;
mod order;
mod pages;
mod place;
mod pressure;
mod probe;
mod reaper;
mod reclaim;
mod regions;
pub mod registry;
mod remains;
mod removals;
mod room;
mod runs;
mod shard;
mod slab;
mod spans;
mod stats;
#[expect(clippy::module_inception, reason = "the map is called store, and so is the room it lives in")]
mod store;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;
mod timer_wheel;
mod types;
mod validate;
mod value;
mod word_table;
mod words;
mod zeroed;

pub use clock::Clock;
pub use config::{Config, MAX_SHARDS, NONE, TtlOnUpdate, WhenFull};
pub use context::Limits;
pub use error::Error;
pub use events::{Drained, Event, Events, Level, Subscription, Wake};
pub use eviction::{Mark, PolicyKind};
pub use handle::Handle;
pub use instance::image;
pub use iterate::Step;
pub use key::{Key, KeyKind};
pub use life::{Left, Ttl};
pub use local::{Found, Local};
pub use options::{OPTIONS, Setting};
pub use place::Place;
pub use pressure::{Pressure, PressureSubscription};
pub use removals::{Audience, Cause, Removal, Removals};
pub use shard::{Problem, Written};
pub use slab::Stamp;
pub use stats::{MemoryStats, Operations, SimdStats, Stats};
pub use store::Store;
pub use types::{MAX_NAME_BYTES as MAX_TYPE_NAME_BYTES, TypeHold, check_name};
pub use validate::{Next, Validation};
pub use value::{Value, ValueKind};
pub use words::Words;

/// Has the system set up what readers of all maps rely on: once in a process, and with several threads running it takes up
/// to some ten milliseconds. The first read does it too, and waits for it.
pub fn prepare() {
    sync::light_fence();
}
