//! What an operation is about: an entry by its key or by its handle.

use super::handle::Handle;
use super::key::Key;

/// A key, or a handle. A dead or forged handle is what a key is that is not there.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The entry of this key.
    Key(Key<'a>),
    /// The entry of this handle.
    Handle(Handle),
}

impl<'a> From<Key<'a>> for Target<'a> {
    #[inline]
    fn from(key: Key<'a>) -> Self {
        Self::Key(key)
    }
}

impl From<Handle> for Target<'_> {
    #[inline]
    fn from(handle: Handle) -> Self {
        Self::Handle(handle)
    }
}
