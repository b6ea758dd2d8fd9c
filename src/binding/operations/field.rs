//! A read of one field of a value.

use std::rc::Rc;

use crate::binding::convert::json_text::{self, NotJson};
use crate::binding::convert::values::{Space, pointer, text_to_js, text_to_utf8, value_to_js};
use crate::binding::engine::Js;
use crate::binding::environment::OpenMap;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::STATE;
use crate::binding::operation::Call;
use crate::store::fields::{self, Cursor, Field, Layout, Malformed, Numbers, Place, Text};
use crate::store::{BARE_SHAPE, Error, Pointer, Record, ValueKind, fallible};

/// How often a record is read again whose shape is not known any more. It was replaced since by another thread, and
/// that as often in a row is no chance.
const MOST_READS: usize = 64;

/// An array of numbers as a typed array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typed {
    No,
    F32,
    F64,
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        Error::Broken.into()
    }
}

impl From<NotJson> for Failure {
    fn from(_: NotJson) -> Self {
        Error::Broken.into()
    }
}

/// `field(id, at, typed, ...target)`: what the pointer `at` leads to in a value.
pub fn field<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let (mut path, mut space) = (Space::default(), Space::default());
    let at = pointer(call.engine, call.argument(1), &mut path)?;
    let typed = match call.number(2)? {
        kind if kind == ValueKind::Float32Array as u32 => Typed::F32,
        kind if kind == ValueKind::Float64Array as u32 => Typed::F64,
        _ => Typed::No,
    };
    let target = call.target(3, &mut space)?;
    let mut out = call.evaluation.value_buffer();
    for _ in 0..MOST_READS {
        let mut found = None;
        map.local().get_into(target, &mut out, &mut found)?;
        let Some(found) = &found else {
            call.evaluation.note_absent();
            return Ok(Js::NOTHING);
        };
        call.evaluation.note_found(found, out.len());
        match found.kind {
            ValueKind::Shaped => {
                let record = Record::split(&out).ok_or(Malformed)?;
                if record.shape == BARE_SHAPE {
                    return of_record(call, &record, None, at, typed);
                }
                let Some(layout) = layout_of(&map, record.shape)? else { continue };
                return of_record(call, &record, Some(&layout), at, typed);
            }
            ValueKind::Json => return of_text(call, &out, at),
            _ if !at.is_empty() => return Ok(nothing(call)),
            // No array of numbers, and the error that says so needs no copy.
            kind if kind as u8 >= ValueKind::Uint8Array as u8 && typed != Typed::No => return Ok(Js::NOTHING),
            kind => return value_to_js(call.engine, kind, &out),
        }
    }
    Err(Error::Broken.into())
}

/// What a shape means; `None` if no entry has it any more.
fn layout_of(map: &OpenMap, number: u32) -> Outcome<Option<Rc<Layout>>> {
    if let Some(layout) = map.layouts().get(number) {
        return Ok(Some(layout));
    }
    let Some(definition) = map.local().shape(number)? else { return Ok(None) };
    Ok(Some(map.layouts().add(number, &definition)?))
}

fn of_record<'s>(
    call: &Call<'s, 6>,
    record: &Record<'_>,
    layout: Option<&Layout>,
    at: Pointer<'_>,
    typed: Typed,
) -> Outcome<Js<'s>> {
    match fields::find(record, layout, at)? {
        Place::Nothing => Ok(nothing(call)),
        Place::Field(field) => of_field(call, field, typed),
        Place::Part(part) => give_part(call, record.shape, part),
        Place::Within(text, rest) => {
            let mut utf8 = Vec::new();
            of_text(call, text_to_utf8(text, &mut utf8)?, rest)
        }
    }
}

fn of_field<'s>(call: &Call<'s, 6>, field: Field<'_>, typed: Typed) -> Outcome<Js<'s>> {
    let engine = call.engine;
    let say = |kind: ValueKind| call.evaluation.note(STATE, kind as u32);
    match field {
        Field::Null => {
            say(ValueKind::Null);
            engine.null()
        }
        Field::Boolean(value) => {
            say(if value { ValueKind::True } else { ValueKind::False });
            engine.boolean(value)
        }
        Field::Int(number) => {
            say(ValueKind::Int);
            engine.int(number)
        }
        Field::Float(number) => {
            say(ValueKind::Float);
            engine.float(number)
        }
        Field::String(text) => {
            say(if matches!(text, Text::Latin(_)) { ValueKind::String } else { ValueKind::Utf16 });
            text_to_js(engine, text)
        }
        Field::Json(text) => {
            say(ValueKind::Json);
            text_to_js(engine, text)
        }
        Field::Numbers(numbers, _) if typed != Typed::No => {
            say(if typed == Typed::F32 { ValueKind::Float32Array } else { ValueKind::Float64Array });
            engine.uint8_array(&bytes_of(numbers, typed)?)
        }
        Field::Numbers(_, as_it_lies) | Field::Strings(as_it_lies) => give_part(call, BARE_SHAPE, as_it_lies),
    }
}

/// Numbers as the bytes of a typed array.
fn bytes_of(numbers: Numbers<'_>, typed: Typed) -> Outcome<Box<[u8]>> {
    if typed == Typed::F32 {
        let mut bytes = fallible::filled(numbers.len() * size_of::<f32>(), 0)?;
        // Rounds to the nearest, as `Math.fround` does.
        numbers.write(&mut bytes, |number| (number as f32).to_ne_bytes());
        return Ok(bytes);
    }
    let mut bytes = fallible::filled(numbers.len() * size_of::<f64>(), 0)?;
    numbers.write(&mut bytes, f64::to_ne_bytes);
    Ok(bytes)
}

fn of_text<'s>(call: &Call<'s, 6>, text: &[u8], at: Pointer<'_>) -> Outcome<Js<'s>> {
    let Some(found) = json_text::find(text, at)? else { return Ok(nothing(call)) };
    call.evaluation.note(STATE, ValueKind::Json as u32);
    call.engine.text(found)
}

/// Says that the value has no such field.
fn nothing<'s>(call: &Call<'s, 6>) -> Js<'s> {
    call.evaluation.note(STATE, ValueKind::Undefined as u32);
    Js::NOTHING
}

/// Hands over a part of a record, as a record.
fn give_part<'s>(call: &Call<'s, 6>, shape: u32, part: Cursor<'_>) -> Outcome<Js<'s>> {
    let mut bytes = call.evaluation.key_buffer();
    Record { shape, tail: part.tail, fields: part.fields }.write(&mut bytes)?;
    call.evaluation.note_part(bytes.len());
    call.evaluation.give_record(call.engine, &bytes)
}
