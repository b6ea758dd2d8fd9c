//! Reports which entries were removed from a map, and why, to its listeners; and which came or changed, to those that
//! listen to that, too.
//!
//! A shard reports what happened to an entry under its lock, so that the reports of one key come in the order in which
//! it happened. It copies key and value for it, or becomes an owner of a large entry that shares it with the report,
//! but only if a listener wants that: otherwise it is one relaxed load and a branch. No listener is called under the
//! lock: the listener is woken afterwards, and takes the reports out on its own thread.
//!
//! What waits for one audience is bounded in bytes and in number (`queue.rs`).

pub use super::cause::Cause;

use super::queue::{Backlog, Keys, Queue, Shared};
use super::report::{Report, What};
use crate::store::entry::block::Entry;
use crate::store::entry::handle::Handle;
use crate::store::entry::shapes::Shapes;
use crate::store::entry::types::Types;
use crate::store::events::Wake;
use crate::store::platform::sync::process::{AtomicU32, AtomicU64, Mutex};
use crate::store::platform::sync::{Arc, Ordering};

/// The audiences of one map.
pub struct Removals {
    shared: Shared,
    /// What any listener wants; a hint that lets [`Removals::tell`] return early. Written under the lock of `queues`.
    wanted: AtomicU32,
    queues: Mutex<Vec<Arc<Queue>>>,
}

impl Removals {
    /// No audience yet.
    pub(crate) fn new(types: &Arc<Types>, shapes: &Arc<Shapes>) -> Self {
        let shared = Shared { types: Arc::clone(types), shapes: Arc::clone(shapes), dropped: AtomicU64::new(0) };
        Self { shared, wanted: AtomicU32::new(0), queues: Mutex::default() }
    }

    /// Whether any listener wants something of this set.
    #[inline]
    pub(crate) fn are_wanted(&self, bits: u32) -> bool {
        self.wanted.load(Ordering::Relaxed) & bits != 0
    }

    /// Enqueues a removal for its listeners. Under the shard's lock; [`Removals::wake`] has to follow without it.
    #[inline]
    pub(crate) fn tell(&self, entry: Entry, handle: Handle, cause: Cause) -> bool {
        let is_wanted = self.are_wanted(cause.bit());
        if is_wanted {
            self.push(entry, handle, What::Removed(cause));
        }
        is_wanted
    }

    #[cold]
    pub(super) fn push(&self, entry: Entry, handle: Handle, what: What) {
        let queues = self.queues.lock();
        let wants = |queue: &&Arc<Queue>| queue.wants(what);
        queues.iter().filter(wants).for_each(|queue| _ = queue.push(entry, handle, what, &self.shared));
    }

    /// Enqueues many at once, which may be more than any queue has room for. From the first that finds none on, or if
    /// there is none in the first place, they are counted without a look at them: the shard's lock is held meanwhile.
    pub(crate) fn tell_all(&self, entries: impl Iterator<Item = (Entry, Handle)>, count: u64, cause: Cause) -> bool {
        if !self.are_wanted(cause.bit()) {
            return false;
        }
        let what = What::Removed(cause);
        let queues = self.queues.lock();
        let wants = |queue: &&Arc<Queue>| queue.wants(what);
        let mut told = 0;
        if queues.iter().filter(wants).any(|queue| !queue.is_full()) {
            for (entry, handle) in entries {
                told += 1;
                let push =
                    |queue: &&Arc<Queue>| wants(queue) && queue.push_one_of_many(entry, handle, what, &self.shared);
                // Each of them, whether the others had room or not.
                if queues.iter().filter(push).count() == 0 {
                    break;
                }
            }
        }
        if told < count {
            queues.iter().filter(wants).for_each(|queue| queue.miss(count - told, &self.shared));
        }
        true
    }

    /// Has those that listen to writes told that they missed so many changes, which were not reported.
    pub(crate) fn tell_missed(&self, count: u64) {
        if count == 0 {
            return;
        }
        let queues = self.queues.lock();
        let hears_writes = |queue: &&Arc<Queue>| queue.hears_writes();
        queues.iter().filter(hears_writes).for_each(|queue| queue.miss(count, &self.shared));
    }

    /// Wakes the audiences that something waits for. Without any lock of the map.
    pub(crate) fn wake(&self) {
        let mut to_wake = Vec::new();
        to_wake.extend(self.queues.lock().iter().filter_map(|queue| queue.take_wake()));
        for wake in to_wake {
            wake.wake();
        }
    }

    /// Adds an audience for a set of causes ([`Cause::bit`]).
    pub fn subscribe(self: &Arc<Self>, causes: u32, wake: Arc<dyn Wake>) -> Audience {
        self.subscribe_to(causes, Keys::All, wake)
    }

    pub(super) fn subscribe_to(self: &Arc<Self>, wanted: u32, keys: Keys, wake: Arc<dyn Wake>) -> Audience {
        let queue = Arc::new(Queue::new(wanted, keys, wake));
        let mut queues = self.queues.lock();
        queues.push(Arc::clone(&queue));
        self.note_wanted(&queues);
        drop(queues);
        Audience { removals: Arc::clone(self), queue }
    }

    fn note_wanted(&self, queues: &[Arc<Queue>]) {
        let wanted = queues.iter().fold(0, |wanted, queue| wanted | queue.wanted());
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// What waits for each audience that listens to writes.
    pub(super) fn backlogs(&self) -> Vec<Backlog> {
        let queues = self.queues.lock();
        queues.iter().filter(|queue| queue.hears_writes()).map(|queue| queue.backlog()).collect()
    }

    /// How many reports those audiences missed.
    pub(super) fn dropped(&self) -> &AtomicU64 {
        &self.shared.dropped
    }
}

/// One listener. Dropping it unsubscribes, and drops what waited.
pub struct Audience {
    removals: Arc<Removals>,
    queue: Arc<Queue>,
}

impl Audience {
    /// Listens for other causes from now on. What waits stays.
    pub fn set_causes(&self, causes: u32) {
        let queues = self.removals.queues.lock();
        self.queue.set_wanted(causes);
        self.removals.note_wanted(&queues);
    }

    /// Takes out what waits, oldest first: at most `count`, and no more once their bytes have reached `bytes`. The
    /// answer is how many were dropped right after those; more may wait behind. When nothing was taken and nothing
    /// dropped, the next report wakes the audience again.
    pub fn take(&self, count: usize, bytes: usize, out: &mut Vec<Report>) -> u64 {
        self.queue.take(count, bytes, out)
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        let mut queues = self.removals.queues.lock();
        queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        self.removals.note_wanted(&queues);
    }
}
