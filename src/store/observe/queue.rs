//! Reports that wait for one audience: bounded in bytes and in number. What finds no room is dropped, and a count
//! stands where it would have stood.

use super::pieces::Pieces;
use super::report::{self, Report, What};
use crate::store::entry::block::Entry;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::KeyKind;
use crate::store::entry::shapes::Shapes;
use crate::store::entry::types::Types;
use crate::store::events::Wake;
use crate::store::platform::sync::process::{AtomicU32, AtomicU64, Mutex};
use crate::store::platform::sync::{Arc, Ordering};

/// What one audience may have waiting, in bytes and in reports. A `clear` may enqueue as much in one call: at some 80
/// ns each, so many small ones take 1.5 ms.
const WAITING_LIMIT_BYTES: usize = 4 * 1_024 * 1_024;
const WAITING_LIMIT: usize = 16_384;

/// From so many bytes on, one that found no room stands for all that are removed with it.
const FULL_BYTES: usize = WAITING_LIMIT_BYTES - 64 * 1_024;

#[cfg(test)]
thread_local! {
    /// Entries that this thread looked at for an audience.
    pub static PUSHED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What all audiences of a map share.
pub(super) struct Shared {
    pub(super) types: Arc<Types>,
    pub(super) shapes: Arc<Shapes>,
    /// Reports that found no room in the queues that count them.
    pub(super) dropped: AtomicU64,
}

/// Whose reports a queue takes.
pub(super) enum Keys {
    /// Those of any entry.
    All,
    /// Those whose key may be a string that begins with these bytes. The audience looks at the whole key.
    Beginning(Box<[u8]>),
}

/// What waits for one audience.
pub(super) struct Queue {
    /// A set of [`What::bit`]s.
    wanted: AtomicU32,
    keys: Keys,
    wake: Arc<dyn Wake>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
enum Item {
    Report(Report),
    /// So many found no room here.
    Dropped(u64),
}

#[derive(Default)]
struct Waiting {
    items: Pieces<Item>,
    /// How many found no room after the last item.
    dropped: u64,
    bytes: usize,
    /// Reports among the items.
    reports: usize,
    /// Entries of other keys that were looked at where many left at once, since the audience last found nothing.
    passed_over: usize,
    /// Whether the audience still has to be woken.
    is_due: bool,
    /// Whether it was woken since it last found nothing.
    is_awake: bool,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backlog {
    pub(super) reports: usize,
    pub(super) bytes: usize,
}

/// What a report with so many bytes of key and value takes, the allocator's own words included.
fn weight_bytes(len: usize) -> usize {
    size_of::<Item>() + (len + size_of::<usize>()).next_multiple_of(2 * size_of::<usize>())
}

impl Keys {
    /// A comparison of bytes, because a shard's lock is held.
    fn include(&self, entry: Entry) -> bool {
        match self {
            Self::All => true,
            Self::Beginning(bytes) => match entry.key().kind() {
                KeyKind::String => entry.key().bytes().starts_with(bytes),
                kind => kind == KeyKind::Utf16,
            },
        }
    }
}

impl Queue {
    pub(super) fn new(wanted: u32, keys: Keys, wake: Arc<dyn Wake>) -> Self {
        Self { wanted: AtomicU32::new(wanted), keys, wake, waiting: Mutex::default() }
    }

    /// What it takes reports of, as a set of [`What::bit`]s.
    pub(super) fn wanted(&self) -> u32 {
        self.wanted.load(Ordering::Relaxed)
    }

    pub(super) fn set_wanted(&self, wanted: u32) {
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    pub(super) fn wants(&self, what: What) -> bool {
        self.wanted() & what.bit() != 0
    }

    /// Whether it also takes reports of writes.
    pub(super) fn hears_writes(&self) -> bool {
        What::WRITES.into_iter().any(|what| self.wants(what))
    }

    /// Enqueues a report, unless it is of a key that the audience does not listen to. Returns whether there was room.
    pub(super) fn push(&self, entry: Entry, handle: Handle, what: What, shared: &Shared) -> bool {
        #[cfg(test)]
        PUSHED.set(PUSHED.get() + 1);
        !self.keys.include(entry) || self.enqueue(entry, handle, what, shared)
    }

    /// The same where many leave at once: a look at what it does not listen to takes as much of its room, so that what
    /// the looks take is bounded.
    pub(super) fn push_one_of_many(&self, entry: Entry, handle: Handle, what: What, shared: &Shared) -> bool {
        #[cfg(test)]
        PUSHED.set(PUSHED.get() + 1);
        if self.keys.include(entry) {
            return self.enqueue(entry, handle, what, shared);
        }
        let mut waiting = self.waiting.lock();
        waiting.passed_over += 1;
        waiting.passed_over < WAITING_LIMIT
    }

    fn enqueue(&self, entry: Entry, handle: Handle, what: What, shared: &Shared) -> bool {
        let bytes = weight_bytes(report::len_of(entry));
        let mut waiting = self.waiting.lock();
        let has_room = waiting.bytes + bytes <= WAITING_LIMIT_BYTES && waiting.reports < WAITING_LIMIT;
        let make = || Report::new(entry, handle, what, &shared.types, &shared.shapes);
        let report = has_room.then(make).and_then(Result::ok);
        // No room, or no memory for the copy or its place.
        let is_kept = report.is_some_and(|report| waiting.keep(report));
        if is_kept {
            waiting.bytes += bytes;
            waiting.reports += 1;
        } else {
            self.drop_some(&mut waiting, 1, shared);
        }
        waiting.is_due = !waiting.is_awake;
        is_kept
    }

    /// Has the audience told that it missed so many.
    pub(super) fn miss(&self, count: u64, shared: &Shared) {
        let mut waiting = self.waiting.lock();
        self.drop_some(&mut waiting, count, shared);
        waiting.is_due = !waiting.is_awake;
    }

    fn drop_some(&self, waiting: &mut Waiting, count: u64, shared: &Shared) {
        waiting.dropped += count;
        if self.hears_writes() {
            shared.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Whether hardly anything finds room, and something did not.
    pub(super) fn is_full(&self) -> bool {
        let waiting = self.waiting.lock();
        let is_full = waiting.bytes >= WAITING_LIMIT_BYTES
            || waiting.reports >= WAITING_LIMIT
            || waiting.passed_over >= WAITING_LIMIT;
        is_full || waiting.dropped > 0 && waiting.bytes >= FULL_BYTES
    }

    /// What wakes the audience, if it has to be woken.
    pub(super) fn take_wake(&self) -> Option<Arc<dyn Wake>> {
        let mut waiting = self.waiting.lock();
        let is_due = std::mem::take(&mut waiting.is_due);
        waiting.is_awake |= is_due;
        is_due.then(|| Arc::clone(&self.wake))
    }

    /// How much waits.
    pub(super) fn backlog(&self) -> Backlog {
        let waiting = self.waiting.lock();
        Backlog { reports: waiting.reports, bytes: waiting.bytes }
    }

    /// Takes out what waits: see [`super::removals::Audience::take`].
    pub(super) fn take(&self, count: usize, bytes: usize, out: &mut Vec<Report>) -> u64 {
        let mut waiting = self.waiting.lock();
        let (before, mut taken_bytes) = (out.len(), 0);
        while out.len() - before < count && taken_bytes < bytes {
            match waiting.items.pop() {
                Some(Item::Report(report)) => {
                    let weight_bytes = weight_bytes(report.len());
                    waiting.bytes -= weight_bytes;
                    waiting.reports -= 1;
                    taken_bytes += weight_bytes;
                    out.push(report);
                }
                Some(Item::Dropped(dropped)) => return dropped,
                None => {
                    waiting.passed_over = 0;
                    if waiting.dropped > 0 {
                        return std::mem::take(&mut waiting.dropped);
                    }
                    waiting.is_awake = out.len() > before;
                    break;
                }
            }
        }
        0
    }
}

impl Waiting {
    /// Enqueues a report, behind the number of those that were dropped before it. Returns whether there was memory.
    fn keep(&mut self, report: Report) -> bool {
        if self.dropped > 0 {
            if self.items.push(Item::Dropped(self.dropped)).is_err() {
                return false;
            }
            self.dropped = 0;
        }
        self.items.push(Item::Report(report)).is_ok()
    }
}
