//! Globs over keys, with the meaning that they have in Redis.
//!
//! | in a glob | matches |
//! |---|---|
//! | `*` | any text, also none |
//! | `?` | one character |
//! | `[a-cx]` | one of these; a range may be written from either end |
//! | `[^a-cx]` | one character that is none of these |
//! | `\` and a character | that character, in brackets too |
//!
//! Brackets that are not closed end with the glob, and a last `\` is itself, as in Redis. A character is a code point
//! where Redis takes a byte, so `?` matches `é`; a lone surrogate is one, too. Keys that are no strings match nothing.
//! In a map that ignores case, globs do as well: a range stands for all that differ from its characters in case only.
//!
//! **Linear time.** A matcher that goes back to the last `*` whenever it is stuck takes the product of both lengths,
//! and one that does so for each `*` takes ages. This one keeps the set of all positions of the glob that the
//! characters read so far can have led to, as bits, and moves all of them at once with each character: `keep = set &
//! loops`, `step = (set & allowed(character)) << 1`. That is "Shift-And" (Baeza-Yates and Gonnet, "A new approach to
//! text searching", 1992) with a loop at each `*`. What a character allows is looked up: code points fall into
//! intervals that no part of the glob tells apart, and each interval has a mask.
//!
//! Most globs begin with plain text and most keys differ there already, so that is compared first, as bytes.

use super::key::{Key, KeyKind};
use super::{characters, folding};
use crate::store::error::Error;
use crate::store::platform::fallible;

/// Characters of the longest glob. Longer ones would make the masks large, and none was ever asked for.
pub const MAX_GLOB_CHARACTERS: usize = 1_024;

const BITS: usize = u64::BITS as usize;
/// Code points, those of surrogates included.
const CODE_POINTS: u32 = 0x11_0000;
/// Code points whose interval stands in a table.
const TABLE: usize = 128;

/// A glob, ready to be compared with keys.
#[derive(Debug)]
pub struct Glob {
    /// The plain text that it begins with, as UTF-8.
    prefix: Vec<u8>,
    /// Characters of that.
    prefix_characters: usize,
    rest: Rest,
    /// Whether it was folded, as keys have to be then.
    folds: bool,
}

/// What follows the plain text.
#[derive(Debug)]
enum Rest {
    /// Nothing.
    End,
    /// Anything.
    Anything,
    /// What an automaton says.
    Automaton(Box<Automaton>),
}

/// The positions of a glob are the places before each of its characters, and the end. `words` words hold one bit for
/// each.
#[derive(Debug)]
struct Automaton {
    words: usize,
    /// The end of the glob.
    end: usize,
    /// Positions with a `*`, at which any character may stay.
    loops: Vec<u64>,
    /// Where each interval of code points begins, in order; the first is 0.
    starts: Vec<u32>,
    /// The interval of each of the first code points.
    table: [u16; TABLE],
    /// For each interval, from which positions its characters lead on.
    allowed: Vec<u64>,
    /// The positions that have been reached, and those that are next.
    reached: Vec<u64>,
}

/// What one character of a key may be.
#[derive(Debug, Default)]
struct Class {
    /// Code points, each with the last of its range.
    ranges: Vec<(u32, u32)>,
    is_negated: bool,
}

/// The parts of a glob.
#[derive(Debug)]
enum Part {
    Any,
    One(Class),
}

impl Class {
    fn of(character: u32) -> Self {
        Self { ranges: vec![(character, character)], is_negated: false }
    }

    /// The one character that it is, if it is plain.
    fn plain(&self) -> Option<char> {
        match self.ranges[..] {
            [(first, last)] if first == last && !self.is_negated => char::from_u32(first),
            _ => None,
        }
    }

    /// Adds what its characters become when they are folded. What they were stays, and no folded text has it.
    fn fold(&mut self) {
        for at in 0..self.ranges.len() {
            let (first, last) = self.ranges[at];
            if first == last {
                self.ranges[at] = (folding::fold(first), folding::fold(first));
                continue;
            }
            let all = folding::folded_characters();
            let from = all.partition_point(|&(character, _)| character < first);
            for &(_, folded) in all[from..].iter().take_while(|&&(character, _)| character <= last) {
                let is_there = (first..=last).contains(&folded);
                match self.ranges.last_mut() {
                    _ if is_there => {}
                    Some((_, end)) if *end + 1 == folded => *end = folded,
                    _ => self.ranges.push((folded, folded)),
                }
            }
        }
    }
}

impl Part {
    fn fold(&mut self) {
        if let Self::One(class) = self {
            class.fold();
        }
    }
}

impl Glob {
    /// Reads a glob from a string, as a key holds one. At most [`MAX_GLOB_CHARACTERS`].
    pub fn new(pattern: Key<'_>) -> Result<Self, Error> {
        Self::in_case(pattern, false)
    }

    /// The same for keys that are the same if they differ in case only, if `folds`.
    pub fn in_case(pattern: Key<'_>, folds: bool) -> Result<Self, Error> {
        let mut characters = fallible::vec(MAX_GLOB_CHARACTERS)?;
        let mut is_too_long = false;
        characters::each(pattern, |character| {
            is_too_long = characters.len() == MAX_GLOB_CHARACTERS;
            if !is_too_long {
                characters.push(character);
            }
            !is_too_long
        });
        if is_too_long {
            let allowed = format!("a glob of at most {MAX_GLOB_CHARACTERS} characters");
            return Err(Error::InvalidOption { option: "match", given: "a longer one".to_owned(), allowed });
        }
        let mut parts = parse(&characters);
        if folds {
            parts.iter_mut().for_each(Part::fold);
        }
        // The bytes of a key are not those of a folded one.
        let plain = |part: &Part| if let Part::One(class) = part { class.plain().filter(|_| !folds) } else { None };
        let prefix: String = parts.iter().map_while(plain).collect();
        let prefix_characters = prefix.chars().count();
        let rest = match parts[prefix_characters..] {
            [] => Rest::End,
            [Part::Any] => Rest::Anything,
            _ => Rest::Automaton(fallible::boxed(Automaton::new(&parts)?)?),
        };
        Ok(Self { prefix: prefix.into_bytes(), prefix_characters, rest, folds })
    }

    /// Bytes that each string begins with that it matches, as UTF-8. None where it ignores case, since keys do not.
    pub fn beginning(&self) -> &[u8] {
        if self.folds { &[] } else { &self.prefix }
    }

    /// Whether a key is a string that the glob matches.
    pub fn matches(&mut self, key: Key<'_>) -> bool {
        match key.kind() {
            KeyKind::String => {
                let Some(tail) = key.bytes().strip_prefix(&self.prefix[..]) else { return false };
                match &mut self.rest {
                    Rest::End => tail.is_empty(),
                    Rest::Anything => true,
                    Rest::Automaton(automaton) => {
                        automaton.matches(self.prefix_characters, Key::new(KeyKind::String, tail), self.folds)
                    }
                }
            }
            KeyKind::Utf16 => {
                let prefix = self.prefix.utf8_chunks().flat_map(|chunk| chunk.valid().encode_utf16());
                let mut units = key.bytes().chunks_exact(2);
                let is_prefixed =
                    prefix.into_iter().all(|unit| units.next().is_some_and(|pair| pair == unit.to_le_bytes()));
                match &mut self.rest {
                    Rest::End => is_prefixed && units.len() == 0,
                    Rest::Anything => is_prefixed,
                    Rest::Automaton(automaton) => automaton.matches(0, key, self.folds),
                }
            }
            _ => false,
        }
    }
}

/// The parts of a glob; no two `*` follow each other.
fn parse(glob: &[u32]) -> Vec<Part> {
    let (mut parts, mut rest) = (Vec::new(), glob);
    let is = |rest: &[u32], character: char| rest.first() == Some(&character.into());
    while let [first, tail @ ..] = rest {
        rest = tail;
        parts.push(match char::from_u32(*first) {
            Some('*') => {
                while is(rest, '*') {
                    rest = &rest[1..];
                }
                Part::Any
            }
            Some('?') => Part::One(Class { is_negated: true, ..Class::default() }),
            Some('[') => Part::One(parse_class(&mut rest)),
            Some('\\') if !rest.is_empty() => {
                let escaped = rest[0];
                rest = &rest[1..];
                Part::One(Class::of(escaped))
            }
            _ => Part::One(Class::of(*first)),
        });
    }
    parts
}

/// What stands in brackets; `rest` begins behind the first one.
fn parse_class(rest: &mut &[u32]) -> Class {
    let mut class = Class::default();
    if let [first, tail @ ..] = *rest
        && *first == u32::from('^')
    {
        (class.is_negated, *rest) = (true, tail);
    }
    loop {
        match **rest {
            [] => return class,
            [backslash, escaped, ref tail @ ..] if backslash == u32::from('\\') => {
                class.ranges.push((escaped, escaped));
                *rest = tail;
            }
            [bracket, ref tail @ ..] if bracket == u32::from(']') => {
                *rest = tail;
                return class;
            }
            [first, dash, last, ref tail @ ..] if dash == u32::from('-') => {
                class.ranges.push((first.min(last), first.max(last)));
                *rest = tail;
            }
            [one, ref tail @ ..] => {
                class.ranges.push((one, one));
                *rest = tail;
            }
        }
    }
}

impl Automaton {
    fn new(parts: &[Part]) -> Result<Self, Error> {
        let classes = || parts.iter().filter_map(|part| if let Part::One(class) = part { Some(class) } else { None });
        let end = classes().count();
        let words = end / BITS + 1;
        let mut loops = fallible::vec(words)?;
        loops.resize(words, 0);
        let mut position = 0;
        for part in parts {
            match part {
                Part::Any => set(&mut loops, position),
                Part::One(_) => position += 1,
            }
        }
        let ranges: usize = classes().map(|class| class.ranges.len()).sum();
        let mut starts = fallible::vec(2 * ranges + 1)?;
        starts.push(0);
        let edges = classes().flat_map(|class| &class.ranges).flat_map(|&(first, last)| [first, last + 1]);
        starts.extend(edges.filter(|&edge| edge < CODE_POINTS));
        starts.sort_unstable();
        starts.dedup();
        let mut allowed = fallible::vec(starts.len() * words)?;
        allowed.resize(starts.len() * words, 0);
        let mut members = fallible::vec(starts.len())?;
        for (position, class) in classes().enumerate() {
            members.clear();
            members.resize(starts.len(), class.is_negated);
            for &(first, last) in &class.ranges {
                let from = starts.partition_point(|&start| start < first);
                let to = starts.partition_point(|&start| start <= last);
                members[from..to].fill(!class.is_negated);
            }
            for interval in members.iter().enumerate().filter_map(|(interval, &is)| is.then_some(interval)) {
                set(&mut allowed[interval * words..][..words], position);
            }
        }
        let table = std::array::from_fn(|code_point| interval_of(&starts, code_point as u32) as u16);
        let mut reached = fallible::vec(words)?;
        reached.resize(words, 0);
        Ok(Self { words, end, loops, starts, table, allowed, reached })
    }

    /// Whether a text leads from a position to the end.
    fn matches(&mut self, position: usize, text: Key<'_>, folds: bool) -> bool {
        self.reached.fill(0);
        set(&mut self.reached, position);
        characters::each(text, |character| {
            let character = if folds { folding::fold(character) } else { character };
            let interval = match self.table.get(character as usize) {
                Some(&interval) => interval as usize,
                None => interval_of(&self.starts, character),
            };
            let allowed = &self.allowed[interval * self.words..][..self.words];
            let (mut carry, mut any) = (0, 0);
            for ((reached, loops), allowed) in self.reached.iter_mut().zip(&self.loops).zip(allowed) {
                let moved = *reached & allowed;
                *reached = moved << 1 | carry | *reached & loops;
                carry = moved >> (BITS - 1);
                any |= *reached;
            }
            any != 0
        });
        self.reached[self.end / BITS] >> (self.end % BITS) & 1 != 0
    }
}

fn interval_of(starts: &[u32], code_point: u32) -> usize {
    starts.partition_point(|&start| start <= code_point) - 1
}

fn set(words: &mut [u64], bit: usize) {
    words[bit / BITS] |= 1 << (bit % BITS);
}

#[cfg(all(test, not(loom)))]
mod tests;
