//! Queries that jobs of the pool ask of a whole map. `pending.rs` wakes JavaScript when one has its answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use napi_derive::napi;

use crate::binding::convert::values::{Space, key};
use crate::binding::engine::{Engine, Js};
use crate::binding::environment::{Environment, Evaluation, OpenMap};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::operation::{Call, with_map, within};
use crate::binding::operations::pending;
use crate::store;
use crate::store::{Answer, Handle, Inquiry, Query, Task};

/// Numbers of a handle in the table of [`take_handles`].
const HANDLE_ROW: usize = 3;

/// A job that a promise waits for.
struct Asked {
    inquiry: Inquiry,
    /// Handles that it has found, those before `taken` taken already.
    handles: RefCell<Option<Vec<Handle>>>,
    taken: Cell<usize>,
}

/// How far a job is.
#[napi(object)]
pub struct JobProgress {
    /// Entries that were looked at.
    pub seen: f64,
    /// Entries that were found.
    pub found: f64,
    /// Entries that are in the map.
    pub total: f64,
}

/// Counts the entries that a query asks for, of a type if one is named. Returns the number of the promise; throws 1028
/// if the JSON text is no query.
#[napi(catch_unwind)]
pub fn ask_count(env: &napi::Env, id: u32, query: String, of_type: Option<String>) -> napi::Result<u32> {
    ask(env, "count", id, &query, of_type.as_deref(), Task::Count)
}

/// The same for their handles, of which it finds at most `most`.
#[napi(catch_unwind)]
pub fn ask_find(env: &napi::Env, id: u32, query: String, of_type: Option<String>, most: f64) -> napi::Result<u32> {
    ask(env, "find", id, &query, of_type.as_deref(), Task::Find { most: most as usize })
}

/// The same, and deletes them.
#[napi(catch_unwind)]
pub fn ask_delete(env: &napi::Env, id: u32, query: String, of_type: Option<String>) -> napi::Result<u32> {
    ask(env, "deleteWhere", id, &query, of_type.as_deref(), Task::Delete)
}

/// `askDeletePrefix(id, prefix)`: the same for entries whose keys are strings that begin so.
pub fn ask_delete_prefix<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let mut space = Space::default();
    let (map, id) = (call.map()?, call.number(0)?);
    let query = Query::of_prefix(map.store(), key(call.engine, call.argument(1), &mut space)?)?;
    let evaluation = Environment::of(call.engine)?.evaluation(id).ok_or(Failure::Misuse("there is no such map"))?;
    let number = begin(call.engine, &evaluation, &map, id, query, None, Task::Delete)?;
    call.engine.float(f64::from(number))
}

fn ask(
    env: &napi::Env,
    operation: &'static str,
    id: u32,
    query: &str,
    of_type: Option<&str>,
    task: Task,
) -> napi::Result<u32> {
    within(env, operation, id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        let query = Query::parse_for(map.store(), query.as_bytes())?;
        begin(engine, evaluation, &map, id, query, of_type, task)
    })
}

fn begin(
    engine: Engine<'_>,
    evaluation: &Rc<Evaluation>,
    map: &OpenMap,
    id: u32,
    query: Query,
    of_type: Option<&str>,
    task: Task,
) -> Outcome<u32> {
    pending::begin(engine, evaluation, id, |notice| {
        let inquiry = store::ask(map.store(), query, of_type, task, notice)?;
        Ok(Asked { inquiry, handles: RefCell::default(), taken: Cell::default() })
    })
}

/// How far a job is.
#[napi(catch_unwind)]
pub fn job_progress(env: &napi::Env, id: u32, number: u32) -> napi::Result<JobProgress> {
    with_map(env, "onProgress", id, |map| {
        let progress = map.pending.get::<Asked>(number)?.inquiry.progress();
        let [seen, found, total] = [progress.seen, progress.found, map.store().len()].map(|count| count as f64);
        Ok(JobProgress { seen, found, total })
    })
}

/// How many entries a job has found, once notice was given of it.
#[napi(catch_unwind)]
pub fn take_answer(env: &napi::Env, id: u32, number: u32) -> napi::Result<f64> {
    with_map(env, "count", id, |map| Ok(answer(map, &*asked(map, number)?)?.found as f64))
}

/// `takeHandles(id, number, table)`: the next handles that a job has found, once notice was given of it.
pub fn take_handles<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let asked = asked(&map, call.number(1)?)?;
    let table = call.engine.elements::<u32>(call.argument(2), call.evaluation.many())?;
    let mut handles = asked.handles.borrow_mut();
    let handles = match &mut *handles {
        Some(handles) => handles,
        none => none.insert(answer(&map, &asked)?.handles),
    };
    let (from, most) = (asked.taken.get(), table.len() / HANDLE_ROW);
    let next = &handles[from..handles.len().min(from + most)];
    for (row, handle) in next.iter().enumerate() {
        table.set_row(row * HANDLE_ROW, &[handle.shard, handle.slot, handle.generation]);
    }
    asked.taken.set(from + next.len());
    call.engine.float(next.len() as f64)
}

fn asked(map: &OpenMap, number: u32) -> Outcome<Rc<Asked>> {
    // A map that was destroyed gives notice of jobs that have no answer.
    map.check()?;
    map.pending.get(number)
}

fn answer(map: &OpenMap, asked: &Asked) -> Outcome<Answer> {
    let answer = asked.inquiry.take()?;
    // What destroys the map may do so right now.
    map.check()?;
    answer.ok_or_else(|| Failure::Panic("a job of the map failed".to_owned()))
}
