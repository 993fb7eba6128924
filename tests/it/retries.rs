//! Described checkouts that begin again after a conflict.

use std::fs;

use oversell_sim::Evidence;
use oversell_sim::StoreKind::Redis;

use crate::checkouts::{explore, run, said};
use crate::listed::has;

/// The first attempt changes a counter and is a conflict. The next finds another counter, and loses a unit.
const COUNTS_ITS_TRIES: &str = r#"store = "redis"
setup = ["SET stock 1", "SET tries 0"]
retries = 3
[[step]]
redis = "GETSET last {buyer}"
save = "last?"
[[step]]
redis = "INCR tries"
save = "tries"
conflict_if = "tries = 1"
[[step]]
when = "tries = 2 and last = buyer"
redis = "DECRBY stock 1"
sold_out_if = "rows = 1"
[[step]]
redis = "DECRBY stock 1"
save = "left"
[[step]]
when = "left < 0"
redis = "INCRBY stock 1"
sold_out_if = "rows = 1"
[[step]]
redis = "RPUSH orders {buyer},1,1"
[audit]
stock = "GET stock"
orders = "LRANGE orders 0 -1"
"#;

#[test]
fn a_buyer_whose_attempt_has_changed_something_is_followed_when_it_begins_again_alone() {
    if !has(Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkout.toml");
    fs::write(&file, COUNTS_ITS_TRIES).unwrap();
    let report = explore(&file, None);
    assert_eq!(report.evidence, Evidence::Broken, "{report}");
    assert!(report.to_string().contains("leaked stock"), "{report}");
}

#[test]
fn a_command_that_answers_nothing_may_have_changed_something() {
    if !has(Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkout.toml");
    let swap = "return redis.call('GETSET', KEYS[1], ARGV[1])";
    fs::write(folder.path().join("swap.lua"), swap).unwrap();
    let count = "redis = \"INCR tries\"\nsave = \"tries\"\nconflict_if = \"tries = 1\"";
    let rest = COUNTS_ITS_TRIES.replace("tries = 2 and last = buyer", "last = buyer");
    for sets in [
        "redis = \"GETSET last {buyer}\"",
        "redis = \"SET last {buyer} GET\"",
        "lua = \"swap.lua\"\nkeys = [\"last\"]\narguments = [\"{buyer}\"]",
    ] {
        // The first attempt finds nothing there, and leaves its buyer's name.
        let sets = format!("{sets}\nsave = \"last?\"\nconflict_if = \"last = null\"");
        let text = rest.replace("redis = \"GETSET last {buyer}\"\nsave = \"last?\"", &sets);
        let text = text.replace(&format!("[[step]]\n{count}\n"), "");
        fs::write(&file, &text).unwrap();
        let report = explore(&file, None);
        assert_eq!(report.evidence, Evidence::Broken, "{text}{report}");
    }
}

#[test]
fn a_buyer_that_changes_something_each_time_it_begins_again_is_passed_over_and_nothing_is_proved() {
    if !has(Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkout.toml");
    // A lock, with a count of how often it was asked for.
    let text = r#"store = "redis"
setup = ["SET stock 1", "SET tries 0"]
[[step]]
redis = "INCR tries"
[[step]]
redis = "SET lock {buyer} NX"
conflict_if = "rows = 0"
[[step]]
redis = "DECRBY stock 1"
save = "left"
[[step]]
redis = "DEL lock"
[[step]]
when = "left < 0"
redis = "INCRBY stock 1"
sold_out_if = "rows = 1"
[[step]]
redis = "RPUSH orders {buyer},1,1"
[audit]
stock = "GET stock"
orders = "LRANGE orders 0 -1"
"#;
    fs::write(&file, text).unwrap();
    let report = explore(&file, None);
    assert_eq!(report.evidence, Evidence::NotSeen, "{report}");
    assert!(
        report.to_string().contains("began again after a conflict, again and again"),
        "{report}"
    );
    // The second command runs none of the orders that the first has written down, and knows as little.
    for jobs in ["1", "2"] {
        let log = format!("log-{jobs}");
        let args = ["explore", "--checkout", "checkout.toml", "--resume", &log, "--jobs", jobs];
        for _ in 0..2 {
            let told = said(&run(folder.path(), &args));
            assert!(told.contains("SAFE SO FAR"), "{told}");
            assert!(told.contains("began again after a conflict, again and again"), "{told}");
        }
    }
}

#[test]
fn a_schedule_that_ends_before_the_buyers_have_left_is_no_verdict() {
    if !has(Redis) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("checkout.toml"), COUNTS_ITS_TRIES).unwrap();
    let of = |schedule| {
        let args =
            ["replay", "--checkout", "checkout.toml", "--buyers", "2", "--schedule", schedule];
        said(&run(folder.path(), &args))
    };
    let told = of("AAAABBBB");
    assert!(told.contains("PROVES NOTHING"), "{told}");
    assert!(told.contains("the schedule ends before every buyer has left"), "{told}");
    assert!(of("AAAABBBBA").contains("BROKEN"));
}
