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
    let (read, wrote) =
        (line("SELECT stock FROM product"), line("tagged(\"UPDATE product SET stock"));
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

#[test]
fn sarif_and_annotations_put_a_finding_where_a_tag_says_and_else_into_the_shops_file() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let explore = |mode: &str, args: &[&str]| {
        let all = [&["explore", "--app", "tests/shops/python/odd.toml"], args].concat();
        let output = run(&place, &[("MODE", mode), ("GITHUB_WORKSPACE", "")], &all);
        String::from_utf8(output.stdout).unwrap()
    };
    let sarif = |mode: &str| -> Value {
        serde_json::from_str(&explore(mode, &["--format", "sarif"])).unwrap()
    };
    let at = |location: &Value| {
        let physical = &location["physicalLocation"];
        let uri = physical["artifactLocation"]["uri"].as_str().unwrap().to_owned();
        (uri, physical["region"]["startLine"].as_u64())
    };
    let (read, wrote) =
        (line("SELECT stock FROM product"), line("tagged(\"UPDATE product SET stock"));
    let code = |line| ("tests/shops/python/odd.py".to_owned(), Some(line));
    let tagged = sarif("tagged");
    let result = &tagged["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "oversold");
    assert_eq!(at(&result["locations"][0]), code(read));
    assert_eq!(at(&result["relatedLocations"][0]), code(wrote));
    let text = result["message"]["text"].as_str().unwrap();
    assert!(text.contains("again: oversell-sim replay"), "{text}");
    let plain = sarif("");
    let shop = ("tests/shops/python/odd.toml".to_owned(), None);
    assert_eq!(at(&plain["runs"][0]["results"][0]["locations"][0]), shop);
    let args = ["--format", "github", "--expect", "oversold = 0"];
    let annotated = explore("tagged", &args);
    let annotation = format!("::error file=tests/shops/python/odd.py,line={read},title=");
    assert!(annotated.contains(&annotation), "{annotated}");
}

#[test]
fn a_command_that_fails_writes_sarif_that_says_so() {
    let place = |path: String| crate::shops::Place {
        path,
        modules: String::new().into(),
        folder: String::new().into(),
    };
    let place = place(std::env::var("PATH").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join("shop.toml"), folder.path().join("log.sarif"));
    fs::write(&file, "[app]\n").unwrap();
    let (file, log) = (file.display().to_string(), log.display().to_string());
    let args = ["explore", "--app", &file, "--format", "sarif", "--output", &log];
    assert_eq!(run(&place, &[], &args).status.code(), Some(2));
    let log: Value = serde_json::from_str(&fs::read_to_string(&log).unwrap()).unwrap();
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notes = invocation["toolExecutionNotifications"].to_string();
    assert!(notes.contains("no database is named"), "{notes}");
}
