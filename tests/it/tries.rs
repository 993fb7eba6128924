//! Cures that are tried at a running application, with its statements rewritten on their way to the database.

use std::fs;
use std::path::Path;

use oversell_sim::StoreKind::{Mysql, Postgres};
use oversell_sim::unstable::app::starter;
use serde_json::Value;
use tempfile::TempDir;

use crate::apps::{ready, run, search, stderr};
use crate::shops::{Place, shops};

/// The shop that `init app` writes, with some of its lines replaced.
fn shop(replaced: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in starter() {
        let mut text = text.to_owned();
        if name == "shop.py" {
            for (from, to) in replaced {
                assert!(text.contains(from), "{text}");
                text = text.replace(from, to);
            }
        }
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What was tried.
fn tries(place: &Place, file: &Path, cures: &str) -> Vec<Value> {
    let report = search(place, &[], file, &["--try", cures]);
    assert_eq!(report["evidence"], "broken");
    report["tries"].as_array().unwrap().clone()
}

fn number(tried: &Value, name: &str) -> u64 {
    tried[name].as_u64().unwrap()
}

#[test]
fn a_lock_is_proved_a_level_too_and_a_guard_is_as_good_as_what_the_shop_makes_of_it() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = shop(&[]);
    let file = folder.path().join("shop.toml");
    let tried = tries(&place, &file, "lock,guard,isolation=serializable");
    let [lock, guard, level] = &tried[..] else { panic!("{tried:?}") };
    assert_eq!((&lock["cure"], &lock["evidence"]), (&"lock".into(), &"proved".into()));
    assert_eq!(lock["before"], "SELECT stock FROM product WHERE id = ?");
    assert_eq!(lock["statement"], "SELECT stock FROM product WHERE id = ? FOR UPDATE");
    assert!(number(lock, "waited") > 0, "{lock}");
    assert_eq!(number(lock, "failed"), 0, "{lock}");
    // The shop in which the lock stands in the code is searched in as many orders.
    let cured = search(&place, &[("LOCK", "1")], &file, &[]);
    assert_eq!(cured["orders"]["run"], lock["orders"]);
    assert_eq!(guard["evidence"], "broken");
    assert_eq!(guard["statement"], "UPDATE product SET stock = ? WHERE id = ? AND stock = ?");
    assert!(number(guard, "unheeded") > 0, "the shop does not look: {guard}");
    assert_eq!(level["cure"], "isolation=serializable");
    assert_eq!(level["evidence"], "proved");
    assert!(number(level, "failed") > 0, "one buyer comes too late: {level}");
}

#[test]
fn a_guard_is_proved_where_the_shop_looks_how_many_rows_it_has_changed() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = shop(&[(
        "SET stock = %s WHERE id = 1\", (stock - 1,))",
        "SET stock = stock - %s WHERE id = 1\", (1,))\n        if cursor.rowcount != 1:\n            return \"gone\", 409",
    )]);
    let tried = tries(&place, &folder.path().join("shop.toml"), "guard");
    assert_eq!(tried[0]["evidence"], "proved", "{tried:?}");
    assert_eq!(
        tried[0]["statement"],
        "UPDATE product SET stock = stock - ? WHERE id = ? AND stock >= ?"
    );
}

#[test]
fn a_cure_that_cannot_be_is_not_tried_and_the_reason_is_given() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let connects = "connection = psycopg2.connect(os.environ[\"DATABASE_URL\"])";
    let alone = format!("{connects}\n    connection.autocommit = True");
    for (from, to, why) in [
        (connects, alone.as_str(), "in no transaction"),
        ("SELECT stock FROM", "SELECT max(stock) FROM", "an aggregate"),
    ] {
        let folder = shop(&[(from, to)]);
        let tried = tries(&place, &folder.path().join("shop.toml"), "lock");
        assert_eq!(tried[0]["evidence"], Value::Null, "{tried:?}");
        let said = tried[0]["why_not"].as_str().unwrap();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_statement_that_is_sent_with_another_text_in_some_orders_is_no_proof() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    // The second buyer, who is known by its number, asks in other words.
    let folder = shop(&[(
        "cursor.execute(f\"SELECT stock FROM product WHERE id = 1{lock}\")",
        "words = \" AND stock >= 0 FOR UPDATE\" if session[\"buyer\"] == 2 else lock\n        \
         cursor.execute(f\"SELECT stock FROM product WHERE id = 1{words}\")",
    )]);
    let file = folder.path().join("shop.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("alike = true", "alike = false")).unwrap();
    let tried = tries(&place, &file, "lock");
    assert_eq!(tried[0]["evidence"], "not seen", "{tried:?}");
    let said = tried[0]["why_not"].as_str().unwrap();
    assert!(said.contains("bought without the statement"), "{said}");
}

#[test]
fn a_lock_is_written_into_what_a_shop_on_mysql_prepares() {
    let Some(place) = ready("node", &[Mysql]) else { return };
    let tried = tries(&place, &shops().join("node/mysql.toml"), "lock,guard");
    assert_eq!(tried[0]["evidence"], "proved", "{tried:?}");
    assert_eq!(tried[0]["statement"], "SELECT stock FROM product WHERE id = ? FOR UPDATE");
    let said = tried[1]["why_not"].as_str().unwrap();
    assert!(said.contains("prepared without its values"), "{said}");
}

#[test]
fn a_cure_that_means_nothing_is_refused_before_anything_is_started() {
    let folder = shop(&[]);
    let file = folder.path().join("shop.toml").display().to_string();
    let path = std::env::var("PATH").unwrap();
    let place = Place { path, modules: String::new().into(), folder: String::new().into() };
    for (cures, words) in [
        ("loc", "no cure `loc`; did you mean `lock`?"),
        ("lock,isolation", "expected isolation=LEVEL"),
        ("guard=1", "expected guard, without a value"),
        ("lock,guard,lock", "--try lock: is named twice"),
        ("isolation=serialisable", "did you mean `serializable`?"),
    ] {
        let refused = run(&place, &[], &["explore", "--app", &file, "--try", cures]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains(words), "{}", stderr(&refused));
    }
    let levels = "isolation=repeatable-read,isolation=serializable";
    let at_store = ["explore", "--store", "postgres", "-S", "transaction", "--try", levels];
    let second = run(&place, &[], &at_store);
    assert_eq!(second.status.code(), Some(2));
    assert!(
        stderr(&second).contains("--try isolation=serializable: one level is tried at a store")
    );
    let elsewhere = run(&place, &[], &["explore", "-S", "naive", "--try", "lock"]);
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(
        stderr(&elsewhere)
            .contains("--try lock: is written into the statements of a running application")
    );
}
