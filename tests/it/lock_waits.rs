//! Who waited for whom, as races record it.

use std::fs;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use serde_json::Value;
use tempfile::TempDir;

use crate::listed::has;

/// What a race recorded in its worst round, and that round's figures.
fn raced(args: &str) -> (Value, Value) {
    let output = Command::new(cargo_bin("oversell-sim"))
        .arg("race")
        .args(args.split_whitespace())
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert!(!output.stdout.is_empty(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let worst = &report["runs"][0]["worst"];
    (worst["lock_waits"].clone(), worst["figures"].clone())
}

/// The sentences of a race's page about who waited for whom.
fn sentences(args: &str) -> String {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("race.html");
    let output = Command::new(cargo_bin("oversell-sim"))
        .arg("race")
        .args(args.split_whitespace())
        .args(["--format", "html", "--output"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(file).unwrap();
    let parts = page.split(r#"<p class="waits">"#).skip(1);
    parts.map(|part| part.split_once("</p>").unwrap().0).collect::<Vec<_>>().join("\n")
}

/// The overlap of a wait and a hold, in ns.
fn overlap(wait: &Value, hold: &Value) -> u64 {
    let number = |value: &Value| value.as_u64().unwrap();
    let until = number(&wait["until"]).min(number(&hold["until"]));
    until.saturating_sub(number(&wait["asked"]).max(number(&hold["from"])))
}

#[test]
fn every_wait_for_a_lock_is_recorded_with_those_who_held_it_meanwhile() {
    for store in [StoreKind::Memory, StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        if !has(store) {
            continue;
        }
        let (waits, figures) =
            raced(&format!("-S pessimistic --store {} --buyers 40 --stock 40", store.name()));
        assert_eq!(waits["recorded"], 40, "{store}");
        assert_eq!(waits["left_out"], 0, "{store}");
        assert_eq!(waits["waited"], figures["lock_waits"], "{store}");
        let longest = waits["longest"].as_array().unwrap();
        let waited_for = waits["waited_for"].as_array().unwrap();
        assert!(!longest.is_empty() && !waited_for.is_empty(), "{store}: {waits}");
        for wait in longest {
            for hold in wait["held_by"].as_array().unwrap() {
                assert!(overlap(wait, hold) > 0, "{store}: {wait}");
                assert_ne!(wait["buyer"], hold["buyer"], "{store}: {wait}");
            }
        }
        // Buyers think while they hold the lock: the longest wait is one for others who think.
        assert_ne!(longest[0]["holds"], 0, "{store}: {}", longest[0]);
    }
}

#[test]
fn a_checkout_without_locks_has_no_buyer_that_waited_for_one() {
    let (waits, _) = raced("-S cas --buyers 40");
    assert_eq!((&waits["recorded"], &waits["waited"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(sentences("-S cas --buyers 40"), "No buyer waited for a lock: cas asks for none.");
    if has(StoreKind::Sqlite) {
        let said = sentences("-S cas --buyers 5 --store sqlite");
        assert!(said.contains("What its statements wait for inside SQLite"), "{said}");
    }
}

#[test]
fn a_page_says_when_only_the_first_requests_were_recorded() {
    let args = "-S pessimistic --buyers 6000 --threads 2 --think 0s";
    let (waits, _) = raced(args);
    assert_eq!(
        (&waits["recorded"], &waits["left_out"]),
        (&Value::from(5_000), &Value::from(1_000))
    );
    let said = sentences(args);
    assert!(said.contains("Only the first 5,000 requests were recorded; 1,000 more"), "{said}");
}

#[test]
fn a_single_thread_never_waits() {
    let said = sentences("-S pessimistic --buyers 20 --threads 1");
    assert_eq!(said, "No buyer waited for a lock: of 20 requests, each found the lock free.");
}
