//! Reads a query from its JSON text.

use serde_json::{Map, Value as Json};

use super::text::Needle;
use super::{Effort, Keys, Query};
use crate::store::entry::glob::Glob;
use crate::store::entry::key::Key;
use crate::store::entry::pattern::Pattern;
use crate::store::entry::pointer::Pointer;
use crate::store::error::Error;

/// Bytes of the longest query.
pub const MAX_QUERY_BYTES: usize = 65_536;
/// Objects and arrays inside each other.
pub const MAX_DEPTH: usize = 16;
/// Steps of the longest pointer.
const MAX_STEPS: usize = 64;
/// Operators, values that mean `eq`, and `and`, `or` and `not`.
pub const MAX_CONDITIONS: usize = 256;

const WHERE: &str = "a JSON pointer such as '/status', 'and', 'or' or 'not'";
const OPERATORS: &str = "eq, ne, gt, gte, lt, lte, in, startsWith, contains or exists";

/// Where a text is no query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer into the query.
    pub at: String,
    /// What is allowed there.
    pub allowed: String,
}

/// Why a query could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum NoQuery {
    /// It is none.
    Fault(Fault),
    /// It was refused what it needs.
    Refused(Error),
}

impl From<Error> for NoQuery {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// A condition on a value.
#[derive(Debug)]
pub enum Where {
    /// All of them.
    And(Vec<Where>),
    /// One of them.
    Or(Vec<Where>),
    /// Not this one.
    Not(Box<Where>),
    /// What a pointer leads to is as operators want it.
    Test(Test),
}

/// All operators hold for what a pointer leads to.
#[derive(Debug)]
pub struct Test {
    /// How many tests are before it in the query.
    pub number: usize,
    pub pointer: Box<[u8]>,
    pub operators: Vec<Operator>,
}

/// A test of what a pointer leads to.
#[derive(Debug)]
pub enum Operator {
    Eq(Pattern),
    Ne(Pattern),
    Gt(Ordered),
    Gte(Ordered),
    Lt(Ordered),
    Lte(Ordered),
    In(Vec<Pattern>),
    StartsWith(Needle),
    /// The element that an array has; and if that is a text, the part that a text has.
    Contains(Pattern, Option<Needle>),
    Exists(bool),
}

/// A value that others come before or after.
#[derive(Debug)]
pub enum Ordered {
    Number(f64),
    Text(Needle),
}

/// Where the parser is, and how many conditions and tests it has met.
#[derive(Default)]
struct Parser {
    path: Vec<String>,
    conditions: usize,
    tests: usize,
}

impl Where {
    /// Calls `next` with the pointer of each test, in their order.
    pub fn each_pointer(&self, next: &mut impl FnMut(Pointer<'_>)) {
        match self {
            Self::And(conditions) | Self::Or(conditions) => {
                for condition in conditions {
                    condition.each_pointer(next);
                }
            }
            Self::Not(condition) => condition.each_pointer(next),
            Self::Test(test) => next(Pointer::of(&test.pointer).unwrap_or_default()),
        }
    }
}

/// A query from its text. Its glob ignores case if the map does.
pub fn query(text: &[u8], ignores_case: bool) -> Result<Query, NoQuery> {
    let mut parser = Parser::default();
    if text.len() > MAX_QUERY_BYTES {
        return Err(parser.fault(&format!("a query of at most {MAX_QUERY_BYTES} bytes")));
    }
    let json: Json = serde_json::from_slice(text).map_err(|_| parser.fault("JSON without lone surrogates"))?;
    parser.check_depth(&json, MAX_DEPTH)?;
    let Json::Object(members) = &json else { return Err(parser.fault("an object { key, where }")) };
    let (mut keys, mut condition) = (Keys::All, None);
    let mut effort = Effort { least: text.len() / 4, ..Effort::default() };
    for (name, member) in members {
        parser.within(name, |parser| {
            match (&name[..], member) {
                ("key", Json::String(pattern)) => {
                    let allowed = "a glob of at most 1,024 characters";
                    let glob = Glob::in_case(Key::string(pattern), ignores_case);
                    keys = Keys::Glob(glob.map_err(|error| match error {
                        Error::InvalidOption { .. } => parser.fault(allowed),
                        refused => refused.into(),
                    })?);
                    effort.per_key_byte = 1 + pattern.len() / 64;
                }
                ("key", _) => return Err(parser.fault("a glob")),
                ("where", member) => condition = Some(parser.condition(member)?),
                _ => return Err(parser.fault("key or where")),
            }
            Ok(())
        })?;
    }
    effort.per_value_byte = parser.conditions + members_within(&json);
    Ok(Query { keys, condition, effort, ..Query::default() })
}

impl Parser {
    fn fault(&self, allowed: &str) -> NoQuery {
        let escaped = |token: &String| format!("/{}", token.replace('~', "~0").replace('/', "~1"));
        NoQuery::Fault(Fault { at: self.path.iter().map(escaped).collect(), allowed: allowed.to_owned() })
    }

    fn within<T>(&mut self, token: &str, parse: impl FnOnce(&mut Self) -> Result<T, NoQuery>) -> Result<T, NoQuery> {
        self.path.push(token.to_owned());
        let parsed = parse(self)?;
        self.path.pop();
        Ok(parsed)
    }

    fn check_depth(&mut self, json: &Json, depth: usize) -> Result<(), NoQuery> {
        let deeper = match json {
            Json::Array(_) | Json::Object(_) => depth.checked_sub(1),
            _ => return Ok(()),
        };
        let allowed = format!("at most {MAX_DEPTH} objects and arrays inside each other");
        let depth = deeper.ok_or_else(|| self.fault(&allowed))?;
        match json {
            Json::Array(elements) => (0..).zip(elements).try_for_each(|(index, element): (usize, _)| {
                self.within(&index.to_string(), |parser| parser.check_depth(element, depth))
            }),
            Json::Object(members) => members
                .iter()
                .try_for_each(|(name, member)| self.within(name, |parser| parser.check_depth(member, depth))),
            _ => Ok(()),
        }
    }

    /// What values are compared with.
    fn pattern(json: &Json) -> Result<Pattern, NoQuery> {
        Ok(Pattern::of_json(json.to_string().as_bytes())?)
    }

    fn count(&mut self) -> Result<(), NoQuery> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(self.fault(&format!("at most {MAX_CONDITIONS} conditions")));
        }
        Ok(())
    }

    /// What `where` is.
    fn condition(&mut self, json: &Json) -> Result<Where, NoQuery> {
        let Json::Object(members) = json else { return Err(self.fault(&format!("an object with {WHERE}"))) };
        let mut all = Vec::with_capacity(members.len());
        for (name, member) in members {
            all.push(self.within(name, |parser| parser.member(name, member))?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Where::And(all) })
    }

    fn member(&mut self, name: &str, json: &Json) -> Result<Where, NoQuery> {
        match name {
            "and" => self.conditions(json).map(Where::And),
            "or" => self.conditions(json).map(Where::Or),
            "not" => {
                self.count()?;
                Ok(Where::Not(Box::new(self.condition(json)?)))
            }
            _ => {
                if !is_pointer(name) {
                    return Err(self.fault(WHERE));
                }
                if Pointer::of(name.as_bytes()).is_some_and(|pointer| pointer.len() > MAX_STEPS) {
                    return Err(self.fault(&format!("a pointer of at most {MAX_STEPS} steps")));
                }
                let number = self.tests;
                self.tests += 1;
                let operators = match json {
                    Json::Object(members) => self.operators(members)?,
                    other => {
                        self.count()?;
                        vec![Operator::Eq(Self::pattern(other)?)]
                    }
                };
                Ok(Where::Test(Test { number, pointer: name.as_bytes().into(), operators }))
            }
        }
    }

    fn conditions(&mut self, json: &Json) -> Result<Vec<Where>, NoQuery> {
        self.count()?;
        let Json::Array(elements) = json else { return Err(self.fault("an array of conditions")) };
        let mut all = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            all.push(self.within(&index.to_string(), |parser| parser.condition(element))?);
        }
        Ok(all)
    }

    fn operators(&mut self, members: &Map<String, Json>) -> Result<Vec<Operator>, NoQuery> {
        if members.is_empty() {
            return Err(self.fault(&format!("an object with {OPERATORS}")));
        }
        let mut operators = Vec::with_capacity(members.len());
        for (name, member) in members {
            operators.push(self.within(name, |parser| parser.operator(name, member))?);
        }
        Ok(operators)
    }

    fn operator(&mut self, name: &str, json: &Json) -> Result<Operator, NoQuery> {
        self.count()?;
        let ordered = |parser: &Self| match json {
            // What no float can hold is as JavaScript reads it.
            Json::Number(number) => Ok(Ordered::Number(number.as_f64().unwrap_or(f64::INFINITY))),
            Json::String(text) => Ok(Ordered::Text(Needle::new(text))),
            _ => Err(parser.fault("a number or a text")),
        };
        Ok(match name {
            "eq" => Operator::Eq(Self::pattern(json)?),
            "ne" => Operator::Ne(Self::pattern(json)?),
            "gt" => Operator::Gt(ordered(self)?),
            "gte" => Operator::Gte(ordered(self)?),
            "lt" => Operator::Lt(ordered(self)?),
            "lte" => Operator::Lte(ordered(self)?),
            "in" => match json {
                Json::Array(elements) => Operator::In(elements.iter().map(Self::pattern).collect::<Result<_, _>>()?),
                _ => return Err(self.fault("an array of values")),
            },
            "startsWith" => match json {
                Json::String(text) => Operator::StartsWith(Needle::new(text)),
                _ => return Err(self.fault("a text")),
            },
            "contains" => Operator::Contains(Self::pattern(json)?, json.as_str().map(Needle::new)),
            "exists" => match json {
                Json::Bool(exists) => Operator::Exists(*exists),
                _ => return Err(self.fault("true or false")),
            },
            _ => return Err(self.fault(OPERATORS)),
        })
    }
}

/// Members of all objects: a look at a member of a value may go over those that it is compared with.
fn members_within(json: &Json) -> usize {
    match json {
        Json::Array(elements) => elements.iter().map(members_within).sum(),
        Json::Object(all) => all.len() + all.values().map(members_within).sum::<usize>(),
        _ => 0,
    }
}

/// Whether a text is a pointer, with ~ for nothing but `~0` and `~1`.
fn is_pointer(text: &str) -> bool {
    let is_escaped = |rest: &str| rest.starts_with(['0', '1']);
    Pointer::of(text.as_bytes()).is_some() && text.split('~').skip(1).all(is_escaped)
}
