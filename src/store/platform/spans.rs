//! Spans: address space from the operating system, which pages and runs are cut from.
//!
//! Mapping a span costs no memory. A page of the operating system costs memory from when it is [prepared] and first
//! stored into until it is [released].
//!
//! [prepared]: super::mapping::prepare
//! [released]: super::mapping::release

use super::mapping::Mapping;

/// Bytes of a span. Few of them cover much memory, and what is not used of one costs nothing.
pub const SPAN_BYTES: usize = 64 << 20;

/// Bytes of a span where the process may not map that much: a process with an address-space limit still gets what is
/// there.
pub const LEAST_SPAN_BYTES: usize = 32 << 20;

/// Address space that is mapped until the span is dropped.
#[derive(Debug)]
pub struct Span {
    /// Invariant: `start..start + len` lies within it.
    _mapping: Mapping,
    start: usize,
    len: usize,
}

impl Span {
    /// A span whose start is a multiple of `align`, or `None` if the system refuses even a small one.
    pub fn map(align: usize) -> Option<Self> {
        Self::map_bytes(SPAN_BYTES, align).or_else(|| Self::map_bytes(LEAST_SPAN_BYTES, align))
    }

    fn map_bytes(bytes: usize, align: usize) -> Option<Self> {
        let mapping = Mapping::reserve(bytes)?;
        let address = mapping.start().as_ptr() as usize;
        let start = address.next_multiple_of(align);
        let len = (address + bytes - start) / align * align;
        Some(Self { _mapping: mapping, start, len })
    }

    /// Address of its first byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Bytes that can be used.
    pub fn len(&self) -> usize {
        self.len
    }
}
