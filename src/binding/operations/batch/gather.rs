//! Values of a batch on their way to JavaScript, in as few pieces as possible.
//!
//! A number, a boolean, `null` and `undefined` need no JavaScript value at all: kind and number stand in the batch's
//! table. JSON texts are joined to the text of one array, which the engine parses in six tenths of the time of as many
//! texts. Short strings of a walk are joined, too, to texts of a KB: JavaScript cuts them out, and a string that it
//! keeps keeps no more than that alive. Records are put one after the other, and so are their texts. Whatever else
//! there is becomes a value of its own. Joined texts, records and values are the *cells* of the result, each in the
//! place of the first item that needs it.

use crate::binding::convert::values::{exactly, key_to_js, value_to_js};
use crate::binding::engine::{Engine, Js, Many, VALUES_PER_CALL};
use crate::binding::failure::Outcome;
use crate::binding::layout::{IN_TEXT_ALONE, IN_TEXT_BEGINS, IN_TEXT_GOES_ON, JOINED_TEXT_BYTES};
use crate::store::{KeyKind, Record, ValueKind, fallible};

/// Bytes of JSON that are joined. More would gain nothing, and a text must stay far from what a string can hold.
const JOINED_BYTES: usize = 64 * 1024;

/// Bytes of strings that are joined, and those of the longest of them. To make a string takes the engine 60 ns, to cut
/// it out of a text 10.
const TEXT_BYTES: usize = 1_024;
const LONGEST_IN_TEXT: usize = 256;

/// Bytes that may wait before cells are made of them: a batch of large values should not need all of their memory
/// twice.
const WAITING_BYTES: usize = 256 * 1024;

/// The cells of one batch.
pub struct Gathered<'s, 'm> {
    engine: Engine<'s>,
    many: &'m Many,
    /// The result, as soon as there is a cell.
    result: Option<Js<'s>>,
    /// Joined texts, one after the other.
    joined: Vec<u8>,
    /// Texts of joined strings, one after the other.
    texts: Vec<u8>,
    /// Bytes of single values, one after the other.
    single: Vec<u8>,
    /// Cells that were not made yet.
    waiting: Vec<Cell>,
    /// Which of them is the joined text that goes on.
    open: Option<usize>,
    /// Records, one after the other, and which cell they are.
    records: Vec<u8>,
    records_cell: Option<usize>,
    /// Their texts, and which cell of them goes on.
    tails: Vec<u8>,
    open_tail: Option<usize>,
    /// Which of them is the text of strings that goes on, and where it starts in `texts`.
    text: Option<(usize, usize)>,
}

enum Cell {
    /// Range in `texts`.
    Text { start: usize, end: usize },
    /// Range in `single`.
    Key { kind: KeyKind, start: usize, end: usize },
    /// Range in `joined`.
    Joined { start: usize, end: usize },
    /// All of `records`.
    Records,
    /// Range in `tails`.
    Tail { start: usize, end: usize },
    /// Range in `single`.
    Single { kind: ValueKind, start: usize, end: usize },
}

impl<'s, 'm> Gathered<'s, 'm> {
    /// No cells.
    pub fn new(engine: Engine<'s>, many: &'m Many) -> Self {
        Gathered {
            engine,
            many,
            result: None,
            joined: Vec::new(),
            texts: Vec::new(),
            records: Vec::new(),
            records_cell: None,
            tails: Vec::new(),
            open_tail: None,
            single: Vec::new(),
            waiting: Vec::new(),
            open: None,
            text: None,
        }
    }

    /// Takes the next value. Returns the number that belongs into the table, as its two words.
    #[inline]
    pub fn take(&mut self, kind: ValueKind, bytes: &[u8]) -> Outcome<Option<[u32; 2]>> {
        match kind {
            ValueKind::Undefined | ValueKind::Null | ValueKind::False | ValueKind::True => return Ok(None),
            ValueKind::Int => return Ok(Some([u32::from_le_bytes(exactly(bytes)?), 0])),
            ValueKind::Float => {
                let bits = u64::from_le_bytes(exactly(bytes)?);
                return Ok(Some([bits as u32, (bits >> 32) as u32]));
            }
            ValueKind::Json => self.join(bytes)?,
            ValueKind::Shaped => return self.take_record(bytes).map(Some),
            _ => {
                let start = self.single.len();
                fallible::append(&mut self.single, bytes)?;
                self.waiting.push(Cell::Single { kind, start, end: self.single.len() });
            }
        }
        self.make_cells_if_many()?;
        Ok(None)
    }

    /// Takes a record. Returns where it begins in its cell, which is the next one if that is 0.
    fn take_record(&mut self, bytes: &[u8]) -> Outcome<[u32; 2]> {
        let start = self.records.len();
        if self.records_cell.is_none() {
            self.records_cell = Some(self.waiting.len());
            self.waiting.push(Cell::Records);
        }
        fallible::append(&mut self.records, bytes)?;
        let tail = Record::split(bytes).map_or(&[][..], |record| record.tail);
        if !tail.is_empty() && tail.len() <= JOINED_TEXT_BYTES {
            self.join_tail(tail)?;
        }
        self.make_cells_if_many()?;
        Ok([start as u32, 0])
    }

    /// Adds the texts of a record to those that go on, if they stay short enough with them.
    fn join_tail(&mut self, tail: &[u8]) -> Outcome<()> {
        let before = self.tails.len();
        fallible::append(&mut self.tails, tail)?;
        match self.open_tail.and_then(|open| self.waiting.get_mut(open)) {
            Some(Cell::Tail { start, end }) if self.tails.len() - *start <= JOINED_TEXT_BYTES => {
                *end = self.tails.len();
            }
            _ => {
                self.open_tail = Some(self.waiting.len());
                self.waiting.push(Cell::Tail { start: before, end: self.tails.len() });
            }
        }
        Ok(())
    }

    /// The same where strings are joined. Returns where one ends in its text, and one of `IN_TEXT`.
    #[inline]
    pub fn take_of_walk(&mut self, kind: ValueKind, bytes: &[u8]) -> Outcome<Option<[u32; 2]>> {
        if kind == ValueKind::String { self.take_text(bytes).map(Some) } else { self.take(kind, bytes) }
    }

    /// Takes the next key of a walk. Returns the number that belongs into the table, or what `take_of_walk` does.
    #[inline]
    pub fn take_key(&mut self, kind: KeyKind, bytes: &[u8]) -> Outcome<Option<[u32; 2]>> {
        match kind {
            KeyKind::String => return self.take_text(bytes).map(Some),
            KeyKind::Int => return self.take(ValueKind::Int, bytes),
            KeyKind::Float => return self.take(ValueKind::Float, bytes),
            KeyKind::Keyless => return Ok(None),
            _ => {}
        }
        let start = self.single.len();
        fallible::append(&mut self.single, bytes)?;
        self.waiting.push(Cell::Key { kind, start, end: self.single.len() });
        self.make_cells_if_many()?;
        Ok(None)
    }

    #[inline]
    fn take_text(&mut self, utf8: &[u8]) -> Outcome<[u32; 2]> {
        if utf8.len() > LONGEST_IN_TEXT || !utf8.is_ascii() {
            let start = self.single.len();
            fallible::append(&mut self.single, utf8)?;
            self.waiting.push(Cell::Single { kind: ValueKind::String, start, end: self.single.len() });
            self.make_cells_if_many()?;
            return Ok([0, IN_TEXT_ALONE]);
        }
        fallible::reserve_amortised(&mut self.texts, utf8.len())?;
        let (start, place) = if let Some((_, start)) = self.text {
            (start, IN_TEXT_GOES_ON)
        } else {
            let start = self.texts.len();
            self.text = Some((self.waiting.len(), start));
            self.waiting.push(Cell::Text { start, end: start });
            (start, IN_TEXT_BEGINS)
        };
        self.texts.extend_from_slice(utf8);
        let end = self.texts.len() - start;
        if end >= TEXT_BYTES {
            self.close_text();
            self.make_cells_if_many()?;
        }
        Ok([end as u32, place])
    }

    /// Ends the text of strings that goes on.
    fn close_text(&mut self) {
        if let Some((text, _)) = self.text.take()
            && let Some(Cell::Text { end, .. }) = self.waiting.get_mut(text)
        {
            *end = self.texts.len();
        }
    }

    /// Makes cells if much waits.
    #[inline]
    fn make_cells_if_many(&mut self) -> Outcome<()> {
        let bytes = self.joined.len() + self.texts.len() + self.records.len() + self.tails.len() + self.single.len();
        if self.waiting.len() >= VALUES_PER_CALL || bytes >= WAITING_BYTES { self.make_cells() } else { Ok(()) }
    }

    #[inline]
    fn join(&mut self, text: &[u8]) -> Outcome<()> {
        // Brackets and a comma, too.
        fallible::reserve_amortised(&mut self.joined, text.len() + 2)?;
        if self.open.is_none() {
            self.open = Some(self.waiting.len());
            self.waiting.push(Cell::Joined { start: self.joined.len(), end: 0 });
            self.joined.push(b'[');
        } else {
            self.joined.push(b',');
        }
        self.joined.extend_from_slice(text);
        if self.joined.len() >= JOINED_BYTES {
            self.close();
        }
        Ok(())
    }

    /// Ends the joined text that goes on.
    fn close(&mut self) {
        if let Some(Cell::Joined { end, .. }) = self.open.take().and_then(|open| self.waiting.get_mut(open)) {
            self.joined.push(b']');
            *end = self.joined.len();
        }
    }

    fn make_cells(&mut self) -> Outcome<()> {
        self.close();
        self.close_text();
        (self.records_cell, self.open_tail) = (None, None);
        if self.waiting.is_empty() {
            return Ok(());
        }
        let result = match self.result {
            Some(result) => result,
            None => *self.result.insert(self.engine.array()?),
        };
        self.engine.scoped(|engine| {
            let cells = self.waiting.iter().map(|cell| match *cell {
                Cell::Joined { start, end } => engine.text(&self.joined[start..end]),
                Cell::Text { start, end } => engine.text(&self.texts[start..end]),
                Cell::Key { kind, start, end } => key_to_js(engine, kind, &self.single[start..end]),
                Cell::Records => engine.uint8_array(&self.records),
                Cell::Tail { start, end } => engine.latin1(&self.tails[start..end]),
                Cell::Single { kind, start, end } => value_to_js(engine, kind, &self.single[start..end]),
            });
            self.many.append(engine, result, &cells.collect::<Outcome<Vec<_>>>()?)
        })?;
        self.waiting.clear();
        self.joined.clear();
        self.texts.clear();
        self.records.clear();
        self.tails.clear();
        self.single.clear();
        Ok(())
    }

    /// The cells as an array, nothing if there are none.
    pub fn finish(mut self) -> Outcome<Js<'s>> {
        self.make_cells()?;
        Ok(self.result.unwrap_or(Js::NOTHING))
    }
}
