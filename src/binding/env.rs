//! What the binding keeps for one environment: the main thread has one, and so has each worker.
//!
//! It is made when the addon is loaded, and `#[napi]` functions find it by their environment. It knows its
//! [evaluations](Evaluation) by the ids that it gave them: an id says which evaluation opened a map, also after the map was
//! closed, so that an error is made by the classes of those who asked. When the environment ends, every map that is still
//! open is closed.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::{Rc, Weak};

use napi::JsValue;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

use super::call::{Engine, Js, Kept};
use super::error::{Failure, Outcome, capture_panics};
use super::evaluation::Evaluation;
use super::holds::Holds;
use super::listener::Alarm;
use super::scratch::Scratch;

/// Ids that an evaluation gets at a time. A program that opens a map for each request uses them up, one that evaluates the
/// package for each test file hardly touches them; there are a million blocks for both.
const BLOCK: u32 = 4_096;

/// The state of one environment. Only the thread of that environment ever sees it.
#[derive(Default)]
pub struct Environment {
    /// Whose ids they are, block by block, from BLOCK on.
    blocks: RefCell<Vec<Weak<Evaluation>>>,
    /// Evaluations that listen to a map.
    listening: RefCell<Vec<Weak<Evaluation>>>,
    holds: Holds,
    alarm: OnceCell<Alarm>,
    /// What the first evaluation shares with those that follow.
    shared: RefCell<Option<Kept>>,
    /// The constructor, as it was when the addon was loaded.
    array_buffer: OnceCell<Kept>,
}

impl Environment {
    /// Makes the state of an environment that loads the addon, and sees to its end.
    fn create(engine: Engine<'_>) -> Outcome<()> {
        let environment = Rc::new(Environment::default());
        engine.set_environment(Rc::clone(&environment))?;
        let constructor = engine.keep(engine.global(c"ArrayBuffer")?)?;
        environment.array_buffer.get_or_init(|| constructor);
        engine.at_end(move || environment.end())
    }

    /// What makes an `ArrayBuffer`.
    pub fn array_buffer(&self) -> Outcome<&Kept> {
        self.array_buffer.get().ok_or(Failure::Misuse("there is no ArrayBuffer"))
    }

    fn end(&self) {
        let evaluations: Vec<_> = self.blocks.borrow().iter().filter_map(Weak::upgrade).collect();
        for evaluation in evaluations {
            evaluation.close_all();
        }
        self.holds.end();
    }

    /// Makes an evaluation with the ids that it is given.
    pub fn add_evaluation(&self, make: impl FnOnce(Range<u32>) -> Evaluation) -> Outcome<Rc<Evaluation>> {
        let evaluation = Rc::new(make(self.next_ids()?));
        self.blocks.borrow_mut().push(Rc::downgrade(&evaluation));
        Ok(evaluation)
    }

    fn next_ids(&self) -> Outcome<Range<u32>> {
        let block = u32::try_from(self.blocks.borrow().len() + 1).ok();
        let start = block.and_then(|block| block.checked_mul(BLOCK));
        let end = start.and_then(|start| start.checked_add(BLOCK));
        start.zip(end).map(|(start, end)| start..end).ok_or(Failure::Misuse("all ids are used up"))
    }

    /// More ids for an evaluation: gives the first, which is taken, and keeps the others for it.
    pub fn more_ids(&self, evaluation: &Rc<Evaluation>) -> Outcome<u32> {
        let ids = self.next_ids()?;
        self.blocks.borrow_mut().push(Rc::downgrade(evaluation));
        evaluation.set_ids(ids.start + 1..ids.end);
        Ok(ids.start)
    }

    /// The evaluation that has this number, or opened a map as this id.
    pub fn evaluation(&self, id: u32) -> Option<Rc<Evaluation>> {
        let block = (id / BLOCK).checked_sub(1)?;
        self.blocks.borrow().get(block as usize)?.upgrade()
    }

    /// Forgets an evaluation that is gone, whose state would otherwise stay allocated.
    pub(super) fn remove_evaluation(&self, evaluation: *const Evaluation) {
        for block in self.blocks.borrow_mut().iter_mut().filter(|block| block.as_ptr() == evaluation) {
            *block = Weak::new();
        }
        self.remove_listening(evaluation);
    }

    /// Has what happens to maps reach this evaluation.
    pub(super) fn add_listening(&self, evaluation: &Rc<Evaluation>) {
        self.listening.borrow_mut().push(Rc::downgrade(evaluation));
    }

    /// Ends that.
    pub(super) fn remove_listening(&self, evaluation: *const Evaluation) {
        self.listening.borrow_mut().retain(|other| other.as_ptr() != evaluation);
    }

    /// Has each evaluation that listens look for what waits. One that throws does not keep the others from it.
    pub fn wake(&self, engine: Engine<'_>) {
        let listening: Vec<_> = self.listening.borrow().iter().filter_map(Weak::upgrade).collect();
        for evaluation in listening {
            if evaluation.wake(engine).is_err() {
                // Without this, Node would print a deprecation warning in place of an uncaught exception.
                engine.report_uncaught();
            }
        }
    }

    /// The named maps that this thread has open.
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// What wakes this environment, made when first needed.
    pub fn alarm(&self, engine: Engine<'_>) -> Outcome<&Alarm> {
        if let Some(alarm) = self.alarm.get() {
            return Ok(alarm);
        }
        let alarm = Alarm::create(engine)?;
        Ok(self.alarm.get_or_init(|| alarm))
    }
}

/// `attach(makeError, onWake, spread, append, shared)`: once per evaluation. The result has the raw operations as its properties,
/// `scratch`, and `evaluation`, the number of the evaluation.
pub fn attach<'s>(engine: Engine<'s>, given: &[Js<'s>; 5]) -> Outcome<Js<'s>> {
    let environment = engine.environment()?;
    let (scratch, scratch_array) = Scratch::create(engine)?;
    let evaluation = Evaluation::create(engine, &environment, scratch, given)?;
    let operations = engine.object()?;
    engine.set_property(operations, c"evaluation", engine.float(f64::from(evaluation.number()))?)?;
    engine.set_property(operations, c"scratch", scratch_array)?;
    let kept = engine.array()?;
    for (index, value) in given.iter().chain([&scratch_array]).enumerate() {
        engine.set_element(kept, index, *value)?;
    }
    engine.freeze(kept)?;
    super::hot::register(engine, operations, &evaluation, kept)?;
    Ok(operations)
}

/// `atRoot(job)`: calls a function outside of every async context.
pub fn at_root<'s>(engine: Engine<'s>, given: &[Js<'s>; 1]) -> Outcome<Js<'s>> {
    let [job] = *given;
    engine.at_root(|engine| engine.call(job, &[]).map(|_| Js::NOTHING))
}

/// `share(value)`: what the first evaluation of this thread gave that can still be reached; `value` if there is none. So
/// objects of one evaluation are known to the others.
pub fn share<'s>(engine: Engine<'s>, given: &[Js<'s>; 1]) -> Outcome<Js<'s>> {
    let environment = engine.environment()?;
    let mut shared = environment.shared.borrow_mut();
    if let Some(first) = shared.as_ref().and_then(|shared| engine.kept(shared).ok()) {
        return Ok(first);
    }
    *shared = Some(engine.keep_weakly(given[0])?);
    Ok(given[0])
}

/// Runs the body of a `#[napi]` function as [`super::call::enter`] runs a raw operation: with the state of the calling
/// evaluation, safe against panics, and throwing what failed. `id` is the map it is about, or the number of the evaluation.
pub fn within<T>(
    env: &napi::Env,
    operation: &'static str,
    id: u32,
    body: impl FnOnce(Engine<'_>, &Rc<Evaluation>) -> Outcome<T>,
) -> napi::Result<T> {
    let engine = Engine::of(env);
    let Some(evaluation) = engine.environment().ok().and_then(|environment| environment.evaluation(id)) else {
        return Err(napi::Error::from_reason(format!("{operation}: {id} is no number of an open map")));
    };
    let failure = match catch_unwind(AssertUnwindSafe(|| body(engine, &evaluation))) {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::from_panic(panic.as_ref()),
    };
    evaluation.throw(engine, failure, evaluation.map(id).ok().as_deref(), operation);
    // The exception is pending in the engine, so this one is only a sign to napi's glue.
    Err(napi::Error::new(napi::Status::PendingException, String::new()))
}

/// Sets the addon up in an environment that loads it.
#[napi(module_exports)]
pub fn set_up(exports: Object, env: &napi::Env) -> napi::Result<()> {
    capture_panics();
    // While a program loads it waits anyway; its first read should not.
    crate::store::prepare();
    // The image must stay when the worker that loaded it ends: other threads hold function pointers into it. Linking
    // with `-z nodelete` says the same, but only where the linker knows it.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    let engine = Engine::of(env);
    Environment::create(engine)
        // SAFETY: the engine has just passed these exports to this callback.
        .and_then(|()| super::hot::register_first(engine, unsafe { Js::from_raw(exports.raw()) }))
        .map_err(|failure| napi::Error::from_reason(format!("{failure:?}")))
}
