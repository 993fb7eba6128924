//! What a session keeps beyond an attempt, and what it waits for: every order begins with a fresh session, and locks of a
//! session's own are waited for, and found when they are kept.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::cargo::cargo_bin_cmd;
use oversell_sim::StoreKind::{self, Mysql, Postgres, Redis, Sqlite};
use serde_json::Value;

use crate::listed::has;
use crate::servers::installed;

/// A checkout of these steps, each as the file writes it; a step's own conditions come after a `|`.
fn checkout(store: StoreKind, head: &str, steps: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let verb = if store == Redis { "redis" } else { "sql" };
    let mut text = format!("store = \"{store}\"\n{head}\n");
    if store != Redis {
        let schema = match store {
            Mysql => {
                "CREATE TABLE seat (id INT AUTO_INCREMENT PRIMARY KEY, buyer INT, note INT) ENGINE=InnoDB;"
            }
            Postgres => "CREATE TABLE seat (id serial PRIMARY KEY, buyer INT, note INT);",
            _ => "CREATE TABLE seat (id INTEGER PRIMARY KEY, buyer INT, note INT);",
        };
        fs::write(folder.path().join("schema.sql"), schema).unwrap();
        text += "schema = \"schema.sql\"\n";
    }
    for step in steps {
        let (said, more) = step.split_once('|').unwrap_or((step, ""));
        let more = more.replace(';', "\n");
        text += &format!("[[step]]\n{verb} = \"\"\"{}\"\"\"\n{more}\n", said.trim());
    }
    let (rule, nothing) = match store {
        Redis => ("LRANGE noted 0 -1", "noted twice"),
        _ => ("SELECT id FROM seat WHERE note > 0", "noted before"),
    };
    text += &format!("[audit.never]\n\"{nothing}\" = \"{rule}\"\n");
    fs::write(folder.path().join("checkout.toml"), text).unwrap();
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    cargo_bin_cmd!("oversell-sim").current_dir(folder).args(args).output().unwrap()
}

fn explore(folder: &Path, args: &[&str]) -> Value {
    let mut all = vec!["explore", "--checkout", "checkout.toml", "--format", "json"];
    all.extend(args);
    let output = run(folder, &all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn findings(report: &Value) -> Vec<&str> {
    let all = report["findings"].as_array().unwrap();
    all.iter().map(|told| told["kind"].as_str().unwrap()).collect()
}

/// Nothing found, nothing failed, and every order as before when its beginning was repeated.
fn assert_proved(folder: &Path, args: &[&str], what: &str) {
    let report = explore(folder, args);
    assert_eq!(findings(&report), Vec::<&str>::new(), "{what}: {report}");
    let orders = &report["orders"];
    assert_eq!(
        (&orders["diverged"], &report["failed"]),
        (&0.into(), &0.into()),
        "{what}: {orders}"
    );
    assert!(orders["run"].as_u64() > Some(1), "{what}: {orders}");
}

#[test]
fn whatever_a_session_keeps_is_forgotten_when_the_next_order_begins() {
    let here = installed();
    let seat = "INSERT INTO seat (buyer) VALUES (:buyer)";
    let note = "INSERT INTO seat (buyer, note) VALUES (:buyer, :note)";
    let kept: [(StoreKind, &str, &[&str]); 12] = [
        (Postgres, "a lock", &["SELECT pg_advisory_lock(3)", seat, "SELECT pg_advisory_unlock(3)"]),
        (
            Postgres,
            "a setting",
            &[
                "SELECT COALESCE(NULLIF(current_setting('my.note', true), ''), '0')::int AS note|save = 'note'",
                "SET my.note = '1'",
                note,
            ],
        ),
        (Postgres, "a temporary table", &["CREATE TEMP TABLE cart (id INT)", seat]),
        (Postgres, "a prepared statement", &["PREPARE look AS SELECT 1", seat]),
        (Postgres, "a transaction that goes on", &["BEGIN", seat, "COMMIT AND CHAIN", "COMMIT"]),
        (
            Postgres,
            "a cursor",
            &["BEGIN", "DECLARE looks CURSOR WITH HOLD FOR SELECT 1", seat, "COMMIT"],
        ),
        (
            Postgres,
            "only to be read",
            &[seat, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
        ),
        (
            Mysql,
            "a variable",
            &["SELECT COALESCE(@note, 0) AS note|save = 'note'", "SET @note = 1", note],
        ),
        (Mysql, "a temporary table", &["CREATE TEMPORARY TABLE cart (id INT)", seat]),
        (Mysql, "no autocommit", &["SET autocommit = 0", seat, "COMMIT"]),
        (Sqlite, "a temporary table", &["CREATE TEMP TABLE cart (id INT)", seat]),
        (Redis, "another database", &["INCR visits|save = 'n'", "SELECT 1", "INCR visits"]),
    ];
    for (store, what, steps) in kept.into_iter().filter(|(store, ..)| here.contains(store)) {
        let folder = checkout(store, "", steps);
        for args in [&[][..], &["--no-reduce"]] {
            assert_proved(folder.path(), args, &format!("{what} at {store}"));
        }
    }
}

#[test]
fn a_lock_of_a_sessions_own_that_a_buyer_keeps_is_a_leaked_lock_however_many_buyers_come() {
    let seat = "INSERT INTO seat (buyer) VALUES (:buyer)";
    let tries = "SELECT CASE WHEN pg_try_advisory_lock(3) THEN 1 ELSE 0 END AS got|save = 'got';sold_out_if = 'got = 0'";
    let kept: [(StoreKind, &[&str]); 3] = [
        (Postgres, &[tries, seat]),
        (Postgres, &["SELECT pg_advisory_lock(3)", seat]),
        (Mysql, &["SELECT GET_LOCK('seat', 9)", seat]),
    ];
    for (store, steps) in kept.into_iter().filter(|(store, _)| has(*store)) {
        let folder = checkout(store, "", steps);
        for buyers in ["2", "3"] {
            let report = explore(folder.path(), &["--buyers", buyers, "--find", "all"]);
            assert!(findings(&report).contains(&"leaked_lock"), "{store}, {buyers}: {report}");
        }
        let output = run(folder.path(), &["check", "--checkout", "checkout.toml"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("leaked lock"), "{said}");
    }
}

#[test]
fn a_race_finds_a_lock_that_was_kept_and_does_not_carry_it_into_the_next_round() {
    if !has(Postgres) {
        return;
    }
    let steps = [
        "SELECT CASE WHEN pg_try_advisory_lock(3) THEN 1 ELSE 0 END AS got|save = 'got';sold_out_if = 'got = 0'",
        "INSERT INTO seat (buyer) VALUES (:buyer)",
    ];
    let folder = checkout(Postgres, "", &steps);
    let args = ["race", "--checkout", "checkout.toml", "--buyers", "4", "--rounds", "3"];
    let more = ["--connections", "4", "--expect", "leaked_lock = 1"];
    let output = run(folder.path(), &[&args[..], &more].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_lock_by_name_is_waited_for_like_any_other_and_so_is_a_table() {
    if !has(Mysql) {
        return;
    }
    let seat = "INSERT INTO seat (buyer) VALUES (:buyer)";
    let by_name = ["SELECT GET_LOCK('seat', 600)", seat, "SELECT RELEASE_LOCK('seat')"];
    let table = ["LOCK TABLES seat WRITE", seat, "UNLOCK TABLES"];
    for steps in [by_name, table] {
        // Its own time-out never comes: it would take ten minutes.
        assert_proved(checkout(Mysql, "", &steps).path(), &[], steps[0]);
    }
}

#[test]
fn two_locks_by_name_in_opposite_order_are_a_deadlock_that_the_server_breaks() {
    if !has(Mysql) {
        return;
    }
    let take = |name: &str| format!("[[role.step]]\nsql = \"SELECT GET_LOCK('{name}', 600)\"\n");
    let role = |name: &str, first: &str, second: &str| {
        let ends = "[[role.step]]\nsql = \"SELECT RELEASE_ALL_LOCKS()\"\n";
        format!("[[role]]\nname = \"{name}\"\n{}{}{ends}", take(first), take(second))
    };
    let folder = checkout(Mysql, "", &[]);
    let path = folder.path().join("checkout.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (head, audit) = text.split_once("[audit.never]").unwrap();
    let roles = role("one", "a", "b") + &role("other", "b", "a");
    fs::write(&path, format!("retries = 1\n{head}{roles}[audit.never]{audit}")).unwrap();
    let report = explore(folder.path(), &["--find", "all"]);
    assert_eq!(report["orders"]["diverged"], 0, "{report}");
    assert!(report["orders"]["run"].as_u64() > Some(4), "{report}");
}

#[test]
fn a_command_that_waits_is_answered_when_another_has_moved_or_when_no_other_can() {
    if !has(Redis) {
        return;
    }
    let head = "setup = 'RPUSH tokens a'";
    let take = |seconds: u32| format!("BLPOP tokens {seconds}|sold_out_if = 'rows = 0'");
    let (forever, some_time) = (take(0), take(600));
    let returned = checkout(Redis, head, &[&forever, "RPUSH sold {buyer}", "RPUSH tokens a"]);
    assert_proved(returned.path(), &[], "a token that is put back");
    let runs_out = checkout(Redis, head, &[&some_time, "RPUSH sold {buyer}"]);
    assert_proved(runs_out.path(), &[], "a token for which no buyer waits for ever");
    let kept = checkout(Redis, head, &[&forever, "RPUSH sold {buyer}"]);
    for buyers in ["2", "3"] {
        let report = explore(kept.path(), &["--buyers", buyers]);
        assert_eq!(findings(&report), ["deadlock"], "{report}");
    }
}

#[test]
fn at_serializable_every_order_finds_the_tables_as_if_they_were_new() {
    if !has(Postgres) {
        return;
    }
    let steps = [
        "BEGIN",
        "SELECT COUNT(*) AS n FROM seat|save = 'n'",
        "INSERT INTO seat (buyer, note) VALUES (:buyer, 0)",
        "COMMIT",
    ];
    let folder = checkout(Postgres, "seed = 'seed.sql'", &steps);
    let seed = "INSERT INTO seat (buyer, note) SELECT 0, 0 FROM generate_series(1, 300);";
    fs::write(folder.path().join("seed.sql"), seed).unwrap();
    assert_proved(folder.path(), &["--isolation", "serializable", "--no-reduce"], "serializable");
}
