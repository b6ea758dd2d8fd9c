//! A number inside a value: where it is, and a copy of the value with another one in its place. Neither is the value
//! made, nor what is around the number.

use super::fields::{self, Cursor, Field, Layout, Part, Text};
use super::json_text;
use super::pointer::Pointer;
use super::record::{Record, put_varint};
use super::text::json_utf8;
use super::value::{Value, ValueKind};
use super::view::View;
use crate::store::error::Error;
use crate::store::platform::fallible;

/// Added to small integers, and the end of those.
const SMALL_BIAS: i32 = 16;
const SMALL_END: i32 = 128;
/// Tags of numbers: of 2 and 4 bytes, and floats of 4 and 8.
const INT16: u8 = 195;
const INT32: u8 = 196;
const FLOAT: u8 = 197;
const DOUBLE: u8 = 198;
/// Tags of JSON text: Latin-1, and code units.
const LATIN_JSON: u8 = 201;
const WIDE_JSON: u8 = 202;
/// Tags of arrays of numbers.
const INTS8: u8 = 203;
const INTS16: u8 = 204;
const INTS32: u8 = 205;
const FLOATS: u8 = 206;
const DOUBLES: u8 = 207;

/// A number that was found.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// The number.
    pub number: f64,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a JSON text.
    Text(Span),
    /// A field of a record.
    Field(Cell),
    /// An element of an array of numbers, which is such a field.
    Element(Cell, usize),
    /// In JSON text as UTF-8, which is such a field.
    Within(Cell, Span),
}

/// Bytes of a text.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: usize,
    len: usize,
}

/// Where a field of a record begins: bytes before it among the texts and among the fields.
#[derive(Clone, Copy, Debug)]
struct Cell {
    tail: usize,
    fields: usize,
}

/// Finds the number that a pointer leads to. `None` if there is none yet and the object around it is there. `layout` is
/// that of a record's shape, `None` for the built-in one.
pub fn find(value: Value<'_>, layout: Option<&Layout>, pointer: Pointer<'_>) -> Result<Option<Spot>, Error> {
    let found = match value.kind {
        ValueKind::Json => find_in_text(value.bytes, pointer)?.map(|(number, span)| (number, Place::Text(span))),
        ValueKind::Shaped => find_in_record(&record(value)?, layout, pointer)?,
        other => return Err(Error::WrongKind { expected: "an object", found: other.noun() }),
    };
    if let Some((number, place)) = found {
        return Ok(Some(Spot { number, place }));
    }
    let parent = pointer.split_last().map(|(parent, _)| parent);
    if parent.map(|parent| is_object(value, layout, parent)).transpose()? == Some(true) {
        return Ok(None);
    }
    Err(Error::WrongKind { expected: "a number", found: "nothing" })
}

fn record(value: Value<'_>) -> Result<Record<'_>, Error> {
    Record::split(value.bytes).ok_or(Error::Broken)
}

fn find_in_text(text: &[u8], pointer: Pointer<'_>) -> Result<Option<(f64, Span)>, Error> {
    let Some(found) = json_text::find(text, pointer)? else { return Ok(None) };
    let from = found.as_ptr() as usize - text.as_ptr() as usize;
    Ok(Some((number(&View::of_json(found)?)?, Span { from, len: found.len() })))
}

fn find_in_record(
    record: &Record<'_>,
    layout: Option<&Layout>,
    pointer: Pointer<'_>,
) -> Result<Option<(f64, Place)>, Error> {
    let (place, cursor) = fields::locate(record, layout, pointer)?;
    let (tail, fields) = cursor.offsets(record);
    let cell = Cell { tail, fields };
    match place {
        fields::Place::Nothing => Ok(None),
        fields::Place::Part(..) => Err(no_number("an object or array")),
        fields::Place::Within(text, rest) => {
            let mut space = Vec::new();
            let found = find_in_text(json_utf8(text, &mut space)?, rest)?;
            Ok(found.map(|(number, span)| (number, Place::Within(cell, span))))
        }
        fields::Place::Field(field) => {
            let number = View::of_field(field, number)?;
            let place = match cursor.field()? {
                Field::Numbers(..) => {
                    let index = pointer.split_last().and_then(|(_, token)| token.index()).ok_or(Error::Broken)?;
                    Place::Element(cell, index)
                }
                _ => Place::Field(cell),
            };
            Ok(Some((number, place)))
        }
    }
}

/// The number that a value is.
fn number(value: &View<'_>) -> Result<f64, Error> {
    Err(no_number(match value {
        View::Number(number) => return Ok(*number),
        View::Null => "null",
        View::Boolean(_) => "a boolean",
        View::Text(_) => "a string",
        _ => "an object or array",
    }))
}

fn no_number(found: &'static str) -> Error {
    Error::WrongKind { expected: "a number", found }
}

/// Whether a pointer leads to an object.
fn is_object(value: Value<'_>, layout: Option<&Layout>, pointer: Pointer<'_>) -> Result<bool, Error> {
    let in_text = |text: &[u8], pointer| Ok(json_text::find(text, pointer)?.is_some_and(|text| text[0] == b'{'));
    if value.kind == ValueKind::Json {
        return in_text(value.bytes, pointer);
    }
    Ok(match fields::find(&record(value)?, layout, pointer)? {
        fields::Place::Part(_, Part::Object(_)) => true,
        fields::Place::Field(Field::Json(text)) => json_utf8(text, &mut Vec::new())?.first() == Some(&b'{'),
        fields::Place::Within(text, rest) => return in_text(json_utf8(text, &mut Vec::new())?, rest),
        _ => false,
    })
}

impl Spot {
    /// Writes the value in which it was found, with another number in its place, to `out`.
    pub fn write(&self, value: Value<'_>, number: f64, out: &mut Vec<u8>) -> Result<(), Error> {
        out.clear();
        let cell = match self.place {
            Place::Text(span) => return put_spliced(value.bytes, span, &json_of(number), out),
            Place::Field(cell) | Place::Element(cell, _) | Place::Within(cell, _) => cell,
        };
        let record = record(value)?;
        let mut cursor = Cursor { tail: &record.tail[cell.tail..], fields: &record.fields[cell.fields..] };
        let field = cursor.take()?;
        let (mut text, mut made) = (Vec::new(), Vec::new());
        match (self.place, field) {
            (Place::Within(_, span), Field::Json(json)) => {
                put_spliced(json_utf8(json, &mut Vec::new())?, span, &json_of(number), &mut text)?;
                return write_with_text(&record, cell, cursor, json, &text, out);
            }
            (Place::Element(_, index), Field::Numbers(numbers, _)) => {
                let each = (0..numbers.len()).map(|at| match numbers.at(at) {
                    Some(Field::Float(before)) if at != index => before,
                    _ => number,
                });
                put_numbers(each, &mut made)?;
            }
            _ => put_number(number, &mut made),
        }
        // No text is another one, so all that is before the field stays.
        let before = value.bytes.len() - record.fields.len() + cell.fields;
        fallible::reserve(out, before + made.len() + cursor.fields.len())?;
        out.extend_from_slice(&value.bytes[..before]);
        out.extend_from_slice(&made);
        out.extend_from_slice(cursor.fields);
        Ok(())
    }
}

/// Writes a record whose field at `cell` is another JSON text. `after` is what follows the field.
fn write_with_text(
    record: &Record<'_>,
    cell: Cell,
    after: Cursor<'_>,
    before: Text<'_>,
    json: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let json = std::str::from_utf8(json).map_err(|_| Error::Broken)?;
    let (mut tail, mut fields) = (Vec::new(), Vec::new());
    let (tail_end, fields_end) = after.offsets(record);
    fallible::reserve(&mut tail, record.tail.len() + json.len())?;
    fallible::reserve(&mut fields, record.fields.len() + 2 * json.len())?;
    tail.extend_from_slice(&record.tail[..cell.tail]);
    fields.extend_from_slice(&record.fields[..cell.fields]);
    // The encoding stays, because a number is ASCII.
    if matches!(before, Text::Latin(_)) {
        fields.push(LATIN_JSON);
        put_varint(&mut fields, json.chars().count() as u32);
        tail.extend(json.chars().map(|character| u32::from(character) as u8));
    } else {
        fields.push(WIDE_JSON);
        put_varint(&mut fields, json.encode_utf16().count() as u32);
        fields.extend(json.encode_utf16().flat_map(u16::to_le_bytes));
    }
    tail.extend_from_slice(&record.tail[tail_end..]);
    fields.extend_from_slice(&record.fields[fields_end..]);
    Record { shape: record.shape, tail: &tail, fields: &fields }.write(out)
}

/// Writes a text with another part in place of one.
fn put_spliced(text: &[u8], Span { from, len }: Span, part: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    fallible::reserve(out, text.len() - len + part.len())?;
    out.extend_from_slice(&text[..from]);
    out.extend_from_slice(part.as_bytes());
    out.extend_from_slice(&text[from + len..]);
    Ok(())
}

/// A number as JSON. Its integers are exact, see `counter.rs`.
fn json_of(number: f64) -> String {
    if number.fract() == 0.0 {
        return (number as i64).to_string();
    }
    serde_json::Number::from_f64(number).map_or_else(String::new, |number| number.to_string())
}

/// Whether a number is the one that a shorter form of it says. As for JSON, -0 is 0.
#[expect(clippy::float_cmp, reason = "a form that is not exact is none of it")]
fn is_same(number: f64, form: f64) -> bool {
    number == form
}

/// Writes a number as a field, as `lib/codec/record.js` does.
fn put_number(number: f64, out: &mut Vec<u8>) {
    let int = number as i32;
    if is_same(number, int.into()) {
        if (-SMALL_BIAS..SMALL_END - SMALL_BIAS).contains(&int) {
            out.push((int + SMALL_BIAS) as u8);
        } else if let Ok(short) = i16::try_from(int) {
            out.push(INT16);
            out.extend_from_slice(&short.to_le_bytes());
        } else {
            out.push(INT32);
            out.extend_from_slice(&int.to_le_bytes());
        }
    } else if is_same(number, (number as f32).into()) {
        out.push(FLOAT);
        out.extend_from_slice(&(number as f32).to_le_bytes());
    } else {
        out.push(DOUBLE);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Writes an array of numbers as a field, in the shortest form that all of them have.
fn put_numbers(numbers: impl ExactSizeIterator<Item = f64> + Clone, out: &mut Vec<u8>) -> Result<(), Error> {
    let all = |is: fn(f64) -> bool| numbers.clone().all(is);
    let (tag, width) = if all(|number| is_same(number, f64::from(number as i8))) {
        (INTS8, 1)
    } else if all(|number| is_same(number, f64::from(number as i16))) {
        (INTS16, 2)
    } else if all(|number| is_same(number, f64::from(number as i32))) {
        (INTS32, 4)
    } else if all(|number| is_same(number, f64::from(number as f32))) {
        (FLOATS, 4)
    } else {
        (DOUBLES, 8)
    };
    fallible::reserve(out, 1 + 5 + width * numbers.len())?;
    out.push(tag);
    put_varint(out, numbers.len() as u32);
    for number in numbers {
        match tag {
            INTS8 => out.extend_from_slice(&(number as i8).to_le_bytes()),
            INTS16 => out.extend_from_slice(&(number as i16).to_le_bytes()),
            INTS32 => out.extend_from_slice(&(number as i32).to_le_bytes()),
            FLOATS => out.extend_from_slice(&(number as f32).to_le_bytes()),
            _ => out.extend_from_slice(&number.to_le_bytes()),
        }
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests;
