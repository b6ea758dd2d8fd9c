//! What a pointer leads to in a value, as it is stored, and whether operators hold for it.

use std::cmp::Ordering;

use super::Unread;
use super::parse::{Operator, Ordered};
use super::shapes::{Known, Shapes};
use super::text;
use crate::store::entry::fields;
use crate::store::entry::fields::route::{Route, field_behind, number_behind};
use crate::store::entry::fields::{Malformed, Part, Place};
use crate::store::entry::json_text;
use crate::store::entry::pattern::Pattern;
use crate::store::entry::pointer::Pointer;
use crate::store::entry::record::Record;
use crate::store::entry::shapes::numbers::BUILT_IN;
use crate::store::entry::text::json_utf8;
use crate::store::entry::value::ValueKind;
use crate::store::entry::view::View;
use crate::store::error::Error;

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        match error {
            Error::OutOfMemory { bytes } => Self::OutOfMemory { bytes },
            _ => Self::Malformed,
        }
    }
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// A whole value.
pub enum Document<'a> {
    /// A record, and what its shape means.
    Record(Record<'a>, Option<&'a Known>),
    /// JSON text.
    Json(&'a [u8]),
    /// A value without parts.
    Scalar(View<'a>),
}

impl<'a> Document<'a> {
    /// A value as an entry has it.
    #[inline]
    pub fn of(kind: ValueKind, bytes: &'a [u8], shapes: &'a Shapes) -> Result<Self, Unread> {
        Ok(match kind {
            ValueKind::Shaped => {
                let record = Record::split(bytes).ok_or(Malformed)?;
                let known = match record.shape {
                    BUILT_IN => None,
                    shape => Some(shapes.get(shape).ok_or(Unread::Shape(shape))?),
                };
                Self::Record(record, known)
            }
            ValueKind::Json => Self::Json(bytes),
            _ => Self::Scalar(View::of_bytes(kind, bytes)?),
        })
    }

    /// The number that a test is about, where it is at hand; `find` knows all others, too.
    #[inline]
    pub fn number(&self, test: usize) -> Option<f64> {
        match self {
            Self::Record(record, Some(known)) => match known.route(test) {
                Route::Field(others) => number_behind(record, others),
                Route::Nothing | Route::Varying => None,
            },
            _ => None,
        }
    }

    /// Lets `look` see what the pointer of a test leads to; `None` if that is nothing.
    pub fn find(
        &self,
        test: usize,
        pointer: &[u8],
        look: impl FnOnce(Option<&View<'_>>) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        if let Self::Record(record, Some(known)) = self {
            match known.route(test) {
                Route::Nothing => return look(None),
                Route::Field(others) => {
                    return View::of_field(field_behind(record, others)?, |value| look(Some(value)));
                }
                Route::Varying => {}
            }
        }
        self.seek(pointer, look)
    }

    /// The same without what is known of the test.
    fn seek(&self, pointer: &[u8], look: impl FnOnce(Option<&View<'_>>) -> Result<bool, Error>) -> Result<bool, Error> {
        let pointer = Pointer::of(pointer).ok_or(Error::Broken)?;
        match self {
            Self::Scalar(value) => look(Some(value).filter(|_| pointer.is_empty())),
            Self::Json(text) => look_within(text, pointer, look),
            Self::Record(record, known) => match fields::find(record, known.map(|known| &known.layout), pointer)? {
                Place::Nothing => look(None),
                Place::Field(field) => View::of_field(field, |value| look(Some(value))),
                Place::Part(cursor, Part::Object(layout)) => look(Some(&View::Object(layout, cursor))),
                Place::Part(cursor, Part::Rows(layout)) => look(Some(&View::Rows(layout, cursor))),
                Place::Within(text, rest) => look_within(json_utf8(text, &mut Vec::new())?, rest, look),
            },
        }
    }
}

fn look_within(
    text: &[u8],
    pointer: Pointer<'_>,
    look: impl FnOnce(Option<&View<'_>>) -> Result<bool, Error>,
) -> Result<bool, Error> {
    match json_text::find(text, pointer)? {
        Some(found) => look(Some(&View::of_json(found)?)),
        None => look(None),
    }
}

/// Which of the two comes first; `None` if they are not ordered.
fn compare(value: &View<'_>, operand: &Ordered) -> Option<Ordering> {
    match (value, operand) {
        (View::Number(one), Ordered::Number(other)) => one.partial_cmp(other),
        (View::Text(one), Ordered::Text(other)) => Some(text::compare(*one, other)),
        _ => None,
    }
}

/// Whether a value is an array with such an element.
fn has_element(value: &View<'_>, pattern: &Pattern) -> Result<bool, Error> {
    Ok(value.each_element(|element| pattern.is(element).map(|is_it| !is_it))? == Some(false))
}

impl Operator {
    /// Whether it holds for a number.
    #[inline]
    pub fn holds_for(&self, number: f64) -> Result<bool, Error> {
        Ok(match self {
            Self::Gt(Ordered::Number(operand)) => number > *operand,
            Self::Gte(Ordered::Number(operand)) => number >= *operand,
            Self::Lt(Ordered::Number(operand)) => number < *operand,
            Self::Lte(Ordered::Number(operand)) => number <= *operand,
            _ => return self.holds(&View::Number(number)),
        })
    }

    /// Whether it holds for a value that is there.
    pub fn holds(&self, value: &View<'_>) -> Result<bool, Error> {
        let is = |operand: &Ordered, is: fn(Ordering) -> bool| Ok(compare(value, operand).is_some_and(is));
        match self {
            Self::Eq(pattern) => pattern.is(value),
            Self::Ne(pattern) => pattern.is(value).map(|is_it| !is_it),
            Self::Gt(operand) => is(operand, Ordering::is_gt),
            Self::Gte(operand) => is(operand, Ordering::is_ge),
            Self::Lt(operand) => is(operand, Ordering::is_lt),
            Self::Lte(operand) => is(operand, Ordering::is_le),
            Self::In(patterns) => {
                for pattern in patterns {
                    if pattern.is(value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::StartsWith(part) => Ok(matches!(value, View::Text(text) if text::starts_with(*text, part))),
            Self::Contains(pattern, part) => match (value, part) {
                (View::Text(text), Some(part)) => Ok(text::contains(*text, part)),
                _ => has_element(value, pattern),
            },
            Self::Exists(exists) => Ok(*exists),
        }
    }
}
