//! Queries: which entries are asked for, as plain JSON.
//!
//! ```text
//! query  = { "key": glob, "where": where }                      both may be missing
//! where  = { pointer: test, …, "and": [where, …], "or": [where, …], "not": where }    all of them
//! test   = operators | a value that is no object, which means eq
//! operators = { "eq" "ne" "gt" "gte" "lt" "lte" "in" "startsWith" "contains" "exists": operand, … }    all of them
//! ```
//!
//! `parse` reads a query and says where it is wrong; `value` finds what a pointer leads to in a value, in whichever way
//! that is stored, and asks the operators about it; `shapes` remembers where in records that is; `text` looks into
//! texts, `prefix` at the beginnings of keys.
//! Equality is that of `compareAndSet` (`entry/equality.rs`). `job` asks a query of a whole map, beside the threads of
//! the program; `sweep` is how it goes over the entries. `distribution` counts what a map is made of, as a job of its
//! own.
//!
//! **Meaning.** Where a pointer leads nowhere, `ne` and `not` hold and every other test fails. Values of different
//! types are neither equal nor ordered. Numbers are compared as numbers and texts by their code units, as JavaScript
//! does. `contains` looks for an equal element in an array, and for a part in a text.

pub mod distribution;
pub mod job;
mod parse;
mod prefix;
pub mod reply;
mod shapes;
mod sweep;
mod text;
mod value;

use self::parse::{Operator, Test, Where};
use self::prefix::Prefix;
use self::shapes::Shapes;
use self::value::Document;
use crate::store::entry::fields::Layout;
use crate::store::entry::glob::Glob;
use crate::store::entry::key::Key;
use crate::store::entry::value::ValueKind;
use crate::store::error::Error;
use crate::store::map::store::Store;

pub use parse::{Fault, MAX_CONDITIONS, MAX_DEPTH, MAX_QUERY_BYTES, NoQuery};

/// A query, ready to be asked of entries.
#[derive(Debug, Default)]
pub struct Query {
    keys: Keys,
    condition: Option<Where>,
    effort: Effort,
    shapes: Shapes,
}

/// Which keys are asked for.
#[derive(Debug, Default)]
enum Keys {
    #[default]
    All,
    Glob(Glob),
    Prefix(Prefix),
}

/// What a look at an entry takes, in bytes of which each is looked at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    least: usize,
    per_key_byte: usize,
    per_value_byte: usize,
}

impl Effort {
    /// With a key and a value of so many bytes.
    #[must_use]
    pub fn of(self, key: usize, value: usize) -> usize {
        let per = |bytes: usize, each: usize| bytes.saturating_mul(each);
        per(key, self.per_key_byte).saturating_add(per(value, self.per_value_byte)).saturating_add(self.least)
    }
}

/// Why an entry could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is a record of a shape that the query has not learnt; the caller finds out what it means, or reads the entry
    /// again.
    Shape(u32),
    /// Its bytes are none of its kind.
    Malformed,
    /// There is no memory for what looking at it needs.
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
}

impl Query {
    /// Reads a query from its JSON text.
    pub fn parse(text: &[u8]) -> Result<Self, NoQuery> {
        parse::query(text, false)
    }

    /// The same for a map, of whose keys it knows whether their case matters.
    pub fn parse_for(store: &Store, text: &[u8]) -> Result<Self, NoQuery> {
        parse::query(text, store.ignores_case())
    }

    /// A query for keys of a map that begin with a text, which is given as a key.
    pub fn of_prefix(store: &Store, prefix: Key<'_>) -> Result<Self, Error> {
        let keys = Keys::Prefix(Prefix::new(prefix, store.ignores_case())?);
        Ok(Self { keys, effort: Effort { per_key_byte: 1, ..Effort::default() }, ..Self::default() })
    }

    /// What it takes.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Learns what a shape means. Numbers of shapes are used once, so it stays true.
    pub fn learn(&mut self, shape: u32, layout: Layout) {
        self.shapes.add(shape, layout, self.condition.as_ref());
    }

    /// Forgets all shapes.
    pub fn forget_shapes(&mut self) {
        self.shapes.clear();
    }

    /// Whether an entry of this key may be one that is asked for.
    #[inline]
    pub fn is_of_key(&mut self, key: Key<'_>) -> bool {
        match &mut self.keys {
            Keys::All => true,
            Keys::Glob(glob) => glob.matches(key),
            Keys::Prefix(prefix) => prefix.begins(key),
        }
    }

    /// Whether an entry is one that is asked for.
    #[inline]
    pub fn matches(&mut self, key: Key<'_>, kind: ValueKind, bytes: &[u8]) -> Result<bool, Unread> {
        if !self.is_of_key(key) {
            return Ok(false);
        }
        let Some(condition) = &self.condition else { return Ok(true) };
        let document = Document::of(kind, bytes, &self.shapes)?;
        Ok(match condition {
            Where::Test(test) => test.holds(&document)?,
            condition => holds(condition, &document)?,
        })
    }
}

fn holds(condition: &Where, document: &Document<'_>) -> Result<bool, Error> {
    let all = |conditions: &[Where], expected: bool| {
        for condition in conditions {
            if holds(condition, document)? != expected {
                return Ok(!expected);
            }
        }
        Ok(expected)
    };
    match condition {
        Where::And(conditions) => all(conditions, true),
        Where::Or(conditions) => all(conditions, false),
        Where::Not(condition) => holds(condition, document).map(|holds| !holds),
        Where::Test(test) => test.holds(document),
    }
}

impl Test {
    /// Whether all its operators hold.
    #[inline]
    fn holds(&self, document: &Document<'_>) -> Result<bool, Error> {
        if let Some(number) = document.number(self.number) {
            return self.all(|operator| operator.holds_for(number));
        }
        document.find(self.number, &self.pointer, |found| match found {
            Some(value) => self.all(|operator| operator.holds(value)),
            None => self.all(|operator| Ok(matches!(operator, Operator::Ne(_) | Operator::Exists(false)))),
        })
    }

    #[inline]
    fn all(&self, holds: impl Fn(&Operator) -> Result<bool, Error>) -> Result<bool, Error> {
        for operator in &self.operators {
            if !holds(operator)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
