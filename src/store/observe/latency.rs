//! How long operations take: what a thread measures, and what all of them have measured.
//!
//! **Sampling.** Reading the clock twice takes about as long as a quarter of a read, so not every call is timed. Each
//! operation counts down to its next sample, from a number that is drawn anew each time, so no pattern of a program is
//! in step with it. A sample counts for all calls since the one before it: so counts are those of the calls, less those
//! since the last sample.

use std::cell::Cell;

use crate::store::error::Error;
use crate::store::observe::histogram::{Distribution, Histogram};
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// An operation whose calls are timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Timed {
    /// Reading a value.
    Get,
    /// Setting the value of a key, or of an entry that is there.
    Set,
    /// Inserting an entry without a key.
    Insert,
    /// Deleting an entry.
    Delete,
    /// What a loader takes to bring a value.
    Load,
}

/// How many there are.
pub const TIMED: usize = 5;

impl Timed {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; TIMED] = [Self::Get, Self::Set, Self::Insert, Self::Delete, Self::Load];

    /// Its name in statistics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::Load => "load",
        }
    }
}

/// Native calls for each that is timed, on average.
pub const SAMPLING: u32 = 16;

/// The same of hits that are answered outside the store, which take a twentieth of that, and as long to be timed.
pub const NEAR_SAMPLING: usize = 4_096;

/// The histograms of a thread, for each operation.
#[derive(Debug)]
pub struct Histograms([Histogram; TIMED]);

impl Histograms {
    /// Empty ones.
    pub fn new() -> Result<Self, Error> {
        let [get, set, insert, delete, load] = Timed::ALL.map(|_| Histogram::new());
        Ok(Self([get?, set?, insert?, delete?, load?]))
    }

    /// Counts what an operation took, as so many. In the thread of these histograms.
    #[inline]
    pub fn record(&self, operation: Timed, ns: u64, count: u64) {
        self.0[operation as usize].record(ns, count);
    }
}

/// The distributions of all threads together, for each operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distributions([Distribution; TIMED]);

impl Distributions {
    /// Adds those of a thread.
    pub fn add(&mut self, histograms: &Histograms) {
        for (sum, histogram) in self.0.iter_mut().zip(&histograms.0) {
            sum.add(histogram);
        }
    }

    /// That of one operation.
    pub fn of(&self, operation: Timed) -> &Distribution {
        &self.0[operation as usize]
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, operation: Timed) -> &mut Distribution {
        &mut self.0[operation as usize]
    }
}

/// The histograms of the threads that have a map open, and what those had that closed it.
#[derive(Debug, Default)]
pub struct LatencyTable {
    threads: Vec<Arc<Histograms>>,
    past: Distributions,
    /// What was measured before the last reset. No thread's histograms are emptied, since each has one writer.
    base: Distributions,
}

impl LatencyTable {
    /// Histograms for one more thread, if there is memory for them.
    pub fn add(&mut self) -> Result<Arc<Histograms>, Error> {
        fallible::reserve_amortised(&mut self.threads, 1)?;
        let histograms = Arc::new(Histograms::new()?);
        self.threads.push(Arc::clone(&histograms));
        Ok(histograms)
    }

    /// A thread closed the map: what it measured stays.
    pub fn forget(&mut self, histograms: &Arc<Histograms>) {
        self.past.add(histograms);
        self.threads.retain(|other| !Arc::ptr_eq(other, histograms));
    }

    /// What all threads have measured since the last reset.
    pub fn sums(&self) -> Distributions {
        let mut sums = self.all();
        sums.0.iter_mut().zip(&self.base.0).for_each(|(sum, base)| sum.remove(base));
        sums
    }

    /// Begins to count anew.
    pub fn reset(&mut self) {
        self.base = self.all();
    }

    /// What they have measured at all: nothing of it is ever less.
    pub fn all(&self) -> Distributions {
        let mut sums = self.past.clone();
        self.threads.iter().for_each(|histograms| sums.add(histograms));
        sums
    }
}

/// What a thread samples, and into what.
#[derive(Debug)]
pub struct Sampler {
    histograms: Arc<Histograms>,
    gaps: [Gap; TIMED],
    random: Cell<u64>,
}

/// Calls between two samples.
#[derive(Debug, Default)]
struct Gap {
    /// Calls that are not timed before the next one that is.
    left: Cell<u32>,
    /// How many calls that one counts for.
    drawn: Cell<u32>,
}

impl Sampler {
    /// Samples into these. `seed` tells threads apart.
    pub fn new(histograms: Arc<Histograms>, seed: u64) -> Self {
        let sampler = Self { histograms, gaps: Default::default(), random: Cell::new(seed) };
        sampler.gaps.iter().for_each(|gap| sampler.draw(gap));
        sampler
    }

    /// The histograms.
    pub fn histograms(&self) -> &Arc<Histograms> {
        &self.histograms
    }

    /// Asked before each call of an operation: how many calls it counts for, if it is to be timed.
    #[inline]
    pub fn next(&self, operation: Timed) -> Option<u64> {
        let gap = &self.gaps[operation as usize];
        let left = gap.left.get();
        if left > 0 {
            gap.left.set(left - 1);
            return None;
        }
        let count = u64::from(gap.drawn.get());
        self.draw(gap);
        Some(count)
    }

    /// From 1 to twice [`SAMPLING`] less one.
    fn draw(&self, gap: &Gap) {
        // Steele, Lea, Flood: "Fast splittable pseudorandom number generators", its simplest form.
        let next = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(next);
        let mixed = (next ^ next >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let drawn = 1 + (mixed >> 33) as u32 % (2 * SAMPLING - 1);
        gap.drawn.set(drawn);
        gap.left.set(drawn - 1);
    }

    /// Counts what an operation took, as so many.
    #[inline]
    pub fn record(&self, operation: Timed, ns: u64, count: u64) {
        self.histograms.record(operation, ns, count);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn samples_count_for_all_calls_and_come_every_sixteenth_on_average() {
        let sampler = Sampler::new(Arc::new(Histograms::new().unwrap()), 7);
        let (mut samples, mut counted, mut gaps) = (0, 0, Vec::new());
        for call in 1..=160_000_u64 {
            if let Some(count) = sampler.next(Timed::Get) {
                samples += 1;
                counted += count;
                assert_eq!(counted, call, "a sample counts for the calls since the one before");
                gaps.push(count);
            }
            // Each operation counts for itself.
            if call % 3 == 0 {
                sampler.next(Timed::Set);
            }
        }
        assert!((9_500..10_500).contains(&samples), "{samples}");
        let most = u64::from(2 * SAMPLING - 1);
        assert!((1..=most).all(|gap| gaps.contains(&gap)) && gaps.iter().all(|&gap| gap <= most));
    }

    #[test]
    fn operations_are_told_apart() {
        let histograms = Histograms::new().unwrap();
        for (n, operation) in Timed::ALL.into_iter().enumerate() {
            histograms.record(operation, 10 + n as u64, n as u64);
        }
        let mut sum = Distributions::default();
        sum.add(&histograms);
        sum.add(&histograms);
        for (n, operation) in Timed::ALL.into_iter().enumerate() {
            assert_eq!(sum.of(operation).summary().count, 2 * n as u64, "{}", operation.name());
        }
    }
}
