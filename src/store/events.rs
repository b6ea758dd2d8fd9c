//! What a map reports to its subscribers: log lines and errors, from any thread, to any thread.
//!
//! The store never calls a listener. It puts an [`Event`] into the queue of each subscriber and wakes the subscriber
//! once; the subscriber takes the events out on its own thread with [`Subscription::drain`]. Without a listener at a
//! level, [`Events::log`] is one relaxed load and a branch.
//!
//! A queue is bounded in bytes, because its reader may be blocked for as long as it likes. What does not fit is dropped
//! and counted, and the count is handed over with the next events.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::error::Error;
use crate::store::platform::sync::{Arc, AtomicU32, Mutex, Ordering};

/// What one subscriber may have waiting. 256 KB hold about 2,000 log lines: more than a stalled event loop would want
/// to see, and small next to any map.
const QUEUE_LIMIT_BYTES: usize = 256 * 1024;

/// How important a log line is, in rising order; a subscriber gets its own level and everything above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Steps inside an operation.
    Trace = 0,
    /// What the map does on its own, such as growing.
    Debug = 1,
    /// What a user asked for and happens rarely, such as `clear`.
    Info = 2,
    /// Something was refused or is about to be.
    Warn = 3,
    /// The map can no longer be used.
    Error = 4,
    /// No line has this level: a subscriber that asks for it gets none.
    Off = 5,
}

impl Level {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Off];

    /// The level with this number; numbers that no level has mean [`Level::Off`].
    pub fn from_number(number: u32) -> Self {
        Self::ALL.get(number as usize).copied().unwrap_or(Self::Off)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A log line: a stable code and numbers that belong to it.
    Log {
        /// How important it is.
        level: Level,
        /// What happened, in a stable word such as `map.cleared`.
        code: &'static str,
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
            Event::Error { operation: Cow::Owned(name), .. } => name.capacity(),
            Event::Error { .. } => 0,
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
    /// What subscribers want: the lowest level in the low byte, [`WANTS_ERRORS`] above it. It is only a hint that lets
    /// `log` return early; the truth is in `queues`, whose lock is held when this is written.
    interest: AtomicU32,
    queues: Mutex<Vec<Arc<Queue>>>,
}

const LEVEL_MASK: u32 = 0xff;
const WANTS_ERRORS: u32 = 0x100;

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
fn wanted(level: Level, errors: bool) -> u32 {
    level as u32 | if errors { WANTS_ERRORS } else { 0 }
}

impl Queue {
    fn wants_level(&self, level: Level) -> bool {
        level as u32 >= self.wanted.load(Ordering::Relaxed) & LEVEL_MASK
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
            shared: Arc::new(Shared { interest: AtomicU32::new(Level::Off as u32), queues: Mutex::new(Vec::new()) }),
        }
    }

    /// Queues log lines of `level` and above, and errors if `errors`, until the subscription is dropped.
    pub fn subscribe(&self, level: Level, errors: bool, wake: Arc<dyn Wake>) -> Subscription {
        let wanted = AtomicU32::new(wanted(level, errors));
        let queue = Arc::new(Queue { wanted, wake, waiting: Mutex::new(Waiting::default()) });
        let mut queues = self.shared.queues.lock();
        queues.push(Arc::clone(&queue));
        self.shared.note_interest(&queues);
        Subscription { events: self.clone(), queue }
    }

    /// Whether a line of this level would reach a subscriber. For callers whose fields cost something to collect.
    #[inline]
    pub fn listens(&self, level: Level) -> bool {
        // Relaxed: a subscriber that came a moment ago may miss a line, but nothing is published through this word.
        level as u32 >= self.shared.interest.load(Ordering::Relaxed) & LEVEL_MASK
    }

    /// Logs a line.
    #[inline]
    pub fn log(&self, level: Level, code: &'static str, fields: &[(&'static str, u64)]) {
        if self.listens(level) {
            self.shared.send(|queue| queue.wants_level(level), &Event::Log { level, code, fields: fields.to_vec() });
        }
    }

    /// Reports that `operation` failed with `error`.
    #[inline]
    pub fn error(&self, error: &Error, operation: impl Into<Cow<'static, str>>) {
        if self.shared.interest.load(Ordering::Relaxed) & WANTS_ERRORS != 0 {
            self.shared.send(Queue::wants_errors, &Event::Error { error: error.clone(), operation: operation.into() });
        }
    }
}

impl Shared {
    fn note_interest(&self, queues: &[Arc<Queue>]) {
        let wanted = |queue: &Arc<Queue>| queue.wanted.load(Ordering::Relaxed);
        let level = queues.iter().map(|queue| wanted(queue) & LEVEL_MASK).min().unwrap_or(Level::Off as u32);
        let errors = queues.iter().fold(0, |errors, queue| errors | wanted(queue) & WANTS_ERRORS);
        self.interest.store(level | errors, Ordering::Relaxed);
    }

    #[cold]
    fn send(&self, wanted: impl Fn(&Queue) -> bool, event: &Event) {
        let to_wake: Vec<Arc<Queue>> = {
            let queues = self.queues.lock();
            queues.iter().filter(|queue| wanted(queue) && queue.push(event.clone())).map(Arc::clone).collect()
        };
        // Woken outside the lock: a subscriber that is woken may subscribe or unsubscribe at once.
        for queue in to_wake {
            queue.wake.wake();
        }
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
    pub fn change(&self, level: Level, errors: bool) {
        let queues = self.events.shared.queues.lock();
        self.queue.wanted.store(wanted(level, errors), Ordering::Relaxed);
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
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counter(AtomicU32);

    impl Wake for Counter {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Counter {
        fn count(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn line(level: Level, code: &'static str) -> Event {
        Event::Log { level, code, fields: vec![] }
    }

    #[test]
    fn a_subscriber_gets_its_level_and_above() {
        let events = Events::new();
        let wake = Arc::new(Counter::default());
        let subscription = events.subscribe(Level::Info, false, wake.clone());
        events.log(Level::Debug, "debug", &[]);
        events.log(Level::Info, "info", &[]);
        events.log(Level::Warn, "warn", &[]);
        events.error(&Error::Closed, "set");
        let drained = subscription.drain(usize::MAX);
        assert_eq!(drained.events, [line(Level::Info, "info"), line(Level::Warn, "warn")]);
        assert_eq!(drained.dropped, 0);
    }

    #[test]
    fn errors_reach_the_subscriptions_that_asked_for_errors() {
        let events = Events::new();
        let wake = Arc::new(Counter::default());
        let subscription = events.subscribe(Level::Off, true, wake.clone());
        events.log(Level::Error, "broken", &[]);
        events.error(&Error::Closed, "set");
        assert_eq!(
            subscription.drain(usize::MAX).events,
            [Event::Error { error: Error::Closed, operation: "set".into() }]
        );
    }

    #[test]
    fn a_subscriber_is_woken_once_until_it_finds_nothing() {
        let events = Events::new();
        let wake = Arc::new(Counter::default());
        let subscription = events.subscribe(Level::Trace, false, wake.clone());
        events.log(Level::Info, "one", &[]);
        events.log(Level::Info, "two", &[]);
        assert_eq!(wake.count(), 1);
        assert_eq!(subscription.drain(usize::MAX).events.len(), 2);
        events.log(Level::Info, "three", &[]);
        assert_eq!(wake.count(), 1, "it has not yet seen that nothing waits");
        assert_eq!(subscription.drain(usize::MAX).events.len(), 1);
        assert_eq!(subscription.drain(usize::MAX), Drained::default());
        events.log(Level::Info, "four", &[]);
        assert_eq!(wake.count(), 2);
    }

    #[test]
    fn a_subscriber_that_changes_what_it_wants_loses_nothing() {
        let events = Events::new();
        let subscription = events.subscribe(Level::Off, true, Arc::new(Counter::default()));
        events.log(Level::Error, "not yet", &[]);
        events.error(&Error::Closed, "set");
        subscription.change(Level::Warn, false);
        events.error(&Error::Closed, "get");
        events.log(Level::Info, "below", &[]);
        events.log(Level::Warn, "now", &[]);
        let expected = [Event::Error { error: Error::Closed, operation: "set".into() }, line(Level::Warn, "now")];
        assert_eq!(subscription.drain(usize::MAX).events, expected);
    }

    #[test]
    fn nothing_is_queued_without_a_subscription() {
        let events = Events::new();
        assert!(!events.listens(Level::Error));
        let wake = Arc::new(Counter::default());
        let subscription = events.subscribe(Level::Trace, true, wake.clone());
        assert!(events.listens(Level::Trace));
        drop(subscription);
        assert!(!events.listens(Level::Error));
        events.log(Level::Error, "late", &[]);
        assert_eq!(wake.count(), 0);
    }

    #[test]
    fn events_are_taken_out_some_at_a_time_and_in_order() {
        let events = Events::new();
        let subscription = events.subscribe(Level::Trace, false, Arc::new(Counter::default()));
        for code in ["one", "two", "three", "four", "five"] {
            events.log(Level::Info, code, &[]);
        }
        let codes = |count: usize| -> Vec<_> {
            let drained = subscription.drain(count);
            drained.events.iter().map(|event| if let Event::Log { code, .. } = event { code } else { "" }).collect()
        };
        assert_eq!(codes(2), ["one", "two"]);
        assert_eq!(codes(0), [""; 0]);
        assert_eq!(codes(9), ["three", "four", "five"]);
        assert_eq!(subscription.queue.waiting.lock().bytes, 0);
    }

    #[test]
    fn a_full_queue_drops_the_newest_and_counts_them() {
        let events = Events::new();
        let wake = Arc::new(Counter::default());
        let subscription = events.subscribe(Level::Trace, false, wake.clone());
        for _ in 0..100_000 {
            events.log(Level::Info, "flood", &[("n", 1)]);
        }
        let drained = subscription.drain(usize::MAX);
        assert!(drained.events.len() > 1_000, "{} lines fit", drained.events.len());
        assert_eq!(drained.events.len() as u64 + drained.dropped, 100_000);
        assert_eq!(subscription.drain(usize::MAX), Drained::default());
    }
}
