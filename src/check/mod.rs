//! The oracle: what is known of a round, what the audit finds in it, what is expected of it, and the report of it all.

pub mod audit;
pub mod baseline;
pub mod comparison;
pub mod expect;
pub mod gauge;
pub mod report;
pub mod round;
pub mod sweep;
