//! What is known of shapes.

use serde_json::{Value as Json, json};

use crate::store::memory::budget::{Memory, Use};

/// Shapes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeStats {
    /// Shapes that are known, those without entries included.
    pub count: u64,
    /// Bytes that they take, and what counts their entries.
    pub bytes: u64,
    /// Values that are stored as records.
    pub values: u64,
}

impl ShapeStats {
    pub(crate) fn new(count: usize, memory: &Memory, values: u64) -> Self {
        Self { count: count as u64, bytes: memory.used(Use::Shapes), values }
    }

    pub(super) fn json(&self) -> Json {
        json!({ "count": self.count, "bytes": self.bytes, "values": self.values })
    }
}
