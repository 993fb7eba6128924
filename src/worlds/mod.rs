//! Worlds: they differ in who decides what happens next.

pub mod entrant;
pub(crate) mod held;
pub mod stepped;
pub mod threads;
pub mod timed;
pub(crate) mod words;
