//! What takes longer than it should: targets for the time of each operation, how often they were missed, and reports
//! of that to whoever listens.
//!
//! A report is a log line of the target `typedmap.performance`. Of each kind at most some are sent in a second, so a
//! map that is slow is not made slower by what it says of it; the next line says how many were left out. Nothing is
//! reported under a lock.

use serde_json::{Value as Json, json};

use crate::store::events::{Events, Line, lines};
use crate::store::observe::latency::{TIMED, Timed};
use crate::store::platform::sync::{AtomicU64, Ordering};

/// Lines of a kind that are sent in a second.
const LINES_PER_SECOND: u64 = 10;
const SECOND_MS: u64 = 1_000;

/// A wait for a lock from which on it is reported: a write takes a microsecond or two.
const CONTENDED_NS: u64 = 100_000;

/// How long operations may take, in milliseconds; `None` for those without a target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeTargets(pub [Option<f64>; TIMED]);

impl TimeTargets {
    /// The operations that were given one, and theirs.
    pub fn given(&self) -> impl Iterator<Item = (Timed, f64)> {
        Timed::ALL.into_iter().zip(self.0).filter_map(|(operation, ms)| Some((operation, ms?)))
    }

    /// Gives an operation one; false if there is none of this name.
    pub fn give(&mut self, name: &str, ms: f64) -> bool {
        let operation = Timed::ALL.into_iter().find(|operation| operation.name() == name);
        operation.is_some_and(|operation| self.0[operation as usize].replace(ms).is_none())
    }
}

/// Targets of operations that were given none, in milliseconds, where something listens: those of the specification for
/// the longest call, and a second for a loader.
const DEFAULT_TARGETS_MS: [f64; TIMED] = [0.5, 2.0, 2.0, 2.0, 1_000.0];

const NS_PER_MS: f64 = 1e6;

/// What is counted of it besides operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Trouble {
    Contended = TIMED,
    LongProbe,
    Skewed,
    Running,
}

/// How many kinds there are.
const KINDS: usize = TIMED + 4;

/// Bounds the lines of a kind. Threads that meet in here may send one more or less.
#[derive(Debug, Default)]
struct Limiter {
    /// The second that is counted.
    second: AtomicU64,
    sent: AtomicU64,
    /// Lines that were left out since the last one that was sent.
    left_out: AtomicU64,
}

impl Limiter {
    /// Whether a line may be sent now; if so, how many were left out before it.
    fn admit(&self, now_ms: u64) -> Option<u64> {
        let second = now_ms / SECOND_MS;
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.sent.store(0, Ordering::Relaxed);
        }
        if self.sent.fetch_add(1, Ordering::Relaxed) < LINES_PER_SECOND {
            return Some(self.left_out.swap(0, Ordering::Relaxed));
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// Targets of a map, and what became of them.
#[derive(Debug)]
pub struct Performance {
    /// Nanoseconds that an operation may take.
    targets_ns: [u64; TIMED],
    /// Whether the map was given targets, so that all calls are timed whether something listens or not.
    has_targets: bool,
    counts: [AtomicU64; KINDS],
    limiters: [Limiter; KINDS],
}

/// How often something took too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlowStats([u64; KINDS]);

impl SlowStats {
    /// Calls of an operation above its target.
    pub fn of(&self, operation: Timed) -> u64 {
        self.0[operation as usize]
    }

    /// Under their names in JavaScript.
    pub(crate) fn json(&self) -> Json {
        let mut slow = json!({
            "contended": self.0[Trouble::Contended as usize],
            "longProbes": self.0[Trouble::LongProbe as usize],
            "skewed": self.0[Trouble::Skewed as usize],
        });
        for operation in Timed::ALL {
            slow[operation.name()] = json!(self.of(operation));
        }
        slow
    }
}

impl Performance {
    /// With the targets that a map was given.
    pub fn new(targets: Option<TimeTargets>) -> Self {
        let given = targets.unwrap_or_default().0;
        let targets_ns = std::array::from_fn(|operation| {
            // With targets, what has none of its own has none.
            let default_ms = if targets.is_some() { f64::INFINITY } else { DEFAULT_TARGETS_MS[operation] };
            (given[operation].unwrap_or(default_ms) * NS_PER_MS) as u64
        });
        Self { targets_ns, has_targets: targets.is_some(), counts: Default::default(), limiters: Default::default() }
    }

    /// Whether each call is to be timed.
    #[inline]
    pub fn times_calls(&self, events: &Events) -> bool {
        self.has_targets || events.listens(&lines::GET_SLOW)
    }

    /// An operation took so long.
    #[inline]
    pub fn judge(&self, events: &Events, operation: Timed, ns: u64, now_ms: impl FnOnce() -> u64) {
        let target_ns = self.targets_ns[operation as usize];
        if ns > target_ns {
            let line = match operation {
                Timed::Get => &lines::GET_SLOW,
                Timed::Set => &lines::SET_SLOW,
                Timed::Insert => &lines::INSERT_SLOW,
                Timed::Delete => &lines::DELETE_SLOW,
                Timed::Load => &lines::LOAD_SLOW,
            };
            let fields = [("durationNs", ns), ("targetNs", target_ns)];
            self.report(events, operation as usize, line, now_ms(), fields);
        }
    }

    /// A loader runs for so long and has not ended. Whether that is above its target, and something listens.
    #[cold]
    pub fn note_running(&self, events: &Events, ns: u64, now_ms: u64) -> bool {
        let target_ns = self.targets_ns[Timed::Load as usize];
        let is_news = ns > target_ns && events.listens(&lines::LOAD_RUNNING);
        if is_news {
            let fields = [("durationNs", ns), ("targetNs", target_ns)];
            self.report(events, Trouble::Running as usize, &lines::LOAD_RUNNING, now_ms, fields);
        }
        is_news
    }

    /// A write waited so long for the lock of a shard.
    #[inline]
    pub fn note_wait(&self, events: &Events, shard: u32, ns: u64, now_ms: impl FnOnce() -> u64) {
        if ns >= CONTENDED_NS {
            let fields = [("shard", u64::from(shard)), ("waitNs", ns)];
            self.report(events, Trouble::Contended as usize, &lines::SHARD_CONTENDED, now_ms(), fields);
        }
    }

    /// An entry was put so many words from where it is at home in the index of a shard.
    #[cold]
    pub fn note_probe(&self, events: &Events, shard: u32, words: usize, now_ms: u64) {
        let fields = [("shard", u64::from(shard)), ("words", words as u64)];
        self.report(events, Trouble::LongProbe as usize, &lines::INDEX_LONG_PROBE, now_ms, fields);
    }

    /// A shard has so many in a hundred of the writes of all shards, which is far more than its share.
    #[cold]
    pub fn note_skew(&self, events: &Events, shard: u32, percent: u64, now_ms: u64) {
        let fields = [("shard", u64::from(shard)), ("writesPercent", percent)];
        self.report(events, Trouble::Skewed as usize, &lines::SHARD_SKEWED, now_ms, fields);
    }

    #[cold]
    #[inline(never)]
    fn report(&self, events: &Events, kind: usize, line: &'static Line, now_ms: u64, fields: [(&'static str, u64); 2]) {
        self.counts[kind].fetch_add(1, Ordering::Relaxed);
        if !events.listens(line) {
            return;
        }
        if let Some(left_out) = self.limiters[kind].admit(now_ms) {
            let [one, other] = fields;
            events.log(line, &[one, other, ("leftOut", left_out)]);
        }
    }

    /// Begins to count anew.
    pub fn reset_counts(&self) {
        self.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// What was counted.
    pub fn slow(&self) -> SlowStats {
        SlowStats(std::array::from_fn(|kind| self.counts[kind].load(Ordering::Relaxed)))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::events::{Event, Level, LogTarget, Wake};
    use crate::store::platform::sync::Arc;

    struct Quiet;

    impl Wake for Quiet {
        fn wake(&self) {}
    }

    fn heard(events: &Events, work: impl FnOnce()) -> Vec<(&'static str, Vec<(&'static str, u64)>)> {
        let subscription = events.subscribe(Level::Warn, LogTarget::Performance.bit(), false, Arc::new(Quiet));
        work();
        let drained = subscription.drain(usize::MAX).events.into_iter();
        drained
            .filter_map(|event| match event {
                Event::Log { line, fields, .. } => Some((line.code, fields)),
                Event::Error { .. } => None,
            })
            .collect()
    }

    #[test]
    fn what_is_above_its_target_is_counted_and_reported() {
        let events = Events::new();
        let performance = Performance::new(Some(TimeTargets([Some(0.001), None, None, None, Some(5.0)])));
        let judge = |operation, ns| performance.judge(&events, operation, ns, || 1);
        let lines = heard(&events, || {
            judge(Timed::Get, 1_000);
            judge(Timed::Get, 1_001);
            // It was given no target.
            judge(Timed::Set, u64::MAX - 1);
            judge(Timed::Load, 5_000_001);
        });
        let expected = |ns, target_ns| vec![("durationNs", ns), ("targetNs", target_ns), ("leftOut", 0)];
        assert_eq!(lines, [("get.slow", expected(1_001, 1_000)), ("load.slow", expected(5_000_001, 5_000_000))]);
        let slow = performance.slow();
        assert_eq!(Timed::ALL.map(|operation| slow.of(operation)), [1, 0, 0, 0, 1]);
    }

    #[test]
    fn calls_are_timed_for_targets_or_for_listeners() {
        let events = Events::new();
        let (none, given) = (Performance::new(None), Performance::new(Some(TimeTargets::default())));
        assert!(!none.times_calls(&events) && given.times_calls(&events));
        for (level, targets) in [(Level::Trace, LogTarget::Memory.bit()), (Level::Error, LogTarget::ALL_BITS)] {
            let _elsewhere = events.subscribe(level, targets, true, Arc::new(Quiet));
            assert!(!none.times_calls(&events), "a listener to nothing of this changes nothing");
        }
        let lines = heard(&events, || {
            assert!(none.times_calls(&events));
            none.judge(&events, Timed::Get, 500_001, || 1);
            none.judge(&events, Timed::Delete, 2_000_000, || 1);
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(!none.times_calls(&events));
    }

    #[test]
    fn of_a_kind_ten_lines_are_sent_in_a_second_and_the_next_says_how_many_were_left_out() {
        let events = Events::new();
        let performance = Performance::new(None);
        let lines = heard(&events, || {
            for _ in 0..100 {
                performance.note_wait(&events, 3, CONTENDED_NS, || 1_500);
            }
            // Another kind has lines of its own.
            performance.note_probe(&events, 4, 2_000, 1_500);
            performance.note_wait(&events, 3, CONTENDED_NS - 1, || 1_500);
            performance.note_wait(&events, 3, CONTENDED_NS, || 2_000);
        });
        let contended: Vec<_> = lines.iter().filter(|(code, _)| *code == "shard.contended").collect();
        assert_eq!((lines.len(), contended.len()), (12, 11));
        assert_eq!(contended[10].1, [("shard", 3), ("waitNs", CONTENDED_NS), ("leftOut", 90)]);
        let probe = ("index.long-probe", vec![("shard", 4), ("words", 2_000), ("leftOut", 0)]);
        assert!(lines.contains(&probe), "{lines:?}");
        assert_eq!(performance.slow().0[Trouble::Contended as usize], 101);
    }
}
