//! Which keys are read most: a sample of the reads of each thread, in a sketch of its own.
//!
//! A thread samples one of [`NATIVE_INTERVAL`] reads that reach the store, and JavaScript one of [`NEAR_INTERVAL`] that
//! its near cache answers, at random distances: a fixed one would go in step with a program that repeats itself. A
//! sample weighs as many reads as it stands for. What a thread has sampled is merged with what all others have when it
//! is asked for, and kept when the thread ends.
//!
//! **The error** of a count has two parts. The sketch may have counted too little, see `frequent.rs`. And samples vary:
//! with `n` samples of weight `w`, the true count is `n·w` give or take `2·w·√n` in 95 of 100 cases.
//!
//! **Locks.** A sample is noted under a pin, so it does not wait: if the sketch is being read at that moment, the
//! sample is dropped.

use std::cell::Cell;

use super::frequent::Frequent;
use crate::store::entry::handle::Handle;
use crate::store::error::Error;
use crate::store::platform::sync::{Arc, Mutex};

/// Reads of the store between two samples, on average. A sample takes about as long as a read.
pub const NATIVE_INTERVAL: u32 = 64;
/// Hits of a near cache between two samples, on average. A sample takes as long as some hundred of them.
pub const NEAR_INTERVAL: u32 = 8_192;
/// Keys that a thread tells apart.
const ROOM: usize = 1_024;

/// What is known of a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Its entry, when it was last sampled.
    handle: Option<Handle>,
    /// Sum of the squares of what its samples weigh.
    squares: u64,
}

/// Samples by the hash of the key.
type Sketch = Frequent<u64, Seen>;

/// The samples of all threads of a map.
#[derive(Debug)]
pub struct HotKeys {
    threads: Mutex<Vec<Arc<Mutex<Sketch>>>>,
    /// Those of threads that have ended.
    past: Mutex<Sketch>,
}

/// One thread's way to its sketch.
#[derive(Debug)]
pub struct ReadSampler {
    sketch: Arc<Mutex<Sketch>>,
    /// Reads until the next sample.
    left: Cell<u32>,
    random: Cell<u64>,
}

/// A key that is read often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotKey {
    /// Its entry, when it was last sampled.
    pub handle: Handle,
    /// Reads, estimated.
    pub hits: u64,
    /// By how much that may be wrong, in 95 of 100 cases.
    pub error: u64,
}

impl HotKeys {
    /// No samples.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { threads: Mutex::new(Vec::new()), past: Mutex::new(Sketch::new(ROOM)?) })
    }

    /// A sampler for one more thread; `None` without memory for its sketch.
    pub fn join(&self) -> Option<ReadSampler> {
        let sketch = Arc::new(Mutex::new(Sketch::new(ROOM).ok()?));
        let mut threads = self.threads.lock();
        threads.push(Arc::clone(&sketch));
        let seed = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(threads.len() as u64 + 1);
        let sampler = ReadSampler { sketch, left: Cell::new(1), random: Cell::new(seed) };
        sampler.left.set(sampler.draw());
        Some(sampler)
    }

    /// Keeps what a thread has sampled, which ends. `is_there` says whether there is the entry of a handle.
    pub fn leave(&self, sampler: &ReadSampler, is_there: impl Fn(Handle) -> bool) {
        self.threads.lock().retain(|sketch| !Arc::ptr_eq(sketch, &sampler.sketch));
        // Without memory for it, it is lost.
        #[expect(clippy::let_underscore_must_use, reason = "statistics end with the memory for them")]
        let _ = self.past.lock().merge(&sampler.sketch.lock(), note(&is_there));
    }

    /// The keys that are read most, most of all first, of those whose entry is there. With `resets`, counting begins
    /// anew.
    pub fn hottest(&self, most: usize, resets: bool, is_there: impl Fn(Handle) -> bool) -> Result<Vec<HotKey>, Error> {
        let mut all = Sketch::new(ROOM)?;
        let threads = self.threads.lock();
        let mut past = self.past.lock();
        all.merge(&past, note(&is_there))?;
        if resets {
            past.clear();
        }
        for thread in &*threads {
            let mut sketch = thread.lock();
            all.merge(&sketch, note(&is_there))?;
            if resets {
                sketch.clear();
            }
        }
        drop((threads, past));
        let hot = |(_, item): (&u64, &super::frequent::Item<Seen>)| {
            let handle = item.note.handle.filter(|&handle| is_there(handle))?;
            let error = all.error() + 2 * item.note.squares.isqrt();
            Some(HotKey { handle, hits: item.weight, error })
        };
        Ok(all.heaviest(ROOM).into_iter().filter_map(hot).take(most).collect())
    }
}

/// Adds what another thread knows of a key. If the entry was made anew meanwhile, the handle of the thread that sampled
/// it last is the one that leads somewhere.
fn note(is_there: impl Fn(Handle) -> bool) -> impl Fn(&mut Seen, &Seen) {
    move |own, other| {
        own.squares += other.squares;
        let is_better = |handle| own.handle.is_none_or(|known| known != handle && is_there(handle));
        if other.handle.is_some_and(is_better) {
            own.handle = other.handle;
        }
    }
}

impl ReadSampler {
    /// Whether the present read is one to sample.
    #[inline]
    pub fn is_due(&self) -> bool {
        let left = self.left.get() - 1;
        self.left.set(if left == 0 { self.draw() } else { left });
        left == 0
    }

    /// Notes a sample that stands for so many reads. Does not wait.
    #[cold]
    pub fn note(&self, hash: u64, handle: Handle, weight: u32) {
        let Some(mut sketch) = self.sketch.try_lock() else { return };
        let seen = |seen: &mut Seen| {
            seen.handle = Some(handle);
            seen.squares += u64::from(weight) * u64::from(weight);
        };
        #[expect(clippy::let_underscore_must_use, reason = "nothing is allocated for a number")]
        let _ = sketch.add(&hash, weight.into(), |&hash| Ok(hash), seen);
    }

    /// A distance of [`NATIVE_INTERVAL`] on average.
    fn draw(&self) -> u32 {
        let mut random = self.random.get();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        self.random.set(random);
        1 + (random >> 33) as u32 % (2 * NATIVE_INTERVAL - 1)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Reads of skewed popularity by two threads, one of which ends: most true counts are within the error.
    #[test]
    fn counts_are_right_within_their_error() {
        let hot = HotKeys::new().unwrap();
        let samplers = [hot.join().unwrap(), hot.join().unwrap()];
        let mut exact = vec![0_u64; 5_000];
        let mut random = 7_u64;
        for n in 0..400_000_usize {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let unit = (random >> 11) as f64 / (1_u64 << 53) as f64;
            let key = (5_000_f64.powf(unit) - 1.0) as usize;
            exact[key] += 1;
            let sampler = &samplers[n % 2];
            if sampler.is_due() {
                let handle = Handle { shard: 0, slot: key as u32, generation: 1 };
                sampler.note(key as u64, handle, NATIVE_INTERVAL);
            }
        }
        let [first, _second] = samplers;
        hot.leave(&first, |_| true);
        let found = hot.hottest(100, false, |_| true).unwrap();
        assert_eq!(found.len(), 100);
        assert_eq!(found[0].handle.slot, 0, "the most popular one comes first");
        let right = |one: &&HotKey| exact[one.handle.slot as usize].abs_diff(one.hits) <= one.error;
        assert!(found.iter().filter(right).count() >= 90, "{found:?}");
        assert!(found[0].error < found[0].hits / 5, "{:?}", found[0]);
        assert_eq!(hot.hottest(100, true, |_| true).unwrap(), found);
        assert_eq!(hot.hottest(100, false, |_| true).unwrap(), [], "counting began anew");
    }

    /// Of two handles of a key the one counts whose entry is there, whichever thread knows it and which of them ended.
    #[test]
    fn a_key_is_known_by_the_entry_that_is_there() {
        for (new, old, ended) in [(0, 1, 0), (1, 0, 0), (0, 1, 1), (1, 0, 1), (0, 1, 2), (1, 0, 2)] {
            let hot = HotKeys::new().unwrap();
            let samplers = [hot.join().unwrap(), hot.join().unwrap()];
            let handle = |generation| Handle { shard: 0, slot: 7, generation };
            let is_there = |handle: Handle| handle.generation == 2;
            samplers[old].note(7, handle(1), NATIVE_INTERVAL);
            samplers[new].note(7, handle(2), NATIVE_INTERVAL);
            // What is gone is passed over, and does not count for those that are wanted.
            samplers[old].note(8, handle(3), 10 * NATIVE_INTERVAL);
            samplers.iter().take(ended).for_each(|sampler| hot.leave(sampler, is_there));
            let found = hot.hottest(1, false, is_there).unwrap();
            let handles: Vec<_> = found.iter().map(|key| (key.handle, key.hits)).collect();
            assert_eq!(handles, [(handle(2), u64::from(2 * NATIVE_INTERVAL))], "{new} {old} {ended}");
        }
    }
}
