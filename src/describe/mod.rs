//! What files say: a checkout of one's own, an application that runs, and a specification of PostgreSQL's isolation tester.

pub mod app;
pub mod checkout;
#[cfg(all(feature = "postgres", any(feature = "cli", fuzzing)))]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a fuzz target only reads files"))]
pub(crate) mod spec;
