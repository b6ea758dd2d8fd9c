//! What lookups use of the processor.

use serde_json::{Value as Json, json};

/// Vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimdStats {
    /// Whether the map may use them.
    pub enabled: bool,
    /// Which it uses: `sse2`, or `none` where they are off or none of use.
    pub level: &'static str,
}

impl SimdStats {
    pub(super) fn json(self) -> Json {
        json!({ "enabled": self.enabled, "level": self.level })
    }
}
