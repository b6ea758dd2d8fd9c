//! Entries by their type: for each type of a shard, which entries have it, in insertion order.
//!
//! Entries without a type are in none of these logs and pay nothing for them. An entry of a type pays eight bytes, in
//! segments that are full where nothing was removed. So a count of a type and a walk over it cost what the type has
//! and not what the map has.

mod log;

use crate::store::error::Error;
use crate::store::memory::boxes;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::sync::Arc;
use log::Log;

/// The logs of one shard, guarded by its lock.
#[derive(Debug)]
pub struct TypeLogs {
    /// With the numbers of their types, by which they are sorted. Invariant: outside of a write, each has entries.
    logs: Vec<(u32, Log)>,
    held: Reservation,
}

impl TypeLogs {
    /// No entries.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { logs: Vec::new(), held: Reservation::empty(memory, Use::Types) }
    }

    fn place_of(&self, type_id: u32) -> Result<usize, usize> {
        self.logs.binary_search_by_key(&type_id, |&(type_id, _)| type_id)
    }

    fn log(&self, type_id: u32) -> Option<&Log> {
        Some(&self.logs[self.place_of(type_id).ok()?].1)
    }

    /// Makes sure that [`TypeLogs::add`] finds room for an entry of this type and sequence, or changes nothing. An
    /// entry that does not come after all is [`TypeLogs::tidy`]'s.
    pub fn make_room(&mut self, type_id: u32, sequence: u64) -> Result<(), Error> {
        let at = match self.place_of(type_id) {
            Ok(at) => at,
            Err(at) => {
                let wanted = self.logs.len() + 1;
                boxes::grow(&mut self.logs, wanted, &mut self.held)?;
                self.logs.insert(at, (type_id, Log::default()));
                at
            }
        };
        let made = self.logs[at].1.make_room(sequence, &mut self.held);
        made.inspect_err(|_| self.drop_if_empty(at))
    }

    /// Takes back what was made for an entry that did not come.
    pub fn tidy(&mut self, type_id: u32, sequence: u64) {
        if let Ok(at) = self.place_of(type_id) {
            self.logs[at].1.tidy(sequence, &mut self.held);
            self.drop_if_empty(at);
        }
    }

    /// An entry of this type came. [`TypeLogs::make_room`] came before with the same type and sequence.
    pub fn add(&mut self, type_id: u32, sequence: u64, slot: u32) {
        if let Ok(at) = self.place_of(type_id) {
            self.logs[at].1.add(sequence, slot);
        }
    }

    /// An entry of this type went, or has it no more.
    pub fn remove(&mut self, type_id: u32, sequence: u64) {
        let Ok(at) = self.place_of(type_id) else { return };
        let was_there = self.logs[at].1.remove(sequence, &mut self.held);
        debug_assert!(was_there, "an entry of type {type_id} that its log does not have");
        self.drop_if_empty(at);
    }

    fn drop_if_empty(&mut self, at: usize) {
        if self.logs[at].1.len() > 0 {
            return;
        }
        let (_, log) = self.logs.remove(at);
        let bytes = log.bytes();
        drop(log);
        self.held.shrink(bytes);
        // Room for many types is not kept for the few that come next.
        if self.logs.is_empty() && self.logs.capacity() > boxes::FIRST_PLACES {
            self.logs = Vec::new();
            self.held.shrink(self.held.bytes());
        }
    }

    /// Entries of a type.
    pub fn len(&self, type_id: u32) -> usize {
        self.log(type_id).map_or(0, Log::len)
    }

    /// The sequence of the first entry of a type after this one.
    pub fn first_after(&self, type_id: u32, sequence: u64) -> Option<u64> {
        self.log(type_id)?.first_after(sequence)
    }

    /// Adds to `out` the entries of a type after this sequence and up to `last`, oldest first; there is room for them.
    /// Returns the sequence of the next one.
    pub fn walk(&self, type_id: u32, after: u64, last: u64, out: &mut Vec<(u64, u32)>) -> Option<u64> {
        self.log(type_id)?.walk(after, last, |sequence, slot| out.push((sequence, slot)))
    }

    /// Bytes of all logs.
    pub fn bytes(&self) -> usize {
        let logs: usize = self.logs.iter().map(|(_, log)| log.bytes()).sum();
        logs + self.logs.capacity() * size_of::<(u32, Log)>()
    }

    /// The slot of the entry of this type and sequence.
    pub fn slot_of(&self, type_id: u32, sequence: u64) -> Option<u32> {
        self.log(type_id)?.slot_of(sequence)
    }

    /// Entries of all types.
    pub fn total(&self) -> usize {
        self.logs.iter().map(|(_, log)| log.len()).sum()
    }

    /// Checks the segment at a place, that of a log and of a segment in it, and returns its entries; `None` beyond the
    /// last one. Moves the place on. `is_there` says whether a slot has the entry of a type and sequence.
    pub fn check(
        &self,
        place: &mut (usize, usize),
        is_there: impl Fn(u32, u64, u32) -> bool,
    ) -> Option<Result<usize, &'static str>> {
        loop {
            let (type_id, log) = self.logs.get(place.0)?;
            if let Some(checked) = log.check(place.1, |sequence, slot| is_there(*type_id, sequence, slot)) {
                place.1 += 1;
                return Some(checked);
            }
            *place = (place.0 + 1, 0);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
