#![doc = include_str!("ARCHITECTURE.md")]

#[cfg(feature = "binding")]
pub mod binding;
pub mod store;
