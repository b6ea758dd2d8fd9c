//! Loads of missing keys, of which there is one at a time for each key among all threads. What is said in `alarm.rs` of
//! environments that end holds here, too.

use std::sync::Arc;

use napi_derive::napi;

use crate::binding::convert::values::{Space, key};
use crate::binding::engine::{Engine, Js};
use crate::binding::environment::{Environment, OpenMap, Waiting};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    BEGUN_JOINED, BEGUN_OWNED, BEGUN_PRESENT, BEGUN_STALE, BEGUN_STALE_OWNED, ENDED_FENCED, ENDED_STORED,
    ENDED_UNSTORED, FRESHNESS_ABSENT, FRESHNESS_LOADING, FRESHNESS_OWNED, FRESHNESS_UNWATCHED, FRESHNESS_WATCHED,
    LOAD_FAILURE_NOT_OWNED, LOAD_FAILURE_OWNED, LOAD_FAILURE_UNHEARD, LOAD_TICKET, LOAD_TOKEN, NEED_NOTHING,
    NEED_OUTCOME, NOTICE, NOTICE_FAILED, NOTICE_GRANTED, NOTICE_LOADED, NOTICE_NONE, NOTICE_OVER, NOTICE_UNWANTED,
    WAKE_LOADS,
};
use crate::binding::operation::{Call, with_map, within};
use crate::store::{self, Begun, Completion, Freshness, LoadFailure, Notice, Want};

/// Has this evaluation woken when there is news of its loads, or no longer.
#[napi(catch_unwind)]
pub fn listen_loads(env: &napi::Env, id: u32, listens: bool) -> napi::Result<()> {
    within(env, "getOrLoad", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        if listens {
            map.check()?;
            sit_down(engine, &map, id)?;
        } else if let Ok(seat) = map.seat() {
            seat.clear();
        }
        map.loads_are_awaited.set(listens);
        evaluation.note_listening(engine, &map)
    })
}

fn sit_down(engine: Engine<'_>, map: &OpenMap, id: u32) -> Outcome<()> {
    map.sit_down(|| {
        let waiting = Waiting { id, what: WAKE_LOADS, number: 0 };
        Environment::of(engine)?.waker(engine, waiting)
    })
}

/// `beginLoad(id, key, ticket)`: one of BEGUN.
pub fn begin_load<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    let ticket = number(call, 2)?;
    let scratch = call.evaluation.scratch();
    let mut stale = None;
    let begun = match map.local().begin_load(key, &map.seat()?, ticket, &mut stale)? {
        Begun::Present => BEGUN_PRESENT,
        Begun::Owned(token) => {
            scratch.set_float(LOAD_TOKEN, token as f64);
            BEGUN_OWNED
        }
        Begun::Joined(ticket) => {
            scratch.set_float(LOAD_TICKET, ticket as f64);
            BEGUN_JOINED
        }
        Begun::Stale(None) => BEGUN_STALE,
        Begun::Stale(Some(token)) => {
            scratch.set_float(LOAD_TOKEN, token as f64);
            BEGUN_STALE_OWNED
        }
    };
    if let Some(stale) = stale {
        map.keep_loaded(Some(Arc::new(stale)));
    }
    call.engine.int(begun.cast_signed())
}

/// `staleValue(id)`: the value of the expired entry that `beginLoad` found; its kind in the scratch array.
pub fn stale_value<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    match map.loaded().as_deref() {
        Some(store::Outcome::Loaded { kind, bytes, .. }) => call.evaluation.give_value(call.engine, *kind, bytes),
        _ => Err(Failure::Misuse("there is no stale value")),
    }
}

/// `beginRefresh(id, key, ticket, afterMs)`: one of FRESHNESS.
pub fn begin_refresh<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    // It is not woken before it has loads.
    sit_down(call.engine, &map, call.number(0)?)?;
    let freshness = match map.local().begin_refresh(key, number(call, 3)?, &map.seat()?, number(call, 2)?)? {
        Freshness::Absent => FRESHNESS_ABSENT,
        Freshness::Fresh { is_watched: true } => FRESHNESS_WATCHED,
        Freshness::Fresh { is_watched: false } => FRESHNESS_UNWATCHED,
        Freshness::Loading => FRESHNESS_LOADING,
        Freshness::Owned(token) => {
            call.evaluation.scratch().set_float(LOAD_TOKEN, token as f64);
            FRESHNESS_OWNED
        }
    };
    call.engine.int(freshness.cast_signed())
}

/// `completeLoad(id, key, value, kind, token, isStored, refreshMs, staleMs)`: one of ENDED; where it was stored in the
/// scratch array.
pub fn complete_load<'s>(call: &Call<'s, 8>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let (mut key_space, mut value_space) = (Space::default(), Space::default());
    let key = key(call.engine, call.argument(1), &mut key_space)?;
    let value = call.value(2, &mut value_space)?;
    let is_stored = call.number(5)? != 0;
    let refresh_ms = Some(number(call, 6)?).filter(|&after_ms| after_ms > 0);
    let stale_ms = Some(number(call, 7)?).filter(|&stale_ms| stale_ms > 0);
    let completion = Completion { key, token: number(call, 4)?, value, is_stored, ttl, refresh_ms, stale_ms };
    let mut written = None;
    let was_owned = map.local().complete_load(&completion, &mut written)?;
    let ended = match &written {
        _ if !was_owned => ENDED_FENCED,
        None => ENDED_UNSTORED,
        Some(written) => {
            call.evaluation.note_written(written, value.bytes.len());
            ENDED_STORED
        }
    };
    call.engine.int(ended.cast_signed())
}

/// `failLoad(id, key, token, reason)`: what became of it, one of `LOAD_FAILURE`.
pub fn fail_load<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    let reason = String::from_utf16_lossy(&call.engine.utf16(call.argument(3))?).into_bytes();
    let failure = match map.local().fail_load(key, number(call, 2)?, reason)? {
        LoadFailure::NotOwned => LOAD_FAILURE_NOT_OWNED,
        LoadFailure::Owned => LOAD_FAILURE_OWNED,
        LoadFailure::Unheard => LOAD_FAILURE_UNHEARD,
    };
    call.engine.int(failure.cast_signed())
}

/// Says that a loader runs for so many milliseconds and has not ended; whether something was told of it.
#[napi(catch_unwind)]
pub fn note_running_load(env: &napi::Env, id: u32, ms: f64) -> napi::Result<bool> {
    with_map(env, "getOrLoad", id, |map| Ok(map.store().note_running_load(ms)))
}

/// `wantLoad(id, key, ticket, need, token)`: whether the loader with this token is the one that counts.
pub fn want_load<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    let want = match call.number(3)? {
        NEED_NOTHING => Want::Nothing,
        NEED_OUTCOME => Want::Outcome,
        _ => Want::Turn,
    };
    call.engine.boolean(map.local().want_load(key, &map.seat()?, number(call, 2)?, want, number(call, 4)?)?)
}

/// `takeLoad(id)`: takes out the oldest notice of a load. What it is stands in the scratch array as NOTICE, and the
/// load's ticket; the value or the reason is the result.
pub fn take_load<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let evaluation = call.evaluation;
    let note = |notice, ticket: u64| {
        evaluation.note(NOTICE, notice);
        evaluation.scratch().set_float(LOAD_TICKET, ticket as f64);
    };
    match map.seat()?.take() {
        None => note(NOTICE_NONE, 0),
        Some(Notice::Over) => note(NOTICE_OVER, 0),
        Some(Notice::Unwanted(ticket)) => note(NOTICE_UNWANTED, ticket),
        Some(Notice::Granted(ticket, token)) => {
            note(NOTICE_GRANTED, ticket);
            evaluation.scratch().set_float(LOAD_TOKEN, token as f64);
        }
        Some(Notice::Ended(ticket, outcome)) => match &*outcome {
            store::Outcome::Loaded { kind, bytes, shape } => {
                note(NOTICE_LOADED, ticket);
                // Known until JavaScript has read it.
                map.keep_loaded(shape.is_some().then(|| Arc::clone(&outcome)));
                return evaluation.give_value(call.engine, *kind, bytes);
            }
            store::Outcome::Failed(reason) => {
                note(NOTICE_FAILED, ticket);
                return call.engine.text(reason);
            }
            store::Outcome::Refused(error) => {
                note(NOTICE_FAILED, ticket);
                return Err(Failure::Store(error.clone()));
            }
        },
    }
    Ok(Js::NOTHING)
}

/// A number of a ticket or token, which both count from 1.
fn number<const N: usize>(call: &Call<'_, N>, at: usize) -> Outcome<u64> {
    Ok(call.engine.f64(call.argument(at))? as u64)
}
