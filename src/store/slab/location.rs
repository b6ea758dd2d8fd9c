//! Where an entry is found, and what a copy of its value is kept by.

use super::slots::Stamp;
use crate::store::entry::handle::Handle;

/// A handle, and what a copy of the value can be kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryLocation {
    /// The entry.
    pub handle: Handle,
    /// `None` if no copy may be kept: the entry was being changed or is gone, or its copies would outlive it.
    pub stamp: Option<Stamp>,
}
