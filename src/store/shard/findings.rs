//! What a validation finds: problems, and bytes and entries counted anew.

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
#[derive(Debug, Default)]
pub struct Recount {
    by_use: [usize; Use::ALL.len()],
    pub entries: u64,
}

impl Recount {
    /// Bytes by what they are used for, in the order of [`Use::ALL`].
    pub fn by_use(&self) -> &[usize] {
        &self.by_use
    }

    /// Adds bytes.
    pub fn add(&mut self, what: Use, bytes: usize) {
        self.by_use[what as usize] += bytes;
    }
}
