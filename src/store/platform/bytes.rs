//! Bytes that something owns, in place if they are few.

use std::ops::Deref;

use super::fallible;
use crate::store::error::Error;

/// Bytes that lie in place: those of most keys and numbers. More would make everything larger that has some.
const FEW: usize = 22;

/// A copy of bytes.
#[derive(Debug)]
pub enum Bytes {
    /// So many, at the beginning.
    Few(u8, [u8; FEW]),
    /// More.
    Many(Vec<u8>),
}

impl Bytes {
    /// A copy of these.
    #[inline]
    pub fn copy(bytes: &[u8]) -> Result<Self, Error> {
        let len = bytes.len();
        if len <= FEW {
            let mut few = [0; FEW];
            few[..len].copy_from_slice(bytes);
            return Ok(Self::Few(len as u8, few));
        }
        let mut many = Vec::new();
        fallible::copy_into(&mut many, bytes)?;
        Ok(Self::Many(many))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Few(len, bytes) => &bytes[..usize::from(*len)],
            Self::Many(bytes) => bytes,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_same_whatever_its_length() {
        let all: Vec<u8> = (0..=255).collect();
        for len in 0..=all.len() {
            let copy = Bytes::copy(&all[..len]).unwrap();
            assert_eq!(copy[..], all[..len]);
            assert_eq!(matches!(copy, Bytes::Few(..)), len <= FEW);
        }
    }
}
