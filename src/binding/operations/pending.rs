//! Promises of an open map that native code settles, on their way to JavaScript (`lib/session/pending.js`).

use napi_derive::napi;

use crate::binding::engine::Engine;
use crate::binding::environment::{Environment, Evaluation, Notice, Waiting};
use crate::binding::failure::Outcome;
use crate::binding::layout::WAKE_PENDING;
use crate::binding::operation::within;
use std::rc::Rc;
use std::sync::Arc;

/// Numbers that one call takes.
const TAKEN_AT_ONCE: usize = 1_024;

/// Begins a promise of the map `id` with what `start` makes of its notice, and returns its number.
pub fn begin<T: 'static>(
    engine: Engine<'_>,
    evaluation: &Rc<Evaluation>,
    id: u32,
    start: impl FnOnce(Arc<Notice>) -> Outcome<T>,
) -> Outcome<u32> {
    let map = evaluation.map(id)?;
    let waker = || Environment::of(engine)?.waker(engine, Waiting { id, what: WAKE_PENDING, number: 0 });
    let number = map.pending.begin(map.store(), waker, start)?;
    evaluation.note_listening(engine, &map)?;
    Ok(number)
}

/// Takes the numbers of promises of which notice was given, some at a time: an empty array says that there are no more.
#[napi(catch_unwind)]
pub fn take_notices(env: &napi::Env, id: u32) -> napi::Result<Vec<u32>> {
    within(env, "takeNotices", id, |_, evaluation| {
        let map = evaluation.map(id)?;
        Ok(map.pending.take(TAKEN_AT_ONCE, map.is_destroyed()))
    })
}

/// Ends a promise, and cancels what it waits for.
#[napi(catch_unwind)]
pub fn end_pending(env: &napi::Env, id: u32, number: u32) -> napi::Result<()> {
    within(env, "endPending", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        map.pending.end(number);
        evaluation.note_listening(engine, &map)
    })
}
