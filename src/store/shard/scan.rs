//! Entries by their place: the slots in order, for scans (`map/scan.rs`), and one that is drawn (`map/draw.rs`).

use super::{Shard, Tenant};
use crate::store::entry::handle::Handle;
use crate::store::memory::reclaim::Pin;
use crate::store::slab::slots::SlotRef;
use crate::store::slab::slots::run::Run;

/// Slots between the one that is looked at and the one whose entry is asked for: what a look takes, times that, is what
/// memory takes.
const AHEAD: u32 = 8;

/// The entries in some slots of a shard, in their order.
pub struct Tenants<'a> {
    shard: &'a Shard,
    /// The slots of one chunk, and the number of the first.
    run: Option<Run<'a>>,
    first: u32,
    /// The slot that is looked at next, and the one before which it ends.
    next: u32,
    end: u32,
}

impl<'a> Iterator for Tenants<'a> {
    type Item = Tenant<'a>;

    #[inline]
    fn next(&mut self) -> Option<Tenant<'a>> {
        while self.next < self.end {
            let Some(slot) = self.run?.slot(self.next - self.first) else {
                self.first = self.next;
                self.run = self.shard.slab.run(self.next);
                continue;
            };
            let number = self.next;
            self.next += 1;
            if let Some(entry) = slot.entry() {
                self.prefetch(number - self.first + AHEAD);
                return Some(Tenant { entry, slot, number, shard: self.shard.number });
            }
        }
        None
    }
}

impl<'a> Tenants<'a> {
    /// The caller is pinned, or holds the shard's lock.
    fn new(shard: &'a Shard, from: u32, to: u32) -> Self {
        let run = if from < to { shard.slab.run(from) } else { None };
        Self { shard, run, first: from, next: from, end: to }
    }

    /// The slot that was not looked at; `None` if there are no more slots, or if there was none to look at.
    pub fn rest(&self) -> Option<u32> {
        self.run.map(|_| self.next)
    }

    /// Asks for the lines of an entry that comes soon. At the end of a chunk there is none.
    #[inline]
    fn prefetch(&self, at: u32) {
        if let Some(entry) = self.run.and_then(|run| run.slot(at)).and_then(SlotRef::entry) {
            entry.prefetch();
        }
    }
}

impl Shard {
    /// The first entry in the slots from `from` to before `to`, and the slot behind it. Without one, the slot that was
    /// not looked at, which is `None` if there are no more slots, or if `from` is not before `to`.
    pub fn next_tenant(&self, from: u32, to: u32, _pin: &Pin<'_>) -> (Option<Tenant<'_>>, Option<u32>) {
        let mut tenants = Tenants::new(self, from, to);
        let tenant = tenants.next();
        (tenant, tenants.rest())
    }

    /// The entries in the slots from `from` to before `to`.
    pub fn tenants<'a>(&'a self, from: u32, to: u32, _pin: &'a Pin<'_>) -> Tenants<'a> {
        Tenants::new(self, from, to)
    }

    /// The handle of an entry, each as likely as any other. `below` returns a number below the one it is given. Takes
    /// the lock.
    pub fn draw(&self, below: impl FnMut(u64) -> u64) -> Option<Handle> {
        let writer = self.writer.lock_uncounted();
        let slot = writer.order.draw(below)?;
        let generation = self.slab.slot(slot).map_or(0, SlotRef::generation);
        Some(Handle { shard: self.number, slot, generation })
    }
}
