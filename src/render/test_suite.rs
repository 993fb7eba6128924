//! A run as a CI server sees it: a suite of test cases, whatever was run. JUnit and GitHub's annotations are written from it.
//!
//! A case passes as the exit code says: if every expectation held, whatever was found. That is why each case has its
//! verdict beside its status.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::case_finding::CaseFinding;
use super::comparison::sentence as standing;
use super::exploration::{any_buyers, exploration, sentence, sentence_for_any};
use super::table::table;
use super::verdict::{Verdict, word};
use super::width::Width;
use crate::base::error::Error;
use crate::check::baseline::AgainstBaseline;
use crate::check::comparison::{Comparison, Contender};
use crate::check::report::{Judgement, Report, Run};
use crate::explore::{AnyBuyers, Exploration};
use crate::scenario::{ScenarioReport, SearchReport};

/// One command, or one file of a command that runs several.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestSuite {
    /// Its name: the file, or the command.
    pub name: String,
    /// The file that describes what was run; none if the command line does.
    pub file: Option<SourceFile>,
    /// When it began.
    pub began: SystemTime,
    /// How long it took by the wall clock.
    pub took: Duration,
    /// A case for each strategy or checkout; one alone if there was an error.
    pub cases: Vec<TestCase>,
}

/// A file that describes what was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its path as the command line names it, which is how errors begin.
    pub named: String,
    /// Its path in the repository, as a CI server knows it.
    pub in_repository: String,
}

/// What came of one strategy or checkout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestCase {
    /// Its name: the strategy, or the file of the checkout.
    pub name: String,
    /// Whether its expectations held.
    pub status: TestStatus,
    /// The number of its expectations.
    pub expectations: usize,
    /// The verdict in one sentence; empty if there is none.
    pub verdict: String,
    /// The whole report, as a terminal shows it, without colours; empty if there is none.
    pub report: String,
    /// What was found, the gravest first.
    pub findings: Vec<CaseFinding>,
    /// How long it took by the wall clock.
    pub took: Duration,
}

/// Whether the expectations of a case held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TestStatus {
    /// All of them did.
    Passed,
    /// Some did not.
    Failed {
        /// Each of these as a sentence.
        unmet: Vec<String>,
        /// The command that shows it again.
        again: String,
    },
    /// Ctrl-C came first.
    Interrupted,
    /// It could not be run, for this reason.
    Error(String),
}

impl TestStatus {
    fn of(is_interrupted: bool, unmet: Vec<String>, again: &str) -> Self {
        match (is_interrupted, unmet.is_empty()) {
            (true, _) => Self::Interrupted,
            (false, true) => Self::Passed,
            (false, false) => Self::Failed { unmet, again: again.to_owned() },
        }
    }
}

impl TestCase {
    /// A case for each run of a report.
    #[must_use]
    pub fn all_of(report: &Report) -> Vec<Self> {
        report.runs.iter().map(|run| Self::of_run(report, run)).collect()
    }

    /// A case for each strategy, or for the checkout, of a scenario.
    #[must_use]
    pub fn all_of_scenario(report: &ScenarioReport) -> Vec<Self> {
        let searches = match report {
            ScenarioReport::Raced(report) => return Self::all_of(report),
            ScenarioReport::Explored(searches) => searches,
        };
        let not_begun =
            searches.not_begun.iter().map(|name| Self::empty(name, TestStatus::Interrupted));
        searches.reports.iter().map(Self::of_search_report).chain(not_begun).collect()
    }

    fn of_search_report(search: &SearchReport) -> Self {
        let SearchReport { exploration, expectations, again, interrupted, took, .. } = search;
        Self::of_exploration(exploration, expectations, again, *interrupted, *took)
    }

    fn of_run(report: &Report, run: &Run) -> Self {
        let Verdict { word, sentence, .. } = Verdict::of(report, run);
        let unmet = run.unmet().chain(worse(report.baseline.as_ref(), &run.strategy)).collect();
        let alone = Report { runs: vec![run.clone()], ..report.clone() };
        Self {
            name: run.strategy.clone(),
            status: TestStatus::of(run.interrupted, unmet, &run.again),
            expectations: run.expectations.len(),
            verdict: format!("{word}: {sentence}"),
            report: plain(&table(&alone, Width::UNBOUNDED)),
            findings: of_race(run),
            took: run.took,
        }
    }

    /// A case for each contender of a comparison.
    #[must_use]
    pub fn all_of_comparison(comparison: &Comparison) -> Vec<Self> {
        comparison.contenders.iter().map(|one| Self::of_contender(comparison, one)).collect()
    }

    fn of_contender(comparison: &Comparison, contender: &Contender) -> Self {
        let Contender { name, store, settings, server, run, .. } = contender;
        let unmet = run.unmet().chain(worse(comparison.baseline.as_ref(), name)).collect();
        let alone = Report::new(store, settings.clone(), vec![run.clone()]);
        Self {
            name: name.clone(),
            status: TestStatus::of(comparison.interrupted, unmet, &comparison.again),
            expectations: run.expectations.len(),
            verdict: format!("{}: {}", word(run.evidence), standing(comparison, contender)),
            report: plain(&table(&alone.served_by(server.clone()), Width::UNBOUNDED)),
            findings: of_race(run),
            took: run.took,
        }
    }

    /// The case of a search, or of a schedule that was replayed. `search` is the command that repeats it; a finding has one
    /// of its own.
    #[must_use]
    pub fn of_exploration(
        report: &Exploration,
        judgements: &[Judgement],
        search: &str,
        is_interrupted: bool,
        took: Duration,
    ) -> Self {
        let again = report.findings.first().map_or(search, |first| &first.again);
        Self {
            name: report.strategy.clone(),
            status: TestStatus::of(is_interrupted, unmet(judgements), again),
            expectations: judgements.len(),
            verdict: format!("{}: {}", word(report.evidence), sentence(report)),
            report: plain(&exploration(report, Some(took), Width::UNBOUNDED)),
            findings: report.findings.iter().map(CaseFinding::of).collect(),
            took,
        }
    }

    /// The case of a search for any number of buyers.
    #[must_use]
    pub fn of_any_buyers(
        report: &AnyBuyers,
        judgements: &[Judgement],
        search: &str,
        is_interrupted: bool,
        took: Duration,
    ) -> Self {
        let first = report.least.as_ref().and_then(|least| least.findings.first());
        let again = first.map_or(search, |first| &first.again);
        Self {
            name: report.strategy.clone(),
            status: TestStatus::of(is_interrupted, unmet(judgements), again),
            expectations: judgements.len(),
            verdict: format!("{}: {}", word(report.evidence), sentence_for_any(report)),
            report: plain(&any_buyers(report, took, Width::UNBOUNDED)),
            findings: report
                .least
                .iter()
                .flat_map(|least| &least.findings)
                .map(CaseFinding::of)
                .collect(),
            took,
        }
    }

    /// The case of a specification: whether it gave what was expected of it. `report` is what a terminal shows.
    #[cfg(feature = "postgres")]
    pub(crate) fn of_spec(
        name: &str,
        differs: bool,
        report: &str,
        again: &str,
        is_interrupted: bool,
        took: Duration,
    ) -> Self {
        let unmet = differs.then(|| "the output is not the expected one".to_owned());
        let report = plain(report);
        let verdict = report.lines().next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            status: TestStatus::of(is_interrupted, unmet.into_iter().collect(), again),
            expectations: 1,
            verdict: verdict.split_whitespace().collect::<Vec<_>>().join(" "),
            report,
            findings: Vec::new(),
            took,
        }
    }

    /// The case of something that could not be run.
    #[must_use]
    pub fn of_error(name: &str, error: &Error) -> Self {
        Self::empty(name, TestStatus::Error(error.to_string()))
    }

    /// A case of which there is no report.
    fn empty(name: &str, status: TestStatus) -> Self {
        Self {
            name: name.to_owned(),
            status,
            expectations: 0,
            verdict: String::new(),
            report: String::new(),
            findings: Vec::new(),
            took: Duration::ZERO,
        }
    }
}

fn of_race(run: &Run) -> Vec<CaseFinding> {
    run.findings.iter().map(|found| CaseFinding::of_race(run, found)).collect()
}

/// In what a run of this name has become worse than in an earlier report, as sentences.
fn worse<'b>(
    baseline: Option<&'b AgainstBaseline>,
    name: &'b str,
) -> impl Iterator<Item = String> + 'b {
    let changes = baseline.into_iter().flat_map(|against| &against.runs);
    changes
        .filter(move |change| change.name == name && change.verdict.falls_short())
        .map(|change| format!("{}: {}", change.verdict.words(), change.why))
}

/// Each expectation that did not hold, as a sentence.
fn unmet(judgements: &[Judgement]) -> Vec<String> {
    let unmet = judgements.iter().filter(|judgement| !judgement.held);
    unmet.map(|one| format!("expected {}, but {}", one.expectation, one.seen())).collect()
}

/// A text without colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
