//! How long operations take, as histograms of maps that measure it.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::{Source, named_unit};
use crate::store::observe::histogram::Distribution;
use crate::store::observe::latency::Timed;

/// Upper bounds of the buckets, in nanoseconds: a near hit takes some ten, a loader may take seconds.
const BOUNDS_NS: [u64; 16] = [
    25,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    100_000,
    250_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
];

const NS_PER_SECOND: f64 = 1e9;

pub(super) fn encode(encoder: &mut DescriptorEncoder, sources: &[Source]) -> fmt::Result {
    let mut measured = sources.iter().filter_map(|source| Some((source, source.latency.as_ref()?))).peekable();
    if measured.peek().is_none() {
        return Ok(());
    }
    let help = "How long operations take, from a sample of the calls.";
    let seconds = named_unit("seconds");
    let mut metric =
        encoder.encode_descriptor("cache_operation_duration", help, Some(&seconds), MetricType::Histogram)?;
    for (source, distributions) in measured {
        for operation in Timed::ALL {
            let distribution = distributions.of(operation);
            let buckets = buckets(distribution);
            let count = buckets.iter().map(|(_, count)| count).sum();
            // What a map does not do needs no two dozen lines.
            if count == 0 {
                continue;
            }
            let labels = source.labels(Some(("operation", operation.name())));
            let sum = distribution.total_ns() as f64 / NS_PER_SECOND;
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)?;
        }
    }
    Ok(())
}

/// Upper bounds in seconds, with the values between each and the one before. A value near a bound may be on its other
/// side: it is known to a 64th of itself.
fn buckets(distribution: &Distribution) -> [(f64, u64); BOUNDS_NS.len() + 1] {
    let mut buckets = [(f64::INFINITY, 0); BOUNDS_NS.len() + 1];
    for (bucket, bound) in buckets.iter_mut().zip(BOUNDS_NS) {
        bucket.0 = bound as f64 / NS_PER_SECOND;
    }
    for (ns, count) in distribution.values() {
        buckets[BOUNDS_NS.partition_point(|&bound| bound < ns)].1 += count;
    }
    buckets
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::observe::histogram::Histogram;

    #[test]
    fn values_are_in_the_bucket_of_the_next_bound() {
        let histogram = Histogram::new().unwrap();
        for (ns, count) in [(10, 1), (25, 2), (30, 4), (3_000, 8), (20_000_000_000, 16)] {
            histogram.record(ns, count);
        }
        let mut distribution = Distribution::default();
        distribution.add(&histogram);
        let counted = buckets(&distribution).into_iter().filter(|&(_, count)| count > 0);
        let expected = [(2.5e-8, 3), (1e-7, 4), (5e-6, 8), (f64::INFINITY, 16)];
        assert!(counted.eq(expected));
        assert_eq!(distribution.total_ns(), 10 + 50 + 120 + 24_000 + 320_000_000_000);
    }
}
