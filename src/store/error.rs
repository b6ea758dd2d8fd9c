//! What can go wrong in the store, and the public number of each.

use std::fmt;

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The map's own.
    Map,
    /// That of all maps of the process.
    Process,
}

/// An error of the store. The map is unchanged after each of them, unless it says otherwise.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The entry of this handle is gone.
    HandleNotFound,
    /// The map was cleared since this handle was made.
    HandleInvalidated,
    /// The slot of this handle has a new tenant.
    GenerationMismatch {
        /// The handle's generation.
        given: u32,
        /// The slot's generation.
        found: u32,
    },
    /// The handle names a shard that the map does not have.
    InvalidShardIndex {
        /// The handle's shard.
        shard: u32,
        /// How many the map has.
        shards: u32,
    },
    /// The entry has another type than expected. Types by number, see [`crate::store::Store::type_name`].
    WrongType {
        /// The type asked for.
        expected: u32,
        /// The entry's type, 0 for none.
        found: u32,
    },
    /// The value is not of the kind that an operation is about.
    WrongKind {
        /// What it should be, with its article.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A result that is not allowed.
    OutOfRange {
        /// What would have been written.
        reached: String,
        /// What is allowed.
        allowed: String,
    },
    /// The write would take the map above its byte limit, or all maps above that of the process.
    MemoryLimit {
        /// Whose limit it is, and whose bytes.
        scope: Scope,
        /// Bytes that could not be had.
        requested_bytes: u64,
        /// Bytes in use.
        used_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The write would take the map above its number of entries.
    EntryLimit {
        /// The limit.
        limit: u64,
    },
    /// The key or the value is too large for any entry of this map.
    ValueTooLarge {
        /// Size of key and value.
        bytes: u64,
        /// The largest possible.
        limit_bytes: u64,
    },
    /// A caller that was to make room could not.
    EvictionFailed,
    /// The allocator said no.
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// An option that this map could not live with, or cannot take.
    InvalidOption {
        /// Name of the option, as in JavaScript.
        option: &'static str,
        /// What was given.
        given: String,
        /// What is allowed.
        allowed: String,
    },
    /// A map that was made without limits is to get one.
    Unbounded,
    /// As many jobs of the process wait or are under way as may be.
    TooManyJobs {
        /// How many.
        limit: usize,
    },
    /// The system starts no thread for a job.
    NoThread,
    /// The map was destroyed.
    Closed,
    /// A panic left the map in doubt.
    Broken,
    /// A recovery took longer than it may take.
    RecoveryTimeout {
        /// Milliseconds that it may take.
        ms: u64,
    },
    /// A loader failed that ran in the background.
    RefreshFailed {
        /// What it threw, as its caller describes it.
        reason: String,
    },
    /// No thread removes expired entries.
    ExpiryUnattended,
    /// Others have changed what a transaction has read.
    TransactionConflict,
    /// A transaction is about more entries or bytes than it may be.
    TransactionTooLarge {
        /// Entries, with the one that was refused.
        keys: u64,
        /// Bytes of keys and values, likewise.
        bytes: u64,
    },
    /// The shape of a record is not known any more, so that no thread could read it. Not for users: the caller writes
    /// the value in another way.
    ShapeGone,
    /// A named map was opened with an option that differs from what it was made with.
    OptionMismatch {
        /// Name of the option, as in JavaScript.
        option: &'static str,
        /// What was asked for.
        given: String,
        /// What the map has.
        existing: String,
    },
}

impl Error {
    /// Whether a limit of the map is what refused it, so that room for it might be made.
    pub(super) fn is_limit(&self) -> bool {
        matches!(self, Self::MemoryLimit { .. } | Self::EntryLimit { .. })
    }

    /// Whether the limit of the process is what refused it.
    pub(super) fn is_of_process(&self) -> bool {
        matches!(self, Self::MemoryLimit { scope: Scope::Process, .. })
    }

    /// The public number of this error.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::HandleNotFound => 1001,
            Self::WrongType { .. } | Self::WrongKind { .. } => 1002,
            Self::HandleInvalidated => 1003,
            Self::GenerationMismatch { .. } => 1004,
            Self::InvalidShardIndex { .. } => 1005,
            Self::MemoryLimit { .. } | Self::EntryLimit { .. } => 1006,
            Self::ValueTooLarge { .. } => 1007,
            Self::EvictionFailed => 1008,
            Self::OutOfMemory { .. } => 1009,
            Self::Closed => 1010,
            Self::OptionMismatch { .. } | Self::InvalidOption { .. } | Self::Unbounded => 1013,
            Self::TransactionConflict => 1014,
            Self::Broken => 1020,
            Self::OutOfRange { .. } => 1025,
            Self::RecoveryTimeout { .. } => 1027,
            Self::TransactionTooLarge { .. } => 1030,
            Self::TooManyJobs { .. } | Self::NoThread => 1032,
            Self::RefreshFailed { .. } => 1033,
            Self::ExpiryUnattended => 1034,
            // Not one of the public numbers, which follow those of the specification.
            Self::ShapeGone => 1900,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandleNotFound => write!(f, "the entry of this handle is gone"),
            Self::HandleInvalidated => write!(f, "the map was cleared since this handle was made"),
            Self::GenerationMismatch { given, found } => {
                write!(f, "the handle is of generation {given}, its slot is at generation {found}")
            }
            Self::InvalidShardIndex { shard, shards } => write!(f, "there is no shard {shard}, the map has {shards}"),
            Self::WrongType { expected, found } => {
                write!(f, "expected an entry of type {expected}, found type {found}")
            }
            Self::WrongKind { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::OutOfRange { reached, allowed } => write!(f, "the result is {reached}; allowed: {allowed}"),
            Self::MemoryLimit { scope, requested_bytes, used_bytes, limit_bytes } => {
                let of = if *scope == Scope::Process { " of the process" } else { "" };
                write!(
                    f,
                    "{requested_bytes} bytes more than the {used_bytes} in use exceed the limit of {limit_bytes}"
                )?;
                write!(f, "{of}")
            }
            Self::EntryLimit { limit } => write!(f, "the map holds its limit of {limit} entries"),
            Self::ValueTooLarge { bytes, limit_bytes } => {
                write!(f, "an entry of {bytes} bytes exceeds the largest possible of {limit_bytes}")
            }
            Self::EvictionFailed => write!(f, "no room was made for a write"),
            Self::OutOfMemory { bytes } => write!(f, "the allocator refused {bytes} bytes"),
            Self::InvalidOption { option, given, allowed } => {
                write!(f, "option {option} is {given}; allowed: {allowed}")
            }
            Self::Unbounded => write!(f, "the map was made without limits and without an eviction strategy"),
            Self::TooManyJobs { limit } => write!(f, "{limit} jobs of this process wait or are under way"),
            Self::NoThread => write!(f, "the system starts no thread for a job"),
            Self::Closed => write!(f, "the map is closed"),
            Self::Broken => write!(f, "a panic left the map in doubt"),
            Self::RecoveryTimeout { ms } => write!(f, "the map was not recovered within {ms} ms"),
            Self::RefreshFailed { reason } => write!(f, "a refresh in the background failed: {reason}"),
            Self::ExpiryUnattended => write!(f, "no thread removes expired entries"),
            Self::TransactionConflict => write!(f, "others have changed what the transaction has read"),
            Self::TransactionTooLarge { keys, bytes } => {
                write!(f, "a transaction of {keys} entries and {bytes} bytes is too large")
            }
            Self::ShapeGone => write!(f, "the shape of the value is not known any more"),
            Self::OptionMismatch { option, given, existing } => {
                write!(f, "option {option}: given {given}, but the map was made with {existing}")
            }
        }
    }
}

impl std::error::Error for Error {}
