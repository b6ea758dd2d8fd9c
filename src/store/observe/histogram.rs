//! How long something took, as a histogram that one thread writes and any thread reads.
//!
//! The buckets are those of `HdrHistogram` with a precision of five bits: below 64 ns one for each nanosecond, above it
//! 32 for each power of two, so a value that is read back is off by at most a 64th of itself. The `hdrhistogram` crate
//! does not do here: its histogram is written through `&mut`, and its `SyncHistogram` hands over what a thread has
//! recorded when the reader asks and that thread records again, so a reader waits for a thread that does nothing, and
//! the writer takes locks and allocates. Here each bucket is an atomic with one writer, which adds with a plain load
//! and store, and a reader waits for nothing.

use crate::store::error::Error;
use crate::store::observe::counter::Counter;
use crate::store::platform::fallible;

/// Bits of a value that a bucket distinguishes.
const PRECISION: u32 = 5;
/// Buckets of each power of two.
const SUB_BUCKETS: usize = 1 << PRECISION;
/// Values from here on, 18 minutes, are counted in the last bucket. The longest is known all the same.
const END_NS: u64 = 1 << 40;
/// Buckets: nine kilobytes.
pub const BUCKETS: usize = bucket_of(END_NS - 1) + 1;

/// Where a value is counted.
#[inline]
const fn bucket_of(ns: u64) -> usize {
    let ns = if ns < END_NS { ns } else { END_NS - 1 };
    if ns < SUB_BUCKETS as u64 {
        return ns as usize;
    }
    let shift = ns.ilog2() - PRECISION;
    // The highest bit of the shifted value is set, and counts for one more row.
    shift as usize * SUB_BUCKETS + (ns >> shift) as usize
}

/// The middle of the values that are counted in a bucket.
fn middle_of(bucket: usize) -> u64 {
    if bucket < SUB_BUCKETS {
        return bucket as u64;
    }
    let shift = bucket / SUB_BUCKETS - 1;
    let lowest = ((bucket % SUB_BUCKETS + SUB_BUCKETS) as u64) << shift;
    lowest + (1 << shift) / 2
}

/// A histogram of nanoseconds.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[Counter]>,
    total_ns: Counter,
    longest_ns: Counter,
}

impl Histogram {
    /// An empty one, if there is memory for it.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            buckets: fallible::slice(BUCKETS, |_| Counter::default())?,
            total_ns: Counter::default(),
            longest_ns: Counter::default(),
        })
    }

    /// Counts a value as so many. In the histogram's own thread.
    #[inline]
    pub fn record(&self, ns: u64, count: u64) {
        self.buckets[bucket_of(ns)].add(count);
        self.total_ns.add(ns.saturating_mul(count));
        if ns > self.longest_ns.get() {
            self.longest_ns.set(ns);
        }
    }
}

/// What histograms hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Empty, or of all buckets.
    buckets: Vec<u64>,
    total_ns: u64,
    longest_ns: u64,
}

/// What is told of a distribution, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many values there are.
    pub count: u64,
    /// Their mean.
    pub mean_ns: f64,
    /// What half of them are not above.
    pub p50_ns: u64,
    /// What 99 of a hundred are not above.
    pub p99_ns: u64,
    /// What 999 of a thousand are not above.
    pub p999_ns: u64,
    /// The longest.
    pub longest_ns: u64,
}

impl Distribution {
    /// Adds what a histogram holds by now.
    pub fn add(&mut self, histogram: &Histogram) {
        if self.buckets.is_empty() {
            // Without memory for a sum, there is none.
            let Ok(zeroes) = fallible::filled(BUCKETS, 0) else { return };
            self.buckets = zeroes.into_vec();
        }
        for (sum, counter) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += counter.get();
        }
        self.total_ns = self.total_ns.wrapping_add(histogram.total_ns.get());
        self.longest_ns = self.longest_ns.max(histogram.longest_ns.get());
    }

    /// Takes out what was there before. The longest value is then known to the bucket, unless it is longer than all
    /// that were before.
    pub fn remove(&mut self, before: &Self) {
        for (sum, count) in self.buckets.iter_mut().zip(&before.buckets) {
            *sum -= count;
        }
        self.total_ns = self.total_ns.wrapping_sub(before.total_ns);
        if self.longest_ns == before.longest_ns {
            let last = self.buckets.iter().rposition(|&count| count > 0);
            self.longest_ns = last.map_or(0, |bucket| middle_of(bucket).min(self.longest_ns));
        }
    }

    /// Takes out what was there at a mark, which holds the counts of all buckets and moves to what was here. How long
    /// all of it took is not known then, nor the longest value but to its bucket.
    pub fn keep_since(&mut self, mark: &mut [f64]) {
        for (count, mark) in self.buckets.iter_mut().zip(mark) {
            let before = *mark as u64;
            *mark = *count as f64;
            *count = count.saturating_sub(before);
        }
        (self.total_ns, self.longest_ns) = (0, u64::MAX);
    }

    /// Its values, each with the number of times that it was counted.
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        let counted = self.buckets.iter().enumerate().filter(|&(_, &count)| count > 0);
        counted.map(|(bucket, &count)| (middle_of(bucket), count))
    }

    /// The sum of all of them.
    pub fn total_ns(&self) -> u64 {
        self.total_ns
    }

    /// Sums it up.
    pub fn summary(&self) -> Summary {
        let count: u64 = self.buckets.iter().sum();
        if count == 0 {
            return Summary::default();
        }
        Summary {
            count,
            mean_ns: self.total_ns as f64 / count as f64,
            p50_ns: self.quantile(count, 500),
            p99_ns: self.quantile(count, 990),
            p999_ns: self.quantile(count, 999),
            longest_ns: self.longest_ns,
        }
    }

    /// The value that so many of a thousand are not above.
    fn quantile(&self, count: u64, of_thousand: u64) -> u64 {
        // Rounded up, in a width that does not overflow.
        let rank = (u128::from(count) * u128::from(of_thousand)).div_ceil(1_000) as u64;
        let mut seen = 0;
        let found = self.buckets.iter().position(|&bucket| {
            seen += bucket;
            seen >= rank
        });
        // The longest value is known, and no value is above it.
        found.map_or(self.longest_ns, |bucket| middle_of(bucket).min(self.longest_ns))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn buckets_join_and_a_value_is_off_by_a_64th_at_most() {
        let mut last = 0;
        for ns in (0..5_000).chain((13..40).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1])) {
            let bucket = bucket_of(ns);
            assert!(bucket == last || bucket == last + 1 || ns > 5_000, "{ns}");
            let error = middle_of(bucket).abs_diff(ns);
            assert!(error * 64 <= ns, "{ns} is read back as {}", middle_of(bucket));
            last = bucket;
        }
        assert_eq!((bucket_of(63), bucket_of(64), bucket_of(65), bucket_of(66)), (63, 64, 64, 65));
        assert_eq!((bucket_of(END_NS), bucket_of(u64::MAX)), (BUCKETS - 1, BUCKETS - 1));
    }

    #[test]
    fn what_was_counted_since_a_mark_has_quantiles_of_its_own() {
        let histogram = Histogram::new().unwrap();
        let mut mark = vec![0.0; BUCKETS];
        let mut since = || {
            let mut distribution = Distribution::default();
            distribution.add(&histogram);
            distribution.keep_since(&mut mark);
            let Summary { count, p50_ns, p99_ns, .. } = distribution.summary();
            (count, p50_ns, p99_ns)
        };
        histogram.record(10, 1_000);
        assert_eq!(since(), (1_000, 10, 10));
        assert_eq!(since(), (0, 0, 0));
        histogram.record(50, 3);
        histogram.record(60, 2);
        assert_eq!(since(), (5, 50, 60));
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut random = 1_u64;
        let histogram = Histogram::new().unwrap();
        let mut values: Vec<u64> = (0..20_000)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Over seven powers of ten, as latencies are.
                (random >> 40) >> ((random >> 20) % 24)
            })
            .collect();
        for &ns in &values {
            histogram.record(ns, 1);
        }
        values.sort_unstable();
        let mut distribution = Distribution::default();
        distribution.add(&histogram);
        let summary = distribution.summary();
        let expected = |of_thousand: usize| values[(values.len() * of_thousand).div_ceil(1_000) - 1];
        for (found, expected) in
            [(summary.p50_ns, expected(500)), (summary.p99_ns, expected(990)), (summary.p999_ns, expected(999))]
        {
            assert!(found.abs_diff(expected) * 64 <= expected, "{found} for {expected}");
        }
        let total: u64 = values.iter().sum();
        assert_eq!((summary.count, summary.longest_ns), (20_000, *values.last().unwrap()));
        assert!((summary.mean_ns - total as f64 / 20_000.0).abs() < 1.0);
    }

    #[test]
    fn a_value_that_stands_for_several_counts_as_them() {
        let (weighted, plain) = (Histogram::new().unwrap(), Histogram::new().unwrap());
        for (ns, count) in [(10, 90), (1_000, 9), (50_000, 1)] {
            weighted.record(ns, count);
            (0..count).for_each(|_| plain.record(ns, 1));
        }
        let summary = |histograms: &[&Histogram]| {
            let mut distribution = Distribution::default();
            for histogram in histograms {
                distribution.add(histogram);
            }
            distribution.summary()
        };
        let expected =
            Summary { count: 100, mean_ns: 599.0, p50_ns: 10, p99_ns: 1_000, p999_ns: 49_664, longest_ns: 50_000 };
        assert_eq!((summary(&[&weighted]), summary(&[&plain])), (expected, expected));
        // Those of two threads together.
        assert_eq!(summary(&[&weighted, &plain]), Summary { count: 200, ..expected });
        assert_eq!(summary(&[]), Summary::default());
    }

    #[test]
    fn what_takes_longer_than_the_last_bucket_is_known_by_its_longest() {
        let histogram = Histogram::new().unwrap();
        histogram.record(END_NS * 3, 1);
        let mut distribution = Distribution::default();
        distribution.add(&histogram);
        let summary = distribution.summary();
        assert_eq!((summary.count, summary.longest_ns), (1, END_NS * 3));
    }
}
