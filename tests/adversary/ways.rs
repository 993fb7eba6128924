//! What a checkout can be for, and the ways in which people write it: right ones and wrong ones.

use oversell_sim::StoreKind::{self, Mysql, Postgres, Sqlite};

use super::dice::Dice;
use super::recipe::{Line, line};
use super::shop::Tables;

/// Whether statements stand in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// As the dice say.
    Any,
    /// They must.
    Inside,
    /// They must not, or begin one themselves.
    Outside,
}

/// What one role does, and what must hold in the end.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) frame: Frame,
    pub(crate) steps: Vec<Line>,
    /// A rule, as a question that must find nothing.
    pub(crate) rule: &'static str,
    /// Whether stock and orders are what the audit asks for.
    pub(crate) sells: bool,
}

fn way(name: &'static str, frame: Frame, rule: &'static str, steps: &[Line]) -> Way {
    Way { name, frame, steps: steps.to_vec(), rule, sells: false }
}

const SOLD_RIGHT: &str =
    "SELECT 1 AS wrong FROM {goods} WHERE stock <> 1 - (SELECT COUNT(*) FROM {sales})";
const ONE_SALE: &str = "SELECT COUNT(*) FROM {sales} HAVING COUNT(*) > 1";
const NUMBERS_DIFFER: &str = "SELECT num FROM {sales} GROUP BY num HAVING COUNT(*) > 1";
const COUNTED_RIGHT: &str =
    "SELECT n FROM {tally} WHERE id = 1 AND n <> 1 + (SELECT COUNT(*) FROM {sales})";
const SUM_STAYS: &str = "SELECT SUM(n) FROM {tally} WHERE id < 3 HAVING SUM(n) <> 2";
const ONE_ON_DUTY: &str = "SELECT SUM(n) FROM {tally} HAVING SUM(n) < 1";

/// One way of doing one thing, as this dialect allows.
pub(crate) fn any_way(kind: StoreKind, tables: &Tables, dice: &mut Dice) -> Way {
    let ways = match dice.number(0, 6) {
        0 | 1 => sell(kind, tables),
        2 => once(kind, tables),
        3 => number(kind, tables),
        4 => count(kind),
        5 => transfer(kind),
        _ => duty(kind),
    };
    dice.any(&ways).clone()
}

/// A statement that looks and locks, as a dialect has it; the first kind keeps others from changing the row.
pub(crate) fn locking(kind: StoreKind, dice: &mut Dice) -> &'static str {
    match kind {
        Postgres => dice.one(&[
            " FOR UPDATE",
            " FOR UPDATE OF x",
            " FOR NO KEY UPDATE",
            " FOR UPDATE OF x NOWAIT",
            " FOR UPDATE SKIP LOCKED",
            " FOR SHARE",
            " FOR KEY SHARE",
        ]),
        Mysql => dice.one(&[
            " FOR UPDATE",
            " FOR UPDATE NOWAIT",
            " FOR UPDATE SKIP LOCKED",
            " LOCK IN SHARE MODE",
        ]),
        _ => "",
    }
}

/// Takes a unit, and writes an order: nothing may be sold twice.
fn sell(kind: StoreKind, tables: &Tables) -> Vec<Way> {
    let look = || {
        line("SELECT x.stock FROM {goods} x WHERE x.id = :item")
            .save("stock")
            .sold_out("stock < qty")
    };
    let write = || line("UPDATE {goods} SET stock = :stock - :qty WHERE id = :item");
    let take = || {
        line("UPDATE {goods} SET stock = stock - :qty WHERE id = :item AND stock >= :qty")
            .sold_out("rows = 0")
    };
    let order = || {
        line("INSERT INTO {sales} (buyer, item, qty) VALUES (:buyer, :item, :qty)")
            .refused("sold_out")
    };
    let locks = || {
        line("SELECT x.stock FROM {goods} x WHERE x.id = :item{lock}")
            .save("stock?")
            .conflict("rows = 0")
            .sold_out("stock < qty")
    };
    let sells =
        |name, frame, steps: &[Line]| Way { sells: true, ..way(name, frame, SOLD_RIGHT, steps) };
    let mut ways = vec![
        sells("looks, then writes", Frame::Any, &[look(), write(), order()]),
        sells("takes if there is enough", Frame::Any, &[take(), order()]),
        sells("orders, then takes if there is enough", Frame::Inside, &[order(), take()]),
        sells(
            "takes what has not changed",
            Frame::Any,
            &[
                line("SELECT stock, ver FROM {goods} WHERE id = :item").save("ver").sold_out("stock < qty"),
                line("UPDATE {goods} SET stock = stock - 1, ver = ver{plus} WHERE id = :item AND ver = :ver")
                    .conflict("rows = 0"),
                order(),
            ],
        ),
        sells(
            "takes, and is refused below zero",
            Frame::Any,
            &[line("UPDATE {goods} SET stock = stock - :qty WHERE id = :item").refused("sold_out"), order()],
        ),
        sells(
            "takes what is there",
            Frame::Any,
            &[look(), line("UPDATE {goods} SET stock = stock - :qty WHERE id = :item"), order()],
        ),
    ];
    // The look has to be of the two columns that it keeps; one is enough for the condition.
    ways[3].steps[0].save = Some("ver");
    ways[3].steps[0].conditions.clear();
    ways[3].steps[1] = line(
        "UPDATE {goods} SET stock = stock - 1, ver = ver{plus} WHERE id = :item AND ver = :ver AND stock > 0",
    )
    .sold_out("rows = 0");
    if kind != Sqlite {
        ways.push(sells("locks, looks, then writes", Frame::Inside, &[locks(), write(), order()]));
        ways.push(sells("locks, looks, then writes", Frame::Any, &[locks(), write(), order()]));
    }
    if kind == Postgres {
        ways.push(sells(
            "takes and orders in one statement",
            Frame::Any,
            &[line(
                "WITH taken AS (UPDATE {goods} SET stock = stock - 1 WHERE id = :item AND stock > 0 RETURNING id) \
                 INSERT INTO {sales} (buyer, item) SELECT :buyer, id FROM taken",
            )
            .sold_out("rows = 0")
            .refused("sold_out")],
        ));
        ways.push(sells(
            "takes and hears what is left",
            Frame::Any,
            &[
                line("UPDATE {goods} AS x SET stock = x.stock - :qty WHERE x.id = :item AND x.stock >= :qty RETURNING x.stock AS left_over")
                    .save("left_over?")
                    .sold_out("rows = 0"),
                order(),
            ],
        ));
        ways.push(sells(
            "takes and orders, having looked in the same statement",
            Frame::Any,
            &[line(
                "WITH seen AS (SELECT stock FROM {goods} WHERE id = :item), taken AS (UPDATE {goods} SET stock = \
                 (SELECT stock FROM seen) - 1 WHERE id = :item AND (SELECT stock FROM seen) > 0 RETURNING id) INSERT \
                 INTO {sales} (buyer, item) SELECT :buyer, id FROM taken",
            )
            .sold_out("rows = 0")
            .refused("sold_out")],
        ));
        ways.push(sells(
            "locks by a number",
            Frame::Inside,
            &[line("SELECT pg_advisory_xact_lock(7)"), look(), write(), order()],
        ));
        ways.push(sells(
            "locks by a number of the session",
            Frame::Outside,
            &[line("SELECT pg_advisory_lock(7)"), take(), line("SELECT pg_advisory_unlock(7)")],
        ));
    }
    if kind == Mysql {
        ways.push(sells(
            "locks by a name",
            Frame::Outside,
            &[line("SELECT GET_LOCK('shop', 5)"), take(), order(), line("DO RELEASE_LOCK('shop')")],
        ));
    }
    if tables.has_functions {
        ways.push(sells(
            "has a function take",
            Frame::Any,
            &[line("SELECT take(:item, :qty) AS got").save("got").sold_out("got = 0"), order()],
        ));
    }
    ways
}

/// One sale in all, or one of each buyer: an invitation, a voucher.
fn once(kind: StoreKind, tables: &Tables) -> Vec<Way> {
    let from = if kind == Mysql { " FROM DUAL" } else { "" };
    let counted = format!(
        "INSERT INTO {{sales}} (buyer, note) SELECT :buyer, {{text}}{from} WHERE (SELECT COUNT(*) FROM {{sales}}) < 1"
    );
    let missing = format!(
        "INSERT INTO {{sales}} (buyer, qty) SELECT :buyer, 1{from} WHERE NOT EXISTS (SELECT 1 FROM {{sales}} WHERE qty > 0)"
    );
    let insert =
        || line("INSERT INTO {sales} (buyer, note) VALUES (:buyer, {text})").refused("sold_out");
    let mut ways = vec![
        way(
            "counts, then orders",
            Frame::Any,
            ONE_SALE,
            &[line("SELECT COUNT(*) AS c FROM {sales}").save("c").sold_out("c > 0"), insert()],
        ),
        way(
            "counts and orders in one statement",
            Frame::Any,
            ONE_SALE,
            &[line(&counted).sold_out("rows = 0").refused("sold_out")],
        ),
        way(
            "orders where there is none",
            Frame::Any,
            ONE_SALE,
            &[line(&missing).sold_out("rows = 0").refused("sold_out")],
        ),
        way(
            "marks it as used",
            Frame::Any,
            ONE_SALE,
            &[
                line("UPDATE {tally} SET n = 0 WHERE id = 2 AND n = 1").sold_out("rows = 0"),
                insert(),
            ],
        ),
    ];
    if kind != Sqlite {
        ways.push(way(
            "locks a row, counts, then orders",
            Frame::Inside,
            ONE_SALE,
            &[
                line("SELECT x.n FROM {tally} x WHERE x.id = 2{lock}").conflict("rows = 0"),
                line("SELECT COUNT(*) AS c FROM {sales}").save("c").sold_out("c > 0"),
                insert(),
            ],
        ));
    }
    if tables.has_functions {
        ways.push(way(
            "has a procedure order",
            Frame::Any,
            ONE_SALE,
            &[line("CALL reserve(:buyer)").refused("sold_out")],
        ));
    }
    if tables.has_view {
        ways.push(way(
            "counts in a view, then orders",
            Frame::Any,
            ONE_SALE,
            &[line("SELECT COUNT(*) AS c FROM {sold}").save("c").sold_out("c > 0"), insert()],
        ));
    }
    if tables.is_unique {
        let orders = match kind {
            Postgres => "INSERT INTO {sales} (buyer) VALUES (1) ON CONFLICT (buyer) DO NOTHING",
            Mysql => "INSERT IGNORE INTO {sales} (buyer) VALUES (1)",
            _ => "INSERT OR IGNORE INTO {sales} (buyer) VALUES (1)",
        };
        ways.push(way(
            "orders if there is no such order",
            Frame::Any,
            ONE_SALE,
            &[line(orders).sold_out("rows = 0")],
        ));
        let adds = match kind {
            Mysql => {
                "INSERT INTO {sales} (buyer, qty) VALUES (1, 1) ON DUPLICATE KEY UPDATE qty = qty{plus}"
            }
            _ => {
                "INSERT INTO {sales} (buyer, qty) VALUES (1, 1) ON CONFLICT (buyer) DO UPDATE SET qty = {sales}.qty + \
                 excluded.qty"
            }
        };
        ways.push(way(
            "adds to the order",
            Frame::Any,
            ONE_SALE,
            &[line(adds), line("SELECT qty FROM {sales}").save("qty")],
        ));
        ways.last_mut().into_iter().for_each(|way| way.steps[1].save = None);
        if kind != Postgres {
            ways.push(way(
                "replaces the order",
                Frame::Any,
                ONE_SALE,
                &[line("REPLACE INTO {sales} (buyer, note) VALUES (1, {text})")],
            ));
        }
    }
    ways
}

/// Gives each sale a number of its own.
fn number(kind: StoreKind, tables: &Tables) -> Vec<Way> {
    let insert = |text| line(text).refused("failed");
    let mut ways = vec![
        way(
            "asks for the largest number, then uses the next",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                line("SELECT COALESCE(MAX(num), 0){plus} AS next FROM {sales}").save("next"),
                insert("INSERT INTO {sales} (buyer, num) VALUES (:buyer, :next)"),
            ],
        ),
        way(
            "uses the next number in one statement",
            Frame::Any,
            NUMBERS_DIFFER,
            &[insert(
                "INSERT INTO {sales} (buyer, num) SELECT :buyer, COALESCE(MAX(num), 0){plus} FROM {sales}",
            )],
        ),
        way(
            "raises the number, then looks",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                line("UPDATE {tally} SET n = n{plus} WHERE id = 1"),
                line("SELECT n FROM {tally} WHERE id = 1").save("n"),
                insert("INSERT INTO {sales} (buyer, num) VALUES (:buyer, :n)"),
            ],
        ),
    ];
    if kind == Postgres && tables.has_serial_keys || kind == Sqlite {
        ways.push(way(
            "keeps its key, and numbers it later",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                insert("INSERT INTO {sales} (buyer) VALUES (:buyer) RETURNING id").save("id"),
                line("UPDATE {sales} SET num = (SELECT COALESCE(MAX(num), 0){plus} FROM {sales}) WHERE id = :id"),
            ],
        ));
    }
    if kind == Postgres {
        ways.push(way(
            "raises the number and hears it",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                line("UPDATE {tally} SET n = n{plus} WHERE id = 1 RETURNING n").save("n"),
                insert("INSERT INTO {sales} (buyer, num) VALUES (:buyer, :n) RETURNING id")
                    .save("id"),
                line("UPDATE {sales} SET note = {text} WHERE id = :id"),
            ],
        ));
    }
    if kind == Mysql {
        ways.push(way(
            "has the session remember its number",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                line("UPDATE {tally} SET n = LAST_INSERT_ID(n{plus}) WHERE id = 1"),
                insert("INSERT INTO {sales} (buyer, num) VALUES (:buyer, LAST_INSERT_ID())"),
            ],
        ));
        ways.push(way(
            "has a variable remember its number",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                line("SET @next = (SELECT COALESCE(MAX(num), 0){plus} FROM {sales})"),
                insert("INSERT INTO {sales} (buyer, num) VALUES (:buyer, @next)"),
            ],
        ));
        ways.push(way(
            "numbers it later",
            Frame::Any,
            NUMBERS_DIFFER,
            &[
                insert("INSERT INTO {sales} (buyer, num) VALUES (:buyer, 1000 + :buyer)"),
                line(
                    "UPDATE {sales} SET num = (SELECT x.next FROM (SELECT MAX(CASE WHEN num < 1000 THEN num ELSE 0 END) \
                     + 1 AS next FROM {sales}) AS x) WHERE buyer = :buyer",
                ),
            ],
        ));
    }
    ways
}

/// Counts what was sold.
fn count(kind: StoreKind) -> Vec<Way> {
    let order =
        || line("INSERT INTO {sales} (buyer, note) VALUES (:buyer, {text})").refused("sold_out");
    let look = || line("SELECT x.n FROM {tally} x WHERE x.id = 1").save("n");
    let mut ways = vec![
        way(
            "looks, then writes one more",
            Frame::Any,
            COUNTED_RIGHT,
            &[look(), line("UPDATE {tally} SET n = :n{plus} WHERE id = 1"), order()],
        ),
        way(
            "adds one",
            Frame::Any,
            COUNTED_RIGHT,
            &[order(), line("UPDATE {tally} SET n = n{plus} WHERE id = 1")],
        ),
        way(
            "counts again",
            Frame::Any,
            COUNTED_RIGHT,
            &[
                order(),
                line("UPDATE {tally} SET n = 1 + (SELECT COUNT(*) FROM {sales}) WHERE id = 1"),
            ],
        ),
        way(
            "changes what has not changed",
            Frame::Any,
            COUNTED_RIGHT,
            &[
                look(),
                line("UPDATE {tally} SET n = :n{plus} WHERE id = 1 AND n = :n")
                    .conflict("rows = 0"),
                order(),
            ],
        ),
    ];
    ways.push(match kind {
        Mysql => way("adds one, or the first", Frame::Any, COUNTED_RIGHT, &[
            line("INSERT INTO {tally} (id, n) VALUES (1, 1) ON DUPLICATE KEY UPDATE n = n{plus}"),
            order(),
        ]),
        _ => way("adds one, or the first", Frame::Any, COUNTED_RIGHT, &[
            line("INSERT INTO {tally} AS x (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = x.n{plus}"),
            order(),
        ]),
    });
    if kind != Sqlite {
        ways.push(way(
            "locks, looks, then writes one more",
            Frame::Inside,
            COUNTED_RIGHT,
            &[
                Line { text: "SELECT x.n FROM {tally} x WHERE x.id = 1{lock}".into(), ..look() }
                    .save("n?")
                    .conflict("rows = 0"),
                line("UPDATE {tally} SET n = :n{plus} WHERE id = 1"),
                order(),
            ],
        ));
    }
    if kind == Postgres {
        ways.push(way("merges", Frame::Any, COUNTED_RIGHT, &[
            line(
                "MERGE INTO {tally} AS x USING (SELECT 1 AS id) AS y ON x.id = y.id WHEN MATCHED THEN UPDATE SET n = \
                 x.n{plus} WHEN NOT MATCHED THEN INSERT (id, n) VALUES (1, 1)",
            ),
            order(),
        ]));
    }
    ways
}

/// Moves what is in one row to another, in an order that differs by buyer.
fn transfer(kind: StoreKind) -> Vec<Way> {
    let gives =
        || line("UPDATE {tally} SET n = n - 1 WHERE id = (CASE WHEN :buyer = 1 THEN 1 ELSE 2 END)");
    let gets = || {
        line("UPDATE {tally} SET n = n{plus} WHERE id = (CASE WHEN :buyer = 1 THEN 2 ELSE 1 END)")
    };
    let mut ways = vec![
        way("gives and gets", Frame::Any, SUM_STAYS, &[gives(), gets()]),
        way(
            "gives and gets at once",
            Frame::Any,
            SUM_STAYS,
            &[line(
                "UPDATE {tally} SET n = CASE id WHEN 1 THEN n - 1 ELSE n + 1 END WHERE id IN (1, 2)",
            )],
        ),
        way(
            "looks, gives and gets",
            Frame::Any,
            SUM_STAYS,
            &[
                line("SELECT n FROM {tally} WHERE id = 1").save("n").sold_out("n < 1"),
                line("UPDATE {tally} SET n = :n - 1 WHERE id = 1"),
                line("UPDATE {tally} SET n = n{plus} WHERE id = 2"),
            ],
        ),
    ];
    if kind == Postgres {
        ways.push(way("gives and gets in one statement", Frame::Any, SUM_STAYS, &[line(
            "WITH given AS (UPDATE {tally} SET n = n - 1 WHERE id = :buyer AND id < 3 RETURNING id) UPDATE {tally} SET n = \
             n{plus} WHERE id = 3 - :buyer",
        )]));
    }
    ways
}

/// Goes off duty if others stay: two who look at each other's rows (write skew).
fn duty(kind: StoreKind) -> Vec<Way> {
    let leaves = || line("UPDATE {tally} SET n = 0 WHERE id = :buyer");
    let look = |text| line(text).save("c").sold_out("c < 2");
    let mut ways = vec![
        way("counts who stays, then leaves", Frame::Any, ONE_ON_DUTY, &[
            look("SELECT SUM(n) AS c FROM {tally} WHERE id < 3"),
            leaves(),
            line("UPDATE {tally} SET n = 0 WHERE id = 3"),
        ]),
        way("leaves if another stays", Frame::Any, ONE_ON_DUTY, &[
            line("UPDATE {tally} SET n = 0 WHERE id = 3"),
            match kind {
                Mysql => line(
                    "UPDATE {tally} SET n = 0 WHERE id = :buyer AND (SELECT x.c FROM (SELECT SUM(n) AS c FROM {tally}) AS x) \
                     > 1",
                ),
                _ => line("UPDATE {tally} SET n = 0 WHERE id = :buyer AND (SELECT SUM(n) FROM {tally}) > 1"),
            }
            .sold_out("rows = 0"),
        ]),
    ];
    if kind != Sqlite {
        ways.push(way(
            "locks those who stay",
            Frame::Inside,
            ONE_ON_DUTY,
            &[
                line("SELECT x.id FROM {tally} x WHERE x.id < 3 ORDER BY x.id{lock}")
                    .conflict("rows = 0"),
                look("SELECT SUM(n) AS c FROM {tally} WHERE id < 3"),
                leaves(),
                line("UPDATE {tally} SET n = 0 WHERE id = 3"),
            ],
        ));
    }
    ways
}
