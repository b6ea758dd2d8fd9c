//! Ways to fields, which are the same in all records of a shape: found once, and gone for each record.

use super::super::pointer::Pointer;
use super::super::record::Record;
use super::{Content, Cursor, Field, Layout, Malformed, SMALL_BIAS};

/// Where a pointer leads to in records of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nowhere.
    Nothing,
    /// To the field behind so many others.
    Field(usize),
    /// That is not the same in all of them, or it is more than a field: [`super::locate`] finds it out.
    Varying,
}

impl Layout {
    /// Where a pointer leads to.
    #[must_use]
    pub fn route(&self, mut pointer: Pointer<'_>) -> Route {
        let (mut object, mut behind) = (self, 0);
        while let Some((token, rest)) = pointer.step() {
            let Some(at) = object.members.iter().position(|member| member.name.is(token)) else {
                return Route::Nothing;
            };
            let Some(before) = fields_of(&object.members[..at]) else { return Route::Varying };
            behind += before;
            match &object.members[at].content {
                Content::Field if rest.is_empty() => return Route::Field(behind),
                Content::Object(inner) => (object, pointer) = (inner, rest),
                Content::Field | Content::Rows(_) => return Route::Varying,
            }
        }
        Route::Varying
    }
}

/// Fields that members take together; `None` if that is not the same in all records.
fn fields_of(members: &[super::Member]) -> Option<usize> {
    members.iter().try_fold(0, |count, member| match &member.content {
        Content::Field => Some(count + 1),
        Content::Object(layout) => Some(count + fields_of(&layout.members)?),
        Content::Rows(_) => None,
    })
}

/// The number that is the field behind so many others; `None` if it is none, or if one before it has another form than
/// most have. For walks over many records: nothing is made of them, not even a [`Cursor`].
#[inline]
pub fn number_behind(record: &Record<'_>, others: usize) -> Option<f64> {
    let (mut rest, mut texts) = (record.fields, 0);
    for _ in 0..others {
        let tag = *rest.first()?;
        let bytes = match tag {
            0..0x80 | 192..=194 => 1,
            128..192 => {
                texts += usize::from(tag - 128);
                1
            }
            195 => 3,
            196 | 197 => 5,
            198 => 9,
            _ => return None,
        };
        rest = rest.get(bytes..)?;
    }
    if texts > record.tail.len() {
        return None;
    }
    let (tag, rest) = rest.split_first()?;
    Some(match tag {
        0..0x80 => f64::from(i32::from(*tag) - SMALL_BIAS),
        195 => f64::from(i16::from_le_bytes(*rest.first_chunk()?)),
        196 => f64::from(i32::from_le_bytes(*rest.first_chunk()?)),
        197 => f64::from(f32::from_le_bytes(*rest.first_chunk()?)),
        198 => f64::from_le_bytes(*rest.first_chunk()?),
        _ => return None,
    })
}

/// The field of a record behind so many others.
pub fn field_behind<'a>(record: &Record<'a>, others: usize) -> Result<Field<'a>, Malformed> {
    let mut cursor = Cursor { tail: record.tail, fields: record.fields };
    for _ in 0..others {
        cursor.skip_field()?;
    }
    cursor.take()
}
