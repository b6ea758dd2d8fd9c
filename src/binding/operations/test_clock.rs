//! The clock that a test sets for the maps of its thread.

use napi_derive::napi;

use crate::binding::environment::Environment;
use crate::binding::operation::within;

/// The farthest that a clock is moved at a time: as long as the longest ttl.
const FARTHEST_MS: f64 = (1_u64 << 47) as f64;

/// Takes the time of all maps of this thread in hand, of those that it opens from now on, too, and returns the number
/// of the clock that holds them. A clock that was set before ends. `is_late`: time is told of only when a map is used,
/// so no copies are kept of entries with a deadline.
#[napi(catch_unwind)]
pub fn set_clock(env: &napi::Env, evaluation: u32, is_late: bool) -> napi::Result<u32> {
    within(env, "setClock", evaluation, |engine, evaluation| {
        Environment::of(engine)?.clocks().set(engine, evaluation, is_late)
    })
}

/// Moves the time of these maps by whole milliseconds, and removes what is due; whether the clock is still set.
#[napi(catch_unwind)]
pub fn advance_clock(env: &napi::Env, evaluation: u32, clock: u32, ms: f64) -> napi::Result<bool> {
    within(env, "advance", evaluation, |engine, _| {
        Ok(Environment::of(engine)?.clocks().advance(clock, ms.clamp(0.0, FARTHEST_MS) as u64))
    })
}

/// Has their time run again, if the clock is still set.
#[napi(catch_unwind)]
pub fn restore_clock(env: &napi::Env, evaluation: u32, clock: u32) -> napi::Result<()> {
    within(env, "restore", evaluation, |engine, _| {
        Environment::of(engine)?.clocks().restore(clock);
        Ok(())
    })
}
