//! Reports which entries were removed from a map, and why, to its listeners.
//!
//! A shard reports each entry that is removed, under its lock, so that the removals of one key come in the order in
//! which they happened. It copies key and value for it, but only if a listener wants that cause: otherwise it is one
//! relaxed load and a branch. No listener is called under the lock: the listener is woken afterwards, and takes the
//! removals out on its own thread.
//!
//! What waits for one audience is bounded in bytes and in number. What finds no room is dropped, and a count stands
//! where it would have stood. A large value is not copied, since the shard's lock is held meanwhile: its removal comes
//! without it.

use crate::store::entry::block::Entry;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::KeyKind;
use crate::store::entry::shapes::{ShapeHold, Shapes};
use crate::store::entry::types::{TypeHold, Types};
use crate::store::entry::value::ValueKind;
use crate::store::error::Error;
use crate::store::events::Wake;
use crate::store::observe::pieces::Pieces;
use crate::store::platform::fallible;
use crate::store::platform::sync::process::{AtomicU32, Mutex};
use crate::store::platform::sync::{Arc, Ordering};

/// What one audience may have waiting, in bytes and in removals. A `clear` may enqueue as much in one call: at some 80
/// ns each, so many small ones take 1.5 ms.
const WAITING_LIMIT_BYTES: usize = 4 * 1_024 * 1_024;
const WAITING_LIMIT: usize = 16_384;

/// A removal carries a value up to this size. Copying 1 MB takes up to 0.5 ms under the shard's lock, and making a
/// string of it about as long in a turn of the listener's thread.
pub const CARRIED_BYTES: usize = 1_024 * 1_024;

/// From so many bytes on, one that found no room stands for all that are removed with it.
const FULL_BYTES: usize = WAITING_LIMIT_BYTES - 64 * 1_024;

#[cfg(test)]
thread_local! {
    /// Entries that this thread looked at for an audience.
    pub static PUSHED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Why an entry was removed, or an old value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// It was deleted.
    Explicit = 1,
    /// Another value was written; the entry stays.
    Replaced = 2,
    /// There was no room.
    Evicted = 3,
    /// Its deadline was over.
    Expired = 4,
    /// The map was cleared or destroyed.
    Cleared = 5,
}

impl Cause {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Explicit, Self::Replaced, Self::Evicted, Self::Expired, Self::Cleared];

    /// Its place in a set of causes.
    #[must_use]
    pub fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// An entry that was removed.
#[derive(Debug)]
pub struct Removal {
    /// What it was; dead by now, unless the cause is [`Cause::Replaced`].
    pub handle: Handle,
    /// What the key is; [`KeyKind::Keyless`] for none.
    pub key_kind: KeyKind,
    /// What the value was.
    pub value_kind: ValueKind,
    /// Bytes of a value that was too large to carry ([`CARRIED_BYTES`]); 0 of one that is here.
    pub omitted_bytes: usize,
    /// Its type, 0 for none.
    pub type_id: u32,
    /// Keeps the type known until its name was asked for.
    pub type_hold: Option<TypeHold>,
    /// Keeps the shape of a record known until it was read.
    pub shape_hold: Option<ShapeHold>,
    /// Why it was removed.
    pub cause: Cause,
    /// Key and value, in one allocation.
    bytes: Box<[u8]>,
    key_len: usize,
}

impl Removal {
    /// Copies an entry that is not freed yet, if there is memory for it.
    fn new(entry: Entry, handle: Handle, cause: Cause, removals: &Removals) -> Result<Self, Error> {
        let key = entry.key();
        let value = if is_carried(entry) { entry.value_bytes() } else { &[] };
        let mut bytes = fallible::vec(key.len() + value.len())?;
        bytes.extend_from_slice(key.bytes());
        bytes.extend_from_slice(value);
        Ok(Self {
            handle,
            key_kind: key.kind(),
            value_kind: entry.value_kind(),
            omitted_bytes: entry.value_len() - value.len(),
            type_id: entry.type_id(),
            type_hold: removals.types.hold_again(entry.type_id()),
            // The shard still counts the entry, so its shape is known.
            shape_hold: entry.shape().and_then(|number| removals.shapes.hold(number)),
            cause,
            bytes: bytes.into_boxed_slice(),
            key_len: key.len(),
        })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.bytes[..self.key_len]
    }

    /// The value; empty if it was omitted.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.bytes[self.key_len..]
    }

    fn weight_bytes(&self) -> usize {
        weight_bytes(self.bytes.len())
    }
}

fn is_carried(entry: Entry) -> bool {
    entry.value_len() <= CARRIED_BYTES
}

/// What a removal with so many bytes of key and value takes, the allocator's own words included.
fn weight_bytes(len: usize) -> usize {
    size_of::<Item>() + (len + size_of::<usize>()).next_multiple_of(2 * size_of::<usize>())
}

#[derive(Debug)]
enum Item {
    Removal(Removal),
    /// So many found no room here.
    Dropped(u64),
}

/// The audiences of one map.
pub struct Removals {
    types: Arc<Types>,
    shapes: Arc<Shapes>,
    /// Causes that any listener wants; a hint that lets [`Removals::tell`] return early. Written under the lock of
    /// `queues`.
    wanted: AtomicU32,
    queues: Mutex<Vec<Arc<Queue>>>,
}

struct Queue {
    causes: AtomicU32,
    wake: Arc<dyn Wake>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    items: Pieces<Item>,
    /// How many found no room after the last item.
    dropped: u64,
    bytes: usize,
    /// Removals among the items.
    removals: usize,
    /// Whether the audience still has to be woken.
    is_due: bool,
    /// Whether it was woken since it last found nothing.
    is_awake: bool,
}

impl Queue {
    /// Returns whether there was room.
    fn push(&self, entry: Entry, handle: Handle, cause: Cause, removals: &Removals) -> bool {
        #[cfg(test)]
        PUSHED.set(PUSHED.get() + 1);
        let value_len = if is_carried(entry) { entry.value_len() } else { 0 };
        let bytes = weight_bytes(entry.key().bytes().len() + value_len);
        let mut waiting = self.waiting.lock();
        let has_room = waiting.bytes + bytes <= WAITING_LIMIT_BYTES && waiting.removals < WAITING_LIMIT;
        let removal = has_room.then(|| Removal::new(entry, handle, cause, removals)).and_then(Result::ok);
        // No room, or no memory for the copy or its place.
        let is_kept = removal.is_some_and(|removal| waiting.keep(removal));
        if is_kept {
            waiting.bytes += bytes;
            waiting.removals += 1;
        } else {
            waiting.dropped += 1;
        }
        waiting.is_due = !waiting.is_awake;
        is_kept
    }

    /// Whether hardly anything finds room, and something did not.
    fn is_full(&self) -> bool {
        let waiting = self.waiting.lock();
        let is_full = waiting.bytes >= WAITING_LIMIT_BYTES || waiting.removals >= WAITING_LIMIT;
        is_full || waiting.dropped > 0 && waiting.bytes >= FULL_BYTES
    }
}

impl Waiting {
    /// Enqueues a removal, behind the number of those that were dropped before it. Returns whether there was memory.
    fn keep(&mut self, removal: Removal) -> bool {
        if self.dropped > 0 {
            if self.items.push(Item::Dropped(self.dropped)).is_err() {
                return false;
            }
            self.dropped = 0;
        }
        self.items.push(Item::Removal(removal)).is_ok()
    }
}

impl Removals {
    /// No audience yet.
    pub(crate) fn new(types: &Arc<Types>, shapes: &Arc<Shapes>) -> Self {
        let (types, shapes) = (Arc::clone(types), Arc::clone(shapes));
        Self { types, shapes, wanted: AtomicU32::new(0), queues: Mutex::default() }
    }

    /// Whether any listener wants this cause.
    #[inline]
    pub(crate) fn are_wanted(&self, cause: Cause) -> bool {
        self.wanted.load(Ordering::Relaxed) & cause.bit() != 0
    }

    /// Enqueues a removal for its listeners. Under the shard's lock; [`Removals::wake`] has to follow without it.
    #[inline]
    pub(crate) fn tell(&self, entry: Entry, handle: Handle, cause: Cause) -> bool {
        let is_wanted = self.are_wanted(cause);
        if is_wanted {
            self.push(entry, handle, cause);
        }
        is_wanted
    }

    #[cold]
    fn push(&self, entry: Entry, handle: Handle, cause: Cause) {
        let queues = self.queues.lock();
        let wants = |queue: &&Arc<Queue>| queue.causes.load(Ordering::Relaxed) & cause.bit() != 0;
        queues.iter().filter(wants).for_each(|queue| _ = queue.push(entry, handle, cause, self));
    }

    /// Enqueues many at once, which may be more than any queue has room for. From the first that finds none on, or if
    /// there is none in the first place, they are counted without a look at them: the shard's lock is held meanwhile.
    pub(crate) fn tell_all(&self, entries: impl Iterator<Item = (Entry, Handle)>, count: u64, cause: Cause) -> bool {
        if !self.are_wanted(cause) {
            return false;
        }
        let queues = self.queues.lock();
        let wants = |queue: &Arc<Queue>| queue.causes.load(Ordering::Relaxed) & cause.bit() != 0;
        let mut told = 0;
        if queues.iter().any(|queue| wants(queue) && !queue.is_full()) {
            for (entry, handle) in entries {
                told += 1;
                let push = |queue: &&Arc<Queue>| wants(queue) && queue.push(entry, handle, cause, self);
                // Each of them, whether the others had room or not.
                if queues.iter().filter(push).count() == 0 {
                    break;
                }
            }
        }
        if told < count {
            for queue in queues.iter().filter(|queue| wants(queue)) {
                let mut waiting = queue.waiting.lock();
                waiting.dropped += count - told;
                waiting.is_due = !waiting.is_awake;
            }
        }
        true
    }

    /// Wakes the audiences that something waits for. Without any lock of the map.
    pub(crate) fn wake(&self) {
        let mut to_wake = Vec::new();
        for queue in self.queues.lock().iter() {
            let mut waiting = queue.waiting.lock();
            if std::mem::take(&mut waiting.is_due) {
                waiting.is_awake = true;
                to_wake.push(Arc::clone(queue));
            }
        }
        for queue in to_wake {
            queue.wake.wake();
        }
    }

    /// Adds an audience for a set of causes ([`Cause::bit`]).
    pub fn subscribe(self: &Arc<Self>, causes: u32, wake: Arc<dyn Wake>) -> Audience {
        let queue = Arc::new(Queue { causes: AtomicU32::new(causes), wake, waiting: Mutex::default() });
        let mut queues = self.queues.lock();
        queues.push(Arc::clone(&queue));
        self.note_wanted(&queues);
        drop(queues);
        Audience { removals: Arc::clone(self), queue }
    }

    fn note_wanted(&self, queues: &[Arc<Queue>]) {
        let wanted = queues.iter().fold(0, |wanted, queue| wanted | queue.causes.load(Ordering::Relaxed));
        self.wanted.store(wanted, Ordering::Relaxed);
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
        self.queue.causes.store(causes, Ordering::Relaxed);
        self.removals.note_wanted(&queues);
    }

    /// Takes out what waits, oldest first: at most `count`, and no more once their bytes have reached `bytes`. The
    /// answer is how many were dropped right after those; more may wait behind. When nothing was taken and nothing
    /// dropped, the next removal wakes the audience again.
    pub fn take(&self, count: usize, bytes: usize, out: &mut Vec<Removal>) -> u64 {
        let mut waiting = self.queue.waiting.lock();
        let (before, mut taken_bytes) = (out.len(), 0);
        while out.len() - before < count && taken_bytes < bytes {
            match waiting.items.pop() {
                Some(Item::Removal(removal)) => {
                    waiting.bytes -= removal.weight_bytes();
                    waiting.removals -= 1;
                    taken_bytes += removal.weight_bytes();
                    out.push(removal);
                }
                Some(Item::Dropped(dropped)) => return dropped,
                None if waiting.dropped > 0 => return std::mem::take(&mut waiting.dropped),
                None => {
                    waiting.is_awake = out.len() > before;
                    break;
                }
            }
        }
        0
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        let mut queues = self.removals.queues.lock();
        queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        self.removals.note_wanted(&queues);
    }
}
