//! One entry: its block, key, value, type and shape, and the handle that refers to it.

pub mod block;
pub mod fields;
pub mod handle;
pub mod hash;
pub mod key;
pub mod pointer;
pub mod record;
pub mod shapes;
pub mod target;
pub mod types;
pub mod value;
