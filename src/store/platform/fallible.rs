//! Memory that may be refused: the allocations whose size a user decides, and those that a write needs before it
//! changes anything.
//!
//! The standard library ends the process where an allocation fails. A map lives in another program's process, often
//! one with a limit over its address space, so here a refusal is [`Error::OutOfMemory`], and the map is unchanged.

use std::alloc::Layout;

use super::sync::{AtomicU32, AtomicU64, zeroed_u32, zeroed_u64};
use crate::store::error::Error;

/// Makes room for so many more items, and not for more than that.
pub fn reserve<T>(items: &mut Vec<T>, more: usize) -> Result<(), Error> {
    if items.capacity() - items.len() >= more {
        return Ok(());
    }
    grant(more * size_of::<T>())?;
    items.try_reserve_exact(more).map_err(|_| refused::<T>(more))
}

/// A vector with room for so many items.
pub fn vec<T>(room: usize) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    reserve(&mut items, room)?;
    Ok(items)
}

/// So many items, each made from its number.
pub fn slice<T>(len: usize, make: impl FnMut(usize) -> T) -> Result<Box<[T]>, Error> {
    let mut items = vec(len)?;
    items.extend((0..len).map(make));
    Ok(items.into_boxed_slice())
}

/// Words that are zero.
pub fn words(len: usize) -> Result<Box<[AtomicU64]>, Error> {
    grant(len * size_of::<AtomicU64>())?;
    zeroed_u64(len).ok_or_else(|| refused::<AtomicU64>(len))
}

/// Words of 32 bits that are zero.
pub fn half_words(len: usize) -> Result<Box<[AtomicU32]>, Error> {
    grant(len * size_of::<AtomicU32>())?;
    zeroed_u32(len).ok_or_else(|| refused::<AtomicU32>(len))
}

/// So many times the same item.
pub fn filled<T: Clone>(len: usize, item: T) -> Result<Box<[T]>, Error> {
    let mut items = vec(len)?;
    items.resize(len, item);
    Ok(items.into_boxed_slice())
}

/// A box.
pub fn boxed<T>(content: T) -> Result<Box<T>, Error> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Ok(Box::new(content));
    }
    grant(layout.size())?;
    // SAFETY: the layout is not empty; a block of it, once written, is what a box of this type is made of.
    unsafe {
        let block = std::alloc::alloc(layout).cast::<T>();
        if block.is_null() {
            return Err(refused::<T>(1));
        }
        block.write(content);
        Ok(Box::from_raw(block))
    }
}

/// Replaces what is in `out` by a copy of `bytes`. After a refusal it is empty.
#[expect(clippy::inline_always, reason = "a few instructions on the way of each read")]
#[inline(always)]
pub fn copy_into(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    out.clear();
    if out.capacity() < bytes.len() {
        reserve_for_copy(out, bytes.len())?;
    }
    append_short(out, bytes);
    Ok(())
}

/// Adds bytes to a vector. Most values are shorter than what calling `memcpy` pays for: numbers are one word, and two
/// words that may overlap cover what has up to 16 bytes.
#[inline]
fn append_short(out: &mut Vec<u8>, bytes: &[u8]) {
    match (bytes.len(), bytes.first_chunk::<4>(), bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (4, Some(word), ..) => out.extend_from_slice(word),
        (8, _, Some(word), _) => out.extend_from_slice(word),
        (9..=16, _, Some(first), Some(last)) => {
            out.extend_from_slice(first);
            out.truncate(out.len() + bytes.len() - 16);
            out.extend_from_slice(last);
        }
        _ => out.extend_from_slice(bytes),
    }
}

#[cold]
fn reserve_for_copy(out: &mut Vec<u8>, len: usize) -> Result<(), Error> {
    // Buffers of reads are used again, so a little more now saves growing for each value that is a little longer.
    reserve(out, len.next_multiple_of(64))
}

/// Adds a copy of `bytes` to `out`, or changes nothing.
#[cfg(any(test, feature = "binding"))]
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    reserve_amortised(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// The same, and at least doubles the room where it has to grow.
#[inline]
pub fn reserve_amortised<T>(items: &mut Vec<T>, more: usize) -> Result<(), Error> {
    if items.capacity() - items.len() < more {
        reserve(items, more.max(items.capacity()))?;
    }
    Ok(())
}

/// A copy of a text.
pub fn text(text: &str) -> Result<String, Error> {
    let mut copied = String::new();
    grant(text.len())?;
    copied.try_reserve_exact(text.len()).map_err(|_| refused::<u8>(text.len()))?;
    copied.push_str(text);
    Ok(copied)
}

fn refused<T>(items: usize) -> Error {
    Error::OutOfMemory { bytes: (items as u64).saturating_mul(size_of::<T>() as u64) }
}

/// Refuses an allocation that a test wants to fail; elsewhere it costs nothing.
#[inline]
#[cfg_attr(not(test), expect(clippy::unnecessary_wraps, reason = "a test may refuse"))]
pub fn grant(bytes: usize) -> Result<(), Error> {
    #[cfg(test)]
    if failures::is_next_refused() {
        return Err(Error::OutOfMemory { bytes: bytes as u64 });
    }
    let _ = bytes;
    Ok(())
}

/// Failures on demand, for tests.
#[cfg(test)]
pub mod failures {
    use std::cell::Cell;

    thread_local! {
        /// Allocations of this thread until one is refused; 0 for none.
        static UNTIL_REFUSED: Cell<u32> = const { Cell::new(0) };
    }

    pub(crate) fn is_next_refused() -> bool {
        UNTIL_REFUSED.with(|until| {
            let left = until.get();
            until.set(left.saturating_sub(1));
            left == 1
        })
    }

    /// Refuses the n-th allocation of this thread that may be refused, counting from 1, while `work` runs. Says
    /// whether there were as many.
    pub fn refuse_nth<T>(n: u32, work: impl FnOnce() -> T) -> (T, bool) {
        UNTIL_REFUSED.with(|until| until.set(n));
        let answer = work();
        let left = UNTIL_REFUSED.with(|until| until.replace(0));
        (answer, left == 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_an_error() {
        let absurd = usize::MAX / 32;
        assert!(matches!(vec::<u8>(absurd), Err(Error::OutOfMemory { .. })));
        assert!(matches!(slice(absurd, |n| n as u64), Err(Error::OutOfMemory { .. })));
        let mut out = vec![1, 2, 3];
        assert!(reserve(&mut out, absurd).is_err());
        assert_eq!(out, [1, 2, 3]);
        let (copied, was_refused) = failures::refuse_nth(1, || copy_into(&mut out, &[7; 100]));
        assert_eq!((copied, was_refused, out.len()), (Err(Error::OutOfMemory { bytes: 128 }), true, 0));
        copy_into(&mut out, &[7; 100]).unwrap();
        assert!(failures::refuse_nth(1, || append(&mut out, &[8; 200])).0.is_err());
        assert_eq!(out, [7; 100]);
        append(&mut out, &[8; 2]).unwrap();
        assert_eq!((out.len(), out[101]), (102, 8));
        assert_eq!(*boxed(5).unwrap(), 5);
        assert!(failures::refuse_nth(2, || (boxed(1), boxed(2))).0.1.is_err());
        assert!(!failures::refuse_nth(2, || boxed(1)).1);
    }
}
