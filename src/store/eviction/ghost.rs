//! How often reads would hit with half the memory of a map and with twice as much.
//!
//! Three [`Miniature`]s of half, the same and twice the size are asked for the keys of the reads of a map, hits and
//! misses, by its own policy. They see only a part of all keys, chosen by their hashes, and are so much smaller: a part
//! of the keys behaves in a part of a cache as all of them in a whole one (Waldspurger, Park, Garthwaite, Ahmad:
//! *Efficient MRC construction with SHARDS*, FAST '15; Waldspurger, Saemundsson, Ahmad, Park: *Cache modeling and
//! optimization using miniature simulations*, ATC '17). Where they would become too large, the part is halved.
//!
//! **What is estimated** is how many more or fewer reads would miss than with the present size, of all reads: the
//! difference of two miniatures that saw the same keys. So it does not matter much whether a key that is read very
//! often is in the part or not.
//!
//! **The error** has two parts. By which keys it was is measured with [`GROUPS`] groups of the part, each of which is a
//! sample of its own. And the miniature of the present size may miss more or less often than the map did, for the same
//! keys: entries have different sizes, expire, are deleted, or were never written after a miss.

use super::super::error::Error;
use super::super::events::Events;
use super::PolicyKind;
use super::miniature::Miniature;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::clock::Clock;
use crate::store::platform::sync::{Arc, AtomicU64, Mutex, Ordering};

/// Sizes, as parts of the present one.
const SIZES: [f64; 3] = [0.5, 1.0, 2.0];
/// Which of them is the present one.
const SAME: usize = 1;
/// Keys of the largest one at most. A thousand in the present size estimate a hit ratio within about a point.
const MOST_KEYS: usize = 4_096;
/// Bytes that all three take at most: 80 for each key, where no policy was seen to need more than 75.
const MOST_BYTES: usize = (MOST_KEYS + MOST_KEYS / 2 + MOST_KEYS / 4) * 80;
/// The part of all hashes that is sampled at first.
const FIRST_PART: u64 = WHOLE / 4;
const WHOLE: u64 = 1 << 32;
/// Groups of sampled keys.
const GROUPS: usize = 16;
/// Reads that are noted from one look at how many entries the map holds to the next: a look adds up all shards.
const NOTES_PER_LOOK: u64 = 64;
/// Of 95 of 100 estimates by that many groups.
const DEVIATIONS: f64 = 2.13;

/// The reads of a map, as they are seen from all threads.
pub struct Ghost {
    /// Hashes below it are sampled, see [`spread`].
    part: AtomicU64,
    /// Reads that were not noted, because another thread was noting one.
    passed_over: AtomicU64,
    state: Mutex<Caches>,
    /// All that the caches may ever take, so that reads change nothing in what the map counts.
    held: Reservation,
}

struct Caches {
    by_size: [Miniature; 3],
    /// What they take, which nothing but a test asks for.
    #[cfg(test)]
    memory: Arc<Memory>,
    /// Misses of each of them and of the map, by groups of keys, as many as were sampled stand for.
    missed: [[f64; GROUPS]; 4],
    noted: u64,
    /// Entries that the map holds when it is full, as far as was known at the last look.
    capacity: Option<f64>,
    until_look: u64,
}

/// Where misses of the map stand.
const OF_MAP: usize = 3;

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Foretold {
    /// Reads that were sampled.
    pub sampled: u64,
    /// The part of all keys that is sampled now.
    pub part: f64,
    /// Reads that would have missed in addition, with half the size; less than 0 if fewer.
    pub more_with_half: f64,
    /// By how much that may be wrong by chance.
    pub half_error: f64,
    /// The same with twice the size.
    pub more_with_twice: f64,
    /// By how much that may be wrong by chance.
    pub twice_error: f64,
    /// By how many misses the model of the present size is wrong.
    pub model_error: f64,
}

/// A hash as a number below [`WHOLE`], unlike the bits that choose the shard and the place in it.
fn spread(hash: u64) -> u64 {
    (hash ^ hash >> 29).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 32
}

impl Ghost {
    /// Empty caches with the policy of a map.
    pub fn new(kind: PolicyKind, memory: &Arc<Memory>, clock: &Clock) -> Result<Self, Error> {
        let held = Reservation::new(memory, Use::Policy, MOST_BYTES)?;
        let own = Arc::new(Memory::reporting(None, Events::new()));
        let new = |size: f64| Miniature::new(kind, (MOST_KEYS as f64 * size / SIZES[2]) as usize, &own, clock);
        let by_size = [new(SIZES[0])?, new(SIZES[1])?, new(SIZES[2])?];
        let state = Mutex::new(Caches {
            by_size,
            #[cfg(test)]
            memory: own,
            missed: [[0.0; GROUPS]; 4],
            noted: 0,
            capacity: None,
            until_look: 0,
        });
        Ok(Self { part: AtomicU64::new(FIRST_PART), passed_over: AtomicU64::new(0), state, held })
    }

    /// Notes a read, if it is of a key that is sampled, of a map that holds so many entries when it is full, as far as
    /// is known. Does not wait.
    pub fn note(&self, hash: u64, was_hit: bool, capacity: impl FnOnce() -> Option<f64>) {
        let spot = spread(hash);
        if spot >= self.part.load(Ordering::Relaxed) {
            return;
        }
        let Some(mut caches) = self.state.try_lock() else {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let capacity = caches.look(capacity);
        loop {
            let part = self.part.load(Ordering::Relaxed);
            let rate = part as f64 / WHOLE as f64;
            let is_large = capacity.is_some_and(|capacity| capacity * SIZES[2] * rate > MOST_KEYS as f64);
            if part > 1 && (is_large || caches.by_size[2].len() >= MOST_KEYS) {
                self.part.store(part / 2, Ordering::Relaxed);
                caches.by_size.iter_mut().for_each(|cache| cache.retain(|hash| spread(hash) < part / 2));
                continue;
            }
            if spot < part {
                caches.note(hash, was_hit, rate, capacity);
            }
            return;
        }
    }

    /// Bytes that it is counted with.
    pub fn bytes(&self) -> usize {
        self.held.bytes()
    }

    /// Counts anew, with the caches as they are.
    pub fn reset(&self) {
        let mut caches = self.state.lock();
        caches.missed = [[0.0; GROUPS]; 4];
        caches.noted = 0;
        self.passed_over.store(0, Ordering::Relaxed);
    }

    /// What was seen so far.
    pub fn foretell(&self) -> Foretold {
        let caches = self.state.lock();
        let sampled = caches.noted;
        let offered = sampled + self.passed_over.load(Ordering::Relaxed);
        let scale = offered as f64 / sampled.max(1) as f64;
        let part = self.part.load(Ordering::Relaxed) as f64 / WHOLE as f64;
        let difference = |one: usize, other: usize| {
            let by_group: [f64; GROUPS] =
                std::array::from_fn(|group| scale * (caches.missed[one][group] - caches.missed[other][group]));
            let sum: f64 = by_group.iter().sum();
            let mean = sum / GROUPS as f64;
            let variance = by_group.iter().map(|of| (of - mean).powi(2)).sum::<f64>() / (GROUPS - 1) as f64;
            // Where all keys are sampled, none is there by chance.
            (sum, DEVIATIONS * (GROUPS as f64 * variance * (1.0 - part)).sqrt())
        };
        let (more_with_half, half_error) = difference(0, SAME);
        let (more_with_twice, twice_error) = difference(2, SAME);
        let model_error = difference(SAME, OF_MAP).0.abs();
        Foretold { sampled, part, more_with_half, half_error, more_with_twice, twice_error, model_error }
    }
}

impl Caches {
    fn look(&mut self, capacity: impl FnOnce() -> Option<f64>) -> Option<f64> {
        if self.until_look == 0 {
            self.until_look = NOTES_PER_LOOK;
            self.capacity = capacity();
        }
        self.until_look -= 1;
        self.capacity
    }

    fn note(&mut self, hash: u64, was_hit: bool, rate: f64, capacity: Option<f64>) {
        let group = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % GROUPS;
        self.noted += 1;
        for (at, (cache, size)) in self.by_size.iter_mut().zip(SIZES).enumerate() {
            let keys = capacity.map_or(usize::MAX, |capacity| (capacity * size * rate).round() as usize);
            // Without memory for one more key, its next read misses again.
            if !cache.ask(hash, keys).unwrap_or(false) {
                self.missed[at][group] += 1.0 / rate;
            }
        }
        if !was_hit {
            self.missed[OF_MAP][group] += 1.0 / rate;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn unit(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    fn hash_of(key: u64) -> u64 {
        let mixed = (key ^ key >> 30).wrapping_add(0x632b_e59b_d9b4_e019).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 31
    }

    const READS: u32 = 400_000;

    /// Whole caches of each size, and a ghost, see the same reads of skewed popularity.
    #[test]
    fn what_is_foretold_of_other_sizes_is_what_whole_caches_come_to() {
        // One estimate in twenty is farther off than it says, so not every seed will do.
        let seed = std::env::var("GHOST_SEED").map_or(1, |seed| seed.parse().unwrap());
        let memory = Arc::new(Memory::new(None));
        let clock = Clock::manual();
        for (kind, keys, capacity) in [
            (PolicyKind::Lru, 60_000.0, 6_000.0),
            (PolicyKind::WTinyLfu, 60_000.0, 6_000.0),
            (PolicyKind::S3Fifo, 9e3, 900.0),
        ] {
            let ghost = Ghost::new(kind, &memory, &clock).unwrap();
            let mut whole = SIZES.map(|_| Miniature::new(kind, 20_000, &memory, &clock).unwrap());
            let (mut missed, mut random) = ([0.0; 3], Random(seed));
            for _ in 0..READS {
                let hash = hash_of(f64::powf(keys, random.unit()) as u64);
                let mut was_hit = false;
                for (at, (cache, size)) in whole.iter_mut().zip(SIZES).enumerate() {
                    let is_hit = cache.ask(hash, (capacity * size) as usize).unwrap();
                    missed[at] += f64::from(u8::from(!is_hit));
                    was_hit |= at == SAME && is_hit;
                }
                ghost.note(hash, was_hit, || Some(capacity));
            }
            let foretold = ghost.foretell();
            let reads = f64::from(READS);
            for (more, error, at) in
                [(foretold.more_with_half, foretold.half_error, 0), (foretold.more_with_twice, foretold.twice_error, 2)]
            {
                let (off, error) = ((more - (missed[at] - missed[SAME])).abs(), error + foretold.model_error);
                assert!(off <= 1.5 * error + 0.002 * reads, "{kind} {at}: {off} of {error}, {foretold:?}");
                assert!(error <= 0.05 * reads, "{kind} {at}: {error}");
            }
            assert!(missed[0] - missed[2] > 0.05 * reads, "the sizes make a difference");
            assert!(foretold.sampled > 10_000, "{foretold:?}");
        }
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn a_look_at_the_size_of_the_map_is_for_many_reads() {
        let memory = Arc::new(Memory::new(None));
        let ghost = Ghost::new(PolicyKind::Lru, &memory, &Clock::manual()).unwrap();
        let looks = std::cell::Cell::new(0);
        for key in 0..10_000 {
            let look = || {
                looks.set(looks.get() + 1);
                Some(100.0)
            };
            ghost.note(hash_of(key), false, look);
        }
        let sampled = ghost.foretell().sampled;
        assert_eq!(looks.get(), sampled.div_ceil(NOTES_PER_LOOK), "of {sampled}");
    }

    #[test]
    fn what_is_kept_is_bounded_and_counted_whatever_is_read() {
        let memory = Arc::new(Memory::new(None));
        let new = |kind| Ghost::new(kind, &memory, &Clock::manual()).unwrap();
        for kind in [PolicyKind::Lru, PolicyKind::Lfu, PolicyKind::Sieve, PolicyKind::S3Fifo, PolicyKind::Fifo] {
            let ghost = new(kind);
            (0..50_000).for_each(|key| ghost.note(hash_of(key), false, || Some(5_000.0)));
            let taken = ghost.state.lock().memory.total();
            assert!(taken as usize <= MOST_BYTES && memory.total() as usize == MOST_BYTES, "{kind}: {taken}");
        }
        let ghost = new(PolicyKind::WTinyLfu);
        for key in 0..500_000 {
            ghost.note(hash_of(key), false, || None);
        }
        let taken = ghost.state.lock().memory.total();
        assert!(taken as usize <= MOST_BYTES && ghost.bytes() == MOST_BYTES, "{taken}");
        let foretold = ghost.foretell();
        assert!(foretold.part <= 1.0 / 64.0 && foretold.part > 1.0 / 1_024.0, "{foretold:?}");
        assert_eq!((foretold.more_with_half, foretold.model_error), (0.0, 0.0), "each missed everywhere");
        ghost.reset();
        assert_eq!(ghost.foretell().sampled, 0);
    }
}
