//! Writes of one entry. `...target` is a key, or the shard, slot and generation of a handle. What they say besides
//! their result goes to the scratch array, which also says the ttl.

use crate::binding::convert::values::{Space, key};
use crate::binding::engine::{Engine, Js, JsType};
use crate::binding::environment::OpenMap;
use crate::binding::failure::Outcome;
use crate::binding::operation::Call;
use crate::store::{MAX_TYPE_NAME_BYTES, Timed, TypeHold, check_name};

/// `set(id, key, value, kind)`
pub fn set<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let _timing = map.local().time(Timed::Set);
    let (mut key_space, mut value_space) = (Space::default(), Space::default());
    let key = key(call.engine, call.argument(1), &mut key_space)?;
    let value = call.value(2, &mut value_space)?;
    let mut written = None;
    map.local().set_into(key, value, ttl, &mut written)?;
    Ok(call.evaluation.give_written(written.as_ref(), value))
}

/// `getOrInsert(id, key, value, kind)`: the value that is there, or what was written in the scratch array.
pub fn get_or_insert<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let _timing = map.local().time(Timed::Set);
    let (mut key_space, mut value_space) = (Space::default(), Space::default());
    let key = key(call.engine, call.argument(1), &mut key_space)?;
    let value = call.value(2, &mut value_space)?;
    let mut out = call.evaluation.value_buffer();
    let (found, written) = map.local().get_or_insert(key, value, ttl, &mut out)?;
    if written.is_some() {
        return Ok(call.evaluation.give_written(written.as_ref(), value));
    }
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// The type that `js` names, `None` for `undefined`. Its number means the name as long as the answer lives.
pub fn hold_type(engine: Engine<'_>, map: &OpenMap, js: Js<'_>) -> Outcome<Option<TypeHold>> {
    let Some(name) = type_name(engine, js)? else { return Ok(None) };
    Ok(Some(map.local().hold_type(&name)?))
}

/// The name of a type in an argument, `None` for `undefined`.
pub fn type_name(engine: Engine<'_>, js: Js<'_>) -> Outcome<Option<String>> {
    if engine.type_of(js)? == JsType::Undefined {
        return Ok(None);
    }
    let units = engine.utf16(js)?;
    check_name("type", units.len(), MAX_TYPE_NAME_BYTES)?;
    Ok(Some(String::from_utf16_lossy(&units)))
}

/// `insert(id, value, kind, typeName)`
pub fn insert<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let _timing = map.local().time(Timed::Insert);
    let mut space = Space::default();
    let value = call.value(1, &mut space)?;
    let held = hold_type(call.engine, &map, call.argument(3))?;
    let type_id = held.as_ref().map_or(0, TypeHold::id);
    Ok(call.evaluation.give_written(Some(&map.local().insert(value, type_id, ttl)?), value))
}

/// `replace(id, shard, slot, generation, value, kind)`
pub fn replace<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let _timing = map.local().time(Timed::Set);
    let mut space = Space::default();
    let value = call.value(4, &mut space)?;
    Ok(call.evaluation.give_written(Some(&map.local().replace(call.handle(1)?, value, ttl)?), value))
}

/// `delete(id, ...target)`: whether it was there.
pub fn delete<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let _timing = map.local().time(Timed::Delete);
    let mut space = Space::default();
    call.engine.boolean(map.local().delete(call.target(1, &mut space)?)?)
}

/// `remove(id, ...target)`: the value that was there.
pub fn remove<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let _timing = map.local().time(Timed::Delete);
    let mut space = Space::default();
    let target = call.target(1, &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().remove(target, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}
