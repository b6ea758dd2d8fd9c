//! What only tests ask for: a panic, a query of one entry, a clock that moves, a lock that is held, entries that expire
//! unattended, and an engine that refuses foreign memory. Nothing in `lib/` calls it.

use napi_derive::napi;

use crate::binding::convert::values::{Space, key};
use crate::binding::engine::{Js, refuse_foreign_memory};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::operation::{Call, with_map};
use crate::store::{Expires, NoQuery, Query, Unread, definition};

/// Panics under a lock of the map on purpose. It is the way to see that a panic arrives as an error, that the map
/// refuses further use, and that the process lives; nothing in lib/ calls it.
pub fn panic_for_test<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    call.map()?.local().panic_for_test()?;
    Ok(Js::NOTHING)
}

/// `matchesForTest(id, query, key)`: whether the entry of a key is one that a query asks for; what is wrong with the
/// query, if it is none.
pub fn matches_for_test<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let (mut text, mut space) = (Space::default(), Space::default());
    let text = key(call.engine, call.argument(1), &mut text)?;
    let mut query = match Query::parse(text.bytes()) {
        Ok(query) => query,
        Err(NoQuery::Fault(fault)) => return call.engine.text(format!("{}: {}", fault.at, fault.allowed).as_bytes()),
        Err(NoQuery::Refused(error)) => return Err(error.into()),
    };
    let key = key(call.engine, call.argument(2), &mut space)?;
    let (mut key_out, mut value_out) = (Vec::new(), Vec::new());
    let misuse = Failure::Misuse("there is no such entry, or its shape is not known");
    let Some(place) = map.local().place_of(key)? else { return Err(misuse) };
    let Some((_, found)) = map.local().read_step(place.handle, &mut key_out, &mut value_out)? else {
        return Err(misuse);
    };
    let matches = query.matches(key, found.kind, &value_out).or_else(|unread| {
        let Unread::Shape(shape) = unread else { return Err(unread) };
        let definition = map.local().shape(shape).ok().flatten().ok_or(unread)?;
        query.learn(shape, definition::parse(&definition).map_err(|_| Unread::Malformed)?);
        query.matches(key, found.kind, &value_out)
    });
    call.engine.boolean(matches.map_err(|_| misuse)?)
}

/// The farthest that the clock is moved at a time: as long as the longest ttl. A clock at its very end would leave no
/// time that is later than now, by which the store knows that there is no deadline.
const FARTHEST_MS: f64 = (1_u64 << 47) as f64;

/// Moves the clock of a map that was made with `manualClock`; whether it was. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn advance_clock_for_test(env: &napi::Env, id: u32, ms: f64) -> napi::Result<bool> {
    with_map(env, "advanceClockForTest", id, |map| Ok(map.store().clock().advance(ms.clamp(0.0, FARTHEST_MS) as u64)))
}

/// Holds the lock of a shard until another thread waits for it; whether one did. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn hold_shard_for_test(env: &napi::Env, id: u32, shard: u32) -> napi::Result<bool> {
    with_map(env, "holdShardForTest", id, |map| Ok(map.store().hold_shard_for_test(shard)))
}

/// Has a map take it that no thread removes its expired entries. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn leave_unattended_for_test(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "leaveUnattendedForTest", id, |map| {
        map.store().unattended(true);
        Ok(())
    })
}

/// Makes the whole process behave as on an engine that refuses memory which is not its own (Electron), or no longer.
/// What was shared before stays shared. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn refuse_foreign_memory_for_test(refuses: bool) {
    refuse_foreign_memory(refuses);
}
