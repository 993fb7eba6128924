//! Test suites as SARIF 2.1.0, which editors and code scanning read: a result for each finding.
//!
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use serde_json::{Value, json};

use super::case_finding::{CaseFinding, CodePlace};
use super::json::json as written;
use super::test_suite::{TestCase, TestStatus, TestSuite};
use crate::base::error::Error;
use crate::base::text::code_location::CodeLocation;
use crate::domain::finding::FindingKind;

/// Where SARIF's schema is.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What relative paths are relative to: the repository.
const ROOT: &str = "%SRCROOT%";

/// The log of a command.
///
/// # Errors
/// [`Error::World`] when it cannot be written as JSON.
pub fn sarif(suites: &[TestSuite]) -> Result<String, Error> {
    let cases =
        || suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    let mut kinds: Vec<FindingKind> =
        cases().flat_map(|(_, case)| &case.findings).map(|finding| finding.kind).collect();
    kinds.sort_unstable_by_key(|kind| kind.gravity());
    kinds.dedup();
    let rules = kinds
        .iter()
        .map(|kind| json!({ "id": kind.name(), "shortDescription": { "text": kind.title() } }));
    let results = cases().flat_map(|(suite, case)| {
        case.findings.iter().map(|finding| result(suite, case, finding, &kinds))
    });
    let notes: Vec<Value> = cases().filter_map(|(suite, case)| note(suite, case)).collect();
    written(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": notes.is_empty(),
                "toolExecutionNotifications": notes,
            }],
            "results": results.collect::<Vec<_>>(),
        }],
    }))
}

fn result(
    suite: &TestSuite,
    case: &TestCase,
    finding: &CaseFinding,
    kinds: &[FindingKind],
) -> Value {
    let CaseFinding { kind, message, places } = finding;
    let (first, others) = match places.split_first() {
        Some((first, others)) => (Some(&first.code), others),
        None => (None, &[][..]),
    };
    let described = first.is_none().then(|| described_in(suite)).flatten();
    let locations: Vec<Value> = first.or(described.as_ref()).map(location).into_iter().collect();
    let related = others.iter().enumerate().map(|(place, CodePlace { code, what })| {
        let mut related = location(code);
        related["id"] = (place + 1).into();
        related["message"] = json!({ "text": what });
        related
    });
    json!({
        "ruleId": kind.name(),
        "ruleIndex": kinds.iter().position(|one| one == kind),
        "level": "error",
        "message": { "text": format!("{}: {message}", case.name) },
        "locations": locations,
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

/// What could not be run to its end, and what was expected and did not hold where no finding shows it.
fn note(suite: &TestSuite, case: &TestCase) -> Option<Value> {
    let message = match &case.status {
        TestStatus::Failed { unmet, .. } if case.findings.is_empty() => &unmet.join("; "),
        TestStatus::Passed | TestStatus::Failed { .. } => return None,
        TestStatus::Interrupted => "interrupted before its end",
        TestStatus::Error(why) => why,
    };
    let locations: Vec<Value> = described_in(suite).iter().map(location).collect();
    Some(json!({
        "level": "error",
        "message": { "text": format!("{}: {message}", case.name) },
        "locations": locations,
    }))
}

/// The file that describes what was run.
fn described_in(suite: &TestSuite) -> Option<CodeLocation> {
    suite.file.as_ref().map(|file| CodeLocation { file: file.in_repository.clone(), line: None })
}

fn location(code: &CodeLocation) -> Value {
    let artifact = match code.file.strip_prefix('/') {
        Some(absolute) => json!({ "uri": format!("file:///{}", encoded(absolute)) }),
        None => json!({ "uri": encoded(&code.file), "uriBaseId": ROOT }),
    };
    let mut physical = json!({ "artifactLocation": artifact });
    if let Some(line) = code.line {
        physical["region"] = json!({ "startLine": line });
    }
    json!({ "physicalLocation": physical })
}

/// A path as a URI has it.
fn encoded(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            b'\\' => uri.push('/'),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::test_suite::SourceFile;
    use super::*;

    fn suite(findings: Vec<CaseFinding>, status: TestStatus) -> TestSuite {
        let case = TestCase {
            name: "shop.toml".to_owned(),
            status,
            expectations: 0,
            verdict: String::new(),
            report: String::new(),
            findings,
            took: Duration::ZERO,
        };
        TestSuite {
            name: "shop.toml".to_owned(),
            file: Some(SourceFile {
                named: "shop.toml".to_owned(),
                in_repository: "a b/shop.toml".to_owned(),
            }),
            began: SystemTime::UNIX_EPOCH,
            took: Duration::ZERO,
            cases: vec![case],
        }
    }

    fn found(kind: FindingKind, places: &[(&str, u32)]) -> CaseFinding {
        let place = |(file, line): &(&str, u32)| CodePlace {
            code: CodeLocation { file: (*file).to_owned(), line: Some(*line) },
            what: "B writes product".to_owned(),
        };
        let places = places.iter().map(place).collect();
        CaseFinding { kind, message: "2 units promised, 1 in stock".to_owned(), places }
    }

    fn run(suite: TestSuite) -> Value {
        let log: Value = serde_json::from_str(&sarif(&[suite]).unwrap()).unwrap();
        assert_eq!(log["version"], "2.1.0");
        log["runs"][0].clone()
    }

    #[test]
    fn a_finding_is_at_the_place_of_its_tag_and_else_in_the_file_that_describes_the_shop() {
        let tagged = found(FindingKind::LostUpdate, &[("src/shop.py", 31), ("/srv/stock.py", 7)]);
        let run = run(suite(vec![tagged, found(FindingKind::Oversold, &[])], TestStatus::Passed));
        let uri =
            |location: &Value| location["physicalLocation"]["artifactLocation"]["uri"].clone();
        let results = run["results"].as_array().unwrap();
        assert_eq!(uri(&results[0]["locations"][0]), "src/shop.py");
        assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 31);
        assert_eq!(uri(&results[0]["relatedLocations"][0]), "file:///srv/stock.py");
        assert_eq!(uri(&results[1]["locations"][0]), "a%20b/shop.toml");
        assert_eq!(results[1]["locations"][0]["physicalLocation"].get("region"), None);
        for result in results {
            let rule =
                &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
        }
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    }

    #[test]
    fn what_could_not_be_run_is_no_result_and_says_that_it_was_not() {
        let run = run(suite(Vec::new(), TestStatus::Error("no application answers".to_owned())));
        assert_eq!(run["results"], json!([]));
        let invocation = &run["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let note = &invocation["toolExecutionNotifications"][0];
        assert!(note["message"]["text"].as_str().unwrap().contains("no application answers"));
    }
}
