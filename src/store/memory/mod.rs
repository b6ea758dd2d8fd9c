//! Where bytes come from, what they are counted for, and when they may be freed.

pub mod arena;
pub mod boxes;
pub mod budget;
pub mod free_runs;
pub mod large;
pub mod marks;
pub mod pages;
pub mod process;
pub mod reaper;
pub mod reclaim;
pub mod regions;
pub mod runs;
pub mod standing;
