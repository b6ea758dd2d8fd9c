//! Byte accounting: what a map holds, by what it is used for, and the limit over the sum.
//!
//! Bytes are reserved here before they are asked of the allocator and released after they were given back, so that the
//! sum is never below what the map holds and never above its limit. Entries are counted by the page or the large block
//! that was set aside for them, not by their content.

use super::error::Error;
use super::sync::{AtomicU64, Ordering};

/// What bytes are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Use {
    /// Pages and large blocks with keys and values.
    Entries,
    /// Index tables.
    Index,
    /// Slots.
    Slab,
    /// Version and access words.
    Words,
    /// Insertion order.
    Order,
    /// What the eviction policy keeps: links between slots, ghosts, frequencies.
    Policy,
    /// The map itself.
    Fixed,
    /// Deadlines.
    Expiry,
}

/// The last one's number, and one more.
const USES: usize = Use::Expiry as usize + 1;

/// The bytes of one map.
#[derive(Debug)]
pub struct Memory {
    total: AtomicU64,
    limit: AtomicU64,
    /// What no reservation may exceed: the limit or, after that was lowered, what was in use when this was last looked at.
    ceiling: AtomicU64,
    by_use: [AtomicU64; USES],
}

impl Memory {
    /// No bytes yet, and `None` for no limit.
    pub fn new(limit_bytes: Option<u64>) -> Self {
        Self {
            total: AtomicU64::new(0),
            limit: AtomicU64::new(limit_bytes.unwrap_or(u64::MAX)),
            ceiling: AtomicU64::new(limit_bytes.unwrap_or(u64::MAX)),
            by_use: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Sets bytes aside, or says that they do not fit.
    pub fn reserve(&self, what: Use, bytes: usize) -> Result<(), Error> {
        let bytes = bytes as u64;
        let ceiling_bytes = self.ceiling.load(Ordering::Relaxed);
        if ceiling_bytes == u64::MAX {
            self.total.fetch_add(bytes, Ordering::Relaxed);
        } else {
            let mut used_bytes = self.total.load(Ordering::Relaxed);
            loop {
                if used_bytes.saturating_add(bytes) > ceiling_bytes {
                    let limit_bytes = self.limit.load(Ordering::Relaxed);
                    return Err(Error::MemoryLimit { requested_bytes: bytes, used_bytes, limit_bytes });
                }
                let next = used_bytes + bytes;
                match self.total.compare_exchange_weak(used_bytes, next, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => break,
                    Err(seen) => used_bytes = seen,
                }
            }
        }
        self.by_use[what as usize].fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Gives bytes back.
    pub fn release(&self, what: Use, bytes: usize) {
        let before = self.total.fetch_sub(bytes as u64, Ordering::Relaxed);
        debug_assert!(before >= bytes as u64, "released more than was reserved");
        self.by_use[what as usize].fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// All bytes in use.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes in use for one purpose.
    pub fn used(&self, what: Use) -> u64 {
        self.by_use[what as usize].load(Ordering::Relaxed)
    }

    /// Sets another limit, or none. What is in use stays: if that is more, nothing is added to it until it fits.
    pub fn set_limit(&self, limit_bytes: Option<u64>) {
        let limit_bytes = limit_bytes.unwrap_or(u64::MAX);
        self.limit.store(limit_bytes, Ordering::Relaxed);
        self.ceiling.store(limit_bytes.max(self.total()), Ordering::Relaxed);
    }

    /// Whether more is in use than a limit allows that was lowered. Asked after each write, so that what was freed since
    /// is not used again.
    pub fn is_above_limit(&self) -> bool {
        let limit_bytes = self.limit.load(Ordering::Relaxed);
        let ceiling_bytes = self.ceiling.load(Ordering::Relaxed);
        if ceiling_bytes <= limit_bytes {
            return false;
        }
        self.ceiling.store(limit_bytes.max(ceiling_bytes.min(self.total())), Ordering::Relaxed);
        true
    }

    /// What could be in use at most if no entry were there: the part of the limit that entries can have.
    pub fn room_for_entries(&self) -> u64 {
        self.ceiling.load(Ordering::Relaxed).saturating_sub(self.total().saturating_sub(self.used(Use::Entries)))
    }

    /// The limit, if there is one.
    pub fn limit(&self) -> Option<u64> {
        match self.limit.load(Ordering::Relaxed) {
            u64::MAX => None,
            limit => Some(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_above_the_limit_changes_nothing() {
        let memory = Memory::new(Some(100));
        memory.reserve(Use::Entries, 60).unwrap();
        let refused = memory.reserve(Use::Index, 41).unwrap_err();
        assert_eq!(refused, Error::MemoryLimit { requested_bytes: 41, used_bytes: 60, limit_bytes: 100 });
        assert_eq!((memory.total(), memory.used(Use::Entries), memory.used(Use::Index)), (60, 60, 0));
        memory.reserve(Use::Index, 40).unwrap();
        memory.release(Use::Entries, 60);
        assert_eq!(memory.total(), 40);
    }

    #[test]
    fn what_exceeds_a_lowered_limit_only_becomes_less() {
        let memory = Memory::new(Some(100));
        memory.reserve(Use::Entries, 80).unwrap();
        memory.set_limit(Some(50));
        assert!(memory.is_above_limit() && memory.reserve(Use::Entries, 1).is_err());
        memory.release(Use::Entries, 20);
        // What was freed within one write may serve that write.
        memory.reserve(Use::Entries, 10).unwrap();
        assert!(memory.is_above_limit() && memory.reserve(Use::Entries, 1).is_err());
        memory.release(Use::Entries, 30);
        assert!(memory.is_above_limit());
        assert!(!memory.is_above_limit());
        memory.reserve(Use::Entries, 10).unwrap();
        assert!(memory.reserve(Use::Entries, 1).is_err());
    }
}
