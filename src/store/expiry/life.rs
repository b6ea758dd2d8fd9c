//! How long entries live: what a write asks for, and where the answer stands.
//!
//! A slot whose tenant has a deadline has a *life*: the deadline and the time to live that led to it. Lives lie in an
//! array beside the slots of a chunk, made with the first deadline in it, so that entries without deadlines pay
//! nothing. The timer wheel of the shard knows the deadlines in order; a life may say a later one than the wheel,
//! because a sliding read moves only the life, without a lock. The wheel finds that out when it gets there.

use crate::store::error::Error;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::sync::{Arc, AtomicU64, Ordering};

/// What a write asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ttl {
    /// The map's default for every entry.
    #[default]
    Default,
    /// No deadline, whatever the map's default.
    Never,
    /// So many milliseconds.
    Of(u64),
    /// The deadline that the entry has; the map's default for an entry that is made.
    Keep,
}

/// What remains of an entry's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemainingTtl {
    /// It has no deadline.
    Forever,
    /// Milliseconds until its deadline.
    Ms(u64),
}

/// A deadline, and how long after the write it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub deadline_ms: u64,
    pub ttl_ms: u64,
}

/// The deadline of a life that was found to be over: before every time that a clock shows later.
pub const OVER_MS: u64 = 1;
/// Deadlines lie in the upper bits of a word: 8,900 years.
const TENANT_BITS: u32 = 16;
const MAX_DEADLINE_MS: u64 = u64::MAX >> TENANT_BITS;

impl Span {
    /// From now on.
    pub fn new(now_ms: u64, ttl_ms: u64) -> Self {
        Self { deadline_ms: now_ms.saturating_add(ttl_ms).min(MAX_DEADLINE_MS), ttl_ms }
    }
}

/// The lives of a chunk of slots.
#[derive(Debug)]
pub struct Lives {
    /// Two words a slot. First the deadline, 0 for none, over the low bits of the tenant's generation: a read that
    /// prolongs the life of its entry does so only if the word still is of that entry. Then the time to live, written
    /// under the shard's lock.
    words: Box<[AtomicU64]>,
    #[expect(dead_code, reason = "gives the bytes of `words` back when it is dropped")]
    held: Reservation,
}

impl Lives {
    /// No slot has a deadline yet.
    pub fn new(slots: usize, memory: &Arc<Memory>) -> Result<Self, Error> {
        let held = Reservation::new(memory, Use::Expiry, slots * 2 * size_of::<u64>())?;
        Ok(Self { words: fallible::words(slots * 2)?, held })
    }

    /// Bytes set aside.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.words)
    }

    /// The life of one slot.
    pub fn of(&self, offset: usize) -> LifeRef<'_> {
        LifeRef { deadline: &self.words[offset * 2], ttl: &self.words[offset * 2 + 1] }
    }
}

/// The life of a slot's tenant.
#[derive(Clone, Copy, Debug)]
pub struct LifeRef<'a> {
    deadline: &'a AtomicU64,
    ttl: &'a AtomicU64,
}

fn word(deadline_ms: u64, generation: u32) -> u64 {
    deadline_ms << TENANT_BITS | u64::from(generation & ((1 << TENANT_BITS) - 1))
}

impl LifeRef<'_> {
    /// When it ends, if it does.
    #[inline]
    pub fn deadline_ms(self) -> Option<u64> {
        let word = self.deadline.load(Ordering::Acquire);
        (word != 0).then_some(word >> TENANT_BITS)
    }

    /// Deadline and time to live.
    pub fn span(self) -> Option<Span> {
        let deadline_ms = self.deadline_ms()?;
        Some(Span { deadline_ms, ttl_ms: self.ttl.load(Ordering::Relaxed) })
    }

    /// Sets or removes it. Under the shard's lock.
    pub fn set(self, span: Option<Span>, generation: u32) {
        self.ttl.store(span.map_or(0, |span| span.ttl_ms), Ordering::Relaxed);
        // A swap: a prolonging that was faster is seen and overwritten, one that comes later finds another word.
        self.deadline.swap(span.map_or(0, |span| word(span.deadline_ms, generation)), Ordering::AcqRel);
    }

    /// The same, unless the life was closed. Returns whether that was so. Under the shard's lock.
    pub fn renew(self, span: Option<Span>, generation: u32) -> bool {
        let next = span.map_or(0, |span| word(span.deadline_ms, generation));
        let mut seen = self.deadline.load(Ordering::Acquire);
        loop {
            if seen >> TENANT_BITS == OVER_MS {
                return false;
            }
            match self.deadline.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(prolonged) => seen = prolonged,
            }
        }
        self.ttl.store(span.map_or(0, |span| span.ttl_ms), Ordering::Relaxed);
        true
    }

    /// Whether it is over at this time. It stays so then: what a thread found to be gone is neither prolonged nor
    /// touched, even by one that read the clock before. Needs no lock.
    pub fn close(self, now_ms: u64) -> bool {
        let mut seen = self.deadline.load(Ordering::Acquire);
        loop {
            let deadline_ms = seen >> TENANT_BITS;
            if seen == 0 || deadline_ms > now_ms {
                return false;
            }
            if deadline_ms == OVER_MS {
                return true;
            }
            let closed = word(OVER_MS, seen as u32);
            match self.deadline.compare_exchange(seen, closed, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(other) => seen = other,
            }
        }
    }

    /// Sets it back to what it was before [`LifeRef::renew`], unless a read has prolonged or closed it since. Under the
    /// shard's lock.
    pub fn restore(self, span: Span, renewed: Option<Span>, generation: u32) {
        let from = renewed.map_or(0, |span| word(span.deadline_ms, generation));
        let to = word(span.deadline_ms, generation);
        self.ttl.store(span.ttl_ms, Ordering::Relaxed);
        #[expect(clippy::let_underscore_must_use, reason = "refused, what a reader has said holds")]
        let _ = self.deadline.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Whether it was closed. Closing it later synchronises with this look, which is a read-modify-write: that reader
    /// sees what the caller has stored before. Under the shard's lock.
    pub fn is_closed(self) -> bool {
        self.deadline.fetch_or(0, Ordering::AcqRel) >> TENANT_BITS == OVER_MS
    }

    /// Begins it anew, unless it is over, another tenant has come, or another thread was faster. Needs no lock.
    pub fn prolong(self, now_ms: u64, generation: u32) {
        let seen = self.deadline.load(Ordering::Acquire);
        let next = word(Span::new(now_ms, self.ttl.load(Ordering::Relaxed)).deadline_ms, generation);
        let deadline_ms = seen >> TENANT_BITS;
        if seen < next && deadline_ms > now_ms && seen == word(deadline_ms, generation) {
            #[expect(clippy::let_underscore_must_use, reason = "refused if another thread was faster")]
            let _ = self.deadline.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_prolonged_for_its_own_tenant_only() {
        let memory = Arc::new(Memory::new(None));
        let lives = Lives::new(2, &memory).unwrap();
        let life = lives.of(1);
        life.prolong(5, 7);
        assert_eq!(life.span(), None);
        life.set(Some(Span::new(10, 100)), 7);
        life.prolong(50, 8);
        assert_eq!(life.span(), Some(Span { deadline_ms: 110, ttl_ms: 100 }));
        life.prolong(50, 7);
        assert_eq!(life.span(), Some(Span { deadline_ms: 150, ttl_ms: 100 }));
        // Never shortened by a late reader.
        life.prolong(20, 7);
        assert_eq!((life.deadline_ms(), lives.of(0).deadline_ms()), (Some(150), None));
        life.prolong(150, 7);
        assert_eq!(life.deadline_ms(), Some(150), "it is over");
        assert!(!life.close(149) && life.renew(Some(Span::new(60, 100)), 7));
        assert!(!life.is_closed() && life.close(160) && life.close(160) && life.is_closed());
        // A thread that read the clock before that comes too late.
        life.prolong(159, 7);
        assert!(!life.renew(Some(Span::new(159, 100)), 7) && !life.renew(None, 7));
        assert!(life.close(160));
        life.set(None, 7);
        assert_eq!(life.deadline_ms(), None);
        drop(lives);
        assert_eq!(memory.total(), 0);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    /// One thread finds that a life is over, while another, which read the clock before, prolongs or touches it.
    #[test]
    fn what_was_found_to_be_over_stays_so() {
        for by_touch in [false, true] {
            loom::model(move || {
                let memory = Arc::new(Memory::new(None));
                let lives = Arc::new(Lives::new(1, &memory).unwrap());
                lives.of(0).set(Some(Span::new(10, 100)), 1);
                let other = Arc::clone(&lives);
                let thread = loom::thread::spawn(move || {
                    let life = other.of(0);
                    if by_touch { life.renew(Some(Span::new(109, 100)), 1) } else { life.prolong(109, 1) == () }
                });
                let is_over = lives.of(0).close(110);
                let is_renewed = thread.join().unwrap();
                assert_eq!(lives.of(0).close(110), is_over);
                assert!(!by_touch || is_renewed != is_over);
            });
        }
    }

    /// A slot gets a new tenant while a read prolongs the life of the one before.
    #[test]
    fn a_late_prolonging_does_not_touch_the_next_tenant() {
        loom::model(|| {
            let memory = Arc::new(Memory::new(None));
            let lives = Arc::new(Lives::new(1, &memory).unwrap());
            lives.of(0).set(Some(Span::new(10, 100)), 1);
            let reader = Arc::clone(&lives);
            let thread = loom::thread::spawn(move || reader.of(0).prolong(50, 1));
            // Not over by the clock that the read went by, so only the tenant keeps it from being prolonged.
            lives.of(0).set(Some(Span::new(20, 60)), 2);
            thread.join().unwrap();
            assert_eq!(lives.of(0).deadline_ms(), Some(80));
        });
    }
}
