//! What a map reports about itself, as JSON text.

use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;

use crate::binding::operation::with_map;
use crate::store::Timed;

/// Counts, bytes and fill of a map over all threads, as JSON text: `entries`, `hits`, `nearHits`, `misses`, `inserts`,
/// `updates`, `deletes`, `clears`, `iterations`, `refusals`, `evictions`, `expirations`, `deadlines`, `operations`
/// (their sum, hits counted once), `memory` (bytes: `entries`, `live`, `index`, `slab`, `words`, `order`, `policy`,
/// `expiry`, `types`, `shapes`, `fixed`, `retired`, `total`, `limit` or `null`), `shapes` (`count`, `bytes`, `values`),
/// `maxEntries` and `maxValueBytes` (or `null`), `capacity`, `loadFactor`, `shards`, `simd` (`enabled`, `level`),
/// `locks` (`acquisitions`, `waits`, `waitNs`, `meanWaitNs`, `longestWaitNs`, `waiting`, `contentionRatio`),
/// `threads`, `uptimeMs`.
#[napi(catch_unwind)]
pub fn stats(env: &napi::Env, id: u32) -> napi::Result<String> {
    with_map(env, "getStats", id, |map| Ok(map.store().stats().json().to_string()))
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

/// Counts reads that the near cache answered.
#[napi(catch_unwind)]
pub fn add_near_hits(env: &napi::Env, id: u32, count: f64) -> napi::Result<()> {
    with_map(env, "addNearHits", id, |map| {
        map.local().add_near_hits(count.max(0.0) as u64);
        Ok(())
    })
}
