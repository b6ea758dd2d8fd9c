//! Memory pressure on its way to JavaScript. What is said in `alarm.rs` of environments that end holds here, too.

use napi_derive::napi;
use serde_json::json;

use crate::binding::environment::{Environment, Waiting};
use crate::binding::failure::Failure;
use crate::binding::layout::WAKE_PRESSURE;
use crate::binding::operation::{with_map, within};
use crate::store::PressureNews;

/// Starts to watch how full the map becomes. `thresholds` are ratios of memory to limit, as the JSON text of an array:
/// of an array itself, napi's glue would reserve the length, whatever it is. Returns a number for the two functions
/// below.
#[napi(catch_unwind)]
pub fn listen_pressure(env: &napi::Env, id: u32, thresholds: String) -> napi::Result<u32> {
    within(env, "onPressure", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        map.check()?;
        let thresholds = serde_json::from_str(&thresholds)
            .map_err(|_| Failure::Misuse("the thresholds are not what lib/observe/pressure.js makes"))?;
        let gauge = map.next_gauge();
        let waker = Environment::of(engine)?.waker(engine, Waiting { id, what: WAKE_PRESSURE, number: gauge })?;
        map.add_gauge(gauge, map.store().watch_pressure(thresholds, waker));
        evaluation.note_listening(engine, &map)?;
        Ok(gauge)
    })
}

/// What was passed since this was last asked, one at a time, as JSON text: what listeners get, and the bytes down to
/// which entries are evicted if one asks for that; else `null`. A map that was destroyed reports nothing more.
#[napi(catch_unwind)]
pub fn take_pressure(env: &napi::Env, id: u32, gauge: u32) -> napi::Result<Option<String>> {
    with_map(env, "onPressure", id, |map| {
        map.check()?;
        Ok(map.take_pressure(gauge).as_ref().map(to_json))
    })
}

/// Ends it.
#[napi(catch_unwind)]
pub fn end_pressure(env: &napi::Env, id: u32, gauge: u32) -> napi::Result<()> {
    within(env, "onPressure", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        map.remove_gauge(gauge);
        evaluation.note_listening(engine, &map)
    })
}

fn to_json(news: &PressureNews) -> String {
    json!({
        "state": if news.is_high { "high" } else { "normal" },
        "rising": news.rising,
        "threshold": news.threshold,
        "ratio": news.ratio(),
        "usedBytes": news.used_bytes,
        "limitBytes": news.limit_bytes,
        "goalBytes": news.goal_bytes(),
    })
    .to_string()
}
