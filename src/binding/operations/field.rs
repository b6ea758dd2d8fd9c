//! A read of one field of a value.

use crate::binding::convert::values::{Space, pointer, text_to_js, value_to_js};
use crate::binding::engine::Js;
use crate::binding::environment::OpenMap;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::STATE;
use crate::binding::operation::Call;
use crate::store::fields::{self, Cursor, Field, Layout, Malformed, Numbers, Place, Text};
use crate::store::json_text::{self, NotJson};
use crate::store::{BARE_SHAPE, Error, Found, MOST_READS, Pointer, Record, Target, ValueKind, fallible, json_utf8};

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
    let (mut out, mut found) = (call.evaluation.value_buffer(), None);
    let layout = read_known(&map, target, &mut out, &mut found, |shape| Ok(map.layout_of(shape)?))?;
    let Some(found) = &found else {
        call.evaluation.note_absent();
        return Ok(Js::NOTHING);
    };
    call.evaluation.note_found(found, out.len());
    match found.kind {
        ValueKind::Shaped => of_record(call, &Record::split(&out).ok_or(Malformed)?, layout.as_deref(), at, typed),
        ValueKind::Json => of_text(call, &out, at),
        _ if !at.is_empty() => Ok(nothing(call)),
        // No array of numbers, and the error that says so needs no copy.
        kind if kind as u8 >= ValueKind::Uint8Array as u8 && typed != Typed::No => Ok(Js::NOTHING),
        kind => value_to_js(call.engine, kind, &out),
    }
}

/// Reads an entry as `Local::get_into` does, and what the shape of a record means, as `meaning` says it. Between the
/// two the entry may be replaced and its shape give its place to another. So if the shape has no meaning any more, the
/// entry is read again: what it says now is what the caller gets.
fn read_known<L>(
    map: &OpenMap,
    target: Target<'_>,
    out: &mut Vec<u8>,
    found: &mut Option<Found>,
    mut meaning: impl FnMut(u32) -> Outcome<Option<L>>,
) -> Outcome<Option<L>> {
    for _ in 0..MOST_READS {
        map.local().get_into(target, out, found)?;
        if !found.as_ref().is_some_and(|found| found.kind == ValueKind::Shaped) {
            return Ok(None);
        }
        let Record { shape, .. } = Record::split(out).ok_or(Malformed)?;
        if shape == BARE_SHAPE {
            return Ok(None);
        }
        if let Some(known) = meaning(shape)? {
            return Ok(Some(known));
        }
    }
    Err(Error::Broken.into())
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
        Place::Part(part, _) => give_part(call, record.shape, part),
        Place::Within(text, rest) => {
            let mut utf8 = Vec::new();
            of_text(call, json_utf8(text, &mut utf8)?, rest)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Key, Local, Ttl, Value};

    const KEY: Key<'static> = Key::string("key");
    /// Bits of a number that say the place of its shape.
    const PLACE: u32 = 0xfff;

    fn publish(map: &Local, definition: &str) -> u32 {
        map.publish_shape(definition).unwrap().unwrap()
    }

    fn set(map: &Local, shape: u32, fields: &[u8]) {
        let mut bytes = Vec::new();
        Record { shape, tail: b"", fields }.write(&mut bytes).unwrap();
        map.set(KEY, Value { kind: ValueKind::Shaped, bytes: &bytes }, Ttl::Default).unwrap();
    }

    /// Gives the place of a shape that no entry has to another one, whose first member is `b`; returns its number.
    fn replace_shape(map: &Local, number: u32) -> u32 {
        for filler in 0..4 * PLACE {
            let other = publish(map, &format!(r#"["b","{filler}"]"#));
            if other & PLACE == number & PLACE {
                assert_eq!(map.shape(number), Ok(None));
                return other;
            }
        }
        panic!("the place of a shape that no entry has was not given to another");
    }

    /// Reads an entry of `{ a: 1, b: 2 }`, and lets `change` run between that and the look at its shape, with its
    /// number. Returns `b` as it was read, the kind of the value, and the shapes that were looked at.
    fn read_amid(change: fn(&Local, u32), by_handle: bool) -> (Option<Field<'static>>, Option<ValueKind>, Vec<u32>) {
        let map = OpenMap::open(None, "{}").unwrap();
        let writer = map.store().join();
        let old = publish(&writer, r#"["a","b"]"#);
        set(&writer, old, &[17, 18]);
        let handle = writer.place_of(KEY).unwrap().unwrap().handle;
        let target = if by_handle { Target::Handle(handle) } else { Target::Key(KEY) };
        let (mut out, mut found, mut asked) = (Vec::new(), None, Vec::new());
        let layout = read_known(&map, target, &mut out, &mut found, |shape| {
            if asked.is_empty() {
                change(&writer, old);
            }
            asked.push(shape);
            Ok(map.layout_of(shape)?)
        })
        .unwrap();
        let b = layout.map(|layout| {
            let record = Record::split(&out).unwrap();
            match fields::find(&record, Some(&layout), Pointer::of(b"/b").unwrap()).unwrap() {
                Place::Field(Field::Int(number)) => Field::Int(number),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(asked[0], old);
        (b, found.map(|found| found.kind), asked)
    }

    #[test]
    fn a_record_whose_shape_goes_before_it_is_looked_up_is_read_again() {
        for by_handle in [false, true] {
            let (b, kind, asked) = read_amid(|_, _| (), by_handle);
            assert_eq!((b, kind, asked.len()), (Some(Field::Int(2)), Some(ValueKind::Shaped), 1));
            // Its value is of the shape that has the place next.
            let replace = |writer: &Local, old| {
                writer.set(KEY, Value::json("0"), Ttl::Default).unwrap();
                let other = replace_shape(writer, old);
                set(writer, other, &[19, 20]);
            };
            let (b, kind, asked) = read_amid(replace, by_handle);
            assert_eq!((b, kind, asked.len()), (Some(Field::Int(3)), Some(ValueKind::Shaped), 2));
            assert!(asked[0] != asked[1] && asked[0] & PLACE == asked[1] & PLACE, "{asked:?}");
            // It is no record, or one without a shape, or gone.
            let text = |writer: &Local, old| {
                writer.set(KEY, Value::json(r#"{"b":5}"#), Ttl::Default).unwrap();
                replace_shape(writer, old);
            };
            assert_eq!(read_amid(text, by_handle), (None, Some(ValueKind::Json), vec![asked[0]]));
            let bare = |writer: &Local, old| {
                set(writer, BARE_SHAPE, &[203, 0]);
                replace_shape(writer, old);
            };
            assert_eq!(read_amid(bare, by_handle), (None, Some(ValueKind::Shaped), vec![asked[0]]));
            let delete = |writer: &Local, old| {
                assert!(writer.delete(KEY).unwrap());
                replace_shape(writer, old);
            };
            assert_eq!(read_amid(delete, by_handle), (None, None, vec![asked[0]]));
        }
    }

    #[test]
    fn a_shape_that_is_never_known_is_an_error() {
        let map = OpenMap::open(None, "{}").unwrap();
        set(map.local(), publish(map.local(), r#"["a"]"#), &[17]);
        let (mut out, mut found, mut asked) = (Vec::new(), None, 0);
        let answer: Outcome<Option<()>> = read_known(&map, Target::Key(KEY), &mut out, &mut found, |_| {
            asked += 1;
            Ok(None)
        });
        assert!(matches!(answer, Err(Failure::Store(Error::Broken))), "{answer:?}");
        assert_eq!(asked, MOST_READS);
    }
}
