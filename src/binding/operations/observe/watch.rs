//! Looking at a named map without holding it open.

use napi_derive::napi;

use crate::binding::layout::MARKING_NONE;
use crate::binding::operation::within;
use crate::binding::operations::lifecycle::Opened;
use crate::store::{Level, registry};

/// Watches the map of this name, and its log lines of `level` (0 trace to 4 error, 5 none) and above that are about
/// `targets` (a bit for each number of TARGET), without holding it open: it ends with its last holder. Nothing if no
/// thread has such a map. The id can be used within a visit.
#[napi(catch_unwind)]
pub fn watch(env: &napi::Env, evaluation: u32, name: String, level: u32, targets: u32) -> napi::Result<Option<Opened>> {
    within(env, "watch", evaluation, |_, evaluation| {
        let Some(store) = registry::find(&name) else { return Ok(None) };
        let id = evaluation.watch(&store, Level::from_number(level), targets)?;
        Ok(Some(Opened { marking: MARKING_NONE, ..Opened::of(id, &store) }))
    })
}

/// Opens a watched map until `leave`, in the same turn of the event loop. Whether it is still there.
#[napi(catch_unwind)]
pub fn visit(env: &napi::Env, id: u32) -> napi::Result<bool> {
    within(env, "visit", id, |_, evaluation| Ok(evaluation.visit(id)))
}

/// Ends a visit.
#[napi(catch_unwind)]
pub fn leave(env: &napi::Env, id: u32) -> napi::Result<()> {
    within(env, "leave", id, |_, evaluation| {
        evaluation.leave(id);
        Ok(())
    })
}

/// Ends a watch.
#[napi(catch_unwind)]
pub fn unwatch(env: &napi::Env, id: u32) -> napi::Result<()> {
    within(env, "unwatch", id, |_, evaluation| {
        evaluation.unwatch(id);
        Ok(())
    })
}
