//! What a map reports about itself, as JSON text.

use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use serde_json::{Value as Json, json};

use crate::binding::engine::Js;
use crate::binding::failure::Outcome;
use crate::binding::operation::{Call, with_map, within};
use crate::store::{Store, Summary, Timed, registry};

/// Statistics of a map over all threads, as JSON text, under the names that `getStats` has for them
/// (`store/observe/stats/`). The figures of the shards go into an array, if there is one: those of one kind for all
/// shards in a row, in the order of `SHARD_FIGURES`.
#[napi(catch_unwind)]
pub fn stats(env: &napi::Env, id: u32, figures: Option<Float64Array>) -> napi::Result<String> {
    with_map(env, "getStats", id, |map| {
        let Some(mut figures) = figures else { return Ok(map.store().stats().json().to_string()) };
        let shards = map.store().shards() as usize;
        // SAFETY: the array belongs to the caller, whose thread is here.
        let columns = unsafe { figures.as_mut() };
        let mut number = 0;
        let stats = map.store().stats_with(|shard| {
            for (column, figure) in columns.chunks_exact_mut(shards).zip(shard.figures()) {
                column[number] = figure;
            }
            number += 1;
        });
        Ok(stats.json().to_string())
    })
}

/// Counts an error that JavaScript throws, by its number.
#[napi(catch_unwind)]
pub fn count_error(env: &napi::Env, id: u32, number: u32) -> napi::Result<()> {
    with_map(env, "countError", id, |map| {
        map.store().count_error(number as u16);
        Ok(())
    })
}

/// Statistics of all named maps of the process, in the order of their names: as JSON text of `name`, `isBroken` and
/// `stats`, which have no lengths of lookups.
#[napi(catch_unwind)]
pub fn stats_of_named(env: &napi::Env, evaluation: u32) -> napi::Result<String> {
    within(env, "stats", evaluation, |_, _| {
        Ok(registry::all().iter().map(|(name, store)| told(name, store)).collect::<Json>().to_string())
    })
}

fn told(name: &str, store: &Store) -> Json {
    json!({ "name": name, "isBroken": store.is_broken(), "stats": store.counts().json() })
}

/// Begins to count anew, for all threads.
#[napi(catch_unwind)]
pub fn reset_stats(env: &napi::Env, id: u32) -> napi::Result<()> {
    with_map(env, "resetStats", id, |map| Ok(map.store().reset_stats()?))
}

/// Counts what reads took that the near cache answered: for each sample its nanoseconds, and how many reads it counts
/// for.
#[napi(catch_unwind)]
pub fn add_near_times(env: &napi::Env, id: u32, samples: Float64Array) -> napi::Result<()> {
    with_map(env, "addNearTimes", id, |map| {
        for sample in samples.chunks_exact(2) {
            map.local().record(Timed::Get, sample[0].max(0.0) as u64, sample[1].max(0.0) as u64);
        }
        Ok(())
    })
}

/// How long operations took since a mark, which moves to now: for each operation of TIMED the number of calls, the
/// median and the 99th percentile in nanoseconds. Nothing if the map does not measure it.
#[napi(catch_unwind)]
pub fn latency_since(env: &napi::Env, id: u32, mut mark: Float64Array) -> napi::Result<Option<Vec<f64>>> {
    with_map(env, "getStats", id, |map| {
        // SAFETY: the array belongs to the caller, whose thread is here.
        let mark = unsafe { mark.as_mut() };
        let summaries = map.store().latency_since(mark);
        let numbers = |one: &Summary| [one.count as f64, one.p50_ns as f64, one.p99_ns as f64];
        Ok(summaries.map(|all| all.iter().flat_map(numbers).collect()))
    })
}

/// `addNearHits(id, count)`: counts reads that the near cache answered. A thread of nothing else calls it after some
/// thousand of them, so it is not to be felt.
pub fn add_near_hits<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    call.map()?.local().add_near_hits(u64::from(call.number(1)?));
    Ok(Js::NOTHING)
}
