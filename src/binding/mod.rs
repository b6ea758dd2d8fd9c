//! The wall between JavaScript and the store: convert, one call to the store, convert back. No decision about data is
//! made here.
//!
//! Operations that are called often are raw Node-API callbacks ([`hot`], [`batch`]) that take the number of an open map;
//! the rest are `#[napi]` functions. Both find what they need in the state of their [evaluation](evaluation::Evaluation) of the
//! package, which belongs to one [environment](env::Environment) and is seen by no other thread.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::needless_pass_by_value,
    reason = "napi's macros want environments by reference and strings by value"
)]

pub mod batch;
pub mod call;
pub mod convert;
pub mod details;
pub mod entry;
pub mod env;
pub mod error;
pub mod evaluation;
pub mod gather;
pub mod holds;
pub mod hot;
pub mod layout;
pub mod limits;
pub mod listener;
pub mod map;
pub mod operation;
pub mod options;
pub mod pressure;
pub mod removals;
pub mod roster;
pub mod scratch;
pub mod shared_words;
pub mod stats;
pub mod validate;
