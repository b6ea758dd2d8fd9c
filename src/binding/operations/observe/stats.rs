//! What a map reports about itself, as JSON text.

use napi_derive::napi;

use crate::binding::operation::with_map;

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

/// Counts reads that the near cache answered.
#[napi(catch_unwind)]
pub fn add_near_hits(env: &napi::Env, id: u32, count: f64) -> napi::Result<()> {
    with_map(env, "addNearHits", id, |map| {
        map.local().add_near_hits(count.max(0.0) as u64);
        Ok(())
    })
}
