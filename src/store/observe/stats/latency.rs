//! How long operations take.

use serde_json::{Map, Value as Json, json};

use crate::store::observe::histogram::Summary;
use crate::store::observe::latency::{Distributions, NEAR_SAMPLING, SAMPLING, TIMED, Timed};

/// What all threads have measured, by operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyStats([Summary; TIMED]);

impl LatencyStats {
    pub(crate) fn new(distributions: &Distributions) -> Self {
        Self(Timed::ALL.map(|operation| distributions.of(operation).summary()))
    }

    /// That of one operation.
    pub fn of(&self, operation: Timed) -> &Summary {
        &self.0[operation as usize]
    }

    pub(super) fn json(&self) -> Json {
        let mut operations: Map<_, _> = Timed::ALL
            .into_iter()
            .map(|operation| (operation.name().to_owned(), json_of(self.of(operation))))
            .collect();
        operations.insert("sampling".to_owned(), json!({ "native": SAMPLING, "near": NEAR_SAMPLING, "load": 1 }));
        Json::Object(operations)
    }
}

fn json_of(summary: &Summary) -> Json {
    json!({
        "count": summary.count,
        "meanNs": summary.mean_ns.round() as u64,
        "p50Ns": summary.p50_ns,
        "p99Ns": summary.p99_ns,
        "p999Ns": summary.p999_ns,
        "maxNs": summary.longest_ns,
    })
}
