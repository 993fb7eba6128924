//! The ground floor: errors, time, chance and text. Nothing here knows of shops.

pub mod chance;
pub mod clock;
pub mod control;
pub mod error;
pub(crate) mod relation;
pub mod samples;
pub mod text;
