//! What a map reports to its subscribers: log lines and errors, from any thread, to any thread.
//!
//! The store never calls a listener. It puts an [`Event`] into the queue of each subscriber and wakes the subscriber
//! once; the subscriber takes the events out on its own thread with [`Subscription::drain`]. Without a listener at a
//! level, [`Events::log`] is one relaxed load and a branch.
//!
//! To log something new: a row in `lines.rs`, with its target, level, code and message, and `events.log(&lines::NAME,
//! &[("entries", 3)])` where it happens. Where its numbers cost something to collect, ask [`Events::listens`] first.
//!
//! A queue is bounded in bytes, because its reader may be blocked for as long as it likes. What does not fit is dropped
//! and counted, and the count is handed over with the next events.

pub mod lines;

mod desk;
mod facade;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::Error;
use crate::store::platform::sync::{Arc, AtomicU32, Mutex, Ordering};

pub use desk::{Desk, DeskPlace, Unheard};
pub use lines::{Level, Line, LogTarget};

/// What one subscriber may have waiting. 256 KB hold about 2,000 log lines: more than a stalled event loop would want
/// to see, and small next to any map.
const QUEUE_LIMIT_BYTES: usize = 256 * 1024;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A log line.
    Log {
        /// What kind of line.
        line: &'static Line,
        /// When it was logged: milliseconds since 1970.
        time_ms: u64,
        /// Named numbers; units are in the names.
        fields: Vec<(&'static str, u64)>,
    },
    /// An operation failed, in whatever thread.
    Error {
        /// What its caller got.
        error: Error,
        /// The operation, by the name that users know.
        operation: Cow<'static, str>,
    },
}

impl Event {
    /// What the event costs while it waits.
    fn weight_bytes(&self) -> usize {
        let own = match self {
            Event::Log { fields, .. } => fields.capacity() * size_of::<(&'static str, u64)>(),
            Event::Error { error, operation } => {
                let reason = if let Error::RefreshFailed { reason } = error { reason.len() } else { 0 };
                let name = if let Cow::Owned(name) = operation { name.capacity() } else { 0 };
                reason + name
            }
        };
        size_of::<Event>() + own
    }
}

/// Notifies a subscriber that its queue is no longer empty.
pub trait Wake: Send + Sync {
    /// Called from the thread that caused the event, once until [`Subscription::drain`] found nothing. It must not
    /// block and must not call back into the map.
    fn wake(&self);
}

/// The events of one map.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

struct Shared {
    /// What subscribers want: the lowest level in the low byte, [`WANTS_ERRORS`] above it, and the bits of all their
    /// targets from [`TARGETS_SHIFT`] on. It is only a hint that lets `log` return early; the truth is in `queues`,
    /// whose lock is held when this is written.
    interest: AtomicU32,
    queues: Mutex<Vec<Arc<Queue>>>,
    /// Threads that have the map open, for errors that no subscriber hears.
    desks: Mutex<desk::Places>,
}

const LEVEL_MASK: u32 = 0xff;
const WANTS_ERRORS: u32 = 0x100;
const TARGETS_SHIFT: u32 = 16;

struct Queue {
    /// What the subscriber wants, as in `interest`. Written under the lock of `queues`.
    wanted: AtomicU32,
    wake: Arc<dyn Wake>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    bytes: usize,
    dropped: u64,
    /// Whether the subscriber was woken since it last found nothing.
    woken: bool,
}

/// What a subscriber wants, in one word.
fn wanted(level: Level, targets: u32, errors: bool) -> u32 {
    level as u32 | (targets & LogTarget::ALL_BITS) << TARGETS_SHIFT | if errors { WANTS_ERRORS } else { 0 }
}

/// Whether a line of this level and target is among what a word wants.
fn wants(word: u32, target: LogTarget, level: Level) -> bool {
    level as u32 >= word & LEVEL_MASK && word >> TARGETS_SHIFT & target.bit() != 0
}

/// Milliseconds since 1970, by the clock of the system, as logs everywhere have it.
fn time_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Queue {
    fn wants_line(&self, line: &Line) -> bool {
        wants(self.wanted.load(Ordering::Relaxed), line.target, line.level)
    }

    fn wants_errors(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) & WANTS_ERRORS != 0
    }

    /// Adds `event`, and returns whether the subscriber has to be woken for it.
    fn push(&self, event: Event) -> bool {
        let mut waiting = self.waiting.lock();
        let bytes = event.weight_bytes();
        if waiting.bytes + bytes > QUEUE_LIMIT_BYTES {
            waiting.dropped += 1;
        } else {
            waiting.bytes += bytes;
            waiting.events.push_back(event);
        }
        !std::mem::replace(&mut waiting.woken, true)
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl Events {
    /// Events without subscribers.
    pub fn new() -> Events {
        Events {
            shared: Arc::new(Shared {
                interest: AtomicU32::new(Level::Off as u32),
                queues: Mutex::new(Vec::new()),
                desks: Mutex::default(),
            }),
        }
    }

    /// Queues log lines of `level` and above that are about `targets` (their bits), and errors if `errors`, until the
    /// subscription is dropped.
    pub fn subscribe(&self, level: Level, targets: u32, errors: bool, wake: Arc<dyn Wake>) -> Subscription {
        let wanted = AtomicU32::new(wanted(level, targets, errors));
        let queue = Arc::new(Queue { wanted, wake, waiting: Mutex::new(Waiting::default()) });
        let mut queues = self.shared.queues.lock();
        queues.push(Arc::clone(&queue));
        self.shared.note_interest(&queues);
        Subscription { events: self.clone(), queue }
    }

    /// Whether such a line would reach a subscriber. For callers whose numbers cost something to collect.
    #[inline]
    pub fn listens(&self, line: &Line) -> bool {
        // Relaxed: a subscriber that came a moment ago may miss a line, but nothing is published through this word.
        wants(self.shared.interest.load(Ordering::Relaxed), line.target, line.level)
    }

    /// Logs a line.
    #[inline]
    pub fn log(&self, line: &'static Line, fields: &[(&'static str, u64)]) {
        if self.listens(line) {
            let event = Event::Log { line, time_ms: time_ms(), fields: fields.to_vec() };
            let _ = self.shared.send(|queue| queue.wants_line(line), &event);
        }
    }

    /// Reports that `operation` failed with `error`. Returns whether there is a subscriber to hear it.
    #[inline]
    pub fn error(&self, error: &Error, operation: impl Into<Cow<'static, str>>) -> bool {
        self.shared.interest.load(Ordering::Relaxed) & WANTS_ERRORS != 0
            && self
                .shared
                .send(Queue::wants_errors, &Event::Error { error: error.clone(), operation: operation.into() })
    }
}

impl Shared {
    fn note_interest(&self, queues: &[Arc<Queue>]) {
        let wanted = |queue: &Arc<Queue>| queue.wanted.load(Ordering::Relaxed);
        let level = queues.iter().map(|queue| wanted(queue) & LEVEL_MASK).min().unwrap_or(Level::Off as u32);
        let rest = queues.iter().fold(0, |rest, queue| rest | wanted(queue) & !LEVEL_MASK);
        self.interest.store(level | rest, Ordering::Relaxed);
    }

    /// Queues an event for those that want it; whether there are any.
    #[cold]
    fn send(&self, wanted: impl Fn(&Queue) -> bool, event: &Event) -> bool {
        let mut is_wanted = false;
        let to_wake: Vec<Arc<Queue>> = {
            let queues = self.queues.lock();
            let wanting = queues.iter().filter(|queue| wanted(queue)).inspect(|_| is_wanted = true);
            wanting.filter(|queue| queue.push(event.clone())).map(Arc::clone).collect()
        };
        // Woken outside the lock: a subscriber that is woken may subscribe or unsubscribe at once.
        for queue in to_wake {
            queue.wake.wake();
        }
        is_wanted
    }
}

/// A subscription to a map's events. Dropping it unsubscribes, and drops what waited.
pub struct Subscription {
    events: Events,
    queue: Arc<Queue>,
}

/// What [`Subscription::drain`] returns.
#[derive(Debug, Default, PartialEq)]
pub struct Drained {
    /// The events in the order in which they happened, as far as threads agree on it.
    pub events: Vec<Event>,
    /// How many more there were, which the queue had no room for.
    pub dropped: u64,
}

impl Subscription {
    /// Wants something else from now on. What waits stays.
    pub fn change(&self, level: Level, targets: u32, errors: bool) {
        let queues = self.events.shared.queues.lock();
        self.queue.wanted.store(wanted(level, targets, errors), Ordering::Relaxed);
        self.events.shared.note_interest(&queues);
    }

    /// Takes out what waits, at most `count` events, oldest first. How many were dropped comes with the last ones.
    /// Once nothing was there, the next event wakes the subscriber again.
    pub fn drain(&self, count: usize) -> Drained {
        let mut waiting = self.queue.waiting.lock();
        let count = count.min(waiting.events.len());
        let events: Vec<_> = waiting.events.drain(..count).collect();
        waiting.bytes -= events.iter().map(Event::weight_bytes).sum::<usize>();
        let dropped = if waiting.events.is_empty() { std::mem::take(&mut waiting.dropped) } else { 0 };
        waiting.woken = !events.is_empty() || dropped > 0;
        Drained { events, dropped }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut queues = self.events.shared.queues.lock();
        queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        self.events.shared.note_interest(&queues);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
