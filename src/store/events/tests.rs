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

/// What a test logs, at each level.
static LINES: [Line; 5] = {
    const fn line(level: Level, code: &'static str) -> Line {
        Line { target: LogTarget::Lifecycle, level, code, message: "" }
    }
    [
        line(Level::Trace, "trace"),
        line(Level::Debug, "debug"),
        line(Level::Info, "info"),
        line(Level::Warn, "warn"),
        line(Level::Error, "error"),
    ]
};
static DEBUG: &Line = &LINES[1];
static INFO: &Line = &LINES[2];
static WARN: &Line = &LINES[3];
static ERROR: &Line = &LINES[4];

const ALL: u32 = LogTarget::ALL_BITS;

/// The codes of log lines, and the operations of errors.
fn words(events: &[Event]) -> Vec<&str> {
    let word = |event| match event {
        &Event::Log { line, .. } => line.code,
        Event::Error { operation, .. } => operation,
    };
    events.iter().map(word).collect()
}

#[test]
fn a_subscriber_gets_its_level_and_above() {
    let events = Events::new();
    let wake = Arc::new(Counter::default());
    let subscription = events.subscribe(Level::Info, ALL, false, wake.clone());
    events.log(DEBUG, &[]);
    events.log(INFO, &[]);
    events.log(WARN, &[]);
    events.error(&Error::Closed, "set");
    let drained = subscription.drain(usize::MAX);
    assert_eq!(words(&drained.events), ["info", "warn"]);
    assert_eq!(drained.dropped, 0);
}

#[test]
fn errors_reach_the_subscriptions_that_asked_for_errors() {
    let events = Events::new();
    let wake = Arc::new(Counter::default());
    let subscription = events.subscribe(Level::Off, ALL, true, wake.clone());
    events.log(ERROR, &[]);
    events.error(&Error::Closed, "set");
    assert_eq!(subscription.drain(usize::MAX).events, [Event::Error { error: Error::Closed, operation: "set".into() }]);
}

#[test]
fn a_subscriber_is_woken_once_until_it_finds_nothing() {
    let events = Events::new();
    let wake = Arc::new(Counter::default());
    let subscription = events.subscribe(Level::Trace, ALL, false, wake.clone());
    events.log(INFO, &[]);
    events.log(INFO, &[]);
    assert_eq!(wake.count(), 1);
    assert_eq!(subscription.drain(usize::MAX).events.len(), 2);
    events.log(INFO, &[]);
    assert_eq!(wake.count(), 1, "it has not yet seen that nothing waits");
    assert_eq!(subscription.drain(usize::MAX).events.len(), 1);
    assert_eq!(subscription.drain(usize::MAX), Drained::default());
    events.log(INFO, &[]);
    assert_eq!(wake.count(), 2);
}

#[test]
fn a_subscriber_that_changes_what_it_wants_loses_nothing() {
    let events = Events::new();
    let subscription = events.subscribe(Level::Off, ALL, true, Arc::new(Counter::default()));
    events.log(ERROR, &[]);
    events.error(&Error::Closed, "set");
    subscription.change(Level::Warn, ALL, false);
    events.error(&Error::Closed, "get");
    events.log(INFO, &[]);
    events.log(WARN, &[]);
    assert_eq!(words(&subscription.drain(usize::MAX).events), ["set", "warn"]);
}

#[test]
fn nothing_is_queued_without_a_subscription() {
    let events = Events::new();
    assert!(!events.listens(ERROR));
    let wake = Arc::new(Counter::default());
    let subscription = events.subscribe(Level::Trace, ALL, true, wake.clone());
    assert!(events.listens(&LINES[0]));
    drop(subscription);
    assert!(!events.listens(ERROR));
    events.log(ERROR, &[]);
    assert_eq!(wake.count(), 0);
}

#[test]
fn events_are_taken_out_some_at_a_time_and_in_order() {
    let events = Events::new();
    let subscription = events.subscribe(Level::Trace, ALL, false, Arc::new(Counter::default()));
    for line in &LINES {
        events.log(line, &[]);
    }
    let codes = |count: usize| words(&subscription.drain(count).events).join(" ");
    assert_eq!(codes(2), "trace debug");
    assert_eq!(codes(0), "");
    assert_eq!(codes(9), "info warn error");
    assert_eq!(subscription.queue.waiting.lock().bytes, 0);
}

#[test]
fn a_full_queue_drops_the_newest_and_counts_them() {
    let events = Events::new();
    let wake = Arc::new(Counter::default());
    let subscription = events.subscribe(Level::Trace, ALL, false, wake.clone());
    for _ in 0..100_000 {
        events.log(INFO, &[("n", 1)]);
    }
    let drained = subscription.drain(usize::MAX);
    assert!(drained.events.len() > 1_000, "{} lines fit", drained.events.len());
    assert_eq!(drained.events.len() as u64 + drained.dropped, 100_000);
    assert_eq!(subscription.drain(usize::MAX), Drained::default());
}

#[test]
fn a_subscriber_gets_the_targets_that_it_named() {
    static MEMORY: Line = Line { target: LogTarget::Memory, level: Level::Warn, code: "memory", message: "" };
    let events = Events::new();
    let subscription = events.subscribe(Level::Trace, LogTarget::Memory.bit(), false, Arc::new(Counter::default()));
    assert!(events.listens(&MEMORY) && !events.listens(ERROR));
    events.log(&MEMORY, &[]);
    events.log(ERROR, &[]);
    let other = events.subscribe(Level::Trace, LogTarget::Lifecycle.bit(), false, Arc::new(Counter::default()));
    events.log(&MEMORY, &[]);
    events.log(ERROR, &[]);
    assert_eq!(words(&subscription.drain(usize::MAX).events), ["memory", "memory"]);
    assert_eq!(words(&other.drain(usize::MAX).events), ["error"]);
    subscription.change(Level::Trace, 0, false);
    events.log(&MEMORY, &[]);
    assert_eq!(subscription.drain(usize::MAX), Drained::default());
}

#[test]
fn a_line_has_the_time_at_which_it_was_logged() {
    let events = Events::new();
    let subscription = events.subscribe(Level::Trace, ALL, false, Arc::new(Counter::default()));
    let before = time_ms();
    events.log(INFO, &[("entries", 3)]);
    let after = time_ms();
    let [Event::Log { time_ms, fields, .. }] = &subscription.drain(1).events[..] else { panic!("one line") };
    assert!((before..=after).contains(time_ms) && before > 1_600_000_000_000);
    assert_eq!(fields, &[("entries", 3)]);
}
