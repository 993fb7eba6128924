//! What files say: a checkout of one's own, an application that runs, and a specification of PostgreSQL's isolation tester.

pub mod app;
pub mod checkout;
#[cfg(all(feature = "postgres", feature = "cli"))]
pub(crate) mod spec;
