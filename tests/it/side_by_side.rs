//! Searches at several copies of a server, which say the same as searches at one.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind::{Mysql, Postgres, Redis, Sqlite};
use serde_json::Value;

use crate::listed::has;
use crate::servers::{eventually, open_dir, processes_of};

/// The exit code, and what is said on both outputs.
fn explored(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(cargo_bin("oversell-sim"))
        .arg("explore")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TMPDIR", folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The report of a search at so many copies.
fn report(args: &[&str], jobs: &str) -> Value {
    let folder = open_dir();
    let more = ["--seed", "1", "--format", "json", "--jobs", jobs];
    let (code, out, err) = explored(folder.path(), &[args, &more].concat());
    assert_eq!(code, 0, "{args:?}: {err}");
    assert_eq!(processes_of(folder.path()), Vec::<String>::new(), "{args:?}");
    serde_json::from_str(&out).unwrap()
}

/// Asserts that a search says the same at one copy and at three; returns what it says.
fn same(args: &str) -> Value {
    let args: Vec<&str> = args.split_whitespace().collect();
    let [one, three] = ["1", "3"].map(|jobs| report(&args, jobs));
    assert_eq!(one, three, "{args:?}");
    assert!(one["orders"]["run"].as_u64().unwrap() > 1, "{args:?}: {one}");
    one
}

#[test]
fn a_search_at_three_copies_of_a_server_says_the_same_as_at_one() {
    let real = "--checkout scenarios/real-bugs";
    for (store, args, evidence) in [
        (Postgres, format!("{real}/saleor-544-voucher/fixed.toml --buyers 3"), "proved"),
        (Postgres, format!("{real}/saleor-544-voucher/broken.toml --find all"), "broken"),
        (Postgres, "--store postgres --strategy transaction --buyers 3".into(), "broken"),
        (Postgres, "--store postgres --strategy transaction --no-reduce".into(), "broken"),
        (Postgres, "--store postgres --strategy transaction --preemptions 2".into(), "broken"),
        (Mysql, format!("{real}/opencart-4811-stock/broken.toml --find all"), "broken"),
        (Mysql, format!("{real}/opencart-4811-stock/fixed.toml"), "proved"),
        (Sqlite, "--store sqlite --strategy transaction".into(), "proved"),
        (Sqlite, "--checkout scenarios/own-checkout/checkout.toml --buyers 3".into(), "proved"),
        (Redis, "--store redis --strategy naive --buyers 3".into(), "broken"),
        (Redis, "--store redis --strategy lease".into(), "proved"),
    ] {
        if has(store) {
            assert_eq!(same(&args)["evidence"], evidence, "{args}");
        }
    }
}

/// A checkout whose second statement changes several rows only where another buyer's row is there already.
const LEARNED_LATE: &str = r#"
store  = "postgres"
schema = "schema.sql"
seed   = "seed.sql"
alike  = true

[[step]]
sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"

[[step]]
sql = "UPDATE purchase SET state = 'paid' WHERE state = 'new'"

[audit]
stock  = "SELECT id, stock - (SELECT count(*) FROM purchase) FROM product"
orders = "SELECT buyer, product, qty FROM purchase"
"#;

const LATE_SCHEMA: &str = "
CREATE TABLE product (id INT PRIMARY KEY, stock INT);
CREATE TABLE purchase (buyer INT, product INT, qty INT, state TEXT DEFAULT 'new');
";

#[test]
fn what_one_copy_learns_late_makes_the_search_at_all_of_them_begin_anew() {
    if !has(Postgres) {
        return;
    }
    let folder = open_dir();
    for (name, text) in [
        ("late.toml", LEARNED_LATE),
        ("schema.sql", LATE_SCHEMA),
        ("seed.sql", "INSERT INTO product VALUES (1, 2)"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let file = folder.path().join("late.toml").display().to_string();
    let learned = same(&format!("--checkout {file} --find all"));
    // The statement takes a step more for the second row: only orders that know of it have so many statements.
    let steps = learned["orders"]["statements"].as_u64().unwrap();
    assert!(steps > 4 * learned["orders"]["run"].as_u64().unwrap(), "{learned}");
}

#[test]
fn a_search_at_several_copies_goes_on_where_one_at_a_single_copy_was_stopped() {
    if !has(Postgres) {
        return;
    }
    let folder = open_dir();
    let path = folder.path().join("orders.jsonl").display().to_string();
    let args = ["--store", "postgres", "--strategy", "transaction", "--find", "all"];
    let plain = report(&args, "1");
    let resumed = [&args[..], &["--resume", &path]].concat();
    assert_eq!(report(&resumed, "3"), plain);
    let whole = fs::read_to_string(&path).unwrap();
    for jobs in ["1", "3"] {
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        fs::write(&path, lines[..lines.len() / 2].concat()).unwrap();
        assert_eq!(report(&resumed, jobs), plain);
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }
}

#[test]
fn a_search_that_is_stopped_leaves_no_copy_behind() {
    if !has(Postgres) {
        return;
    }
    let folder = open_dir();
    let args =
        "--store postgres --strategy pessimistic --buyers 5 --jobs 3 --max-time 1s --format json";
    let (code, out, err) = explored(folder.path(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["orders"]["complete"], false, "{report}");
    eventually("all servers have ended", || processes_of(folder.path()).is_empty());
}

#[test]
fn where_there_can_be_no_copies_one_line_says_why() {
    let folder = open_dir();
    for (args, words) in [
        ("--store sqlite --strategy naive --jobs 0", "--jobs"),
        ("--store sqlite --strategy naive --jobs 33", "--jobs: at a real server 32 at most"),
        ("--store sqlite --strategy naive --jobs 2 --random", "--jobs: is for a search of every"),
        ("--store sqlite --strategy naive --jobs 2 --url shop.db", "leave out --url, or --jobs"),
    ] {
        let (code, out, err) = explored(folder.path(), &args.split(' ').collect::<Vec<_>>());
        assert_eq!((code, out.as_str()), (2, ""), "{args}: {err}");
        assert!(err.contains(words), "{args}: {err}");
    }
}
