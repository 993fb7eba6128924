//! Steps that the store refuses, after which a checkout goes on: get or create, with and without savepoints.

use std::collections::BTreeSet;
use std::fs;

use oversell_sim::FindingKind::BrokenRule;
use oversell_sim::Isolation::{self, ReadCommitted, RepeatableRead, Serializable};
use oversell_sim::StoreKind::{self, Mysql, Postgres, Sqlite};
use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::explore::OrderOutcome;
use oversell_sim::{Evidence, Exploration};

use crate::checkouts::{run, said, search, settings};
use crate::listed::has;

/// The most orders of a search.
const MOST_ORDERS: u32 = 20_000;

/// What a file says, beside its store.
struct Shop {
    schema: &'static str,
    seed: &'static str,
    rest: String,
}

impl Shop {
    fn write(&self, store: StoreKind) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("schema.sql", self.schema);
        write("seed.sql", self.seed);
        let head = format!("store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n");
        write("checkout.toml", &(head + &self.rest));
        folder
    }

    /// What a search says at this level, and how its orders end; one that leaves nothing out, if it is not reduced.
    fn search(
        &self,
        store: StoreKind,
        isolation: Isolation,
        reduced: bool,
    ) -> (Exploration, BTreeSet<OrderOutcome>) {
        let folder = self.write(store);
        let checkout = Checkout::read(&folder.path().join("checkout.toml")).unwrap();
        search(&checkout, &settings(&checkout, Some(isolation)), reduced, MOST_ORDERS)
    }

    fn is_broken(&self, store: StoreKind, isolation: Isolation) -> bool {
        let (report, _) = self.search(store, isolation, true);
        let found = report.findings.first().map(|told| told.finding.kind);
        match report.evidence {
            Evidence::Proved => false,
            _ => {
                assert_eq!(found, Some(BrokenRule), "{store}, {isolation}: {report}");
                true
            }
        }
    }
}

/// Steps, each a statement and what else is said of it, as a role does them or every buyer.
fn steps(table: &str, steps: &[(&str, &str)]) -> String {
    let step = |(sql, beside): &(&str, &str)| format!("[[{table}]]\nsql = \"{sql}\"\n{beside}\n");
    steps.iter().map(step).collect()
}

const ACCOUNTS: &str = "CREATE TABLE account (owner INT PRIMARY KEY, opened_by INT NOT NULL);
CREATE TABLE purchase (buyer INT NOT NULL, account INT);";
const NO_ACCOUNT: &str = "DELETE FROM purchase; DELETE FROM account;";
const CREATE: &str = "INSERT INTO account VALUES (7, :buyer)";
const GET: &str = "SELECT opened_by FROM account WHERE owner = 7";
const BUY: &str = "INSERT INTO purchase VALUES (:buyer, :opened_by)";
const RULE: &str = "[audit.never]\n\"no account\" = \"SELECT buyer FROM purchase WHERE account IS NULL\"\n\
    \"no purchase\" = \"SELECT COUNT(*) FROM purchase HAVING COUNT(*) < 1\"\n";

fn accounts(said: &[(&str, &str)]) -> Shop {
    let rest = format!("retries = 3\n{}{RULE}", steps("step", said));
    Shop { schema: ACCOUNTS, seed: NO_ACCOUNT, rest }
}

#[test]
fn what_is_refused_as_a_second_one_is_read_instead() {
    let shop = accounts(&[
        (CREATE, "if_refused = \"go_on\""),
        (GET, "when = \"refused\"\nsave = \"opened_by?\""),
        (BUY, "when = \"refused\""),
        ("INSERT INTO purchase VALUES (:buyer, :buyer)", "when = \"not refused\""),
    ]);
    for store in [Postgres, Mysql, Sqlite].into_iter().filter(|store| has(*store)) {
        assert!(!shop.is_broken(store, ReadCommitted), "{store}");
    }
}

/// Gets or creates an account in a transaction, after these steps.
fn in_a_transaction(before: &[(&'static str, &'static str)]) -> Shop {
    let within = [
        ("SAVEPOINT s", ""),
        (CREATE, "if_refused = \"go_on\""),
        ("ROLLBACK TO SAVEPOINT s", "when = \"refused\""),
        (GET, "save = \"opened_by?\""),
        (BUY, ""),
        ("COMMIT", ""),
    ];
    accounts(&[&[("BEGIN", "")], before, &within[..]].concat())
}

#[test]
fn within_a_transaction_the_snapshot_decides_whether_the_other_one_is_found() {
    let shop = in_a_transaction(&[]);
    let has_looked = in_a_transaction(&[("SELECT COUNT(*) FROM account", "")]);
    if has(Postgres) {
        assert!(!shop.is_broken(Postgres, ReadCommitted));
        assert!(shop.is_broken(Postgres, RepeatableRead), "the INSERT has taken the snapshot");
        assert!(has_looked.is_broken(Postgres, RepeatableRead));
    }
    if has(Mysql) {
        assert!(!shop.is_broken(Mysql, RepeatableRead), "an INSERT takes no snapshot there");
        assert!(!has_looked.is_broken(Mysql, ReadCommitted));
        assert!(has_looked.is_broken(Mysql, RepeatableRead));
    }
    if has(Sqlite) {
        assert!(!has_looked.is_broken(Sqlite, Serializable), "there is one writer");
    }
}

/// PostgreSQL answers every statement after one that it has refused with an error, and a COMMIT with a rollback.
#[test]
fn in_postgres_nothing_is_bought_in_a_transaction_that_an_error_has_aborted() {
    if !has(Postgres) {
        return;
    }
    let buys = |steps: &[(&str, &str)]| accounts(&[&[("BEGIN", "")], steps].concat());
    let goes_on =
        [(CREATE, "if_refused = \"go_on\""), (BUY, "when = \"not refused\""), ("COMMIT", "")];
    let rule = "\"one\" = \"SELECT 1 WHERE (SELECT COUNT(*) FROM purchase) <> 2\"\n";
    let mut shop = buys(&goes_on);
    // Who opened the account is not checked: the second buyer is told that it has bought.
    shop.rest = shop.rest.replace(":opened_by", ":buyer") + rule;
    assert!(shop.is_broken(Postgres, ReadCommitted));
}

const ROWS: &str = "CREATE TABLE x (id INT PRIMARY KEY, v INT NOT NULL); CREATE TABLE y (id INT PRIMARY KEY, v INT NOT NULL);
CREATE TABLE seen (who INT PRIMARY KEY, x INT, y INT);";
const ZEROES: &str = "DELETE FROM seen; DELETE FROM x; DELETE FROM y; INSERT INTO x VALUES (1, 0); INSERT INTO y VALUES (1, 0);";
const X: &str = "UPDATE x SET v = v + 1 WHERE id = 1";
const Y: &str = "UPDATE y SET v = v + 1 WHERE id = 1";
const REFUSED: (&str, &str) = ("INSERT INTO x VALUES (1, 5)", "if_refused = \"go_on\"");
const BACK: (&str, &str) = ("ROLLBACK TO s", "");

/// Two roles: the first observes what the second does.
fn beside(first: &[(&str, &str)], second: &[(&str, &str)]) -> Shop {
    let role = |name: &str, said: &[(&str, &str)]| {
        format!("[[role]]\nname = \"{name}\"\n{}", steps("role.step", said))
    };
    let rest = format!(
        "retries = 0\n{}{}[audit.never]\n\"x behind y\" = \"SELECT 1 FROM seen WHERE x < y\"\n",
        role("first", first),
        role("second", second)
    );
    Shop { schema: ROWS, seed: ZEROES, rest }
}

/// What is done in a transaction that goes back to a savepoint.
fn with_savepoints() -> [Vec<(&'static str, &'static str)>; 6] {
    let plain = |text: &'static str| (text, "");
    let (begin, set, commit) = (plain("BEGIN"), plain("SAVEPOINT s"), plain("COMMIT"));
    [
        vec![begin, plain(X), set, plain(Y), BACK, commit],
        vec![begin, set, plain(Y), BACK, plain(X), commit],
        vec![begin, set, plain(Y), REFUSED, BACK, plain(X), commit],
        vec![begin, plain(X), set, plain(Y), REFUSED, BACK, commit],
        vec![begin, set, plain(Y), plain("RELEASE SAVEPOINT s"), plain(X), commit],
        vec![begin, set, plain(X), plain("SAVEPOINT t"), plain(Y), BACK, plain(X), commit],
    ]
}

/// What another session observes meanwhile, such that its visit ends in another way for each: whether a lock is free, and
/// then again; what is committed of one row, and then of another. The last one observes nothing, and may be deadlocked.
fn observers() -> [Vec<(&'static str, &'static str)>; 3] {
    let found = "sold_out_if = \"a = 0 and b = 0\"\nfailed_if = \"a < b\"\nconflict_if = \"a > b\"";
    let free = "sold_out_if = \"a = null and b = null\"\nfailed_if = \"a = null\"\nconflict_if = \"b = null\"";
    let [a, b] = ["save = \"a\"", "save = \"b\""];
    let [tries_a, tries_b] =
        ["if_refused = \"go_on\"\nsave = \"a\"", "if_refused = \"go_on\"\nsave = \"b\""];
    [
        vec![
            ("SELECT v AS a FROM y WHERE id = 1 FOR UPDATE NOWAIT", tries_a),
            ("SELECT v AS b FROM y WHERE id = 1 FOR UPDATE NOWAIT", tries_b),
            ("SELECT 1 AS one", free),
        ],
        vec![
            ("SELECT v AS a FROM x WHERE id = 1", a),
            ("SELECT v AS b FROM y WHERE id = 1", b),
            ("SELECT 1 AS one", found),
        ],
        vec![("BEGIN", ""), (Y, ""), (X, ""), ("COMMIT", "")],
    ]
}

#[test]
fn beside_savepoints_what_a_search_leaves_out_ends_in_no_other_way() {
    for (store, level, observer, seconds) in [
        (Postgres, ReadCommitted, 0, &[1, 2, 3][..]),
        (Postgres, ReadCommitted, 1, &[0, 4]),
        (Postgres, ReadCommitted, 2, &[0]),
        (Postgres, Serializable, 1, &[0, 3]),
        (Mysql, RepeatableRead, 0, &[1, 3]),
        (Sqlite, Serializable, 1, &[0, 1, 2, 3, 4, 5]),
    ] {
        if !has(store) {
            continue;
        }
        let first = &observers()[observer];
        for second in seconds.iter().map(|number| with_savepoints()[*number].clone()) {
            let shop = beside(first, &second);
            let what = format!("{store}, {level}: {first:?} beside {second:?}");
            let (slow, all) = shop.search(store, level, false);
            let (fast, some) = shop.search(store, level, true);
            assert_eq!(some, all, "{what}");
            // Where a lock is only tried, a search does not claim to be complete, though it runs every order.
            let runs = |report: &Exploration| report.orders.as_ref().unwrap().run;
            assert!(runs(&slow) < MOST_ORDERS.into(), "{what}");
            assert!(runs(&fast) <= runs(&slow), "{what}");
        }
    }
}

/// In SQLite a savepoint is a transaction of its own.
#[test]
fn in_sqlite_a_savepoint_outside_a_transaction_is_one() {
    let second = [("SAVEPOINT s", ""), (X, ""), (Y, ""), ("RELEASE s", "")];
    let shop = beside(&observers()[1], &second);
    let (slow, all) = shop.search(Sqlite, Serializable, false);
    let (fast, some) = shop.search(Sqlite, Serializable, true);
    assert!(slow.orders.as_ref().unwrap().complete && fast.orders.as_ref().unwrap().complete);
    assert_eq!(some, all);
    assert_eq!(all.len(), 3, "both, none, or the second one: {all:?}");
}

/// A constraint of SQLite may roll back the whole transaction: what follows is outside of it.
#[test]
fn in_sqlite_what_follows_a_transaction_that_a_constraint_has_ended_is_committed_at_once() {
    let second = [
        ("BEGIN", ""),
        (X, ""),
        ("INSERT OR ROLLBACK INTO y VALUES (1, 5)", "if_refused = \"go_on\""),
        (Y, ""),
        (X, ""),
    ];
    let shop = beside(&[("INSERT INTO seen SELECT 1, x.v, y.v FROM x, y", "")], &second);
    let (_, all) = shop.search(Sqlite, Serializable, false);
    let (fast, some) = shop.search(Sqlite, Serializable, true);
    assert_eq!(some, all);
    assert_eq!(fast.findings[0].finding.kind, BrokenRule, "y was written before x: {fast}");
}

#[test]
fn where_no_refusal_can_be_gone_on_after_the_file_is_told_so() {
    let shop = accounts(&[(GET, "when = \"refused\""), (CREATE, "if_refused = \"go_on\"")]);
    let folder = shop.write(Sqlite);
    let told = run(folder.path(), &["check", "--checkout", "checkout.toml"]);
    assert_eq!(told.status.code(), Some(2), "{}", said(&told));
    let why =
        "checkout.toml:7:8: `when`: `refused` is known after a step with `if_refused = \"go_on\"`";
    assert!(said(&told).contains(why), "{}", said(&told));
    let redis = "store = \"redis\"\n[[step]]\nredis = \"INCR a\"\nif_refused = \"go_on\"\n[audit.never]\nx = \"KEYS b\"\n";
    fs::write(folder.path().join("redis.toml"), redis).unwrap();
    let told = run(folder.path(), &["check", "--checkout", "redis.toml"]);
    assert!(
        said(&told).contains("`if_refused`: go_on works only in SQL, and this file is for redis"),
        "{}",
        said(&told)
    );
}
