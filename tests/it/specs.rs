//! Specifications of PostgreSQL's isolation tester. The expected outputs in `tests/isolation/expected` are what the tester of
//! PostgreSQL 15.18 printed.

use std::fs;
use std::path::Path;
use std::process::Output;

use oversell_sim::StoreKind;
use serde_json::Value;

use crate::checkouts::{run, said};
use crate::listed::has;

/// The folder with our own specifications and what is expected of them.
const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/isolation");

fn explore(args: &[&str]) -> Output {
    run(Path::new(OURS), &[&["explore", "--spec"], args].concat())
}

/// What every order of a specification comes to.
fn orders(name: &str) -> Value {
    let output = explore(&[name, "--every-order", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], true);
    report
}

#[test]
fn a_specification_gives_what_the_isolation_tester_prints() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let output = explore(&["specs"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("5 of 5 specifications agree"), "{}", said(&output));
}

#[test]
fn an_output_that_is_not_the_expected_one_differs_and_a_variant_may_be_expected() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("specs")).unwrap();
    fs::create_dir(at("expected")).unwrap();
    let spec = "session a step one { SELECT 1 AS n; } permutation one";
    fs::write(at("specs/x.spec"), spec).unwrap();
    let explore = || run(folder.path(), &["explore", "--spec", "specs/x.spec"]);

    let alone = explore();
    assert_eq!(alone.status.code(), Some(0), "{}", said(&alone));
    assert!(said(&alone).contains("no expected output to compare with"), "{}", said(&alone));
    let right = "Parsed test spec with 1 sessions\n\nstarting permutation: one\n\
                 step one: SELECT 1 AS n;\nn\n-\n1\n(1 row)\n\n";
    assert!(said(&alone).starts_with(right), "{}", said(&alone));

    fs::write(at("expected/x.out"), right.replace("\n1\n", "\n2\n")).unwrap();
    let differs = explore();
    assert_eq!(differs.status.code(), Some(1), "{}", said(&differs));
    assert!(said(&differs).contains(" DIFFERS "), "{}", said(&differs));
    assert!(said(&differs).contains("\n-2\n+1\n"), "{}", said(&differs));

    fs::write(at("expected/x_1.out"), right).unwrap();
    let agrees = explore();
    assert_eq!(agrees.status.code(), Some(0), "{}", said(&agrees));
    assert!(said(&agrees).contains("x_1.out says"), "{}", said(&agrees));
}

#[test]
fn a_session_that_waits_moves_on_only_when_it_goes_on() {
    if !has(StoreKind::Postgres) {
        return;
    }
    // Of 20 orders, 6 have a buyer commit what waits for the other buyer's commit: a_take b_take b_commit a_commit, with
    // three places for b_look, and the same of the other buyer.
    let report = orders("specs/last-unit.spec");
    assert_eq!(report["interleavings"], 20);
    assert_eq!(report["orders"], 20 - 6);
    assert_eq!(report["deadlocks"], 0);
    assert_eq!(report["blocked"], 0);
    let outcomes = report["outcomes"].as_array().unwrap();
    // Each of the two orders in which one buyer is through before the other looks has an outcome of its own.
    let counts: Vec<u64> = outcomes.iter().map(|one| one["orders"].as_u64().unwrap()).collect();
    assert_eq!(counts, [12, 1, 1]);
    let oversold = |one: &Value| one["at_end"].as_str().unwrap().contains("-1");
    assert!(outcomes.iter().all(oversold));
}

#[test]
fn every_deadlock_is_found_and_its_victim_is_the_one_who_closes_the_circle() {
    if !has(StoreKind::Postgres) {
        return;
    }
    // Two orders for the first locks, two for who waits, two for the commits. Where one session has both locks before the
    // other begins, the other is sent its first step before or after the commit.
    let report = orders("specs/two-locks.spec");
    assert_eq!(report["deadlocks"], 2 * 2 * 2);
    assert_eq!(report["orders"], 2 * 2 * 2 + 2 * 2);
    let outcomes = report["outcomes"].as_array().unwrap();
    let counts: Vec<u64> = outcomes.iter().map(|one| one["orders"].as_u64().unwrap()).collect();
    assert_eq!(counts, [4, 4, 4]);
    for outcome in outcomes.iter().filter(|one| one["deadlock"] == true) {
        let order: Vec<&str> = outcome["order"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step.as_str().unwrap())
            .collect();
        let results = outcome["results"].as_array().unwrap();
        let failed = results.iter().find(|one| one["answer"] == "ERROR:  deadlock detected\n");
        assert_eq!(failed.unwrap()["step"], order[3], "{order:?}");
    }
}

#[test]
fn who_waits_to_the_end_is_told_and_the_next_order_is_not_disturbed() {
    if !has(StoreKind::Postgres) {
        return;
    }
    // After `hold` the other session waits, and its second step is never sent.
    let report = orders("specs/no-end.spec");
    assert_eq!(report["orders"], 3);
    assert_eq!(report["blocked"], 1);
    let outcomes = report["outcomes"].as_array().unwrap();
    let blocked = outcomes.iter().find(|one| one["order"].as_array().unwrap().len() == 2).unwrap();
    assert_eq!(blocked["results"][1]["step"], "wait");
    assert_eq!(blocked["results"][1]["answer"], Value::Null);
    assert_eq!(blocked["results"][2]["why"], "not sent, for its session waits to the end");
}

#[test]
fn every_order_begins_with_what_the_setup_makes_and_nothing_else() {
    if !has(StoreKind::Postgres) {
        return;
    }
    // The table can be made in every order, whatever the order before has left.
    let report = orders("specs/left-over.spec");
    assert_eq!(report["orders"], 30);
    for outcome in report["outcomes"].as_array().unwrap() {
        assert_eq!(outcome["results"][0]["step"], "a_make");
        assert_eq!(outcome["results"][0]["answer"], "", "{outcome}");
        assert_eq!(outcome["at_end"], "", "{outcome}");
    }
}

#[test]
fn what_is_wrong_with_a_specification_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("x.spec"),
        "session a\nstep one { SELECT 1; }\npermutation onee\n",
    )
    .unwrap();
    let refused = |args: &[&str], why: &str| {
        let output = run(folder.path(), &[&["explore", "--spec"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    };
    refused(&["x.spec"], "x.spec:3:13: no step is named `onee`; did you mean `one`?");
    refused(&["y.spec"], "cannot read the specification y.spec");
    fs::create_dir(folder.path().join("none")).unwrap();
    refused(&["none"], "the folder none has no file that ends in .spec");
    refused(&[".", "--every-order"], "--every-order: takes one specification");
    refused(&["x.spec", "--buyers", "3"], "--buyers: is for a checkout");
    refused(&["x.spec", "--store", "postgres"], "--store: is for a checkout");
    refused(&["x.spec", "--format", "html"], "--format html: there is no page");
    refused(&["x.spec", "--jobs", "2"], "cannot be used with");
}

#[test]
fn a_setup_that_fails_ends_the_run_as_it_ends_the_tester() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = "setup { SELECT nothing; }\nsession a step one { SELECT 1; }\npermutation one";
    fs::write(folder.path().join("x.spec"), spec).unwrap();
    let listed = run(folder.path(), &["explore", "--spec", "x.spec"]);
    let why = "setup failed: ERROR:  column \"nothing\" does not exist";
    assert!(said(&listed).contains(why), "{}", said(&listed));
    let every = run(folder.path(), &["explore", "--spec", "x.spec", "--every-order"]);
    assert_eq!(every.status.code(), Some(2), "{}", said(&every));
    assert!(said(&every).contains(why), "{}", said(&every));
}
