//! Making JavaScript values.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::sys::{self, Status};

use super::{Engine, Js, check};
use crate::binding::failure::{Failure, Outcome};
use crate::store::Error;

/// Whether [`Engine::external_words`] behaves as on an engine that refuses foreign memory. Only tests set it.
static REFUSES_FOREIGN_MEMORY: AtomicBool = AtomicBool::new(false);

/// Makes the whole process behave as on an engine that refuses memory which is not its own, or no longer.
pub fn refuse_foreign_memory(refuses: bool) {
    REFUSES_FOREIGN_MEMORY.store(refuses, Ordering::Relaxed);
}

/// From this size on, that there is no memory for a value is an error. The engine itself needs less than this in many
/// places where it ends the process otherwise.
const REFUSABLE_BYTES: usize = 256 * 1_024;

impl<'s> Engine<'s> {
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

    /// A string from Latin-1.
    #[inline]
    pub fn latin1(self, bytes: &[u8]) -> Outcome<Js<'s>> {
        let (start, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
        // SAFETY: `start` and `len` are a live slice, which the engine copies.
        self.make(|env, result| unsafe { sys::napi_create_string_latin1(env, start, len, result) })
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
        let (buffer, data) = self.array_buffer(len)?;
        if len > 0 {
            // SAFETY: the engine just made `len` bytes at `data`, which no other code knows yet.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), len) };
        }
        self.typed_array(sys::TypedarrayType::uint8_array, len, buffer)
    }

    /// A `Uint32Array` of zeros, in memory of the engine, and where that is.
    pub fn own_words(self, len: usize) -> Outcome<(*mut u32, Js<'s>)> {
        let bytes = len * size_of::<u32>();
        let mut data: *mut c_void = ptr::null_mut();
        // SAFETY: as in `undefined`; `data` is a second live pointer to write to.
        let buffer =
            self.make(|env, result| unsafe { sys::napi_create_arraybuffer(env, bytes, &raw mut data, result) })?;
        let array = self.typed_array(sys::TypedarrayType::uint32_array, len, buffer)?;
        Ok((data.cast(), array))
    }

    /// An `ArrayBuffer` of so many bytes, and where they are.
    fn array_buffer(self, len: usize) -> Outcome<(Js<'s>, *mut c_void)> {
        let mut data: *mut c_void = ptr::null_mut();
        if len < REFUSABLE_BYTES {
            // SAFETY: as in `undefined`; `data` is a second live pointer to write to.
            let buffer =
                self.make(|env, result| unsafe { sys::napi_create_arraybuffer(env, len, &raw mut data, result) })?;
            return Ok((buffer, data));
        }
        // Node-API ends the process where there is no memory for a buffer. The constructor throws.
        let constructor = self.array_buffer_constructor()?;
        let length = self.float(len as f64)?;
        // SAFETY: as in `undefined`; one argument of this scope.
        let buffer = self
            .make(|env, result| unsafe {
                sys::napi_new_instance(env, constructor.raw, 1, &raw const length.raw, result)
            })
            .map_err(|failure| match failure {
                Failure::Pending => self.forget_exception(Error::OutOfMemory { bytes: len as u64 }.into()),
                other => other,
            })?;
        // SAFETY: as above, and `buffer` is an `ArrayBuffer` of this scope.
        check(unsafe { sys::napi_get_arraybuffer_info(self.env, buffer.raw, &raw mut data, ptr::null_mut()) })?;
        Ok((buffer, data))
    }

    /// Takes the pending exception back, in favour of `failure`.
    fn forget_exception(self, failure: Failure) -> Failure {
        let mut exception = ptr::null_mut();
        // SAFETY: as in `undefined`.
        let status = unsafe { sys::napi_get_and_clear_last_exception(self.env, &raw mut exception) };
        if status == Status::napi_ok { failure } else { Failure::Pending }
    }

    /// A global of this environment.
    pub fn global(self, name: &CStr) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        let global = self.make(|env, result| unsafe { sys::napi_get_global(env, result) })?;
        // SAFETY: as in `undefined`; `name` ends with a zero.
        self.make(|env, result| unsafe { sys::napi_get_named_property(env, global.raw, name.as_ptr(), result) })
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
            if REFUSES_FOREIGN_MEMORY.load(Ordering::Relaxed) {
                return Status::napi_no_external_buffers_allowed;
            }
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

    /// An empty array.
    pub fn array(self) -> Outcome<Js<'s>> {
        // SAFETY: as in `undefined`.
        self.make(|env, result| unsafe { sys::napi_create_array(env, result) })
    }
}

/// Drops what an external array kept alive.
unsafe extern "C" fn finalize<K>(_: sys::napi_env, _: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` came from `Box::into_raw` of a `Box<K>` in `external_words`, and the engine finalizes once.
    drop(unsafe { Box::from_raw(hint.cast::<K>()) });
}
