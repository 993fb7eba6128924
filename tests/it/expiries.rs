//! Holds that run out while their buyers still count on them, at real servers.

use std::fs;

use oversell_sim::Evidence;
use oversell_sim::StoreKind::{self, Mysql, Postgres, Redis, Sqlite};
use oversell_sim::unstable::checkout::Checkout;

use crate::checkouts::{search, settings};
use crate::crashes::{runs, schedule};
use crate::servers::installed;

const SCHEMA: &str = "CREATE TABLE product (id INT PRIMARY KEY, stock INT NOT NULL);
CREATE TABLE hold (product INT PRIMARY KEY, buyer INT NOT NULL, state INT NOT NULL);
CREATE TABLE purchase (buyer INT NOT NULL, product INT NOT NULL);";
const SEED: &str = "INSERT INTO product VALUES (1, 1);";

/// Frees a hold that has run out, holds the unit, and sells it; a hold is 0 while it stands, 1 when its time is over, 2
/// when it was used. It is not asked whether the hold still stands.
const NAIVE: &str = r#"
[[step]]
sql = "DELETE FROM hold WHERE product = :item AND state = 1"
[[step]]
sql = "INSERT INTO hold VALUES (:item, :buyer, 0)"
if_refused = "sold_out"
[[step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
[[step]]
sql = "UPDATE product SET stock = stock - 1 WHERE id = :item"
"#;

/// The same, where a hold is used before it is relied upon.
const SAFE: &str = r#"
[[step]]
sql = "DELETE FROM hold WHERE product = :item AND state = 1"
[[step]]
sql = "INSERT INTO hold VALUES (:item, :buyer, 0)"
if_refused = "sold_out"
[[step]]
sql = "UPDATE hold SET state = 2 WHERE product = :item AND buyer = :buyer AND state = 0"
sold_out_if = "rows = 0"
[[step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
"#;

const EXPIRY: &str =
    "[expiry]\nsql = \"UPDATE hold SET state = 1 WHERE product = 1 AND state = 0\"\n";

const COUNTED: &str = "[audit]\nstock = \"SELECT id, stock FROM product\"\norders = \"SELECT buyer, product FROM purchase\"\n";

const SOLD_TWICE: &str = "[audit.never]\n\"sold twice\" = \"SELECT product FROM purchase GROUP BY product HAVING COUNT(*) > 1\"\n";

fn shop(store: StoreKind, parts: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let head = match store {
        Redis => format!("store = \"{store}\"\n"),
        _ => format!("store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n"),
    };
    write("schema.sql", SCHEMA);
    write("seed.sql", SEED);
    write("checkout.toml", &(head + &parts.concat()));
    folder
}

fn databases() -> impl Iterator<Item = StoreKind> {
    installed().into_iter().filter(|store| matches!(store, Sqlite | Postgres | Mysql))
}

const EXPLORE: [&str; 3] = ["explore", "--checkout", "checkout.toml"];
const REPLAY: [&str; 4] = ["replay", "--checkout", "checkout.toml", "--schedule"];

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more].concat()
}

#[test]
fn a_hold_that_runs_out_while_its_buyer_pays_is_sold_twice_with_an_expiry_and_not_without() {
    for store in databases() {
        let folder = shop(store, &[NAIVE, EXPIRY, COUNTED]);
        runs(folder.path(), &with(&EXPLORE, &["--expect", "evidence = proved"]), 0);
        let told = runs(folder.path(), &with(&EXPLORE, &["--expiries", "1"]), 0);
        assert!(told.contains("2 units promised, 1 in stock"), "{store}: {told}");
        assert!(told.contains("holds run out: UPDATE hold"), "{store}: {told}");
        let schedule = schedule(&told);
        assert!(schedule.contains("*~"), "{store}: {told}");
        let again = with(&REPLAY, &[&schedule, "--expiries", "1"]);
        let again = runs(folder.path(), &again, 0);
        assert!(again.contains("2 units promised, 1 in stock"), "{store}: {again}");
    }
}

#[test]
fn a_checkout_that_uses_its_hold_before_it_relies_on_it_is_proved_with_expiries() {
    for store in databases() {
        let folder = shop(store, &[SAFE, EXPIRY, SOLD_TWICE]);
        let (times, said) = match store {
            Sqlite => ("2", "2 expiries"),
            _ => ("1", "1 expiry"),
        };
        let proved = ["--expiries", times, "--expect", "evidence = proved"];
        let told = runs(folder.path(), &with(&EXPLORE, &proved), 0);
        let covered = format!("every statement order of 2 buyers, with up to {said}:");
        assert!(told.contains(&covered), "{store}: {told}");
        assert!(told.contains("crashes, holds that run out one by one, other"), "{told}");
    }
}

#[test]
fn a_crashed_buyers_hold_is_freed_once_it_has_run_out_and_a_job_has_come_by() {
    let shop = |store| {
        let role = NAIVE.replace("[[step]]", "[[role.step]]");
        let buyer = "[[role]]\nname = \"buyer\"\n".to_owned() + &role;
        let job = "[[role]]\nname = \"job\"\nonce = true\n[[role.step]]\nsql = \"DELETE FROM hold WHERE product = 1 AND state = 1\"\n";
        let rule = "[audit.never]\n\"held for ever\" = \"SELECT h.buyer FROM hold h LEFT JOIN purchase p ON \
                    p.buyer = h.buyer WHERE p.buyer IS NULL\"\n";
        shop(store, &[&buyer, job, EXPIRY, rule])
    };
    for store in databases() {
        let folder = shop(store);
        let crashes = ["--crashes", "1", "--expiries", "1"];
        // A dies with its hold, and the job comes while the hold stands.
        let told = runs(folder.path(), &with(&REPLAY, &with(&["AAA!B"], &crashes)), 0);
        assert!(told.contains("held for ever"), "{store}: {told}");
        let told = runs(folder.path(), &with(&REPLAY, &with(&["AAA!*~B"], &crashes)), 0);
        assert!(told.contains("nothing wrong at the end of this schedule"), "{store}: {told}");
        assert!(told.contains("holds run out"), "{store}: {told}");
    }
}

#[test]
fn what_ends_holds_waits_for_a_buyer_that_has_locked_one() {
    let locks = r#"
[[step]]
sql = "INSERT INTO hold VALUES (:buyer, :buyer, 0)"
[[step]]
sql = "BEGIN"
[[step]]
sql = "UPDATE hold SET state = 2 WHERE product = :buyer AND state = 0"
sold_out_if = "rows = 0"
[[step]]
sql = "COMMIT"
"#;
    for store in databases().filter(|store| *store != Sqlite) {
        let never =
            "[audit.never]\n\"over and used\" = \"SELECT product FROM hold WHERE state > 2\"\n";
        let folder = shop(store, &[locks, EXPIRY, never]);
        let told = with(&REPLAY, &["AAA*~AB4", "--expiries", "1"]);
        let told = runs(folder.path(), &told, 0);
        assert!(told.contains("holds run out: UPDATE hold"), "{store}: {told}");
        // MariaDB does not say for whom.
        assert!(told.contains("… waits"), "{store}: {told}");
        assert!(told.contains("… goes on"), "{store}: {told}");
    }
}

#[test]
fn a_statement_that_ends_several_holds_begins_and_acts_like_any_other() {
    let all = "[expiry]\nsql = \"UPDATE hold SET state = 1 WHERE state = 0\"\n";
    for store in databases().filter(|store| *store != Sqlite) {
        let folder = shop(store, &[SAFE, all, SOLD_TWICE]);
        let told = with(&REPLAY, &["AA*~A*~", "--expiries", "1"]);
        let told = runs(folder.path(), &told, 0);
        assert!(told.contains("holds run out: begins: UPDATE hold"), "{store}: {told}");
        assert!(told.contains("holds run out: acts: UPDATE hold"), "{store}: {told}");
    }
}

/// What the reduced search finds and what the search of every schedule does, which is the same.
fn finds_what_every_schedule_shows(
    store: StoreKind,
    parts: &[&str],
    faults: (u8, u8),
    buyers: u32,
) {
    let folder = shop(store, parts);
    let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
    let mut settings = settings(&checkout, None);
    settings.buyers = buyers;
    (settings.faults.crashes, settings.faults.expiries) = faults;
    let (reduced, few) = search(&checkout, &settings, true, u32::MAX);
    let (whole, all) = search(&checkout, &settings, false, u32::MAX);
    let run = |report: &oversell_sim::Exploration| report.orders.as_ref().unwrap().run;
    assert!(whole.orders.as_ref().unwrap().complete, "{store}: {whole}");
    assert!(reduced.orders.as_ref().unwrap().complete, "{store}: {reduced}");
    assert_eq!(few, all, "{store} {faults:?}");
    assert!(run(&reduced) <= run(&whole), "{store}: {reduced} {whole}");
}

#[test]
fn the_reduced_search_finds_what_the_search_of_every_schedule_finds_with_expiries_too() {
    let (_, short) = SAFE.split_at(SAFE.rfind("[[step]]\nsql = \"INSERT INTO hold").unwrap());
    for store in databases() {
        finds_what_every_schedule_shows(store, &[short, EXPIRY, COUNTED], (0, 1), 2);
    }
    finds_what_every_schedule_shows(Sqlite, &[short, EXPIRY, COUNTED], (1, 1), 2);
}

#[test]
fn a_hold_that_runs_out_just_before_the_last_statement_of_all_is_not_left_out() {
    // The last statement has nothing to do with holds; behind it no hold runs out any more.
    let steps = r#"
[[step]]
sql = "INSERT INTO hold VALUES (:item, :buyer, 0)"
[[step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
"#;
    let rule = "[audit.never]\n\"ran out\" = \"SELECT product FROM hold WHERE state = 1\"\n";
    for store in databases() {
        finds_what_every_schedule_shows(store, &[steps, EXPIRY, rule], (0, 1), 1);
        let folder = shop(store, &[steps, EXPIRY, rule]);
        let told = with(&EXPLORE, &["--buyers", "1", "--expiries", "1"]);
        let told = runs(folder.path(), &told, 0);
        assert!(told.contains("'A*~A'"), "{store}: {told}");
    }
}

#[test]
fn keys_of_redis_with_a_time_to_live_run_out_at_an_expiry_and_others_do_not() {
    if !installed().contains(&Redis) {
        return;
    }
    let steps = r#"
setup = ["SET stock 1"]
[[step]]
redis = "SET hold:{item} {buyer} NX EX 600"
save = "held?"
sold_out_if = "held = null"
[[step]]
redis = "RPUSH orders {buyer}"
[[step]]
redis = "DECR stock"

[audit]
stock = "MGET stock"
orders = "LRANGE orders 0 -1"
"#;
    let folder = shop(Redis, &[steps]);
    runs(folder.path(), &with(&EXPLORE, &["--expect", "evidence = proved"]), 0);
    let told = runs(folder.path(), &with(&EXPLORE, &["--expiries", "1"]), 0);
    assert!(told.contains("2 units promised, 1 in stock"), "{told}");
    assert!(told.contains("holds run out: every key with a time to live expires → 1"), "{told}");
    let untimed = shop(Redis, &[&steps.replace(" EX 600", "")]);
    let told = runs(untimed.path(), &with(&EXPLORE, &["--expiries", "1"]), 2);
    let words =
        "--expiries: no step of checkout.toml gives a key a time to live, such as `SET … EX 600`";
    assert!(told.contains(words), "{told}");
}

#[test]
fn what_makes_no_sense_of_holds_is_told_with_its_place() {
    let folder = shop(Sqlite, &[NAIVE, COUNTED]);
    let told = runs(folder.path(), &with(&EXPLORE, &["--expiries", "1"]), 2);
    let words = "--expiries: checkout.toml does not say how holds run out; add a table [expiry]";
    assert!(told.contains(words), "{told}");
    for (expiry, words) in [
        ("[expiry]\nsql = \"UPDATE holds SET state = 1\"\n", "[expiry]: "),
        ("[expiry]\nsqll = \"SELECT 1\"\n", "unknown key `sqll`; did you mean `sql`?"),
        ("[expiry]\nredis = \"DEL hold\"\n", "`redis` means nothing to sqlite; write `sql`"),
        ("[expiry]\n", "[expiry] says nothing: it needs `sql`"),
        (
            "[expiry]\nsql = \"DELETE FROM hold WHERE buyer = :buyer\"\n",
            "[expiry]: it ends all holds, and has no values such as `buyer`",
        ),
    ] {
        let folder = shop(Sqlite, &[NAIVE, expiry, COUNTED]);
        let told = runs(folder.path(), &with(&EXPLORE, &["--expiries", "1"]), 2);
        assert!(told.contains("checkout.toml:") && told.contains(words), "{expiry}: {told}");
    }
    let evidence = {
        let folder = shop(Sqlite, &[SAFE, EXPIRY, SOLD_TWICE]);
        let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
        search(&checkout, &settings(&checkout, None), true, u32::MAX).0.evidence
    };
    assert_eq!(evidence, Evidence::Proved);
}
