//! Described checkouts with two stores: an SQL database, and Redis beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use oversell_sim::FindingKind::{Deadlock, LeakedStock, Oversold};
use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::explore::OrderOutcome;
use oversell_sim::{Evidence, Exploration, StoreKind};
use tempfile::TempDir;

use crate::checkouts::{run, said, search, settings};
use crate::listed::has;

/// Orders that are run one by one at most.
const MOST: u32 = 150;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/redis-and-sql")
}

/// The databases that are here, if Redis is.
fn databases() -> Vec<StoreKind> {
    let all = [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql];
    match has(StoreKind::Redis) {
        true => all.into_iter().filter(|store| has(*store)).collect(),
        false => Vec::new(),
    }
}

/// A folder with a checkout for this database and Redis, in which stock and orders are in SQL.
fn written(database: StoreKind, steps: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "schema.sql",
        "CREATE TABLE product (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL);
         CREATE TABLE purchase (buyer INTEGER NOT NULL, product INTEGER NOT NULL, qty INTEGER NOT NULL);",
    );
    write("seed.sql", "INSERT INTO product (id, stock) VALUES (1, 1);");
    let text = format!(
        r#"store  = ["redis", "{database}"]
           schema = "schema.sql"
           seed   = "seed.sql"
           {steps}
           [audit]
           stock  = {{ sql = "SELECT id, stock FROM product" }}
           orders = {{ sql = "SELECT buyer, product, qty FROM purchase" }}"#
    );
    write("checkout.toml", &text);
    folder
}

/// Every order, or as many.
fn explored(file: &Path, reduced: bool, most: u32) -> (Exploration, BTreeSet<OrderOutcome>) {
    let checkout = Checkout::read(file).unwrap();
    search(&checkout, &settings(&checkout, None), reduced, most)
}

#[test]
fn looking_in_redis_before_taking_oversells_and_taking_first_is_proved_with_each_database() {
    for database in databases() {
        for (name, evidence) in
            [("broken.toml", Evidence::Broken), ("fixed.toml", Evidence::Proved)]
        {
            let file = folder().join(name);
            let checkout = Checkout { store: database, ..Checkout::read(&file).unwrap() };
            let (report, _) = search(&checkout, &settings(&checkout, None), true, u32::MAX);
            assert_eq!(report.evidence, evidence, "{database}: {report}");
            assert_eq!(report.amount_of(Oversold) > 0, name == "broken.toml", "{report}");
            let orders = report.orders.as_ref().unwrap();
            assert!(orders.complete && orders.diverged == 0, "{report}");
            assert_eq!((report.failed, report.incidents.len()), (0, 0), "{report}");
        }
    }
}

#[test]
fn a_unit_that_is_not_given_back_when_sql_refuses_the_order_is_lost() {
    if databases().is_empty() {
        return;
    }
    let folder_of = |text: &dyn Fn(&str) -> String| {
        let copy = TempDir::new().unwrap();
        for name in ["schema.sql", "seed.sql"] {
            fs::copy(folder().join(name), copy.path().join(name)).unwrap();
        }
        let fixed = fs::read_to_string(folder().join("fixed.toml")).unwrap();
        let fixed =
            fixed.replace("\"postgres\"", "\"sqlite\"").replace("setup  =", "stock = 2\nsetup =");
        // Every buyer orders as the first customer.
        let fixed = fixed.replace("VALUES (:buyer,", "VALUES (1,");
        fs::write(copy.path().join("checkout.toml"), text(&fixed)).unwrap();
        explored(&copy.path().join("checkout.toml"), true, u32::MAX).0
    };
    let order = "VALUES (1, :item, :qty)\"";
    let refused = |end: &str| format!("{order}\nif_refused = \"{end}\"");
    let lost = folder_of(&|text| text.replace(order, &refused("sold_out")));
    assert!(lost.amount_of(LeakedStock) > 0, "{lost}");
    let kept = folder_of(&|text| {
        let back = "\n[[step]]\nwhen = \"refused\"\nredis = \"INCRBY stock:{item} {qty}\"\n\
                    sold_out_if = \"refused\"\n\n[audit]";
        text.replace(order, &refused("go_on")).replace("\n[audit]", back)
    });
    assert_eq!(kept.amount_of(LeakedStock), 0, "{kept}");
}

/// Steps that mix both stores: transactions around commands, commands around statements, waits in either.
const MIXED: [(&str, &str, &[StoreKind]); 6] = [
    (
        "a command in a transaction that holds a lock",
        r#"setup = { redis = "SET seen 0" }
           [[step]]
           sql = "BEGIN"
           [[step]]
           sql = "SELECT stock FROM product WHERE id = :item FOR UPDATE"
           save = "stock"
           sold_out_if = "stock < qty"
           [[step]]
           redis = "INCR seen"
           save = "seen"
           [[step]]
           sql = "UPDATE product SET stock = stock - :qty WHERE id = :item"
           [[step]]
           sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"
           [[step]]
           sql = "COMMIT""#,
        &[StoreKind::Postgres, StoreKind::Mysql],
    ),
    (
        "a lock that is a token in a list, before which buyers wait",
        r#"setup = [{ redis = "RPUSH token 1" }]
           [[step]]
           redis = "BLPOP token 0"
           [[step]]
           sql = "SELECT stock FROM product WHERE id = :item"
           save = "stock"
           [[step]]
           when = "stock < qty"
           redis = "RPUSH token 1"
           sold_out_if = "rows > 0"
           [[step]]
           sql = "UPDATE product SET stock = :stock - :qty WHERE id = :item"
           [[step]]
           sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"
           [[step]]
           redis = "RPUSH token 1""#,
        &[StoreKind::Postgres, StoreKind::Mysql, StoreKind::Sqlite],
    ),
    (
        "the order of commands decides what a statement does",
        r#"setup = { redis = "SET seen 0" }
           [[step]]
           redis = "INCR seen"
           save = "seen"
           [[step]]
           when = "seen = 1"
           sql = "UPDATE product SET stock = stock - 1 WHERE id = :item AND stock > 0"
           sold_out_if = "rows = 0"
           [[step]]
           when = "seen = 2"
           sql = "SELECT stock FROM product WHERE id = :item"
           save = "stock"
           sold_out_if = "stock = 0"
           [[step]]
           when = "seen = 2"
           sql = "UPDATE product SET stock = :stock - 1 WHERE id = :item"
           [[step]]
           sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)""#,
        &[StoreKind::Postgres, StoreKind::Mysql, StoreKind::Sqlite],
    ),
    (
        "the order of statements decides what a command does",
        r#"setup = [{ sql = "UPDATE product SET stock = 5" }, { redis = "SET mark 0" }]
           [[step]]
           sql = "UPDATE product SET stock = stock - :qty WHERE id = :item"
           [[step]]
           sql = "SELECT stock FROM product WHERE id = :item"
           save = "stock"
           [[step]]
           redis = "GETSET mark {stock}"
           save = "mark"
           sold_out_if = "mark = 3"
           [[step]]
           sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)""#,
        &[StoreKind::Postgres, StoreKind::Mysql],
    ),
    (
        "a statement that is held inside the server, and a command behind it",
        r#"setup = { redis = "SET seen 0" }
           [[step]]
           sql = "INSERT INTO purchase (buyer, product, qty) SELECT :buyer, id, :qty FROM product WHERE id = :item AND stock > (SELECT count(*) FROM purchase)"
           sold_out_if = "rows = 0"
           [[step]]
           redis = "INCR seen"
           [[step]]
           sql = "UPDATE product SET stock = stock - :qty WHERE id = :item""#,
        &[StoreKind::Postgres],
    ),
    (
        "one buyer waits in Redis and has a lock for which another waits in SQL",
        CROSSED,
        &[StoreKind::Postgres, StoreKind::Mysql],
    ),
];

/// A buyer and a worker, who take a row and a token in opposite orders.
const CROSSED: &str = r#"setup = [{ redis = "RPUSH token 1" }]
    [[role]]
    name = "buyer"
    [[role.step]]
    sql = "BEGIN"
    [[role.step]]
    sql = "UPDATE product SET stock = stock - :qty WHERE id = :item AND stock >= :qty"
    sold_out_if = "rows = 0"
    [[role.step]]
    redis = "BLPOP token 0"
    [[role.step]]
    sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"
    [[role.step]]
    sql = "COMMIT"
    [[role.step]]
    redis = "RPUSH token 1"
    [[role]]
    name = "worker"
    buys = false
    [[role.step]]
    redis = "BLPOP token 0"
    [[role.step]]
    sql = "UPDATE product SET stock = stock + 0 WHERE id = :item"
    [[role.step]]
    redis = "RPUSH token 1""#;

#[test]
fn of_two_stores_what_is_left_out_ends_in_no_other_way() {
    let mut compared = 0;
    for database in databases() {
        for (what, steps, databases) in MIXED {
            if !databases.contains(&database) {
                continue;
            }
            let folder = written(database, steps);
            let file = folder.path().join("checkout.toml");
            let (slow, all) = explored(&file, false, MOST);
            let (fast, some) = explored(&file, true, u32::MAX);
            let complete = |report: &Exploration| report.orders.as_ref().unwrap().complete;
            assert!(complete(&slow) && complete(&fast), "{database}: {what}: {slow}{fast}");
            assert_eq!(some, all, "{database}: {what}");
            assert_eq!(fast.evidence, slow.evidence, "{database}: {what}");
            let runs = |report: &Exploration| report.orders.as_ref().unwrap().run;
            assert!(runs(&fast) <= runs(&slow), "{database}: {what}");
            compared += 1;
        }
    }
    assert!(databases().len() < 3 || compared >= 12, "{compared}");
}

#[test]
fn a_command_is_swapped_with_other_buyers_statements_and_not_with_their_commands() {
    for database in databases().into_iter().filter(|store| *store != StoreKind::Sqlite) {
        let runs = |first: &str, second: &str| {
            let role = |name: &str, buys: bool, call: &str| {
                format!("[[role]]\nname = \"{name}\"\nbuys = {buys}\n[[role.step]]\n{call}\n")
            };
            let roles = role("buyer", true, first) + &role("other", false, second);
            // The buyer is told that it bought nothing.
            let roles = roles.replacen(
                "[[role]]\nname = \"other\"",
                "sold_out_if = \"rows >= 0\"\n[[role]]\nname = \"other\"",
                1,
            );
            let folder = written(database, &roles);
            let (report, _) = explored(&folder.path().join("checkout.toml"), true, u32::MAX);
            report.orders.unwrap().run
        };
        let (command, statement) =
            ("redis = \"INCR seen\"", "sql = \"UPDATE product SET stock = 1 WHERE id = 1\"");
        assert_eq!(runs(command, statement), 1, "{database}");
        assert_eq!(runs(statement, command), 1, "{database}");
        assert_eq!(runs(command, command), 2, "{database}");
        assert_eq!(runs(statement, statement), 2, "{database}");
    }
}

#[test]
fn buyers_who_wait_for_each_other_in_two_stores_are_stuck() {
    for database in databases().into_iter().filter(|store| *store != StoreKind::Sqlite) {
        let folder = written(database, CROSSED);
        let (report, _) = explored(&folder.path().join("checkout.toml"), true, u32::MAX);
        assert_eq!(report.amount_of(Deadlock), 2, "{database}: {report}");
    }
}

#[test]
fn what_is_printed_replays_and_a_race_shows_it_too() {
    if databases().len() < 3 {
        return;
    }
    let folder = folder();
    let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
    let tool = |line: &str| {
        let words = words(line);
        run(&folder, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let found = tool("explore --checkout broken.toml --no-progress");
    let found = said(&found);
    let again = found.lines().find_map(|line| line.trim().strip_prefix("again")).unwrap();
    let replayed = said(&tool(again.trim().strip_prefix("oversell-sim ").unwrap()));
    let timeline = |text: &str| -> Vec<String> {
        let from = text.lines().skip_while(|line| !line.starts_with(" step"));
        from.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    assert!(timeline(&found).len() > 5, "{found}");
    assert_eq!(timeline(&found), timeline(&replayed), "{replayed}");
    for (line, code, words) in [
        ("check --checkout fixed.toml", 0, "on PostgreSQL"),
        ("explore --checkout fixed.toml --jobs 2 --expect evidence=proved", 0, "PROVED"),
        ("explore --checkout broken.toml --random --seed 1", 0, "BROKEN"),
        ("race --checkout fixed.toml --buyers 60 --rounds 3 --expect winners=1", 0, "SAFE SO FAR"),
        ("race --checkout broken.toml --buyers 60 --rounds 20 --expect oversold=0", 1, "BROKEN"),
    ] {
        let output = tool(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", said(&output));
        assert!(said(&output).contains(words), "{line}: {}", said(&output));
        assert!(said(&output).contains("and Redis"), "{line}: {}", said(&output));
    }
}

#[test]
fn a_wrong_mix_is_told_with_its_place() {
    let both = "[\"sqlite\", \"redis\"]";
    let mut otherwise = String::new();
    for (from, to, words) in [
        (both, "\"sqlite\"", "checkout.toml:24:10: `stock`: this file has one store"),
        (both, "\"redis\"", "this file has one store; write the query alone"),
        (both, "[\"sqlite\", \"postgres\"]", "sqlite and postgres cannot be used together"),
        (both, "[\"redis\", \"redis\"]", "redis and redis cannot be used together"),
        (both, "[\"http\", \"redis\"]", "http and redis cannot be used together"),
        (both, "[]", "no store is named"),
        (both, "[\"sqlite\", \"etcd\"]", "checkout.toml:2:21: `store`: a checkout cannot run"),
        (both, "[\"sqlite\", \"radis\"]", "did you mean `redis`?"),
        ("{ redis = \"GET stock:1\" }", "\"GET stock:1\"", "this file has two stores; say which"),
        ("{ redis = \"GET stock:1\" }", "{ lua = \"x\" }", "`stock` must be { sql = "),
        (
            "{ redis = \"GET stock:1\" }",
            "{ redis = \"SELECT 1 FROM t\" }",
            "is SQL, and no command",
        ),
        ("{ redis = \"GET stock:1\" }", "{ sql = \"SELECT 1; SELECT 2\" }", "a second statement"),
        (
            "redis = \"DECRBY stock:{item} {qty}\"",
            "http = \"GET /\"",
            "write `sql` or `redis` or `lua`",
        ),
        ("save  = \"left\"", "save = \"left\"\nif_refused = \"go_on\"", "this step is for redis"),
        ("schema = \"schema.sql\"", "", "`schema` is missing"),
    ] {
        let copy = TempDir::new().unwrap();
        for name in ["schema.sql", "seed.sql"] {
            fs::copy(folder().join(name), copy.path().join(name)).unwrap();
        }
        let text = fs::read_to_string(folder().join("fixed.toml")).unwrap();
        // The comment and the title are about something else.
        let text = text.split_once("store  =").unwrap().1.replace("\"postgres\"", "\"sqlite\"");
        let text = format!("# \nstore  ={text}");
        assert!(text.contains(from), "{from}");
        fs::write(copy.path().join("checkout.toml"), text.replacen(from, to, 1)).unwrap();
        let output = run(copy.path(), &["explore", "--checkout", "checkout.toml"]);
        let told = said(&output);
        let is_one_line = told.lines().next().is_some_and(|line| line.contains(words));
        if output.status.code() != Some(2) || !is_one_line {
            otherwise += &format!("{to}\n{words}\n{told}\n");
        }
    }
    assert!(otherwise.is_empty(), "{otherwise}");
}

#[test]
fn crashes_and_expiries_are_for_one_store() {
    for flag in ["--crashes", "--expiries"] {
        let output = run(&folder(), &["explore", "--checkout", "fixed.toml", flag, "1"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("is for a checkout with one store"), "{}", said(&output));
    }
}

#[test]
fn a_file_with_one_store_says_how_it_gets_the_other() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("schema.sql", "CREATE TABLE t (id INTEGER);");
    let file = |store: &str, call: &str, audit: &str| {
        let schema = if store == "redis" { "" } else { "schema = \"schema.sql\"\n" };
        let audit = format!("[audit]\nstock = {audit}\norders = {audit}\n");
        format!("store = \"{store}\"\n{schema}[[step]]\n{call}\n{audit}")
    };
    for (store, call, audit, words) in [
        (
            "mysql",
            "redis = \"GET stock\"",
            "\"SELECT 1\"",
            "checkout.toml:4:9: `redis` means nothing to mysql; write `sql`; to use both, write `store = [\"mysql\", \
             \"redis\"]`",
        ),
        (
            "redis",
            "sql = \"SELECT 1\"",
            "\"GET stock\"",
            "checkout.toml:3:7: `sql` means nothing to redis; write `redis` or `lua`; to use both, write `store = \
             [\"postgres\", \"redis\"]`",
        ),
        (
            "redis",
            "redis = \"GET stock\"",
            "\"SELECT id, stock FROM product\"",
            "checkout.toml:5:9: `stock`: `SELECT id, stock FROM product` is SQL, and no command of Redis; to use both, \
             write `store = [\"postgres\", \"redis\"]`",
        ),
        (
            "sqlite",
            "sql = \"SELECT 1\"",
            "{ redis = \"GET stock\" }",
            "checkout.toml:6:9: `stock`: this file has one store; write the query alone, as a text in quotes; to use both, \
             write `store = [\"sqlite\", \"redis\"]`",
        ),
    ] {
        write("checkout.toml", &file(store, call, audit));
        let output = run(folder.path(), &["check", "--checkout", "checkout.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let told: String = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[test]
fn two_stores_are_private_servers_and_no_url_names_them() {
    let folder = folder();
    for (args, words) in [
        (
            "explore --checkout broken.toml --url redis://localhost",
            "--url: broken.toml has two stores",
        ),
        (
            "race --checkout broken.toml --url redis://localhost",
            "--url: broken.toml has two stores",
        ),
        ("explore --checkout broken.toml --store redis", "is written for postgres and redis"),
        ("check --checkout broken.toml --store memory", "is written for postgres and redis"),
    ] {
        let output = run(&folder, &args.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2), "{args}: {}", said(&output));
        assert!(said(&output).contains(words), "{args}: {}", said(&output));
    }
}
