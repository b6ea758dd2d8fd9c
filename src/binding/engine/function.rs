//! Making the functions that JavaScript calls.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::sys::{self, Status};

use super::{Engine, Js, check};
use crate::binding::failure::{Failure, Outcome};

/// What the engine calls.
pub type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// Runs an operation that needs no evaluation, because there may be none yet.
///
/// # Safety
///
/// Called by the engine with its own `env` and `info`.
pub unsafe fn enter_first<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    operation: &'static str,
    run: for<'s> fn(Engine<'s>, &[Js<'s>; N]) -> Outcome<Js<'s>>,
) -> sys::napi_value {
    let mut count = N;
    let mut arguments = [Js::NOTHING; N];
    let (nowhere, space) = (ptr::null_mut(), arguments.as_mut_ptr().cast());
    // SAFETY: `env` and `info` come from the engine; it writes at most `count` arguments, `undefined` for missing ones,
    // and a `Js` is laid out as the value it holds.
    let status = unsafe { sys::napi_get_cb_info(env, info, &raw mut count, space, nowhere, nowhere.cast()) };
    if status != Status::napi_ok {
        return ptr::null_mut();
    }
    let engine = Engine { env, scope: PhantomData };
    let failure = match catch_unwind(AssertUnwindSafe(|| run(engine, &arguments))) {
        Ok(Ok(result)) => return result.raw,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::from_panic(panic.as_ref()),
    };
    if !matches!(failure, Failure::Pending) {
        engine.throw_plain("ERR_INTERNAL", &format!("{operation}: {failure:?}"));
    }
    ptr::null_mut()
}

impl<'s> Engine<'s> {
    /// A function that receives `data`, which has to outlive its calls.
    pub(super) fn function(self, name: &CStr, callback: Callback, data: *mut c_void) -> Outcome<Js<'s>> {
        let len = name.count_bytes() as isize;
        // SAFETY: `name` lives through the call; what the callback does with `data` is its own responsibility.
        self.make(|env, result| unsafe {
            sys::napi_create_function(env, name.as_ptr(), len, Some(callback), data, result)
        })
    }

    /// A function whose data is `state`, of which it holds a count.
    pub fn function_of<S>(self, name: &CStr, callback: Callback, state: &Rc<S>) -> Outcome<Js<'s>> {
        let function = self.function(name, callback, Rc::as_ptr(state).cast_mut().cast())?;
        let count = Rc::into_raw(Rc::clone(state)).cast_mut().cast();
        // SAFETY: `function` is an object of this scope. The count behind `state` is handed over to the finalizer,
        // which runs when the function can no longer be called.
        let added = check(unsafe {
            sys::napi_add_finalizer(self.env, function.raw, count, Some(release::<S>), ptr::null_mut(), ptr::null_mut())
        });
        if added.is_err() {
            // SAFETY: the engine did not take the count, so it is still ours.
            drop(unsafe { Rc::from_raw(count.cast_const().cast::<S>()) });
        }
        added.map(|()| function)
    }

    /// A function that does nothing but belong to the exports.
    pub fn export(self, object: Js<'_>, name: &CStr, callback: Callback) -> Outcome<()> {
        let function = self.function(name, callback, ptr::null_mut())?;
        self.set_property(object, name, function)
    }

    /// An empty object.
    pub fn object(self) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_create_object(env, result) })
    }

    /// Sets a property.
    pub fn set_property(self, object: Js<'_>, name: &CStr, value: Js<'_>) -> Outcome<()> {
        // SAFETY: both values are of this scope, and `name` lives through the call.
        check(unsafe { sys::napi_set_named_property(self.env, object.raw, name.as_ptr(), value.raw) })
    }

    /// Makes `object` keep `value` for as long as it lives, under a property that nothing can change.
    pub fn bind(self, object: Js<'_>, name: &CStr, value: Js<'_>) -> Outcome<()> {
        let property = sys::napi_property_descriptor {
            utf8name: name.as_ptr(),
            name: ptr::null_mut(),
            method: None,
            getter: None,
            setter: None,
            value: value.raw,
            attributes: sys::PropertyAttributes::default,
            data: ptr::null_mut(),
        };
        // SAFETY: both values are of this scope, and the descriptor lives through the call.
        check(unsafe { sys::napi_define_properties(self.env, object.raw, 1, &raw const property) })
    }

    /// Keeps JavaScript from changing the properties of an object and the elements of an array.
    pub fn freeze(self, object: Js<'_>) -> Outcome<()> {
        // SAFETY: the value is of this scope.
        check(unsafe { sys::napi_object_freeze(self.env, object.raw) })
    }

    /// Sets an element of an array.
    pub fn set_element(self, array: Js<'_>, index: usize, value: Js<'_>) -> Outcome<()> {
        // SAFETY: both values are of this scope.
        check(unsafe { sys::napi_set_element(self.env, array.raw, index as u32, value.raw) })
    }
}

/// Called by the engine when a function of [`Engine::function_of`] is gone.
unsafe extern "C" fn release<S>(_: sys::napi_env, count: *mut c_void, _: *mut c_void) {
    // SAFETY: `function_of` handed over one count of this pointer to this finalizer, which runs once. A drop that
    // panics must not reach the engine, and there is nothing to report.
    drop(catch_unwind(AssertUnwindSafe(|| drop(unsafe { Rc::from_raw(count.cast_const().cast::<S>()) }))));
}
