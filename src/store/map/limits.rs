//! Limits of a map, and the least byte limit that it can live with.
//!
//! Under a smaller one, a map would evict itself empty and then refuse every write: what a shard needs for its first
//! entry (a page, slots, a table, what its policy keeps) stays with it when its entries are removed. How much that is
//! depends on the policy and on what each structure asks for first, so it is not added up here but measured, on a map
//! of one shard that gets one small entry.

use super::hit_log;
use super::process::Process;
use super::store::Store;
use crate::store::config::{Config, WhenFull};
use crate::store::entry::key::Key;
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::expiry::life::Ttl;
use crate::store::memory::budget::Use;
use crate::store::platform::sync::Arc;
use crate::store::shard::context::Limits;

/// A limit of so much for each shard is enough in any case, and need not be measured for.
const AMPLE_BYTES: u64 = 128 * 1_024;

/// Pages for a few sizes of small entries at a time: each page serves one.
const SIZES_BYTES: u64 = 8 * 4_096;

impl Store {
    /// A new map. Fails if not even an empty one fits under the limit.
    pub fn new(config: &Config) -> Result<Arc<Self>, Error> {
        let config = config.normalised();
        if let Some(limit_bytes) = config.memory_limit_bytes {
            check(limit_bytes, &config)?;
        }
        loop {
            match Store::make(config.clone()) {
                // Others may be faster to take the room: each round has had them evict something.
                Err(refused) if Process::current().relieve(&refused, None) => {}
                made => return made,
            }
        }
    }

    /// Changes limits of a map that has some, or was made to have some.
    pub fn set_limits(&self, limits: &Limits) -> Result<(), Error> {
        self.context.check()?;
        if let Some(limit_bytes) = limits.memory_limit_bytes.flatten() {
            check(limit_bytes, self.config())?;
        }
        self.context.set_limits(limits)
    }
}

/// Refuses a byte limit under which a map of this configuration, which is normalised, could not hold one entry in each
/// shard.
fn check(limit_bytes: u64, config: &Config) -> Result<(), Error> {
    let shards = config.shards.unwrap_or(1);
    if limit_bytes >= u64::from(shards) * AMPLE_BYTES {
        return Ok(());
    }
    // Tables do not become smaller when their entries are removed, so what they took for more entries than one is not
    // there for a page of another size of entries, or for the first entry of another shard. Keys are spread evenly, so
    // a few times as much is enough.
    let share = if shards == 1 { 2 } else { 4 };
    let first_bytes = u64::from(shards) * share * first_bytes(config)?;
    let least_bytes = Store::fixed_bytes(shards) as u64 + first_bytes + SIZES_BYTES + hit_log::BYTES;
    if limit_bytes >= least_bytes {
        return Ok(());
    }
    let allowed =
        format!("at least {least_bytes} bytes in a map with {shards} shard{}", if shards == 1 { "" } else { "s" });
    Err(Error::InvalidOption { option: "memoryLimit", given: limit_bytes.to_string(), allowed })
}

/// What a shard takes for its first entry, which has a deadline.
fn first_bytes(config: &Config) -> Result<u64, Error> {
    let when_full = config.when_full.filter(|when_full| matches!(when_full, WhenFull::EvictIdle { .. }));
    let probe = Config {
        shards: Some(1),
        max_load_factor: config.max_load_factor,
        eviction: config.eviction,
        when_full,
        manual_clock: true,
        ..Config::default()
    };
    let probe = Store::make(probe.normalised())?;
    let map = probe.join();
    let empty_bytes = probe.memory_bytes();
    map.set(Key::string("k"), Value::json("0"), Ttl::Of(1))?;
    debug_assert_eq!(probe.context.memory.used(Use::Fixed), Store::fixed_bytes(1) as u64);
    Ok(probe.memory_bytes() - empty_bytes)
}
