//! Checked scenarios as JUnit XML, the form that CI servers read: one suite for each file, one case for each strategy.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::base::error::Error;
use crate::check::report::{Report, Run};

/// One suite for each scenario, named by its path.
///
/// # Errors
/// [`Error::World`] if the text cannot be written.
pub fn junit<'a>(
    checked: impl IntoIterator<Item = (&'a str, &'a Result<Report, Error>)>,
) -> Result<String, Error> {
    let mut document = Document::new("oversell-sim check");
    for (path, outcome) in checked {
        let mut suite = TestSuite::new(path);
        match outcome {
            Ok(report) => suite.add_test_cases(report.runs.iter().map(case)),
            Err(error) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(error.to_string());
                suite.add_test_case(TestCase::new("scenario", status))
            }
        };
        document.add_test_suite(suite);
    }
    document
        .to_string()
        .map(|text| text + "\n")
        .map_err(|error| Error::world(format!("cannot write the JUnit report: {error}")))
}

fn case(run: &Run) -> TestCase {
    let mut unmet = run.unmet().peekable();
    let status = if run.interrupted {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("interrupted");
        status
    } else if unmet.peek().is_none() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(unmet.collect::<Vec<_>>().join("; "));
        status.set_description(run.again.clone());
        status
    };
    let mut case = TestCase::new(run.strategy.as_str(), status);
    case.set_assertions(run.expectations.len());
    case.set_time(std::time::Duration::from_nanos(run.figures.elapsed));
    case
}
