//! What advice is made of, as JSON text, and the internals of a shard.

use napi_derive::napi;
use serde_json::{Value as Json, json};

use crate::binding::operation::with_map;
use crate::store::Foretold;

/// What some entries that are drawn say of all, and how many shards would do, as JSON text: `probed`, `probes`,
/// `longestProbe`, `counted`, `unused`, `fullestShard`, `optimalShards`, `shardsForLimits`, and of other sizes
/// `foretold`.
#[napi(catch_unwind)]
pub fn survey(env: &napi::Env, id: u32, seed: u32) -> napi::Result<String> {
    with_map(env, "advise", id, |map| {
        let found = map.local().survey(seed.into())?;
        let foretold = map.store().foretell().map(to_json);
        Ok(json!({
            "probed": found.probed,
            "probes": found.probes,
            "longestProbe": found.longest_probe,
            "counted": found.counted,
            "unused": found.unused,
            "fullestShard": found.fullest_shard,
            "optimalShards": map.store().optimal_shards(),
            "shardsForLimits": map.store().shards_for_limits(),
            "foretold": foretold,
        })
        .to_string())
    })
}

fn to_json(foretold: Foretold) -> Json {
    let Foretold { sampled, part, more_with_half, half_error, more_with_twice, twice_error, model_error } = foretold;
    json!({
        "sampled": sampled,
        "part": part,
        "moreWithHalf": more_with_half,
        "halfError": half_error,
        "moreWithTwice": more_with_twice,
        "twiceError": twice_error,
        "modelError": model_error,
    })
}

/// How many shards would serve the load that the map has seen.
#[napi(catch_unwind)]
pub fn optimal_shards(env: &napi::Env, id: u32) -> napi::Result<u32> {
    with_map(env, "predictOptimalShardCount", id, |map| {
        map.check()?;
        Ok(map.store().optimal_shards())
    })
}

/// The internals of a shard in words, with some of its slots from `from` on.
#[napi(catch_unwind)]
pub fn dump(env: &napi::Env, id: u32, shard: u32, from: u32, most: u32) -> napi::Result<String> {
    with_map(env, "dump", id, |map| Ok(map.store().dump(shard, from, most)?))
}
