//! Memory pressure on its way to JavaScript. What is said in `alarm.rs` of environments that end holds here, too.

use napi_derive::napi;
use serde_json::json;

use crate::binding::environment::{Environment, Waiting};
use crate::binding::failure::Failure;
use crate::binding::layout::WAKE_PRESSURE;
use crate::binding::operation::within;
use crate::store::{PressureNews, Process};

/// Starts to watch how full the map becomes, or the process, if `id` is the number of the evaluation. `thresholds` are
/// ratios of memory to limit, as the JSON text of an array: of an array itself, napi's glue would reserve the length,
/// whatever it is. Returns a number for the two functions below.
#[napi(catch_unwind)]
pub fn listen_pressure(env: &napi::Env, id: u32, thresholds: String) -> napi::Result<u32> {
    within(env, "onPressure", id, |engine, evaluation| {
        let thresholds = serde_json::from_str(&thresholds)
            .map_err(|_| Failure::Misuse("the thresholds are not what lib/observe/pressure.js makes"))?;
        let waker = |number| Environment::of(engine)?.waker(engine, Waiting { id, what: WAKE_PRESSURE, number });
        if id == evaluation.number() {
            let gauge = evaluation.process.next();
            evaluation.process.add(gauge, Process::current().watch_pressure(thresholds, waker(gauge)?));
            evaluation.note_process(engine)?;
            return Ok(gauge);
        }
        let map = evaluation.map(id)?;
        map.check()?;
        let gauge = map.gauges.next();
        map.gauges.add(gauge, map.store().watch_pressure(thresholds, waker(gauge)?));
        evaluation.note_listening(engine, &map)?;
        Ok(gauge)
    })
}

/// What was passed since this was last asked, one at a time, as JSON text: what listeners get, and the bytes down to
/// which entries are evicted if one asks for that; else `null`. A map that was destroyed reports nothing more.
#[napi(catch_unwind)]
pub fn take_pressure(env: &napi::Env, id: u32, gauge: u32) -> napi::Result<Option<String>> {
    within(env, "onPressure", id, |_, evaluation| {
        if id == evaluation.number() {
            return Ok(evaluation.process.take(gauge).as_ref().map(to_json));
        }
        let map = evaluation.map(id)?;
        map.check()?;
        Ok(map.gauges.take(gauge).as_ref().map(to_json))
    })
}

/// Ends it.
#[napi(catch_unwind)]
pub fn end_pressure(env: &napi::Env, id: u32, gauge: u32) -> napi::Result<()> {
    within(env, "onPressure", id, |engine, evaluation| {
        if id == evaluation.number() {
            evaluation.process.remove(gauge);
            return evaluation.note_process(engine);
        }
        let map = evaluation.map(id)?;
        map.gauges.remove(gauge);
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
