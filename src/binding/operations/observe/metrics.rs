//! Metrics of maps, as OpenMetrics text.

use napi_derive::napi;

use crate::binding::operation::{with_map, within};
use crate::store::metrics::of_named;

/// Metrics of a map. `name` is its label, `codes` the names of errors from number 1001 on, empty where there is none.
#[napi(catch_unwind)]
pub fn metrics(env: &napi::Env, id: u32, name: Option<String>, codes: Vec<String>) -> napi::Result<String> {
    with_map(env, "metrics", id, |map| Ok(map.store().metrics(name, numbered(codes))))
}

/// Those of all named maps of the process.
#[napi(catch_unwind)]
pub fn metrics_of_named(env: &napi::Env, evaluation: u32, codes: Vec<String>) -> napi::Result<String> {
    within(env, "metrics", evaluation, |_, _| Ok(of_named(numbered(codes))))
}

fn numbered(codes: Vec<String>) -> Vec<(u16, String)> {
    (1001..).zip(codes).filter(|(_, code)| !code.is_empty()).collect()
}
