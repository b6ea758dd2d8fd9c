//! What can be asked of one entry without reading it, and its eviction. Called less often than what is in [`super::hot`], but
//! with keys that can be anything.

use super::call::{CHUNK, Engine, Js};
use super::convert::{Space, key, key_to_js};
use super::error::{Failure, Outcome};
use super::evaluation::row;
use super::layout::{STATE, WALK_ROW};
use super::operation::Call;
use crate::store::Left;

/// `peek(id, key)`: as `get`, but it counts as no read.
pub fn peek<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().peek(key, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// `peekHandle(id, shard, slot, generation)`
pub fn peek_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().peek_handle(call.handle()?, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

fn left_to_js(engine: Engine<'_>, left: Option<Left>) -> Outcome<Js<'_>> {
    match left {
        None => Ok(Js::NOTHING),
        Some(Left::Forever) => engine.float(f64::INFINITY),
        Some(Left::Ms(ms)) => engine.float(ms as f64),
    }
}

/// `ttlOf(id, key)`: milliseconds, infinity, or undefined.
pub fn ttl_of<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    left_to_js(call.engine, map.local().ttl_of(key)?)
}

/// `ttlOfHandle(id, shard, slot, generation)`
pub fn ttl_of_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    left_to_js(call.engine, call.map()?.local().ttl_of_handle(call.handle()?)?)
}

/// `touch(id, key)`: a new deadline, as the scratch array asks for; whether the entry is there.
pub fn touch<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    call.engine.boolean(map.local().touch(key, ttl)?)
}

/// `touchHandle(id, shard, slot, generation)`
pub fn touch_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    call.engine.boolean(call.map()?.local().touch_handle(call.handle()?, ttl)?)
}

fn bytes_to_js(engine: Engine<'_>, bytes: Option<u64>) -> Outcome<Js<'_>> {
    bytes.map_or(Ok(Js::NOTHING), |bytes| engine.float(bytes as f64))
}

/// `weight(id, key)`: bytes that the entry costs, or undefined.
pub fn weight<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    bytes_to_js(call.engine, map.local().weight(key)?)
}

/// `weightHandle(id, shard, slot, generation)`
pub fn weight_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    bytes_to_js(call.engine, call.map()?.local().weight_handle(call.handle()?)?)
}

/// `evictEntry(id, shard, slot, generation)`: whether it was there.
pub fn evict_entry<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    call.engine.boolean(call.map()?.local().evict_entry(call.handle()?)?)
}

/// `candidates(id, count, states)`: the keys of those who would leave next, roughly in that order; the rest of a walk's row for each
/// in `states`, and how many there are as STATE.
pub fn candidates<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let states = engine.elements::<u32>(call.argument(2), many)?;
    let count = call.number(1)? as usize;
    if count > CHUNK || states.len() < count * WALK_ROW {
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
    call.evaluation.note(STATE, keys.len() as u32);
    many.append(engine, cells, &keys)?;
    Ok(cells)
}
