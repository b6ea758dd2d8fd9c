//! `validate()` on its way to JavaScript: one look at all of a map, a slice in each call.

use napi_derive::napi;
use serde_json::{Value as Json, json};

use crate::binding::operation::with_map;
use crate::store::{Next, Problem};

/// What a step of a validation came to.
#[napi(object)]
pub struct Validated {
    /// Whether there are more steps.
    pub goes_on: bool,
    /// Whether the next one should wait a millisecond, because something is being freed.
    pub waits: bool,
    /// Problems as JSON text, after the last step.
    pub problems: Option<String>,
}

/// Starts a validation, and returns its number.
#[napi(catch_unwind)]
pub fn start_validation(env: &napi::Env, id: u32) -> napi::Result<u32> {
    with_map(env, "validate", id, |map| {
        map.check()?;
        Ok(map.start_validation())
    })
}

/// Does its next step, a fraction of a millisecond. After the last one, or an error, its number means nothing any more.
#[napi(catch_unwind)]
pub fn step_validation(env: &napi::Env, id: u32, number: u32) -> napi::Result<Validated> {
    with_map(env, "validate", id, |map| {
        let (next, problems) = map.step_validation(number)?;
        let told = (next == Next::Stop).then(|| problems.iter().map(to_json).collect::<Json>().to_string());
        Ok(Validated { goes_on: next != Next::Stop, waits: next == Next::Wait, problems: told })
    })
}

fn to_json(problem: &Problem) -> Json {
    json!({ "shard": problem.shard, "slot": problem.slot, "what": problem.what })
}
