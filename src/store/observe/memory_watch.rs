//! What a map remembers of its memory for its log.

use super::pressure::{Hears, PressureNews, PressureSubscription};
use crate::store::events::{Events, lines};
use crate::store::platform::sync::process::{AtomicBool, OnceLock};

/// What is known of a map's memory for its log.
#[derive(Default)]
pub(crate) struct MemoryWatch {
    /// Since something listened first.
    pub(crate) pressure: OnceLock<PressureSubscription>,
    /// Whether the last look found it fragmented.
    pub(crate) is_fragmented: AtomicBool,
}

/// Logs that a map is nearly full, and that it no longer is.
pub(crate) struct PressureLine(pub(crate) Events);

impl Hears for PressureLine {
    fn hear(&self, news: &PressureNews) {
        let line = if news.rising { &lines::MEMORY_PRESSURE } else { &lines::MEMORY_RELIEVED };
        let limit_bytes = news.limit_bytes.map(|limit_bytes| ("limitBytes", limit_bytes));
        let numbers: Vec<_> = [("usedBytes", news.used_bytes)].into_iter().chain(limit_bytes).collect();
        self.0.log(line, &numbers);
    }
}
