//! Whole runs: round after round on threads, seed after seed in simulated time.

#[cfg(feature = "cli")]
pub mod common;
pub mod compare;
pub mod logbook;
pub(crate) mod race;
pub mod rounds;
pub mod seeds;
pub(crate) mod sweep;
