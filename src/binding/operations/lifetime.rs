//! When entries expire, and those that did.

use napi_derive::napi;

use crate::binding::convert::values::Space;
use crate::binding::engine::{Engine, Js};
use crate::binding::failure::Outcome;
use crate::binding::operation::{Call, with_map};
use crate::store::RemainingTtl;

fn remaining_to_js(engine: Engine<'_>, left: Option<RemainingTtl>) -> Outcome<Js<'_>> {
    match left {
        None => Ok(Js::NOTHING),
        Some(RemainingTtl::Forever) => engine.float(f64::INFINITY),
        Some(RemainingTtl::Ms(ms)) => engine.float(ms as f64),
    }
}

/// `ttlOf(id, ...target)`: milliseconds, infinity, or undefined.
pub fn ttl_of<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    remaining_to_js(call.engine, map.local().ttl_of(call.target(1, &mut space)?)?)
}

/// `touch(id, ...target)`: a new deadline, as the scratch array asks for; whether the entry is there.
pub fn touch<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let mut space = Space::default();
    call.engine.boolean(map.local().touch(call.target(1, &mut space)?, ttl)?)
}

/// Removes entries whose deadline is over; returns how many.
#[napi(catch_unwind)]
pub fn purge_expired(env: &napi::Env, id: u32) -> napi::Result<f64> {
    with_map(env, "purgeExpired", id, |map| Ok(map.local().purge_expired()? as f64))
}
