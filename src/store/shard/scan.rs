//! Entries by their place: the slots in order, for scans (`map/scan.rs`), and one that is drawn (`map/draw.rs`).

use super::{Shard, Tenant};
use crate::store::entry::handle::Handle;
use crate::store::memory::reclaim::Pin;
use crate::store::slab::slots::SlotRef;

/// Slots between the one that is looked at and the one whose entry is asked for: what a look takes, times that, is what
/// memory takes.
const AHEAD: u32 = 4;

impl Shard {
    /// The first entry in the slots from `from` to before `to`, and the slot behind it. Without one, the slot that was
    /// not looked at, which is `None` if there are no more slots, or if `from` is not before `to`.
    pub fn next_tenant(&self, from: u32, to: u32, _pin: &Pin<'_>) -> (Option<Tenant<'_>>, Option<u32>) {
        for number in from..to {
            let Some(slot) = self.slab.slot(number) else { return (None, None) };
            if let Some(entry) = slot.entry() {
                self.prefetch_entry(number.saturating_add(AHEAD));
                let tenant = Tenant { entry, slot, number, shard: self.number };
                return (Some(tenant), Some(number + 1));
            }
        }
        (None, (from < to).then_some(to))
    }

    /// The handle of an entry, each as likely as any other. `below` returns a number below the one it is given. Takes
    /// the lock.
    pub fn draw(&self, below: impl FnMut(u64) -> u64) -> Option<Handle> {
        let writer = self.writer.lock();
        let slot = writer.order.draw(below)?;
        let generation = self.slab.slot(slot).map_or(0, SlotRef::generation);
        Some(Handle { shard: self.number, slot, generation })
    }
}
