//! An addon with one function that does nothing: what a call from JavaScript to native code costs, and nothing else.
//!
//! `benchmark/reads/raw-calls.js` builds it and counts in it, because nanoseconds alone say as much about the machine
//! as about the map.

use std::ptr;

use napi::bindgen_prelude::{Env, Object};
use napi::{JsValue, sys};
use napi_derive::napi;

unsafe extern "C" fn do_nothing(_env: sys::napi_env, _info: sys::napi_callback_info) -> sys::napi_value {
    ptr::null_mut()
}

/// Exports `call()`, as a raw callback like the hot operations of the map.
#[napi(module_exports)]
pub fn export(exports: Object, env: Env) -> napi::Result<()> {
    let mut function = ptr::null_mut();
    // SAFETY: the engine is alive during registration, the name needs no length (it is null), and `function` is live.
    let status = unsafe {
        sys::napi_create_function(env.raw(), ptr::null(), 0, Some(do_nothing), ptr::null_mut(), &raw mut function)
    };
    napi::check_status!(status)?;
    // SAFETY: both are values of this scope, and the name ends with a zero byte.
    let status = unsafe { sys::napi_set_named_property(env.raw(), exports.raw(), c"call".as_ptr(), function) };
    napi::check_status!(status)
}
