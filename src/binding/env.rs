//! What the binding keeps for one environment: the main thread has one, and so has each worker.
//!
//! It is made when the addon is loaded, its address is the data of every raw operation, and `#[napi]` functions find it
//! by their environment. When the environment ends, every map that is still open is closed.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use napi::JsValue;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

use super::call::{Call, Elements, Engine, Js, Kept, Many};
use super::error::{Failure, Outcome, capture_panics};
use super::layout::{
    CHUNK, GENERATION, REPLACED, ROW, SCRATCH_LENGTH, SCRATCH_TTL, SHARD, SIZE, SLOT, STATE, TYPE, UNKEPT, VERSION,
    WORD,
};
use super::listener::Alarm;
use super::map::OpenMap;
use crate::store::{Error, Found, Place, Ttl, Written};

/// The state of one environment. Only the thread of that environment ever sees it.
#[derive(Default)]
pub struct Environment {
    maps: RefCell<HashMap<u32, Rc<OpenMap>, BuildHasherDefault<IdHasher>>>,
    last_id: Cell<u32>,
    attached: OnceCell<Attached>,
    /// Where values are copied to on their way out of the store.
    value_buffer: Cell<Vec<u8>>,
    /// The same for keys.
    key_buffer: Cell<Vec<u8>>,
    alarm: OnceCell<Alarm>,
}

/// What JavaScript handed over once.
struct Attached {
    scratch: *mut u32,
    make_error: Kept,
    on_wake: Kept,
    many: Many,
    /// Keeps the memory of `scratch` in place.
    _scratch_array: Kept,
}

/// Ids count up from 1, so they need no scrambling, only the high bits that the table also looks at.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32((self.0 as u32) << 8 | u32::from(*byte));
        }
    }
    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// `attach(scratch, makeError, onWake, spread, append)`: once per environment, before anything else.
pub fn attach<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let engine = call.engine;
    let scratch: Elements<'_, u32> = engine.elements(call.argument(0))?;
    if scratch.len() < SCRATCH_LENGTH {
        return Err(Failure::Misuse("the scratch array is too short"));
    }
    let attached = Attached {
        scratch: scratch.as_ptr(),
        make_error: engine.keep(call.argument(1))?,
        on_wake: engine.keep(call.argument(2))?,
        many: Many::new(engine, call.argument(3), call.argument(4))?,
        _scratch_array: engine.keep(call.argument(0))?,
    };
    let first = call.environment.attached.set(attached).is_ok();
    if first { Ok(Js::NOTHING) } else { Err(Failure::Misuse("attached already")) }
}

impl Environment {
    /// Makes the state of an environment that loads the addon, and sees to its end.
    fn create(engine: Engine<'_>) -> Outcome<Rc<Environment>> {
        let environment = Rc::new(Environment::default());
        engine.set_environment(Rc::clone(&environment))?;
        let ending = Rc::clone(&environment);
        engine.at_end(move || drop(ending.maps.take()))?;
        Ok(environment)
    }

    /// The map that was opened as `id`.
    #[inline]
    pub fn map(&self, id: u32) -> Outcome<Rc<OpenMap>> {
        self.maps.borrow().get(&id).map(Rc::clone).ok_or(Failure::Store(Error::Closed))
    }

    /// All maps that are open, with their ids.
    pub fn maps(&self) -> Vec<(u32, Rc<OpenMap>)> {
        self.maps.borrow().iter().map(|(id, map)| (*id, Rc::clone(map))).collect()
    }

    /// Takes in a map and gives its id, which no other map of this environment ever had or will have.
    pub fn add(&self, map: OpenMap) -> Outcome<u32> {
        let id = self.last_id.get().checked_add(1).ok_or(Failure::Misuse("all ids are used up"))?;
        self.last_id.set(id);
        self.maps.borrow_mut().insert(id, Rc::new(map));
        Ok(id)
    }

    /// Forgets a map; whether it was open.
    pub fn remove(&self, id: u32) -> bool {
        // Bound first, so that the map is dropped after the table is free again.
        let removed = self.maps.borrow_mut().remove(&id);
        removed.is_some()
    }

    /// The error object for a number and details.
    pub fn make_error<'s>(&self, engine: Engine<'s>, number: u16, details: &str) -> Outcome<Js<'s>> {
        let attached = self.attached.get().ok_or(Failure::Misuse("not attached"))?;
        let make_error = engine.kept(&attached.make_error)?;
        engine.call(make_error, &[engine.int(i32::from(number))?, engine.text(details.as_bytes())?])
    }

    /// What moves many values at once.
    pub fn many(&self) -> Outcome<&Many> {
        Ok(&self.attached.get().ok_or(Failure::Misuse("not attached"))?.many)
    }

    /// The function that JavaScript wants to be called when events wait.
    pub fn on_wake<'s>(&self, engine: Engine<'s>) -> Outcome<Js<'s>> {
        engine.kept(&self.attached.get().ok_or(Failure::Misuse("not attached"))?.on_wake)
    }

    /// What wakes this environment, made when first needed.
    pub fn alarm(&self, engine: Engine<'_>) -> Outcome<&Alarm> {
        if let Some(alarm) = self.alarm.get() {
            return Ok(alarm);
        }
        let alarm = Alarm::create(engine, self.on_wake(engine)?)?;
        Ok(self.alarm.get_or_init(|| alarm))
    }

    /// Room for a value, to be given back on drop.
    #[inline]
    pub fn value_buffer(&self) -> Buffer<'_> {
        Buffer { bytes: self.value_buffer.take(), home: &self.value_buffer }
    }

    /// Room for a key, to be given back on drop.
    pub fn key_buffer(&self) -> Buffer<'_> {
        Buffer { bytes: self.key_buffer.take(), home: &self.key_buffer }
    }

    /// Writes `value` to `index` of the scratch array.
    #[inline]
    pub fn note(&self, index: usize, value: u32) {
        self.note_from(index, &[value]);
    }

    #[inline]
    fn note_from<const N: usize>(&self, index: usize, values: &[u32; N]) {
        debug_assert!(index + N <= SCRATCH_LENGTH);
        if let Some(attached) = self.attached.get() {
            // SAFETY: `attach` checked the length, every index is a constant below it, and `_scratch_array` keeps the
            // memory, which lib/ never detaches. No other thread sees it, and JavaScript does not run now.
            unsafe { attached.scratch.add(index).cast::<[u32; N]>().write(*values) };
        }
    }

    /// The ttl that the running write asks for, which asks for no other.
    #[inline]
    pub fn take_ttl(&self) -> Ttl {
        let Some(attached) = self.attached.get() else { return Ttl::Default };
        // SAFETY: as in `note_from`; `layout` asserts that the place lies within the array.
        let ttl_ms = unsafe {
            let place = attached.scratch.cast::<f64>().add(SCRATCH_TTL);
            let ttl_ms = place.read_unaligned();
            place.write_unaligned(0.0);
            ttl_ms
        };
        if ttl_ms == f64::INFINITY {
            Ttl::Never
        } else if ttl_ms > 0.0 {
            Ttl::Of(ttl_ms as u64)
        } else {
            Ttl::Default
        }
    }

    /// Says that there is no such entry.
    #[inline]
    pub fn note_absent(&self) {
        self.note(STATE, 0);
    }

    /// Says what was found and where; `size` is that of the value.
    #[inline]
    pub fn note_found(&self, found: &Found, size: usize) {
        self.note_from(STATE, &row(found.kind as u32, &found.place, found.type_id, size));
    }

    /// Says where an entry is, and nothing of its value.
    #[inline]
    pub fn note_place(&self, place: &Place) {
        self.note_from(STATE, &row(0, place, 0, 0));
    }

    /// Says what was written where; `size` is that of the value.
    #[inline]
    pub fn note_written(&self, written: &Written, size: usize) {
        self.note_from(STATE, &row(0, &written.place, 0, size));
        self.note(REPLACED, u32::from(written.replaced));
    }
}

/// What a row of the scratch array or of `states` says.
#[inline]
pub fn row(state: u32, place: &Place, type_id: u32, size: usize) -> [u32; ROW] {
    let mut row = [0; ROW];
    row[STATE] = state;
    row[SHARD] = place.handle.shard;
    row[SLOT] = place.handle.slot;
    row[GENERATION] = place.handle.generation;
    row[CHUNK] = UNKEPT;
    if let Some(stamp) = place.stamp {
        row[VERSION] = stamp.version();
        row[CHUNK] = stamp.chunk();
        row[WORD] = stamp.word();
    }
    row[TYPE] = type_id;
    row[SIZE] = u32::try_from(size).unwrap_or(u32::MAX);
    row
}

/// A byte vector that is lent out, so that a read needs no allocation. A read inside a read (a getter in an array of keys
/// can cause one) finds an empty one and is slower, nothing else.
pub struct Buffer<'e> {
    bytes: Vec<u8>,
    home: &'e Cell<Vec<u8>>,
}

/// Room that a buffer may keep. One read of a huge value must not pin as much in each thread for good.
const KEPT_BYTES: usize = 1024 * 1024;

impl Deref for Buffer<'_> {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.bytes.capacity() <= KEPT_BYTES {
            self.home.set(std::mem::take(&mut self.bytes));
        }
    }
}

/// Runs the body of a `#[napi]` function as [`super::call::enter`] runs a raw operation: with the state of the calling
/// environment, safe against panics, and throwing what failed. `id` is the map it is about, or 0.
pub fn within<T>(
    env: &napi::Env,
    operation: &'static str,
    id: u32,
    body: impl FnOnce(Engine<'_>, &Environment) -> Outcome<T>,
) -> napi::Result<T> {
    let engine = Engine::of(env);
    let Ok(environment) = engine.environment() else {
        return Err(napi::Error::from_reason("the addon is not set up in this environment"));
    };
    let failure = match catch_unwind(AssertUnwindSafe(|| body(engine, &environment))) {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::from_panic(panic.as_ref()),
    };
    environment.throw(engine, failure, environment.map(id).ok().as_deref(), operation);
    // The exception is pending in the engine, so this one is only a sign to napi's glue.
    Err(napi::Error::new(napi::Status::PendingException, String::new()))
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
        .and_then(|environment| unsafe { super::hot::register(engine, exports.raw(), &environment) })
        .map_err(|failure| napi::Error::from_reason(format!("{failure:?}")))
}
