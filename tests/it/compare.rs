//! Comparisons: what is said of a difference, on values that are known and through the program.

use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use insta::assert_snapshot;
use oversell_sim::unstable::buyer::Ending::{Bought, Rejected};
use oversell_sim::unstable::comparison::{Comparison, Measured, Standing, Terms};
use oversell_sim::unstable::gauge::Gauge;
use oversell_sim::unstable::render::{self, Width};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Report, StoreKind};
use tempfile::TempDir;

use crate::docs::{fields, read};
use crate::fixture::{report, round_of, visit};
use crate::listed::has;

fn ran(args: &[&str]) -> (i32, String, String) {
    seen(Command::new(cargo_bin("oversell-sim")).args(args).output().unwrap())
}

fn seen(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The report of a round in which two buyers met, and the shelf was right or not.
fn met(strategy: &str, is_right: bool) -> Report {
    let mut visits =
        vec![visit(0, 1, Bought), visit(1, 1, if is_right { Rejected } else { Bought })];
    visits[1].began_ns = visits[0].began_ns;
    report(
        strategy,
        &Settings { buyers: 2, seed: 7, ..Settings::default() },
        &[round_of(1, visits)],
    )
}

/// A contender with these times, in ms.
fn contender(strategy: &str, is_right: bool, times: &[f64]) -> Measured {
    let mut report = met(strategy, is_right);
    Measured {
        name: strategy.to_owned(),
        settings: Settings { buyers: 2, seed: 7, ..Settings::default() },
        server: None,
        values: times.iter().map(|ms| ms * 1e6).collect(),
        run: report.runs.remove(0),
    }
}

fn terms(rounds: u32) -> Terms {
    Terms {
        gauge: Gauge::parse("elapsed").unwrap(),
        warmup: 1,
        rounds,
        noise: 0.01,
        reference: None,
        seed: 7,
    }
}

/// One is the reference, one is twice as slow, one is the same, one is broken, and the fastest.
fn known() -> Comparison {
    let steady = [10.0, 10.1, 9.9, 10.2, 10.0, 9.8, 10.1, 30.0];
    let measured = vec![
        contender("cas", true, &steady),
        contender("pessimistic", true, &steady.map(|ms| 2.0 * ms)),
        contender("optimistic", true, &[10.1, 10.0, 10.0, 10.1, 10.0, 9.9, 10.0, 10.1]),
        contender("naive", false, &steady.map(|ms| ms / 2.0)),
    ];
    let mut comparison = Comparison::of(&terms(8), measured, None);
    comparison.again = "oversell-sim compare …".into();
    comparison
}

#[test]
fn what_is_twice_as_slow_is_slower_and_what_is_the_same_is_within_the_noise() {
    let comparison = known();
    let standing: Vec<Standing> = comparison.contenders.iter().map(|one| one.standing).collect();
    assert_eq!(
        standing,
        [Standing::Reference, Standing::Worse, Standing::WithinNoise, Standing::NotRanked]
    );
    let ratio = comparison.contenders[1].ratio.unwrap();
    assert_eq!((ratio.ratio, ratio.low, ratio.high), (2.0, 2.0, 2.0), "they are paired");
    let outliers = &comparison.contenders[0].outliers;
    assert_eq!(outliers.len(), 1);
    assert_eq!((outliers[0].number, outliers[0].value), (8, 30e6));
}

#[test]
fn a_broken_contender_is_not_ranked_however_fast_it_is_and_is_no_reference_unless_named() {
    let comparison = known();
    assert_eq!(comparison.reference.as_deref(), Some("cas"));
    let ranked: Vec<&str> = comparison.ranked().iter().map(|one| one.name.as_str()).collect();
    assert_eq!(ranked, ["optimistic", "cas", "pessimistic"]);
    let broken: Vec<&str> = comparison.unranked().map(|one| one.name.as_str()).collect();
    assert_eq!(broken, ["naive"]);
    let measured = || vec![contender("naive", false, &[1.0; 8]), contender("cas", true, &[3.0; 8])];
    let first = Comparison::of(&terms(8), measured(), None);
    assert_eq!(first.reference.as_deref(), Some("cas"));
    let named = Terms { reference: Some("naive".into()), ..terms(8) };
    let named = Comparison::of(&named, measured(), None);
    assert_eq!(named.contenders[1].ratio.unwrap().ratio, 3.0, "a cure's cost");
    let text = render::comparison(&named, Width::UNBOUNDED);
    assert!(text.contains("naive is not ranked, and what it leaves out costs time"), "{text}");
}

#[test]
fn too_few_rounds_make_no_verdict() {
    let measured =
        vec![contender("cas", true, &[1.0; 5]), contender("optimistic", true, &[9.0; 5])];
    let comparison = Comparison::of(&terms(5), measured, None);
    assert_eq!(comparison.contenders[1].standing, Standing::TooFewRounds);
    assert!(render::comparison(&comparison, Width::UNBOUNDED).contains("at least 6 rounds"));
}

#[test]
fn only_whole_cycles_count() {
    let measured =
        vec![contender("cas", true, &[1.0; 9]), contender("optimistic", true, &[2.0; 8])];
    let comparison = Comparison::of(&terms(20), measured, Some("it was interrupted".into()));
    assert_eq!(comparison.cycles, 8);
    assert!(comparison.contenders.iter().all(|one| one.values.len() == 8));
    let text = render::comparison(&comparison, Width::UNBOUNDED);
    assert!(text.contains("8 of 20 rounds were raced: it was interrupted"), "{text}");
}

#[test]
fn a_comparison_for_a_terminal() {
    assert_snapshot!(anstream::adapter::strip_str(&render::comparison(&known(), Width::UNBOUNDED)));
}

#[test]
fn a_comparison_in_a_line_each() {
    assert_snapshot!(anstream::adapter::strip_str(&render::standings(&known(), Width::UNBOUNDED)));
}

#[test]
fn a_comparison_as_markdown() {
    assert_snapshot!(render::comparison_markdown(&known()));
}

#[test]
fn a_comparison_as_csv() {
    assert_snapshot!(render::comparison_csv(&known()).unwrap());
}

#[test]
fn every_field_of_a_comparison_is_described() {
    let document = read("docs/reference/report.md");
    let mut all = Vec::new();
    fields(&serde_json::to_value(known()).unwrap(), "", &mut all);
    assert!(all.len() > 60, "the comparison was not looked through");
    for field in all {
        // A run and its settings are those of a race.
        let listed = match (field.split_once("figures."), field.strip_prefix("contenders[].run.")) {
            (Some((_, figure)), _) => figure.to_owned(),
            (None, Some(of_run)) => format!("runs[].{of_run}"),
            (None, None) => field.trim_start_matches("contenders[].settings.").to_owned(),
        };
        let is_there = [listed.clone(), format!("settings.{listed}")]
            .iter()
            .any(|name| document.contains(&format!("`{name}`")));
        assert!(is_there, "docs/reference/report.md says nothing of {field}");
    }
}

#[test]
fn a_checkout_is_compared_at_each_level_of_the_store_that_its_file_names() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let file = "scenarios/real-bugs/saleor-544-voucher/broken.toml";
    let levels = "read-committed,serializable";
    let args = ["compare", "--checkout", file, "--isolation", levels, "-b", "4", "--rounds", "2"];
    let (code, out, err) = ran(&[&args[..], &["--warmup", "0", "--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let contenders = report["contenders"].as_array().unwrap();
    let at: Vec<&str> =
        contenders.iter().map(|one| one["settings"]["isolation"].as_str().unwrap()).collect();
    assert_eq!(at, ["read-committed", "serializable"]);
}

#[test]
fn strategies_at_several_stores_are_compared_and_broken_ones_stand_apart() {
    let args =
        ["compare", "-S", "conditional,transaction,naive", "--store", "memory,sqlite", "-b", "30"];
    let (code, out, err) =
        ran(&[&args[..], &["--rounds", "6", "--warmup", "1", "--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("left out: transaction on memory, which does not offer transaction"),
        "{err}"
    );
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let contenders = report["contenders"].as_array().unwrap();
    let names: Vec<&str> = contenders.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "conditional on memory",
            "naive on memory",
            "conditional on sqlite",
            "transaction on sqlite",
            "naive on sqlite"
        ]
    );
    for one in contenders {
        assert_eq!(one["values"].as_array().unwrap().len(), 6, "{one}");
        assert_eq!(one["run"]["rounds"], 7, "the warm-up is audited, too: {one}");
        let is_broken = one["run"]["evidence"] == "broken";
        assert_eq!(one["standing"] == "not-ranked", is_broken, "{one}");
    }
    let again = report["again"].as_str().unwrap();
    assert!(
        again.starts_with("oversell-sim compare --strategy 'conditional,transaction,naive'"),
        "{again}"
    );
}

#[test]
fn a_checkout_is_compared_with_its_cure() {
    let folder = TempDir::new().unwrap();
    let init = ["init", "sql", "--store", "sqlite"];
    let made = Command::new(cargo_bin("oversell-sim"))
        .args(init)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let broken = folder.path().join("checkout/checkout.toml");
    let cured = folder.path().join("checkout/cured.toml");
    let text = std::fs::read_to_string(&broken).unwrap();
    let cure = text.replace(
        "sql  = \"UPDATE product SET stock = :stock - :qty WHERE id = :item\"",
        "sql = \"UPDATE product SET stock = stock - :qty WHERE id = :item AND stock >= :qty\"\n\
         sold_out_if = \"rows = 0\"",
    );
    assert_ne!(cure, text);
    std::fs::write(&cured, cure).unwrap();
    let (broken, cured) = (broken.display().to_string(), cured.display().to_string());
    let args =
        ["compare", "--checkout", &broken, "--checkout", &cured, "-b", "10", "--rounds", "6"];
    let (code, out, err) = ran(&[&args[..], &["--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["contenders"][1]["name"], "cured.toml", "without the folder of both");
    assert_eq!(report["contenders"][1]["run"]["strategy"], cured.as_str());
    let (code, _, err) = ran(&["compare", "--checkout", &broken, "--checkout", &broken]);
    assert_eq!(code, 2);
    assert!(err.contains("is named twice"), "{err}");
}

#[test]
fn an_expectation_is_held_against_every_contender() {
    let args = ["compare", "-S", "cas,naive", "-b", "200", "--rounds", "6"];
    let (code, out, _) = ran(&[&args[..], &["--expect", "oversold = 0"]].concat());
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("expected oversold = 0, but it was "), "{out}");
    let args = ["compare", "-S", "cas,optimistic", "-b", "200", "--rounds", "6", "-q"];
    assert_eq!(ran(&[&args[..], &["--expect", "oversold = 0"]].concat()).0, 0);
}

#[test]
fn what_cannot_be_compared_is_refused_in_one_line() {
    for (args, words) in [
        (&["-S", "cas"][..], "at least two contenders"),
        (&["-S", "cas,optimistic", "--reference", "optimstic"], "did you mean `optimistic`?"),
        (&["-S", "cas,optimistic", "--metric", "winners"], "is no time, rate or cost"),
        (&["-S", "cas,optimistic", "--metric", "latency.p9"], "did you mean `latency.p90`?"),
        (&["-S", "cas,optimistic", "--rounds", "0"], "must be from 1 to 10,000"),
        (&["-S", "cas,optimistic", "--noise", "much"], "expected a share"),
        (&["-S", "cas,optimistic", "--store", "memry"], "--store"),
        (&["-S", "cas,optimistic", "--isolation", "serializable"], "means nothing to the store"),
        (&["-S", "conditional", "--store", "sqlite,redis", "--url", "x"], "--url: it names one"),
        (&["-S", "cas,hold"], "does not offer"),
    ] {
        let (code, out, err) = ran(&[&["compare"], args].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.starts_with("error: ") && err.contains(words), "{args:?}: {err}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_comparison_with_a_report_of_what_was_done() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.json");
    let mut child = Command::new(cargo_bin("oversell-sim"))
        .args(["compare", "-S", "cas,optimistic", "-b", "50", "--rounds", "10k", "-o"])
        .arg(&file)
        .args(["--format", "json"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The draft beside the file comes and goes before the signal is listened for: what is waited for is the handler.
    let listens = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 1) != 0
    };
    while !listens() {
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["cut_short"], "it was interrupted");
    let cycles = report["cycles"].as_u64().unwrap();
    assert!(cycles < 10_000, "{cycles}");
    for one in report["contenders"].as_array().unwrap() {
        assert_eq!(one["values"].as_array().unwrap().len() as u64, cycles);
    }
}
