//! Changes of a map, to those that listen to them: entries that came, those that have another value, and removals.
//!
//! They go the way of removals, into the same queues and in one order with them. What a listener wants is known by the
//! same word that a removal looks at (`removals.rs`), so a write over a value looks at no other.
//!
//! **Keys.** A listener may want those that a glob matches. The glob is compared on the listener's thread, when reports
//! are taken out, under no lock. Under the shard's lock only the plain text is compared that it begins with, so that
//! what happens to other keys takes no room in the queue.

use super::queue::Keys;
use super::removals::{Audience, Cause, Removals};
use super::report::{Report, What};
use crate::store::entry::block::Entry;
use crate::store::entry::glob::Glob;
use crate::store::entry::handle::Handle;
use crate::store::events::Wake;
use crate::store::platform::sync::{Arc, Ordering};

/// Reports and bytes of keys that one call compares with a glob, if none of them matches: some 100 µs.
const LOOKS: usize = 1_024;
const LOOKS_BYTES: usize = 64 * 1_024;

/// One listener to changes. Dropping it unsubscribes, and drops what waited.
pub struct ChangeAudience {
    audience: Audience,
    glob: Option<Glob>,
    /// Reports that are being compared with the glob. Empty between two calls.
    compared: Vec<Report>,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Whether there may be more. If not, the next report wakes the audience again.
    pub has_more: bool,
    /// How many reports were dropped after those that were taken, of whatever key.
    pub dropped: u64,
}

/// What waits for the listeners to changes of a map, and what was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeStats {
    /// How many there are.
    pub listeners: u64,
    /// Reports that wait for any of them.
    pub waiting: u64,
    /// What these take.
    pub waiting_bytes: u64,
    /// Reports that found no room.
    pub dropped: u64,
}

impl Removals {
    /// Enqueues that an entry came. Under the shard's lock; [`Removals::wake`] has to follow without it.
    #[inline]
    pub(crate) fn tell_created(&self, entry: Entry, handle: Handle) -> bool {
        let is_wanted = self.are_wanted(What::Created.bit());
        if is_wanted {
            self.push(entry, handle, What::Created);
        }
        is_wanted
    }

    /// The same of a value that took the place of another one. The types and shapes of both have to be known.
    #[inline]
    pub(crate) fn tell_swapped(&self, (old, new): (Entry, Entry), handle: Handle) -> bool {
        let is_wanted = self.are_wanted(Cause::Replaced.bit() | What::Updated.bit());
        if is_wanted {
            self.push_swapped((old, new), handle);
        }
        is_wanted
    }

    #[cold]
    fn push_swapped(&self, (old, new): (Entry, Entry), handle: Handle) {
        self.push(old, handle, What::Removed(Cause::Replaced));
        self.push(new, handle, What::Updated);
    }

    /// Adds a listener to what is in a set of [`What::bit`]s, and to the keys that the glob matches.
    pub fn listen(self: &Arc<Self>, wanted: u32, glob: Option<Glob>, wake: Arc<dyn Wake>) -> ChangeAudience {
        let keys = glob.as_ref().map_or(Keys::All, |glob| Keys::Beginning(glob.beginning().into()));
        ChangeAudience { audience: self.subscribe_to(wanted, keys, wake), glob, compared: Vec::new() }
    }

    /// What waits.
    pub fn change_stats(&self) -> ChangeStats {
        let mut stats = ChangeStats { dropped: self.dropped().load(Ordering::Relaxed), ..ChangeStats::default() };
        for backlog in self.backlogs() {
            stats.listeners += 1;
            stats.waiting += backlog.reports as u64;
            stats.waiting_bytes += backlog.bytes as u64;
        }
        stats
    }

    /// Begins to count anew what is dropped.
    pub fn reset_dropped(&self) {
        self.dropped().store(0, Ordering::Relaxed);
    }
}

impl ChangeAudience {
    /// Takes out what waits, oldest first: at most `count`, and no more once their bytes have reached `bytes`.
    pub fn take(&mut self, count: usize, bytes: usize, out: &mut Vec<Report>) -> Taken {
        let Self { audience, glob, compared } = self;
        let Some(glob) = glob else {
            let before = out.len();
            let dropped = audience.take(count, bytes, out);
            return Taken { has_more: out.len() > before || dropped > 0, dropped };
        };
        let (before, mut looks, mut looked_at_bytes) = (out.len(), 0, 0);
        loop {
            let dropped = audience.take(count, bytes, compared);
            let taken = compared.len();
            looks += taken;
            looked_at_bytes += compared.iter().map(|report| report.key().len()).sum::<usize>();
            out.extend(compared.drain(..).filter(|report| glob.matches(report.whole_key())));
            let has_more = taken > 0 || dropped > 0;
            let is_done = !has_more || dropped > 0 || out.len() > before;
            if is_done || looks >= LOOKS || looked_at_bytes >= LOOKS_BYTES {
                return Taken { has_more, dropped };
            }
        }
    }
}

impl ChangeStats {
    /// Under its names in JavaScript.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "listeners": self.listeners,
            "waiting": self.waiting,
            "waitingBytes": self.waiting_bytes,
            "dropped": self.dropped,
        })
    }
}
