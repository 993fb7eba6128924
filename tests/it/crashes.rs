//! Programs of buyers that die between two statements, at real servers: where the search lets them die, what the server
//! does then, and what the audit makes of it.

use std::fs;
use std::path::Path;

use oversell_sim::StoreKind::{self, Mysql, Postgres, Redis, Sqlite};
use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Evidence, FindingKind};

use crate::checkouts::{run, said, search, settings};
use crate::servers::installed;

const SCHEMA: &str = "CREATE TABLE product (id INT PRIMARY KEY, stock INT NOT NULL);
CREATE TABLE hold (buyer INT PRIMARY KEY, product INT NOT NULL, is_over INT NOT NULL);
CREATE TABLE payment (buyer INT PRIMARY KEY);
CREATE TABLE purchase (buyer INT NOT NULL, product INT NOT NULL);";
const SEED: &str = "INSERT INTO product VALUES (1, 1);";

/// Holds a unit, takes the money, and confirms in a transaction.
const HOLD: &str = r#"
[[role]]
name = "buyer"
[[role.step]]
sql = "BEGIN"
[[role.step]]
sql = "UPDATE product SET stock = stock - 1 WHERE id = :item AND stock > 0"
sold_out_if = "rows = 0"
[[role.step]]
sql = "INSERT INTO hold VALUES (:buyer, :item, 0)"
[[role.step]]
sql = "COMMIT"
[[role.step]]
sql = "INSERT INTO payment VALUES (:buyer)"
[[role.step]]
sql = "BEGIN"
[[role.step]]
sql = "DELETE FROM hold WHERE buyer = :buyer"
[[role.step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
[[role.step]]
sql = "COMMIT"
"#;

/// Sells a unit in one transaction: a program that dies in it has sold nothing.
const AT_ONCE: &str = r#"
[[step]]
sql = "BEGIN"
[[step]]
sql = "UPDATE product SET stock = stock - 1 WHERE id = :item AND stock > 0"
sold_out_if = "rows = 0"
[[step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
[[step]]
sql = "COMMIT"
"#;

const AUDIT: &str = r#"
[audit]
stock = "SELECT id, stock FROM product"
orders = "SELECT buyer, product FROM purchase"
"#;

/// A checkout of these steps in a folder of its own.
pub(crate) fn shop(store: StoreKind, rest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let head = match store {
        Redis => format!("store = \"{store}\"\n"),
        _ => format!("store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n"),
    };
    write("schema.sql", SCHEMA);
    write("seed.sql", SEED);
    write("checkout.toml", &(head + rest));
    folder
}

fn with_audit(steps: &str) -> String {
    steps.to_owned() + AUDIT
}

/// The databases that are here.
fn databases() -> impl Iterator<Item = StoreKind> {
    installed().into_iter().filter(|store| matches!(store, Sqlite | Postgres | Mysql))
}

/// What the command prints, which ends with this code.
pub(crate) fn runs(folder: &Path, args: &[&str], code: i32) -> String {
    let output = run(folder, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
    said(&output)
}

/// The schedule of the first finding, as the command that replays it has it.
pub(crate) fn schedule(told: &str) -> String {
    let (_, after) = told.split_once("--schedule ").unwrap_or_else(|| panic!("{told}"));
    let word = after.trim_start_matches('\'').split(['\'', ' ', '\n']).next();
    word.unwrap_or_default().to_owned()
}

const EXPLORE: [&str; 3] = ["explore", "--checkout", "checkout.toml"];

#[test]
fn a_hold_leaks_if_its_buyers_program_dies_before_it_confirms_and_not_otherwise() {
    for store in databases() {
        let folder = shop(store, &with_audit(HOLD));
        let proved = [&EXPLORE[..], &["--expect", "evidence = proved"]].concat();
        let told = runs(folder.path(), &proved, 0);
        assert!(told.contains("waits that run into a time-out, crashes, other"), "{told}");
        let told = runs(folder.path(), &[&EXPLORE[..], &["--crashes", "1"]].concat(), 0);
        assert!(told.contains("leaked stock by 1 unit"), "{store}: {told}");
        assert!(told.contains("its program dies"), "{store}: {told}");
        assert!(schedule(&told).contains("A!"), "{store}: {told}");
    }
}

#[test]
fn a_transaction_whose_program_dies_is_rolled_back_and_gives_back_its_locks() {
    for store in databases() {
        let folder = shop(store, &with_audit(AT_ONCE));
        let args = [&EXPLORE[..], &["--crashes", "2", "--expect", "evidence = proved"]].concat();
        let told = runs(folder.path(), &args, 0);
        let covered = "every statement order of 2 buyers, with up to 2 crashes:";
        assert!(told.contains(covered), "{store}: {told}");
        assert!(told.contains("more crashes, crashes of the server, other"), "{store}: {told}");
        assert!(!told.contains("resolved by the server"), "{store}: {told}");
    }
}

#[test]
fn a_buyer_that_waits_for_a_program_which_dies_goes_on() {
    for store in databases().filter(|store| *store != Sqlite) {
        let folder = shop(store, &with_audit(AT_ONCE));
        let replay = ["replay", "--checkout", "checkout.toml", "--crashes", "1", "--schedule"];
        // B waits for the row that A has changed, and gets the unit that A never bought.
        let told = runs(folder.path(), &[&replay[..], &["AABBA!BB"]].concat(), 0);
        // MariaDB does not say for whom.
        assert!(told.contains("… waits"), "{store}: {told}");
        assert!(told.contains("its program dies"), "{store}: {told}");
        assert!(told.contains("goes on → 1 row"), "{store}: {told}");
        assert!(told.contains("bought"), "{store}: {told}");
        assert!(told.contains("nothing wrong at the end of this schedule"), "{store}: {told}");
    }
}

#[test]
fn the_printed_schedule_of_a_crash_is_replayed_to_the_same_finding() {
    for store in databases() {
        let folder = shop(store, &with_audit(HOLD));
        let told = runs(folder.path(), &[&EXPLORE[..], &["--crashes", "1"]].concat(), 0);
        assert!(told.contains("--crashes 1"), "{told}");
        let schedule = schedule(&told);
        let replay = ["replay", "--checkout", "checkout.toml", "--crashes", "1", "--schedule"];
        let again = runs(folder.path(), &[&replay[..], &[schedule.as_str()]].concat(), 0);
        assert!(again.contains("leaked stock by 1 unit"), "{store}: {again}");
        assert!(again.contains("its program dies"), "{store}: {again}");
    }
}

#[test]
fn a_program_dies_only_between_its_statements_and_as_often_as_was_said() {
    let folder = shop(Sqlite, &with_audit(AT_ONCE));
    let replay = ["replay", "--checkout", "checkout.toml", "--schedule"];
    for (crashes, schedule, words) in [
        ("1", "A!", "step 1 is `A!`"),
        ("1", "AA!A", "step 3 is A's"),
        ("1", "AA!BB!", "step 4 is `B!`"),
        ("0", "AA!", "step 2 is `A!`"),
    ] {
        let args = [&replay[..], &[schedule, "--crashes", crashes]].concat();
        let told = runs(folder.path(), &args, 2);
        assert!(told.contains(words), "{schedule}: {told}");
    }
}

/// The settings of a checkout in which programs may die so often.
fn with_faults(checkout: &Checkout, crashes: u8) -> Settings {
    let mut settings = settings(checkout, None);
    settings.faults.crashes = crashes;
    settings
}

#[test]
fn the_reduced_search_finds_what_the_search_of_every_schedule_finds_with_crashes_too() {
    let short = AT_ONCE.replace("id = :item AND stock > 0", "id = :item");
    let held = r#"
[[step]]
sql = "UPDATE product SET stock = stock - 1 WHERE id = :item AND stock > 0"
sold_out_if = "rows = 0"
[[step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
"#;
    let naive = r#"
[[step]]
sql = "SELECT stock FROM product WHERE id = :item"
save = "stock"
sold_out_if = "stock < 1"
[[step]]
sql = "UPDATE product SET stock = :stock - 1 WHERE id = :item"
[[step]]
sql = "INSERT INTO purchase VALUES (:buyer, :item)"
"#;
    for store in databases() {
        for (alike, steps) in [("", short.as_str()), ("alike = true\n", held), ("", naive)] {
            let text = alike.to_owned() + &with_audit(steps);
            let folder = shop(store, &text);
            let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
            let settings = with_faults(&checkout, 1);
            let (reduced, few) = search(&checkout, &settings, true, u32::MAX);
            let (whole, all) = search(&checkout, &settings, false, u32::MAX);
            let run = |report: &oversell_sim::Exploration| report.orders.as_ref().unwrap().run;
            assert!(whole.orders.as_ref().unwrap().complete, "{store} {steps}: {whole}");
            assert!(reduced.orders.as_ref().unwrap().complete, "{store} {steps}: {reduced}");
            assert_eq!(few, all, "{store} {steps}");
            assert!(run(&reduced) < run(&whole), "{store} {steps}: {reduced} {whole}");
        }
    }
}

#[test]
fn orders_with_few_preemptions_and_random_ones_have_crashes_in_them_too() {
    let folder = shop(Sqlite, &with_audit(HOLD));
    for way in [&["--preemptions", "0"][..], &["--random", "--schedules", "200", "--seed", "1"]] {
        let args = [&EXPLORE[..], &["--crashes", "1"], way].concat();
        let told = runs(folder.path(), &args, 0);
        assert!(told.contains("its program dies"), "{way:?}: {told}");
    }
}

#[test]
fn in_redis_what_a_program_has_queued_when_it_dies_is_not_done() {
    if !installed().contains(&Redis) {
        return;
    }
    let steps = r#"
setup = ["SET stock 1"]
[[step]]
redis = "WATCH stock"
[[step]]
redis = "GET stock"
save = "stock"
sold_out_if = "stock < 1"
[[step]]
redis = "MULTI"
[[step]]
redis = "DECR stock"
[[step]]
redis = "RPUSH orders {buyer}"
[[step]]
redis = "EXEC"

[audit]
stock = "MGET stock"
orders = "LRANGE orders 0 -1"
"#;
    let folder = shop(Redis, steps);
    let proved = ["--crashes", "1", "--expect", "evidence = proved"];
    runs(folder.path(), &[&EXPLORE[..], &proved].concat(), 0);
}

#[test]
fn crashes_are_for_checkouts_whose_statements_are_sent_from_here() {
    let folder = shop(Sqlite, &with_audit(AT_ONCE));
    let told = runs(
        folder.path(),
        &["explore", "--strategy", "naive", "--store", "sqlite", "--crashes", "1"],
        2,
    );
    assert!(told.contains("--crashes: at a real server"), "{told}");
    let told = runs(folder.path(), &[&EXPLORE[..], &["--declines", "1"]].concat(), 2);
    assert!(told.contains("--declines means nothing to a checkout"), "{told}");
}

#[test]
fn a_job_that_exists_once_does_not_die() {
    let job = r#"
[[role]]
name = "job"
once = true
[[role.step]]
sql = "SELECT 1"
[[role.step]]
sql = "SELECT 2"
"#;
    let folder = shop(Sqlite, &with_audit(&(HOLD.to_owned() + job)));
    let replay = ["replay", "--checkout", "checkout.toml", "--crashes", "1", "--schedule", "BB!"];
    let told = runs(folder.path(), &replay, 2);
    assert!(told.contains("step 2 is `B!`"), "{told}");
}

#[test]
fn a_search_with_crashes_comes_to_the_same_on_several_copies_and_when_it_is_resumed() {
    let folder = shop(Sqlite, &with_audit(HOLD));
    let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
    let alone = search(&checkout, &with_faults(&checkout, 1), true, u32::MAX).0;
    assert_eq!(alone.evidence, Evidence::Broken, "{alone}");
    assert!(alone.amount_of(FindingKind::LeakedStock) > 0, "{alone}");
    let all = [&EXPLORE[..], &["--crashes", "1", "--find", "all", "--no-progress"]].concat();
    let without_times = |told: String| -> String {
        let lines = told.lines().filter(|line| !line.contains(" orders a second"));
        lines.map(|line| line.to_owned() + "\n").collect()
    };
    let one = without_times(runs(folder.path(), &all, 0));
    let two = without_times(runs(folder.path(), &[&all[..], &["--jobs", "2"]].concat(), 0));
    assert_eq!(one, two);
    let resumed = [&all[..], &["--resume", "orders"]].concat();
    let first = without_times(runs(folder.path(), &resumed, 0));
    let second = without_times(runs(folder.path(), &resumed, 0));
    assert_eq!(one, first);
    assert_eq!(first, second);
}
