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

/// A key, a handle, or a [`Target`], which is one of the two.
///
/// A key does not become a target on its way to what it is for, because the two share their bytes in one: a handle
/// would be read in other pieces than it was written in, which a processor cannot forward, so that no two reads
/// overlap (`cargo bench --bench store -- '^read/'`: 160 against 55 ns by handle).
pub trait KeyOrHandle<'a>: Copy {
    /// Calls one of the two functions. `state` is for whichever it is.
    fn either<S, T>(self, state: S, by_key: impl FnOnce(S, Key<'a>) -> T, by_handle: impl FnOnce(S, Handle) -> T) -> T;
}

impl<'a> KeyOrHandle<'a> for Key<'a> {
    #[inline]
    fn either<S, T>(self, state: S, by_key: impl FnOnce(S, Key<'a>) -> T, _: impl FnOnce(S, Handle) -> T) -> T {
        by_key(state, self)
    }
}

impl<'a> KeyOrHandle<'a> for Handle {
    #[inline]
    fn either<S, T>(self, state: S, _: impl FnOnce(S, Key<'a>) -> T, by_handle: impl FnOnce(S, Self) -> T) -> T {
        by_handle(state, self)
    }
}

impl<'a> KeyOrHandle<'a> for Target<'a> {
    #[inline]
    fn either<S, T>(self, state: S, by_key: impl FnOnce(S, Key<'a>) -> T, by_handle: impl FnOnce(S, Handle) -> T) -> T {
        match self {
            Self::Key(key) => by_key(state, key),
            Self::Handle(handle) => by_handle(state, handle),
        }
    }
}
