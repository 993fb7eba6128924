//! Statements of any kind in any order, with rules that may hold or not: what is looked for is not a bug of a shop, but
//! a difference between two searches.

use oversell_sim::StoreKind::{self, Mysql, Postgres, Sqlite};

use super::dice::Dice;
use super::recipe::{Line, line};
use super::shop::Tables;
use super::ways::{Frame, Way};

/// Every dialect that a statement is in.
const ALL: &[StoreKind] = &[Postgres, Mysql, Sqlite];

/// Statements, and the dialects that have them.
const STATEMENTS: &[(&[StoreKind], &str)] = &[
    (ALL, "UPDATE {tally} SET n = n{plus} WHERE id = 1"),
    (ALL, "UPDATE {tally} SET n = n * 2 WHERE id = 1"),
    (ALL, "UPDATE {tally} SET n = n{plus} WHERE id = 2"),
    (ALL, "UPDATE {tally} SET n = n{plus} WHERE id IN (1, 2)"),
    (ALL, "UPDATE {goods} SET note = {text}, ver = ver{plus} WHERE id = :item"),
    (ALL, "UPDATE {goods} SET stock = stock - 1 WHERE stock > 0 AND {text} <> 'x'"),
    (ALL, "UPDATE {goods} SET stock = (SELECT MAX(n) FROM {tally} WHERE id < 3) WHERE id = :item"),
    (ALL, "UPDATE {tally} SET n = (SELECT COUNT(*) FROM {sales}) WHERE id = 2"),
    (ALL, "UPDATE {tally} SET n = (SELECT MAX(ver) FROM {goods}){plus} WHERE id = 1"),
    (ALL, "INSERT INTO {journal} (buyer, note) VALUES (:buyer, {text})"),
    (ALL, "INSERT INTO {journal} SELECT :buyer, note FROM {goods} WHERE note <> {text}"),
    (ALL, "INSERT INTO {journal} (buyer) SELECT buyer FROM {sales}"),
    (ALL, "DELETE FROM {journal} WHERE buyer = :buyer"),
    (ALL, "DELETE FROM {journal}"),
    (ALL, "INSERT INTO {sales} (buyer, item) SELECT :buyer, id FROM {goods} WHERE stock > 0"),
    (ALL, "INSERT INTO {sales} (buyer, num) SELECT :buyer, n FROM {tally} WHERE id = 1"),
    (ALL, "INSERT INTO {sales} (buyer, note) VALUES (:buyer, {text})"),
    (ALL, "DELETE FROM {sales} WHERE buyer <> :buyer"),
    (ALL, "SELECT COUNT(*) FROM {journal} WHERE note <> {text}"),
    (ALL, "SELECT id FROM {goods} WHERE note IS NULL OR note = {text}"),
    (ALL, "WITH seen AS (SELECT n FROM {tally} WHERE id = 1) SELECT n FROM seen"),
    (
        &[Postgres, Sqlite],
        "WITH seen AS (SELECT MAX(n) AS m FROM {tally} WHERE id < 3) UPDATE {goods} SET stock = (SELECT m FROM seen)",
    ),
    (
        &[Postgres, Sqlite],
        "INSERT INTO {goods} (id, stock) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET stock = excluded.stock",
    ),
    (&[Postgres, Sqlite], "INSERT INTO {goods} (id, stock) VALUES (2, 5) ON CONFLICT DO NOTHING"),
    (
        &[Postgres],
        "WITH gone AS (DELETE FROM {journal} RETURNING buyer) UPDATE {tally} SET n = n + (SELECT COUNT(*) FROM gone) WHERE id = 1",
    ),
    (&[Postgres], "SELECT x.n FROM {tally} x JOIN {goods} y ON x.id = y.id FOR UPDATE OF x"),
    (&[Postgres], "SELECT x.n FROM {tally} x ORDER BY x.id FOR SHARE"),
    (&[Postgres], "LOCK TABLE {tally} IN SHARE ROW EXCLUSIVE MODE"),
    (&[Postgres], "SELECT pg_advisory_xact_lock(:item)"),
    (&[Postgres], "DO $d$ BEGIN UPDATE {tally} SET n = n + 1 WHERE id = 1; END $d$"),
    (&[Postgres], "TABLE {tally}"),
    (&[Postgres], "VALUES ((SELECT n FROM {tally} WHERE id = 1))"),
    (&[Postgres], "DELETE FROM {journal} USING {tally} x WHERE x.id = 1 AND x.n = {journal}.buyer"),
    (
        &[Postgres],
        "UPDATE {goods} SET stock = x.n FROM {tally} x WHERE x.id = 1 AND {goods}.id = 1",
    ),
    (&[Mysql], "INSERT IGNORE INTO {goods} (id, stock) VALUES (1, 5), (2, 5)"),
    (&[Mysql], "REPLACE INTO {goods} (id, stock, note) VALUES (2, 5, {text})"),
    (
        &[Mysql],
        "INSERT INTO {tally} (id, n) VALUES (1, 1) ON DUPLICATE KEY UPDATE n = n + VALUES(n)",
    ),
    (&[Mysql], "SELECT n FROM {tally} WHERE id = 1 INTO @n"),
    (&[Mysql], "SET @n = (SELECT n FROM {tally} WHERE id = 1)"),
    (&[Mysql], "UPDATE {tally} SET n = COALESCE(@n, 0){plus} WHERE id = 1"),
    (&[Mysql], "UPDATE {goods} x JOIN {tally} y ON x.id = y.id SET x.stock = y.n, y.n = y.n{plus}"),
    (&[Mysql], "DELETE x FROM {journal} x JOIN {tally} y ON y.id = x.buyer WHERE y.n > 1"),
    (&[Mysql], "SELECT n FROM {tally} LOCK IN SHARE MODE"),
    (&[Mysql], "DO (SELECT n FROM {tally} WHERE id = 1)"),
    (&[Mysql], "INSERT INTO {journal} SET buyer = :buyer, note = {text}"),
    (&[Sqlite], "UPDATE OR IGNORE {goods} SET id = 3 WHERE id = 2"),
    (&[Sqlite], "INSERT OR REPLACE INTO {goods} (id, stock) VALUES (2, 5)"),
    (&[Sqlite], "PRAGMA user_version"),
];

/// What stands beside the point: of the session, of the transaction, or looked at for nothing.
const BESIDE: &[(&[StoreKind], &str)] = &[
    (ALL, "SELECT COUNT(*) FROM {journal}"),
    (ALL, "SELECT id, note FROM {goods} WHERE note = {text}"),
    (ALL, "INSERT INTO {journal} (note) VALUES ({text})"),
    (&[Postgres], "SET LOCAL lock_timeout = '10s'"),
    (&[Postgres], "SET LOCAL statement_timeout TO '20s'"),
    (&[Postgres], "SELECT set_config('app.user', {text}, true)"),
    (&[Postgres], "SHOW search_path"),
    (&[Postgres], "SET lock_timeout = '20s'"),
    (&[Postgres], "CREATE TEMPORARY TABLE IF NOT EXISTS mine (n int)"),
    (&[Postgres], "SELECT pg_try_advisory_lock_shared(3)"),
    (&[Mysql], "SET @times = COALESCE(@times, 0) + 1"),
    (&[Mysql], "SELECT COALESCE(@times, 0) AS times"),
    (&[Mysql], "CREATE TEMPORARY TABLE IF NOT EXISTS mine (n INT)"),
    (&[Mysql], "SET @who = :buyer"),
    (&[Mysql], "SET NAMES utf8mb4"),
    (&[Mysql], "SELECT @@autocommit"),
    (&[Mysql], "SET SESSION sql_mode = @@sql_mode"),
];

/// Rules, of which any may hold.
const RULES: [&str; 8] = [
    "SELECT n FROM {tally} WHERE id = 1 AND n = 2",
    "SELECT n FROM {tally} WHERE id = 1 AND n > 2",
    "SELECT n FROM {tally} WHERE id = 2 AND n <> 1",
    "SELECT stock FROM {goods} WHERE stock > 1",
    "SELECT ver FROM {goods} WHERE ver = 2",
    "SELECT COUNT(*) FROM {journal} HAVING COUNT(*) = 1",
    "SELECT COUNT(*) FROM {sales} HAVING COUNT(*) > 1",
    "SELECT num FROM {sales} WHERE num > 1",
];

fn of(kind: StoreKind, all: &'static [(&'static [StoreKind], &'static str)]) -> Vec<&'static str> {
    let mine = all.iter().filter(|(kinds, _)| kinds.contains(&kind));
    mine.map(|(_, text)| *text).collect()
}

/// Statements at random.
pub(crate) fn soup(kind: StoreKind, tables: &Tables, dice: &mut Dice) -> Way {
    let statements = of(kind, STATEMENTS);
    let mut steps: Vec<Line> = Vec::new();
    let mut has_looked = false;
    for _ in 0..dice.number(1, 4) {
        steps.push(match dice.number(0, 9) {
            0 | 1 => {
                has_looked = true;
                line("SELECT n AS seen FROM {tally} WHERE id = 1").save("seen")
            }
            2 if kind != Sqlite => {
                has_looked = true;
                line("SELECT x.n AS seen FROM {tally} x WHERE x.id = 1{lock}")
                    .save("seen?")
                    .conflict("rows = 0")
            }
            3 if has_looked => line("UPDATE {tally} SET n = :seen{plus} WHERE id = 1"),
            4 if has_looked => line("INSERT INTO {sales} (buyer, num) VALUES (:buyer, :seen)"),
            5 if has_looked => {
                line("UPDATE {goods} SET ver = ver{plus} WHERE id = :item").when("seen > 1")
            }
            6 if tables.has_view => line("SELECT COUNT(*) FROM {sold}"),
            7 if tables.has_functions => line("SELECT take(1, 1)"),
            _ => line(dice.one(&statements)),
        });
    }
    for step in &mut steps {
        if step.if_refused.is_none() && !step.text.starts_with("SELECT") {
            step.if_refused = Some(dice.one(&["sold_out", "failed", "bought", "go_on"]));
        }
    }
    Way { name: "anything", frame: Frame::Any, steps, rule: dice.one(&RULES), sells: false }
}

/// A statement beside the point.
pub(crate) fn beside(kind: StoreKind, dice: &mut Dice) -> Line {
    let all = of(kind, BESIDE);
    line(dice.one(&all))
}
