//! What the addon exports: `#[napi]` functions do so themselves, raw operations are listed here. `raw.d.ts` has their
//! signatures.

use std::ffi::CStr;
use std::rc::Rc;

use napi::bindgen_prelude::Object;
use napi::{JsValue, sys};
use napi_derive::napi;

use crate::binding::engine::{Engine, Js, enter_first};
use crate::binding::environment::{Environment, Evaluation, Scratch};
use crate::binding::failure::{Outcome, capture_panics};
use crate::binding::operation::enter;
use crate::binding::operations::observe::{changes, distribution, explain, hot_keys, removals, stats};
use crate::binding::operations::write;
use crate::binding::operations::{
    ask, atomic, batch, field, for_tests, lifetime, limits, load, read, scan, shared_words, transaction, typed, walk,
};

/// The callback of a raw operation: its name in JavaScript, how many arguments, the function. The name is also the one
/// that errors and events carry.
macro_rules! callback {
    ($enter:ident $name:literal $arguments:literal $run:path) => {{
        /// Called by the engine.
        unsafe extern "C" fn entry(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
            // SAFETY: called by the engine with what is its own, and with the data that the function was made with.
            unsafe { $enter::<$arguments>(env, info, $name, $run) }
        }
        const NAME: &CStr = match CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => panic!("a name with a zero in it"),
        };
        (NAME, entry)
    }};
}

/// Adds the raw operations that need no evaluation to the exports.
fn register_first(engine: Engine<'_>, exports: Js<'_>) -> Outcome<()> {
    let (name, entry) = callback!(enter_first "attach" 5 attach);
    engine.export(exports, name, entry)?;
    let (name, entry) = callback!(enter_first "atRoot" 1 at_root);
    engine.export(exports, name, entry)?;
    let (name, entry) = callback!(enter_first "share" 1 share);
    engine.export(exports, name, entry)
}

/// Adds the raw operations of an evaluation to `target`. Each of them keeps the state of the evaluation, and `kept`.
fn register(engine: Engine<'_>, target: Js<'_>, evaluation: &Rc<Evaluation>, kept: Js<'_>) -> Outcome<()> {
    macro_rules! register {
        ($($name:literal $arguments:literal $run:path;)+) => {$({
            let (name, entry) = callback!(enter $name $arguments $run);
            let function = engine.function_of(name, entry, evaluation)?;
            engine.bind(function, c"kept", kept)?;
            engine.set_property(target, name, function)?;
        })+};
    }
    register! {
        "get" 2 read::get;
        "getByHandle" 4 read::get_by_handle;
        "has" 2 read::has;
        "hasHandle" 4 read::has_handle;
        "getHandle" 2 read::get_handle;
        "isOneKey" 3 read::is_one_key;
        "size" 1 read::size;
        "set" 4 write::set;
        "getOrInsert" 4 write::get_or_insert;
        "insert" 4 write::insert;
        "replace" 6 write::replace;
        "increment" 2 atomic::increment;
        "incrementByHandle" 4 atomic::increment_by_handle;
        "incrementBigInt" 8 atomic::increment_big_int;
        "incrementAt" 5 atomic::increment_at;
        "getVersion" 4 atomic::get_version;
        "peekVersion" 4 atomic::peek_version;
        "replaceIf" 7 atomic::replace_if;
        "removeIf" 5 atomic::remove_if;
        "beginLoad" 3 load::begin_load;
        "beginRefresh" 4 load::begin_refresh;
        "staleValue" 1 load::stale_value;
        "completeLoad" 8 load::complete_load;
        "failLoad" 4 load::fail_load;
        "wantLoad" 5 load::want_load;
        "takeLoad" 1 load::take_load;
        "compareAndSet" 8 atomic::compare_and_set;
        "transactionGet" 5 transaction::get;
        "transactionHas" 5 transaction::has;
        "transactionSet" 7 transaction::set;
        "transactionDelete" 5 transaction::delete;
        "transactionInsert" 5 transaction::insert;
        "transactionIncrement" 5 transaction::increment;
        "transactionIncrementBigInt" 9 transaction::increment_big_int;
        "transactionIsValid" 2 transaction::is_valid;
        "transactionConflicts" 2 transaction::conflicts;
        "transactionEnd" 2 transaction::end;
        "commit" 3 transaction::commit;
        "commitWord" 1 shared_words::commit_word;
        "addNearHits" 2 stats::add_near_hits;
        "delete" 4 write::delete;
        "remove" 4 write::remove;
        "getOfType" 5 typed::get;
        "hasOfType" 5 typed::has;
        "setOfType" 7 typed::set;
        "deleteOfType" 5 typed::delete;
        "sizeOfType" 2 typed::size;
        "walk" 6 walk::walk;
        "scan" 7 scan::scan;
        "draw" 5 scan::draw;
        "takeHandles" 3 ask::take_handles;
        "askDeletePrefix" 2 ask::ask_delete_prefix;
        "field" 6 field::field;
        "peek" 4 read::peek;
        "ttlOf" 4 lifetime::ttl_of;
        "touch" 4 lifetime::touch;
        "keyOf" 4 distribution::key_of;
        "sampleNear" 4 hot_keys::sample_near;
        "explain" 4 explain::explain;
        "weight" 4 limits::weight;
        "evictEntry" 4 limits::evict_entry;
        "candidates" 3 limits::candidates;
        "takeRemovals" 4 removals::take_removals;
        "listenChanges" 3 changes::listen_changes;
        "takeChanges" 5 changes::take_changes;
        "endChanges" 2 changes::end_changes;
        "getMany" 3 batch::get_many;
        "setMany" 4 batch::set_many;
        "updateMany" 4 batch::update_many;
        "insertMany" 5 batch::insert_many;
        "deleteMany" 3 batch::delete_many;
        "hasMany" 3 batch::has_many;
        "words" 2 shared_words::words;
        "changes" 1 shared_words::changes;
        "hitLog" 1 shared_words::hit_log;
        "replayHits" 1 shared_words::replay_hits;
        "matchesForTest" 3 for_tests::matches_for_test;
        "panicForTest" 1 for_tests::panic_for_test;
    }
    Ok(())
}

/// `attach(makeError, onWake, spread, append, shared)`: once per evaluation. The result has the raw operations as its
/// properties, `scratch`, and `evaluation`, the number of the evaluation.
fn attach<'s>(engine: Engine<'s>, given: &[Js<'s>; 5]) -> Outcome<Js<'s>> {
    let environment = Environment::of(engine)?;
    let (scratch, scratch_array) = Scratch::create(engine)?;
    let evaluation = environment.add_evaluation(engine, scratch, given)?;
    let operations = engine.object()?;
    engine.set_property(operations, c"evaluation", engine.float(f64::from(evaluation.number()))?)?;
    engine.set_property(operations, c"scratch", scratch_array)?;
    let kept = engine.array()?;
    for (index, value) in given.iter().chain([&scratch_array]).enumerate() {
        engine.set_element(kept, index, *value)?;
    }
    engine.freeze(kept)?;
    register(engine, operations, &evaluation, kept)?;
    Ok(operations)
}

/// `atRoot(job)`: calls a function outside of every async context.
fn at_root<'s>(engine: Engine<'s>, given: &[Js<'s>; 1]) -> Outcome<Js<'s>> {
    let [job] = *given;
    engine.at_root(|engine| engine.call(job, &[]).map(|_| Js::NOTHING))
}

/// `share(value)`: the first value shared in this thread that can still be reached; `value` if there is none. So
/// objects of one evaluation are known to the others.
fn share<'s>(engine: Engine<'s>, given: &[Js<'s>; 1]) -> Outcome<Js<'s>> {
    Environment::of(engine)?.share(engine, given[0])
}

/// Sets the addon up in an environment that loads it.
#[napi(module_exports)]
pub fn set_up(exports: Object, env: &napi::Env) -> napi::Result<()> {
    capture_panics();
    // While a program loads it waits anyway; its first read should not.
    crate::store::prepare();
    // The image must stay when the worker that loaded it ends: other threads hold function pointers into it. Linking
    // with `-z nodelete` says the same, but only where the linker knows it.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    let engine = Engine::of(env);
    Environment::create(engine)
        // SAFETY: the engine has just passed these exports to this callback.
        .and_then(|()| register_first(engine, unsafe { Js::from_raw(exports.raw()) }))
        .map_err(|failure| napi::Error::from_reason(format!("{failure:?}")))
}
