//! Renderers: a report in, text out. None of them measures or judges anything.

mod checkup;
mod csv;
mod exploration;
mod json;
#[cfg(feature = "cli")]
mod junit;
mod markdown;
mod rehearsal;
mod sections;
mod story;
mod survey;
mod table;
mod timeline;
mod verdict;
mod width;

use std::fmt;

use crate::check::report::Report;
use crate::explore::Exploration;

pub use checkup::checkup;
pub use csv::csv;
pub use exploration::{any_buyers, exploration};
pub use json::{json, state_graph};
#[cfg(feature = "cli")]
pub use junit::junit;
pub use markdown::markdown;
pub use rehearsal::rehearsal;
pub use story::story;
pub use survey::survey;
pub use table::{table, verdicts};
pub use timeline::timeline;
pub use width::Width;

impl fmt::Display for Report {
    /// The tables, without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", anstream::adapter::strip_str(&table(self, Width::UNBOUNDED)))
    }
}

impl fmt::Display for Exploration {
    /// The verdict and the timeline, without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", anstream::adapter::strip_str(&exploration(self, None, Width::UNBOUNDED)))
    }
}
