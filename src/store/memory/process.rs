//! One byte limit over all maps of the process.
//!
//! **Two levels.** Each map counts its bytes (`budget.rs`). While the process has a limit, they are counted here as
//! well, before the map counts them and until it no longer does. So the count of the process is never below the sum
//! over its maps, and what is above the limit is refused before it is allocated.
//!
//! **Without a limit nothing is counted here.** A bit of a map's total says whether its bytes are: it changes with the
//! count in one step, so for each byte that is reserved or released it is certain on which side of a change of the
//! limit it falls. A limit that is set turns the bit on in one map after the other, and adds the total that it stood
//! beside; a limit that is removed turns it off and subtracts that. A map that is made while there is a limit begins
//! with the bit.
//!
//! **Shares.** What is reserved here for a map that has not counted it yet is a [`Share`]: dropping it gives it back,
//! and [`Share::keep`] hands it over to the map's total, with which it is released later.
//!
//! **Above the limit**, because that was lowered, nothing is added: the ceiling is what was in use then. What one
//! reservation leaves of what was freed is not used again, so use comes down to the limit whoever frees.

use super::marks::{Gauged, Marks};
use crate::store::error::{Error, Scope};
use crate::store::platform::sync::process::Mutex;
use crate::store::platform::sync::{Arc, AtomicU64, Ordering, Weak};

/// The bytes of a map, which are counted for the process or not.
pub trait Counted: std::fmt::Debug + Send + Sync {
    /// Counts all of them from here on.
    fn share(&self);
    /// Counts none of them any more.
    fn unshare(&self);
    /// How many they are.
    fn total(&self) -> u64;
}

/// The bytes of all maps of the process.
#[derive(Debug)]
pub struct ProcessMemory {
    limit: AtomicU64,
    /// What no reservation may exceed: the limit, or more after it was lowered.
    ceiling: AtomicU64,
    /// A signed number: while a limit is being set, bytes may be released before they were added.
    used: AtomicU64,
    marks: Marks,
    /// All maps, and some that are gone. The lock is held while the limit changes.
    members: Mutex<Vec<Weak<dyn Counted>>>,
}

/// Bytes that are counted for the process and for no map yet.
#[derive(Debug)]
#[must_use = "the bytes are given back when this is dropped"]
pub struct Share<'p> {
    process: &'p ProcessMemory,
    bytes: u64,
}

impl Share<'_> {
    /// A map counts them now.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.process.release(self.bytes);
    }
}

fn at_least_none(used: u64) -> u64 {
    u64::try_from(used as i64).unwrap_or(0)
}

impl ProcessMemory {
    /// Without a limit and without maps.
    pub fn new() -> Self {
        Self {
            limit: AtomicU64::new(u64::MAX),
            ceiling: AtomicU64::new(u64::MAX),
            used: AtomicU64::new(0),
            marks: Marks::new(),
            members: Mutex::default(),
        }
    }

    /// The one of this process; in a test, of its thread.
    #[cfg(not(any(test, loom)))]
    pub fn current() -> Arc<Self> {
        static CURRENT: std::sync::OnceLock<Arc<ProcessMemory>> = std::sync::OnceLock::new();
        Arc::clone(CURRENT.get_or_init(|| Arc::new(Self::new())))
    }

    /// One for each thread, so that tests do not limit each other.
    #[cfg(all(test, not(loom)))]
    pub fn current() -> Arc<Self> {
        thread_local! {
            static CURRENT: Arc<ProcessMemory> = Arc::new(ProcessMemory::new());
        }
        CURRENT.with(Arc::clone)
    }

    /// One for each map of a model.
    #[cfg(loom)]
    pub fn current() -> Arc<Self> {
        Arc::new(Self::new())
    }

    /// Adds a map, from its first byte on.
    pub(super) fn join(&self, memory: &Arc<dyn Counted>) {
        let mut members = self.members.lock();
        if members.len() == members.capacity() {
            members.retain(|one| one.strong_count() > 0);
        }
        members.push(Arc::downgrade(memory));
        if self.limit().is_some() {
            memory.share();
        }
    }

    /// Sets a limit, another one, or none. What is in use stays.
    pub fn set_limit(&self, limit_bytes: Option<u64>) {
        let members = self.members.lock();
        let limit = limit_bytes.unwrap_or(u64::MAX);
        let had_none = self.limit().is_none();
        if limit_bytes.is_none() || had_none {
            // Until all maps are counted, nothing is refused.
            self.ceiling.store(u64::MAX, Ordering::SeqCst);
        }
        self.limit.store(limit, Ordering::SeqCst);
        for memory in members.iter().filter_map(Weak::upgrade) {
            if limit_bytes.is_some() { memory.share() } else { memory.unshare() }
        }
        if limit_bytes.is_some() {
            self.ceiling.store(limit.max(self.used_bytes()), Ordering::SeqCst);
        }
    }

    /// The limit, if there is one.
    pub fn limit(&self) -> Option<u64> {
        Some(self.limit.load(Ordering::Relaxed)).filter(|&limit| limit != u64::MAX)
    }

    /// How many maps there are, and the bytes of all of them.
    pub fn maps(&self) -> (usize, u64) {
        let members = self.members.lock();
        let living = members.iter().filter_map(Weak::upgrade);
        let (count, sum) = living.fold((0, 0), |(count, sum), memory| (count + 1, sum + memory.total()));
        (count, if self.limit().is_some() { self.used_bytes() } else { sum })
    }

    /// Sets bytes aside that a map is about to count.
    pub(super) fn reserve(&self, bytes: u64) -> Result<Share<'_>, Error> {
        let mut seen = self.used.load(Ordering::Relaxed);
        loop {
            let ceiling = self.ceiling.load(Ordering::Relaxed);
            let used_bytes = at_least_none(seen);
            let next = used_bytes.saturating_add(bytes);
            if next > ceiling {
                return Err(self.refusal(bytes, used_bytes));
            }
            match self.used.compare_exchange_weak(seen, seen.wrapping_add(bytes), Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => {
                    let share = Share { process: self, bytes };
                    // A limit that was set meanwhile has either counted these bytes, or they are given back.
                    if next > self.ceiling.load(Ordering::SeqCst) {
                        drop(share);
                        return Err(self.refusal(bytes, used_bytes));
                    }
                    self.lower_ceiling(ceiling, next);
                    self.marks.risen(next, self);
                    return Ok(share);
                }
                Err(now) => seen = now,
            }
        }
    }

    #[cold]
    fn refusal(&self, requested_bytes: u64, used_bytes: u64) -> Error {
        let limit_bytes = self.limit.load(Ordering::Relaxed);
        Error::MemoryLimit { scope: Scope::Process, requested_bytes, used_bytes, limit_bytes }
    }

    /// Gives bytes back that a map no longer counts.
    pub(super) fn release(&self, bytes: u64) {
        let before = self.used.fetch_sub(bytes, Ordering::SeqCst);
        self.marks.fallen(at_least_none(before.wrapping_sub(bytes)), self);
    }

    /// A map begins to be counted that had so many bytes.
    pub(super) fn add(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Has what was freed above the limit not be used again.
    pub fn settle(&self) {
        self.lower_ceiling(self.ceiling.load(Ordering::Relaxed), self.used_bytes());
    }

    #[inline]
    fn lower_ceiling(&self, ceiling: u64, used_bytes: u64) {
        let limit = self.limit.load(Ordering::Relaxed);
        if ceiling > limit {
            let lowered = limit.max(used_bytes.min(ceiling));
            // If it fails, another thread has lowered it, or a limit was set.
            self.ceiling.compare_exchange(ceiling, lowered, Ordering::SeqCst, Ordering::Relaxed).ok();
        }
    }

    /// How many bytes would have to be freed, so that so many could be reserved.
    pub fn missing(&self, bytes: u64) -> u64 {
        self.used_bytes().saturating_add(bytes).saturating_sub(self.ceiling.load(Ordering::Relaxed))
    }

    /// Whether so many bytes could be reserved now.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.missing(bytes) == 0
    }
}

impl Gauged for ProcessMemory {
    fn used_bytes(&self) -> u64 {
        at_least_none(self.used.load(Ordering::SeqCst))
    }

    fn limit_bytes(&self) -> Option<u64> {
        self.limit()
    }

    fn marks(&self) -> &Marks {
        &self.marks
    }
}
