//! The one wrapper around raw Node-API calls.
//!
//! [`Engine`] makes and reads JavaScript values; its holder is inside a call, on the thread that owns the environment.
//!
//! Which calls can run JavaScript: [`Engine::call`], and with it [`Many::read`] and [`Many::append`]. No other does, so
//! bytes borrowed from an `ArrayBuffer` with [`Engine::bytes`] stay put until one of these.

mod function;
mod keep;
mod life;
mod make;
mod many;
mod read;

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

use napi::sys::{self, Status};

use crate::binding::failure::{Failure, Outcome};

pub use function::enter_first;
pub use keep::Kept;
pub use life::{Bell, State};
pub use make::refuse_foreign_memory;
pub use many::{Many, VALUES_PER_CALL};
pub use read::{Element, Elements, JsType, is_whole};

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
#[repr(C)]
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

    /// What a callback returns to the engine as its result.
    #[inline]
    pub fn into_raw(self) -> sys::napi_value {
        self.raw
    }
}

/// What an engine's status means for the call.
fn check(status: sys::napi_status) -> Outcome<()> {
    match status {
        Status::napi_ok => Ok(()),
        Status::napi_pending_exception => Err(Failure::Pending),
        other => Err(Failure::Engine(other)),
    }
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
    #[inline]
    pub unsafe fn from_raw(env: sys::napi_env) -> Engine<'s> {
        Engine { env, scope: PhantomData }
    }

    #[inline]
    fn make(self, create: impl FnOnce(sys::napi_env, *mut sys::napi_value) -> sys::napi_status) -> Outcome<Js<'s>> {
        let mut raw = MaybeUninit::uninit();
        check(create(self.env, raw.as_mut_ptr()))?;
        // SAFETY: `create` is a call of the engine, which wrote a result, as its status says.
        Ok(Js { raw: unsafe { raw.assume_init() }, scope: PhantomData })
    }

    /// Runs `run`, and lets the engine forget what it created. Without it, a batch of a million items would keep
    /// millions of references on the engine's stack. What `run` creates has to come from the engine that it receives.
    pub fn scoped<T: 'static>(self, run: impl for<'c> FnOnce(Engine<'c>) -> Outcome<T>) -> Outcome<T> {
        let mut scope = ptr::null_mut();
        // SAFETY: `env` is alive (invariant of `Engine`), and the result is written through a live pointer.
        check(unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) })?;
        let outcome = run(Engine { env: self.env, scope: PhantomData });
        // SAFETY: `scope` is the innermost open one: whatever `run` opened, it closed the same way.
        let closed = unsafe { sys::napi_close_handle_scope(self.env, scope) };
        // An exception that is pending does not keep a scope from closing, so the first failure is the one to report.
        let result = outcome?;
        check(closed)?;
        Ok(result)
    }

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
        // SAFETY: as in `type_of`. An environment that is shutting down refuses, and then no code is left to see it.
        unsafe { sys::napi_throw(self.env, value.raw) };
    }

    /// Throws a plain `Error`. A NUL in the text would end it early; there is none in ours.
    pub fn throw_plain(self, code: &str, message: &str) {
        let (code, message) = (format!("{code}\0"), format!("{message}\0"));
        // SAFETY: both texts end with a zero and live through the call.
        unsafe { sys::napi_throw_error(self.env, code.as_ptr().cast(), message.as_ptr().cast()) };
    }

    /// Hands a pending exception to the process, as an uncaught one.
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
}
