//! The metrics of a map, but for errors and durations: what each is called, and where its number comes from.

use super::Source;
use crate::store::observe::latency::Timed;
use crate::store::observe::removals::Cause;

const SECONDS: Option<&str> = Some("seconds");
const BYTES: Option<&str> = Some("bytes");
const RATIO: Option<&str> = Some("ratio");

const NS_PER_SECOND: f64 = 1e9;
const MS_PER_SECOND: f64 = 1e3;

/// A number of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(u64),
    Real(f64),
}

/// Whether a number only grows until counts are reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
}

/// Samples under one name.
pub(super) struct Family {
    pub kind: Type,
    /// Without prefix, unit and `_total`.
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub help: &'static str,
    pub samples: &'static [Sample],
}

/// One number of a map.
pub(super) struct Sample {
    pub label: Option<(&'static str, &'static str)>,
    /// Nothing where the map has no such number.
    pub read: fn(&Source) -> Option<Number>,
}

/// Samples of a family: one, or one for each value of a label.
macro_rules! samples {
    (|$source:ident| $number:expr) => {
        &[Sample { label: None, read: |$source| $number.into_number() }]
    };
    ($label:literal; $($value:literal: |$source:ident| $number:expr),+) => {
        &[$(Sample { label: Some(($label, $value)), read: |$source| $number.into_number() }),+]
    };
}

impl Family {
    /// A counter whose samples are not in the table.
    pub(super) const fn counter(name: &'static str, help: &'static str) -> Self {
        counter(name, None, help, &[])
    }
}

const fn counter(
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    samples: &'static [Sample],
) -> Family {
    Family { kind: Type::Counter, name, unit, help, samples }
}

const fn gauge(
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    samples: &'static [Sample],
) -> Family {
    Family { kind: Type::Gauge, name, unit, help, samples }
}

/// What may be the number of a sample.
trait IntoNumber {
    fn into_number(self) -> Option<Number>;
}

impl IntoNumber for u64 {
    fn into_number(self) -> Option<Number> {
        Some(Number::Whole(self))
    }
}

impl IntoNumber for f64 {
    fn into_number(self) -> Option<Number> {
        Some(Number::Real(self))
    }
}

impl IntoNumber for Option<u64> {
    fn into_number(self) -> Option<Number> {
        self.map(Number::Whole)
    }
}

/// All of them, in the order in which they are told.
pub(super) const FAMILIES: [Family; 33] = [
    counter(
        "cache_gets",
        None,
        "Reads, by whether they found an entry.",
        samples! {
            "result"; "hit": |of| of.stats.operations.hits, "miss": |of| of.stats.operations.misses
        },
    ),
    counter(
        "cache_near_hits",
        None,
        "Hits that the near cache of a thread answered, a part of those of cache_gets.",
        samples!(|of| of.stats.operations.near_hits),
    ),
    counter(
        "cache_puts",
        None,
        "Writes of a value, by whether there was one.",
        samples! {
            "operation"; "insert": |of| of.stats.operations.inserts, "update": |of| of.stats.operations.updates
        },
    ),
    counter(
        "cache_evictions",
        None,
        "Entries that the map removed, by the cause.",
        samples! {
            "cause"; "evicted": |of| of.stats.evictions, "expired": |of| of.stats.expirations
        },
    ),
    counter(
        "cache_removals",
        None,
        "Entries and values that the program removed, by the cause.",
        samples! {
            "cause";
            "explicit": |of| of.stats.all.removals.of(Cause::Explicit),
            "replaced": |of| of.stats.all.removals.of(Cause::Replaced),
            "cleared": |of| of.stats.all.removals.of(Cause::Cleared)
        },
    ),
    counter("cache_refusals", None, "Writes that a limit refused.", samples!(|of| of.stats.operations.refusals)),
    counter(
        "cache_loads",
        None,
        "Loads of values that have ended, by how.",
        samples! {
            "result"; "success": |of| of.stats.all.loads.count, "failure": |of| of.stats.all.loads.failures
        },
    ),
    counter(
        "cache_shared_loads",
        None,
        "Calls that waited for a load that another one had begun.",
        samples!(|of| of.stats.all.loads.shared),
    ),
    counter(
        "cache_load_duration",
        SECONDS,
        "Time that loads took, all together.",
        samples!(|of| of.stats.all.loads.time_ms / MS_PER_SECOND),
    ),
    counter(
        "cache_transactions",
        None,
        "Transactions that have ended, by how.",
        samples! {
            "result";
            "commit": |of| of.stats.operations.transactions.commits,
            "conflict": |of| of.stats.operations.transactions.conflicts,
            "rollback": |of| of.stats.operations.transactions.rollbacks
        },
    ),
    counter(
        "cache_slow_operations",
        None,
        "Operations above their target, where each is timed.",
        samples! {
            "operation";
            "get": |of| of.stats.slow.of(Timed::Get),
            "set": |of| of.stats.slow.of(Timed::Set),
            "insert": |of| of.stats.slow.of(Timed::Insert),
            "delete": |of| of.stats.slow.of(Timed::Delete),
            "load": |of| of.stats.slow.of(Timed::Load)
        },
    ),
    counter(
        "cache_lock_acquisitions",
        None,
        "Times that the lock of a shard was taken.",
        samples!(|of| of.stats.locks.0.acquisitions),
    ),
    counter(
        "cache_lock_waits",
        None,
        "Those of them that waited for another thread.",
        samples!(|of| of.stats.locks.0.waits),
    ),
    counter(
        "cache_lock_wait_duration",
        SECONDS,
        "Time of these waits, all together.",
        samples!(|of| of.stats.locks.0.waited_ns as f64 / NS_PER_SECOND),
    ),
    counter(
        "cache_allocations",
        None,
        "Blocks for entries that were handed out.",
        samples!(|of| of.stats.memory.allocations),
    ),
    counter("cache_frees", None, "Blocks for entries that came back.", samples!(|of| of.stats.memory.frees)),
    counter(
        "cache_corruptions",
        None,
        "Times that the map broke, and problems that a validation has found.",
        samples!(|of| of.stats.errors.corruptions()),
    ),
    gauge("cache_size", None, "Entries.", samples!(|of| of.stats.entries)),
    gauge("cache_size_limit", None, "Entries that there may be.", samples!(|of| of.stats.max_entries)),
    gauge("cache_deadlines", None, "Entries that have a deadline.", samples!(|of| of.stats.deadlines)),
    gauge("cache_stale_entries", None, "Expired entries that are kept for loads.", samples!(|of| of.stats.stale)),
    gauge("cache_memory", BYTES, "What the map holds, everything counted.", samples!(|of| of.stats.memory.total)),
    gauge("cache_memory_limit", BYTES, "What it may hold.", samples!(|of| of.stats.memory.limit)),
    gauge("cache_memory_peak", BYTES, "The most that it held.", samples!(|of| of.stats.memory.peak)),
    gauge("cache_keys", BYTES, "The part that keys fill.", samples!(|of| of.stats.memory.keys)),
    gauge("cache_values", BYTES, "The part that values fill.", samples!(|of| of.stats.memory.values)),
    gauge(
        "cache_memory_fragmentation",
        RATIO,
        "The part of the memory for entries that holds none.",
        samples!(|of| of.stats.memory.fragmentation()),
    ),
    gauge("cache_loads_under_way", None, "Loads under way.", samples!(|of| of.stats.all.loads.under_way)),
    gauge("cache_opens", None, "Open references to the map, of all threads.", samples!(|of| of.stats.threads)),
    gauge("cache_shards", None, "Shards.", samples!(|of| u64::from(of.stats.shards))),
    gauge(
        "cache_index_load",
        RATIO,
        "Entries by key over places of the index.",
        samples!(|of| of.stats.all.index.load_factor()),
    ),
    gauge("cache_uptime", SECONDS, "Time since the map was made.", samples!(|of| of.stats.uptime_ms / MS_PER_SECOND)),
    gauge(
        "cache_broken",
        None,
        "1 for a map that refuses further use, else 0.",
        samples!(|of| u64::from(of.is_broken)),
    ),
];
