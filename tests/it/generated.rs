//! Values that a server generates, and others that stand in a checkout's file and in what the audit is told.

use std::fs;
use std::path::Path;

use oversell_sim::{Evidence, StoreKind};

use crate::checkouts::{explore, run, said};
use crate::listed::has;
use crate::servers::installed;

/// A checkout in a folder of its own, with its tables.
fn shop(schema: &str, checkout: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schema.sql"), schema).unwrap();
    fs::write(folder.path().join("seed.sql"), "SELECT 1;").unwrap();
    fs::write(folder.path().join("checkout.toml"), checkout).unwrap();
    folder
}

/// A checkout of these steps, of which every one is to be true of every row in the end.
fn paid(store: StoreKind, steps: &[(&str, &str)]) -> String {
    let mut text = format!("store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n");
    for (sql, more) in steps {
        text += &format!("[[step]]\nsql = \"{sql}\"\n{more}\n");
    }
    text + "[audit.never]\n\"unpaid\" = \"SELECT id FROM orders WHERE NOT paid\"\n"
}

/// A store, what the column is, and the steps.
type Way = (StoreKind, &'static str, Vec<(&'static str, &'static str)>);

/// Ways to get a generated value, and to send it again.
fn generated() -> Vec<Way> {
    use StoreKind::{Mysql, Postgres, Sqlite};
    let returned = ("INSERT INTO orders (buyer) VALUES (:buyer) RETURNING id", "save = \"id\"");
    let pay = ("UPDATE orders SET paid = true WHERE id = :id", "");
    vec![
        (Postgres, "id UUID PRIMARY KEY DEFAULT gen_random_uuid()", vec![returned, pay]),
        (Postgres, "id SERIAL PRIMARY KEY", vec![returned, pay]),
        (
            Postgres,
            "id INT GENERATED ALWAYS AS IDENTITY",
            vec![("BEGIN", ""), returned, pay, ("COMMIT", "")],
        ),
        (
            Postgres,
            "id BIGSERIAL PRIMARY KEY",
            vec![
                ("SELECT nextval('orders_id_seq') AS number", "save = \"number\""),
                ("INSERT INTO orders (id, buyer) VALUES (:number, :buyer)", ""),
                ("UPDATE orders SET paid = true WHERE id = :number", ""),
            ],
        ),
        (
            Postgres,
            "id UUID PRIMARY KEY, at TIMESTAMPTZ",
            vec![
                ("SELECT gen_random_uuid() AS id, now() AS at", "save = [\"id\", \"at\"]"),
                ("INSERT INTO orders (id, at, buyer) VALUES (:id, :at, :buyer)", ""),
                ("UPDATE orders SET paid = true WHERE id = :id AND at = :at", ""),
            ],
        ),
        (Mysql, "id INT AUTO_INCREMENT PRIMARY KEY", vec![returned, pay]),
        (
            Mysql,
            "id INT AUTO_INCREMENT PRIMARY KEY",
            vec![
                ("INSERT INTO orders (buyer) VALUES (:buyer)", ""),
                ("SELECT LAST_INSERT_ID() AS id", "save = \"id\""),
                pay,
            ],
        ),
        (Mysql, "id CHAR(36) PRIMARY KEY DEFAULT (UUID())", vec![returned, pay]),
        (Sqlite, "id INTEGER PRIMARY KEY AUTOINCREMENT", vec![returned, pay]),
        (Sqlite, "id TEXT DEFAULT (lower(hex(randomblob(16))))", vec![returned, pay]),
    ]
}

#[test]
fn a_generated_value_that_is_saved_and_sent_again_keeps_no_checkout_from_a_proof() {
    for (store, column, steps) in generated().into_iter().filter(|(store, ..)| has(*store)) {
        let schema =
            format!("CREATE TABLE orders ({column}, buyer INT, paid BOOLEAN DEFAULT false);");
        let folder = shop(&schema, &paid(store, &steps));
        let report = explore(&folder.path().join("checkout.toml"), None);
        assert_eq!(report.evidence, Evidence::Proved, "{store}, {column}: {report}");
        let orders = report.orders.as_ref().unwrap();
        assert!(orders.run > 1 && orders.diverged == 0, "{store}, {column}: {report}");
    }
}

#[test]
fn a_checkout_with_generated_values_that_is_broken_is_found_broken() {
    for (store, column, steps) in generated().into_iter().filter(|(store, ..)| has(*store)) {
        let schema =
            format!("CREATE TABLE orders ({column}, buyer INT, paid BOOLEAN DEFAULT false);");
        // One order in all is what is wanted, and nothing sees to it.
        let look =
            ("SELECT count(*) AS sold FROM orders", "save = \"sold\"\nsold_out_if = \"sold > 0\"");
        let steps = [&[look][..], &steps].concat();
        let rule = "\"two\" = \"SELECT count(*) FROM orders HAVING count(*) > 1\"\n";
        let folder = shop(&schema, &(paid(store, &steps) + rule));
        let report = explore(&folder.path().join("checkout.toml"), None);
        assert_eq!(report.evidence, Evidence::Broken, "{store}, {column}: {report}");
        assert_eq!(report.orders.as_ref().unwrap().diverged, 0, "{store}, {column}: {report}");
    }
}

/// A number that is rolled, and decides how the shop goes on, is no name of anything.
#[test]
fn a_rolled_number_that_decides_something_is_never_proved() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let schema = "CREATE TABLE orders (id INT, buyer INT, paid BOOLEAN DEFAULT true);";
    for (sends, conditions) in [
        ("UPDATE orders SET id = id + :n", ""),
        ("UPDATE orders SET id = :n WHERE buyer = :buyer", ""),
        ("UPDATE orders SET paid = true WHERE id = :n", "when = \"n > 500000\""),
    ] {
        let roll = ("SELECT (random() * 1000000)::int AS n", "save = \"n\"");
        let steps = [roll, (sends, conditions), ("UPDATE orders SET buyer = 1", "")];
        let folder = shop(schema, &paid(StoreKind::Postgres, &steps));
        let report = explore(&folder.path().join("checkout.toml"), None);
        assert_ne!(report.evidence, Evidence::Proved, "{sends}: {report}");
    }
}

/// A key of which only a part is looked at may decide: who is given one that begins so wins.
#[test]
fn a_generated_key_that_a_function_looks_into_is_never_proved() {
    let steps = [
        ("INSERT INTO orders (buyer) VALUES (:buyer) RETURNING id", "save = \"id\""),
        ("UPDATE orders SET paid = substr(:id, 1, 3) != '000' WHERE id = :id", ""),
    ];
    let schema = "CREATE TABLE orders (id TEXT DEFAULT (lower(hex(randomblob(16)))), buyer INT, paid BOOLEAN);";
    let folder = shop(schema, &paid(StoreKind::Sqlite, &steps));
    let report = explore(&folder.path().join("checkout.toml"), None);
    assert_ne!(report.evidence, Evidence::Proved, "{report}");
    let few = ["explore", "--checkout", "checkout.toml", "--preemptions", "9"];
    let few = run(folder.path(), &few);
    assert!(!String::from_utf8_lossy(&few.stdout).contains("PROVED"), "{few:?}");
}

#[test]
fn random_orders_where_chance_decides_promise_nothing_of_what_they_did_not_show() {
    let steps = |paid| {
        [("INSERT INTO orders (buyer) VALUES (:buyer) RETURNING id", "save = \"id\""), (paid, "")]
    };
    let schema = "CREATE TABLE orders (id TEXT DEFAULT (lower(hex(randomblob(16)))), buyer INT, paid BOOLEAN);";
    for (pays, decides) in [
        ("UPDATE orders SET paid = true WHERE id = :id", false),
        ("UPDATE orders SET paid = substr(:id, 1, 3) != '000' WHERE id = :id", true),
    ] {
        let folder = shop(schema, &paid(StoreKind::Sqlite, &steps(pays)));
        for method in ["--random=pct", "--random=plain"] {
            let args = ["explore", "--checkout", "checkout.toml", method, "--schedules", "40"];
            let more = ["--seed", "1", "--expect", "broken_rule = 0", "--format", "json"];
            let output = run(folder.path(), &[&args[..], &more].concat());
            let told = String::from_utf8(output.stdout).unwrap();
            let has_chance = !told.contains("\"chance\": null");
            assert_eq!(has_chance, method == "--random=pct" && !decides, "{told}");
            assert_eq!(output.status.code(), Some(i32::from(decides)), "{told}");
        }
        // One order repeats the beginnings of the orders that show how long an order is.
        let args = ["explore", "--checkout", "checkout.toml", "--random=pct", "--schedules", "1"];
        let output =
            run(folder.path(), &[&args[..], &["--seed", "1", "--format", "json"]].concat());
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told.contains("\"chance\": null"), decides, "{told}");
    }
}

#[test]
fn two_equal_searches_say_the_same_of_a_broken_rule_with_generated_values_in_its_rows() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let schema = "CREATE TABLE orders (id UUID DEFAULT gen_random_uuid(), buyer INT, at TIMESTAMPTZ DEFAULT now());";
    let steps = [
        ("INSERT INTO orders (buyer) VALUES (:buyer) RETURNING id", "save = \"id\""),
        ("SELECT 1 FROM orders WHERE id = :id", ""),
    ];
    let rule = "\"two\" = \"SELECT *, random() FROM orders WHERE (SELECT count(*) FROM orders) > 1 ORDER BY buyer\"\n";
    let text =
        paid(StoreKind::Postgres, &steps).split("\"unpaid\"").next().unwrap().to_owned() + rule;
    let folder = shop(schema, &text);
    for format in ["table", "json"] {
        let told = || {
            let args =
                ["explore", "--checkout", "checkout.toml", "--seed", "1", "--format", format];
            let output = run(folder.path(), &args);
            let lines = String::from_utf8(output.stdout).unwrap();
            // Only how long it took is another each time.
            lines
                .lines()
                .filter(|line| {
                    !line.contains(" ms") && !line.contains(" s ") && !line.contains("_ns")
                })
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let first = told();
        assert!(first.iter().any(|line| line.contains("two: …")), "{first:#?}");
        assert_eq!(first, told());
    }
}

#[test]
fn a_rule_whose_rows_are_all_null_is_broken() {
    for store in installed().into_iter().filter(|store| store.is_sql()) {
        let folder = shop(
            "CREATE TABLE purchase (buyer INTEGER, coupon TEXT);",
            &format!(
                "store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n\
                 [[step]]\nsql = \"INSERT INTO purchase (buyer) VALUES (:buyer)\"\n\
                 [audit.never]\n\"no coupon\" = \"SELECT coupon FROM purchase\"\n"
            ),
        );
        let report = explore(&folder.path().join("checkout.toml"), None);
        assert_eq!(report.evidence, Evidence::Broken, "{store}: {report}");
    }
}

#[test]
fn keys_that_are_texts_are_told_apart_as_texts() {
    for store in installed().into_iter().filter(|store| store.is_sql()) {
        for (key, others) in [
            ("001", ["1", "01"]),
            ("1e2", ["100", "1E2x"]),
            ("9007199254740993", ["9007199254740992", "9007199254740994"]),
        ] {
            let folder = shop(
                "CREATE TABLE product (code VARCHAR(30) PRIMARY KEY, stock INT); CREATE TABLE purchase (buyer INT, code VARCHAR(30), qty INT);",
                &format!(
                    "store = \"{store}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n\
                     [[step]]\nsql = \"UPDATE product SET stock = stock - 1 WHERE code = :item AND stock > 0\"\nsold_out_if = \"rows = 0\"\n\
                     [[step]]\nsql = \"INSERT INTO purchase VALUES (:buyer, :item, 1)\"\n\
                     [audit]\nstock = \"SELECT code, stock FROM product ORDER BY CASE WHEN code = '{key}' THEN 0 ELSE 1 END, code\"\n\
                     orders = \"SELECT buyer, code, qty FROM purchase\"\n"
                ),
            );
            let rows: Vec<String> =
                [key, others[0], others[1]].iter().map(|code| format!("('{code}', 1)")).collect();
            // The other keys come first in the table, so that a reader that takes them for the same finds them.
            fs::write(
                folder.path().join("seed.sql"),
                format!("INSERT INTO product VALUES {};", rows.join(", ")),
            )
            .unwrap();
            let report = explore(&folder.path().join("checkout.toml"), None);
            assert_eq!(report.evidence, Evidence::Proved, "{store}, {key}: {report}");
        }
    }
}

/// The second buyer is refused by the key that the first has taken.
fn refused(if_refused: &str) -> tempfile::TempDir {
    shop(
        "CREATE TABLE t (id INT PRIMARY KEY, buyer INT);",
        &format!(
            "store = \"sqlite\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n\
             [[step]]\nsql = \"INSERT INTO t VALUES (1, :buyer)\"\n{if_refused}\n\
             [audit.never]\nnone = \"SELECT 1 FROM t WHERE buyer = 0\"\n"
        ),
    )
}

#[test]
fn a_refusal_names_its_buyer_and_check_goes_on_where_the_file_expects_it() {
    let check = |folder: &Path| run(folder, &["check", "--checkout", "checkout.toml"]);
    let unexpected = check(refused("").path());
    assert_eq!(unexpected.status.code(), Some(2), "{}", said(&unexpected));
    assert!(said(&unexpected).contains("step 1, B: "), "{}", said(&unexpected));
    let expected = check(refused("if_refused = \"failed\"").path());
    assert_eq!(expected.status.code(), Some(0), "{}", said(&expected));
    assert!(said(&expected).contains("step 1, B: "), "{}", said(&expected));
}

#[test]
fn a_recording_of_a_checkout_without_a_store_is_refused() {
    let folder = refused("if_refused = \"sold_out\"");
    let record = |store: &str| {
        let text = format!(
            "strategy = \"checkout.toml\"\n{store}buyers = 2\nsteps = 2\nschedule = \"AB\"\n"
        );
        fs::write(folder.path().join("found.toml"), text).unwrap();
        run(folder.path(), &["replay", "--schedule-file", "found.toml"])
    };
    let without = record("");
    assert_eq!(without.status.code(), Some(2), "{}", said(&without));
    assert!(said(&without).contains("add the line `store = \"sqlite\"`"), "{}", said(&without));
    let elsewhere = record("store = \"redis\"\n");
    assert_eq!(elsewhere.status.code(), Some(2), "{}", said(&elsewhere));
    let there = record("store = \"sqlite\"\n");
    assert_eq!(there.status.code(), Some(0), "{}", said(&there));
}
