//! Causes of removals.

/// Why an entry was removed, or an old value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// It was deleted.
    Explicit = 1,
    /// Another value was written; the entry stays.
    Replaced = 2,
    /// There was no room.
    Evicted = 3,
    /// Its deadline was over.
    Expired = 4,
    /// The map was cleared or destroyed.
    Cleared = 5,
}

impl Cause {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Explicit, Self::Replaced, Self::Evicted, Self::Expired, Self::Cleared];

    /// Its place in a set of causes.
    #[must_use]
    pub fn bit(self) -> u32 {
        1 << self as u32
    }
}
