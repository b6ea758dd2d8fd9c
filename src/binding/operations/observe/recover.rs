//! `recover()` on its way to JavaScript: a promise that a job of the pool settles.

use std::sync::Arc;

use napi_derive::napi;
use serde_json::json;

use crate::binding::failure::Failure;
use crate::binding::operation::{with_map, within};
use crate::binding::operations::pending;
use crate::store::Attempt;

/// What a promise waits for.
struct Recovering(Arc<Attempt>);

/// Recovers a broken map; has nothing to do with any other. Returns the number of the promise.
#[napi(catch_unwind)]
pub fn recover(env: &napi::Env, id: u32) -> napi::Result<u32> {
    within(env, "recover", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        pending::begin(engine, evaluation, id, |notice| Ok(Recovering(map.store().recover(notice)?)))
    })
}

/// What the recovery came to, once notice was given of it, as JSON text: `recovered`, `dropped`, `expired` (entries),
/// `leakedBytes`, `timeMs`.
#[napi(catch_unwind)]
pub fn take_recovery(env: &napi::Env, id: u32, number: u32) -> napi::Result<String> {
    with_map(env, "recover", id, |map| {
        let Some(outcome) = map.pending.get::<Recovering>(number)?.0.outcome() else {
            // A map that was destroyed gives notice of what is under way.
            map.check()?;
            return Err(Failure::Misuse("the recovery is under way"));
        };
        let recovered = outcome?;
        let mut told = recovered.tally.json();
        told["timeMs"] = json!(recovered.time_ms);
        Ok(told.to_string())
    })
}
