//! The one wrapper around raw Node-API calls.
//!
//! A raw operation is an ordinary Rust function from a [`Call`] to an [`Outcome`]. [`enter`] stands between it and the
//! engine: it collects the arguments, catches a panic, and turns a failure into a JavaScript exception. [`Engine`] makes
//! and reads JavaScript values; whoever holds one is inside a call, on the thread that owns the environment.
//!
//! Which calls can run JavaScript: [`Engine::element`], [`Engine::set_element`] and [`Engine::call`]. No other does, so
//! bytes borrowed from an `ArrayBuffer` with [`Engine::bytes`] stay put until one of these.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::sys::{self, Status};

use super::env::Environment;
use super::error::{Failure, Outcome};

/// The engine during one call.
///
/// Invariant: `env` is alive and belongs to the running thread for as long as `'s`, because an `Engine` is only made
/// from the environment that the engine passed to a callback, and lives no longer than that callback.
#[derive(Clone, Copy)]
pub struct Engine<'s> {
    env: sys::napi_env,
    scope: PhantomData<&'s ()>,
}

/// A JavaScript value, alive for the call that it came with.
///
/// Invariant: made by the engine in the same scope, or null, which Node-API takes for `undefined` as a result.
#[derive(Clone, Copy)]
pub struct Js<'s> {
    raw: sys::napi_value,
    scope: PhantomData<&'s ()>,
}

impl Js<'_> {
    /// What an operation returns that has nothing to return.
    pub const NOTHING: Js<'static> = Js { raw: ptr::null_mut(), scope: PhantomData };

    /// A value in a callback.
    ///
    /// # Safety
    ///
    /// `raw` was passed by the engine to the running callback, with which its life ends.
    pub unsafe fn from_raw(raw: sys::napi_value) -> Self {
        Js { raw, scope: PhantomData }
    }
}

/// What a JavaScript value is, as far as keys and values need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsType {
    /// `undefined`.
    Undefined,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// A symbol.
    Symbol,
    /// An object that is not a function.
    Object,
    /// A function.
    Function,
    /// A bigint.
    BigInt,
}

impl JsType {
    /// The word that `typeof` gives, for messages.
    pub fn name(self) -> &'static str {
        match self {
            JsType::Undefined => "undefined",
            JsType::Null => "null",
            JsType::Boolean => "boolean",
            JsType::Number => "number",
            JsType::String => "string",
            JsType::Symbol => "symbol",
            JsType::Object => "object",
            JsType::Function => "function",
            JsType::BigInt => "bigint",
        }
    }
}

/// Numbers of an engine's status that are not failures of the call.
fn check(status: sys::napi_status) -> Outcome<()> {
    match status {
        Status::napi_ok => Ok(()),
        Status::napi_pending_exception => Err(Failure::Pending),
        other => Err(Failure::Engine(other)),
    }
}

/// One call of a raw operation with `N` arguments; those that were not given are `undefined`.
pub struct Call<'s, const N: usize> {
    /// The engine that called.
    pub engine: Engine<'s>,
    /// The state of the environment that called.
    pub environment: &'s Environment,
    arguments: [Js<'s>; N],
}

impl<'s, const N: usize> Call<'s, N> {
    /// The argument at `index`.
    #[inline]
    pub fn argument(&self, index: usize) -> Js<'s> {
        self.arguments[index]
    }

    /// The argument at `index` as an unsigned 32-bit number, modulo 2^32 as JavaScript converts.
    #[inline]
    pub fn number(&self, index: usize) -> Outcome<u32> {
        self.engine.u32(self.arguments[index])
    }
}

/// Runs a raw operation on behalf of the engine. `operation` is the name that users know it by.
///
/// # Safety
///
/// Called by the engine with its own `env` and `info`, for a function whose data is a live [`Environment`].
#[inline]
pub unsafe fn enter<'s, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    operation: &'static str,
    run: impl Fn(&Call<'s, N>) -> Outcome<Js<'s>>,
) -> sys::napi_value {
    let mut count = N;
    let mut raw = [ptr::null_mut(); N];
    let mut data = ptr::null_mut();
    // SAFETY: `env` and `info` come from the engine; it writes at most `count` arguments, `undefined` for missing ones.
    let status =
        unsafe { sys::napi_get_cb_info(env, info, &raw mut count, raw.as_mut_ptr(), ptr::null_mut(), &raw mut data) };
    if status != Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: the caller vouches for the data, and the environment's state outlives every function of its environment.
    let environment = unsafe { &*data.cast_const().cast::<Environment>() };
    let engine = Engine { env, scope: PhantomData };
    let call = Call { engine, environment, arguments: raw.map(|raw| Js { raw, scope: PhantomData }) };
    // What a panic may have left half done is behind the store's locks, and the store marks a map that was under one.
    match catch_unwind(AssertUnwindSafe(|| run(&call))) {
        Ok(Ok(result)) => result.raw,
        outcome => fail(&call, operation, outcome),
    }
}

/// The way out of an operation that did not go well, kept out of the fast path.
#[cold]
#[inline(never)]
fn fail<const N: usize>(
    call: &Call<'_, N>,
    operation: &'static str,
    outcome: std::thread::Result<Outcome<Js<'_>>>,
) -> sys::napi_value {
    let failure = match outcome {
        Ok(Ok(_)) => return ptr::null_mut(),
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::from_panic(panic.as_ref()),
    };
    // Every raw operation has the id of the map first; where it is none, there is nobody to tell.
    let map =
        call.arguments.first().and_then(|id| call.engine.u32(*id).ok()).and_then(|id| call.environment.map(id).ok());
    call.environment.throw(call.engine, failure, map.as_deref(), operation);
    ptr::null_mut()
}

impl<'s> Engine<'s> {
    /// The engine of a callback that napi's macros wrapped.
    pub fn of(env: &'s napi::Env) -> Engine<'s> {
        Engine { env: env.raw(), scope: PhantomData }
    }

    /// The engine in a callback.
    ///
    /// # Safety
    ///
    /// `env` was passed by the engine to the running callback, and `'s` ends with it.
    pub unsafe fn from_raw(env: sys::napi_env) -> Engine<'s> {
        Engine { env, scope: PhantomData }
    }

    /// For the few calls that other files make themselves.
    pub fn raw(self) -> sys::napi_env {
        self.env
    }

    #[inline]
    fn make(self, create: impl FnOnce(sys::napi_env, *mut sys::napi_value) -> sys::napi_status) -> Outcome<Js<'s>> {
        let mut raw = ptr::null_mut();
        check(create(self.env, &raw mut raw))?;
        Ok(Js { raw, scope: PhantomData })
    }

    // ---- making values ----

    /// `undefined`, where a result has to hold it.
    pub fn undefined(self) -> Outcome<Js<'s>> {
        // SAFETY: `env` is alive (invariant of `Engine`), and the result is written through a live pointer.
        self.make(|env, result| unsafe { sys::napi_get_undefined(env, result) })
    }

    /// `null`.
    pub fn null(self) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_get_null(env, result) })
    }

    /// `true` or `false`.
    #[inline]
    pub fn boolean(self, value: bool) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_get_boolean(env, value, result) })
    }

    /// A number that is a 32-bit integer.
    #[inline]
    pub fn int(self, value: i32) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_create_int32(env, value, result) })
    }

    /// Any number.
    #[inline]
    pub fn float(self, value: f64) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_create_double(env, value, result) })
    }

    /// A string from UTF-8. Text below 0x80 takes a path that only copies.
    #[inline]
    pub fn text(self, utf8: &[u8]) -> Outcome<Js<'s>> {
        let (start, len) = (utf8.as_ptr().cast(), utf8.len() as isize);
        if utf8.is_ascii() {
            // SAFETY: `start` and `len` are a live slice, which the engine copies; ASCII is Latin-1.
            self.make(|env, result| unsafe { sys::napi_create_string_latin1(env, start, len, result) })
        } else {
            // SAFETY: the same; what is not UTF-8 would be replaced, not trusted.
            self.make(|env, result| unsafe { sys::napi_create_string_utf8(env, start, len, result) })
        }
    }

    /// A string from code units, lone surrogates included.
    pub fn text_utf16(self, units: &[u16]) -> Outcome<Js<'s>> {
        let (start, len) = (units.as_ptr(), units.len() as isize);
        // SAFETY: `start` and `len` are a live slice, which the engine copies.
        self.make(|env, result| unsafe { sys::napi_create_string_utf16(env, start, len, result) })
    }

    /// A bigint from its sign and magnitude, the lowest word first.
    pub fn bigint(self, negative: bool, words: &[u64]) -> Outcome<Js<'s>> {
        let (start, len) = (words.as_ptr(), words.len());
        // SAFETY: `start` and `len` are a live slice, which the engine copies.
        self.make(|env, result| unsafe { sys::napi_create_bigint_words(env, i32::from(negative), len, start, result) })
    }

    /// A `Uint8Array` with a copy of `bytes`, alone in its `ArrayBuffer`.
    pub fn uint8_array(self, bytes: &[u8]) -> Outcome<Js<'s>> {
        let len = bytes.len();
        let mut data: *mut c_void = ptr::null_mut();
        // SAFETY: as in `undefined`; `data` is a second live pointer to write to.
        let buffer =
            self.make(|env, result| unsafe { sys::napi_create_arraybuffer(env, len, &raw mut data, result) })?;
        if len > 0 {
            // SAFETY: the engine just made `len` bytes at `data`, which nobody else knows yet.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), len) };
        }
        self.typed_array(sys::TypedarrayType::uint8_array, len, buffer)
    }

    fn typed_array(self, kind: sys::napi_typedarray_type, len: usize, buffer: Js<'_>) -> Outcome<Js<'s>> {
        // SAFETY: `buffer` is an `ArrayBuffer` of this scope; the engine checks `len` against it.
        self.make(|env, result| unsafe { sys::napi_create_typedarray(env, kind, len, buffer.raw, 0, result) })
    }

    /// A `Uint32Array` over native words, or `None` where the engine refuses memory that is not its own. `keep` is
    /// dropped when the engine no longer looks at the words, at the latest with the environment.
    ///
    /// # Safety
    ///
    /// `words` points to `len` aligned `u32`s that stay allocated for as long as `keep` is held, and are only ever
    /// accessed as atomics outside of JavaScript.
    pub unsafe fn external_words<K: Send + 'static>(
        self,
        words: *mut u32,
        len: usize,
        keep: Box<K>,
    ) -> Outcome<Option<Js<'s>>> {
        let hint = Box::into_raw(keep);
        let (data, bytes) = (words.cast(), len * size_of::<u32>());
        let drop_keep = Some(finalize::<K> as unsafe extern "C" fn(_, _, _));
        let made = self.make(|env, result| {
            // SAFETY: the caller vouches for the memory; `hint` is handed over to `finalize::<K>`, which takes it back.
            unsafe { sys::napi_create_external_arraybuffer(env, data, bytes, drop_keep, hint.cast(), result) }
        });
        match made {
            Ok(buffer) => self.typed_array(sys::TypedarrayType::uint32_array, len, buffer).map(Some),
            Err(failure) => {
                // SAFETY: the engine did not take the memory, so `finalize` will not run and `hint` is still ours.
                drop(unsafe { Box::from_raw(hint) });
                if matches!(failure, Failure::Engine(Status::napi_no_external_buffers_allowed)) {
                    Ok(None)
                } else {
                    Err(failure)
                }
            }
        }
    }

    /// An array with `len` places, to be filled with [`Engine::set_element`].
    pub fn array(self, len: usize) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_create_array_with_length(env, len, result) })
    }

    // ---- reading values ----

    /// What `value` is.
    pub fn type_of(self, value: Js<'_>) -> Outcome<JsType> {
        let mut kind = 0;
        // SAFETY: `value` is of this scope (invariant of `Js`), and the result is written through a live pointer.
        check(unsafe { sys::napi_typeof(self.env, value.raw, &raw mut kind) })?;
        Ok(match kind {
            sys::ValueType::napi_undefined => JsType::Undefined,
            sys::ValueType::napi_null => JsType::Null,
            sys::ValueType::napi_boolean => JsType::Boolean,
            sys::ValueType::napi_number => JsType::Number,
            sys::ValueType::napi_string => JsType::String,
            sys::ValueType::napi_symbol => JsType::Symbol,
            sys::ValueType::napi_function => JsType::Function,
            sys::ValueType::napi_bigint => JsType::BigInt,
            _ => JsType::Object,
        })
    }

    /// A number modulo 2^32.
    #[inline]
    pub fn u32(self, value: Js<'_>) -> Outcome<u32> {
        let mut number = 0;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_uint32(self.env, value.raw, &raw mut number) })?;
        Ok(number)
    }

    /// A number that is known to be a 32-bit integer.
    #[inline]
    pub fn i32(self, value: Js<'_>) -> Outcome<i32> {
        let mut number = 0;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_int32(self.env, value.raw, &raw mut number) })?;
        Ok(number)
    }

    /// A number.
    #[inline]
    pub fn f64(self, value: Js<'_>) -> Outcome<f64> {
        let mut number = 0.0;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_double(self.env, value.raw, &raw mut number) })?;
        Ok(number)
    }

    /// A boolean.
    pub fn bool(self, value: Js<'_>) -> Outcome<bool> {
        let mut boolean = false;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_bool(self.env, value.raw, &raw mut boolean) })?;
        Ok(boolean)
    }

    /// The magnitude of a bigint, the lowest word first, into `words`, and whether it is negative.
    pub fn bigint_words(self, value: Js<'_>, words: &mut Vec<u64>) -> Outcome<bool> {
        let (mut sign, mut count) = (0, 0_usize);
        // SAFETY: as in `type_of`; without a place for sign and words, the engine only counts.
        check(unsafe {
            sys::napi_get_value_bigint_words(self.env, value.raw, ptr::null_mut(), &raw mut count, ptr::null_mut())
        })?;
        words.clear();
        words.resize(count, 0);
        // SAFETY: as in `type_of`; `words` has room for the `count` words that the engine may write.
        check(unsafe {
            sys::napi_get_value_bigint_words(self.env, value.raw, &raw mut sign, &raw mut count, words.as_mut_ptr())
        })?;
        words.truncate(count);
        Ok(sign != 0)
    }

    /// Reads a string as UTF-8 into `space`, `None` if it is not a string. A string that does not fit is cut off, see
    /// [`is_whole`]; a lone surrogate arrives as U+FFFD.
    #[inline]
    pub fn utf8<'b>(self, value: Js<'_>, space: &'b mut [MaybeUninit<u8>]) -> Outcome<Option<&'b [u8]>> {
        let mut len = 0;
        // SAFETY: as in `type_of`; the engine writes at most `space.len()` bytes, its closing zero included.
        let status = unsafe {
            sys::napi_get_value_string_utf8(self.env, value.raw, space.as_mut_ptr().cast(), space.len(), &raw mut len)
        };
        if status == Status::napi_string_expected {
            return Ok(None);
        }
        check(status)?;
        // SAFETY: the engine wrote `len` bytes to the start of `space`.
        Ok(Some(unsafe { std::slice::from_raw_parts(space.as_ptr().cast(), len) }))
    }

    /// Length of a string in bytes of UTF-8.
    pub fn utf8_len(self, value: Js<'_>) -> Outcome<usize> {
        let mut len = 0;
        // SAFETY: as in `type_of`; without a buffer, the engine only counts.
        check(unsafe { sys::napi_get_value_string_utf8(self.env, value.raw, ptr::null_mut(), 0, &raw mut len) })?;
        Ok(len)
    }

    /// The code units of a string.
    pub fn utf16(self, value: Js<'_>) -> Outcome<Vec<u16>> {
        let mut len = 0;
        // SAFETY: as in `type_of`; without a buffer, the engine only counts.
        check(unsafe { sys::napi_get_value_string_utf16(self.env, value.raw, ptr::null_mut(), 0, &raw mut len) })?;
        let mut units = vec![0_u16; len + 1];
        // SAFETY: as in `type_of`; the engine writes at most `units.len()` units, its closing zero included.
        check(unsafe {
            sys::napi_get_value_string_utf16(self.env, value.raw, units.as_mut_ptr(), units.len(), &raw mut len)
        })?;
        units.truncate(len);
        Ok(units)
    }

    /// The bytes that a `Uint8Array` shows, `None` if `value` is something else. Memory that other threads can write is
    /// copied to `copy` first.
    pub fn bytes<'b>(self, value: Js<'_>, copy: &'b mut Vec<u8>) -> Outcome<Option<&'b [u8]>> {
        let mut is_typed_array = false;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_is_typedarray(self.env, value.raw, &raw mut is_typed_array) })?;
        if !is_typed_array {
            return Ok(None);
        }
        let TypedArray { kind, data, len, buffer } = self.typed_array_info(value)?;
        if kind != sys::TypedarrayType::uint8_array {
            return Ok(None);
        }
        // A detached or empty array may have no memory at all.
        if len == 0 || data.is_null() {
            return Ok(Some(&[]));
        }
        let mut is_own = false;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_is_arraybuffer(self.env, buffer, &raw mut is_own) })?;
        if is_own {
            // SAFETY: `len` bytes at `data` belong to this thread's `ArrayBuffer`, which is kept by `value` for this call
            // and cannot change or move before JavaScript runs again. The caller uses the bytes before that (see the
            // head of this file).
            return Ok(Some(unsafe { std::slice::from_raw_parts(data.cast(), len) }));
        }
        // A `SharedArrayBuffer`: another thread may be writing it, so each byte is read as an atomic.
        // SAFETY: `len` bytes at `data` are kept by `value` for this call, and `AtomicU8` has the layout of `u8`.
        let shared = unsafe { std::slice::from_raw_parts(data.cast::<AtomicU8>(), len) };
        copy.clear();
        copy.extend(shared.iter().map(|byte| byte.load(Ordering::Relaxed)));
        Ok(Some(copy))
    }

    fn typed_array_info(self, value: Js<'_>) -> Outcome<TypedArray> {
        let mut info = TypedArray { kind: -1, data: ptr::null_mut(), len: 0, buffer: ptr::null_mut() };
        // SAFETY: as in `type_of`, and every result is written through a live pointer.
        check(unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                value.raw,
                &raw mut info.kind,
                &raw mut info.len,
                &raw mut info.data,
                &raw mut info.buffer,
                ptr::null_mut(),
            )
        })?;
        Ok(info)
    }

    /// The memory of a typed array whose elements are `T`s, to be read and written until JavaScript runs again.
    pub fn elements<T: Element>(self, value: Js<'s>) -> Outcome<Elements<'s, T>> {
        let TypedArray { kind, data, len, .. } = self.typed_array_info(value)?;
        if kind != T::KIND {
            return Err(Failure::Misuse("a typed array of another kind was expected"));
        }
        Ok(Elements { data: data.cast(), len, scope: PhantomData })
    }

    /// Length of an array.
    pub fn array_len(self, array: Js<'_>) -> Outcome<usize> {
        let mut len = 0;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_array_length(self.env, array.raw, &raw mut len) })?;
        Ok(len as usize)
    }

    /// An element of an array. May run JavaScript, if the array has getters.
    pub fn element(self, array: Js<'_>, index: usize) -> Outcome<Js<'s>> {
        // SAFETY: as in `type_of`.
        self.make(|env, result| unsafe { sys::napi_get_element(env, array.raw, index as u32, result) })
    }

    /// Sets an element of an array. May run JavaScript, if the array has setters.
    pub fn set_element(self, array: Js<'_>, index: usize, value: Js<'_>) -> Outcome<()> {
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_set_element(self.env, array.raw, index as u32, value.raw) })
    }

    /// Calls `run` for ranges that cover `0..count`, and lets the engine forget in between what each of them created.
    /// Without it, a batch of a million items would keep millions of references on the engine's stack. What is created
    /// has to come from the engine that `run` is given.
    pub fn in_chunks<F>(self, count: usize, mut run: F) -> Outcome<()>
    where
        F: for<'c> FnMut(Engine<'c>, Range<usize>) -> Outcome<()>,
    {
        const CHUNK: usize = 256;
        for start in (0..count).step_by(CHUNK) {
            let mut scope = ptr::null_mut();
            // SAFETY: as in `undefined`.
            check(unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) })?;
            let outcome = run(Engine { env: self.env, scope: PhantomData }, start..count.min(start + CHUNK));
            // SAFETY: `scope` is the innermost open one: whatever `run` opened, it closed the same way.
            let closed = unsafe { sys::napi_close_handle_scope(self.env, scope) };
            // An exception that is pending does not keep a scope from closing, so the first failure is the one to tell.
            outcome?;
            check(closed)?;
        }
        Ok(())
    }

    // ---- functions, references, exceptions ----

    /// Calls a JavaScript function.
    pub fn call(self, function: Js<'_>, arguments: &[Js<'_>]) -> Outcome<Js<'s>> {
        let this = self.undefined()?;
        // `Js` is a pointer and a marker; the engine wants the pointers in a row.
        let raw: Vec<sys::napi_value> = arguments.iter().map(|argument| argument.raw).collect();
        // SAFETY: every value is of this scope, and `raw` lives through the call.
        self.make(|env, result| unsafe {
            sys::napi_call_function(env, this.raw, function.raw, raw.len(), raw.as_ptr(), result)
        })
    }

    /// Makes an exception of `value`.
    pub fn throw(self, value: Js<'_>) {
        // SAFETY: as in `type_of`. An environment that is shutting down refuses, and then nobody is left to see it.
        unsafe { sys::napi_throw(self.env, value.raw) };
    }

    /// Throws a plain `Error`. A NUL in the text would end it early; there is none in ours.
    pub fn throw_plain(self, code: &str, message: &str) {
        let (code, message) = (format!("{code}\0"), format!("{message}\0"));
        // SAFETY: both texts end with a zero and live through the call.
        unsafe { sys::napi_throw_error(self.env, code.as_ptr().cast(), message.as_ptr().cast()) };
    }

    /// Hands a pending exception to the process, as one that nobody caught.
    pub fn report_uncaught(self) {
        let mut exception = ptr::null_mut();
        // SAFETY: as in `undefined`; an environment that is shutting down refuses, and then there is nothing to report.
        unsafe {
            let mut pending = false;
            if sys::napi_is_exception_pending(self.env, &raw mut pending) == Status::napi_ok
                && pending
                && sys::napi_get_and_clear_last_exception(self.env, &raw mut exception) == Status::napi_ok
            {
                sys::napi_fatal_exception(self.env, exception);
            }
        }
    }

    /// Keeps `value` alive until the environment ends.
    pub fn keep(self, value: Js<'_>) -> Outcome<Kept> {
        let mut raw = ptr::null_mut();
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_create_reference(self.env, value.raw, 1, &raw mut raw) })?;
        Ok(Kept(raw))
    }

    /// The value that was kept.
    pub fn kept(self, kept: &Kept) -> Outcome<Js<'s>> {
        // SAFETY: references live as long as their environment, and `Kept` stays in the state of its environment.
        self.make(|env, result| unsafe { sys::napi_get_reference_value(env, kept.0, result) })
    }

    /// A function that other threads can ask to be called on this environment's thread, and that does not keep the event
    /// loop alive. `run` is called with `function` and calls it.
    pub fn threadsafe_function(
        self,
        name: &str,
        function: Js<'_>,
        run: unsafe extern "C" fn(sys::napi_env, sys::napi_value, *mut c_void, *mut c_void),
    ) -> Outcome<sys::napi_threadsafe_function> {
        let name = self.text(name.as_bytes())?;
        let mut raw = ptr::null_mut();
        // SAFETY: the values are of this scope and the result is written through a live pointer. No finalizer, no
        // context, no bound on the queue, one thread that holds it.
        check(unsafe {
            sys::napi_create_threadsafe_function(
                self.env,
                function.raw,
                ptr::null_mut(),
                name.raw,
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                Some(run),
                &raw mut raw,
            )
        })?;
        // SAFETY: the function was just made in this environment.
        check(unsafe { sys::napi_unref_threadsafe_function(self.env, raw) })?;
        Ok(raw)
    }

    /// Adds a native function to an object.
    pub fn export(
        self,
        object: sys::napi_value,
        name: &std::ffi::CStr,
        entry: unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value,
        environment: &Environment,
    ) -> Outcome<()> {
        let data = ptr::from_ref(environment).cast_mut().cast();
        let len = name.count_bytes() as isize;
        // SAFETY: `name` lives through the call; `environment` outlives the functions of its environment.
        let function = self.make(|env, result| unsafe {
            sys::napi_create_function(env, name.as_ptr(), len, Some(entry), data, result)
        })?;
        // SAFETY: `object` is the exports object of this scope.
        check(unsafe { sys::napi_set_named_property(self.env, object, name.as_ptr(), function.raw) })
    }
}

/// A strong reference to a JavaScript value. It ends with its environment.
pub struct Kept(sys::napi_ref);

struct TypedArray {
    kind: sys::napi_typedarray_type,
    data: *mut c_void,
    len: usize,
    buffer: sys::napi_value,
}

/// A type that typed arrays have as their element.
///
/// # Safety
///
/// Any bit pattern is a `Self`, and `KIND` is the typed array with elements of its size.
pub unsafe trait Element: Copy {
    /// The engine's number of that typed array.
    const KIND: sys::napi_typedarray_type;
}

// SAFETY: any bits are a `u8`.
unsafe impl Element for u8 {
    const KIND: sys::napi_typedarray_type = sys::TypedarrayType::uint8_array;
}

// SAFETY: any bits are a `u32`.
unsafe impl Element for u32 {
    const KIND: sys::napi_typedarray_type = sys::TypedarrayType::uint32_array;
}

// SAFETY: any bits are an `f64`.
unsafe impl Element for f64 {
    const KIND: sys::napi_typedarray_type = sys::TypedarrayType::float64_array;
}

/// The memory of a typed array that lib/ made for the call and shows to nobody else.
///
/// Invariant: `data` holds `len` elements. It is accessed by copying single elements, so that no reference into memory
/// that JavaScript owns exists while JavaScript runs.
pub struct Elements<'s, T> {
    data: *mut T,
    len: usize,
    scope: PhantomData<&'s ()>,
}

impl<T: Element> Elements<'_, T> {
    /// The element at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<T> {
        // SAFETY: in bounds, and `Elements` says that there are `len` elements; unaligned, because a view may start
        // anywhere in its buffer as far as Rust knows.
        (index < self.len).then(|| unsafe { self.data.add(index).read_unaligned() })
    }

    /// Sets the elements from `index` on. What does not fit is left out: the array was made too short by its maker.
    #[inline]
    pub fn set(&self, index: usize, values: &[T]) {
        if index.checked_add(values.len()).is_some_and(|end| end <= self.len) {
            // SAFETY: in bounds as just checked; `values` is native memory, so the two do not overlap.
            unsafe {
                ptr::copy_nonoverlapping(values.as_ptr().cast::<u8>(), self.data.add(index).cast(), size_of_val(values))
            };
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where they begin.
    pub fn as_ptr(&self) -> *mut T {
        self.data
    }
}

/// Whether a string read into `space` bytes by [`Engine::utf8`] is all of it: the engine stops before a character that
/// does not fit, and one has at most 4 bytes next to the closing zero.
#[inline]
pub fn is_whole(len: usize, space: usize) -> bool {
    len + 5 <= space
}

/// Drops what an external array kept alive.
unsafe extern "C" fn finalize<K>(_: sys::napi_env, _: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` came from `Box::into_raw` of a `Box<K>` in `external_words`, and the engine finalizes once.
    drop(unsafe { Box::from_raw(hint.cast::<K>()) });
}
