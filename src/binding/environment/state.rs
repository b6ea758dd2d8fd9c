//! What the binding keeps for one environment: the main thread has one, and so has each worker.
//!
//! It is made when the addon is loaded, and `#[napi]` functions find it by their environment. It knows its
//! [evaluations](Evaluation) by the ids that it assigned: an id says which evaluation opened a map, also after the map
//! was closed, so that an error is made by the classes of the evaluation that asked. When the environment ends, every
//! map that is still open is closed.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::alarm::{Alarm, Waiting};
use super::evaluation::Evaluation;
use super::holds::Holds;
use super::roster::Roster;
use super::scratch::Scratch;
use super::test_clock::Clocks;
use crate::binding::engine::{Engine, Js, Kept, State};
use crate::binding::failure::Outcome;
use crate::store::Wake;

/// The state of one environment. Only the thread of that environment ever sees it.
pub struct Environment {
    evaluations: Rc<Roster<Evaluation>>,
    holds: Rc<Holds>,
    clocks: Clocks,
    alarm: OnceCell<Alarm>,
    /// What the first evaluation shares with those that follow.
    shared: RefCell<Option<Kept>>,
}

impl Environment {
    /// Makes the state of an environment that loads the addon, and sees to its end.
    pub fn create(engine: Engine<'_>) -> Outcome<()> {
        let (evaluations, holds) = (Rc::default(), Rc::default());
        let clocks = Clocks::new(&evaluations, &holds);
        let (alarm, shared) = (OnceCell::new(), RefCell::default());
        let environment = Rc::new(Environment { evaluations, holds, clocks, alarm, shared });
        engine.set_up(Rc::clone(&environment) as Rc<dyn State>)?;
        engine.at_end(move || environment.end())
    }

    /// The one that calls.
    pub fn of(engine: Engine<'_>) -> Outcome<Rc<Environment>> {
        engine.state()
    }

    fn end(&self) {
        for evaluation in self.evaluations.all() {
            evaluation.close_all();
        }
        self.holds.end();
    }

    /// Makes an evaluation of what JavaScript hands in.
    pub fn add_evaluation(&self, engine: Engine<'_>, scratch: Scratch, given: &[Js<'_>; 5]) -> Outcome<Rc<Evaluation>> {
        self.clocks.end_foreign(engine, given[0])?;
        Evaluation::create(engine, &self.evaluations, &self.holds, scratch, given)
    }

    /// The clock that a test of this thread has set.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// The evaluation that has this number, or opened a map as this id.
    pub fn evaluation(&self, id: u32) -> Option<Rc<Evaluation>> {
        self.evaluations.find(id)
    }

    /// The first value shared in this thread that can still be reached; `given` if there is none.
    pub fn share<'s>(&self, engine: Engine<'s>, given: Js<'s>) -> Outcome<Js<'s>> {
        let mut shared = self.shared.borrow_mut();
        if let Some(first) = shared.as_ref().and_then(|shared| engine.kept(shared).ok()) {
            return Ok(first);
        }
        *shared = Some(engine.keep_weakly(given)?);
        Ok(given)
    }

    /// What a subscription wakes, which is `waiting` then.
    pub fn waker(&self, engine: Engine<'_>, waiting: Waiting) -> Outcome<Arc<dyn Wake>> {
        if let Some(alarm) = self.alarm.get() {
            return Ok(alarm.waker(waiting));
        }
        let alarm = Alarm::create(engine)?;
        Ok(self.alarm.get_or_init(|| alarm).waker(waiting))
    }
}

impl State for Environment {
    /// Has the evaluation of each subscription that rang look for what waits. One that throws does not keep the others
    /// from it.
    fn wake(&self, engine: Engine<'_>) {
        let Some(alarm) = self.alarm.get() else { return };
        for waiting in alarm.waiting() {
            let Some(evaluation) = self.evaluation(waiting.id) else { continue };
            if engine.scoped(|engine| evaluation.wake(engine, waiting)).is_err() {
                // Without this, Node would print a deprecation warning in place of an uncaught exception.
                engine.report_uncaught();
            }
        }
    }
}
