//! Marks over and under the bytes in use: what lies beyond one is reported, and nothing else costs more than a load.

use crate::store::platform::sync::process::{AtomicU64, OnceLock};
use crate::store::platform::sync::{Ordering, Weak};

/// Bytes that are counted, and what they may be at most.
pub trait Gauged: Send + Sync {
    /// Bytes in use; a `SeqCst` load.
    fn used_bytes(&self) -> u64;
    /// The limit, if there is one.
    fn limit_bytes(&self) -> Option<u64>;
    /// The marks over and under them.
    fn marks(&self) -> &Marks;
}

/// Hears that a mark was passed.
pub trait Crossing: Send + Sync {
    /// Called from the thread that passed it, maybe under a lock: it must not block and must not call back into a map.
    /// Sets the marks anew.
    fn crossed(&self, gauged: &dyn Gauged);
}

/// A mark above the bytes in use and one below.
pub struct Marks {
    above_bytes: AtomicU64,
    below_bytes: AtomicU64,
    crossing: OnceLock<Weak<dyn Crossing>>,
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Marks")
            .field("above", &self.above_bytes)
            .field("below", &self.below_bytes)
            .finish_non_exhaustive()
    }
}

impl Marks {
    /// No marks: nothing is beyond them.
    pub const fn new() -> Self {
        Self { above_bytes: AtomicU64::new(u64::MAX), below_bytes: AtomicU64::new(0), crossing: OnceLock::new() }
    }

    /// Names what hears of it; the first call counts.
    pub fn report_to(&self, crossing: Weak<dyn Crossing>) {
        self.crossing.get_or_init(|| crossing);
    }

    /// Sets both.
    pub fn set(&self, above_bytes: u64, below_bytes: u64) {
        self.above_bytes.store(above_bytes, Ordering::SeqCst);
        self.below_bytes.store(below_bytes, Ordering::SeqCst);
    }

    /// Whether so many bytes in use are beyond one of them.
    pub fn is_beyond(&self, used_bytes: u64) -> bool {
        used_bytes > self.above_bytes.load(Ordering::SeqCst) || used_bytes < self.below_bytes.load(Ordering::SeqCst)
    }

    /// Reports it if so many bytes in use are more than the mark above them.
    #[inline]
    pub fn risen(&self, used_bytes: u64, gauged: &dyn Gauged) {
        if used_bytes > self.above_bytes.load(Ordering::Relaxed) {
            self.report(gauged);
        }
    }

    /// Reports it if so many bytes in use are fewer than the mark below them. After a `SeqCst` subtraction, so that it
    /// is not missed while marks are set.
    #[inline]
    pub fn fallen(&self, used_bytes: u64, gauged: &dyn Gauged) {
        if used_bytes < self.below_bytes.load(Ordering::SeqCst) {
            self.report(gauged);
        }
    }

    #[cold]
    fn report(&self, gauged: &dyn Gauged) {
        if let Some(crossing) = self.crossing.get().and_then(Weak::upgrade) {
            crossing.crossed(gauged);
        }
    }
}
