//! What a map remembers of its memory for its log.

use super::pressure::PressureSubscription;
use crate::store::events::{Events, Wake, lines};
use crate::store::memory::budget::Memory;
use crate::store::platform::sync::Arc;
use crate::store::platform::sync::process::{AtomicBool, OnceLock};

/// What is known of a map's memory for its log.
#[derive(Default)]
pub(crate) struct MemoryWatch {
    /// Since something listened first.
    pub(crate) pressure: OnceLock<PressureSubscription>,
    /// Whether the last look found it fragmented.
    pub(crate) is_fragmented: AtomicBool,
}

/// Logs that a map is nearly full.
pub(crate) struct PressureLine {
    events: Events,
    memory: Arc<Memory>,
}

impl PressureLine {
    pub(crate) fn new(events: &Events, memory: &Arc<Memory>) -> Self {
        Self { events: events.clone(), memory: Arc::clone(memory) }
    }
}

impl Wake for PressureLine {
    fn wake(&self) {
        let limit_bytes = self.memory.limit().unwrap_or(u64::MAX);
        let numbers = [("usedBytes", self.memory.total()), ("limitBytes", limit_bytes)];
        self.events.log(&lines::MEMORY_PRESSURE, &numbers);
    }
}
