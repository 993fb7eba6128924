//! Worlds: they differ in who decides what happens next.

pub mod dyn_strategy;
pub(crate) mod held;
#[cfg(all(feature = "postgres", feature = "cli"))]
pub(crate) mod spec;
pub mod stepped;
pub mod threads;
pub mod timed;
pub(crate) mod words;
