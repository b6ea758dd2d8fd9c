//! Errors of a map by their numbers, of all threads.

use serde_json::{Map, Value as Json, json};

use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::AtomicU64;

/// Numbers of errors are from here on.
const FIRST: u16 = 1_001;
/// How many numbers there may be.
const NUMBERS: usize = 64;

/// Counts that all threads add to: an error costs much more than that.
pub struct ErrorCounts {
    by_number: [AtomicU64; NUMBERS],
    /// Times that the map broke, and problems that a look at everything has found.
    corruptions: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorStats {
    by_number: [u64; NUMBERS],
    corruptions: u64,
}

impl Default for ErrorCounts {
    fn default() -> Self {
        Self { by_number: [const { AtomicU64::new(0) }; NUMBERS], corruptions: AtomicU64::new(0) }
    }
}

impl ErrorCounts {
    /// An error was thrown or reported. Numbers that are not public are passed over.
    pub fn count(&self, number: u16) {
        let at = usize::from(number.wrapping_sub(FIRST));
        if let Some(count) = self.by_number.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Something does not fit.
    pub fn count_corruptions(&self, found: u64) {
        self.corruptions.fetch_add(found, Ordering::Relaxed);
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        self.by_number.iter().chain([&self.corruptions]).for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// All of them.
    pub fn read(&self) -> ErrorStats {
        let mut by_number = [0; NUMBERS];
        for (to, from) in by_number.iter_mut().zip(&self.by_number) {
            *to = from.load(Ordering::Relaxed);
        }
        ErrorStats { by_number, corruptions: self.corruptions.load(Ordering::Relaxed) }
    }
}

impl ErrorStats {
    /// Those of a number.
    pub fn of(&self, number: u16) -> u64 {
        self.by_number.get(usize::from(number.wrapping_sub(FIRST))).copied().unwrap_or_default()
    }

    /// Times that the map broke, and problems that were found.
    pub fn corruptions(&self) -> u64 {
        self.corruptions
    }

    /// Under its names in JavaScript, which knows the codes of the numbers.
    pub fn json(&self) -> Json {
        let numbered = (FIRST..).zip(&self.by_number).filter(|&(_, &count)| count > 0);
        let by_number: Map<_, _> = numbered.map(|(number, &count)| (number.to_string(), count.into())).collect();
        json!({ "byNumber": by_number, "corruptionDetections": self.corruptions })
    }
}
