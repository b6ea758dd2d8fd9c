//! Each policy, replayed against a naive version of itself.
//!
//! The properties:
//!
//! * FIFO, LRU, SIEVE and LFU evict exactly what their naive versions evict, request for request, whatever is removed
//!   in between. SIEVE, LFU and what follows learn of hits without order.
//! * S3-FIFO and W-TinyLFU hit as often as naive versions with exact ghosts and exact frequencies do, within a point.
//! * W-TinyLFU, the default, is far above LRU on loops and scans, and never two points below it elsewhere.
//! * What a policy foresees is what it evicts.
//! * Whatever is inserted, hit, removed and evicted, a victim is an entry, candidates are different entries, no
//!   eviction looks at more than a bounded number of entries, and all memory comes back.

mod foreseen;
mod naive;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use self::naive::Naive;
use super::super::error::Error;
use super::{Access, MAX_LOOKS, Mark, Policy, PolicyKind, history_room, make};
use crate::store::memory::budget::{Memory, Use};
use crate::store::platform::clock::Clock;
use crate::store::platform::sync::Arc;

const ALL: [PolicyKind; 5] =
    [PolicyKind::Lru, PolicyKind::Lfu, PolicyKind::Sieve, PolicyKind::S3Fifo, PolicyKind::WTinyLfu];

/// The policy itself, of a kind that has one.
fn policy_of(kind: PolicyKind, memory: &Arc<Memory>) -> Box<dyn Policy> {
    make(kind, memory, &Clock::manual()).unwrap()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash_of(self.0)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A hash as the map's would be.
fn hash_of(key: u64) -> u64 {
    let mixed = (key ^ key >> 30).wrapping_add(0x632b_e59b_d9b4_e019).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Marks by slot, and how often the policy asked.
#[derive(Default)]
struct Marks {
    counts: RefCell<Vec<u32>>,
    looks: Cell<usize>,
}

impl Marks {
    fn set(&self, slot: u32, count: u32) {
        let mut counts = self.counts.borrow_mut();
        if counts.len() <= slot as usize {
            counts.resize(slot as usize + 1, 0);
        }
        counts[slot as usize] = count;
    }
}

impl Access for Marks {
    fn take(&self, slot: u32) -> u32 {
        self.looks.set(self.looks.get() + 1);
        std::mem::take(&mut self.counts.borrow_mut()[slot as usize])
    }

    fn peek(&self, slot: u32) -> u32 {
        self.counts.borrow()[slot as usize]
    }
}

/// One shard with its policy: keys, slots that are reused, marks.
struct Shard {
    policy: Box<dyn Policy>,
    slots: HashMap<u64, u32>,
    keys: HashMap<u32, u64>,
    free: Vec<u32>,
    marks: Marks,
    capacity: usize,
    kind: PolicyKind,
    memory: Arc<Memory>,
}

impl Shard {
    fn new(kind: PolicyKind, capacity: usize) -> Self {
        let memory = Arc::new(Memory::new(None));
        let policy = policy_of(kind, &memory);
        let (slots, keys, free) = (HashMap::new(), HashMap::new(), Vec::new());
        Self { policy, slots, keys, free, marks: Marks::default(), capacity, kind, memory }
    }

    /// Asks for a key and sets it after a miss. Returns whether it was there, and which key was evicted for it.
    fn request(&mut self, key: u64) -> (bool, Option<u64>) {
        if let Some(&slot) = self.slots.get(&key) {
            match self.kind.mark() {
                Mark::Order => self.policy.hit(slot),
                Mark::UpTo(limit) => self.marks.set(slot, (self.marks.peek(slot) + 1).min(limit)),
                Mark::None => {}
            }
            return (true, None);
        }
        let evicted = if self.slots.len() >= self.capacity { self.evict() } else { None };
        self.insert(key);
        (false, evicted)
    }

    fn insert(&mut self, key: u64) {
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        self.marks.set(slot, 0);
        self.slots.insert(key, slot);
        self.keys.insert(slot, key);
        self.policy.insert(slot, hash_of(key), self.capacity).unwrap();
        while self.policy.take_outgrown().is_some() {}
    }

    fn evict(&mut self) -> Option<u64> {
        let keys = &self.keys;
        let victim = self.policy.victim(&self.marks, &|slot| hash_of(keys[&slot]), self.capacity)?;
        let key = self.keys[&victim];
        self.leave(key, true);
        Some(key)
    }

    fn leave(&mut self, key: u64, was_evicted: bool) -> bool {
        let Some(slot) = self.slots.remove(&key) else { return false };
        self.keys.remove(&slot);
        self.free.push(slot);
        self.policy.remove(slot, hash_of(key), was_evicted);
        true
    }
}

/// Requests of synthetic traces by name. Keys come by popularity `1 / rank` from 2,000.
fn traces(seed: u64) -> Vec<(&'static str, Vec<u64>)> {
    let mut random = Random(seed);
    let mut sums = vec![0.0_f64];
    for rank in 1..=2_000 {
        sums.push(sums[rank - 1] + 1.0 / rank as f64);
    }
    let total = sums[2_000];
    let zipf = move |random: &mut Random| {
        let point = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * total;
        sums.partition_point(|&sum| sum <= point) as u64
    };
    let requests = 10_000;
    let plain = (0..requests).map(|_| zipf(&mut random)).collect();
    let looping = (0..requests).map(|n| n % 900).collect();
    let polluted = (0..requests).map(|n| if n % 2 == 0 { 10_000 + n } else { zipf(&mut random) }).collect();
    // Every 2,500 requests, other keys become the popular ones.
    let shifting = (0..requests).map(|n| zipf(&mut random) + n / 2_500 * 300).collect();
    vec![("zipf", plain), ("loop", looping), ("scan-polluted", polluted), ("shifting", shifting)]
}

fn hit_percent(requests: &[u64], mut is_hit: impl FnMut(u64) -> bool) -> f64 {
    let hits = requests.iter().filter(|&&key| is_hit(key)).count();
    hits as f64 * 100.0 / requests.len() as f64
}

fn policy_percent(kind: PolicyKind, capacity: usize, requests: &[u64]) -> f64 {
    let mut shard = Shard::new(kind, capacity);
    hit_percent(requests, |key| shard.request(key).0)
}

fn naive_percent(kind: PolicyKind, capacity: usize, requests: &[u64]) -> f64 {
    let mut naive = Naive::new(kind, capacity);
    hit_percent(requests, |key| naive.request(key).0)
}

#[test]
fn lru_sieve_and_lfu_evict_what_the_naive_ones_do() {
    for kind in [PolicyKind::Lru, PolicyKind::Sieve, PolicyKind::Lfu] {
        for seed in 1..=2 {
            for (name, requests) in traces(seed) {
                for capacity in [1, 10, 100, 500] {
                    let (mut shard, mut naive) = (Shard::new(kind, capacity), Naive::new(kind, capacity));
                    let mut random = Random(seed);
                    for (n, &key) in requests.iter().enumerate() {
                        let at = format!("{kind:?}, {name}, seed {seed}, capacity {capacity}, request {n}");
                        assert_eq!(shard.request(key), naive.request(key), "{at}");
                        // An entry is deleted from the middle.
                        if random.below(20) == 0 {
                            let gone = requests[random.below(n as u64 + 1) as usize];
                            assert_eq!(shard.leave(gone, false), naive.leave(gone), "{at}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn estimates_cost_s3_fifo_and_w_tiny_lfu_no_hits() {
    for kind in [PolicyKind::S3Fifo, PolicyKind::WTinyLfu] {
        for seed in 1..=2 {
            for (name, requests) in traces(seed) {
                for capacity in [20, 100, 500] {
                    let ours = policy_percent(kind, capacity, &requests);
                    let naive = naive_percent(kind, capacity, &requests);
                    let at =
                        format!("{kind:?}, {name}, seed {seed}, capacity {capacity}: {ours:.2} against {naive:.2}");
                    assert!((ours - naive).abs() < 1.0, "{at}");
                }
            }
        }
    }
}

#[test]
fn the_default_resists_loops_and_scans_and_follows_shifts() {
    for (name, requests) in traces(1) {
        for capacity in [20, 100, 300] {
            let lru = policy_percent(PolicyKind::Lru, capacity, &requests);
            let ours = policy_percent(PolicyKind::WTinyLfu, capacity, &requests);
            let least = match name {
                // All that fits but the window, of 900 keys.
                "loop" => 75.0 * capacity as f64 / 900.0,
                "scan-polluted" => lru + 2.0,
                _ => lru - 2.0,
            };
            assert!(ours >= least, "{name}, capacity {capacity}: {ours:.2}, LRU {lru:.2}");
        }
    }
}

#[test]
fn frequencies_learned_late_choose_like_frequencies_learned_at_once() {
    for (name, requests) in traces(1) {
        for capacity in [20, 100, 500] {
            let mut at_once = Shard::new(PolicyKind::Lfu, capacity);
            let exact = hit_percent(&requests, |key| {
                let slot = at_once.slots.get(&key).copied();
                if let Some(slot) = slot {
                    at_once.policy.hit(slot);
                } else {
                    at_once.request(key);
                }
                slot.is_some()
            });
            let ours = policy_percent(PolicyKind::Lfu, capacity, &requests);
            assert!((ours - exact).abs() < 0.2, "{name}, capacity {capacity}: {ours:.2} against {exact:.2}");
        }
    }
}

#[test]
fn every_victim_is_an_entry_and_all_memory_comes_back() {
    for kind in ALL {
        for seed in 1..=3 {
            let mut random = Random(seed);
            let mut shard = Shard::new(kind, 1_000);
            assert_eq!(shard.evict(), None, "{kind:?}: no entry to evict");
            for round in 0..30_000 {
                let key = random.below(3_000);
                match random.below(10) {
                    0 => drop(shard.leave(key, false)),
                    1 if shard.slots.contains_key(&key) => shard.policy.hit(shard.slots[&key]),
                    2 => {
                        // What a byte limit does: the number of entries changes, and one write evicts several.
                        shard.capacity = 1 + random.below(1_500) as usize;
                        while shard.slots.len() > shard.capacity {
                            assert!(shard.evict().is_some());
                        }
                    }
                    _ => drop(shard.request(key)),
                }
                if round % 1_000 == 0 {
                    let (mut few, mut all) = (Vec::new(), Vec::new());
                    shard.policy.candidates(10, &mut few);
                    shard.policy.candidates(usize::MAX, &mut all);
                    assert_eq!(few, all[..few.len()]);
                    assert_eq!(few.len(), shard.slots.len().min(10));
                    let different: HashSet<u32> = all.iter().copied().collect();
                    assert!(different.len() == all.len() && different.len() == shard.slots.len(), "{kind:?}");
                    assert!(all.iter().all(|slot| shard.keys.contains_key(slot)), "{kind:?}");
                }
            }
            while shard.evict().is_some() {}
            assert!(shard.slots.is_empty(), "{kind:?}: emptied by eviction");
            for key in 0..3_000 {
                shard.insert(key);
            }
            let Shard { policy, memory, .. } = shard;
            assert!(memory.total() > 0 && memory.total() == memory.used(Use::Policy));
            drop(policy);
            assert_eq!(memory.total(), 0, "{kind:?}");
        }
    }
}

#[test]
fn an_entry_costs_what_the_heads_say() {
    for (kind, most_bytes) in [
        (PolicyKind::Lru, 12.1),
        (PolicyKind::Sieve, 12.1),
        (PolicyKind::Lfu, 12.1),
        (PolicyKind::S3Fifo, 19.3),
        (PolicyKind::WTinyLfu, 20.1),
    ] {
        let capacity = 64 * 1_024;
        let mut shard = Shard::new(kind, capacity);
        for key in 0..2 * capacity as u64 {
            shard.request(key);
        }
        let bytes = shard.memory.total() as f64 / capacity as f64;
        assert!(bytes <= most_bytes, "{kind:?}: {bytes:.2} bytes per entry");
    }
}

#[test]
fn an_eviction_looks_at_a_bounded_number_of_entries() {
    for kind in ALL {
        let entries = 4 * MAX_LOOKS as u32;
        let mut shard = Shard::new(kind, entries as usize);
        for key in 0..u64::from(entries) {
            shard.insert(key);
        }
        for round in 0..10 {
            for slot in 0..entries {
                shard.marks.set(slot, 255);
            }
            shard.marks.looks.set(0);
            let evicted = shard.evict();
            assert!(evicted.is_some() && shard.marks.looks.get() <= 2 * MAX_LOOKS, "{kind:?}, round {round}");
            shard.insert(1_000_000 + round);
        }
    }
}

#[test]
fn without_memory_an_insertion_is_refused_but_history_is_only_shorter() {
    for kind in ALL {
        let links_bytes = 12 * 1_024 + 32;
        let memory = Arc::new(Memory::new(Some(links_bytes + 1_024)));
        let mut policy = policy_of(kind, &memory);
        let marks = Marks::default();
        // The first chunk of links fits, with less history than its entries would like. While a chunk grows, both its
        // old and its new nodes count, so the memory is taken by steps.
        let mut entries = 0;
        while policy.insert(entries, hash_of(u64::from(entries)), 10_000).is_ok() {
            marks.set(entries, 0);
            entries += 1;
        }
        assert!((256..=1_024).contains(&entries), "{kind:?}: {entries} entries");
        let mut all = Vec::new();
        policy.candidates(usize::MAX, &mut all);
        assert_eq!(all.len(), entries as usize, "{kind:?}: the refused entry is not known");
        assert!(matches!(policy.insert(entries, 0, 10_000), Err(Error::MemoryLimit { .. })));
        for n in 0..10_000_u64 {
            let victim = policy.victim(&marks, &|slot| u64::from(slot), 10_000).unwrap();
            policy.remove(victim, hash_of(n), true);
            policy.insert(victim, hash_of(n + 1), 10_000).unwrap();
        }
        drop(policy);
        assert_eq!(memory.total(), 0, "{kind:?}");
    }
}

#[test]
fn a_lowered_limit_resizes_what_is_remembered_a_few_times_and_not_with_each_write() {
    let (mut room, mut resized) = (1_000_000, 0);
    // Each write adds one entry and evicts two, down to a limit of 10.
    for entries in (10..1_000_000).rev() {
        if let Some(next) = history_room(room, entries, 10) {
            assert!(next < room / 4, "{next} after {room} with {entries} entries");
            (room, resized) = (next, resized + 1);
        }
    }
    assert!(room <= 1_024 && resized <= 8, "{resized} times, to {room}");
}
