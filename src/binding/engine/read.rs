//! Reading JavaScript values.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::sys::{self, Status};

use super::{Engine, Js, Many, check};
use crate::binding::failure::{Failure, Outcome};
use crate::store::fallible;

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
    /// The word that `typeof` returns, for messages.
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

impl<'s> Engine<'s> {
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

    /// Whether two values are the same, as `===` says.
    pub fn is_same(self, one: Js<'_>, other: Js<'_>) -> Outcome<bool> {
        let mut is_same = false;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_strict_equals(self.env, one.raw, other.raw, &raw mut is_same) })?;
        Ok(is_same)
    }

    /// What an object inherits from.
    pub fn prototype_of(self, object: Js<'_>) -> Outcome<Js<'s>> {
        // SAFETY: as in `type_of`.
        self.make(|env, result| unsafe { sys::napi_get_prototype(env, object.raw, result) })
    }

    /// A number modulo 2^32.
    ///
    /// There is no number before the engine writes one: a processor that renames memory would take a 0 that was stored
    /// here for what is loaded after the call, and start again when it finds out, which was seen to cost 10 ns.
    #[inline]
    pub fn u32(self, value: Js<'_>) -> Outcome<u32> {
        let mut number = MaybeUninit::uninit();
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_uint32(self.env, value.raw, number.as_mut_ptr()) })?;
        // SAFETY: the engine wrote it, as its status says.
        Ok(unsafe { number.assume_init() })
    }

    /// A number that is known to be a 32-bit integer.
    #[inline]
    pub fn i32(self, value: Js<'_>) -> Outcome<i32> {
        let mut number = MaybeUninit::uninit();
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_int32(self.env, value.raw, number.as_mut_ptr()) })?;
        // SAFETY: as in `u32`.
        Ok(unsafe { number.assume_init() })
    }

    /// A number.
    #[inline]
    pub fn f64(self, value: Js<'_>) -> Outcome<f64> {
        let mut number = MaybeUninit::uninit();
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_value_double(self.env, value.raw, number.as_mut_ptr()) })?;
        // SAFETY: as in `u32`.
        Ok(unsafe { number.assume_init() })
    }

    /// A number, `None` if `value` is something else.
    #[inline]
    pub fn number(self, value: Js<'_>) -> Outcome<Option<f64>> {
        let mut number = 0.0;
        // SAFETY: as in `type_of`.
        match unsafe { sys::napi_get_value_double(self.env, value.raw, &raw mut number) } {
            Status::napi_number_expected => Ok(None),
            status => check(status).map(|()| Some(number)),
        }
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
        fallible::reserve(words, count)?;
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
        let mut len = MaybeUninit::uninit();
        let (start, room) = (space.as_mut_ptr().cast(), space.len());
        // SAFETY: as in `type_of`; the engine writes at most `space.len()` bytes, its closing zero included.
        let status = unsafe { sys::napi_get_value_string_utf8(self.env, value.raw, start, room, len.as_mut_ptr()) };
        if status == Status::napi_string_expected {
            return Ok(None);
        }
        check(status)?;
        // SAFETY: the engine wrote so many bytes to the start of `space`, and how many.
        Ok(Some(unsafe { std::slice::from_raw_parts(space.as_ptr().cast(), len.assume_init()) }))
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
        let mut units = fallible::vec(len + 1)?;
        units.resize(len + 1, 0_u16);
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
        if self.is_own_buffer(buffer)? {
            // SAFETY: `len` bytes at `data` belong to this thread's `ArrayBuffer`, which is kept by `value` for this
            // call and cannot change or move before JavaScript runs again. The caller uses the bytes before that (see
            // the head of this file).
            return Ok(Some(unsafe { std::slice::from_raw_parts(data.cast(), len) }));
        }
        // A `SharedArrayBuffer`: another thread may be writing it, so each byte is read as an atomic.
        // SAFETY: `len` bytes at `data` are kept by `value` for this call, and `AtomicU8` has the layout of `u8`.
        let shared = unsafe { std::slice::from_raw_parts(data.cast::<AtomicU8>(), len) };
        copy.clear();
        fallible::reserve(copy, len)?;
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

    /// The memory of a typed array whose elements are `T`s. `many` is how the operation runs JavaScript, if it does.
    pub fn elements<T: Element>(self, value: Js<'s>, many: &'s Many) -> Outcome<Elements<'s, T>> {
        let elements = Elements {
            engine: self,
            value,
            many,
            place: Cell::new(Memory { data: ptr::null_mut(), len: 0 }),
            runs_seen: Cell::new(0),
        };
        elements.look()?;
        Ok(elements)
    }

    /// Whether a buffer is an `ArrayBuffer`, which belongs to this thread, and no `SharedArrayBuffer`.
    fn is_own_buffer(self, buffer: sys::napi_value) -> Outcome<bool> {
        let mut is_own = false;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_is_arraybuffer(self.env, buffer, &raw mut is_own) })?;
        Ok(is_own)
    }

    /// Length of an array.
    pub fn array_len(self, array: Js<'_>) -> Outcome<usize> {
        let mut len = 0;
        // SAFETY: as in `type_of`.
        check(unsafe { sys::napi_get_array_length(self.env, array.raw, &raw mut len) })?;
        Ok(len as usize)
    }
}

/// Whether a string read into `space` bytes by [`Engine::utf8`] is all of it: the engine stops before a character that
/// does not fit, and one has at most 4 bytes next to the closing zero.
#[inline]
pub fn is_whole(len: usize, space: usize) -> bool {
    len + 5 <= space
}

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

/// The elements of a typed array, for one call.
///
/// JavaScript can detach or shrink the buffer of an array whenever it runs: a getter of a batch's keys may. So the
/// array is asked where its elements are again after each run of JavaScript. Elements that are gone read as `None`,
/// and are not written.
///
/// Invariant: as long as `many` has run JavaScript `runs_seen` times, `place` is where the elements are. They are
/// accessed by copying, so that no reference into memory that JavaScript owns exists while JavaScript runs.
pub struct Elements<'s, T> {
    engine: Engine<'s>,
    value: Js<'s>,
    many: &'s Many,
    place: Cell<Memory<T>>,
    runs_seen: Cell<u64>,
}

struct Memory<T> {
    data: *mut T,
    len: usize,
}

impl<T> Clone for Memory<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Memory<T> {}

impl<T: Element> Elements<'_, T> {
    /// Asks the array where its elements are.
    fn look(&self) -> Outcome<()> {
        let TypedArray { kind, data, len, .. } = self.engine.typed_array_info(self.value)?;
        if kind != T::KIND {
            return Err(Failure::Misuse("a typed array of another kind was expected"));
        }
        self.place.set(Memory { data: data.cast(), len: if data.is_null() { 0 } else { len } });
        self.runs_seen.set(self.many.runs());
        Ok(())
    }

    #[inline]
    fn memory(&self) -> Memory<T> {
        if self.runs_seen.get() != self.many.runs() && self.look().is_err() {
            return Memory { data: ptr::null_mut(), len: 0 };
        }
        self.place.get()
    }

    /// The element at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<T> {
        let Memory { data, len } = self.memory();
        // SAFETY: in bounds, and by the invariant of `Elements` there are `len` elements; unaligned, because a view
        // may start anywhere in its buffer as far as Rust knows.
        (index < len).then(|| unsafe { data.add(index).read_unaligned() })
    }

    /// Sets the elements from `index` on. What does not fit is left out: the array was made too short by its maker.
    #[inline]
    pub fn set(&self, index: usize, values: &[T]) {
        let Memory { data, len } = self.memory();
        if index.checked_add(values.len()).is_some_and(|end| end <= len) {
            // SAFETY: in bounds as just checked, by the invariant of `Elements`; `values` is native memory, so the two
            // do not overlap.
            unsafe {
                let target = data.add(index).cast::<u8>();
                ptr::copy_nonoverlapping(values.as_ptr().cast::<u8>(), target, size_of_val(values));
            }
        }
    }

    /// The same for as many elements as the compiler knows, which need no call to be copied.
    #[inline]
    pub fn set_row<const N: usize>(&self, index: usize, values: &[T; N]) {
        let Memory { data, len } = self.memory();
        if index.checked_add(N).is_some_and(|end| end <= len) {
            // SAFETY: as in `set`; unaligned, as in `get`.
            unsafe { data.add(index).cast::<[T; N]>().write_unaligned(*values) };
        }
    }

    /// How many elements there are.
    #[expect(clippy::len_without_is_empty, reason = "not needed")]
    pub fn len(&self) -> usize {
        self.memory().len
    }
}
