//! The wall between JavaScript and the store: convert, one call to the store, convert back. No decision about data is
//! made here.
//!
//! Each room imports only those above it:
//!
//! ```text
//! failure       why a call has no result
//! cpu           what this build assumes of the processor
//! engine/       raw calls of Node-API: read, make, many, functions, the life of an environment
//! layout        numbers that Rust and JavaScript agree on
//! convert/      keys, values, options, limits, details of errors
//! environment/  what is kept for an environment, an evaluation of the package, an open map
//! operation     one operation: from the call to its result or exception
//! operations/   the operations
//! exports       what JavaScript finds when it loads the addon
//! ```
//!
//! Operations that are called often are raw Node-API callbacks that take the number of an open map; the rest are
//! `#[napi]` functions. Both find what they need in the state of their [evaluation](environment::Evaluation) of the
//! package, which belongs to one [environment](environment::Environment) and is seen by no other thread.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::needless_pass_by_value,
    reason = "napi's macros want environments by reference and strings by value"
)]

pub mod convert;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod cpu;
pub mod engine;
pub mod environment;
pub mod exports;
pub mod failure;
pub mod layout;
pub mod operation;
pub mod operations;
