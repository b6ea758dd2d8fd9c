//! Where a map stands among those that share the limit of the process.
//!
//! A map that uses much less than others do has them evict before it (`map/process.rs`). Which maps these are changes
//! with every write, and finding out takes a look at each. So it is looked up for one refused write in [`LOOKS_PER`],
//! whatever comes of that write: a map that has entries of its own to evict would otherwise never ask.

use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::{AtomicBool, AtomicU32};

/// Writes refused by the limit of the process, of which one has the maps compared. The first does.
const LOOKS_PER: u32 = 64;

#[derive(Debug)]
pub struct Standing {
    is_spared: AtomicBool,
    /// Whether a refused write is to have the maps compared.
    is_due: AtomicBool,
    refusals: AtomicU32,
}

impl Standing {
    /// Of a map that was not compared yet.
    pub fn new() -> Self {
        Self { is_spared: AtomicBool::new(false), is_due: AtomicBool::new(false), refusals: AtomicU32::new(0) }
    }

    /// Whether other maps evict before this one.
    pub fn is_spared(&self) -> bool {
        self.is_spared.load(Ordering::Relaxed)
    }

    /// What a comparison found.
    pub fn spare(&self, is_spared: bool) {
        self.is_spared.store(is_spared, Ordering::Relaxed);
    }

    /// Whether a refused write turns to the other maps before entries of this one are evicted: to have them evict, or
    /// to have the maps compared.
    pub fn turns_to_others(&self) -> bool {
        if self.is_spared() {
            return true;
        }
        let is_due = self.refusals.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOKS_PER);
        if is_due {
            self.is_due.store(true, Ordering::Relaxed);
        }
        is_due
    }

    /// Whether the maps are to be compared now: once for each write that turned to others for that.
    pub fn take_due(&self) -> bool {
        self.is_due.swap(false, Ordering::Relaxed)
    }
}
