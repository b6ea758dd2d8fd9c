//! What was taken out of a shard and waits until no reader can be looking at it.

use super::super::eviction::Cells;
use crate::store::entry::block::Entry;
use crate::store::index::table::Tables;
use crate::store::slab::slots::Directory;

/// Unlinked, but maybe still looked at. Dropping the boxes frees them.
#[derive(Debug)]
pub enum Retired {
    Entry(Entry),
    Tables(Box<Tables>),
    Directory(Box<Directory>),
    /// Never seen by a reader: it only has to be freed without the lock.
    Cells(Box<Cells>),
}

/// What waits is listed beside the memory that counts, so that each shard's lists stay at a few kilobytes.
const _: () = assert!(size_of::<Retired>() <= 16);
