//! Applications whose statements say where in the code they were made.

use std::fs;

use oversell_sim::StoreKind::Postgres;
use serde_json::Value;

use crate::apps::{findings, ready, run, search};
use crate::shops::shops;

/// The line of the shop that has these words, counted from 1.
fn line(words: &str) -> u64 {
    let text = fs::read_to_string(shops().join("python/odd.py")).unwrap();
    text.lines().position(|line| line.contains(words)).unwrap() as u64 + 1
}

#[test]
fn a_tag_that_differs_each_time_makes_no_order_another_and_its_place_is_told() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml");
    let of = |mode| search(&place, &[("MODE", mode)], &file, &["--find", "all", "--seed", "1"]);
    let (plain, tagged) = (of(""), of("tagged"));
    assert_eq!(findings(&tagged), findings(&plain));
    assert_eq!(tagged["orders"], plain["orders"]);
    assert_eq!(tagged["orders"]["diverged"], 0);
    assert_eq!(tagged["findings"][0]["schedule"], plain["findings"][0]["schedule"]);
    let why = &tagged["findings"][0]["why"];
    let (read, wrote) = (line("SELECT stock FROM product"), line("UPDATE product SET stock"));
    for (key, line) in [("looked_in", read), ("changed_in", wrote), ("acted_in", wrote)] {
        assert_eq!(why[key], serde_json::json!({ "file": "odd.py", "line": line }), "{why}");
    }
    let rows = tagged["findings"][0]["timeline"].as_array().unwrap();
    let reads = |row: &&Value| row["did"].as_str().unwrap().contains("SELECT stock");
    assert!(rows.iter().filter(reads).all(|row| row["code"]["line"] == read), "{rows:?}");
    assert!(!tagged.to_string().contains("traceparent"));
    let shown = run(&place, &[("MODE", "tagged")], &["explore", "--app", file.to_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(&format!("(odd.py:{read})")), "{shown}");
    assert!(shown.contains(&format!(" odd.py:{wrote}")), "{shown}");
}
