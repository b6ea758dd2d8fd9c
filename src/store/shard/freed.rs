//! What no reader can reach any more and takes long to free: large entries and tables. They are collected under the lock and
//! freed after it was released; those that are mapped go to the reaper, because unmapping 100 MB takes milliseconds.

use super::super::arena::MAX_BLOCK_BYTES;
use super::super::context::Context;
use super::super::entry::Entry;
use super::super::large;
use super::super::memory::Memory;
use super::super::reaper::{self, Debris};
use super::super::sync::{Arc, AtomicU64, Ordering};
use super::upkeep::Retired;

/// Large things that may be freed, as soon as the lock is released.
#[derive(Debug, Default)]
pub struct Freed(Vec<Retired>);

/// Some of them, being freed.
struct Parting {
    items: Vec<Retired>,
    /// Bytes that are mapped.
    bytes: usize,
    memory: Arc<Memory>,
    /// Counts bytes that are used until this has gone.
    debris: Arc<AtomicU64>,
}

impl Freed {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in it.
    pub fn items(&self) -> impl Iterator<Item = &Retired> {
        self.0.iter()
    }

    /// Adds something. An entry is a large one.
    pub fn push(&mut self, item: Retired) {
        self.0.push(item);
    }

    /// Frees everything, here or in the background, and gives back what memory serves nobody. For callers that do not hold the lock.
    ///
    /// # Safety
    ///
    /// What is in it was made with this map's memory and is freed once, and no reader can reach it.
    pub unsafe fn dispose(self, context: &Context) {
        if !self.is_empty() {
            let bytes = self.0.iter().map(mapped_bytes).sum();
            context.debris.fetch_add(bytes as u64, Ordering::Relaxed);
            let (memory, debris) = (Arc::clone(&context.memory), Arc::clone(&context.debris));
            reaper::dispose(Parting { items: self.0, bytes, memory, debris });
        }
        large::release_surplus();
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
        if let Some(Retired::Entry(entry)) = self.items.pop() {
            // SAFETY: promised to `dispose`; large entries need no arena.
            unsafe { entry.free_if_large(&self.memory) };
        }
        self.items.is_empty()
    }

    fn owner(&self) -> usize {
        Arc::as_ptr(&self.memory) as usize
    }

    fn leak(self: Box<Self>) {
        std::mem::forget(*self);
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

/// Whether it is to be freed without the lock.
pub fn is_freed_later(item: &Retired) -> bool {
    match item {
        Retired::Entry(entry) => Entry::size(*entry) > MAX_BLOCK_BYTES,
        Retired::Tables(_) | Retired::Directory(_) => true,
    }
}

/// Bytes that freeing this unmaps.
fn mapped_bytes(item: &Retired) -> usize {
    match item {
        Retired::Entry(entry) => large::mapped_bytes(entry.size()),
        Retired::Tables(tables) => tables.unshared_bytes(),
        Retired::Directory(_) => 0,
    }
}
