//! Models of whole maps, for loom. Those of one structure stand beside it.

mod commits;
mod freshness;
mod process;
mod shapes;
mod slots;
mod walks;
