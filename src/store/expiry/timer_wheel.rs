//! Deadlines of the slots of one shard: which slot expires next, and which are due.
//!
//! **How to use it.** [`TimerWheel::schedule`] sets or changes a slot's deadline, [`TimerWheel::cancel`] takes it
//! away, [`TimerWheel::advance`] takes out the slots that are due, in steps as large as the caller likes.
//! [`TimerWheel::soonest`] is the slot that expires first.
//!
//! **What is guaranteed.** Deadlines are exact to the millisecond, at any distance: nothing is rounded, and nothing is
//! due early or late. No call does more than a bounded amount of work, apart from what `advance` was asked to take
//! out.
//!
//! **How it works.** Hierarchical timing wheels (Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP
//! 1987) read as what they are, the digits of a deadline: a wheel of level `n` has a bucket for each value of digit
//! `n` to the base
//! 16. A bucket of level 0 is one millisecond wide, one of level 1 sixteen, one of level 5 seventeen minutes.
//!
//! ```text
//! root, level 2      [ ·  ·  ●  ·  ▼  ·  ●  · … ]     ●  a list of slots, linked both ways
//!                                  │                  ▼  a bucket that was opened
//! level 1            [ ·  ●  ▼  ·  ·  ●  ·  · … ]     ·  empty
//!                           │
//! level 0            [ ●  ●  ·  ●  ●  ●  ●  · … ]     one millisecond each: all of a list have the same deadline
//! ```
//!
//! The one change: in the paper the clock opens buckets. When it reaches a bucket of a coarse wheel, what is in it
//! moves to the finer one, all of it at that moment: a million entries that live for an hour stall the holder of the
//! lock. Here a bucket is opened by its own size, into a wheel that belongs to it, when it would get its seventeenth
//! entry (a burst trie: Heinz, Zobel and Williams, 2002). So opening one moves sixteen links and never more, what is
//! far away and sparse stays coarse, and the soonest deadline is found by looking at a few words and at most sixteen
//! links at any time, not only when the clock comes near. The structure knows no present: however far time jumps,
//! `advance` takes from the front.
//!
//! Entries with the same deadline, such as those of a batch, stay one list of any length without being opened; where
//! another deadline comes into their bucket, the list goes down a level as a whole.
//!
//! **Memory.** 16 bytes a slot, in chunks of 128 slots that exist while one of them has a deadline, and the wheels. Of
//! those each was opened for at least seventeen entries: 2 to 3 bytes an entry as a rule, 7 where they are just dense
//! enough to open wheels, and more only where crowds within a few milliseconds lie so far apart that each has a chain
//! of wheels of its own. All of it is counted, and goes back with the last deadline but for 4 KiB. A
//! [`TimerWheel::schedule`] that finds no memory changes nothing.

use crate::store::error::Error;
use crate::store::memory::boxes;
use crate::store::memory::boxes::Boxes;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fault;
use crate::store::platform::sync::Arc;

/// Bits of a digit. With 16 buckets, lists short enough to be searched and wheels small enough to be opened for
/// seventeen entries go together.
const DIGIT_BITS: u32 = 4;
/// Buckets of a wheel.
const BUCKETS: usize = 1 << DIGIT_BITS;
/// A set of buckets.
type Set = u16;
/// Entries with different deadlines that share a bucket.
const CROWD: u8 = 16;
/// A list that once was this long: it is no longer counted until it is empty.
const MANY: u8 = u8::MAX;
/// Slots of a chunk.
const CHUNK_SLOTS: usize = 128;
/// What an empty wheel keeps, so that the first deadline costs no more than the second: a chunk and a root.
const KEPT_BYTES: usize = 4_096;
/// The end of a list, and no wheel.
const NONE: u32 = u32::MAX;
/// The deadline of a slot that has none.
const NO_DEADLINE: u64 = u64::MAX;

/// The deadlines of one shard, guarded by its lock.
pub struct TimerWheel {
    links: Boxes<Chunk>,
    wheels: Boxes<Wheel>,
    /// Numbers of wheels that were closed. Invariant: has room for all numbers.
    closed: Vec<u32>,
    /// The coarsest wheel, or `NONE`. Invariant: digits above its level are 0 in all deadlines; the only one that may
    /// be empty.
    root: u32,
    len: usize,
    /// For `closed`.
    held: Reservation,
}

/// Deadlines of a run of slots.
struct Chunk {
    links: [Link; CHUNK_SLOTS],
    scheduled: u32,
}

/// A slot in the list of its bucket. The first one's `previous` is the last one, whose `next` is none.
#[derive(Clone, Copy)]
struct Link {
    deadline_ms: u64,
    next: u32,
    previous: u32,
}

/// The buckets that share all digits above one.
struct Wheel {
    /// First slot of a bucket's list, or the wheel that the bucket was opened into.
    heads: [u32; BUCKETS],
    /// Lengths of the lists. Invariant: not below the truth; above `CROWD` only where all deadlines are the same.
    lengths: [u8; BUCKETS],
    /// Buckets with something in them. Invariant: an open one has something too.
    occupied: Set,
    /// Buckets that were opened.
    opened: Set,
    /// Lists whose deadlines may differ.
    mixed: Set,
    level: u8,
    /// The bucket of `parent` that was opened into this wheel.
    home: u8,
    parent: u32,
}

/// A bucket of a wheel.
#[derive(Clone, Copy)]
struct Bucket {
    wheel: u32,
    number: usize,
}

impl Link {
    const VACANT: Self = Self { deadline_ms: NO_DEADLINE, next: NONE, previous: NONE };
}

impl Wheel {
    fn new(level: u8, home: Bucket) -> Self {
        Self {
            heads: [NONE; BUCKETS],
            lengths: [0; BUCKETS],
            occupied: 0,
            opened: 0,
            mixed: 0,
            level,
            home: home.number as u8,
            parent: home.wheel,
        }
    }

    fn bucket_of(&self, deadline_ms: u64) -> usize {
        (deadline_ms >> (u32::from(self.level) * DIGIT_BITS)) as usize % BUCKETS
    }

    fn is_open(&self, bucket: usize) -> bool {
        self.opened >> bucket & 1 == 1
    }

    fn is_mixed(&self, bucket: usize) -> bool {
        self.mixed >> bucket & 1 == 1
    }
}

fn chunk_of(slot: u32) -> u32 {
    slot / CHUNK_SLOTS as u32
}

/// The level whose wheel has a bucket for this deadline, all higher digits being 0.
fn root_level(deadline_ms: u64) -> u8 {
    ((deadline_ms | 1).ilog2() / DIGIT_BITS) as u8
}

impl TimerWheel {
    /// Nothing is scheduled yet.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self {
            links: Boxes::new(Use::Expiry, memory),
            wheels: Boxes::new(Use::Expiry, memory),
            closed: Vec::new(),
            root: NONE,
            len: 0,
            held: Reservation::empty(memory, Use::Expiry),
        }
    }

    /// Slots with a deadline.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes that are set aside for deadlines.
    pub fn bytes(&self) -> usize {
        self.links.bytes() + self.wheels.bytes() + self.closed.capacity() * size_of::<u32>()
    }

    /// Sets a slot's deadline, in place of the one it had. Fails without changing anything if there is no memory. The
    /// last millisecond of `u64` is no deadline and counts as the one before.
    pub fn schedule(&mut self, slot: u32, deadline_ms: u64) -> Result<(), Error> {
        let deadline_ms = deadline_ms.min(NO_DEADLINE - 1);
        let earlier = self.deadline_of(slot);
        if let Some(earlier_ms) = earlier {
            let bucket = self.find(earlier_ms);
            let wheel = &mut self.wheels[bucket.wheel];
            let is_home = (earlier_ms ^ deadline_ms) >> (u32::from(wheel.level) * DIGIT_BITS) == 0;
            let length = wheel.lengths[bucket.number];
            // All digits that distinguish buckets are the same, so the slot is in the right place already; but a long
            // list must not become a mixed one.
            if is_home && length <= CROWD {
                wheel.mixed |= Set::from(earlier_ms != deadline_ms && length > 1) << bucket.number;
                self.link_mut(slot).deadline_ms = deadline_ms;
                return Ok(());
            }
        }
        // What can fail comes first.
        let bucket = match self.make_link(slot).and_then(|()| self.make_room(1, deadline_ms)) {
            Ok(bucket) => bucket,
            Err(error) => {
                if self.len == 0 {
                    self.reset();
                } else {
                    self.drop_vacant_chunk(slot);
                }
                return Err(error);
            }
        };
        if let Some(earlier_ms) = earlier {
            // Only now, because opening buckets may have moved it.
            let left = self.find(earlier_ms);
            self.unlink(slot, left);
            fault::point();
            self.link_into(slot, deadline_ms, bucket);
            self.close_if_empty(left.wheel);
        } else {
            self.link_into(slot, deadline_ms, bucket);
            fault::point();
            self.links[chunk_of(slot)].scheduled += 1;
            self.len += 1;
        }
        Ok(())
    }

    /// Sets aside what [`TimerWheel::schedule`] needs of so many slots with this deadline, if no other deadline comes
    /// before them. `slot` is one of them.
    pub fn make_room_for(&mut self, count: usize, slot: u32, deadline_ms: u64) -> Result<(), Error> {
        self.make_link(slot)?;
        self.make_room(count, deadline_ms.min(NO_DEADLINE - 1)).map(|_| ())
    }

    /// Takes a slot's deadline away, if it has one.
    pub fn cancel(&mut self, slot: u32) {
        if let Some(deadline_ms) = self.deadline_of(slot) {
            let bucket = self.find(deadline_ms);
            self.unlink(slot, bucket);
            fault::point();
            self.forget(slot);
            self.close_if_empty(bucket.wheel);
        }
    }

    /// Whether a slot with a deadline hangs between its neighbours.
    pub fn is_linked(&self, slot: u32) -> bool {
        let Some(deadline_ms) = self.deadline_of(slot) else { return false };
        let bucket = self.find(deadline_ms);
        let head = self.wheels[bucket.wheel].heads[bucket.number];
        let Link { next, previous, .. } = *self.link(slot);
        let is_known = |other: u32| other != NONE && self.deadline_of(other).is_some();
        let after = if next == NONE { head } else { next };
        is_known(after)
            && is_known(previous)
            && self.link(after).previous == slot
            && (slot == head || self.link(previous).next == slot)
    }

    /// When a slot expires, if ever.
    pub fn deadline_of(&self, slot: u32) -> Option<u64> {
        let deadline_ms = self.links.get(chunk_of(slot))?.links[slot as usize % CHUNK_SLOTS].deadline_ms;
        (deadline_ms != NO_DEADLINE).then_some(deadline_ms)
    }

    /// Takes out at most `limit` slots whose deadlines are over at `now_ms`, earlier buckets first, and appends them
    /// to `out`. Returns whether more are due.
    pub fn advance(&mut self, now_ms: u64, limit: usize, out: &mut Vec<u32>) -> bool {
        let mut left = limit;
        while let Some(bucket) = self.first() {
            let wheel = &self.wheels[bucket.wheel];
            let is_mixed = wheel.is_mixed(bucket.number);
            let mut slot = wheel.heads[bucket.number];
            let mut is_all_due = true;
            while slot != NONE {
                let link = *self.link(slot);
                if link.deadline_ms > now_ms {
                    is_all_due = false;
                    if !is_mixed {
                        break;
                    }
                } else if left == 0 {
                    return true;
                } else {
                    self.unlink(slot, bucket);
                    self.forget(slot);
                    fault::point();
                    out.push(slot);
                    left -= 1;
                }
                slot = link.next;
            }
            self.close_if_empty(bucket.wheel);
            // Later buckets have later deadlines.
            if !is_all_due {
                return false;
            }
        }
        false
    }

    /// The slot that expires first. Costs a few words and at most sixteen links.
    pub fn soonest(&self) -> Option<u32> {
        let bucket = self.first()?;
        let wheel = &self.wheels[bucket.wheel];
        let head = wheel.heads[bucket.number];
        if !wheel.is_mixed(bucket.number) {
            return Some(head);
        }
        let (mut soonest, mut soonest_ms, mut slot) = (head, NO_DEADLINE, head);
        while slot != NONE {
            let link = self.link(slot);
            if link.deadline_ms < soonest_ms {
                (soonest, soonest_ms) = (slot, link.deadline_ms);
            }
            slot = link.next;
        }
        Some(soonest)
    }

    /// When the next slot expires. As exact and as cheap as [`TimerWheel::soonest`].
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.deadline_of(self.soonest()?)
    }

    fn link(&self, slot: u32) -> &Link {
        &self.links[chunk_of(slot)].links[slot as usize % CHUNK_SLOTS]
    }

    fn link_mut(&mut self, slot: u32) -> &mut Link {
        &mut self.links[chunk_of(slot)].links[slot as usize % CHUNK_SLOTS]
    }

    /// The earliest bucket that is not opened.
    fn first(&self) -> Option<Bucket> {
        if self.len == 0 {
            return None;
        }
        let mut wheel = self.root;
        loop {
            let here = &self.wheels[wheel];
            let number = here.occupied.trailing_zeros() as usize;
            if !here.is_open(number) {
                return Some(Bucket { wheel, number });
            }
            wheel = here.heads[number];
        }
    }

    /// The bucket that holds this deadline. Something is scheduled for it.
    fn find(&self, deadline_ms: u64) -> Bucket {
        let mut wheel = self.root;
        loop {
            let here = &self.wheels[wheel];
            let number = here.bucket_of(deadline_ms);
            if !here.is_open(number) {
                return Bucket { wheel, number };
            }
            wheel = here.heads[number];
        }
    }

    /// A bucket that can take so many entries with this deadline.
    fn make_room(&mut self, count: usize, deadline_ms: u64) -> Result<Bucket, Error> {
        let level = root_level(deadline_ms);
        if self.root == NONE {
            self.root = self.open_wheel(Wheel::new(level, Bucket { wheel: NONE, number: 0 }))?;
        } else if self.len == 0 {
            let root = self.root;
            self.wheels[root].level = level;
        }
        while self.wheels[self.root].level < level {
            self.raise_root()?;
        }
        loop {
            let bucket = self.find(deadline_ms);
            let wheel = &self.wheels[bucket.wheel];
            let head = wheel.heads[bucket.number];
            let is_same = || !wheel.is_mixed(bucket.number) && self.link(head).deadline_ms == deadline_ms;
            let fits = usize::from(wheel.lengths[bucket.number]) + count <= usize::from(CROWD);
            if head == NONE || fits || is_same() {
                return Ok(bucket);
            }
            // Each time, digits are one fewer, and deadlines that agree in all of them are the same.
            self.open(bucket)?;
        }
    }

    /// Puts a coarser wheel on top, with all there is in its first bucket, because that digit was 0 until now.
    fn raise_root(&mut self) -> Result<(), Error> {
        let old = self.root;
        let mut wheel = Wheel::new(self.wheels[old].level + 1, Bucket { wheel: NONE, number: 0 });
        wheel.heads[0] = old;
        wheel.occupied = 1;
        wheel.opened = 1;
        self.root = self.open_wheel(wheel)?;
        self.wheels[old].parent = self.root;
        Ok(())
    }

    /// Opens a bucket into a wheel of its own and moves its list there.
    fn open(&mut self, bucket: Bucket) -> Result<(), Error> {
        let Bucket { wheel, number } = bucket;
        let finer = self.open_wheel(Wheel::new(self.wheels[wheel].level - 1, bucket))?;
        let here = &mut self.wheels[wheel];
        let length = here.lengths[number];
        let mut slot = std::mem::replace(&mut here.heads[number], finer);
        here.lengths[number] = 0;
        here.opened |= 1 << number;
        let is_mixed = here.is_mixed(number);
        here.mixed &= !(1 << number);
        if is_mixed {
            while slot != NONE {
                let Link { deadline_ms, next, .. } = *self.link(slot);
                let number = self.wheels[finer].bucket_of(deadline_ms);
                self.link_into(slot, deadline_ms, Bucket { wheel: finer, number });
                slot = next;
            }
        } else {
            // One deadline, one bucket: the list moves as a whole, however long it is.
            let deadline_ms = self.link(slot).deadline_ms;
            let finer = &mut self.wheels[finer];
            let number = finer.bucket_of(deadline_ms);
            finer.heads[number] = slot;
            finer.lengths[number] = length;
            finer.occupied |= 1 << number;
        }
        Ok(())
    }

    /// Puts a slot at the end of a bucket's list, so that among the same deadlines, the first to come is first.
    fn link_into(&mut self, slot: u32, deadline_ms: u64, bucket: Bucket) {
        let number = bucket.number;
        let head = self.wheels[bucket.wheel].heads[number];
        let (mut previous, mut is_other) = (slot, false);
        if head != NONE {
            is_other = self.link(head).deadline_ms != deadline_ms;
            previous = std::mem::replace(&mut self.link_mut(head).previous, slot);
            self.link_mut(previous).next = slot;
        }
        *self.link_mut(slot) = Link { deadline_ms, next: NONE, previous };
        let wheel = &mut self.wheels[bucket.wheel];
        if head == NONE {
            wheel.heads[number] = slot;
        }
        wheel.lengths[number] = wheel.lengths[number].saturating_add(1);
        wheel.occupied |= 1 << number;
        wheel.mixed |= Set::from(is_other) << number;
    }

    /// Takes a slot out of its bucket's list.
    fn unlink(&mut self, slot: u32, bucket: Bucket) {
        let number = bucket.number;
        let Link { next, previous, .. } = *self.link(slot);
        let head = self.wheels[bucket.wheel].heads[number];
        if slot != head {
            self.link_mut(previous).next = next;
        }
        let after = if next == NONE { head } else { next };
        self.link_mut(after).previous = previous;
        let wheel = &mut self.wheels[bucket.wheel];
        if slot == head {
            wheel.heads[number] = next;
        }
        if wheel.heads[number] == NONE {
            wheel.lengths[number] = 0;
            wheel.occupied &= !(1 << number);
            wheel.mixed &= !(1 << number);
        } else if wheel.lengths[number] != MANY {
            wheel.lengths[number] -= 1;
            if wheel.lengths[number] == 1 {
                wheel.mixed &= !(1 << number);
            }
        }
    }

    /// Makes sure that there is a link for this slot.
    pub fn make_link(&mut self, slot: u32) -> Result<(), Error> {
        if self.links.get(chunk_of(slot)).is_some() {
            return Ok(());
        }
        let chunk = Chunk { links: [Link::VACANT; CHUNK_SLOTS], scheduled: 0 };
        self.links.put(chunk_of(slot), chunk)
    }

    /// A slot that was unlinked has no deadline any more.
    fn forget(&mut self, slot: u32) {
        *self.link_mut(slot) = Link::VACANT;
        self.links[chunk_of(slot)].scheduled -= 1;
        self.len -= 1;
        self.drop_vacant_chunk(slot);
    }

    /// Gives the links around a slot back if none of them is in use, but for the last ones.
    fn drop_vacant_chunk(&mut self, slot: u32) {
        let is_vacant = self.links.get(chunk_of(slot)).is_some_and(|chunk| chunk.scheduled == 0);
        if is_vacant && self.links.len() > 1 {
            self.links.remove(chunk_of(slot));
        }
    }

    fn open_wheel(&mut self, wheel: Wheel) -> Result<u32, Error> {
        let number = self.closed.last().copied().unwrap_or(self.wheels.end());
        // Room for all numbers, so that closing a wheel needs no memory.
        boxes::grow(&mut self.closed, number as usize + 1, &mut self.held)?;
        self.wheels.put(number, wheel)?;
        self.closed.pop();
        Ok(number)
    }

    /// Closes a wheel without entries, and those above it that become empty with it.
    fn close_if_empty(&mut self, mut wheel: u32) {
        while self.wheels[wheel].occupied == 0 {
            let Wheel { parent, home, .. } = self.wheels[wheel];
            if parent == NONE {
                if self.bytes() > KEPT_BYTES {
                    self.reset();
                }
                return;
            }
            self.wheels.remove(wheel);
            self.closed.push(wheel);
            let above = &mut self.wheels[parent];
            above.heads[usize::from(home)] = NONE;
            above.occupied &= !(1 << home);
            above.opened &= !(1 << home);
            wheel = parent;
        }
    }

    /// Gives everything back.
    fn reset(&mut self) {
        self.links.clear();
        self.wheels.clear();
        self.closed = Vec::new();
        self.held.shrink(self.held.bytes());
        self.root = NONE;
        self.len = 0;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB) >> 16
        }
        fn below(&mut self, limit: u64) -> u64 {
            self.next() % limit
        }
    }

    /// The same in the simplest way.
    #[derive(Default)]
    struct Naive {
        deadlines: HashMap<u32, u64>,
        sorted: BTreeSet<(u64, u32)>,
    }

    impl Naive {
        fn schedule(&mut self, slot: u32, deadline_ms: u64) {
            self.cancel(slot);
            self.deadlines.insert(slot, deadline_ms);
            self.sorted.insert((deadline_ms, slot));
        }
        fn cancel(&mut self, slot: u32) {
            if let Some(deadline_ms) = self.deadlines.remove(&slot) {
                self.sorted.remove(&(deadline_ms, slot));
            }
        }
        fn soonest_ms(&self) -> Option<u64> {
            self.sorted.first().map(|&(deadline_ms, _)| deadline_ms)
        }
    }

    fn wheel(limit_bytes: Option<u64>) -> (TimerWheel, Arc<Memory>) {
        let memory = Arc::new(Memory::new(limit_bytes));
        (TimerWheel::new(&memory), memory)
    }

    /// Everything that the head of this file and the invariants promise about the structure as it stands.
    fn check(wheel: &TimerWheel, naive: &Naive) {
        assert_eq!(wheel.len(), naive.deadlines.len());
        assert_eq!(wheel.next_deadline_ms(), naive.soonest_ms());
        assert_eq!(wheel.soonest().and_then(|slot| naive.deadlines.get(&slot).copied()), naive.soonest_ms());
        assert_eq!(wheel.held.memory().total(), wheel.bytes() as u64);
        assert!(wheel.len() > 0 || wheel.bytes() <= KEPT_BYTES);
        let chunks: Vec<_> = (0..wheel.links.end()).filter_map(|number| wheel.links.get(number)).collect();
        assert!(chunks.iter().filter(|chunk| chunk.scheduled == 0).count() <= 1);
        let (mut seen, mut wheels) = (0, 0);
        let mut todo: Vec<(u32, u64)> = if wheel.root == NONE { vec![] } else { vec![(wheel.root, 0)] };
        while let Some((number, prefix)) = todo.pop() {
            let here = &wheel.wheels[number];
            let shift = u32::from(here.level) * DIGIT_BITS;
            wheels += 1;
            assert!(here.occupied != 0 || wheel.len() == 0, "an empty wheel is closed");
            assert_eq!((here.opened | here.mixed) & !here.occupied, 0);
            for bucket in 0..BUCKETS {
                let start = prefix | (bucket as u64) << shift;
                if here.occupied >> bucket & 1 == 0 {
                    assert_eq!((here.heads[bucket], here.lengths[bucket]), (NONE, 0));
                } else if here.is_open(bucket) {
                    let inner = &wheel.wheels[here.heads[bucket]];
                    let told = (inner.parent, usize::from(inner.home), inner.level + 1);
                    assert_eq!(told, (number, bucket, here.level));
                    todo.push((here.heads[bucket], start));
                } else {
                    let head = here.heads[bucket];
                    let (mut slot, mut previous, mut deadlines) = (head, wheel.link(head).previous, vec![]);
                    while slot != NONE {
                        let link = wheel.link(slot);
                        assert_eq!(link.previous, previous);
                        assert_eq!(link.deadline_ms >> shift << shift, start);
                        assert_eq!(Some(&link.deadline_ms), naive.deadlines.get(&slot));
                        deadlines.push(link.deadline_ms);
                        (previous, slot) = (slot, link.next);
                    }
                    assert_eq!(wheel.link(head).previous, previous, "the last one");
                    let is_uniform = deadlines.iter().all(|&deadline_ms| deadline_ms == deadlines[0]);
                    assert!(is_uniform || here.is_mixed(bucket));
                    assert!(is_uniform || deadlines.len() <= usize::from(CROWD));
                    let length = here.lengths[bucket];
                    assert!(length == MANY || usize::from(length) == deadlines.len());
                    assert!(length <= CROWD || !here.is_mixed(bucket));
                    seen += deadlines.len();
                }
            }
        }
        assert_eq!((seen, wheels + wheel.closed.len()), (wheel.len(), wheel.wheels.end() as usize));
    }

    #[test]
    fn among_the_same_deadlines_the_oldest_is_first() {
        let mut wheel = TimerWheel::new(&Arc::new(Memory::new(None)));
        for slot in 0..60 {
            wheel.schedule(slot, if slot < 10 { 500 + u64::from(slot % 2) } else { 100_000 }).unwrap();
        }
        // A later deadline opens the bucket that the first ones share.
        (60..90).for_each(|slot| wheel.schedule(slot, 507 + u64::from(slot)).unwrap());
        let mut order = Vec::new();
        while let Some(slot) = wheel.soonest() {
            order.push(slot);
            wheel.cancel(slot);
        }
        let expected = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9].into_iter().chain(60..90).chain(10..60);
        assert_eq!(order, expected.collect::<Vec<u32>>());
    }

    /// Distances of deadlines as maps have them: equal ones, near ones, far ones, ones that are over, ones of decades.
    fn distance_ms(random: &mut Random) -> u64 {
        match random.below(10) {
            0 => 0,
            1 => 30_000,
            2 => 86_400_000,
            3..6 => random.below(100),
            6 | 7 => random.below(60_000),
            8 => random.below(40 * 365 * 86_400_000),
            _ => random.next() >> random.below(48),
        }
    }

    fn advance_both(wheel: &mut TimerWheel, naive: &mut Naive, now_ms: u64, limit: usize) {
        let mut out = vec![u32::MAX];
        let is_more = wheel.advance(now_ms, limit, &mut out);
        let due = out.split_off(1);
        assert!(due.len() <= limit);
        for &slot in &due {
            assert!(naive.deadlines[&slot] <= now_ms);
            naive.cancel(slot);
        }
        let is_due = naive.soonest_ms().is_some_and(|deadline_ms| deadline_ms <= now_ms);
        assert_eq!(is_more, is_due);
        assert!(!is_more || due.len() == limit);
    }

    #[test]
    fn agrees_with_a_sorted_set_whatever_is_scheduled_cancelled_and_due() {
        for seed in 0..40 {
            let mut random = Random(seed);
            let (mut wheel, memory) = wheel(None);
            let mut naive = Naive::default();
            // Few slots make many changes of each, many slots make open wheels.
            let slots = [20, 300, 5_000][seed as usize % 3];
            let mut now_ms = 1 + random.below(1 << 40);
            for round in 0..6_000 {
                let slot = random.below(slots) as u32;
                match random.below(20) {
                    0..12 => {
                        let deadline_ms = (now_ms - now_ms.min(5)).saturating_add(distance_ms(&mut random));
                        wheel.schedule(slot, deadline_ms).unwrap();
                        naive.schedule(slot, deadline_ms);
                    }
                    12..15 => {
                        wheel.cancel(slot);
                        naive.cancel(slot);
                    }
                    15..17 => {
                        // What a map that is full does: the soonest goes, due or not.
                        let soonest = wheel.soonest();
                        assert_eq!(soonest.and_then(|slot| wheel.deadline_of(slot)), naive.soonest_ms());
                        if let Some(slot) = soonest {
                            wheel.cancel(slot);
                            naive.cancel(slot);
                        }
                    }
                    17 | 18 => {
                        now_ms += random.below(40);
                        advance_both(&mut wheel, &mut naive, now_ms, random.below(30) as usize);
                    }
                    _ if random.below(20) == 0 => {
                        now_ms += random.below(50 * 3_600_000);
                        advance_both(&mut wheel, &mut naive, now_ms, usize::MAX);
                    }
                    _ => assert_eq!(wheel.deadline_of(slot), naive.deadlines.get(&slot).copied()),
                }
                if round % 50 == 0 {
                    check(&wheel, &naive);
                }
            }
            check(&wheel, &naive);
            advance_both(&mut wheel, &mut naive, u64::MAX, usize::MAX);
            check(&wheel, &naive);
            drop(wheel);
            assert_eq!(memory.total(), 0, "seed {seed}");
        }
    }

    #[test]
    fn a_refused_deadline_changes_nothing() {
        for seed in 0..40 {
            let mut random = Random(seed);
            let (mut wheel, memory) = wheel(Some(2_500 + random.below(8_000)));
            let mut naive = Naive::default();
            let mut refused = 0;
            for round in 0..4_000 {
                let slot = random.below(600) as u32;
                let deadline_ms = 1_000_000 + distance_ms(&mut random);
                let before = wheel.deadline_of(slot);
                match wheel.schedule(slot, deadline_ms) {
                    Ok(()) => naive.schedule(slot, deadline_ms),
                    Err(error) => {
                        assert!(matches!(error, Error::MemoryLimit { .. }));
                        assert_eq!(wheel.deadline_of(slot), before);
                        refused += 1;
                    }
                }
                if round % 3 == 0 {
                    let slot = random.below(600) as u32;
                    wheel.cancel(slot);
                    naive.cancel(slot);
                }
                if round % 500 == 499 {
                    advance_both(&mut wheel, &mut naive, u64::MAX, usize::MAX);
                }
                if round % 20 == 0 {
                    check(&wheel, &naive);
                }
            }
            assert!(refused > 0, "seed {seed}");
            drop(wheel);
            assert_eq!(memory.total(), 0, "seed {seed}");
        }
    }

    #[test]
    fn a_first_deadline_that_is_refused_leaves_nothing_behind() {
        let (mut refused, mut limit_bytes) = (0, 0);
        loop {
            let (mut wheel, memory) = wheel(Some(limit_bytes));
            if wheel.schedule(300, 1_000).is_ok() {
                break;
            }
            assert_eq!((wheel.len(), memory.total()), (0, 0));
            (refused, limit_bytes) = (refused + 1, limit_bytes + 16);
        }
        assert!(refused > 10);
    }

    #[test]
    fn is_due_in_its_millisecond_and_not_before_at_any_distance() {
        let year_ms = 365 * 86_400_000_u64;
        let deadlines = [1, 15, 16, 17, 255, 256, 4_095, 3_600_000, year_ms, 50 * year_ms, 1 << 53, u64::MAX - 1];
        let (mut wheel, _) = wheel(None);
        for (slot, &deadline_ms) in deadlines.iter().enumerate().rev() {
            wheel.schedule(slot as u32 * 1_000, deadline_ms).unwrap();
        }
        let mut out = Vec::new();
        for (slot, &deadline_ms) in deadlines.iter().enumerate() {
            assert_eq!(wheel.next_deadline_ms(), Some(deadline_ms));
            assert!(!wheel.advance(deadline_ms - 1, 10, &mut out));
            assert_eq!(out.len(), slot);
            assert!(!wheel.advance(deadline_ms, 10, &mut out));
            assert_eq!(out.last(), Some(&(slot as u32 * 1_000)));
        }
        assert_eq!(wheel.next_deadline_ms(), None);
        wheel.schedule(7, u64::MAX).unwrap();
        assert_eq!(wheel.deadline_of(7), Some(u64::MAX - 1));
    }

    #[test]
    fn what_is_due_at_once_comes_in_steps_of_the_callers_size() {
        let (mut wheel, _) = wheel(None);
        for slot in 0..10_000 {
            // Half of them at the very same moment.
            let deadline_ms = if slot % 2 == 0 { 5_000 } else { 4_000 + u64::from(slot) % 1_000 };
            wheel.schedule(slot, deadline_ms).unwrap();
        }
        let (mut out, mut steps) = (Vec::new(), 1);
        assert!(wheel.advance(5_000, 0, &mut out) && out.is_empty());
        while wheel.advance(5_000, 64, &mut out) {
            assert_eq!(out.len(), steps * 64);
            steps += 1;
        }
        assert_eq!(steps, 10_000_usize.div_ceil(64));
        assert!(out[..5_000].iter().all(|slot| slot % 2 == 1), "earlier ones first");
        out.sort_unstable();
        assert_eq!(out, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_batch_with_one_deadline_opens_no_wheel_and_moves_as_a_whole() {
        let (mut wheel, memory) = wheel(None);
        let deadline_ms = 3_600_000;
        (0..100_000).for_each(|slot| wheel.schedule(slot, deadline_ms).unwrap());
        assert_eq!(wheel.wheels.end(), 1);
        // Another deadline a millisecond later parts them at the last digit.
        wheel.schedule(100_000, deadline_ms + 1).unwrap();
        assert_eq!(wheel.wheels.end(), u32::from(root_level(deadline_ms)) + 1);
        assert_eq!(wheel.next_deadline_ms(), Some(deadline_ms));
        wheel.schedule(500, deadline_ms + 2).unwrap();
        let mut out = Vec::new();
        // Takes forever if all are looked at to find that none is due.
        assert!((0..100_000).all(|_| !wheel.advance(deadline_ms - 1, usize::MAX, &mut out) && out.is_empty()));
        wheel.advance(deadline_ms, usize::MAX, &mut out);
        assert_eq!((out.len(), wheel.len(), out.contains(&500)), (99_999, 2, false));
        wheel.advance(deadline_ms + 2, usize::MAX, &mut out);
        assert_eq!((out.len(), memory.total()), (100_001, 0), "nothing is kept of much");
    }

    #[test]
    fn a_deadline_that_comes_and_goes_asks_for_memory_once() {
        let (mut wheel, memory) = wheel(None);
        wheel.schedule(300, 1_000).unwrap();
        let bytes = memory.total();
        for deadline_ms in [7, 100_000, 1 << 40, 9] {
            wheel.cancel(300);
            assert_eq!((wheel.len(), wheel.soonest(), memory.total()), (0, None, bytes));
            wheel.schedule(300, deadline_ms).unwrap();
            assert_eq!((wheel.next_deadline_ms(), memory.total()), (Some(deadline_ms), bytes));
        }
        drop(wheel);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn costs_about_nineteen_bytes_an_entry_and_never_much_more_whatever_the_density() {
        let (mut worst, mut sum, mut densities) = (0.0_f64, 0.0, 0.0);
        let mut per_second = 10.0_f64;
        while per_second < 300_000.0 {
            let (mut wheel, memory) = wheel(None);
            let entries = 50_000;
            let mut random = Random(1);
            let span_ms = (f64::from(entries) * 1_000.0 / per_second) as u64;
            for slot in 0..entries {
                wheel.schedule(slot, 3_600_000 + random.below(span_ms)).unwrap();
            }
            let bytes_per_entry = memory.total() as f64 / f64::from(entries);
            worst = worst.max(bytes_per_entry);
            sum += bytes_per_entry;
            densities += 1.0;
            per_second *= 1.3;
        }
        assert!(worst < 24.0, "{worst}");
        assert!(sum / densities < 19.5, "{}", sum / densities);
    }
}
