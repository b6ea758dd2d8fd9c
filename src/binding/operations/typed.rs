//! Operations of a view of one type, whose number is the second argument. `...target` is a key, or the shard, slot and
//! generation of a handle.

use napi_derive::napi;

use crate::binding::convert::values::Space;
use crate::binding::engine::Js;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::operation::{Call, with_map};
use crate::store::Timed;

/// The number of the type of this name, which means it until the map is closed here.
#[napi(catch_unwind)]
pub fn hold_view_type(env: &napi::Env, id: u32, name: String) -> napi::Result<u32> {
    with_map(env, "ofType", id, |map| {
        let held = map.local().hold_type(&name)?;
        Ok(map.keep_view_type(held))
    })
}

/// `getOfType(id, type, ...target)`: as `get`, nothing if the entry has another type.
pub fn get<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let _timing = map.local().time(Timed::Get);
    let mut space = Space::default();
    let target = call.target(2, &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().get_of_type(target, call.number(1)?, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// `hasOfType(id, type, ...target)`
pub fn has<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let target = call.target(2, &mut space)?;
    call.engine.boolean(map.local().has_of_type(target, call.number(1)?)?)
}

/// `deleteOfType(id, type, ...target)`: whether it was there.
pub fn delete<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let _timing = map.local().time(Timed::Delete);
    let mut space = Space::default();
    let target = call.target(2, &mut space)?;
    call.engine.boolean(map.local().delete_of_type(target, call.number(1)?)?)
}

/// `setOfType(id, type, value, kind, ...target)`
pub fn set<'s>(call: &Call<'s, 7>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let _timing = map.local().time(Timed::Set);
    let (mut key_space, mut value_space) = (Space::default(), Space::default());
    let value = call.value(2, &mut value_space)?;
    let (target, type_id) = (call.target(4, &mut key_space)?, call.number(1)?);
    if !map.has_view_type(type_id) {
        return Err(Failure::Misuse("no view keeps the type known"));
    }
    let written = map.local().set_of_type(target, type_id, value, ttl)?;
    Ok(call.evaluation.give_written(Some(&written), value))
}

/// `sizeOfType(id, type)`
pub fn size<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    call.engine.float(map.local().len_of_type(call.number(1)?)? as f64)
}
