//! The timed world: a virtual clock, so that things take time and nobody waits for it.

pub mod arrivals;
pub mod delay;
mod moment;
pub mod quorum;
pub mod theory;
pub mod timestamps;
