//! The counts of all threads together.

use super::counters::Counters;
use super::operations::Operations;
use crate::store::platform::sync::{Arc, CachePadded};

/// The counters of the threads that have a map open, and what those had that closed it.
#[derive(Default)]
pub struct CounterTable {
    threads: Vec<Arc<CachePadded<Counters>>>,
    /// Sums of threads that closed the map.
    past: Operations,
    /// Sums at the last reset. No thread's counters are set back, since each has one writer.
    base: Operations,
    resets: u64,
}

impl CounterTable {
    /// Counters for one more thread.
    pub fn add(&mut self) -> Arc<CachePadded<Counters>> {
        let counters = Arc::new(CachePadded(Counters::default()));
        self.threads.push(Arc::clone(&counters));
        counters
    }

    /// A thread closed the map: what it counted stays.
    pub fn forget(&mut self, counters: &Arc<CachePadded<Counters>>) {
        self.past.add(counters);
        self.threads.retain(|other| !Arc::ptr_eq(other, counters));
    }

    /// Counts entries that a job deleted, which is no thread of a program.
    pub fn count_deletes(&mut self, deleted: u64) {
        self.past.deletes += deleted;
    }

    /// What all threads did since the last reset.
    pub fn sums(&self) -> Operations {
        self.all().since(&self.base)
    }

    /// Begins to count anew.
    pub fn reset(&mut self) {
        self.base = self.all();
        self.resets += 1;
    }

    /// How often that was done.
    pub fn resets(&self) -> u64 {
        self.resets
    }

    fn all(&self) -> Operations {
        let mut sums = self.past;
        self.threads.iter().for_each(|counters| sums.add(counters));
        sums
    }

    /// How many threads have the map open.
    pub fn threads(&self) -> u64 {
        self.threads.len() as u64
    }
}
