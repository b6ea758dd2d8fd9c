//! References to JavaScript values that outlive a call.

use std::ptr;

use napi::sys;

use super::{Engine, Js, check};
use crate::binding::failure::{Failure, Outcome};

/// A reference to a JavaScript value.
///
/// Invariant: it stays in the state of its environment or of an evaluation there, which is dropped on the
/// environment's thread before the environment is gone.
pub struct Kept {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl<'s> Engine<'s> {
    /// Keeps `value` alive as long as the reference is.
    pub fn keep(self, value: Js<'_>) -> Outcome<Kept> {
        self.refer(value, 1)
    }

    /// Refers to `value` without keeping it alive.
    pub fn keep_weakly(self, value: Js<'_>) -> Outcome<Kept> {
        self.refer(value, 0)
    }

    fn refer(self, value: Js<'_>, count: u32) -> Outcome<Kept> {
        let mut reference = ptr::null_mut();
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_create_reference(self.env, value.raw, count, &raw mut reference) })?;
        Ok(Kept { env: self.env, reference })
    }

    /// Keeps alive from now on what a weak reference refers to. Paired with [`Engine::let_go`].
    pub fn hold(self, kept: &Kept) -> Outcome<()> {
        // SAFETY: the reference lives as long as `kept`; the engine does not report the count.
        check(unsafe { sys::napi_reference_ref(self.env, kept.reference, ptr::null_mut()) })
    }

    /// Ends that.
    pub fn let_go(self, kept: &Kept) -> Outcome<()> {
        // SAFETY: as in `hold`, with which this is paired, so the count is not 0.
        check(unsafe { sys::napi_reference_unref(self.env, kept.reference, ptr::null_mut()) })
    }

    /// The value that is referred to.
    pub fn kept(self, kept: &Kept) -> Outcome<Js<'s>> {
        // SAFETY: the reference lives as long as `kept`.
        let value = self.make(|env, result| unsafe { sys::napi_get_reference_value(env, kept.reference, result) })?;
        if value.raw.is_null() {
            return Err(Failure::Misuse("what JavaScript handed over was collected"));
        }
        Ok(value)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: the environment is still there, and this is its thread (invariant of `Kept`). The engine allows this
        // in a finalizer, also while the environment ends.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
