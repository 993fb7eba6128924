//! Checked scenarios as a page: a line for each, and the report of each below.

use serde::Serialize;

use super::page::render;
use crate::base::clock::nanos;
use crate::base::error::Error;
use crate::base::text::quantity::{duration, of};
use crate::render::test_suite::{TestCase, TestStatus, TestSuite};

#[derive(Debug, Serialize)]
struct Page {
    title: String,
    command: &'static str,
    suites: Vec<Suite>,
}

#[derive(Debug, Serialize)]
struct Suite {
    name: String,
    took: String,
    cases: Vec<Case>,
}

#[derive(Debug, Serialize)]
struct Case {
    name: String,
    word: &'static str,
    /// The class of its colour.
    class: &'static str,
    verdict: String,
    /// What did not hold, or why it could not be run.
    why: Vec<String>,
    again: String,
    report: String,
}

/// The page of what was checked.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn suites_page(suites: &[TestSuite]) -> Result<String, Error> {
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    let passed = cases().filter(|case| case.status == TestStatus::Passed).count();
    render(
        "suites.html",
        Page {
            title: format!("{passed} of {} ok", of(cases().count() as u64, "case")),
            command: "check",
            suites: suites
                .iter()
                .map(|suite| Suite {
                    name: suite.name.clone(),
                    took: duration(nanos(suite.took)),
                    cases: suite.cases.iter().map(Case::of).collect(),
                })
                .collect(),
        },
    )
}

impl Case {
    fn of(case: &TestCase) -> Self {
        let (word, class, why, again) = match &case.status {
            TestStatus::Passed => ("ok", "good", Vec::new(), String::new()),
            TestStatus::Failed { unmet, again } => ("SHORT", "bad", unmet.clone(), again.clone()),
            TestStatus::Interrupted => {
                ("CUT", "doubtful", vec!["it was interrupted".into()], String::new())
            }
            TestStatus::Error(why) => ("ERROR", "bad", vec![why.clone()], String::new()),
        };
        Self {
            name: case.name.clone(),
            word,
            class,
            verdict: case.verdict.clone(),
            why,
            again,
            report: case.report.clone(),
        }
    }
}
