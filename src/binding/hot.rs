//! The operations that are called often, one entry at a time. Each converts, calls the store once and converts back; what
//! it says besides its result goes to the scratch array. The signatures are in `raw.d.ts`.

use std::ffi::CStr;
use std::rc::Rc;

use napi::sys;

use super::call::{CHUNK, Engine, Js, JsType, enter_first};
use super::convert::{Space, key, key_to_js, kind, value, value_to_js};
use super::error::{Failure, Outcome};
use super::evaluation::{Evaluation, row};
use super::layout::{STATE, WALK_ROW, WANT_KEYS, WANT_VALUES};
use super::map::OpenMap;
use super::operation::{Call, enter};
use super::{batch, entry, env, removals, shared_words};
use crate::store::{Found, KeyKind, MAX_TYPE_NAME_BYTES, TypeHold, Value, ValueKind, Written, check_name};

/// The callback of a raw operation: its name in JavaScript, how many arguments, the function. The name is also the one that
/// errors and events carry.
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
pub fn register_first(engine: Engine<'_>, exports: Js<'_>) -> Outcome<()> {
    let (name, entry) = callback!(enter_first "attach" 5 env::attach);
    engine.export(exports, name, entry)?;
    let (name, entry) = callback!(enter_first "atRoot" 1 env::at_root);
    engine.export(exports, name, entry)?;
    let (name, entry) = callback!(enter_first "share" 1 env::share);
    engine.export(exports, name, entry)
}

/// Adds the raw operations of an evaluation to `target`. Each of them keeps the state of the evaluation, and `kept`.
pub fn register(engine: Engine<'_>, target: Js<'_>, evaluation: &Rc<Evaluation>, kept: Js<'_>) -> Outcome<()> {
    macro_rules! register {
        ($($name:literal $arguments:literal $run:path;)+) => {$({
            let (name, entry) = callback!(enter $name $arguments $run);
            let function = engine.function_of(name, entry, evaluation)?;
            engine.bind(function, c"kept", kept)?;
            engine.set_property(target, name, function)?;
        })+};
    }
    register! {
        "get" 2 get;
        "getByHandle" 4 get_by_handle;
        "has" 2 has;
        "hasHandle" 4 has_handle;
        "getHandle" 2 get_handle;
        "size" 1 size;
        "set" 4 set;
        "getOrInsert" 4 get_or_insert;
        "insert" 4 insert;
        "replace" 6 replace;
        "delete" 2 delete;
        "deleteHandle" 4 delete_handle;
        "remove" 2 remove;
        "removeHandle" 4 remove_handle;
        "walk" 6 walk;
        "peek" 2 entry::peek;
        "peekHandle" 4 entry::peek_handle;
        "ttlOf" 2 entry::ttl_of;
        "ttlOfHandle" 4 entry::ttl_of_handle;
        "touch" 2 entry::touch;
        "touchHandle" 4 entry::touch_handle;
        "weight" 2 entry::weight;
        "weightHandle" 4 entry::weight_handle;
        "evictEntry" 4 entry::evict_entry;
        "candidates" 3 entry::candidates;
        "takeRemovals" 4 removals::take_removals;
        "getMany" 3 batch::get_many;
        "setMany" 4 batch::set_many;
        "updateMany" 4 batch::update_many;
        "insertMany" 5 batch::insert_many;
        "deleteMany" 3 batch::delete_many;
        "words" 2 shared_words::words;
        "hitLog" 1 shared_words::hit_log;
        "replayHits" 1 shared_words::replay_hits;
        "panicForTest" 1 panic_for_test;
    }
    Ok(())
}

impl Evaluation {
    /// Gives what was found to JavaScript: the value as result, the rest in the scratch array.
    #[inline]
    pub(super) fn give<'s>(&self, engine: Engine<'s>, found: Option<&Found>, bytes: &[u8]) -> Outcome<Js<'s>> {
        let Some(found) = found else {
            self.note_absent();
            return Ok(Js::NOTHING);
        };
        self.note_found(found, bytes.len());
        value_to_js(engine, found.kind, bytes)
    }

    #[inline]
    fn give_written(&self, written: &Written, value: Value<'_>) -> Js<'static> {
        self.note_written(written, value.bytes.len());
        Js::NOTHING
    }
}

fn get<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().get(key, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

fn get_by_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().get_by_handle(call.handle()?, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

fn has<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    call.engine.boolean(map.local().has(key)?)
}

fn has_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    call.engine.boolean(call.map()?.local().has_handle(call.handle()?)?)
}

fn get_handle<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let place = map.local().place_of(key(call.engine, call.argument(1), &mut space)?)?;
    if let Some(place) = &place {
        call.evaluation.note_place(place);
    }
    call.engine.boolean(place.is_some())
}

fn size<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    map.check()?;
    call.engine.float(map.local().len() as f64)
}

fn set<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let (mut key_space, mut value_space) = (Space::default(), Space::default());
    let key = key(call.engine, call.argument(1), &mut key_space)?;
    let value = value(call.engine, call.argument(2), kind(call.number(3)?)?, &mut value_space)?;
    Ok(call.evaluation.give_written(&map.local().set(key, value, ttl)?, value))
}

fn get_or_insert<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let (mut key_space, mut value_space) = (Space::default(), Space::default());
    let key = key(call.engine, call.argument(1), &mut key_space)?;
    let value = value(call.engine, call.argument(2), kind(call.number(3)?)?, &mut value_space)?;
    let mut out = call.evaluation.value_buffer();
    let (found, written) = map.local().get_or_insert(key, value, ttl, &mut out)?;
    if let Some(written) = written {
        return Ok(call.evaluation.give_written(&written, value));
    }
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// The type that `js` names, `None` for `undefined`. Its number means the name as long as the answer lives.
pub(super) fn hold_type(engine: Engine<'_>, map: &OpenMap, js: Js<'_>) -> Outcome<Option<TypeHold>> {
    if engine.type_of(js)? == JsType::Undefined {
        return Ok(None);
    }
    let units = engine.utf16(js)?;
    check_name("type", units.len(), MAX_TYPE_NAME_BYTES)?;
    let name = String::from_utf16_lossy(&units);
    Ok(Some(map.local().hold_type(&name)?))
}

fn insert<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let mut space = Space::default();
    let value = value(call.engine, call.argument(1), kind(call.number(2)?)?, &mut space)?;
    let held = hold_type(call.engine, &map, call.argument(3))?;
    let type_id = held.as_ref().map_or(0, TypeHold::id);
    Ok(call.evaluation.give_written(&map.local().insert(value, type_id, ttl)?, value))
}

fn replace<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let mut space = Space::default();
    let value = value(call.engine, call.argument(4), kind(call.number(5)?)?, &mut space)?;
    Ok(call.evaluation.give_written(&map.local().replace(call.handle()?, value, ttl)?, value))
}

fn delete<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    call.engine.boolean(map.local().delete(key)?)
}

fn delete_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    call.engine.boolean(call.map()?.local().delete_handle(call.handle()?)?)
}

fn remove<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().remove(key, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

fn remove_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut out = call.evaluation.value_buffer();
    let found = map.local().remove_handle(call.handle()?, &mut out)?;
    call.evaluation.give(call.engine, found.as_ref(), &out)
}

/// A walk ends after the entry with which it has come to so many bytes: 50 µs of copying. What was fetched and is not visited is
/// wasted, and whoever asks for one entry should not pay for 256 of any size.
const WALK_BYTES: usize = 256 * 1_024;

/// `walk(id, after, count, want, states, sequences)`: the next entries after a sequence, at most `count` and as many as fit into
/// [`WALK_BYTES`], but at least one if there is any. Two cells for each, its row in `states`, its sequence in `sequences`, and how
/// many there are as STATE.
fn walk<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let mut after = engine.f64(call.argument(1))? as u64;
    let want = call.number(3)?;
    let states = engine.elements::<u32>(call.argument(4), many)?;
    let sequences = engine.elements::<f64>(call.argument(5), many)?;
    let count = (call.number(2)? as usize).min(states.len() / WALK_ROW).min(sequences.len());
    if count == 0 {
        return Err(Failure::Misuse("there is no room for an entry"));
    }
    let cells = engine.array()?;
    let (mut key_out, mut value_out) = (call.evaluation.key_buffer(), call.evaluation.value_buffer());
    let (mut steps, mut done, mut bytes) = (Vec::new(), 0, 0);
    // All entries of a stretch may be gone by the time they are read. Only a stretch without entries is the end.
    while done == 0 {
        map.local().walk(after, count, &mut steps)?;
        let Some(last) = steps.last() else { break };
        after = last.sequence;
        for steps in steps.chunks(CHUNK / 2) {
            engine.scoped(|engine| {
                let mut read = Vec::with_capacity(steps.len() * 2);
                for step in steps {
                    if bytes >= WALK_BYTES {
                        break;
                    }
                    let entry = if want & WANT_VALUES == 0 {
                        map.local().read_key(step.handle, &mut key_out)?
                    } else {
                        let entry = map.local().read_step(step.handle, &mut key_out, &mut value_out)?;
                        entry.map(|(key_kind, found)| (key_kind, found, value_out.len()))
                    };
                    let Some((key_kind, found, value_bytes)) = entry else { continue };
                    bytes += key_out.len() + if want & WANT_VALUES == 0 { 0 } else { value_bytes };
                    let mut entry = [0; WALK_ROW];
                    let words = row(found.kind as u32, &found.place, found.type_id, value_bytes);
                    entry[..WALK_ROW - 1].copy_from_slice(&words);
                    entry[WALK_ROW - 1] = key_kind as u32;
                    states.set(done * WALK_ROW, &entry);
                    sequences.set(done, &[step.sequence as f64]);
                    let key_kind = if want & WANT_KEYS == 0 { KeyKind::Keyless } else { key_kind };
                    read.push(key_to_js(engine, key_kind, &key_out)?);
                    let value_kind = if want & WANT_VALUES == 0 { ValueKind::Undefined } else { found.kind };
                    read.push(value_to_js(engine, value_kind, &value_out)?);
                    done += 1;
                }
                many.append(engine, cells, &read)
            })?;
        }
    }
    call.evaluation.note(STATE, done as u32);
    Ok(cells)
}

/// Panics under a lock of the map on purpose. It is the way to see that a panic arrives as an error, that the map refuses
/// further use, and that the process lives; nothing in lib/ calls it.
fn panic_for_test<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    call.map()?.local().panic_for_test()?;
    Ok(Js::NOTHING)
}
