//! What a map reports about itself, as JSON text.

use napi_derive::napi;
use serde_json::json;

use crate::binding::operation::with_map;
use crate::store::Stats;

/// Counts, bytes and fill of a map over all threads, as JSON text: `entries`, `hits`, `nearHits`, `misses`, `inserts`,
/// `updates`, `deletes`, `clears`, `iterations`, `refusals`, `evictions`, `expirations`, `deadlines`, `operations`
/// (their sum, hits counted once), `memory` (bytes: `entries`, `live`, `index`, `slab`, `words`, `order`, `policy`,
/// `expiry`, `types`, `shapes`, `fixed`, `retired`, `total`, `limit` or `null`), `shapes` (`count`, `bytes`, `values`),
/// `maxEntries` and `maxValueBytes` (or `null`), `capacity`, `loadFactor`, `shards`, `simd` (`enabled`, `level`),
/// `threads`, `uptimeMs`.
#[napi(catch_unwind)]
pub fn stats(env: &napi::Env, id: u32) -> napi::Result<String> {
    with_map(env, "getStats", id, |map| Ok(to_json(&map.store().stats())))
}

/// Counts reads that the near cache answered.
#[napi(catch_unwind)]
pub fn add_near_hits(env: &napi::Env, id: u32, count: f64) -> napi::Result<()> {
    with_map(env, "addNearHits", id, |map| {
        map.local().add_near_hits(count.max(0.0) as u64);
        Ok(())
    })
}

fn to_json(stats: &Stats) -> String {
    let Stats { entries, operations, memory, capacity, load_factor, shards, threads, uptime_ms, .. } = stats;
    json!({
        "entries": entries,
        "hits": operations.hits,
        "nearHits": operations.near_hits,
        "misses": operations.misses,
        "inserts": operations.inserts,
        "updates": operations.updates,
        "deletes": operations.deletes,
        "clears": operations.clears,
        "iterations": operations.iterations,
        "refusals": operations.refusals,
        "evictions": stats.evictions,
        "expirations": stats.expirations,
        "deadlines": stats.deadlines,
        "stale": stats.stale,
        "operations": operations.total(),
        "memory": {
            "entries": memory.entries,
            "live": memory.live,
            "index": memory.index,
            "slab": memory.slab,
            "words": memory.words,
            "order": memory.order,
            "policy": memory.policy,
            "expiry": memory.expiry,
            "types": memory.types,
            "shapes": memory.shapes,
            "fixed": memory.fixed,
            "retired": memory.retired,
            "total": memory.total,
            "limit": memory.limit,
        },
        "shapes": { "count": stats.shapes.count, "bytes": stats.shapes.bytes, "values": stats.shapes.values },
        "maxEntries": stats.max_entries,
        "maxValueBytes": stats.max_value_bytes,
        "capacity": capacity,
        "loadFactor": load_factor,
        "shards": shards,
        "simd": { "enabled": stats.simd.enabled, "level": stats.simd.level },
        "threads": threads,
        "uptimeMs": uptime_ms,
    })
    .to_string()
}
