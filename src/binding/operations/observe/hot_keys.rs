//! Keys that are read most, as JSON text.

use napi_derive::napi;
use serde_json::{Value as Json, json};

use crate::binding::convert::values::Space;
use crate::binding::engine::Js;
use crate::binding::failure::Outcome;
use crate::binding::operation::{Call, with_map};
use crate::store::HotKey;

/// The keys that are read most, at most so many, as JSON text: `shard`, `slot`, `generation`, `hits`, `error` of each;
/// `null` in a map that does not sample. With `resets`, counting begins anew.
#[napi(catch_unwind)]
pub fn hot_keys(env: &napi::Env, id: u32, most: u32, resets: bool) -> napi::Result<Option<String>> {
    with_map(env, "getHotKeys", id, |map| {
        let found = map.local().hot_keys(most as usize, resets)?;
        Ok(found.map(|keys| keys.iter().map(to_json).collect::<Json>().to_string()))
    })
}

/// `sampleNear(id, ...target)`: notes a sample of the hits of the near cache.
pub fn sample_near<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    map.local().sample_near(call.target(1, &mut space)?)?;
    Ok(Js::NOTHING)
}

fn to_json(key: &HotKey) -> Json {
    let HotKey { handle, hits, error } = key;
    json!({
        "shard": handle.shard,
        "slot": handle.slot,
        "generation": handle.generation,
        "hits": hits,
        "error": error,
    })
}
