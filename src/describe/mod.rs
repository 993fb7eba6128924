//! What files say: a checkout of one's own, and an application that runs.

pub mod app;
pub mod checkout;
