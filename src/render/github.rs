//! Test suites for GitHub Actions: annotations, as workflow commands in the job's log, and a job summary in Markdown.

use std::fmt::Write as _;

use super::case_finding::CodePlace;
use super::test_suite::{TestCase, TestStatus, TestSuite};
use crate::base::clock::nanos;
use crate::base::text::quantity::duration;

/// GitHub takes a job summary of 1 MiB. The table and the reports stay below this, which leaves room for what other
/// programs write in the same step.
const MOST_BYTES: usize = 900_000;

/// An annotation for each case whose expectations did not hold, or that could not be run to its end.
#[must_use]
pub fn annotations(suite: &TestSuite) -> String {
    let failing = suite.cases.iter().filter(|case| case.status != TestStatus::Passed);
    failing.map(|case| annotation(suite, case)).collect()
}

fn annotation(suite: &TestSuite, case: &TestCase) -> String {
    let (what, message) = match &case.status {
        TestStatus::Passed => return String::new(),
        TestStatus::Failed { unmet, again } => {
            ("not as expected", format!("{}\nagain: {again}", unmet.join("\n")))
        }
        TestStatus::Interrupted => ("interrupted", "interrupted before its end".to_owned()),
        TestStatus::Error(why) => ("error", why.clone()),
    };
    let mut properties = Vec::new();
    let in_code = match &case.status {
        TestStatus::Failed { .. } => case.findings.iter().find_map(|one| one.places.first()),
        TestStatus::Passed | TestStatus::Interrupted | TestStatus::Error(_) => None,
    };
    if let Some(CodePlace { code, .. }) = in_code {
        properties.push(("file", code.file.clone()));
        properties.extend(code.line.map(|line| ("line", line.to_string())));
    } else if let Some(file) = &suite.file {
        properties.push(("file", file.in_repository.clone()));
        if let Some((line, column)) = place(&message, &file.named) {
            properties.extend([("line", line.to_owned()), ("col", column.to_owned())]);
        }
    }
    properties.push(("title", format!("{}: {what}", case.name)));
    let properties: Vec<String> = properties
        .into_iter()
        .map(|(name, value)| format!("{name}={}", property(&value)))
        .collect();
    format!("::error {}::{}\n", properties.join(","), data(&message))
}

/// The line and the column in a message that begins with a place in this file: `file:4:1: …`.
fn place<'m>(message: &'m str, file: &str) -> Option<(&'m str, &'m str)> {
    let mut parts = message.strip_prefix(file)?.strip_prefix(':')?.splitn(3, ':');
    let mut number = || parts.next().filter(|part| part.parse::<u32>().is_ok());
    Some((number()?, number()?))
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of one of its properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The job summary of a command: a table of all cases, and the report of those that did not pass; of a single suite all
/// reports.
#[must_use]
pub fn job_summary(command: &str, suites: &[TestSuite]) -> String {
    let mut text =
        format!("## {command}\n\n| test | result | verdict | time |\n|---|---|---|---:|\n");
    let cases =
        || suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    let all = cases().count();
    for (place, (suite, case)) in cases().enumerate() {
        let row = row(suite, case);
        if text.len() + row.len() > MOST_BYTES {
            let _ =
                writeln!(text, "\n{} more are left out here: GitHub takes no more.", all - place);
            return text;
        }
        text += &row;
    }
    for (suite, case) in cases() {
        if suites.len() > 1 && case.status == TestStatus::Passed {
            continue;
        }
        let details = details(suite, case);
        if text.len() + details.len() > MOST_BYTES {
            text += "\nMore reports are left out here: GitHub takes no more.\n";
            return text;
        }
        text += &details;
    }
    text
}

/// The name of a case among those of all suites: with its file, if that is the suite.
fn title(suite: &TestSuite, case: &TestCase) -> String {
    let is_of_file = suite.file.as_ref().is_some_and(|file| file.named == suite.name);
    match is_of_file && suite.name != case.name {
        true => format!("{}: {}", suite.name, case.name),
        false => case.name.clone(),
    }
}

fn row(suite: &TestSuite, case: &TestCase) -> String {
    let result = match &case.status {
        TestStatus::Passed => "ok",
        TestStatus::Failed { .. } => "**not as expected**",
        TestStatus::Interrupted => "**interrupted**",
        TestStatus::Error(_) => "**error**",
    };
    let (title, verdict) = (cell(&title(suite, case)), cell(&case.verdict));
    // What was not run took no time.
    let took = match case.report.is_empty() {
        true => String::new(),
        false => duration(nanos(case.took)),
    };
    format!("| {title} | {result} | {verdict} | {took} |\n")
}

/// Why a case did not pass, and its report, which a click unfolds.
fn details(suite: &TestSuite, case: &TestCase) -> String {
    let mut text = match &case.status {
        TestStatus::Passed if case.report.is_empty() => return String::new(),
        TestStatus::Passed => String::new(),
        TestStatus::Failed { unmet, again } => {
            fenced(&format!("{}\nagain: {again}", unmet.join("\n")))
        }
        TestStatus::Interrupted => fenced("interrupted before its end"),
        TestStatus::Error(why) => fenced(why),
    };
    if !case.report.is_empty() {
        let report = fenced(&case.report);
        let _ = write!(text, "\n<details>\n<summary>The report</summary>\n{report}\n</details>\n");
    }
    format!("\n### {}\n{text}", cell(&title(suite, case)))
}

/// A text as it stands, on one line of a table.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for sign in text.chars() {
        match sign {
            '\n' | '\r' => cell.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' => {
                cell.extend(['\\', sign]);
            }
            _ => cell.push(sign),
        }
    }
    cell
}

/// A text as it stands, in a block of its own.
fn fenced(text: &str) -> String {
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::case_finding::CaseFinding;
    use super::super::test_suite::SourceFile;
    use super::*;
    use crate::base::text::code_location::CodeLocation;
    use crate::domain::finding::FindingKind;

    fn suite(status: TestStatus) -> TestSuite {
        let case = TestCase {
            name: "cas, or: not".to_owned(),
            status,
            expectations: 1,
            verdict: "BROKEN: a | b".to_owned(),
            report: "```\nall of it".to_owned(),
            findings: Vec::new(),
            took: Duration::from_millis(1),
        };
        TestSuite {
            name: "shop.toml".to_owned(),
            file: Some(SourceFile {
                named: "shop.toml".to_owned(),
                in_repository: "a/shop.toml".to_owned(),
            }),
            began: SystemTime::UNIX_EPOCH,
            took: Duration::from_millis(1),
            cases: vec![case],
        }
    }

    #[test]
    fn an_annotation_is_one_line_whatever_is_in_it() {
        let unmet = vec!["work < 5 %,\r\n::error::no".to_owned()];
        let failed = suite(TestStatus::Failed { unmet, again: "oversell-sim".to_owned() });
        assert_eq!(
            annotations(&failed),
            "::error file=a/shop.toml,title=cas%2C or%3A not%3A not as expected::\
             work < 5 %25,%0D%0A::error::no%0Aagain: oversell-sim\n"
        );
        assert_eq!(annotations(&suite(TestStatus::Passed)), "");
    }

    #[test]
    fn a_finding_with_a_place_in_the_code_is_annotated_there() {
        let place = |file: &str, line| CodePlace {
            code: CodeLocation { file: file.to_owned(), line },
            what: "A reads product".to_owned(),
        };
        let finding = |places| CaseFinding {
            kind: FindingKind::Oversold,
            message: "oversold".to_owned(),
            places,
        };
        let told = |status: TestStatus| {
            let mut suite = suite(status);
            let places = vec![place("src/order.rb", Some(31)), place("src/stock.rb", None)];
            suite.cases[0].findings = vec![finding(Vec::new()), finding(places)];
            annotations(&suite)
        };
        let unmet = vec!["expected oversold = 0, but it is 1".to_owned()];
        let failed = told(TestStatus::Failed { unmet, again: "oversell-sim".to_owned() });
        assert!(failed.starts_with("::error file=src/order.rb,line=31,title="), "{failed}");
        let error = told(TestStatus::Error("the application has ended".to_owned()));
        assert!(error.starts_with("::error file=a/shop.toml,title="), "{error}");
    }

    #[test]
    fn an_error_in_a_file_is_annotated_at_its_place() {
        let told = |message: &str| annotations(&suite(TestStatus::Error(message.to_owned())));
        assert!(told("shop.toml:4:12: unknown key").contains("file=a/shop.toml,line=4,col=12,"));
        assert!(!told("shop.toml: cannot be read").contains("line="));
        assert!(!told("other.toml:4:12: unknown key").contains("line="));
    }

    #[test]
    fn a_summary_shows_text_as_it_stands() {
        let summary = job_summary("oversell-sim check", &[suite(TestStatus::Passed)]);
        assert!(summary.contains("| ok | BROKEN: a \\| b | 1.0 ms |"), "{summary}");
        assert!(summary.contains("````text\n```\nall of it\n````"), "{summary}");
    }

    #[test]
    fn a_summary_is_never_larger_than_github_takes() {
        let long = TestStatus::Error("x".repeat(10_000));
        let summary = job_summary("oversell-sim check", &vec![suite(long); 1_000]);
        assert!(summary.len() < 1 << 20 && summary.contains("More reports are left out"));
    }
}
