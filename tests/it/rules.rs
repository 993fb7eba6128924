//! A checkout whose audit holds rules and counts no units.

use std::fs;

use oversell_sim::StoreKind::Sqlite;

use crate::checkouts::{run, said};
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
    }
    let played = said(&run(folder.path(), &["play", "--checkout", "seats.toml"]));
    assert!(played.contains("Break a rule of the shop."), "{played}");
}
