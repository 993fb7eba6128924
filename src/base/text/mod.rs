//! Numbers, durations, names and places in files, as people write and read them.

pub mod chance;
pub mod code_location;
pub mod document;
pub mod excerpt;
#[cfg(feature = "cli")]
pub(crate) mod moment;
pub mod nearest;
pub mod printable;
pub mod quantity;
pub mod range;
pub mod server_url;
pub mod sql;
