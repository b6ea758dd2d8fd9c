//! One operation, from the call of the engine to its result or exception.
//!
//! A raw operation is an ordinary Rust function from a [`Call`] to an [`Outcome`]. [`enter`] stands between it and the
//! engine: it collects the arguments, catches a panic, and turns a failure into a JavaScript exception. [`within`] and
//! [`with_map`] do the same for the body of a `#[napi]` function.
//!
//! How a failure becomes an exception: the store's error has a number and details, and the function that JavaScript
//! attached makes the error object of them.

use napi::sys::{self, Status};
use serde_json::json;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use crate::binding::convert::details::details;
use crate::binding::convert::values::{Space, key, kind, value};
use crate::binding::engine::{Engine, Js};
use crate::binding::environment::{Environment, Evaluation, OpenMap};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::RECORD_LEN_BITS;
use crate::store::{Error, Handle, Target, Value, ValueKind};

/// One call of a raw operation with `N` arguments; those that were not given are `undefined`.
pub struct Call<'s, const N: usize> {
    /// The engine that called.
    pub engine: Engine<'s>,
    /// The state of the evaluation whose function was called.
    pub evaluation: &'s Evaluation,
    /// Borrowed from where the engine wrote them: copying them right after that would wait for its stores to land,
    /// which was seen to cost 10 ns.
    arguments: &'s [Js<'s>; N],
    /// How many arguments were given, which may be more or fewer.
    given: usize,
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

    /// The map that the first argument names.
    #[inline]
    pub fn map(&self) -> Outcome<Rc<OpenMap>> {
        self.evaluation.map(self.number(0)?)
    }

    /// The handle in the three arguments from `at` on.
    #[inline]
    pub fn handle(&self, at: usize) -> Outcome<Handle> {
        Ok(Handle { shard: self.number(at)?, slot: self.number(at + 1)?, generation: self.number(at + 2)? })
    }

    /// The entry that the operation is about: that of a handle if its three numbers were given from `at` on, else that
    /// of the key at `at`.
    #[inline]
    pub fn target<'b>(&self, at: usize, space: &'b mut Space) -> Outcome<Target<'b>> {
        if self.given > at + 2 {
            return Ok(Target::Handle(self.handle(at)?));
        }
        Ok(Target::Key(key(self.engine, self.argument(at), space)?))
    }
}

impl<const N: usize> Call<'_, N> {
    /// The value at `at`, whose kind is the argument after it. Of a record, JavaScript says where in its area it lies.
    #[inline]
    pub fn value<'b>(&self, at: usize, space: &'b mut Space) -> Outcome<Value<'b>> {
        let kind = kind(self.number(at + 1)?)?;
        if kind == ValueKind::Shaped {
            let place = self.engine.f64(self.argument(at))? as usize;
            return self.evaluation.record(place >> RECORD_LEN_BITS, place & ((1 << RECORD_LEN_BITS) - 1), space);
        }
        value(self.engine, self.argument(at), kind, space)
    }
}

/// A raw operation.
pub type Operation<const N: usize> = for<'s> fn(&Call<'s, N>) -> Outcome<Js<'s>>;

/// Runs a raw operation on behalf of the engine. `operation` is the name that users know it by.
///
/// # Safety
///
/// Called by the engine with its own `env` and `info`, for a function whose data is a live [`Evaluation`].
#[inline]
pub unsafe fn enter<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    operation: &'static str,
    run: Operation<N>,
) -> sys::napi_value {
    let mut count = N;
    // Nothing is stored here before the engine does, see `Engine::u32`.
    let mut arguments = [const { MaybeUninit::<Js<'_>>::uninit() }; N];
    let mut data = MaybeUninit::uninit();
    let space = arguments.as_mut_ptr().cast();
    // SAFETY: `env` and `info` come from the engine; it writes `count` arguments, `undefined` for missing ones, and a
    // `Js` is laid out as the value it holds.
    let status = unsafe { sys::napi_get_cb_info(env, info, &raw mut count, space, ptr::null_mut(), data.as_mut_ptr()) };
    if status != Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: the engine wrote all of them, as its status says, and the data.
    let (arguments, data) = unsafe { (&*arguments.as_ptr().cast::<[Js<'_>; N]>(), data.assume_init()) };
    // SAFETY: the engine passed `env` to this callback, and the engine made of it is used only until it returns.
    let engine = unsafe { Engine::from_raw(env) };
    // SAFETY: the caller vouches for the data, and the function that runs holds a count of it.
    let evaluation = unsafe { &*data.cast_const().cast::<Evaluation>() };
    let call = Call { engine, evaluation, arguments, given: count };
    // What a panic may have left half done is behind the store's locks, and the store marks a map that was under one.
    // A pointer is all that leaves the closure: an outcome would be moved on its way out, success or not.
    let returned = catch_unwind(AssertUnwindSafe(|| match run(&call) {
        Ok(result) => result.into_raw(),
        Err(failure) => fail(&call, operation, failure),
    }));
    returned.unwrap_or_else(|panic| fail(&call, operation, Failure::from_panic(panic.as_ref())))
}

/// The way out of an operation that did not go well, kept out of the fast path.
#[cold]
#[inline(never)]
fn fail<const N: usize>(call: &Call<'_, N>, operation: &'static str, failure: Failure) -> sys::napi_value {
    // Every raw operation has the id of the map first; where it is none, there is no map to report to.
    let id = call.arguments.first().and_then(|id| call.engine.u32(*id).ok());
    throw(call.evaluation, call.engine, failure, id, operation);
    ptr::null_mut()
}

/// Runs the body of a `#[napi]` function as [`enter`] runs a raw operation: with the state of the calling evaluation,
/// safe against panics, and throwing what failed. `id` is the map it is about, or the number of the evaluation.
pub fn within<T>(
    env: &napi::Env,
    operation: &'static str,
    id: u32,
    body: impl FnOnce(Engine<'_>, &Rc<Evaluation>) -> Outcome<T>,
) -> napi::Result<T> {
    let engine = Engine::of(env);
    let Some(evaluation) = Environment::of(engine).ok().and_then(|environment| environment.evaluation(id)) else {
        return Err(napi::Error::from_reason(format!("{operation}: {id} is no number of an open map")));
    };
    let failure = match catch_unwind(AssertUnwindSafe(|| body(engine, &evaluation))) {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::from_panic(panic.as_ref()),
    };
    throw(&evaluation, engine, failure, Some(id), operation);
    // The exception is pending in the engine, so this one is only a sign to napi's glue.
    Err(napi::Error::new(napi::Status::PendingException, String::new()))
}

/// Runs the body of a `#[napi]` function that is about one open map.
pub fn with_map<T>(
    env: &napi::Env,
    operation: &'static str,
    id: u32,
    body: impl FnOnce(&OpenMap) -> Outcome<T>,
) -> napi::Result<T> {
    within(env, operation, id, |_, evaluation| body(&*evaluation.map(id)?))
}

/// Throws what `failure` is. The store reported its refusals to listeners; a panic it could not.
#[cold]
fn throw(evaluation: &Evaluation, engine: Engine<'_>, failure: Failure, id: Option<u32>, operation: &'static str) {
    let map = id.and_then(|id| evaluation.map(id).ok());
    let store = map.as_deref().map(OpenMap::store);
    let is_broken = store.is_some_and(|store| store.is_broken());
    // JavaScript may try again where a function of the user makes room, or a transaction met others; it counts what it
    // throws.
    let counts = !matches!(&failure, Failure::Store(error)
        if *error == Error::TransactionConflict || store.is_some_and(|store| store.asks_caller(error)));
    let (number, details) = match failure {
        Failure::Store(error) => (error.code(), details(&error, store.map(AsRef::as_ref))),
        Failure::Query(fault) => (1028, json!({ "at": fault.at, "allowed": fault.allowed })),
        Failure::KeyType { given } => (1011, json!({ "argument": "key", "given": given })),
        Failure::Panic(panic) if is_broken => {
            if let Some(store) = store {
                store.events().error(&Error::Broken, operation);
            }
            (Error::Broken.code(), json!({ "panic": panic }))
        }
        Failure::Panic(panic) => return engine.throw_plain("ERR_INTERNAL", &format!("{operation}: {panic}")),
        Failure::Misuse(what) => return engine.throw_plain("ERR_INTERNAL", &format!("{operation}: {what}")),
        Failure::Engine(status) => {
            return engine.throw_plain("ERR_INTERNAL", &format!("{operation}: Node-API gave status {status}"));
        }
        Failure::Pending => return,
    };
    if let Some(store) = store {
        if counts {
            store.count_error(number);
        }
        if is_broken {
            store.recover_if_asked_for();
        }
    } else if let Some(closed) = id.and_then(|id| evaluation.closed(id)) {
        closed.count_error(number);
    }
    let thrown = evaluation.make_error(engine, number, &details.to_string()).map(|error| engine.throw(error));
    // A `makeError` that threw has thrown. If it could not be called, we throw.
    if let Err(Failure::Engine(_) | Failure::Misuse(_)) = thrown {
        engine.throw_plain(&format!("ERR_{number}"), &format!("{operation}: {details}"));
    }
}
