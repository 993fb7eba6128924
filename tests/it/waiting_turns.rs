//! Which of two buyers goes on first that wait for the same lock, where PostgreSQL lets either.

use std::fs;

use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Evidence, Exploration, StoreKind};
use tempfile::TempDir;

use crate::checkouts::search;
use crate::listed::has;

/// A checkout that takes its unit in a transaction, and changes the same row in a statement of its own afterwards.
const CHECKOUT: &str = r#"
title  = "a unit, and a change that commits at once"
store  = "postgres"
schema = "schema.sql"
seed   = "seed.sql"
setup  = ["UPDATE product SET stock = :stock"]
alike  = true
step   = [
    { sql = "BEGIN" },
    { sql = "UPDATE product SET stock = stock - 1 WHERE id = :item" },
    { sql = "COMMIT" },
    { sql = "UPDATE product SET stock = stock + {change} WHERE id = :item" },
]

[audit.never]
"less than nothing is left" = "SELECT id FROM product WHERE stock < 0"
"#;

/// Every order of three buyers, of whom one holds the row when the two others wait for it.
fn explored(change: &str) -> Exploration {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("checkout.toml", &CHECKOUT.replace("{change}", change));
    write("schema.sql", "CREATE TABLE product (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL);");
    write("seed.sql", "DELETE FROM product; INSERT INTO product VALUES (1, 0);");
    let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
    let settings = checkout.applied(Settings { buyers: 3, stock: 3, ..Settings::default() });
    search(&checkout, &settings, true, u32::MAX).0
}

/// Whether a report says that the server may let either go on first.
fn says_so(report: &Exploration) -> bool {
    report.remarks.iter().any(|remark| remark.contains("may let either go on first"))
}

#[test]
fn where_two_wait_to_do_the_same_it_makes_no_difference_who_goes_on_first() {
    if has(StoreKind::Postgres) {
        let report = explored("0");
        assert!(report.evidence == Evidence::Proved && !says_so(&report), "{report}");
    }
}

#[test]
fn where_two_wait_to_do_something_else_at_once_nothing_is_proved() {
    if has(StoreKind::Postgres) {
        let report = explored(":buyer - :buyer");
        assert!(report.evidence == Evidence::NotSeen && says_so(&report), "{report}");
    }
}
