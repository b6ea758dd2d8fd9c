//! What no reader can reach any more and takes long to free: large entries and tables. They are collected under the
//! lock and freed after it was released; those that are mapped go to the reaper, because unmapping 100 MB takes
//! milliseconds.

use super::context::Context;
use super::retired::Retired;
use crate::store::entry::block::Prepared;
use crate::store::memory::budget::Memory;
use crate::store::memory::large;
use crate::store::memory::reaper;
use crate::store::memory::reaper::Debris;
use crate::store::platform::sync::process::AtomicBool;
use crate::store::platform::sync::{Arc, AtomicU64, Ordering};

/// Bytes given back in a step: unmapping all of something at once would keep the system from mapping anything else
/// meanwhile.
const BYTES_PER_STEP: usize = 8 << 20;

/// Large things that may be freed, as soon as the lock is released.
#[derive(Debug, Default)]
pub struct FreedLater(Vec<Retired>);

/// Some of them, being freed.
struct Parting {
    items: Vec<Retired>,
    /// Bytes that are mapped.
    bytes: usize,
    /// Bytes of the last item that were given back.
    released: usize,
    memory: Arc<Memory>,
    /// Counts bytes that are used until this has gone.
    debris: Arc<AtomicU64>,
    /// Set if it stays for good.
    has_lost: Arc<AtomicBool>,
}

impl FreedLater {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in it.
    pub fn items(&self) -> impl Iterator<Item = &Retired> {
        self.0.iter()
    }

    /// Adds all that another one has.
    pub fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// Adds something. An entry is a large one.
    pub fn push(&mut self, item: Retired) {
        self.0.push(item);
    }

    /// Frees everything, here or in the background. For callers that do not hold the lock.
    ///
    /// # Safety
    ///
    /// What is in it was made with this map's memory and is freed once, and no reader can reach it.
    #[cold]
    pub unsafe fn dispose(self, context: &Context) {
        let bytes = self.0.iter().map(mapped_bytes).sum();
        context.debris.fetch_add(bytes as u64, Ordering::Relaxed);
        let (memory, debris) = (Arc::clone(&context.memory), Arc::clone(&context.debris));
        let has_lost = Arc::clone(&context.has_lost);
        reaper::dispose(Parting { items: self.0, bytes, released: 0, memory, debris, has_lost });
    }
}

/// Frees what was prepared and not used, because a write was refused or another was faster: without a lock, and in the
/// background where that takes long.
#[inline]
pub fn discard(prepared: Option<Prepared<'_>>, context: &Context) {
    if let Some(prepared) = prepared {
        discard_large(prepared, context);
    }
}

#[cold]
fn discard_large(prepared: Prepared<'_>, context: &Context) {
    let _transfer = context.memory.transfer();
    if let Some(entry) = prepared.take() {
        // SAFETY: made with this map's memory and never published.
        unsafe { FreedLater(vec![Retired::Entry(entry)]).dispose(context) };
    }
}

impl Debris for Parting {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_unreachable(&self) -> Option<bool> {
        Some(true)
    }

    fn free_some(&mut self) -> bool {
        let has_more = match self.items.last_mut() {
            Some(Retired::Tables(tables)) => tables.release_some(&mut self.released, BYTES_PER_STEP),
            // SAFETY: promised to `dispose`; what frees the entry later on needs its header only, which stays.
            Some(Retired::Entry(entry)) => unsafe { entry.release_some(&mut self.released, BYTES_PER_STEP) },
            Some(Retired::Cells(cells)) => cells.release_some(&mut self.released, BYTES_PER_STEP),
            Some(Retired::Directory(_)) | None => false,
        };
        if has_more {
            return false;
        }
        self.released = 0;
        if let Some(Retired::Entry(entry)) = self.items.pop() {
            // SAFETY: promised to `dispose`; large entries need no arena.
            unsafe { entry.free_if_large(&self.memory) };
        }
        self.items.is_empty()
    }

    fn owner(&self) -> usize {
        Arc::as_ptr(&self.memory) as usize
    }

    fn leak(mut self: Box<Self>) {
        // Dropping the rest only ends the waiting of writes for it.
        self.has_lost.store(true, Ordering::Relaxed);
        std::mem::forget(std::mem::take(&mut self.items));
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        for item in self.items.drain(..) {
            if let Retired::Entry(entry) = item {
                // SAFETY: promised to `dispose`; large entries need no arena.
                unsafe { entry.free_if_large(&self.memory) };
            }
        }
        self.debris.fetch_sub(self.bytes as u64, Ordering::Release);
    }
}

/// Bytes that freeing this unmaps.
fn mapped_bytes(item: &Retired) -> usize {
    match item {
        Retired::Entry(entry) => large::mapped_bytes(entry.size()),
        Retired::Tables(tables) => tables.unshared_bytes(),
        Retired::Cells(cells) => cells.mapped_bytes(),
        Retired::Directory(_) => 0,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::super::config::Config;
    use super::super::Shard;
    use super::*;
    use crate::store::memory::budget::Use;
    use crate::store::shard::member::Member;

    #[test]
    fn a_table_that_was_replaced_goes_after_the_lock_was_released() {
        let context = Context::new(&Config::default().normalised());
        let participant = context.collector.join();
        let member = Member::new(&context, &participant);
        let shard = Shard::new(0, &context);
        shard.reserve(&member, 1_000_000).unwrap();
        let before = context.memory.used(Use::Index);
        assert!(before > 8 << 20);
        let shrunk = shard.locked(&member, |writer| {
            let shared = writer.index.shrink_to_fit(&shard.index, &context.memory).unwrap();
            writer.retire_tables(&member, shared);
            let tables = std::iter::repeat_with(|| writer.index.step(&shard.index)).find_map(|moved| moved).unwrap();
            writer.retire_tables(&member, tables);
            writer.collect_all(&member);
            assert!(!writer.freed_later.is_empty());
            assert!(context.memory.used(Use::Index) >= before, "it went under the lock");
            Ok(())
        });
        assert_eq!(shrunk, Ok(()));
        // In the background, and as long as that takes.
        while context.memory.used(Use::Index) >= before || context.is_freeing() {
            std::thread::yield_now();
        }
    }
}
