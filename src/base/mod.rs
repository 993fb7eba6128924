//! The ground floor: errors, time, chance and text. Nothing here knows of shops.

pub mod chance;
pub mod clock;
pub mod control;
pub(crate) mod error;
pub(crate) mod fingerprint;
#[cfg(feature = "cli")]
pub(crate) mod inputs;
pub mod machine;
pub(crate) mod memo;
#[cfg(feature = "cli")]
pub(crate) mod memory;
pub(crate) mod monitor;
pub(crate) mod partition;
#[cfg(feature = "cli")]
pub(crate) mod process_group;
pub(crate) mod relation;
pub(crate) mod samples;
pub mod statistics;
pub mod text;
#[cfg(feature = "cli")]
pub(crate) mod wire_format;
