//! Renderers: a report in, text out. None of them measures or judges anything.

mod baseline;
#[cfg(feature = "cli")]
mod case_finding;
mod checkup;
mod common_start;
mod comparison;
mod csv;
mod exploration;
#[cfg(feature = "cli")]
mod github;
#[cfg(feature = "cli")]
mod html;
mod json;
#[cfg(feature = "cli")]
mod junit;
mod markdown;
mod rehearsal;
#[cfg(feature = "cli")]
mod sarif;
#[cfg(test)]
mod schema;
mod sections;
#[cfg(all(feature = "postgres", feature = "cli"))]
mod spec;
mod story;
mod survey;
mod sweep;
mod table;
#[cfg(feature = "cli")]
mod test_suite;
mod timeline;
mod verdict;
mod width;

use std::fmt;

use crate::check::report::Report;
use crate::explore::Exploration;

#[cfg(feature = "cli")]
pub use case_finding::{CaseFinding, CodePlace};
pub use checkup::checkup;
pub use comparison::{comparison, comparison_csv, comparison_markdown, standings};
pub use csv::csv;
pub use exploration::{any_buyers, exploration};
#[cfg(feature = "cli")]
pub use github::{annotations, job_summary};
#[cfg(feature = "cli")]
pub use html::{
    any_buyers_page, comparison_page, exploration_page, race_page, simulation_page, suites_page,
    survey_page, sweep_page,
};
pub use json::{json, state_graph};
#[cfg(feature = "cli")]
pub use junit::junit;
pub use markdown::markdown;
pub use rehearsal::rehearsal;
#[cfg(feature = "cli")]
pub use sarif::sarif;
#[cfg(all(feature = "postgres", feature = "cli"))]
pub(crate) use spec::{spec_agreement, spec_orders, spec_sum};
pub use story::story;
pub use survey::survey;
pub use sweep::{sweep, sweep_csv, sweep_markdown};
pub use table::{table, verdicts};
#[cfg(feature = "cli")]
pub use test_suite::{SourceFile, TestCase, TestStatus, TestSuite};
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
