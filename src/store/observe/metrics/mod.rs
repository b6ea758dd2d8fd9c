//! What maps report about themselves, as OpenMetrics text for a Prometheus that asks.
//!
//! Names are close to those that dashboards of caches know (Micrometer's `cache_gets_total{result}` and others), with a
//! prefix of their own. Units are base units. Labels are `map` and one of `result`, `cause` and `operation`: never one
//! per key. A map without a name has no label `map`.

mod durations;
mod families;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

use crate::store::observe::latency::Distributions;
use crate::store::observe::stats::Stats;
use families::{FAMILIES, Family, Number, Sample, Type};

/// Stands before each name.
const PREFIX: &str = "typed_superdashmap";

type Labels<'a> = Vec<(&'static str, &'a str)>;

/// What is told of one map.
#[derive(Debug)]
pub struct Source {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its statistics.
    pub stats: Stats,
    /// How long its operations take, where that is measured.
    pub latency: Option<Distributions>,
    /// Whether it refuses further use.
    pub is_broken: bool,
}

/// All of them, as one text. `codes` has the names of errors: number and name of each.
pub fn text(sources: Vec<Source>, codes: Vec<(u16, String)>) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Scrape { sources, codes }));
    let mut text = String::new();
    // A String refuses nothing, and what is encoded are numbers and names.
    encode(&mut text, &registry).unwrap_or_default();
    text
}

/// One answer.
#[derive(Debug)]
struct Scrape {
    sources: Vec<Source>,
    codes: Vec<(u16, String)>,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for family in &FAMILIES {
            self.family(&mut encoder, family)?;
        }
        self.errors(&mut encoder)?;
        durations::encode(&mut encoder, &self.sources)
    }
}

impl Scrape {
    fn family(&self, encoder: &mut DescriptorEncoder, family: &Family) -> fmt::Result {
        // A limit is told of where there is one.
        let mut samples = self.sources.iter().flat_map(|source| {
            let read = move |sample: &Sample| Some((source.labels(sample.label), (sample.read)(source)?));
            family.samples.iter().filter_map(read)
        });
        describe(encoder, family, &mut samples)
    }

    /// Errors by their codes. One that did not occur is no sample: there are many, and few occur.
    fn errors(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let mut samples = self.sources.iter().flat_map(|source| {
            let counted = self.codes.iter().map(|(number, code)| (code, source.stats.errors.of(*number)));
            let occurred = counted.filter(|&(_, count)| count > 0);
            occurred.map(|(code, count)| (source.labels(Some(("cause", code))), Number::Whole(count)))
        });
        let help = "Errors that the map has thrown or reported, by their code.";
        describe(encoder, &Family::counter("cache_errors", help), &mut samples)
    }
}

/// Samples under one name, which is not told of without any.
fn describe(
    encoder: &mut DescriptorEncoder,
    &Family { name, unit, help, kind, .. }: &Family,
    samples: &mut dyn Iterator<Item = (Labels<'_>, Number)>,
) -> fmt::Result {
    let Some(first) = samples.next() else { return Ok(()) };
    let unit = unit.map(named_unit);
    let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), kind.into())?;
    for (labels, number) in std::iter::once(first).chain(samples) {
        kind.encode(&mut metric.encode_family(&labels)?, number)?;
    }
    Ok(())
}

impl Source {
    /// The labels of a sample.
    fn labels<'a>(&'a self, label: Option<(&'static str, &'a str)>) -> Labels<'a> {
        self.name.as_deref().map(|name| ("map", name)).into_iter().chain(label).collect()
    }
}

impl Type {
    fn encode(self, metric: &mut MetricEncoder, number: Number) -> fmt::Result {
        match (self, number) {
            (Self::Counter, Number::Whole(count)) => metric.encode_counter(&count, NO_EXEMPLAR),
            (Self::Counter, Number::Real(count)) => metric.encode_counter(&count, NO_EXEMPLAR_OF_REAL),
            (Self::Gauge, Number::Whole(value)) => metric.encode_gauge(&value),
            (Self::Gauge, Number::Real(value)) => metric.encode_gauge(&value),
        }
    }
}

/// Counters can name one of the events that they count; ours do not.
const NO_EXEMPLAR: Option<&Exemplar<[(&str, &str); 0], u64>> = None;
const NO_EXEMPLAR_OF_REAL: Option<&Exemplar<[(&str, &str); 0], f64>> = None;

impl From<Type> for MetricType {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Counter => Self::Counter,
            Type::Gauge => Self::Gauge,
        }
    }
}

fn named_unit(name: &str) -> Unit {
    Unit::Other(name.to_owned())
}
