//! A checkout whose audit holds rules and counts no units.

use std::fs;

use oversell_sim::Expectation;
use oversell_sim::StoreKind::Sqlite;

use crate::checkouts::{explore, run, said};
use crate::listed::has;

/// Two buyers may book the same seat.
const CHECKOUT: &str = r#"store  = "sqlite"
schema = "schema.sql"
seed   = "seed.sql"
[[step]]
sql         = "SELECT taken FROM seat"
save        = "taken"
sold_out_if = "taken > 0"
[[step]]
sql = "UPDATE seat SET taken = 1"
[[step]]
sql = "INSERT INTO booking (buyer) VALUES (:buyer)"
[audit.never]
"the seat is booked twice" = "SELECT COUNT(*) FROM booking HAVING COUNT(*) > 1"
"#;

const SCHEMA: &str = "CREATE TABLE seat (taken INT NOT NULL); CREATE TABLE booking (buyer INT);";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("seats.toml", CHECKOUT),
        ("schema.sql", SCHEMA),
        ("seed.sql", "INSERT INTO seat VALUES (0);"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn of_units_nothing_is_said_where_none_are_counted() {
    if !has(Sqlite) {
        return;
    }
    let folder = folder();
    for args in [
        &["race", "--checkout", "seats.toml", "--buyers", "3"][..],
        &["race", "--checkout", "seats.toml", "--buyers", "3", "--format", "markdown"],
        &["explore", "--checkout", "seats.toml"],
        &["replay", "--checkout", "seats.toml", "--schedule", "ABBBAA"],
        &["play", "--checkout", "seats.toml"],
    ] {
        let told = said(&run(folder.path(), args));
        for word in ["1 unit", "same unit", "units sold", "oversold", "undersold", "stock left"] {
            assert!(!told.contains(word), "{args:?} says `{word}`: {told}");
        }
        let winners = told.lines().find(|line| line.contains("Winners")).unwrap_or_default();
        assert!(!winners.contains("units"), "{args:?}: {told}");
    }
    let played = said(&run(folder.path(), &["play", "--checkout", "seats.toml"]));
    assert!(played.contains("Break a rule of the shop."), "{played}");
}

#[test]
fn what_is_expected_of_units_is_refused_where_none_are_counted() {
    if !has(Sqlite) {
        return;
    }
    let folder = folder();
    let scenario = "checkout = \"seats.toml\"\nbuyers = 3\n[expect]\noversold = 0\n";
    fs::write(folder.path().join("scenario.toml"), scenario).unwrap();
    fs::write(folder.path().join("same.toml"), CHECKOUT).unwrap();
    let expects = ["--expect", "oversold = 0"];
    for args in [
        [&["race", "--checkout", "seats.toml", "--buyers", "3"], &expects[..]].concat(),
        [&["explore", "--checkout", "seats.toml"], &expects[..]].concat(),
        [&["replay", "--checkout", "seats.toml", "--schedule", "ABBBAA"], &expects[..]].concat(),
        [&["compare", "--checkout", "seats.toml", "--checkout", "same.toml"], &expects[..]]
            .concat(),
        vec!["check", "scenario.toml"],
    ] {
        let output = run(folder.path(), &args);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        let expected = "`oversold = 0`: the audit of seats.toml counts no units";
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}

#[test]
fn in_the_library_too_no_expectation_of_units_holds_where_none_are_counted() {
    if !has(Sqlite) {
        return;
    }
    let folder = folder();
    let report = explore(&folder.path().join("seats.toml"), None);
    let expectations =
        ["oversold = 0", "findings = 1"].map(|text| Expectation::parse(text).unwrap());
    let judged = report.judge(&expectations);
    assert_eq!(judged[0].seen(), "it was not counted: the audit has no `stock` and `orders`");
    assert!(!judged[0].held && judged[1].held, "{judged:?}");
}
