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
    ghosts: VecDeque<u64>,
    /// Frequency of every key ever seen, halved in turns.
    frequencies: HashMap<u64, u32>,
    counted: usize,
    evicts: bool,
}

impl Naive {
    pub fn new(kind: PolicyKind, capacity: usize) -> Self {
        let (main, small, ghosts, frequencies) = (Vec::new(), Vec::new(), VecDeque::new(), HashMap::new());
        Self { kind, capacity, main, small, hand: None, ghosts, frequencies, counted: 0, evicts: false }
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
        let ghost = self.ghosts.iter().position(|&ghost| ghost == key);
        if let Some(at) = ghost {
            self.ghosts.remove(at);
        }
        let fills = !self.evicts && self.small.len() >= self.small_share();
        let queue = if ghost.is_some() || fills { &mut self.main } else { &mut self.small };
        queue.push(Entry::new(key, 0));
    }

    fn evict(&mut self) -> u64 {
        self.evicts = true;
        match self.kind {
            PolicyKind::Lru | PolicyKind::Fifo | PolicyKind::Ttl => self.main.remove(0).key,
            PolicyKind::Sieve => self.evict_sieve(),
            PolicyKind::Lfu => self.evict_lfu(),
            PolicyKind::S3Fifo | PolicyKind::WTinyLfu => self.evict_queues(),
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
        (self.capacity / 10).max(1)
    }

    fn evict_queues(&mut self) -> u64 {
        let has_duels = self.kind == PolicyKind::WTinyLfu;
        let passing_hits = if has_duels { super::super::w_tiny_lfu::PASSING_HITS } else { 1 };
        while self.small.len() >= self.small_share() || self.main.is_empty() {
            let mut entry = self.small.remove(0);
            let hits = std::mem::take(&mut entry.marks);
            self.count(entry.key, hits);
            entry.worth = 0;
            if hits > passing_hits {
                self.main.push(entry);
                if self.main.len() > self.capacity - self.small_share() {
                    return self.evict_main();
                }
                continue;
            }
            if has_duels && !self.main.is_empty() {
                let resident = self.evict_main();
                if self.frequency(entry.key) >= self.frequency(resident) + super::super::w_tiny_lfu::LEAD {
                    self.main.push(entry);
                    return resident;
                }
                self.main.insert(0, Entry::new(resident, 0));
            }
            let ghosts = if has_duels {
                self.capacity * super::super::w_tiny_lfu::GHOST_PERCENT / 100
            } else {
                self.capacity - self.small_share()
            };
            self.ghosts.push_back(entry.key);
            while self.ghosts.len() > ghosts {
                self.ghosts.pop_front();
            }
            return entry.key;
        }
        self.evict_main()
    }

    fn evict_main(&mut self) -> u64 {
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
