//! Byte accounting: what a map holds, by what it is used for, and the limit over the sum.
//!
//! Bytes are reserved here before they are asked of the allocator and released after they were given back, so that the
//! sum is never below what the map holds and never above its limit. Entries are counted by the page or the large block
//! that was set aside for them, not by their content.
//!
//! **The owner of the bytes.** Every structure that allocates holds a [`Reservation`], which grows before the
//! structure does, shrinks after it did, and gives the rest back when it is dropped. So no refusal can be overlooked:
//! without a reservation that grew, there is nothing that could be released later. The one exception are large
//! entries, which are bare blocks: there the block itself stands for its bytes ([`Memory::reserve_block`]). Whatever
//! would release more than is reserved is a bug: tests stop at it, and elsewhere it is refused, counted and logged, so
//! that no count ever runs below zero.

use std::cell::Cell;

use crate::store::error::{Error, Scope};
use crate::store::events::{Events, lines};
use crate::store::memory::marks::{Gauged, Marks};
use crate::store::memory::process::{Counted, ProcessMemory};
use crate::store::platform::sync::{Arc, AtomicU64, Ordering};

thread_local! {
    /// Whether this thread holds locks under which nothing may grow.
    static IS_FROZEN: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, whatever asks for bytes on this thread is refused as by a limit, in every map. A commit holds the
/// locks of several shards, and nothing is allocated under them: what it needs was set aside before.
#[derive(Debug)]
#[must_use = "memory may be had again when this is dropped"]
pub struct Frozen(());

impl Frozen {
    /// Refuses bytes from here on.
    pub fn begin() -> Self {
        IS_FROZEN.set(true);
        Self(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        IS_FROZEN.set(false);
    }
}

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
    /// Names of types, and which entries have them.
    Types,
    /// Shapes, and what shards count them with.
    Shapes,
}

/// How many uses there are.
const USES: usize = Use::ALL.len();

impl Use {
    /// All of them, by number.
    pub const ALL: [Self; 10] = [
        Self::Entries,
        Self::Index,
        Self::Slab,
        Self::Words,
        Self::Order,
        Self::Policy,
        Self::Fixed,
        Self::Expiry,
        Self::Types,
        Self::Shapes,
    ];
}

/// In the total of a map: its bytes are counted for the process, too.
const SHARED: u64 = 1 << 63;

/// The bytes of one map.
#[derive(Debug)]
pub struct Memory {
    /// With [`SHARED`].
    total: AtomicU64,
    /// What counts them while it has a limit.
    process: Arc<ProcessMemory>,
    limit: AtomicU64,
    /// What no reservation may exceed: the limit or, after that was lowered, what was in use when this was last looked
    /// at.
    ceiling: AtomicU64,
    by_use: [AtomicU64; USES],
    /// Bytes whose release was refused because they were not reserved.
    unowned: AtomicU64,
    /// The largest total.
    peak: AtomicU64,
    /// Large blocks that were set aside, and those that were given back.
    large_blocks: [AtomicU64; 2],
    /// Transfers that began, and transfers that ended.
    transfers: [AtomicU64; 2],
    /// What is reported of the total.
    marks: Marks,
    /// Where such a refusal is reported.
    events: Events,
}

/// Bytes that a structure has set aside. They are given back when this is dropped.
#[derive(Debug)]
#[must_use = "what is reserved is given back when the reservation is dropped"]
pub struct Reservation {
    memory: Arc<Memory>,
    what: Use,
    bytes: usize,
}

impl Reservation {
    /// No bytes yet.
    pub fn empty(memory: &Arc<Memory>, what: Use) -> Self {
        Self { memory: Arc::clone(memory), what, bytes: 0 }
    }

    /// So many bytes, or the reason why they do not fit.
    pub fn new(memory: &Arc<Memory>, what: Use, bytes: usize) -> Result<Self, Error> {
        let mut reservation = Self::empty(memory, what);
        reservation.grow(bytes)?;
        Ok(reservation)
    }

    /// Sets more bytes aside, or changes nothing.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        self.memory.reserve(self.what, bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives some bytes back, after their memory was freed.
    pub fn shrink(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.bytes, "{bytes} bytes of {:?} released, {} reserved", self.what, self.bytes);
        let owned = bytes.min(self.bytes);
        self.bytes -= owned;
        self.memory.release(self.what, owned);
        if owned < bytes {
            self.memory.refuse_release(self.what, (bytes - owned) as u64);
        }
    }

    /// Makes it so many bytes; to make it fewer never fails.
    #[cfg(test)]
    pub fn resize(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes > self.bytes {
            return self.grow(bytes - self.bytes);
        }
        self.shrink(self.bytes - bytes);
        Ok(())
    }

    /// Bytes that it owns.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where they are counted.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }
}

/// While this lives, some bytes are counted and in no structure that a recount would look at: a large entry that is
/// about to be published, or about to be freed.
#[derive(Debug)]
#[must_use = "the transfer ends when this is dropped"]
pub struct Transfer<'m>(&'m Memory);

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        self.0.transfers[1].fetch_add(1, Ordering::Release);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.release(self.what, self.bytes);
    }
}

impl Memory {
    /// No bytes yet, and `None` for no limit.
    #[cfg(test)]
    pub fn new(limit_bytes: Option<u64>) -> Self {
        Self::reporting(limit_bytes, Events::new())
    }

    /// Those of a map of this process, which counts for its limit. A mistake in the accounting is logged to these
    /// events.
    pub fn of_process(limit_bytes: Option<u64>, events: Events) -> Arc<Self> {
        let memory = Arc::new(Self::reporting(limit_bytes, events));
        let counted: Arc<dyn Counted> = memory.clone();
        memory.process.join(&counted);
        memory
    }

    /// Those of no map: they do not count for the process.
    pub fn reporting(limit_bytes: Option<u64>, events: Events) -> Self {
        Self {
            total: AtomicU64::new(0),
            process: ProcessMemory::current(),
            limit: AtomicU64::new(limit_bytes.unwrap_or(u64::MAX)),
            ceiling: AtomicU64::new(limit_bytes.unwrap_or(u64::MAX)),
            by_use: std::array::from_fn(|_| AtomicU64::new(0)),
            unowned: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            large_blocks: [AtomicU64::new(0), AtomicU64::new(0)],
            transfers: [AtomicU64::new(0), AtomicU64::new(0)],
            marks: Marks::new(),
            events,
        }
    }

    /// Sets the bytes of a large block aside. The block stands for them until [`Memory::release_block`].
    pub fn reserve_block(&self, bytes: usize) -> Result<(), Error> {
        self.reserve(Use::Entries, bytes)?;
        self.large_blocks[0].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Gives the bytes of a large block back, after it was freed.
    pub fn release_block(&self, bytes: usize) {
        self.release(Use::Entries, bytes);
        self.large_blocks[1].fetch_add(1, Ordering::Relaxed);
    }

    fn reserve(&self, what: Use, bytes: usize) -> Result<(), Error> {
        let bytes = bytes as u64;
        let ceiling_bytes = self.ceiling.load(Ordering::Relaxed).min(SHARED - 1);
        let mut seen = self.total.load(Ordering::Relaxed);
        if IS_FROZEN.get() {
            return Err(self.refusal(bytes, seen & !SHARED, ceiling_bytes));
        }
        let total = loop {
            let used_bytes = seen & !SHARED;
            if used_bytes.saturating_add(bytes) > ceiling_bytes {
                return Err(self.refusal(bytes, used_bytes, self.limit.load(Ordering::Relaxed)));
            }
            // Given back unless the total grows with the bit as it was seen.
            let share = if seen == used_bytes { None } else { Some(self.process.reserve(bytes)?) };
            match self.grow(seen, bytes) {
                Ok(()) => {
                    if let Some(share) = share {
                        share.keep();
                    }
                    break used_bytes + bytes;
                }
                Err(now) => seen = now,
            }
        };
        if total > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(total, Ordering::Relaxed);
        }
        self.by_use[what as usize].fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Adds bytes to a total, as long as the limit allows and the process counts them or not, as it did; else the total
    /// that is there.
    fn grow(&self, mut seen: u64, bytes: u64) -> Result<(), u64> {
        let (is_shared, ceiling_bytes) = (seen & SHARED, self.ceiling.load(Ordering::Relaxed).min(SHARED - 1));
        loop {
            match self.total.compare_exchange_weak(seen, seen + bytes, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => {
                    seen = now;
                    if now & SHARED != is_shared || (now & !SHARED).saturating_add(bytes) > ceiling_bytes {
                        return Err(now);
                    }
                }
            }
        }
    }

    #[cold]
    fn refusal(&self, requested_bytes: u64, used_bytes: u64, limit_bytes: u64) -> Error {
        if self.limit().is_none() && !IS_FROZEN.get() {
            // More than there is of addresses.
            return Error::OutOfMemory { bytes: requested_bytes };
        }
        Error::MemoryLimit { scope: Scope::Map, requested_bytes, used_bytes, limit_bytes }
    }

    /// The use's own count goes first, and `reserve` raises it last: the total is never below the sum.
    fn release(&self, what: Use, bytes: usize) {
        let bytes = bytes as u64;
        let counter = &self.by_use[what as usize];
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let used = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_else(|used| used);
        self.subtract(used.min(bytes));
        if used < bytes {
            debug_assert!(false, "{bytes} bytes of {what:?} released, {used} reserved");
            self.refuse_release(what, bytes - used);
        }
    }

    #[cold]
    fn refuse_release(&self, what: Use, bytes: u64) {
        self.unowned.fetch_add(bytes, Ordering::Relaxed);
        self.events.log(&lines::MEMORY_UNOWNED, &[("use", what as u64), ("bytes", bytes)]);
    }

    /// Announces bytes that are for a while in no structure.
    pub fn transfer(&self) -> Transfer<'_> {
        self.transfers[0].fetch_add(1, Ordering::AcqRel);
        Transfer(self)
    }

    /// How many transfers there were; `None` if one is under way.
    pub fn settled_transfers(&self) -> Option<u64> {
        let ended = self.transfers[1].load(Ordering::Acquire);
        Some(self.transfers[0].load(Ordering::Acquire)).filter(|&begun| begun == ended)
    }

    /// Bytes whose release was refused because they were not reserved: 0, unless there is a bug.
    pub fn unowned(&self) -> u64 {
        self.unowned.load(Ordering::Relaxed)
    }

    /// The most bytes that were in use since the map was made, or since [`Memory::reset_counts`].
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Large blocks that were set aside and given back.
    pub fn large_blocks(&self) -> (u64, u64) {
        let [taken, given_back] = &self.large_blocks;
        (taken.load(Ordering::Relaxed), given_back.load(Ordering::Relaxed))
    }

    /// Begins to count blocks and the peak anew.
    pub fn reset_counts(&self) {
        self.large_blocks.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        self.peak.store(self.total(), Ordering::Relaxed);
    }

    /// All bytes in use.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed) & !SHARED
    }

    /// Bytes in use for one purpose.
    pub fn used(&self, what: Use) -> u64 {
        self.by_use[what as usize].load(Ordering::Relaxed)
    }

    /// Lets reservations through whatever the limit, until it is set again: what a map is rebuilt of goes only after it
    /// was copied.
    pub fn lift_limit(&self) {
        self.ceiling.store(u64::MAX, Ordering::Relaxed);
    }

    /// Counts bytes no more that are never given back. Returns how many were counted.
    pub fn write_off(&self, what: Use, bytes: u64) -> u64 {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let counter = &self.by_use[what as usize];
        let used = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_else(|used| used);
        self.subtract(used.min(bytes));
        used.min(bytes)
    }

    /// Looks, at the end of a write, whether the total is above a mark.
    #[inline]
    pub fn rose(&self) {
        self.marks.risen(self.total(), self);
    }

    /// The only place where the total falls, so that whatever frees memory is seen to.
    fn subtract(&self, bytes: u64) {
        let before = self.total.fetch_sub(bytes, Ordering::SeqCst);
        if before & SHARED != 0 {
            self.process.release(bytes);
        }
        self.marks.fallen((before & !SHARED) - bytes, self);
    }

    /// The limit of the process, if it has one.
    #[inline]
    pub fn process_limit(&self) -> Option<u64> {
        if self.total.load(Ordering::Relaxed) & SHARED == 0 { None } else { self.process.limit() }
    }

    /// Sets another limit, or none. What is in use stays: if that is more, nothing is added to it until it fits.
    pub fn set_limit(&self, limit_bytes: Option<u64>) {
        let limit_bytes = limit_bytes.unwrap_or(u64::MAX);
        self.limit.store(limit_bytes, Ordering::Relaxed);
        self.ceiling.store(limit_bytes.max(self.total()), Ordering::Relaxed);
    }

    /// Whether more is in use than a limit allows that was lowered. Asked after each write, so that what was freed
    /// since is not used again.
    pub fn is_above_limit(&self) -> bool {
        let limit_bytes = self.limit.load(Ordering::Relaxed);
        let ceiling_bytes = self.ceiling.load(Ordering::Relaxed);
        if ceiling_bytes <= limit_bytes {
            return false;
        }
        self.ceiling.store(limit_bytes.max(ceiling_bytes.min(self.total())), Ordering::Relaxed);
        true
    }

    /// What the entries of one of so many shards could have of the limit if all others were empty. The tables of the
    /// other shards go with their entries, where a large value needs them to.
    pub fn room_for_entries(&self, shards: u32) -> u64 {
        self.ceiling.load(Ordering::Relaxed).saturating_sub(self.beside_entries(shards))
    }

    /// The same of the limit of the process, if there were no other map.
    pub fn room_in_process(&self, shards: u32) -> u64 {
        self.process_limit().map_or(u64::MAX, |limit_bytes| limit_bytes.saturating_sub(self.beside_entries(shards)))
    }

    fn beside_entries(&self, shards: u32) -> u64 {
        let fixed = self.used(Use::Fixed);
        let tables = self.total().saturating_sub(self.used(Use::Entries)).saturating_sub(fixed);
        fixed + tables / u64::from(shards)
    }

    /// Whether so many bytes could be reserved now.
    pub fn has_room(&self, bytes: u64) -> bool {
        let total = self.total.load(Ordering::Relaxed);
        (total & !SHARED).saturating_add(bytes) <= self.ceiling.load(Ordering::Relaxed)
            && (total & SHARED == 0 || self.process.has_room(bytes))
    }

    /// Whether fewer bytes are in use now than when this was refused, of those that its limit is over.
    pub fn has_less_than_at(&self, refused: &Error) -> bool {
        match *refused {
            Error::MemoryLimit { scope: Scope::Map, used_bytes, .. } => self.total() < used_bytes,
            Error::MemoryLimit { scope: Scope::Process, used_bytes, .. } => self.process.used_bytes() < used_bytes,
            _ => false,
        }
    }

    /// The limit, if there is one.
    pub fn limit(&self) -> Option<u64> {
        match self.limit.load(Ordering::Relaxed) {
            u64::MAX => None,
            limit => Some(limit),
        }
    }
}

#[cfg(all(test, loom))]
impl Memory {
    /// What counts its bytes while it has a limit.
    pub fn process(&self) -> &Arc<ProcessMemory> {
        &self.process
    }
}

impl Counted for Memory {
    fn share(&self) {
        let before = self.total.fetch_or(SHARED, Ordering::SeqCst);
        if before & SHARED == 0 {
            self.process.add(before);
        }
    }

    fn unshare(&self) {
        let before = self.total.fetch_and(!SHARED, Ordering::SeqCst);
        if before & SHARED != 0 {
            self.process.release(before & !SHARED);
        }
    }

    fn total(&self) -> u64 {
        Self::total(self)
    }
}

impl Drop for Memory {
    /// What was lost for good is counted no more.
    fn drop(&mut self) {
        self.unshare();
    }
}

impl Gauged for Memory {
    fn used_bytes(&self) -> u64 {
        self.total.load(Ordering::SeqCst) & !SHARED
    }

    fn limit_bytes(&self) -> Option<u64> {
        self.limit()
    }

    fn marks(&self) -> &Marks {
        &self.marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(limit_bytes: u64) -> Arc<Memory> {
        Arc::new(Memory::new(Some(limit_bytes)))
    }

    #[test]
    fn a_reservation_above_the_limit_changes_nothing() {
        let memory = memory(100);
        let entries = Reservation::new(&memory, Use::Entries, 60).unwrap();
        let mut index = Reservation::empty(&memory, Use::Index);
        let refused = index.grow(41).unwrap_err();
        let scope = Scope::Map;
        assert_eq!(refused, Error::MemoryLimit { scope, requested_bytes: 41, used_bytes: 60, limit_bytes: 100 });
        assert_eq!((memory.total(), memory.used(Use::Entries), memory.used(Use::Index)), (60, 60, 0));
        index.grow(40).unwrap();
        drop(entries);
        assert_eq!((memory.total(), index.bytes()), (40, 40));
        assert!(index.resize(101).is_err());
        index.resize(7).unwrap();
        assert_eq!((memory.total(), index.bytes()), (7, 7));
        drop(index);
        assert_eq!((memory.total(), memory.unowned()), (0, 0));
    }

    /// What a debug build stops at.
    #[cfg(not(debug_assertions))]
    #[test]
    fn no_count_runs_below_zero() {
        let memory = memory(100);
        let mut entries = Reservation::new(&memory, Use::Entries, 60).unwrap();
        let index = Reservation::new(&memory, Use::Index, 30).unwrap();
        entries.shrink(70);
        assert_eq!((memory.total(), memory.used(Use::Entries), memory.unowned()), (30, 0, 10));
        memory.release_block(5);
        assert_eq!((memory.total(), memory.used(Use::Entries), memory.unowned()), (30, 0, 15));
        drop((entries, index));
        assert_eq!(memory.total(), 0);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "released"))]
    fn releasing_more_than_was_reserved_is_noticed() {
        let memory = memory(100);
        memory.release_block(1);
        assert_eq!((memory.total(), memory.unowned()), (0, 1));
    }

    #[test]
    fn what_exceeds_a_lowered_limit_only_becomes_less() {
        let memory = memory(100);
        let mut entries = Reservation::new(&memory, Use::Entries, 80).unwrap();
        memory.set_limit(Some(50));
        assert!(memory.is_above_limit() && entries.grow(1).is_err());
        entries.shrink(20);
        // What was freed within one write may serve that write.
        entries.grow(10).unwrap();
        assert!(memory.is_above_limit() && entries.grow(1).is_err());
        entries.shrink(30);
        assert!(memory.is_above_limit());
        assert!(!memory.is_above_limit());
        entries.grow(10).unwrap();
        assert!(entries.grow(1).is_err());
    }
}
