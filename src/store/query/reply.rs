//! The answer of a job, on its way to the thread that asked.

use crate::store::error::Error;
use crate::store::events::Wake;
use crate::store::platform::sync::process::{AtomicBool, Mutex};
use crate::store::platform::sync::{Arc, Ordering};

/// What the thread that asked keeps. Dropping it cancels the job.
pub struct Asked<T>(Arc<Shared<T>>);

/// What the job keeps. One that is dropped without an answer has panicked, unless nothing waits for it any more.
pub struct Reply<T> {
    shared: Arc<Shared<T>>,
    notice: Arc<dyn Wake>,
}

struct Shared<T> {
    is_cancelled: AtomicBool,
    end: Mutex<End<T>>,
}

enum End<T> {
    NotYet,
    Answered(Result<T, Error>),
    /// It was answered, and the answer was taken; or the job panicked.
    Nothing,
}

/// Both ends. `notice` is woken when there is an answer.
pub fn reply<T>(notice: Arc<dyn Wake>) -> (Asked<T>, Reply<T>) {
    let shared = Arc::new(Shared { is_cancelled: AtomicBool::new(false), end: Mutex::new(End::NotYet) });
    (Asked(Arc::clone(&shared)), Reply { shared, notice })
}

impl<T> Asked<T> {
    /// Takes the answer, once notice of it was given. `None` before, after it was taken, and if the job panicked.
    pub fn take(&self) -> Result<Option<T>, Error> {
        let mut end = self.0.end.lock();
        if matches!(*end, End::NotYet) {
            return Ok(None);
        }
        match std::mem::replace(&mut *end, End::Nothing) {
            End::Answered(answer) => answer.map(Some),
            End::NotYet | End::Nothing => Ok(None),
        }
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }
}

impl<T> Reply<T> {
    /// Whether nothing waits for an answer any more.
    pub fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled.load(Ordering::Relaxed)
    }

    /// Gives the answer.
    pub fn give(&self, answer: Result<T, Error>) {
        *self.shared.end.lock() = End::Answered(answer);
        self.notice.wake();
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let mut end = self.shared.end.lock();
        if matches!(*end, End::NotYet) {
            *end = End::Nothing;
            drop(end);
            self.notice.wake();
        }
    }
}
