//! What only tests ask for: a panic, a clock that moves, and an engine that refuses foreign memory. Nothing in `lib/`
//! calls it.

use napi_derive::napi;

use crate::binding::engine::{Js, refuse_foreign_memory};
use crate::binding::failure::Outcome;
use crate::binding::operation::{Call, with_map};

/// Panics under a lock of the map on purpose. It is the way to see that a panic arrives as an error, that the map
/// refuses further use, and that the process lives; nothing in lib/ calls it.
pub fn panic_for_test<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    call.map()?.local().panic_for_test()?;
    Ok(Js::NOTHING)
}

/// The farthest that the clock is moved at a time: as long as the longest ttl. A clock at its very end would leave no
/// time that is later than now, by which the store knows that there is no deadline.
const FARTHEST_MS: f64 = (1_u64 << 47) as f64;

/// Moves the clock of a map that was made with `manualClock`; whether it was. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn advance_clock_for_test(env: &napi::Env, id: u32, ms: f64) -> napi::Result<bool> {
    with_map(env, "advanceClockForTest", id, |map| Ok(map.store().clock().advance(ms.clamp(0.0, FARTHEST_MS) as u64)))
}

/// Makes the whole process behave as on an engine that refuses memory which is not its own (Electron), or no longer.
/// What was shared before stays shared. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn refuse_foreign_memory_for_test(refuses: bool) {
    refuse_foreign_memory(refuses);
}
