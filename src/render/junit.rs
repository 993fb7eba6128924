//! Test suites as JUnit XML, the form that CI servers read.

use chrono::{DateTime, Utc};
use quick_junit::{NonSuccessKind, Report as Document, TestCase as Case, TestCaseStatus};

use super::test_suite::{TestCase, TestStatus, TestSuite};
use crate::base::error::Error;

/// The suites as one document of this name.
///
/// # Errors
/// [`Error::World`] if the text cannot be written.
pub fn junit(name: &str, suites: &[TestSuite]) -> Result<String, Error> {
    let mut document = Document::new(name);
    if let Some(began) = suites.iter().map(|suite| suite.began).min() {
        document.set_timestamp(DateTime::<Utc>::from(began));
    }
    document.set_time(suites.iter().map(|suite| suite.took).sum());
    document.add_test_suites(suites.iter().map(suite));
    document
        .to_string()
        .map(|text| text + "\n")
        .map_err(|error| Error::world(format!("cannot write the JUnit report: {error}")))
}

fn suite(suite: &TestSuite) -> quick_junit::TestSuite {
    let mut written = quick_junit::TestSuite::new(suite.name.as_str());
    written.set_timestamp(DateTime::<Utc>::from(suite.began)).set_time(suite.took);
    written.add_test_cases(suite.cases.iter().map(|one| case(suite, one)));
    written
}

fn case(suite: &TestSuite, case: &TestCase) -> Case {
    let mut written = Case::new(case.name.as_str(), status(&case.status));
    written.set_classname(suite.name.as_str()).set_assertions(case.expectations);
    written.set_time(case.took);
    if let Some(file) = &suite.file {
        written.extra.insert("file".into(), file.in_repository.as_str().into());
    }
    if !case.report.is_empty() {
        written.set_system_out(case.report.as_str());
    }
    written
}

fn status(status: &TestStatus) -> TestCaseStatus {
    let non_success = |kind, message: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        status
    };
    match status {
        TestStatus::Passed => TestCaseStatus::success(),
        TestStatus::Failed { unmet, again } => {
            let mut status = non_success(NonSuccessKind::Failure, &unmet.join("; "));
            status.set_description(format!("{}\nagain: {again}", unmet.join("\n")));
            status
        }
        TestStatus::Interrupted => non_success(NonSuccessKind::Error, "interrupted"),
        TestStatus::Error(why) => non_success(NonSuccessKind::Error, why),
    }
}
