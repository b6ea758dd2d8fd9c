//! The index: how its tables grew, and how far lookups go.

use serde_json::{Value as Json, json};

/// Words of tables that were looked at, and how far from their homes they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Words that lead to entries.
    pub words: u64,
    /// Words that lookups of these look at, all together.
    pub steps: u64,
    /// Those that the longest of these lookups looks at.
    pub longest: u64,
    /// Words that do not stand at home, because another one did.
    pub displaced: u64,
}

impl Probes {
    /// Adds a word that a lookup finds after so many.
    #[inline]
    pub fn add_word(&mut self, steps: u64) {
        self.words += 1;
        self.steps += steps;
        self.longest = self.longest.max(steps);
        self.displaced += u64::from(steps > 1);
    }

    /// Adds those of another table.
    pub fn add(&mut self, other: &Self) {
        self.words += other.words;
        self.steps += other.steps;
        self.longest = self.longest.max(other.longest);
        self.displaced += other.displaced;
    }

    /// Words that a lookup looks at on average.
    pub fn mean(&self) -> f64 {
        if self.words == 0 { 0.0 } else { self.steps as f64 / self.words as f64 }
    }

    /// How many of so many entries do not stand at home, as far as those tell that were looked at.
    pub fn displaced_of(&self, entries: u64) -> u64 {
        if self.words == 0 {
            return 0;
        }
        (entries as f64 * self.displaced as f64 / self.words as f64).round() as u64
    }
}

/// Tables of one shard, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IndexStats {
    /// Words of the tables that entries go to.
    pub capacity: u64,
    /// Entries that are in a table: those that have a key.
    pub keyed: u64,
    /// How often a table was replaced by a larger one.
    pub growths: u64,
    /// And by a smaller one.
    pub shrinks: u64,
    /// Shards whose words are being moved to another table.
    pub migrating: u64,
    /// Words of the tables that they are moved from, and those that were moved.
    pub moving: (u64, u64),
    /// Lookups.
    pub probes: Probes,
}

impl IndexStats {
    /// Adds those of another shard.
    pub fn add(&mut self, other: &Self) {
        self.capacity += other.capacity;
        self.keyed += other.keyed;
        self.growths += other.growths;
        self.shrinks += other.shrinks;
        self.migrating += other.migrating;
        self.moving.0 += other.moving.0;
        self.moving.1 += other.moving.1;
        self.probes.add(&other.probes);
    }

    /// Entries by key over words; 0 in an empty map.
    pub fn load_factor(&self) -> f64 {
        if self.capacity == 0 { 0.0 } else { self.keyed as f64 / self.capacity as f64 }
    }

    /// How much of the tables under way was moved, 1 if there are none.
    pub fn progress(&self) -> f64 {
        if self.moving.0 == 0 { 1.0 } else { self.moving.1 as f64 / self.moving.0 as f64 }
    }

    pub(super) fn json(&self) -> Json {
        json!({
            "meanProbe": self.probes.mean(),
            "longestProbe": self.probes.longest,
            "probesSampled": self.probes.words,
            "collisions": self.probes.displaced_of(self.keyed),
            "growths": self.growths,
            "shrinks": self.shrinks,
            "migratingShards": self.migrating,
            "migrationProgress": self.progress(),
        })
    }
}
