//! Failures and deadlocks are figures, each with a shortest schedule; and where nothing could go wrong, that is said.

use oversell_sim::StoreKind;

use crate::bearing::{folder_of, ran};
use crate::listed::has;
use crate::servers::installed;

/// Two tables, of which the second refers to the first.
const SCHEMA: &str = "CREATE TABLE pool (id int PRIMARY KEY, free int NOT NULL);
CREATE TABLE claim (id int PRIMARY KEY, pool int NOT NULL REFERENCES pool (id));
";

/// A claim takes a lock on the pool's key, which this lock then has to be stronger than.
fn claims(lock: &str) -> String {
    format!(
        "store = \"postgres\"
schema = \"schema.sql\"
seed = \"seed.sql\"
retries = 0

[[step]]
sql = \"BEGIN\"

[[step]]
sql = \"INSERT INTO claim VALUES (:buyer, 1)\"

[[step]]
sql = \"SELECT 1 FROM pool WHERE id = 1 {lock}\"

[[step]]
sql = \"UPDATE pool SET free = free - 1 WHERE id = 1 AND free > 0\"
sold_out_if = \"rows = 0\"

[[step]]
sql = \"COMMIT\"

[audit.never]
\"less than none\" = \"SELECT 1 FROM pool WHERE free < 0\"
"
    )
}

#[test]
fn a_deadlock_that_the_server_breaks_is_counted_and_shown_though_all_is_proved() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let here = folder_of(&[
        ("schema.sql", SCHEMA),
        ("seed.sql", "INSERT INTO pool VALUES (1, 1);"),
        ("update.toml", &claims("FOR UPDATE")),
        ("no-key.toml", &claims("FOR NO KEY UPDATE")),
    ]);
    let explore = |file, more: &[&str]| {
        ran(here.path(), &[&["explore", "--checkout", file][..], more].concat())
    };
    let (code, said) = explore("update.toml", &["--expect", "resolved_deadlocks > 0"]);
    assert_eq!(code, 0, "{said}");
    for words in ["PROVED", "resolved by the server in", "→ deadlock", "again"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let again = said.lines().find_map(|line| line.split_once("--schedule ")).unwrap().1;
    let replay = ["replay", "--checkout", "update.toml", "--schedule", again];
    let (code, said) =
        ran(here.path(), &[&replay[..], &["--expect", "resolved_deadlocks = 1"]].concat());
    assert_eq!(code, 0, "{said}");
    let (code, said) = explore("update.toml", &["--expect", "resolved_deadlocks = 0"]);
    assert_eq!(code, 1, "{said}");
    let (code, said) =
        explore("no-key.toml", &["--expect", "resolved_deadlocks = 0", "--expect", "failed = 0"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("deadlock"), "{said}");

    let race = ["race", "--checkout", "update.toml", "--buyers", "4", "--rounds", "2", "-q"];
    let (code, said) =
        ran(here.path(), &[&race[..], &["--expect", "total.resolved_deadlocks > 0"]].concat());
    assert_eq!(code, 0, "{said}");
}

/// Two seats by one statement, in one order for the first buyer and in the other for the second.
const PAIR: &str = "store = \"postgres\"
schema = \"schema.sql\"
seed = \"seed.sql\"
retries = 0

[[step]]
sql = \"INSERT INTO seat SELECT n, :buyer FROM (VALUES (1), (2)) AS pair (n) ORDER BY n * (3 - 2 * :buyer)\"
if_refused = \"sold_out\"

[audit.never]
\"a lone seat\" = \"SELECT 1 FROM seat HAVING count(*) = 1\"
";

#[test]
fn each_row_of_a_statement_is_a_step_so_that_a_deadlock_inside_two_statements_is_found() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let here = folder_of(&[
        ("schema.sql", "CREATE TABLE seat (id int PRIMARY KEY, guest int NOT NULL);"),
        ("seed.sql", "DELETE FROM seat;"),
        ("pair.toml", PAIR),
        ("sorted.toml", &PAIR.replace("n * (3 - 2 * :buyer)", "n")),
    ]);
    let explore = |file, more: &[&str]| {
        ran(here.path(), &[&["explore", "--checkout", file][..], more].concat())
    };
    let (code, said) = explore("pair.toml", &["--expect", "resolved_deadlocks > 0"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("PROVED"), "{said}");
    let again = said.lines().find_map(|line| line.split_once("--schedule ")).unwrap().1;
    let replay = ["replay", "--checkout", "pair.toml", "--schedule", again];
    let (code, said) =
        ran(here.path(), &[&replay[..], &["--expect", "resolved_deadlocks = 1"]].concat());
    assert_eq!(code, 0, "{said}");
    // A buyer begins, comes to each of two rows, and ends: two of four steps are (8 choose 4) orders.
    let (_, said) = explore("pair.toml", &["--no-reduce"]);
    assert!(said.contains("70 orders, one by one"), "{said}");
    let (code, said) = explore("sorted.toml", &["--expect", "resolved_deadlocks = 0"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_deadlock_and_a_serialization_failure_are_told_apart() {
    let here = folder_of(&[]);
    let carts = ["--buyers", "2", "--items", "2", "--cart", "2"];
    for store in installed() {
        if !matches!(store, StoreKind::Postgres | StoreKind::Mysql) {
            continue;
        }
        let run = |strategy, more: &[&str]| {
            let args = ["explore", "-S", strategy, "--store", store.name()];
            ran(here.path(), &[&args[..], more].concat())
        };
        // It takes the locks of its cart in whatever order the cart has.
        let more = [&carts[..], &["--expect", "resolved_deadlocks > 0"]].concat();
        let (code, said) = run("cart-order", &more);
        assert_eq!(code, 0, "{store}: {said}");
        let level = ["--isolation", "serializable", "--expect", "resolved_deadlocks = 0"];
        let (code, said) = run("transaction", &level);
        // InnoDB locks what is read at this level, and so deadlocks where PostgreSQL has conflicts.
        assert_eq!(code == 0, store == StoreKind::Postgres, "{store}: {said}");
    }
}

/// A described checkout of SQLite with these steps, in a folder.
fn shop(stock: u32, steps: &str) -> tempfile::TempDir {
    let checkout = format!(
        "store = \"sqlite\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n{steps}\n\
         [audit]\nstock = \"SELECT id, stock FROM product\"\n\
         orders = \"SELECT buyer, 1, 1 FROM purchase\"\n"
    );
    folder_of(&[
        (
            "schema.sql",
            "CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
             CREATE TABLE purchase (buyer int NOT NULL);",
        ),
        ("seed.sql", &format!("INSERT INTO product VALUES (1, {stock});")),
        ("checkout.toml", &checkout),
    ])
}

const TAKE: &str = "[[step]]\nsql = \"UPDATE product SET stock = stock - 1 WHERE stock > 0\"\n";

const ORDER: &str = "[[step]]\nsql = \"INSERT INTO purchase VALUES (:buyer)\"\n";

fn explored(stock: u32, steps: &str, more: &[&str]) -> (i32, String) {
    let folder = shop(stock, steps);
    ran(folder.path(), &[&["explore", "--checkout", "checkout.toml"][..], more].concat())
}

#[test]
fn an_order_in_which_a_checkout_fails_is_counted_and_shown() {
    // The one who looks while the other has the unit is not told "sold out", but fails.
    let steps = format!(
        "[[step]]\nsql = \"SELECT stock FROM product\"\nsave = \"stock\"\n\
                         sold_out_if = \"stock < 1\"\n{TAKE}failed_if = \"rows = 0\"\n{ORDER}"
    );
    let (code, said) = explored(1, &steps, &["--expect", "failed > 0"]);
    assert_eq!(code, 0, "{said}");
    for words in ["PROVED", "a buyer's checkout in", "condition of the checkout", "again"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (code, said) = explored(1, &steps, &["--expect", "failed = 0"]);
    assert_eq!(code, 1, "{said}");
    let (_, json) = explored(1, &steps, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["incidents"][0]["kind"], "failed", "{json}");
    assert!(json["failed"].as_u64() > Some(0), "{json}");
}

#[test]
fn a_search_in_which_a_checkout_failed_in_every_order_proves_nothing() {
    let steps = format!("{TAKE}failed_if = \"rows = 0\"\n{ORDER}");
    let (code, said) = explored(1, &steps, &["--expect", "oversold = 0"]);
    assert!(code == 1 && said.contains("PROVES NOTHING"), "{said}");
    assert!(said.contains("failed in every order"), "{said}");
    let (code, said) = explored(1, &steps, &["--expect", "failed > 0"]);
    assert_eq!(code, 0, "{said}");
    let sold_out = format!("{TAKE}sold_out_if = \"rows = 0\"\n{ORDER}");
    let (code, said) = explored(1, &sold_out, &["--expect", "oversold = 0"]);
    assert!(code == 0 && said.contains("PROVED"), "{said}");
}

#[test]
fn where_there_is_nothing_to_sell_or_one_buyer_only_nothing_is_proved() {
    let steps = format!("{TAKE}sold_out_if = \"rows = 0\"\n{ORDER}");
    let (code, said) = explored(0, &steps, &["--expect", "oversold = 0"]);
    assert!(code == 1 && said.contains("PROVES NOTHING"), "{said}");
    assert!(said.contains("nothing to sell"), "{said}");
    let (code, said) = explored(1, &steps, &["--buyers", "1", "--expect", "oversold = 0"]);
    assert!(code == 1 && said.contains("one buyer meets no other"), "{said}");
}

#[test]
fn where_chance_decides_nothing_is_proved_and_the_statement_is_named() {
    let chance = "[[step]]\nsql = \"SELECT random() AS roll\"\nsave = \"roll\"\n\
                  sold_out_if = \"roll = 0\"\n";
    let steps = format!("{chance}{TAKE}sold_out_if = \"rows = 0\"\n{ORDER}");
    let (code, said) = explored(1, &steps, &["--expect", "oversold = 0"]);
    assert!(code == 1 && !said.contains("PROVED"), "{said}");
    assert!(said.contains("chance decides in `SELECT random() AS roll`"), "{said}");
}

#[test]
fn transactions_of_sqlite_are_called_serializable() {
    let here = folder_of(&[]);
    let args = ["explore", "-S", "transaction", "--store", "sqlite"];
    let (_, said) = ran(here.path(), &args);
    assert!(said.contains("SQLite") && said.contains(", serializable"), "{said}");
    let (_, json) = ran(here.path(), &[&args[..], &["--format", "json"]].concat());
    assert!(json.contains("\"isolation\": \"serializable\""), "{json}");
}
