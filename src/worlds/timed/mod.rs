//! The timed world: things that take time, in virtual time.

pub mod quorum;
