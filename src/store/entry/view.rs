//! A value, or a part of one, as it is stored: nothing is made of it but the text of a field that is JSON in a record.

use super::fields::{Cursor, Field, Layout, Numbers};
use super::json_text::Scanner;
use super::record::Record;
use super::shapes::numbers::BUILT_IN;
use super::text::{Text, json_utf8};
use super::value::ValueKind;
use crate::store::error::Error;

/// A value, or a part of one.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Text<'a>),
    /// JSON text of an array or an object.
    Json(&'a [u8]),
    /// An object in a record, from its first field on.
    Object(&'a Layout, Cursor<'a>),
    /// Rows in a record, from their number on.
    Rows(&'a Layout, Cursor<'a>),
    /// An array of numbers.
    Numbers(Numbers<'a>),
    /// An array of strings, from its tag on.
    Strings(Cursor<'a>),
    /// What no JSON says: `undefined`, a bigint, bytes.
    Other,
}

impl<'a> View<'a> {
    /// Lets `look` see a value as an entry has it. `layout` is that of a record's shape; `None` for the built-in one.
    pub fn of<T>(
        kind: ValueKind,
        bytes: &'a [u8],
        layout: Option<&'a Layout>,
        look: impl FnOnce(&View<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if kind != ValueKind::Shaped {
            return look(&Self::of_bytes(kind, bytes)?);
        }
        let Record { shape, tail, fields } = Record::split(bytes).ok_or(Error::Broken)?;
        let mut cursor = Cursor { tail, fields };
        match layout {
            Some(layout) => look(&View::Object(layout, cursor)),
            None if shape == BUILT_IN => View::of_field(cursor.take()?, look),
            None => Err(Error::Broken),
        }
    }

    /// A value as an entry has it that is no record.
    pub fn of_bytes(kind: ValueKind, bytes: &'a [u8]) -> Result<Self, Error> {
        let number = |number: Option<f64>| number.map(View::Number).ok_or(Error::Broken);
        Ok(match kind {
            ValueKind::Json => Self::of_json(bytes)?,
            ValueKind::Null => View::Null,
            ValueKind::True | ValueKind::False => View::Boolean(kind == ValueKind::True),
            ValueKind::Int => number(bytes.try_into().ok().map(i32::from_le_bytes).map(f64::from))?,
            ValueKind::Float => number(bytes.try_into().ok().map(f64::from_le_bytes))?,
            ValueKind::String => View::Text(Text::Utf8(bytes)),
            ValueKind::Utf16 => View::Text(Text::Wide(bytes)),
            _ => View::Other,
        })
    }

    /// What a JSON text says, from its first byte on.
    pub fn of_json(text: &'a [u8]) -> Result<Self, Error> {
        Ok(match text {
            [b'{' | b'[', ..] => Self::Json(text),
            [b'"', ..] => Self::Text(Text::of_json(text).ok_or(Error::Broken)?),
            b"null" => Self::Null,
            b"true" => Self::Boolean(true),
            b"false" => Self::Boolean(false),
            number => {
                let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
                Self::Number(number.ok_or(Error::Broken)?)
            }
        })
    }

    /// Lets `look` see what a field of a record is.
    pub fn of_field<T>(field: Field<'_>, look: impl FnOnce(&View<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut space = Vec::new();
        look(&match field {
            Field::Null => View::Null,
            Field::Boolean(boolean) => View::Boolean(boolean),
            Field::Int(int) => View::Number(int.into()),
            Field::Float(float) => View::Number(float),
            Field::String(text) => View::Text(text.into()),
            Field::Numbers(numbers, _) => View::Numbers(numbers),
            Field::Strings(cursor) => View::Strings(cursor),
            Field::Json(json) => View::of_json(json_utf8(json, &mut space)?)?,
        })
    }

    /// Calls `is` with each element until that returns false, which is the result then; `None` if it is no array.
    pub fn each_element(&self, mut is: impl FnMut(&View<'_>) -> Result<bool, Error>) -> Result<Option<bool>, Error> {
        match self {
            Self::Json(text) if text.first() == Some(&b'[') => {
                let (mut scanner, mut is_first) = (Scanner::new(text), true);
                while scanner.has_next(b']', &mut is_first)? {
                    if !is(&View::of_json(scanner.value()?)?)? {
                        return Ok(Some(false));
                    }
                }
            }
            Self::Numbers(numbers) => {
                for index in 0..numbers.len() {
                    let Some(field) = numbers.at(index) else { break };
                    if !View::of_field(field, &mut is)? {
                        return Ok(Some(false));
                    }
                }
            }
            Self::Strings(cursor) => {
                let mut cursor = *cursor;
                for _ in 0..cursor.string_count()? {
                    if !View::of_field(cursor.take_string()?, &mut is)? {
                        return Ok(Some(false));
                    }
                }
            }
            Self::Rows(layout, cursor) => {
                let mut cursor = *cursor;
                for _ in 0..cursor.row_count()? {
                    if !is(&View::Object(layout, cursor))? {
                        return Ok(Some(false));
                    }
                    cursor.skip_objects(layout, 1)?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(true))
    }
}
