//! What a pointer leads to in a value, as it is stored, and how it compares with operands.
//!
//! Nothing is made of a value but the text of a field that is JSON in a record. A comparison goes down as far as its
//! operand does, which is bounded, however deep the value is.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::parse::{Operand, Operator};
use super::text::{Needle, Text};
use super::{Layouts, Unread};
use crate::store::entry::fields;
use crate::store::entry::fields::{
    Content, Cursor, Field, Layout, Malformed, Numbers, Part, Place, Text as RecordText,
};
use crate::store::entry::json_text;
use crate::store::entry::json_text::{NotJson, Scanner};
use crate::store::entry::pointer::Pointer;
use crate::store::entry::record::Record;
use crate::store::entry::shapes::numbers::BUILT_IN;
use crate::store::entry::value::ValueKind;

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<NotJson> for Unread {
    fn from(_: NotJson) -> Self {
        Self::Malformed
    }
}

/// A whole value.
pub enum Document<'a> {
    /// A record, and what its shape means.
    Record(Record<'a>, Option<&'a Layout>),
    /// JSON text.
    Json(&'a [u8]),
    /// A value without parts.
    Scalar(Value<'a>),
}

/// A value, or a part of one.
#[derive(Clone)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    Number(f64),
    Text(Text<'a>),
    /// JSON text of an array or an object.
    Json(&'a [u8]),
    /// An object in a record, from its first field on.
    Object(&'a Layout, Cursor<'a>),
    /// Rows in a record, from their number on.
    Rows(&'a Layout, Cursor<'a>),
    Numbers(Numbers<'a>),
    /// An array of strings, from its tag on.
    Strings(Cursor<'a>),
    /// What no query has: `undefined`, a bigint, bytes.
    Other,
}

impl<'a> Document<'a> {
    /// A value as an entry has it.
    pub fn of(kind: ValueKind, bytes: &'a [u8], layouts: &'a Layouts) -> Result<Self, Unread> {
        let number = |number: Option<f64>| number.map(Value::Number).ok_or(Unread::Malformed);
        Ok(Self::Scalar(match kind {
            ValueKind::Shaped => {
                let record = Record::split(bytes).ok_or(Malformed)?;
                let layout = match record.shape {
                    BUILT_IN => None,
                    shape => Some(&**layouts.get(&shape).ok_or(Unread::Shape(shape))?),
                };
                return Ok(Self::Record(record, layout));
            }
            ValueKind::Json => return Ok(Self::Json(bytes)),
            ValueKind::Null => Value::Null,
            ValueKind::True | ValueKind::False => Value::Boolean(kind == ValueKind::True),
            ValueKind::Int => number(bytes.try_into().ok().map(i32::from_le_bytes).map(f64::from))?,
            ValueKind::Float => number(bytes.try_into().ok().map(f64::from_le_bytes))?,
            ValueKind::String => Value::Text(Text::Utf8(bytes)),
            ValueKind::Utf16 => Value::Text(Text::Wide(bytes.into())),
            _ => Value::Other,
        }))
    }

    /// Lets `look` see what a pointer leads to; `None` if that is nothing.
    pub fn find(
        &self,
        pointer: &[u8],
        look: impl FnOnce(Option<&Value<'_>>) -> Result<bool, Unread>,
    ) -> Result<bool, Unread> {
        let pointer = Pointer::of(pointer).ok_or(Unread::Malformed)?;
        match self {
            Self::Scalar(value) => look(Some(value).filter(|_| pointer.is_empty())),
            Self::Json(text) => look_within(text, pointer, look),
            Self::Record(record, layout) => match fields::find(record, *layout, pointer)? {
                Place::Nothing => look(None),
                Place::Field(field) => of_field(field, |value| look(Some(value))),
                Place::Part(cursor, Part::Object(layout)) => look(Some(&Value::Object(layout, cursor))),
                Place::Part(cursor, Part::Rows(layout)) => look(Some(&Value::Rows(layout, cursor))),
                Place::Within(text, rest) => look_within(&utf8(text), rest, look),
            },
        }
    }
}

fn look_within(
    text: &[u8],
    pointer: Pointer<'_>,
    look: impl FnOnce(Option<&Value<'_>>) -> Result<bool, Unread>,
) -> Result<bool, Unread> {
    match json_text::find(text, pointer)? {
        Some(found) => look(Some(&Value::of_json(found)?)),
        None => look(None),
    }
}

/// JSON text of a record as UTF-8. It has no lone surrogates, which JSON writes as escapes.
fn utf8(text: RecordText<'_>) -> Cow<'_, [u8]> {
    match text {
        RecordText::Latin(bytes) if bytes.is_ascii() => bytes.into(),
        RecordText::Latin(bytes) => bytes.iter().copied().map(char::from).collect::<String>().into_bytes().into(),
        RecordText::Wide(bytes) => {
            let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            let characters = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
            characters.collect::<String>().into_bytes().into()
        }
    }
}

/// Lets `look` see what a field of a record is.
fn of_field<T>(field: Field<'_>, look: impl FnOnce(&Value<'_>) -> Result<T, Unread>) -> Result<T, Unread> {
    let text;
    look(&match field {
        Field::Null => Value::Null,
        Field::Boolean(boolean) => Value::Boolean(boolean),
        Field::Int(int) => Value::Number(int.into()),
        Field::Float(float) => Value::Number(float),
        Field::String(text) => Value::Text(text.into()),
        Field::Numbers(numbers, _) => Value::Numbers(numbers),
        Field::Strings(cursor) => Value::Strings(cursor),
        Field::Json(json) => {
            text = utf8(json);
            Value::of_json(&text)?
        }
    })
}

/// Lets `look` see what a member of a record is, and passes over it.
fn of_content<T>(
    content: &Content,
    cursor: &mut Cursor<'_>,
    look: impl FnOnce(&Value<'_>) -> Result<T, Unread>,
) -> Result<T, Unread> {
    let start = *cursor;
    match content {
        Content::Field => of_field(cursor.take()?, look),
        Content::Object(layout) => {
            cursor.skip(content)?;
            look(&Value::Object(layout, start))
        }
        Content::Rows(layout) => {
            cursor.skip(content)?;
            look(&Value::Rows(layout, start))
        }
    }
}

impl<'a> Value<'a> {
    /// What a JSON text says.
    fn of_json(text: &'a [u8]) -> Result<Self, Unread> {
        Ok(match text {
            [b'{' | b'[', ..] => Self::Json(text),
            [b'"', ..] => Self::Text(Text::of_json(text).ok_or(Unread::Malformed)?),
            b"null" => Self::Null,
            b"true" => Self::Boolean(true),
            b"false" => Self::Boolean(false),
            number => {
                let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
                Self::Number(number.ok_or(Unread::Malformed)?)
            }
        })
    }

    /// Whether it equals an operand.
    fn equals(&self, operand: &Operand) -> Result<bool, Unread> {
        Ok(match (self, operand) {
            (Self::Null, Operand::Null) => true,
            (Self::Boolean(one), Operand::Boolean(other)) => one == other,
            #[expect(clippy::float_cmp, reason = "numbers are equal as those of JavaScript are")]
            (Self::Number(one), Operand::Number(other)) => one == other,
            (Self::Text(one), Operand::Text(other)) => one.is(other),
            (_, Operand::Array(elements)) => {
                let mut expected = elements.iter();
                let each = |element: &Value<'_>| match expected.next() {
                    Some(operand) => element.equals(operand),
                    None => Ok(false),
                };
                self.each_element(each)? == Some(true) && expected.next().is_none()
            }
            (_, Operand::Object(members)) => self.has_members(members)?,
            _ => false,
        })
    }

    /// Calls `is` with each element until that returns false, which is the result then; `None` if it is no array.
    fn each_element(&self, mut is: impl FnMut(&Value<'_>) -> Result<bool, Unread>) -> Result<Option<bool>, Unread> {
        match self {
            Self::Json(text) if text.first() == Some(&b'[') => {
                let (mut scanner, mut is_first) = (Scanner::new(text), true);
                while scanner.has_next(b']', &mut is_first)? {
                    if !is(&Value::of_json(scanner.value()?)?)? {
                        return Ok(Some(false));
                    }
                }
            }
            Self::Numbers(numbers) => {
                for index in 0..numbers.len() {
                    let Some(field) = numbers.at(index) else { break };
                    if !of_field(field, &mut is)? {
                        return Ok(Some(false));
                    }
                }
            }
            Self::Strings(cursor) => {
                let mut cursor = *cursor;
                for _ in 0..cursor.string_count()? {
                    if !of_field(cursor.take_string()?, &mut is)? {
                        return Ok(Some(false));
                    }
                }
            }
            Self::Rows(layout, cursor) => {
                let mut cursor = *cursor;
                for _ in 0..cursor.row_count()? {
                    if !is(&Value::Object(layout, cursor))? {
                        return Ok(Some(false));
                    }
                    cursor.skip_objects(layout, 1)?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(true))
    }

    /// Whether it is an object with just these members. No object has two members of one name.
    fn has_members(&self, expected: &[(Needle, Operand)]) -> Result<bool, Unread> {
        let operand =
            |is_it: &dyn Fn(&Needle) -> bool| expected.iter().find(|(name, _)| is_it(name)).map(|(_, operand)| operand);
        let mut found = 0;
        match self {
            Self::Json(text) if text.first() == Some(&b'{') => {
                let (mut scanner, mut is_first) = (Scanner::new(text), true);
                while scanner.has_next(b'}', &mut is_first)? {
                    let name = Text::of_json(scanner.value()?).ok_or(Unread::Malformed)?;
                    scanner.expect(b':')?;
                    let value = scanner.value()?;
                    let Some(operand) = operand(&|needle| name.is(needle)) else { return Ok(false) };
                    if !Value::of_json(value)?.equals(operand)? {
                        return Ok(false);
                    }
                    found += 1;
                }
            }
            Self::Object(layout, cursor) => {
                let mut cursor = *cursor;
                for member in layout.members() {
                    let is_it = |needle: &Needle| member.name.as_deref() == Some(needle.utf8());
                    let Some(operand) = operand(&is_it) else { return Ok(false) };
                    if !of_content(&member.content, &mut cursor, |value| value.equals(operand))? {
                        return Ok(false);
                    }
                    found += 1;
                }
            }
            _ => return Ok(false),
        }
        Ok(found == expected.len())
    }

    /// Which of the two comes first; `None` if they are not ordered.
    fn compare(&self, operand: &Operand) -> Option<Ordering> {
        match (self, operand) {
            (Self::Number(one), Operand::Number(other)) => one.partial_cmp(other),
            (Self::Text(one), Operand::Text(other)) => Some(one.compare(other)),
            _ => None,
        }
    }

    /// Whether it is an array with such an element, or a text with such a part.
    fn contains(&self, operand: &Operand) -> Result<bool, Unread> {
        if let (Self::Text(text), Operand::Text(part)) = (self, operand) {
            return Ok(text.contains(part));
        }
        Ok(self.each_element(|element| element.equals(operand).map(|is_it| !is_it))? == Some(false))
    }
}

impl Operator {
    /// Whether it holds for a value that is there.
    pub fn holds(&self, value: &Value<'_>) -> Result<bool, Unread> {
        let is = |operand: &Operand, is: fn(Ordering) -> bool| Ok(value.compare(operand).is_some_and(is));
        match self {
            Self::Eq(operand) => value.equals(operand),
            Self::Ne(operand) => value.equals(operand).map(|is_it| !is_it),
            Self::Gt(operand) => is(operand, Ordering::is_gt),
            Self::Gte(operand) => is(operand, Ordering::is_ge),
            Self::Lt(operand) => is(operand, Ordering::is_lt),
            Self::Lte(operand) => is(operand, Ordering::is_le),
            Self::In(operands) => {
                for operand in operands {
                    if value.equals(operand)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::StartsWith(text) => Ok(matches!(value, Value::Text(found) if found.starts_with(text))),
            Self::Contains(operand) => value.contains(operand),
            Self::Exists(exists) => Ok(*exists),
        }
    }
}
