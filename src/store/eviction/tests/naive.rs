//! Policies written for clarity: over keys, in vectors from old to new, with exact ghosts and exact frequencies.

use std::collections::{HashMap, VecDeque};

use super::super::PolicyKind;

/// A resident entry.
struct Entry {
    key: u64,
    /// Hits that the policy has not looked at.
    marks: u32,
    /// LFU: frequency as far as learned. Queues: lives.
    worth: u32,
}

impl Entry {
    fn new(key: u64, worth: u32) -> Self {
        Self { key, marks: 0, worth }
    }
}

/// A naive shard.
pub struct Naive {
    kind: PolicyKind,
    capacity: usize,
    /// All entries, or those of the main queue.
    main: Vec<Entry>,
    /// The small queue, or the window.
    small: Vec<Entry>,
    /// SIEVE: key that the hand points to.
    hand: Option<u64>,
    /// Keys that were evicted, and whether from the main queue.
    ghosts: VecDeque<(u64, bool)>,
    /// W-TinyLFU: the window's share, and evictions lately, of newcomers and of the main queue.
    window: f64,
    evictions: [usize; 2],
    /// Frequency of every key ever seen, halved in turns.
    frequencies: HashMap<u64, u32>,
    counted: usize,
    evicts: bool,
}

impl Naive {
    pub fn new(kind: PolicyKind, capacity: usize) -> Self {
        let (main, small, ghosts, frequencies) = (Vec::new(), Vec::new(), VecDeque::new(), HashMap::new());
        let (window, evictions, hand) = (0.05, [1, 1], None);
        Self { kind, capacity, main, small, hand, ghosts, window, evictions, frequencies, counted: 0, evicts: false }
    }

    pub fn request(&mut self, key: u64) -> (bool, Option<u64>) {
        if let Some(at) = self.main.iter().position(|entry| entry.key == key) {
            if self.kind == PolicyKind::Lru {
                let entry = self.main.remove(at);
                self.main.push(entry);
            } else {
                self.main[at].marks = (self.main[at].marks + 1).min(255);
            }
            return (true, None);
        }
        if let Some(entry) = self.small.iter_mut().find(|entry| entry.key == key) {
            entry.marks = (entry.marks + 1).min(255);
            return (true, None);
        }
        let is_full = self.main.len() + self.small.len() == self.capacity;
        let evicted = is_full.then(|| self.evict());
        self.insert(key);
        (false, evicted)
    }

    pub fn leave(&mut self, key: u64) -> bool {
        let Some(at) = self.main.iter().position(|entry| entry.key == key) else { return false };
        if self.hand == Some(key) {
            self.hand = self.main.get(at + 1).map(|entry| entry.key);
        }
        self.main.remove(at);
        true
    }

    fn insert(&mut self, key: u64) {
        if !matches!(self.kind, PolicyKind::S3Fifo | PolicyKind::WTinyLfu) {
            self.main.push(Entry::new(key, 1));
            return;
        }
        self.count(key, 1);
        let ghost = self.ghosts.iter().position(|&(ghost, _)| ghost == key).and_then(|at| self.ghosts.remove(at));
        if let Some((_, from_main)) = ghost {
            let [newcomers, residents] = self.evictions;
            let (kind, sign) = if from_main { (residents, -1.0) } else { (newcomers, 1.0) };
            let weight = ((newcomers + residents) as f64 / kind as f64).min(20.0);
            self.window = (self.window + sign * weight / self.capacity.max(256) as f64).clamp(0.01, 0.8);
        }
        let fills = !self.evicts && self.small.len() >= self.small_share();
        let was_newcomer = matches!(ghost, Some((_, false)));
        let queue = if was_newcomer || fills { &mut self.main } else { &mut self.small };
        queue.push(Entry::new(key, 0));
    }

    fn remember(&mut self, key: u64, from_main: bool) {
        if self.kind == PolicyKind::S3Fifo && from_main {
            return;
        }
        let ghosts = if self.kind == PolicyKind::S3Fifo {
            self.capacity - self.small_share()
        } else {
            self.capacity * super::super::w_tiny_lfu::GHOST_PERCENT / 100
        };
        self.ghosts.push_back((key, from_main));
        while self.ghosts.len() > ghosts {
            self.ghosts.pop_front();
        }
        self.evictions[usize::from(from_main)] += 1;
        if self.evictions[0] + self.evictions[1] > 2 * self.capacity {
            self.evictions = self.evictions.map(|count| (count / 2).max(1));
        }
    }

    fn evict(&mut self) -> u64 {
        self.evicts = true;
        match self.kind {
            PolicyKind::Lru => self.main.remove(0).key,
            PolicyKind::Sieve => self.evict_sieve(),
            PolicyKind::Lfu => self.evict_lfu(),
            PolicyKind::S3Fifo | PolicyKind::WTinyLfu => self.evict_queues(),
            kind => unreachable!("{kind:?} is not replayed here"),
        }
    }

    fn evict_sieve(&mut self) -> u64 {
        let hand = self.hand.and_then(|key| self.main.iter().position(|entry| entry.key == key));
        let mut at = hand.unwrap_or(0);
        while self.main[at].marks > 0 {
            self.main[at].marks = 0;
            at = (at + 1) % self.main.len();
        }
        self.hand = self.main.get(at + 1).map(|entry| entry.key);
        self.main.remove(at).key
    }

    fn evict_lfu(&mut self) -> u64 {
        loop {
            let lowest = (0..self.main.len()).min_by_key(|&at| self.main[at].worth).unwrap();
            if self.main[lowest].marks == 0 {
                return self.main.remove(lowest).key;
            }
            // It moves up as the newest of its new frequency: to the end.
            let mut entry = self.main.remove(lowest);
            entry.worth += std::mem::take(&mut entry.marks);
            self.main.push(entry);
        }
    }

    fn small_share(&self) -> usize {
        let share = if self.kind == PolicyKind::WTinyLfu { self.window } else { 0.1 };
        ((self.capacity as f64 * share) as usize).max(1)
    }

    fn evict_queues(&mut self) -> u64 {
        let has_duels = self.kind == PolicyKind::WTinyLfu;
        while self.small.len() >= self.small_share() || self.main.is_empty() {
            let mut entry = self.small.remove(0);
            let hits = std::mem::take(&mut entry.marks);
            self.count(entry.key, hits);
            entry.worth = 0;
            if hits > 1 {
                self.main.push(entry);
                if self.main.len() > self.capacity - self.small_share() {
                    break;
                }
                continue;
            }
            if has_duels && !self.main.is_empty() {
                let resident = self.oldest_of_main();
                if self.frequency(entry.key) >= self.frequency(resident) + super::super::w_tiny_lfu::LEAD {
                    self.main.push(entry);
                    self.remember(resident, true);
                    return resident;
                }
                self.main.insert(0, Entry::new(resident, 0));
            }
            self.remember(entry.key, false);
            return entry.key;
        }
        let resident = self.oldest_of_main();
        self.remember(resident, true);
        resident
    }

    /// Takes out the oldest entry of the main queue without lives.
    fn oldest_of_main(&mut self) -> u64 {
        loop {
            let mut entry = self.main.remove(0);
            let hits = std::mem::take(&mut entry.marks);
            self.count(entry.key, hits);
            let lives = (entry.worth + hits).min(3);
            if lives == 0 {
                return entry.key;
            }
            entry.worth = lives - 1;
            self.main.push(entry);
        }
    }

    fn count(&mut self, key: u64, times: u32) {
        let frequency = self.frequencies.entry(key).or_insert(0);
        let raised = times.min(15 - *frequency);
        *frequency += raised;
        self.counted += raised as usize;
        if self.counted >= super::super::frequencies::AGING_PERIOD * self.capacity {
            self.counted = 0;
            self.frequencies.values_mut().for_each(|frequency| *frequency /= 2);
        }
    }

    fn frequency(&self, key: u64) -> u32 {
        self.frequencies.get(&key).copied().unwrap_or(0)
    }
}
