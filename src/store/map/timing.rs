//! Timing operations: what one call took goes to the histograms of its thread.

use super::local::Local;
use super::store::Store;
use crate::store::observe::latency::{Histograms, Sampler, Timed};
use crate::store::observe::stats::LatencyStats;
use crate::store::platform::clock::Stopwatch;
use crate::store::platform::sync::Arc;

/// A call under way, which is timed until this is dropped, if it is timed at all.
#[must_use]
pub struct Timing<'a>(Option<Running<'a>>);

/// A call that is timed.
struct Running<'a> {
    local: &'a Local,
    operation: Timed,
    /// How many calls it counts for.
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
        self.local.record(self.operation, ns, self.count);
    }
}

impl Local {
    /// Times the call of an operation that begins now, if the map wants that, until the answer is dropped.
    #[inline]
    pub fn time(&self, operation: Timed) -> Timing<'_> {
        match &self.sampler {
            None => Timing(None),
            Some(sampler) => Timing(sampler.next(operation).map(|count| self.start(operation, count))),
        }
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
    /// How long operations take, if the map was made to measure that.
    pub fn latency_stats(&self) -> Option<LatencyStats> {
        (self.config().latency == Some(true)).then(|| LatencyStats::new(&self.latency.lock().sums()))
    }

    /// A thread closed the map.
    pub(super) fn forget_latency(&self, histograms: &Arc<Histograms>) {
        self.latency.lock().forget(histograms);
    }
}
