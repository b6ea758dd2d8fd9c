//! Memory pressure on its way to JavaScript. What is said in `listener.rs` of environments that end holds here, too.

use napi_derive::napi;

use super::env::within;
use super::map::with_map;

/// Starts to watch how full the map becomes. `thresholds` are ratios of memory to limit. Gives a number for the two
/// functions below.
#[napi(catch_unwind)]
pub fn listen_pressure(env: &napi::Env, id: u32, thresholds: Vec<f64>) -> napi::Result<u32> {
    within(env, "onPressure", id, |engine, environment| {
        let map = environment.map(id)?;
        map.check()?;
        let watch = map.store().watch_pressure(thresholds, environment.alarm(engine)?.waker());
        Ok(map.add_gauge(watch))
    })
}

/// The ratio, if it has passed a threshold upwards since this was last asked; else `null`.
#[napi(catch_unwind)]
pub fn take_pressure(env: &napi::Env, id: u32, gauge: u32) -> napi::Result<Option<f64>> {
    with_map(env, "onPressure", id, |map| Ok(map.take_pressure(gauge)))
}

/// Ends it.
#[napi(catch_unwind)]
pub fn end_pressure(env: &napi::Env, id: u32, gauge: u32) -> napi::Result<()> {
    with_map(env, "onPressure", id, |map| {
        map.remove_gauge(gauge);
        Ok(())
    })
}
