//! Arrays of many values, in and out.
//!
//! Node-API reads and writes an array one element at a time, at 30 to 60 ns each, which is as much as a whole call.
//! The engine passes *arguments* far faster: 2 to 3 ns each. So two functions of lib/ stand in between: `spread` calls
//! a native function with a stretch of an array as its arguments, `append` adds its arguments to an array.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use napi::sys::{self, Status};

use super::{Engine, Js, Kept};
use crate::binding::failure::{Failure, Outcome};

/// Values that go over in one call. The engine puts arguments on the stack of the thread, and a worker's may be small.
pub const VALUES_PER_CALL: usize = 512;

/// The helpers of one evaluation.
pub struct Many {
    /// `(receive, array, from, to)`: calls `receive(...array.slice(from, to))`.
    spread: Kept,
    /// `(array, ...values)`: adds the values to the array.
    append: Kept,
    /// The native function that `spread` calls.
    receive: Kept,
    /// What `receive` has a count of.
    reception: Rc<Reception>,
}

/// What the helpers share with `receive`.
#[derive(Default)]
struct Reception {
    /// The receiver of the arguments, while a `spread` is under way.
    receiver: Cell<Option<NonNull<Receiver<'static>>>>,
    /// How often JavaScript ran.
    runs: Cell<u64>,
}

impl Reception {
    fn note_run(&self) {
        self.runs.set(self.runs.get() + 1);
    }
}

/// What receives the elements of an array.
///
/// Invariant: it is reachable through `Reception::receiver` only while the [`Many::read`] that owns it is on the stack
/// below.
struct Receiver<'r> {
    each: &'r mut dyn FnMut(Engine<'_>, usize, Js<'_>) -> Outcome<()>,
    next: usize,
    outcome: Outcome<()>,
}

impl Many {
    /// Takes over the helpers that JavaScript hands in, and keeps neither of them.
    pub fn new(engine: Engine<'_>, spread: Js<'_>, append: Js<'_>) -> Outcome<Many> {
        let reception = Rc::new(Reception::default());
        let receive = engine.function_of(c"receive", receive, &reception)?;
        Ok(Many {
            spread: engine.keep_weakly(spread)?,
            append: engine.keep_weakly(append)?,
            receive: engine.keep(receive)?,
            reception,
        })
    }

    /// How often JavaScript ran through these helpers.
    #[inline]
    pub fn runs(&self) -> u64 {
        self.reception.runs.get()
    }

    /// Calls `each` with the first `count` elements of an array and their indexes. What `each` receives is gone when
    /// it returns; what it creates lives until the end of its stretch.
    pub fn read(
        &self,
        engine: Engine<'_>,
        array: Js<'_>,
        count: usize,
        each: &mut dyn FnMut(Engine<'_>, usize, Js<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        for start in (0..count).step_by(VALUES_PER_CALL) {
            engine.scoped(|engine| self.read_chunk(engine, array, start, count.min(start + VALUES_PER_CALL), each))?;
        }
        Ok(())
    }

    fn read_chunk(
        &self,
        engine: Engine<'_>,
        array: Js<'_>,
        start: usize,
        end: usize,
        each: &mut dyn FnMut(Engine<'_>, usize, Js<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut receiver = Receiver { each, next: start, outcome: Ok(()) };
        let receive = engine.kept(&self.receive)?;
        let (from, to) = (engine.float(start as f64)?, engine.float(end as f64)?);
        let spread = engine.kept(&self.spread)?;
        // A getter in the array may start another read inside this one, so the one before is put back.
        let before = self.reception.receiver.replace(Some(NonNull::from(&mut receiver).cast()));
        let called = engine.call(spread, &[receive, array, from, to]);
        self.reception.receiver.set(before);
        self.reception.note_run();
        // What `each` said comes first: an exception that it caused is pending, and `call` only says that one is.
        receiver.outcome?;
        called?;
        if receiver.next == end { Ok(()) } else { Err(Failure::Misuse("an array became shorter while it was read")) }
    }

    /// Adds values to the end of an array.
    pub fn append(&self, engine: Engine<'_>, array: Js<'_>, values: &[Js<'_>]) -> Outcome<()> {
        let append = engine.kept(&self.append)?;
        let mut arguments = Vec::with_capacity(VALUES_PER_CALL.min(values.len()) + 1);
        for values in values.chunks(VALUES_PER_CALL) {
            arguments.clear();
            arguments.push(array);
            arguments.extend_from_slice(values);
            let called = engine.call(append, &arguments);
            self.reception.note_run();
            called?;
        }
        Ok(())
    }
}

/// Called by `spread`, with a stretch of an array as its arguments.
unsafe extern "C" fn receive(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut arguments = [const { MaybeUninit::<Js<'_>>::uninit() }; VALUES_PER_CALL];
    let mut count = 0;
    let mut data: *mut c_void = ptr::null_mut();
    let (nowhere, space) = (ptr::null_mut(), arguments.as_mut_ptr().cast());
    // SAFETY: `env` and `info` come from the engine. First it says how many arguments there are, then it writes so
    // many: for each place that it is offered too much, it would write `undefined`. A `Js` is laid out as the value it
    // holds.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &raw mut count, nowhere, nowhere.cast(), &raw mut data);
        count = count.min(VALUES_PER_CALL);
        let mut written = count;
        sys::napi_get_cb_info(env, info, &raw mut written, space, nowhere.cast(), nowhere.cast())
    };
    if status != Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: the engine has just written `count` of them.
    let arguments = unsafe { std::slice::from_raw_parts(arguments.as_ptr().cast::<Js<'_>>(), count) };
    // SAFETY: `Many::new` passed the function this as its data, of which it holds a count.
    let reception = unsafe { &*data.cast_const().cast::<Reception>() };
    // Getters of the array ran before this was called.
    reception.note_run();
    // Taken out, so that no callback can reach the receiver a second time while it is borrowed here.
    let Some(mut receiver) = reception.receiver.take() else { return ptr::null_mut() };
    // SAFETY: the invariant of `Receiver`: its `read` waits below on the stack, and this is the only way to it.
    let receiver = unsafe { receiver.as_mut() };
    // SAFETY: the engine passed `env` to this callback, and the engine made of it is used only until it returns.
    let engine = unsafe { Engine::from_raw(env) };
    let received = catch_unwind(AssertUnwindSafe(|| {
        for value in arguments {
            (receiver.each)(engine, receiver.next, *value)?;
            receiver.next += 1;
        }
        Ok(())
    }));
    receiver.outcome = received.unwrap_or_else(|panic| Err(Failure::from_panic(panic.as_ref())));
    ptr::null_mut()
}
