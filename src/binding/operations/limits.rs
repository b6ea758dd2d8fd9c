//! Limits of a map, and the room under them.

use napi_derive::napi;

use crate::binding::convert::options::parse_limits;
use crate::binding::convert::values::{Space, key_to_js};
use crate::binding::engine::{Engine, Js, VALUES_PER_CALL};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{COUNT, WALK_ROW, row};
use crate::binding::operation::{Call, with_map};

/// Changes limits. `limits` is JSON text: `memoryLimit`, `maxEntries`, `maxValueBytes`, each a number or `null` for
/// none; what is missing stays as it is.
#[napi(catch_unwind)]
pub fn set_limits(env: &napi::Env, id: u32, limits: String) -> napi::Result<()> {
    with_map(env, "setLimits", id, |map| Ok(map.store().set_limits(&parse_limits(&limits)?)?))
}

/// Bytes that the map holds, everything counted.
#[napi(catch_unwind)]
pub fn memory_used(env: &napi::Env, id: u32) -> napi::Result<f64> {
    with_map(env, "memoryUsage", id, |map| {
        map.check()?;
        Ok(map.store().memory_bytes() as f64)
    })
}

/// Bytes that it may hold, `null` for no limit. Of a broken map, too: opening one asks for it.
#[napi(catch_unwind)]
pub fn memory_limit(env: &napi::Env, id: u32) -> napi::Result<Option<f64>> {
    with_map(env, "memoryUsage", id, |map| Ok(map.store().memory_limit_bytes().map(|bytes| bytes as f64)))
}

/// Evicts up to `count` entries as the policy chooses; returns how many.
#[napi(catch_unwind)]
pub fn evict(env: &napi::Env, id: u32, count: f64) -> napi::Result<f64> {
    with_map(env, "evict", id, |map| Ok(map.local().evict(count.max(0.0) as u64)? as f64))
}

/// The same until the map holds at most so many bytes, or the call has taken two milliseconds' worth of entries.
#[napi(catch_unwind)]
pub fn evict_to(env: &napi::Env, id: u32, bytes: f64) -> napi::Result<f64> {
    with_map(env, "evict", id, |map| Ok(map.local().evict_to(bytes.max(0.0) as u64)? as f64))
}

/// Bytes of the longest name of an operation; JavaScript hands one over only of this package, but anything can call.
const MAX_OPERATION_BYTES: usize = 64;

/// Reports to `onError` listeners that a function of the user made no room for a write, which users know as
/// `operation`.
#[napi(catch_unwind)]
pub fn give_up(env: &napi::Env, id: u32, operation: String) -> napi::Result<()> {
    with_map(env, "giveUp", id, |map| {
        if operation.len() > MAX_OPERATION_BYTES {
            return Err(Failure::Misuse("no operation has such a name"));
        }
        map.local().give_up(operation);
        Ok(())
    })
}

fn bytes_to_js(engine: Engine<'_>, bytes: Option<u64>) -> Outcome<Js<'_>> {
    bytes.map_or(Ok(Js::NOTHING), |bytes| engine.float(bytes as f64))
}

/// `weight(id, ...target)`: bytes that the entry costs, or undefined.
pub fn weight<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    bytes_to_js(call.engine, map.local().weight(call.target(1, &mut space)?)?)
}

/// `evictEntry(id, shard, slot, generation)`: whether it was there.
pub fn evict_entry<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    call.engine.boolean(call.map()?.local().evict_entry(call.handle(1)?)?)
}

/// `candidates(id, count, states)`: the keys of the next entries to be evicted, roughly in that order; the rest of a
/// walk's row for each in `states`, and how many there are as COUNT.
pub fn candidates<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let states = engine.elements::<u32>(call.argument(2), many)?;
    let count = call.number(1)? as usize;
    if count > VALUES_PER_CALL || states.len() < count * WALK_ROW {
        return Err(Failure::Misuse("there is no room for so many candidates"));
    }
    let mut handles = Vec::with_capacity(count);
    map.local().candidates(count, &mut handles)?;
    let cells = engine.array()?;
    let mut key_out = call.evaluation.key_buffer();
    let mut keys = Vec::with_capacity(count);
    for handle in handles.into_iter().take(count) {
        let entry = map.local().read_key(handle, &mut key_out)?;
        let Some((key_kind, found, value_bytes)) = entry else { continue };
        let mut words = [0; WALK_ROW];
        words[..WALK_ROW - 1].copy_from_slice(&row(found.kind as u32, &found.place, found.type_id, value_bytes));
        words[WALK_ROW - 1] = key_kind as u32;
        states.set(keys.len() * WALK_ROW, &words);
        keys.push(key_to_js(engine, key_kind, &key_out)?);
    }
    call.evaluation.note(COUNT, keys.len() as u32);
    many.append(engine, cells, &keys)?;
    Ok(cells)
}
