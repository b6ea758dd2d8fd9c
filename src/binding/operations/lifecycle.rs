//! Opening and closing a map, and what is done to it as a whole.

use std::sync::Arc;
use std::time::Duration;

use napi_derive::napi;

use crate::binding::convert::options;
use crate::binding::engine::Engine;
use crate::binding::environment::{Environment, OpenMap};
use crate::binding::layout::{MARKING_NONE, MARKING_ORDER};
use crate::binding::operation::{with_map, within};
use crate::store::{Mark, Store, registry};

/// What `open` reports about the map.
#[napi(object)]
pub struct Opened {
    /// The number that operations take; never used again in this environment.
    pub id: u32,
    /// The number of the map in this process, which handles carry.
    pub instance: u32,
    /// How many shards it has.
    pub shards: u32,
    /// What a hit that never comes here has to record: 0 nothing, a number up to which the access word counts hits, or
    /// -1 the hit itself, in order.
    pub marking: i32,
    /// Bytes that it may hold now, nothing for no limit.
    pub memory_limit: Option<f64>,
    /// The options it was made with, as JSON text.
    pub config: String,
}

/// Opens the map with this name, or makes one that only this evaluation has. `options` is JSON text of those given.
/// Throws 1013 if the map was made with other options.
#[napi(catch_unwind)]
pub fn open(env: &napi::Env, evaluation: u32, name: Option<String>, options: String) -> napi::Result<Opened> {
    within(env, "open", evaluation, |engine, evaluation| {
        let map = OpenMap::open(name, &options)?;
        Environment::of(engine)?.clocks().join(&map);
        let store = Arc::clone(map.store());
        let id = evaluation.add(map, |waiting| Environment::of(engine)?.waker(engine, waiting))?;
        Ok(Opened::of(id, &store))
    })
}

impl Opened {
    /// What there is to report of a map that was opened as `id`.
    pub fn of(id: u32, store: &Store) -> Opened {
        Opened {
            id,
            instance: store.instance(),
            shards: store.shards(),
            marking: match store.marking() {
                Mark::None => MARKING_NONE,
                Mark::UpTo(limit) => limit.cast_signed(),
                Mark::Order => MARKING_ORDER,
            },
            memory_limit: store.memory_limit_bytes().map(|bytes| bytes as f64),
            config: options::to_json(store.config()),
        }
    }
}

/// Closes this `open` of a map. Whether it was open.
#[napi(catch_unwind)]
pub fn close(env: &napi::Env, id: u32) -> napi::Result<bool> {
    within(env, "close", id, |engine, evaluation| evaluation.close(engine, id))
}

/// Gives up an `open` that nothing can reach any more. If it is the last one of a named map in this thread, the thread
/// keeps the map until it opens the name again, or ends.
#[napi(catch_unwind)]
pub fn abandon(env: &napi::Env, id: u32) -> napi::Result<()> {
    // An engine may run finalizers after the evaluation has ended, and its maps with it (Deno does, at the end of a
    // process).
    if Environment::of(Engine::of(env)).is_ok_and(|environment| environment.evaluation(id).is_none()) {
        return Ok(());
    }
    within(env, "close", id, |engine, evaluation| evaluation.abandon(engine, id))
}

/// Ends the map for all threads: from now on its operations throw 1010 everywhere.
#[napi(catch_unwind)]
pub fn destroy(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "destroy", id, |map| {
        map.store().destroy();
        Ok(())
    })
}

/// Names of the maps that some thread has open.
#[napi(catch_unwind)]
pub fn names() -> Vec<String> {
    registry::names()
}

/// A random number that stands for this image of the addon: another copy in the same process has another one.
#[napi(catch_unwind)]
pub fn image() -> f64 {
    // As many bits as a JavaScript number holds.
    (crate::store::image() >> 11) as f64
}

/// The version of the package that the addon was built from.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Removes all entries.
#[napi(catch_unwind)]
pub fn clear(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "clear", id, |map| Ok(map.local().clear()?))
}

/// Makes room in the index for this many entries.
#[napi(catch_unwind)]
pub fn reserve(env: &napi::Env, id: u32, entries: f64) -> napi::Result<()> {
    with_map(env, "reserve", id, |map| Ok(map.store().reserve(entries.max(0.0) as u64)?))
}

/// Whether tables of the index are resized by themselves.
#[napi(catch_unwind)]
pub fn auto_resize(env: &napi::Env, id: u32) -> napi::Result<bool> {
    with_map(env, "autoResize", id, |map| Ok(map.local().auto_resize()?))
}

/// Has them resized by themselves, or only where they have to be.
#[napi(catch_unwind)]
pub fn set_auto_resize(env: &napi::Env, id: u32, is_automatic: bool) -> napi::Result<()> {
    with_map(env, "autoResize", id, |map| Ok(map.local().set_auto_resize(is_automatic)?))
}

/// Whether entries of the index are being moved to a larger or smaller table.
#[napi(catch_unwind)]
pub fn is_migrating(env: &napi::Env, id: u32) -> napi::Result<bool> {
    with_map(env, "isMigrating", id, |map| Ok(map.local().is_migrating()?))
}

/// Moves some of them, for about so many milliseconds; whether there are more.
#[napi(catch_unwind)]
pub fn rehash(env: &napi::Env, id: u32, ms: f64) -> napi::Result<bool> {
    let time = Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default().min(Duration::from_secs(1));
    with_map(env, "rehash", id, |map| Ok(map.local().rehash(time)?))
}

/// Frees room that the entries do not need.
#[napi(catch_unwind)]
pub fn shrink_to_fit(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "shrinkToFit", id, |map| Ok(map.store().shrink_to_fit()?))
}
