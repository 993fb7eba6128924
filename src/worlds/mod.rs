//! Worlds: who decides what happens next.

pub mod held;
pub mod stepped;
pub mod threads;
pub mod timed;
