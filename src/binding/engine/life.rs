//! The life of an environment: its state, what happens at its end, and how other threads reach it until then.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::sys::{self, Status};

use super::{Engine, Js, Kept, check};
use crate::binding::failure::{Failure, Outcome};

/// The state that the layers above keep for one environment. Which type it is, they alone know.
pub trait State: Any {
    /// Called on the environment's thread, some time after another thread rang its [`Bell`].
    fn wake(&self, engine: Engine<'_>);
}

/// What the engine keeps for one environment, and drops on its thread when the environment ends.
struct Instance {
    /// The constructor, as it was when the addon was loaded.
    array_buffer: Kept,
    state: Rc<dyn State>,
}

impl<'s> Engine<'s> {
    /// Sets this environment up: [`Engine::state`] finds `state` from now on.
    pub fn set_up(self, state: Rc<dyn State>) -> Outcome<()> {
        let array_buffer = self.keep(self.global(c"ArrayBuffer")?)?;
        let data = Box::into_raw(Box::new(Instance { array_buffer, state }));
        // SAFETY: `env` is alive (invariant of `Engine`), and the box is handed over to the finalizer, which runs once.
        let set = check(unsafe {
            sys::napi_set_instance_data(self.env, data.cast(), Some(release_instance), ptr::null_mut())
        });
        if set.is_err() {
            // SAFETY: the engine did not take the box, so it is still ours.
            drop(unsafe { Box::from_raw(data) });
        }
        set
    }

    /// What this environment was set up with.
    fn instance(self) -> Outcome<&'s Instance> {
        let mut data = ptr::null_mut();
        // SAFETY: `env` is alive (invariant of `Engine`), and the result is written through a live pointer.
        check(unsafe { sys::napi_get_instance_data(self.env, &raw mut data) })?;
        // SAFETY: `set_up` handed over a box of this type, which stays until the environment is gone, and with it every
        // engine of this environment. It is only read.
        let instance = unsafe { data.cast_const().cast::<Instance>().as_ref() };
        instance.ok_or(Failure::Misuse("the addon is not set up in this environment"))
    }

    /// The state of the environment that calls.
    pub fn state<S: State>(self) -> Outcome<Rc<S>> {
        let state: Rc<dyn Any> = Rc::clone(&self.instance()?.state) as Rc<dyn Any>;
        state.downcast().map_err(|_| Failure::Misuse("the environment has a state of another type"))
    }

    /// What makes an `ArrayBuffer`.
    pub(super) fn array_buffer_constructor(self) -> Outcome<Js<'s>> {
        self.kept(&self.instance()?.array_buffer)
    }

    /// Runs `last` on this thread when the environment ends: the last one added runs first. JavaScript cannot run any
    /// more then, and what the engine made before this call is still there.
    pub fn at_end(self, last: impl FnOnce() + 'static) -> Outcome<()> {
        // Boxed twice, because the engine passes on one thin pointer.
        let boxed: Box<Box<dyn FnOnce()>> = Box::new(Box::new(last));
        let data = Box::into_raw(boxed);
        // SAFETY: `env` is alive (invariant of `Engine`); the box is handed over to `run_last`, which runs once. Node
        // asserts that no other hook has the same function and data, and the box is new.
        check(unsafe { sys::napi_add_env_cleanup_hook(self.env, Some(run_last), data.cast()) })
    }

    /// Runs `run` outside of every async context: what the engine makes then for later callbacks (a bell) does not
    /// keep the context of the call that happened to need it first.
    pub fn at_root<R: FnOnce(Engine<'_>) -> Outcome<T>, T>(self, run: R) -> Outcome<T> {
        let mut job = Job { run: Some(run), outcome: None };
        let function = self.function(c"atRoot", run_job::<R, T>, (&raw mut job).cast())?;
        let receiver = self.object()?;
        let mut result = ptr::null_mut();
        // SAFETY: both values are of this scope. Without an async context the engine calls the function at the root.
        // The job lives through the call, and no other code can reach the function.
        let called = check(unsafe {
            sys::napi_make_callback(
                self.env,
                ptr::null_mut(),
                receiver.raw,
                function.raw,
                0,
                ptr::null(),
                &raw mut result,
            )
        });
        job.outcome.unwrap_or_else(|| Err(called.err().unwrap_or(Failure::Misuse("the engine did not run a job"))))
    }

    /// A bell that other threads can ring to have the state of this environment [woken](State::wake). It does not keep
    /// the event loop alive, nor the async context that it is made in.
    pub fn bell(self, name: &str) -> Outcome<Bell> {
        self.at_root(|engine| {
            let name = engine.text(name.as_bytes())?;
            // What async hooks see of the bell. Tools that look for open handles ask it this.
            let resource = engine.object()?;
            engine.set_property(resource, c"hasRef", engine.function(c"hasRef", answer_no, ptr::null_mut())?)?;
            let mut raw = ptr::null_mut();
            // SAFETY: the values are of this scope and the result is written through a live pointer. No function, no
            // finalizer, no context, no bound on the queue, one thread that holds it.
            check(unsafe {
                sys::napi_create_threadsafe_function(
                    engine.env,
                    ptr::null_mut(),
                    resource.raw,
                    name.raw,
                    0,
                    1,
                    ptr::null_mut(),
                    None,
                    ptr::null_mut(),
                    Some(answer),
                    &raw mut raw,
                )
            })?;
            // SAFETY: the function was just made in this environment.
            check(unsafe { sys::napi_unref_threadsafe_function(engine.env, raw) })?;
            Ok(Bell(raw))
        })
    }
}

/// What [`Engine::at_root`] has to do, and what came of it.
struct Job<R, T> {
    run: Option<R>,
    outcome: Option<Outcome<T>>,
}

/// Called by the engine, for `at_root`.
unsafe extern "C" fn run_job<R: FnOnce(Engine<'_>) -> Outcome<T>, T>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (nowhere, mut data) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` and `info` come from the engine.
    let status = unsafe { sys::napi_get_cb_info(env, info, nowhere, nowhere.cast(), nowhere.cast(), &raw mut data) };
    if status != Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: `at_root` passed the function its job as data, waits below on the stack, and does not look at it
    // meanwhile.
    let job = unsafe { &mut *data.cast::<Job<R, T>>() };
    if let Some(run) = job.run.take() {
        // SAFETY: the engine passed `env` to this callback, and the engine made of it is used only until it returns.
        let engine = unsafe { Engine::from_raw(env) };
        let outcome = catch_unwind(AssertUnwindSafe(|| run(engine)));
        job.outcome = Some(outcome.unwrap_or_else(|panic| Err(Failure::from_panic(panic.as_ref()))));
    }
    ptr::null_mut()
}

/// A threadsafe function. Node closes and frees it when its environment ends, and does not say so: its holder must
/// know that this has not happened yet.
pub struct Bell(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function is made to be called from any thread.
unsafe impl Send for Bell {}

impl Bell {
    /// Rings, without blocking; `false` if the function is closing and must not be touched again.
    ///
    /// # Safety
    ///
    /// The environment has not ended, and does not before this returns.
    pub unsafe fn ring(&self) -> bool {
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: the caller vouches for the function.
        let status = unsafe { sys::napi_call_threadsafe_function(self.0, ptr::null_mut(), mode) };
        status != Status::napi_closing
    }

    /// Returns it to Node.
    ///
    /// # Safety
    ///
    /// The same.
    pub unsafe fn release(self) {
        // SAFETY: the caller vouches for the function.
        unsafe { sys::napi_release_threadsafe_function(self.0, sys::ThreadsafeFunctionReleaseMode::release) };
    }
}

/// Called by the engine on the environment's thread, some time after a ring.
unsafe extern "C" fn answer(env: sys::napi_env, _: sys::napi_value, _: *mut c_void, _: *mut c_void) {
    // Null when the environment ended with a ring on its way.
    if env.is_null() {
        return;
    }
    // SAFETY: the engine passed `env` to this callback, and the engine made of it is used only until it returns.
    let engine = unsafe { Engine::from_raw(env) };
    // A panic must not reach the engine. Without a state nothing listens. It is held by a count of its own, because it
    // may run JavaScript.
    drop(catch_unwind(AssertUnwindSafe(|| {
        let state = engine.instance().map(|instance| Rc::clone(&instance.state));
        state.map(|state| state.wake(engine))
    })));
}

/// Called by JavaScript, which is told that a bell keeps no process alive.
unsafe extern "C" fn answer_no(env: sys::napi_env, _: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: the engine passed `env` to this callback, and the engine made of it is used only until it returns.
    let engine = unsafe { Engine::from_raw(env) };
    engine.boolean(false).map_or(ptr::null_mut(), |no| no.raw)
}

/// Called by the engine when nothing can ask for the state any more.
unsafe extern "C" fn release_instance(_: sys::napi_env, instance: *mut c_void, _: *mut c_void) {
    // SAFETY: `set_up` handed over this box to this finalizer, which runs once. A drop that panics must not reach the
    // engine, and there is nothing to report.
    drop(catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(instance.cast::<Instance>()) }))));
}

/// Called by the engine when the environment ends.
unsafe extern "C" fn run_last(data: *mut c_void) {
    // SAFETY: `at_end` handed over this box, and the engine runs a hook once.
    let last = unsafe { Box::from_raw(data.cast::<Box<dyn FnOnce()>>()) };
    // The engine cannot take an unwinding panic, and no caller is left to report it to.
    drop(catch_unwind(AssertUnwindSafe(last)));
}
