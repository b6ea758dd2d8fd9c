//! Timing operations: what one call took goes to the histograms of its thread, and is compared with its target.

use super::local::Local;
use super::store::Store;
use crate::store::observe::histogram::{BUCKETS, Summary};
use crate::store::observe::latency::{Distributions, Histograms, Sampler, TIMED, Timed};
use crate::store::observe::stats::LatencyStats;
use crate::store::platform::clock::Stopwatch;
use crate::store::platform::sync::Arc;

const NS_PER_MS: f64 = 1e6;

/// Numbers that remember what a map has measured, see [`Store::latency_since`].
pub const MARK_LENGTH: usize = TIMED * BUCKETS;

/// A call under way, which is timed until this is dropped, if it is timed at all.
#[must_use]
pub struct Timing<'a>(Option<Running<'a>>);

/// A call that is timed.
struct Running<'a> {
    local: &'a Local,
    operation: Timed,
    /// How many calls it counts for in the histogram.
    count: u64,
    watch: Stopwatch,
}

impl Drop for Timing<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(running) = &self.0 {
            running.end();
        }
    }
}

impl Running<'_> {
    #[cold]
    #[inline(never)]
    fn end(&self) {
        let ns = self.watch.elapsed_ns();
        if self.count > 0 {
            self.local.record(self.operation, ns, self.count);
        }
        self.local.judge(self.operation, ns);
    }
}

impl Local {
    /// Times the call of an operation that begins now, if the map wants that, until the answer is dropped.
    #[inline]
    pub fn time(&self, operation: Timed) -> Timing<'_> {
        let context = &self.store().context;
        let times_calls = context.performance.times_calls(&context.events);
        let count = self.sampler.as_ref().and_then(|sampler| sampler.next(operation));
        if count.is_none() && !times_calls {
            return Timing(None);
        }
        Timing(Some(self.start(operation, count.unwrap_or_default())))
    }

    #[cold]
    #[inline(never)]
    fn start(&self, operation: Timed, count: u64) -> Running<'_> {
        Running { local: self, operation, count, watch: Stopwatch::start() }
    }

    /// Counts what an operation took, as so many of its calls: for calls that are timed by others.
    pub fn record(&self, operation: Timed, ns: u64, count: u64) {
        if let Some(sampler) = &self.sampler {
            sampler.record(operation, ns, count);
        }
    }

    /// A loader has ended that began at this time of the map's clock.
    pub(super) fn note_load(&self, began_ms: f64) {
        let context = &self.store().context;
        let ns = ((context.clock.elapsed_ms() - began_ms).max(0.0) * NS_PER_MS) as u64;
        self.record(Timed::Load, ns, 1);
        self.judge(Timed::Load, ns);
    }

    /// Compares what an operation took with its target.
    pub(super) fn judge(&self, operation: Timed, ns: u64) {
        let context = &self.store().context;
        if context.performance.times_calls(&context.events) {
            context.performance.judge(&context.events, operation, ns, || context.clock.now_ms());
        }
    }

    /// What a thread measures with, where the map wants that. Without memory for it, nothing is measured in this
    /// thread.
    pub(super) fn sampler(store: &Store) -> Option<Box<Sampler>> {
        if store.config().latency != Some(true) {
            return None;
        }
        let histograms = store.latency.lock().add().ok()?;
        // Where they lie tells threads apart.
        let seed = Arc::as_ptr(&histograms) as u64;
        Some(Box::new(Sampler::new(histograms, seed)))
    }
}

impl Store {
    /// A loader runs for so long and has not ended. Whether something was told of it.
    pub fn note_running_load(&self, ms: f64) -> bool {
        let context = &self.context;
        context.performance.note_running(&context.events, (ms.max(0.0) * NS_PER_MS) as u64, context.clock.now_ms())
    }

    /// How long operations take, if the map was made to measure that.
    pub fn latency_stats(&self) -> Option<LatencyStats> {
        self.distributions().as_ref().map(LatencyStats::new)
    }

    /// How long the operations took since a mark, which moves to now: their counts, and quantiles. A mark is
    /// [`MARK_LENGTH`] numbers, zeroes at first.
    pub fn latency_since(&self, mark: &mut [f64]) -> Option<[Summary; TIMED]> {
        if self.config().latency != Some(true) {
            return None;
        }
        let mut all = self.latency.lock().all();
        let mut marks = mark.chunks_mut(BUCKETS);
        Some(Timed::ALL.map(|operation| {
            let distribution = all.of_mut(operation);
            distribution.keep_since(marks.next().unwrap_or_default());
            distribution.summary()
        }))
    }

    /// All of what was measured, if the map measures it.
    pub(super) fn distributions(&self) -> Option<Distributions> {
        (self.config().latency == Some(true)).then(|| self.latency.lock().sums())
    }

    /// A thread closed the map.
    pub(super) fn forget_latency(&self, histograms: &Arc<Histograms>) {
        self.latency.lock().forget(histograms);
    }
}
