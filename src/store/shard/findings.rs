//! What a validation finds: problems, and bytes and entries counted anew.

use crate::store::entry::shapes::counts::Tally;
use crate::store::memory::budget::Use;

/// Problems that are reported: a map that is damaged is damaged everywhere.
const MOST_PROBLEMS: usize = 100;

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The shard; `None` where it is about the map as a whole.
    pub shard: Option<u32>,
    /// The slot; `None` where it is about more than one.
    pub slot: Option<u32>,
    /// What does not fit.
    pub what: String,
}

/// Problems found so far.
#[derive(Debug, Default)]
pub struct Findings {
    problems: Vec<Problem>,
    /// The shard that is being looked at.
    pub shard: u32,
}

impl Findings {
    /// Adds a problem of the present shard.
    pub fn add(&mut self, slot: Option<u32>, what: &str) {
        self.push(Problem { shard: Some(self.shard), slot, what: what.to_owned() });
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// All of them.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Forgets those that came after so many.
    pub fn forget_after(&mut self, len: usize) {
        self.problems.truncate(len);
    }
}

/// Bytes and entries that were found.
#[derive(Debug)]
pub struct Recount {
    by_use: [usize; Use::ALL.len()],
    pub entries: u64,
    /// Shards that have entries of each shape; `None` without memory to count them.
    shards_by_shape: Option<Tally>,
}

impl Default for Recount {
    fn default() -> Self {
        Self { by_use: Default::default(), entries: 0, shards_by_shape: Some(Tally::default()) }
    }
}

impl Recount {
    /// Shards that have entries of each shape, unless there was no memory to count them.
    pub fn shards_by_shape(&self) -> Option<&Tally> {
        self.shards_by_shape.as_ref()
    }

    /// Adds a shard with what it has of each shape.
    pub fn add_shapes(&mut self, entries: &Tally) {
        let add = |mut shards: Tally| {
            let added = entries.iter().try_for_each(|(number, _)| shards.add(number));
            added.is_ok().then_some(shards)
        };
        self.shards_by_shape = self.shards_by_shape.take().and_then(add);
    }

    /// Bytes by what they are used for, in the order of [`Use::ALL`].
    pub fn by_use(&self) -> &[usize] {
        &self.by_use
    }

    /// Adds bytes.
    pub fn add(&mut self, what: Use, bytes: usize) {
        self.by_use[what as usize] += bytes;
    }
}
