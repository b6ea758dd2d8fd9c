//! One entry: its block, key, value, type and shape, the handle that refers to it, globs over keys, and whether values
//! are equal.

pub mod algorithm;
pub mod block;
pub mod characters;
pub mod counter;
pub mod definition;
pub mod equality;
pub mod fields;
pub mod folding;
pub mod glob;
pub mod handle;
pub mod hash;
pub mod held;
pub mod json_text;
pub mod json_walk;
pub mod key;
pub mod pattern;
pub mod pointer;
pub mod record;
pub mod shapes;
pub mod splice;
pub mod target;
pub mod text;
pub mod types;
pub mod value;
pub mod view;
