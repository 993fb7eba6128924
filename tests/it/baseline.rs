//! A run against an earlier report: what is a regression, what is noise, and what cannot be compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::Report;
use oversell_sim::unstable::baseline::{AgainstBaseline, Baseline, MaxRegression, Verdict};
use oversell_sim::unstable::buyer::Ending::{Bought, Rejected};
use oversell_sim::unstable::render::{self, TestCase, TestStatus};
use oversell_sim::unstable::settings::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::docs::{fields, read};
use crate::fixture::{report, round_of, visit};

fn settings() -> Settings {
    Settings { buyers: 2, rounds: 8, seed: 7, ..Settings::default() }
}

/// The report of eight rounds of two buyers who met, each as long as this; the shelf is right or not.
fn raced(strategy: &str, is_right: bool, ms: u64) -> Report {
    let second = if is_right { Rejected } else { Bought };
    let mut visits = vec![visit(0, 1, Bought), visit(1, 1, second)];
    for visit in &mut visits {
        (visit.began_ns, visit.last_attempt_ns, visit.ended_ns) = (0, 0, ms * 1_000_000);
    }
    let rounds = vec![round_of(1, visits); 8];
    report(strategy, &settings(), &rounds)
}

fn limit(share: &str) -> Option<MaxRegression> {
    let read = |text: &str| text.parse().map_err(|_| "no share".to_owned());
    Some(MaxRegression::parse(share, read).unwrap())
}

fn baseline(report: &Report) -> Baseline {
    Baseline::parse("then.json", render::json(report).unwrap().as_bytes()).unwrap()
}

fn held(then: &Report, now: &Report, limit: Option<MaxRegression>) -> AgainstBaseline {
    baseline(then).hold(now, limit, false, 7).unwrap()
}

#[test]
fn what_takes_longer_than_is_allowed_has_regressed_and_what_takes_a_little_longer_has_not() {
    let then = raced("cas", true, 100);
    for (ms, share, verdict, holds) in [
        (120, "0.1", Verdict::Regressed, false),
        (120, "latency.p99=0.1", Verdict::Regressed, false),
        (105, "0.1", Verdict::Slower, true),
        (100, "0.1", Verdict::WithinNoise, true),
        (50, "0.1", Verdict::Faster, true),
    ] {
        let against = held(&then, &raced("cas", true, ms), limit(share));
        assert_eq!(against.runs[0].verdict, verdict, "{ms} {share}");
        assert_eq!(against.holds(), holds, "{ms} {share}");
    }
}

#[test]
fn what_has_become_worse_than_an_earlier_report_is_a_failed_case_for_a_ci_server() {
    let then = raced("cas", true, 100);
    for (is_right, ms, fails) in [(true, 100, false), (true, 200, true), (false, 100, true)] {
        let mut now = raced("cas", is_right, ms);
        now.baseline = Some(held(&then, &now, limit("0.1")));
        let case = &TestCase::all_of(&now)[0];
        let has_failed =
            matches!(&case.status, TestStatus::Failed { unmet, .. } if !unmet.is_empty());
        assert_eq!(has_failed, fails, "{:?}", case.status);
    }
}

#[test]
fn a_finding_that_was_not_there_before_is_a_regression_and_one_that_was_is_none() {
    let (right, wrong) = (raced("naive", true, 100), raced("naive", false, 100));
    let against = held(&right, &wrong, None);
    assert_eq!(against.runs[0].verdict, Verdict::NewFinding);
    assert!(against.runs[0].new_findings.contains(&"oversold".to_owned()), "{against:?}");
    assert!(held(&wrong, &wrong, None).holds());
    let cured = held(&wrong, &raced("naive", true, 900), limit("0.1"));
    assert_eq!(cured.runs[0].verdict, Verdict::NotJudged, "a cure costs time");
    assert!(cured.runs[0].gone_findings.contains(&"oversold".to_owned()), "{cured:?}");
}

#[test]
fn a_run_that_could_have_shown_nothing_supports_no_claim_that_nothing_regressed() {
    let mut now = raced("cas", true, 100);
    now.runs[0].incomplete = Some("no two buyers met".into());
    let against = held(&raced("cas", true, 100), &now, limit("0.1"));
    assert_eq!((against.runs[0].verdict, against.holds()), (Verdict::Unproven, false));
    let allowed = baseline(&raced("cas", true, 100)).hold(&now, limit("0.1"), true, 7).unwrap();
    assert!(allowed.holds());
}

#[test]
fn what_is_no_report_or_was_measured_otherwise_is_refused_with_what_differs() {
    for (text, words) in [
        ("", "it is no JSON report"),
        ("[1]", "it is no JSON report"),
        ("{\"schema\": 1}", "it is no JSON report"),
        ("{\"schema\": 9, \"version\": \"9\", \"world\": \"threads\"}", "its form is version 9"),
        (
            "{\"schema\": 1, \"version\": \"9\", \"world\": \"timed\", \"runs\": []}",
            "no report of a",
        ),
        ("{\"schema\": 1, \"version\": \"9\", \"world\": \"threads\"}", "no report of a race"),
    ] {
        let why = Baseline::parse("then.json", text.as_bytes()).unwrap_err();
        assert!(why.contains(words), "{text}: {why}");
    }
    let then = raced("cas", true, 100);
    let checked = |strategy: &str, settings: &Settings, rounds| {
        let run = (strategy, settings, false);
        baseline(&then).check([run], rounds, limit("0.1")).map_err(|error| error.to_string())
    };
    assert_eq!(checked("cas", &Settings { seed: 9, ..settings() }, 8), Ok(()));
    let other = Settings { buyers: 9, ..settings() };
    let why = checked("cas", &other, 8).unwrap_err();
    assert!(why.contains("cas on memory was measured with `buyers` 2, and here it is 9"), "{why}");
    let why = checked("naive", &settings(), 8).unwrap_err();
    assert!(why.contains("it has no run of naive on memory"), "{why}");
    let why = checked("cas", &settings(), 5).unwrap_err();
    assert!(why.contains("takes at least 6 rounds; add --rounds 20"), "{why}");
}

#[test]
fn times_of_another_machine_are_not_judged() {
    let mut text = serde_json::to_value(raced("cas", true, 100)).unwrap();
    text["machine"] = json!({"os": "plan9", "arch": "mips", "cores": 3});
    let then = Baseline::parse("then.json", text.to_string().as_bytes()).unwrap();
    let settings = settings();
    let why = then.check([("cas", &settings, false)], 8, limit("0.1")).unwrap_err().to_string();
    assert!(why.contains("it was measured on plan9 mips with 3 cores"), "{why}");
    then.check([("cas", &settings, false)], 1, None).unwrap();
    let against = then.hold(&raced("cas", true, 900), None, false, 7).unwrap();
    assert!(against.holds() && against.remarks[0].contains("plan9"), "{against:?}");
}

#[test]
fn every_field_of_a_held_run_is_described() {
    let document = read("docs/reference/report.md");
    let against = held(&raced("cas", true, 100), &raced("cas", true, 120), limit("0.1"));
    let mut all = Vec::new();
    fields(&serde_json::to_value(against).unwrap(), "baseline", &mut all);
    assert!(all.len() > 15, "{all:?}");
    for field in all {
        assert!(document.contains(&format!("`{field}`")), "report.md says nothing of {field}");
    }
}

fn ran(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(cargo_bin("oversell-sim")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_race_and_a_comparison_are_held_against_an_earlier_one_by_the_program() {
    let folder = TempDir::new().unwrap();
    let race = ["race", "-S", "naive", "-b", "200", "--rounds", "6"];
    let json = ["--format", "json", "-o", "then.json"];
    let (code, _, err) = ran(folder.path(), &[&race[..], &json].concat());
    assert_eq!(code, 0, "{err}");
    let against = ["--baseline", "then.json", "--max-regression", "10000%"];
    let (code, out, err) = ran(folder.path(), &[&race[..], &against].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Compared with then.json (elapsed)"), "{out}");
    let compare = ["compare", "-S", "naive", "--store", "memory,memory", "-b", "200"];
    let (code, _, err) = ran(folder.path(), &[&compare[..], &against].concat());
    assert_eq!(code, 2);
    assert!(err.contains("is named twice"), "{err}");

    // The same report, as if nothing had been found then.
    let path = folder.path().join("then.json");
    let mut then: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    then["runs"][0]["findings"] = json!([]);
    then["runs"][0]["evidence"] = json!("not seen");
    fs::write(&path, then.to_string()).unwrap();
    let (code, _, err) = ran(folder.path(), &[&race[..], &against, &["-q"]].concat());
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("naive: new finding: not found before: oversold"), "{err}");

    let both = ["compare", "-S", "naive,cas", "-b", "200", "--rounds", "6"];
    let (code, _, err) = ran(folder.path(), &[&both[..], &against].concat());
    assert_eq!(code, 2);
    assert!(err.contains("it has no run of cas on memory"), "{err}");
    let (code, _, err) = ran(folder.path(), &[&both[..], &json].concat());
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = ran(folder.path(), &[&both[..], &against].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Compared with then.json (elapsed)"), "{out}");
}

#[test]
fn what_is_wrong_with_a_baseline_is_one_line_before_anything_is_raced() {
    let folder = TempDir::new().unwrap();
    let race = ["race", "-S", "cas", "-b", "50", "--rounds", "6"];
    let (code, ..) =
        ran(folder.path(), &[&race[..], &["--format", "json", "-o", "a.json"]].concat());
    assert_eq!(code, 0);
    for (args, words) in [
        (&["--baseline", "b.json"][..], "--baseline b.json: No such file"),
        (&["--baseline", "a.json", "--rounds", "3"], "at least 6 rounds"),
        (&["--baseline", "a.json", "-b", "60"], "`buyers` 50, and here it is 60"),
        (&["--baseline", "a.json", "--max-regression", "lots"], "expected a share"),
        (&["--baseline", "a.json", "--max-regression", "winners=1%"], "no time named `winners`"),
        (&["--max-regression", "1%"], "--baseline"),
    ] {
        let given = [&["race", "-S", "cas", "--rounds", "6", "-b", "50"][..], args].concat();
        // A flag that is given twice is refused by itself.
        let given: Vec<&str> = match args {
            [_, _, "--rounds", ..] => [&["race", "-S", "cas", "-b", "50"][..], args].concat(),
            [_, _, "-b", ..] => [&["race", "-S", "cas", "--rounds", "6"][..], args].concat(),
            _ => given,
        };
        let (code, out, err) = ran(folder.path(), &given);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
}
