//! What listeners are told of an entry: what happened to it, and its key and value at that moment.

use super::cause::Cause;
use crate::store::entry::block::Entry;
use crate::store::entry::handle::Handle;
use crate::store::entry::held::Held;
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::shapes::{ShapeHold, Shapes};
use crate::store::entry::types::{TypeHold, Types};
use crate::store::entry::value::ValueKind;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// A report carries a value up to this size: making a string of 1 MB takes up to 0.5 ms in a turn of the listener's
/// thread.
pub const CARRIED_BYTES: usize = 1_024 * 1_024;

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It left, or an old value of it did.
    Removed(Cause),
    /// It came.
    Created,
    /// It has another value.
    Updated,
}

impl What {
    /// What is no removal.
    pub const WRITES: [Self; 2] = [Self::Created, Self::Updated];

    /// Its number: that of the cause of a removal, or one after those.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Removed(cause) => cause as u8,
            Self::Created => 6,
            Self::Updated => 7,
        }
    }

    /// Its place in a set.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self.number()
    }
}

/// An entry that something happened to.
#[derive(Debug)]
pub struct Report {
    /// What happened.
    pub what: What,
    /// Its handle; dead if the entry was removed.
    pub handle: Handle,
    /// What the key is; [`KeyKind::Keyless`] for none.
    pub key_kind: KeyKind,
    /// What the value is, or was.
    pub value_kind: ValueKind,
    /// Bytes of a value that is too large to carry ([`CARRIED_BYTES`]); 0 of one that is here.
    pub omitted_bytes: usize,
    /// Its type, 0 for none.
    pub type_id: u32,
    /// Keeps the type known until its name was asked for.
    pub type_hold: Option<TypeHold>,
    /// Keeps the shape of a record known until it was read.
    pub shape_hold: Option<ShapeHold>,
    content: Content,
}

/// Key and value.
#[derive(Debug)]
enum Content {
    /// Of a large entry: copying it would take long, and a shard's lock is held.
    Held(Held),
    /// Of a small one, or the key alone, in one allocation.
    Copied { bytes: Box<[u8]>, key_len: usize },
}

impl Report {
    /// Copies an entry, if there is memory for it; a large one is held. The shard owns it, under the lock, and its type
    /// and its shape are known, because the shard or the writer counts the entry.
    pub(super) fn new(
        entry: Entry,
        handle: Handle,
        what: What,
        types: &Arc<Types>,
        shapes: &Arc<Shapes>,
    ) -> Result<Self, Error> {
        let is_carried = is_carried(entry);
        let held = if is_carried { Held::new(entry) } else { None };
        let content = match held {
            Some(held) => Content::Held(held),
            None => Content::copy(entry.key().bytes(), if is_carried { entry.value_bytes() } else { &[] })?,
        };
        Ok(Self {
            what,
            handle,
            key_kind: entry.key().kind(),
            value_kind: entry.value_kind(),
            omitted_bytes: if is_carried { 0 } else { entry.value_len() },
            type_id: entry.type_id(),
            type_hold: types.hold_again(entry.type_id()),
            shape_hold: entry.shape().and_then(|number| shapes.hold(number)),
            content,
        })
    }

    /// The bytes of the key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match &self.content {
            Content::Held(held) => held.entry().key().bytes(),
            Content::Copied { bytes, key_len } => &bytes[..*key_len],
        }
    }

    /// The key, to be compared with others.
    #[must_use]
    pub fn whole_key(&self) -> Key<'_> {
        Key::new(self.key_kind, self.key())
    }

    /// The value; empty if it was omitted.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        match &self.content {
            Content::Held(held) => held.entry().value_bytes(),
            Content::Copied { bytes, key_len } => &bytes[*key_len..],
        }
    }

    /// Bytes of the key and of the value that it carries.
    pub(super) fn len(&self) -> usize {
        self.key().len() + self.value().len()
    }
}

impl Content {
    fn copy(key: &[u8], value: &[u8]) -> Result<Self, Error> {
        let mut bytes = fallible::vec(key.len() + value.len())?;
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        Ok(Self::Copied { bytes: bytes.into_boxed_slice(), key_len: key.len() })
    }
}

/// Bytes of the key and of the value that the report of an entry carries.
pub(super) fn len_of(entry: Entry) -> usize {
    entry.key().len() + if is_carried(entry) { entry.value_len() } else { 0 }
}

fn is_carried(entry: Entry) -> bool {
    entry.value_len() <= CARRIED_BYTES
}
