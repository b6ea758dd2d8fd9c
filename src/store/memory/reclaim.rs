//! Deferred reclamation: memory that a reader may still be looking at is freed once it no longer can be.
//!
//! # Protocol
//!
//! Each thread that uses a map is a *participant*. Before it looks at shared memory it *pins* itself: it publishes
//! the current *epoch* in its own word, then puts a fence between that store and its first load of a shared pointer.
//! When it has copied out what it wanted it stores 0. A pin lasts for the copying of one entry, never runs user code,
//! and never waits for a lock: the holder of a lock may be waiting for pins. A reader that needs a lock ends its pin,
//! locks, pins anew and releases the lock.
//!
//! A writer that has unlinked something puts it into the [`Limbo`] of its shard, under the shard's lock. Once a batch
//! is worth it, the batch is *sealed*: the epoch advances, and the batch keeps the number `t` from before. Then comes
//! a full fence, and a look at every participant's word. The batch is free to go when none is pinned at an epoch `<=
//! t`.
//!
//! # Why that is enough
//!
//! Take a reader that may hold a pointer of a batch sealed at `t`, and the writer's look at that reader's word, which
//! happens after the batch was unlinked and after a full fence. By the two fences, one of two things is true. Either
//! the writer sees the reader's pin; the epoch in it was read before the pointer was, so before the epoch went past
//! `t` (a reader that had seen `t + 1` would, by acquire and release on the epoch, have seen the unlinking too), and
//! the batch stays. Or the reader's loads see the unlinking, so it never had the pointer. When a writer later reads 0
//! or a later epoch in that word, the release store it reads from comes after the reader's last look.
//!
//! The fence on the reader's side is the expensive part of a read. Where the kernel offers `membarrier`, the reader's
//! half is a compiler fence and the writer's half interrupts the other threads (`sync.rs`).
//!
//! # One fence for many batches
//!
//! An interruption takes a reader microseconds, so there should be few. A fence serves every batch of every shard that
//! was sealed before it: the writer that runs one records the epoch that it read before (`fenced`). Another writer
//! that finds its batch below that number, by acquire on it, comes after the fence, and its look at the words is as
//! good as if the fence had been its own. So a shard lets a few batches wait for a fence of another writer before it
//! runs one itself.
//!
//! # Limits
//!
//! A thread that is suspended while pinned keeps what was retired since from being freed. Nothing else does: an idle
//! thread is not pinned. What waits counts as used memory.

use std::collections::VecDeque;
use std::marker::PhantomData;

use crate::store::platform::fault;
use crate::store::platform::sync::{
    Arc, AtomicU8, AtomicU64, CachePadded, HeavyFence, Mutex, Ordering, heavy_fence, light_fence, pins,
};

/// The participants of one map and the epoch they share.
#[derive(Debug)]
pub struct Collector {
    epoch: CachePadded<AtomicU64>,
    /// Batches sealed at a lower epoch than this were followed by a full fence. Only grows.
    fenced: AtomicU64,
    /// The holder of this lock waits for nothing.
    participants: Mutex<Vec<Arc<Participant>>>,
}

/// One thread's word.
#[derive(Debug)]
pub struct Participant {
    /// 0, or the epoch this thread is pinned at. Invariant: written by its own thread only.
    pinned: CachePadded<AtomicU64>,
    /// 1 after its last write gave up waiting for readers under a lock.
    awaits_readers: AtomicU8,
}

impl Participant {
    fn new() -> Self {
        Self { pinned: CachePadded(AtomicU64::new(0)), awaits_readers: AtomicU8::new(0) }
    }

    /// Records whether a write of this thread has to wait for readers without the lock.
    pub fn await_readers(&self, awaits: bool) {
        self.awaits_readers.store(u8::from(awaits), Ordering::Relaxed);
    }

    /// Whether the last write of this thread gave up because of readers.
    pub fn awaits_readers(&self) -> bool {
        self.awaits_readers.load(Ordering::Relaxed) != 0
    }
}

/// What was sealed at a lower epoch than this was followed by a full fence, so a look at the words of the
/// participants judges it. Made by [`Collector`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fenced(u64);

/// As long as this lives, nothing that its thread can reach is freed.
#[derive(Debug)]
pub struct Pin<'a> {
    participant: &'a Participant,
    /// Whether this pin is within another one of the same thread, which ends it.
    is_inner: bool,
    /// A pin belongs to the thread that made it.
    _not_send: PhantomData<*const ()>,
}

impl Collector {
    /// No participants, epoch 1.
    pub fn new() -> Self {
        Self { epoch: CachePadded(AtomicU64::new(1)), fenced: AtomicU64::new(0), participants: Mutex::new(Vec::new()) }
    }

    /// A new participant.
    pub fn join(&self) -> Arc<Participant> {
        let participant = Arc::new(Participant::new());
        self.participants.lock_briefly().push(Arc::clone(&participant));
        participant
    }

    /// Forgets a participant, which must not be pinned.
    pub fn leave(&self, participant: &Arc<Participant>) {
        debug_assert_eq!(participant.pinned.load(Ordering::Relaxed), 0, "left while pinned");
        self.participants.lock_briefly().retain(|other| !Arc::ptr_eq(other, participant));
    }

    /// Whether any write waits for readers.
    #[cfg(all(test, not(loom)))]
    pub fn is_waiting(&self) -> bool {
        self.participants.lock_briefly().iter().any(|one| one.awaits_readers())
    }

    /// Pins a participant of this collector. A pin within a pin adds nothing to it.
    #[inline]
    pub fn pin<'a>(&self, participant: &'a Participant) -> Pin<'a> {
        let is_inner = participant.pinned.load(Ordering::Relaxed) != 0;
        if is_inner {
            return Pin { participant, is_inner, _not_send: PhantomData };
        }
        pins::pinned();
        let epoch = self.epoch.load(Ordering::Acquire);
        participant.pinned.store(epoch, Ordering::Relaxed);
        light_fence();
        Pin { participant, is_inner, _not_send: PhantomData }
    }

    /// Ends an epoch: what was unlinked before this call is unreachable for each thread that pins after it. Returns
    /// the number that [`Collector::is_past`] wants.
    pub fn seal(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::AcqRel)
    }

    /// A full fence after everything that was sealed so far; `None` if the system refuses one.
    fn fence(&self, by: &Participant) -> Option<Fenced> {
        let participants = self.participants.lock_briefly();
        let epoch = self.epoch.load(Ordering::Acquire);
        // Alone in the map: the only word is the caller's own, and it needs no fence to see it. A thread that joins
        // later takes this lock after us and so sees what was unlinked.
        let is_alone = participants.iter().all(|one| std::ptr::eq(&raw const **one, by));
        let _proof: Option<HeavyFence> = if is_alone { None } else { Some(heavy_fence()?) };
        Some(Fenced(self.fenced.fetch_max(epoch, Ordering::AcqRel).max(epoch)))
    }

    /// The last fence that any thread ran.
    fn fenced(&self) -> Fenced {
        Fenced(self.fenced.load(Ordering::Acquire))
    }

    /// The oldest epoch that a thread is pinned at; `u64::MAX` if none is.
    fn oldest_pin(&self) -> u64 {
        let participants = self.participants.lock_briefly();
        let pins = participants.iter().map(|one| one.pinned.load(Ordering::Acquire));
        pins.filter(|&epoch| epoch != 0).min().unwrap_or(u64::MAX)
    }

    /// Whether every reader that was pinned when this epoch was sealed is done. For callers that are not
    /// participants, too. `None` if the system refuses the fence without which that cannot be told: what was sealed
    /// must stay for good.
    pub fn is_past(&self, sealed: u64) -> Option<bool> {
        let participants = self.participants.lock_briefly();
        let _proof: HeavyFence = heavy_fence()?;
        let is_later = |one: &Arc<Participant>| {
            let epoch = one.pinned.load(Ordering::Acquire);
            epoch == 0 || epoch > sealed
        };
        Some(participants.iter().all(is_later))
    }
}

impl Drop for Pin<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_inner {
            self.participant.pinned.store(0, Ordering::Release);
            pins::unpinned();
        }
    }
}

/// Retired things that make a batch. Fewer, and the writer's fence (a microsecond where it interrupts other processors)
/// shows in the cost of an update; more, and more memory waits.
const BATCH_ITEMS: usize = 128;

/// Batches that wait for a fence of another shard's. As many as make a small part of what the bytes below allow.
const UNFENCED_BATCHES: usize = 4;

/// Retired bytes that make a batch, however few things they are: with 16 shards at most 1 MB waits.
pub const BATCH_BYTES: usize = 64 * 1_024;

/// What one shard has retired and not yet freed, guarded by the shard's lock.
#[derive(Debug)]
pub struct Limbo<T> {
    open: Vec<T>,
    open_bytes: usize,
    sealed: VecDeque<Batch<T>>,
    sealed_bytes: usize,
}

#[derive(Debug)]
struct Batch<T> {
    epoch: u64,
    bytes: usize,
    items: Vec<T>,
}

impl<T> Limbo<T> {
    /// Nothing waits.
    pub fn new() -> Self {
        Self { open: Vec::new(), open_bytes: 0, sealed: VecDeque::new(), sealed_bytes: 0 }
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.open_bytes + self.sealed_bytes
    }

    /// All that waits.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.sealed.iter().flat_map(|batch| &batch.items).chain(&self.open)
    }

    /// Takes something that was unlinked. Returns whether it is time to [`Limbo::collect`].
    #[must_use]
    pub fn retire(&mut self, item: T, bytes: usize) -> bool {
        self.open.push(item);
        fault::point();
        self.open_bytes += bytes;
        self.is_due()
    }

    /// Whether it is time to [`Limbo::collect`].
    #[inline]
    pub fn is_due(&self) -> bool {
        self.open.len() >= BATCH_ITEMS || self.open_bytes >= BATCH_BYTES
    }

    /// Makes sure that so many can be retired without an allocation. If there is no room for them, there is for a whole
    /// batch afterwards: those that ask for it once mostly ask again.
    pub fn make_room_for(&mut self, count: usize) {
        if !self.has_room_for(count) {
            self.open.reserve(count.max(BATCH_ITEMS.saturating_sub(self.open.len())));
        }
    }

    /// Whether that is so.
    pub fn has_room_for(&self, count: usize) -> bool {
        self.open.capacity() - self.open.len() >= count
    }

    /// Everything that waits, for a caller that knows that no reader is left or that waits for them in another way.
    pub fn into_items(self) -> impl Iterator<Item = T> {
        self.sealed.into_iter().flat_map(|batch| batch.items).chain(self.open)
    }

    /// Seals what waits, and hands to `free` what no reader can reach, as far as fences tell that were there already;
    /// runs one only if too much waits for it.
    pub fn collect(&mut self, collector: &Collector, by: &Participant, free: impl FnMut(T)) {
        self.seal(collector);
        let Some(first) = self.sealed.front() else { return };
        let is_crowded = self.sealed.len() > UNFENCED_BATCHES || self.sealed_bytes >= BATCH_BYTES;
        let fenced = collector.fenced();
        if first.epoch < fenced.0 {
            self.free(collector, fenced, free);
        } else if is_crowded && let Some(fenced) = collector.fence(by) {
            self.free(collector, fenced, free);
        }
    }

    /// Seals what waits, and hands everything that no reader can reach to `free`.
    pub fn collect_all(&mut self, collector: &Collector, by: &Participant, free: impl FnMut(T)) {
        self.seal(collector);
        if !self.sealed.is_empty()
            && let Some(fenced) = collector.fence(by)
        {
            self.free(collector, fenced, free);
        }
    }

    fn seal(&mut self, collector: &Collector) {
        if !self.open.is_empty() {
            let batch =
                Batch { epoch: collector.seal(), bytes: self.open_bytes, items: std::mem::take(&mut self.open) };
            self.sealed_bytes += batch.bytes;
            self.open_bytes = 0;
            self.sealed.push_back(batch);
        }
    }

    fn free(&mut self, collector: &Collector, fenced: Fenced, mut free: impl FnMut(T)) {
        // Looked at after the fence that `fenced` names.
        let oldest = collector.oldest_pin().min(fenced.0);
        while self.sealed.front().is_some_and(|batch| batch.epoch < oldest) {
            let Some(mut batch) = self.sealed.pop_front() else { break };
            self.sealed_bytes -= batch.bytes;
            batch.items.drain(..).for_each(&mut free);
            // The vector's room serves the next batch.
            if self.open.capacity() < batch.items.capacity() {
                self.open = batch.items;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
#[expect(clippy::let_underscore_must_use, reason = "these tests collect when they like")]
mod tests {
    use super::*;
    use crate::store::platform::sync::refuse_fences;

    #[test]
    fn what_a_pinned_reader_could_see_waits_for_it() {
        let collector = Collector::new();
        let (reader, writer) = (collector.join(), collector.join());
        let mut limbo = Limbo::new();
        let mut freed = Vec::new();

        let pin = collector.pin(&reader);
        let _ = limbo.retire('a', 10);
        limbo.collect_all(&collector, &writer, |item| freed.push(item));
        assert_eq!((freed.as_slice(), limbo.bytes()), (&[][..], 10));
        drop(pin);

        // A reader that pins after the sealing cannot hold 'a' back.
        let _pin = collector.pin(&reader);
        limbo.collect_all(&collector, &writer, |item| freed.push(item));
        assert_eq!((freed.as_slice(), limbo.bytes()), (&['a'][..], 0));
    }

    #[test]
    fn a_thread_does_not_free_under_its_own_pin() {
        let collector = Collector::new();
        let alone = collector.join();
        let mut limbo = Limbo::new();
        let mut freed = Vec::new();
        let outer = collector.pin(&alone);
        drop(collector.pin(&alone));
        let _ = limbo.retire('a', 10);
        limbo.collect_all(&collector, &alone, |item| freed.push(item));
        assert!(freed.is_empty());
        drop(outer);
        limbo.collect_all(&collector, &alone, |item| freed.push(item));
        assert_eq!(freed, ['a']);
    }

    #[test]
    fn what_was_taken_out_at_once_waits_for_who_was_pinned_before_it() {
        let collector = Collector::new();
        let (reader, late) = (collector.join(), collector.join());
        let pin = collector.pin(&reader);
        let sealed = collector.seal();
        // Pinned after the sealing: cannot reach it.
        let _late = collector.pin(&late);
        assert_eq!(collector.is_past(sealed), Some(false));
        drop(pin);
        assert_eq!(collector.is_past(sealed), Some(true));
    }

    /// A thread that is not a participant is never alone in a map that has one, so it runs the fence.
    #[test]
    fn nothing_is_freed_where_the_system_refuses_the_fence() {
        let collector = Collector::new();
        let (reader, writer) = (collector.join(), collector.join());
        let mut limbo = Limbo::new();
        let mut freed = Vec::new();
        refuse_fences(true);
        for n in 0..2 * UNFENCED_BATCHES {
            let _ = limbo.retire(n, 10);
            limbo.collect(&collector, &writer, |item| freed.push(item));
            limbo.collect_all(&collector, &writer, |item| freed.push(item));
        }
        let sealed = collector.seal();
        assert_eq!((freed.len(), collector.is_past(sealed)), (0, None));
        collector.leave(&reader);
        let stranger = Collector::new().join();
        limbo.collect_all(&collector, &stranger, |item| freed.push(item));
        assert!(freed.is_empty(), "a thread that takes no part needs a fence");
        limbo.collect_all(&collector, &writer, |item| freed.push(item));
        assert_eq!(freed.len(), 2 * UNFENCED_BATCHES, "the only participant needs no fence");
        refuse_fences(false);
        assert_eq!(collector.is_past(sealed), Some(true));
    }

    #[test]
    fn a_fence_serves_what_others_sealed_before_it() {
        let collector = Collector::new();
        let (reader, writer) = (collector.join(), collector.join());
        let (mut mine, mut other) = (Limbo::new(), Limbo::new());
        let mut freed = Vec::new();
        for n in 0..UNFENCED_BATCHES {
            let _ = mine.retire(n, 10);
            mine.collect(&collector, &writer, |item| freed.push(item));
        }
        assert!(freed.is_empty(), "no thread ran a fence yet");
        let _ = other.retire(100, 10);
        let pin = collector.pin(&reader);
        other.collect_all(&collector, &writer, |_| ());
        mine.collect(&collector, &writer, |item| freed.push(item));
        assert_eq!(freed.len(), UNFENCED_BATCHES, "a reader that pinned after the sealing holds nothing back");

        // Too much waits: a fence of its own, and a reader that pinned before the sealing holds it back.
        for n in 0..=UNFENCED_BATCHES {
            let _ = mine.retire(n, 10);
            mine.collect(&collector, &writer, |item| freed.push(item));
        }
        assert_eq!(freed.len(), UNFENCED_BATCHES);
        drop(pin);
        mine.collect(&collector, &writer, |item| freed.push(item));
        assert_eq!(freed.len(), 2 * UNFENCED_BATCHES + 1);
    }

    #[test]
    fn a_fence_does_not_serve_what_is_sealed_after_it() {
        let collector = Collector::new();
        let (_reader, writer) = (collector.join(), collector.join());
        let (mut mine, mut other) = (Limbo::new(), Limbo::new());
        let mut freed = Vec::new();
        let _ = mine.retire('a', 10);
        mine.collect(&collector, &writer, |item| freed.push(item));
        let _ = other.retire('x', 10);
        other.collect_all(&collector, &writer, |_| ());
        let _ = mine.retire('b', 10);
        mine.collect(&collector, &writer, |item| freed.push(item));
        assert_eq!(freed, ['a']);
    }

    #[test]
    fn a_batch_is_due_by_number_or_by_bytes() {
        let mut limbo = Limbo::new();
        assert!(!limbo.retire(0, 1));
        assert!(limbo.retire(1, BATCH_BYTES));
        let mut limbo = Limbo::new();
        let due = (0..BATCH_ITEMS).map(|n| limbo.retire(n, 1)).position(|due| due);
        assert_eq!(due, Some(BATCH_ITEMS - 1));
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::cell::UnsafeCell;
    use loom::sync::atomic::AtomicPtr;
    use loom::thread::JoinHandle;

    /// What is shared, and where the reader finds it.
    type Shared = Arc<AtomicPtr<UnsafeCell<u32>>>;

    fn share() -> Shared {
        Arc::new(AtomicPtr::new(Box::into_raw(Box::new(UnsafeCell::new(1)))))
    }

    /// A thread that follows the pointer, if it is still there.
    fn follow(collector: &Arc<Collector>, shared: &Shared) -> JoinHandle<()> {
        let (collector, shared) = (Arc::clone(collector), Arc::clone(shared));
        let reader = collector.join();
        loom::thread::spawn(move || {
            let pin = collector.pin(&reader);
            let pointer = shared.load(Ordering::Acquire);
            if !pointer.is_null() {
                // SAFETY: pinned before the load, and the writer frees through the collector.
                assert_eq!(unsafe { (*pointer).with(|value| *value) }, 1);
            }
            drop(pin);
        })
    }

    /// Unlinks what is shared, and retires it.
    fn unlink(shared: &Shared) -> Limbo<*mut UnsafeCell<u32>> {
        let mut limbo = Limbo::new();
        let _ = limbo.retire(shared.swap(std::ptr::null_mut(), Ordering::AcqRel), 4);
        limbo
    }

    /// Writing first makes loom notice a reader that still looks.
    fn free(pointer: *mut UnsafeCell<u32>) {
        // SAFETY: unlinked, and no reader is pinned at an epoch that could have seen it.
        unsafe {
            (*pointer).with_mut(|value| *value = 0);
            drop(Box::from_raw(pointer));
        }
    }

    /// A reader follows a pointer while a writer unlinks, retires and frees what it points at: loom reports an access
    /// to freed memory if the two are not ordered.
    #[test]
    fn a_reader_never_follows_a_pointer_to_freed_memory() {
        loom::model(|| {
            let (collector, shared) = (Arc::new(Collector::new()), share());
            let writer = collector.join();
            let reading = follow(&collector, &shared);
            let mut limbo = unlink(&shared);
            limbo.collect_all(&collector, &writer, free);
            reading.join().unwrap();
            limbo.collect_all(&collector, &writer, free);
            assert_eq!(limbo.bytes(), 0);
            collector.leave(&writer);
        });
    }

    /// The same, where another writer runs the fence.
    #[test]
    fn a_fence_of_another_writer_is_as_good() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let (collector, shared) = (Arc::new(Collector::new()), share());
            let (writer, other) = (collector.join(), collector.join());
            let reading = follow(&collector, &shared);
            let fencing = loom::thread::spawn({
                let collector = Arc::clone(&collector);
                move || {
                    assert!(collector.fence(&other).is_some());
                    drop(other);
                }
            });
            let mut limbo = unlink(&shared);
            limbo.collect(&collector, &writer, free);
            limbo.collect(&collector, &writer, free);
            reading.join().unwrap();
            fencing.join().unwrap();
            limbo.collect_all(&collector, &writer, free);
            assert_eq!(limbo.bytes(), 0);
            drop(writer);
        });
    }
}
