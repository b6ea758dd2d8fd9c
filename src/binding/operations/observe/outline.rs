//! A few figures of a map, and of all named ones, as JSON text.

use napi_derive::napi;
use serde_json::Value as Json;

use crate::binding::operation::{with_map, within};
use crate::store::registry;

/// Those of a map, which has no name here.
#[napi(catch_unwind)]
pub fn outline(env: &napi::Env, id: u32) -> napi::Result<String> {
    with_map(env, "inspect", id, |map| Ok(map.store().outline().json(None).to_string()))
}

/// Those of all named maps of the process, in the order of their names.
#[napi(catch_unwind)]
pub fn outlines(env: &napi::Env, evaluation: u32) -> napi::Result<String> {
    within(env, "names", evaluation, |_, _| {
        let maps = registry::all();
        Ok(maps.iter().map(|(name, store)| store.outline().json(Some(name))).collect::<Json>().to_string())
    })
}
