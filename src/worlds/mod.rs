//! Worlds: who decides what happens next.

pub mod threads;
