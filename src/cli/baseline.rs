//! `--baseline`: a run is held against an earlier report.

use std::path::PathBuf;

use crate::base::error::Error;
use crate::check::baseline::{AgainstBaseline, Baseline, MaxRegression};
use clap::Args;

use super::compare::share;
use super::output::line_to_stderr;

/// A limit, or none.
type Limit = Option<MaxRegression>;

/// An earlier report, and how much worse things may have become since.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The baseline")]
pub(super) struct BaselineFlags {
    /// Hold the run against an earlier JSON report, of `race` or `compare`, and end with exit code 1 on a new finding or
    /// a regression
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How much the median of a time may rise: a share, of the time elapsed, or such as latency.p99=10%; with none, only
    /// findings are judged
    #[arg(
        long,
        value_name = "SHARE|NAME=SHARE|none",
        default_value = "10%",
        requires = "baseline",
        value_parser = limit
    )]
    max_regression: std::sync::Arc<Limit>,
}

fn limit(text: &str) -> Result<std::sync::Arc<Limit>, String> {
    match text {
        "none" => Ok(std::sync::Arc::new(None)),
        _ => MaxRegression::parse(text, share).map(|limit| std::sync::Arc::new(Some(limit))),
    }
}

impl BaselineFlags {
    /// Whether an earlier report was named.
    pub(super) fn is_given(&self) -> bool {
        self.baseline.is_some()
    }

    /// The earlier report, if one was named.
    pub(super) fn read(&self) -> Result<Option<Baseline>, Error> {
        self.baseline.as_deref().map(Baseline::read).transpose()
    }

    /// How much worse a time may become.
    pub(super) fn limit(&self) -> Limit {
        *self.max_regression
    }
}

/// Says what has become worse, where the report does not.
pub(super) fn tell(against: &Option<AgainstBaseline>) {
    let changes = against.iter().flat_map(|against| &against.runs);
    for change in changes.filter(|change| change.verdict.falls_short()) {
        line_to_stderr(&format!("{}: {}: {}", change.name, change.verdict.words(), change.why));
    }
}
