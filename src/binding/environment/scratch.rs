//! The scratch array of an evaluation: where a call leaves what it has to say besides its result, where a write finds
//! its ttl, and through which records cross: those that JavaScript writes in one area, those that it reads in another.
//!
//! The memory is native, so it stays whatever a program does with the array, detaching its buffer included. Where an
//! engine refuses memory that is not its own, the engine makes it, and `lib/` shows it to no other code.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::Arc;

use crate::binding::engine::{Engine, Js};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    MAX_RECORD_BYTES, RECORD_AREA_BYTES, RECORDS_IN, RECORDS_OUT, SCRATCH_LENGTH, SCRATCH_TTL,
};
use crate::store::fallible;

/// Memory of a scratch array, aligned for float64s.
struct Memory(Box<[UnsafeCell<u64>]>);

// SAFETY: native code uses it in calls of one evaluation, on one thread. Only a program that sends the array to
// another thread, which `lib/` never does, lets that thread see words that change while it looks at them.
unsafe impl Send for Memory {}
// SAFETY: the same.
unsafe impl Sync for Memory {}

/// The scratch array, as native code sees it.
///
/// Invariant: `words` points to `SCRATCH_LENGTH` words, which stay allocated as long as the functions of the
/// evaluation.
pub struct Scratch {
    words: *mut u32,
    /// Empty where the engine made the memory, which the array then keeps.
    _memory: Option<Arc<Memory>>,
}

impl Scratch {
    /// A new one, and the `Uint32Array` that shows it to JavaScript.
    pub fn create(engine: Engine<'_>) -> Outcome<(Scratch, Js<'_>)> {
        let memory = Arc::new(Memory(fallible::slice(SCRATCH_LENGTH / 2, |_| UnsafeCell::new(0))?));
        let words = memory.0.as_ptr().cast_mut().cast::<u32>();
        // SAFETY: the memory stays while an `Arc` of it exists, and the box takes one along. Native code writes to it
        // only in calls, when JavaScript does not run on this thread.
        let array = unsafe { engine.external_words(words, SCRATCH_LENGTH, Box::new(Arc::clone(&memory))) }?;
        if let Some(array) = array {
            return Ok((Scratch { words, _memory: Some(memory) }, array));
        }
        let (words, array) = engine.own_words(SCRATCH_LENGTH)?;
        Ok((Scratch { words, _memory: None }, array))
    }

    /// Writes `values` from `index` on.
    #[inline]
    pub fn write<const N: usize>(&self, index: usize, values: &[u32; N]) {
        debug_assert!(index + N <= SCRATCH_LENGTH);
        // SAFETY: every index is a constant below the length, and the function that runs keeps the memory (invariant of
        // `Scratch`). JavaScript does not run on this thread now.
        unsafe { self.words.add(index).cast::<[u32; N]>().write(*values) };
    }

    /// The float64 at `index`, which counts them.
    #[inline]
    pub fn float(&self, index: usize) -> f64 {
        debug_assert!(2 * index + 2 <= SCRATCH_LENGTH);
        // SAFETY: as in `write`, of which each float64 is two words.
        unsafe { self.words.cast::<f64>().add(index).read_unaligned() }
    }

    /// Sets it.
    #[inline]
    pub fn set_float(&self, index: usize, value: f64) {
        debug_assert!(2 * index + 2 <= SCRATCH_LENGTH);
        // SAFETY: as in `float`.
        unsafe { self.words.cast::<f64>().add(index).write_unaligned(value) };
    }

    /// Takes the ttl out, and puts 0 in its place.
    #[inline]
    pub fn take_ttl(&self) -> f64 {
        // SAFETY: as in `write`; `layout` asserts that the place lies within the array.
        unsafe {
            let place = self.words.cast::<f64>().add(SCRATCH_TTL);
            let ttl_ms = place.read_unaligned();
            place.write_unaligned(0.0);
            ttl_ms
        }
    }

    /// Lets `read` see a record that JavaScript has written to its area: `len` bytes from `start` on.
    #[inline]
    pub fn with_record<T>(&self, start: usize, len: usize, read: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        let fits = start.checked_add(len).is_some_and(|end| end <= RECORD_AREA_BYTES);
        if !fits {
            return Err(Failure::Misuse("no record lies there"));
        }
        // SAFETY: `layout` asserts that the area lies within the array, and the bytes were just found to lie within the
        // area. JavaScript does not run on this thread while `read` does, which gets nothing that could call it.
        Ok(read(unsafe { std::slice::from_raw_parts(self.words.cast::<u8>().add(RECORDS_IN + start), len) }))
    }

    /// Puts a record where JavaScript reads it; whether there was room.
    #[inline]
    pub fn put_record(&self, record: &[u8]) -> bool {
        let fits = record.len() <= MAX_RECORD_BYTES;
        if fits {
            // SAFETY: `layout` asserts that the area lies within the array, and a record of this length within the
            // area; a record of the store is no part of the array. JavaScript does not run on this thread now.
            unsafe {
                let area = self.words.cast::<u8>().add(RECORDS_OUT);
                ptr::copy_nonoverlapping(record.as_ptr(), area, record.len());
            }
        }
        fits
    }
}
