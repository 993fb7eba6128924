//! What came of a scenario.

use std::time::Duration;

use crate::check::report::{Judgement, Report};
use crate::explore::Exploration;

/// What came of a scenario.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ScenarioReport {
    /// Of a race, or of a simulated shop.
    Raced(Box<Report>),
    /// Of a search.
    Explored(Searches),
}

/// What came of the searches of a scenario.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Searches {
    /// One for each strategy, or for the checkout.
    pub reports: Vec<SearchReport>,
    /// The strategies that Ctrl-C left no time for.
    pub not_begun: Vec<String>,
}

/// A search, and what was expected of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchReport {
    /// What it found.
    pub exploration: Exploration,
    /// How each expectation fared.
    pub expectations: Vec<Judgement>,
    /// The command that repeats the search.
    pub again: String,
    /// Whether Ctrl-C ended it early.
    pub interrupted: bool,
    /// How long it took by the wall clock.
    pub took: Duration,
}

impl ScenarioReport {
    /// Whether every expectation held.
    #[must_use]
    pub fn met_expectations(&self) -> bool {
        match self {
            Self::Raced(report) => report.met_expectations(),
            Self::Explored(searches) => {
                searches.not_begun.is_empty()
                    && searches.reports.iter().all(SearchReport::met_expectations)
            }
        }
    }

    /// Whether Ctrl-C ended any of it early.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        match self {
            Self::Raced(report) => report.was_interrupted(),
            Self::Explored(searches) => {
                !searches.not_begun.is_empty()
                    || searches.reports.iter().any(|search| search.interrupted)
            }
        }
    }
}

impl SearchReport {
    /// Whether every expectation held.
    #[must_use]
    pub fn met_expectations(&self) -> bool {
        self.expectations.iter().all(|judgement| judgement.held)
    }
}
