//! Fields of a record, found by their pointer without decoding the others.
//!
//! A [`Cursor`] goes over the fields in order, as the members of the shape say. What is before the field that is
//! wanted is passed over: a tag and a length each. `record.rs` says how the fields are laid out.

pub mod route;

use super::pointer::{Pointer, Token};
use super::record::{Record, varint};
use crate::store::error::Error;

/// Rows of one array at most. JavaScript knows the same number (`lib/codec/fields.js`).
const MAX_ROWS: usize = 65_536;

/// Added to small integers.
const SMALL_BIAS: i32 = 16;

/// Bytes that are no record of their shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl From<Malformed> for Error {
    fn from(_: Malformed) -> Self {
        Self::Broken
    }
}

/// The members of an object in a record.
#[derive(Debug, Default, PartialEq)]
pub struct Layout {
    members: Vec<Member>,
    /// Whether each object of it has a field at least. Others take no bytes, so bytes do not bound how many there are.
    has_fields: bool,
}

/// A member of an object.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub content: Content,
}

/// The name of a member.
#[derive(Debug, PartialEq)]
pub enum Name {
    /// UTF-8.
    Utf8(Box<[u8]>),
    /// Little-endian code units, for one that has lone surrogates.
    Wide(Box<[u8]>),
}

impl Name {
    /// Whether a token stands for it. None stands for one with lone surrogates.
    #[must_use]
    pub fn is(&self, token: Token<'_>) -> bool {
        matches!(self, Self::Utf8(bytes) if token.is(bytes))
    }
}

/// What a member is.
#[derive(Debug, PartialEq)]
pub enum Content {
    /// A field.
    Field,
    /// An object, whose members follow each other.
    Object(Layout),
    /// An array of objects, each with these members.
    Rows(Layout),
}

impl Layout {
    /// Of these members.
    #[must_use]
    pub fn new(members: Vec<Member>) -> Self {
        let has_fields = members.iter().any(|member| match &member.content {
            Content::Field | Content::Rows(_) => true,
            Content::Object(layout) => layout.has_fields,
        });
        Self { members, has_fields }
    }

    /// Its members, in order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}

/// What a part of a record is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part<'l> {
    /// An object with these members.
    Object(&'l Layout),
    /// Rows, each with these members.
    Rows(&'l Layout),
}

/// Where a pointer leads to in a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place<'a, 'p, 'l> {
    /// Nowhere.
    Nothing,
    /// To a field, or to an element of one.
    Field(Field<'a>),
    /// To an object or to rows: their texts, and their fields.
    Part(Cursor<'a>, Part<'l>),
    /// Into JSON text, where this leads on.
    Within(Text<'a>, Pointer<'p>),
}

/// A text in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// Latin-1.
    Latin(&'a [u8]),
    /// Little-endian code units.
    Wide(&'a [u8]),
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// An integer of 32 bits.
    Int(i32),
    /// Any other number.
    Float(f64),
    /// A string.
    String(Text<'a>),
    /// JSON text, which is parsed when it is read.
    Json(Text<'a>),
    /// An array of numbers, and the field as it is laid out.
    Numbers(Numbers<'a>, Cursor<'a>),
    /// An array of strings, as it is laid out.
    Strings(Cursor<'a>),
}

/// An array of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers<'a> {
    form: Form,
    bytes: &'a [u8],
}

/// How the numbers of an array are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Int8,
    Int16,
    Int32,
    Float,
    Double,
}

impl Form {
    fn bytes(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int16 => 2,
            Self::Int32 | Self::Float => 4,
            Self::Double => 8,
        }
    }
}

impl<'a> Numbers<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.bytes.len() / self.form.bytes()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes them to `out` as they are encoded, as many as have room there.
    pub fn write<const N: usize>(self, out: &mut [u8], encode: impl Fn(f64) -> [u8; N]) {
        let (places, _) = out.as_chunks_mut::<N>();
        let bytes = self.bytes;
        match self.form {
            Form::Int8 => fill(places, bytes, |chunk| encode(f64::from(i8::from_le_bytes(chunk)))),
            Form::Int16 => fill(places, bytes, |chunk| encode(f64::from(i16::from_le_bytes(chunk)))),
            Form::Int32 => fill(places, bytes, |chunk| encode(f64::from(i32::from_le_bytes(chunk)))),
            Form::Float => fill(places, bytes, |chunk| encode(f64::from(f32::from_le_bytes(chunk)))),
            Form::Double => fill(places, bytes, |chunk| encode(f64::from_le_bytes(chunk))),
        }
    }

    /// One of them.
    #[must_use]
    pub fn at(self, index: usize) -> Option<Field<'a>> {
        let width = self.form.bytes();
        let start = index.checked_mul(width)?;
        let bytes = self.bytes.get(start..start.checked_add(width)?)?;
        let mut number = [0; 8];
        Numbers { form: self.form, bytes }.write(&mut number, f64::to_ne_bytes);
        Some(Field::Float(f64::from_ne_bytes(number)))
    }
}

/// Fills places with what chunks are as. One loop over both, which the compiler turns into vectors.
fn fill<const M: usize, const N: usize>(places: &mut [[u8; N]], bytes: &[u8], encode: impl Fn([u8; M]) -> [u8; N]) {
    let (chunks, _) = bytes.as_chunks::<M>();
    for (place, chunk) in places.iter_mut().zip(chunks) {
        *place = encode(*chunk);
    }
}

/// What is still to be read of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<'a> {
    /// Its Latin-1 texts.
    pub tail: &'a [u8],
    /// Its fields.
    pub fields: &'a [u8],
}

/// Finds what a pointer leads to in a record. `layout` is that of its shape; `None` for the built-in one.
#[inline]
pub fn find<'a, 'p, 'l>(
    record: &Record<'a>,
    layout: Option<&'l Layout>,
    pointer: Pointer<'p>,
) -> Result<Place<'a, 'p, 'l>, Malformed> {
    locate(record, layout, pointer).map(|(place, _)| place)
}

/// The same, and what is still to be read of the record where the field begins, or that which it is in.
pub fn locate<'a, 'p, 'l>(
    record: &Record<'a>,
    layout: Option<&'l Layout>,
    mut pointer: Pointer<'p>,
) -> Result<(Place<'a, 'p, 'l>, Cursor<'a>), Malformed> {
    let mut cursor = Cursor { tail: record.tail, fields: record.fields };
    let mut rows = None;
    let mut object = layout;
    loop {
        let step = pointer.step();
        if let Some(layout) = rows.take() {
            let Some((token, rest)) = step else {
                return Ok((Place::Part(cursor.part(|part| part.skip_rows(layout))?, Part::Rows(layout)), cursor));
            };
            let count = cursor.row_count()?;
            let Some(index) = token.index().filter(|index| *index < count) else {
                return Ok((Place::Nothing, cursor));
            };
            cursor.skip_objects(layout, index)?;
            (object, pointer) = (Some(layout), rest);
        } else if let Some(layout) = object.take() {
            let Some((token, rest)) = step else {
                let part = cursor.part(|part| part.skip_objects(layout, 1))?;
                return Ok((Place::Part(part, Part::Object(layout)), cursor));
            };
            let Some(at) = layout.members.iter().position(|member| member.name.is(token)) else {
                return Ok((Place::Nothing, cursor));
            };
            for member in &layout.members[..at] {
                cursor.skip(&member.content)?;
            }
            pointer = rest;
            match &layout.members[at].content {
                Content::Field => {}
                Content::Object(inner) => object = Some(inner),
                Content::Rows(inner) => rows = Some(inner),
            }
        } else {
            return cursor.within_field(pointer).map(|place| (place, cursor));
        }
    }
}

impl<'a> Cursor<'a> {
    /// Where a pointer leads to from the next field.
    fn within_field<'p>(mut self, pointer: Pointer<'p>) -> Result<Place<'a, 'p, 'static>, Malformed> {
        let field = self.take()?;
        let Some((token, rest)) = pointer.step() else { return Ok(Place::Field(field)) };
        let element = match field {
            Field::Json(text) => return Ok(Place::Within(text, pointer)),
            Field::Numbers(numbers, _) => token.index().and_then(|index| numbers.at(index)),
            Field::Strings(cursor) => match token.index() {
                Some(index) => cursor.string_at(index)?,
                None => None,
            },
            _ => None,
        };
        // Numbers and strings have no members.
        Ok(element.filter(|_| rest.is_empty()).map_or(Place::Nothing, Place::Field))
    }

    /// One of an array of strings.
    fn string_at(mut self, index: usize) -> Result<Option<Field<'a>>, Malformed> {
        let count = self.string_count()?;
        if index >= count {
            return Ok(None);
        }
        for _ in 0..index {
            self.take_string()?;
        }
        self.take_string().map(Some)
    }

    /// What `skip` passes over.
    fn part(self, skip: impl FnOnce(&mut Self) -> Result<(), Malformed>) -> Result<Self, Malformed> {
        let mut after = self;
        skip(&mut after)?;
        Ok(self.until(after))
    }

    /// What lies between this and a later place.
    fn until(self, after: Self) -> Self {
        Self {
            tail: &self.tail[..self.tail.len() - after.tail.len()],
            fields: &self.fields[..self.fields.len() - after.fields.len()],
        }
    }

    /// The next field.
    pub fn field(mut self) -> Result<Field<'a>, Malformed> {
        self.take()
    }

    /// How many bytes of texts and of fields lie before this in its record.
    #[must_use]
    pub fn offsets(self, record: &Record<'_>) -> (usize, usize) {
        (record.tail.len() - self.tail.len(), record.fields.len() - self.fields.len())
    }

    /// Passes over a member.
    pub fn skip(&mut self, content: &Content) -> Result<(), Malformed> {
        match content {
            Content::Field => self.skip_field(),
            Content::Object(layout) => self.skip_objects(layout, 1),
            Content::Rows(layout) => self.skip_rows(layout),
        }
    }

    /// As `take`, without saying what the field is: most fields are passed over.
    #[inline]
    fn skip_field(&mut self) -> Result<(), Malformed> {
        let tag = self.tag()?;
        let bytes = match tag {
            0..0x80 | 192..=194 => return Ok(()),
            128..192 => return self.text(usize::from(tag - 128)).map(|_| ()),
            195 => 2,
            196 | 197 => 4,
            198 => 8,
            199 | 201 => {
                let len = self.length()?;
                return self.text(len).map(|_| ());
            }
            200 | 202 | 204 => self.length_of(2)?,
            203 => self.length_of(1)?,
            205 | 206 => self.length_of(4)?,
            207 => self.length_of(8)?,
            208 => {
                for _ in 0..self.length()? {
                    self.take_string()?;
                }
                return Ok(());
            }
            _ => return Err(Malformed),
        };
        self.bytes(bytes).map(|_| ())
    }

    /// Bytes of so many elements as the next varint says.
    fn length_of(&mut self, width: usize) -> Result<usize, Malformed> {
        self.length()?.checked_mul(width).ok_or(Malformed)
    }

    fn skip_rows(&mut self, layout: &Layout) -> Result<(), Malformed> {
        let count = self.row_count()?;
        self.skip_objects(layout, count)
    }

    /// Passes over objects that follow each other.
    pub fn skip_objects(&mut self, layout: &Layout, count: usize) -> Result<(), Malformed> {
        if layout.has_fields {
            for _ in 0..count {
                for member in &layout.members {
                    self.skip(&member.content)?;
                }
            }
        }
        Ok(())
    }

    /// How many rows follow.
    pub fn row_count(&mut self) -> Result<usize, Malformed> {
        let Field::Int(count) = self.take()? else { return Err(Malformed) };
        usize::try_from(count).ok().filter(|count| *count <= MAX_ROWS).ok_or(Malformed)
    }

    /// The next field, which is passed over.
    #[inline]
    pub fn take(&mut self) -> Result<Field<'a>, Malformed> {
        let start = *self;
        let tag = self.tag()?;
        Ok(match tag {
            0..0x80 => Field::Int(i32::from(tag) - SMALL_BIAS),
            192 => Field::Null,
            193 | 194 => Field::Boolean(tag == 194),
            195 => Field::Int(i32::from(i16::from_le_bytes(self.array()?))),
            196 => Field::Int(i32::from_le_bytes(self.array()?)),
            197 => Field::Float(f64::from(f32::from_le_bytes(self.array()?))),
            198 => Field::Float(f64::from_le_bytes(self.array()?)),
            201 => Field::Json(self.latin_text()?),
            202 => Field::Json(self.wide_text()?),
            203 => self.numbers(Form::Int8, start)?,
            204 => self.numbers(Form::Int16, start)?,
            205 => self.numbers(Form::Int32, start)?,
            206 => self.numbers(Form::Float, start)?,
            207 => self.numbers(Form::Double, start)?,
            208 => {
                for _ in 0..self.length()? {
                    self.take_string()?;
                }
                Field::Strings(start.until(*self))
            }
            _ => self.string(tag)?,
        })
    }

    /// How many strings an array has, which follow.
    pub fn string_count(&mut self) -> Result<usize, Malformed> {
        self.bytes(1)?;
        self.length()
    }

    /// The next string of an array, which is passed over.
    pub fn take_string(&mut self) -> Result<Field<'a>, Malformed> {
        let tag = self.tag()?;
        self.string(tag)
    }

    #[inline]
    fn string(&mut self, tag: u8) -> Result<Field<'a>, Malformed> {
        Ok(Field::String(match tag {
            128..192 => Text::Latin(self.text(usize::from(tag - 128))?),
            199 => self.latin_text()?,
            200 => self.wide_text()?,
            _ => return Err(Malformed),
        }))
    }

    fn latin_text(&mut self) -> Result<Text<'a>, Malformed> {
        let len = self.length()?;
        Ok(Text::Latin(self.text(len)?))
    }

    fn wide_text(&mut self) -> Result<Text<'a>, Malformed> {
        let units = self.length()?;
        Ok(Text::Wide(self.bytes(units.checked_mul(2).ok_or(Malformed)?)?))
    }

    fn numbers(&mut self, form: Form, start: Self) -> Result<Field<'a>, Malformed> {
        let count = self.length()?;
        let bytes = self.bytes(count.checked_mul(form.bytes()).ok_or(Malformed)?)?;
        Ok(Field::Numbers(Numbers { form, bytes }, start.until(*self)))
    }

    #[inline]
    fn tag(&mut self) -> Result<u8, Malformed> {
        let (tag, rest) = self.fields.split_first().ok_or(Malformed)?;
        self.fields = rest;
        Ok(*tag)
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        let (length, rest) = varint(self.fields).ok_or(Malformed)?;
        self.fields = rest;
        Ok(length as usize)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.fields.split_first_chunk().ok_or(Malformed)?;
        self.fields = rest;
        Ok(*bytes)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.fields.split_at_checked(len).ok_or(Malformed)?;
        self.fields = rest;
        Ok(bytes)
    }

    #[inline]
    fn text(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (text, rest) = self.tail.split_at_checked(len).ok_or(Malformed)?;
        self.tail = rest;
        Ok(text)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
