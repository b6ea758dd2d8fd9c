//! Which items weigh most in a stream of them, in bounded memory.
//!
//! Misra, Gries: "Finding repeated elements", Science of Computer Programming 2(2), 1982, with the purge of Anderson et
//! al.: "A High-Performance Algorithm for Identifying Frequent Items in Data Streams", IMC '17: when the table is full,
//! every item loses the median weight, and those without any left are forgotten. So a purge costs a look at each item
//! and makes room for half of them.
//!
//! **What is guaranteed.** An item weighs at least what its count says, and at most the *error* more, which is the same
//! for all: the sum of what purges took. It is 0 as long as there were no more items than there is room for, and at
//! most `2 / room` of all weight. An item that weighs more than the error is in the table.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use crate::store::error::Error;
use crate::store::platform::fallible;

/// The items that weigh most.
#[derive(Debug)]
pub struct Frequent<K, T> {
    items: HashMap<K, Item<T>>,
    room: usize,
    error: u64,
    total: u64,
    /// For the median.
    weights: Vec<u64>,
}

/// An item, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Item<T> {
    /// What it weighs at least.
    pub weight: u64,
    /// What the caller notes beside it, since it came into the table.
    pub note: T,
}

impl<K: Eq + Hash, T: Default> Frequent<K, T> {
    /// No items, and room for so many.
    pub fn new(room: usize) -> Result<Self, Error> {
        fallible::grant(room * size_of::<(K, Item<T>)>())?;
        let mut items = HashMap::new();
        let refused = |_| Error::OutOfMemory { bytes: (room * size_of::<(K, Item<T>)>()) as u64 };
        items.try_reserve(room).map_err(refused)?;
        Ok(Self { items, room, error: 0, total: 0, weights: fallible::vec(room)? })
    }

    /// Adds weight to an item, and lets the caller note something. `own` makes the key if the item is new.
    pub fn add<Q: Eq + Hash + ?Sized>(
        &mut self,
        key: &Q,
        weight: u64,
        own: impl FnOnce(&Q) -> Result<K, Error>,
        note: impl FnOnce(&mut T),
    ) -> Result<(), Error>
    where
        K: Borrow<Q>,
    {
        self.total += weight;
        if let Some(item) = self.items.get_mut(key) {
            item.weight += weight;
            note(&mut item.note);
            return Ok(());
        }
        if self.items.len() == self.room {
            self.purge();
        }
        let mut item = Item { weight, note: T::default() };
        note(&mut item.note);
        self.items.insert(own(key)?, item);
        Ok(())
    }

    /// Adds the items of another table.
    pub fn merge(&mut self, other: &Self, note: impl Fn(&mut T, &T)) -> Result<(), Error>
    where
        K: Clone,
    {
        let (error, total) = (self.error + other.error, self.total + other.total);
        for (key, item) in &other.items {
            self.add(key, item.weight, |key| Ok(key.clone()), |own| note(own, &item.note))?;
        }
        (self.error, self.total) = (self.error + other.error, total);
        debug_assert!(self.error >= error);
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.items.clear();
        (self.error, self.total) = (0, 0);
    }

    /// By how much an item may weigh more than its count says.
    pub fn error(&self) -> u64 {
        self.error
    }

    /// All weight that was added.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// All items that are known, in no order.
    pub fn items(&self) -> impl Iterator<Item = (&K, &Item<T>)> {
        self.items.iter()
    }

    /// The items that weigh most, heaviest first.
    pub fn heaviest(&self, most: usize) -> Vec<(&K, &Item<T>)>
    where
        K: Ord,
    {
        let mut all: Vec<_> = self.items.iter().collect();
        all.sort_unstable_by(|one, other| other.1.weight.cmp(&one.1.weight).then_with(|| one.0.cmp(other.0)));
        all.truncate(most);
        all
    }

    #[cold]
    fn purge(&mut self) {
        self.weights.clear();
        self.weights.extend(self.items.values().map(|item| item.weight));
        let middle = self.weights.len() / 2;
        let (_, &mut median, _) = self.weights.select_nth_unstable(middle);
        self.items.retain(|_, item| {
            item.weight = item.weight.saturating_sub(median);
            item.weight > 0
        });
        self.error += median;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn add(sketch: &mut Frequent<u64, u64>, key: u64, weight: u64) {
        sketch.add(&key, weight, |&key| Ok(key), |note| *note += 1).unwrap();
    }

    #[test]
    fn counts_are_exact_while_there_is_room() {
        let mut sketch = Frequent::new(4).unwrap();
        for key in [1, 2, 1, 3, 1, 2, 4] {
            add(&mut sketch, key, 10);
        }
        assert_eq!((sketch.error(), sketch.total()), (0, 70));
        let heaviest: Vec<_> =
            sketch.heaviest(2).into_iter().map(|(&key, item)| (key, item.weight, item.note)).collect();
        assert_eq!(heaviest, [(1, 30, 3), (2, 20, 2)]);
    }

    #[test]
    fn every_weight_is_between_its_count_and_that_and_the_error() {
        for seed in 1..20_u64 {
            let room = 64;
            let (mut random, mut exact) = (seed, HashMap::<u64, u64>::new());
            let mut parts: Vec<_> = (0..3).map(|_| Frequent::new(room).unwrap()).collect();
            for n in 0..30_000_usize {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Popular keys among many that come once or twice.
                let key = if random >> 62 == 0 { (random >> 40) % 20_000 } else { ((random >> 40) % 40).pow(2) % 40 };
                let weight = 1 + (random >> 33) % 5;
                *exact.entry(key).or_default() += weight;
                add(&mut parts[n % 3], key, weight);
            }
            let mut sketch = parts.pop().unwrap();
            for part in &parts {
                sketch.merge(part, |own, other| *own += other).unwrap();
            }
            let total: u64 = exact.values().sum();
            assert_eq!(sketch.total(), total, "seed {seed}");
            assert!(sketch.error() > 0 && sketch.error() <= 3 * total * 2 / room as u64, "seed {seed}");
            for (key, &weight) in &exact {
                let count = sketch.items.get(key).map_or(0, |item| item.weight);
                assert!(count <= weight && weight <= count + sketch.error(), "seed {seed}, {key}: {count} of {weight}");
            }
            assert!(sketch.items.len() <= room);
        }
    }
}
