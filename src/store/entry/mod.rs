//! One entry: its block, key, value, type and shape, the handle that refers to it, and globs over keys.

pub mod block;
pub mod counter;
pub mod definition;
pub mod fields;
pub mod glob;
pub mod handle;
pub mod hash;
pub mod json_text;
pub mod key;
pub mod pointer;
pub mod record;
pub mod shapes;
pub mod target;
pub mod types;
pub mod value;
