//! Reads of one entry. `...target` is a key, or the shard, slot and generation of a handle. What they say besides
//! their result goes to the scratch array.

use napi_derive::napi;

use crate::binding::convert::values::{Space, key};
use crate::binding::engine::Js;
use crate::binding::environment::OpenMap;
use crate::binding::failure::Outcome;
use crate::binding::operation::{Call, with_map};
use crate::store::{Handle, KeyOrHandle, Timed};

/// The value of what was found, the rest in the scratch array.
#[inline]
fn read<'s, 't, const N: usize>(call: &Call<'s, N>, map: &OpenMap, target: impl KeyOrHandle<'t>) -> Outcome<Js<'s>> {
    let mut out = call.evaluation.value_buffer();
    let mut found = None;
    map.local().get_into(target, &mut out, &mut found)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// `get(id, key)`. This and [`has`] are called so often that handles have operations of their own: to tell a key from a
/// handle as the others do takes 12 to 24 ns, a tenth to a fifth of the call.
pub fn get<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let _timing = map.local().time(Timed::Get);
    let mut space = Space::default();
    read(call, &map, key(call.engine, call.argument(1), &mut space)?)
}

/// `getByHandle(id, shard, slot, generation)`
pub fn get_by_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let _timing = map.local().time(Timed::Get);
    read(call, &map, call.handle(1)?)
}

/// `has(id, key)`
pub fn has<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    call.engine.boolean(map.local().has(key)?)
}

/// `hasHandle(id, shard, slot, generation)`
pub fn has_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    call.engine.boolean(call.map()?.local().has(call.handle(1)?)?)
}

/// `getHandle(id, key)`: whether there is one; which, in the scratch array.
pub fn get_handle<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let place = map.local().place_of(key(call.engine, call.argument(1), &mut space)?)?;
    if let Some(place) = &place {
        call.evaluation.note_place(place);
    }
    call.engine.boolean(place.is_some())
}

/// `isOneKey(id, one, other)`: whether two keys are one to the map.
pub fn is_one_key<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let (mut space, mut other_space) = (Space::default(), Space::default());
    let one = key(call.engine, call.argument(1), &mut space)?;
    let other = key(call.engine, call.argument(2), &mut other_space)?;
    call.engine.boolean(map.store().is_one_key(one, other))
}

/// `size(id)`
pub fn size<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    map.check()?;
    call.engine.float(map.local().len() as f64)
}

/// `peek(id, ...target)`: as `get`, but it counts as no read.
pub fn peek<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let target = call.target(1, &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().peek(target, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// Name of an entry type, `null` if there is none with this number.
#[napi(catch_unwind)]
pub fn type_name(env: &napi::Env, id: u32, type_id: u32) -> napi::Result<Option<String>> {
    with_map(env, "typeName", id, |map| Ok(map.store().type_name(type_id).map(|name| name.to_string())))
}

/// The number of a shape whose members `definition` lists, 0 if it gets none.
#[napi(catch_unwind)]
pub fn publish_shape(env: &napi::Env, id: u32, definition: String) -> napi::Result<u32> {
    // Without room for it, values are text. If the map cannot be used at all, the write that follows says so.
    with_map(env, "set", id, |map| Ok(map.local().publish_shape(&definition).ok().flatten().unwrap_or_default()))
}

/// The definition of a shape, `null` if no entry has it any more.
#[napi(catch_unwind)]
pub fn shape_of(env: &napi::Env, id: u32, number: u32) -> napi::Result<Option<String>> {
    with_map(env, "get", id, |map| Ok(map.local().shape(number)?.map(|definition| definition.to_string())))
}

/// Throws why a handle has no entry: 1001, 1003, 1004 or 1005.
#[napi(catch_unwind)]
pub fn check(env: &napi::Env, id: u32, shard: u32, slot: u32, generation: u32) -> napi::Result<()> {
    with_map(env, "check", id, |map| Ok(map.local().check(Handle { shard, slot, generation })?))
}
