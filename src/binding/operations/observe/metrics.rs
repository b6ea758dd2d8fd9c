//! Metrics of maps, as OpenMetrics text.

use napi_derive::napi;

use crate::binding::operation::{with_map, within};
use crate::store::metrics::of_named;

/// Metrics of a map. `name` is its label, `codes` the names of errors from number 1001 on with commas between them,
/// empty where there is none. One text: room for an array would be asked for by the length that it claims.
#[napi(catch_unwind)]
pub fn metrics(env: &napi::Env, id: u32, name: Option<String>, codes: String) -> napi::Result<String> {
    with_map(env, "metrics", id, |map| Ok(map.store().metrics(name, numbered(&codes))))
}

/// Those of all named maps of the process.
#[napi(catch_unwind)]
pub fn metrics_of_named(env: &napi::Env, evaluation: u32, codes: String) -> napi::Result<String> {
    within(env, "metrics", evaluation, |_, _| Ok(of_named(numbered(&codes))))
}

fn numbered(codes: &str) -> Vec<(u16, String)> {
    let named = (1001..=u16::MAX).zip(codes.split(',')).filter(|(_, code)| !code.is_empty());
    named.map(|(number, code)| (number, code.to_owned())).collect()
}
