//! Verdicts that were false once, each with the one that is right: a checkout, its store and level, and what a search has
//! to say of it.

use std::fs;

use oversell_sim::FindingKind::{self, BrokenRule, LeakedLock, Oversold};
use oversell_sim::Isolation::{self, ReadCommitted, RepeatableRead};
use oversell_sim::StoreKind::{self, Mysql, Postgres, Sqlite};
use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::{Evidence, Exploration};

use crate::checkouts::explore;
use crate::listed::has;

/// What is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Proved,
    Broken(FindingKind),
    /// Others can come in between where nothing can be held.
    NotProved,
}

/// A checkout in files of its own.
struct Shop {
    store: StoreKind,
    schema: &'static str,
    seed: &'static str,
    rest: &'static str,
}

/// What a search of every order says, at a level if one is named.
fn search(shop: &Shop, isolation: Option<Isolation>) -> Exploration {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let head =
        format!("store = \"{}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n", shop.store);
    write("schema.sql", shop.schema);
    write("seed.sql", shop.seed);
    write("checkout.toml", &(head + shop.rest));
    let path = folder.path().join("checkout.toml");
    Checkout::read(&path).unwrap();
    explore(&path, isolation)
}

fn holds(name: &str, shop: &Shop, isolation: Option<Isolation>, right: Right) {
    if !has(shop.store) {
        return;
    }
    let report = search(shop, isolation);
    let found = report.findings.first().map(|told| told.finding.kind);
    let told = match (report.evidence, found) {
        (Evidence::Proved, _) => Right::Proved,
        (_, Some(kind)) => Right::Broken(kind),
        _ => Right::NotProved,
    };
    assert_eq!(told, right, "{name}: {:?}", report.remarks);
}

const SEATS: &str = "CREATE TABLE room (id INT PRIMARY KEY, seats INT NOT NULL);
CREATE TABLE booking (room INT NOT NULL, guest INT NOT NULL);";
const SEAT: &str = "DELETE FROM booking; DELETE FROM room; INSERT INTO room VALUES (1, 1);";
const OF_SEATS: &str = "
[audit]
stock = \"SELECT id, seats - (SELECT count(*) FROM booking WHERE room = id) FROM room\"
orders = \"SELECT guest, room, 1 FROM booking\"
";

/// A booking by one statement.
fn booking(store: StoreKind, sql: &'static str) -> Shop {
    let step = format!("[[step]]\nsql = \"{sql}\"\nsold_out_if = \"rows = 0\"\n{OF_SEATS}");
    Shop { store, schema: SEATS, seed: SEAT, rest: step.leak() }
}

#[test]
fn a_statement_that_counts_and_then_inserts_sells_a_seat_twice_where_others_can_come_in_between() {
    let counts = "INSERT INTO booking SELECT 1, :buyer WHERE (SELECT count(*) FROM booking WHERE room = 1) < (SELECT seats FROM room WHERE id = 1)";
    holds("counted", &booking(Postgres, counts), None, Right::Broken(Oversold));
    holds("counted", &booking(Sqlite, counts), None, Right::Proved);
    let as_a_query = "WITH n AS (SELECT count(*) AS n FROM booking) INSERT INTO booking SELECT 1, :buyer FROM n, room WHERE n < seats";
    holds(
        "counted by a query of its own",
        &booking(Postgres, as_a_query),
        None,
        Right::Broken(Oversold),
    );
    let in_mysql = "INSERT INTO booking SELECT 1, :buyer FROM room WHERE id = 1 AND (SELECT count(*) FROM booking) < seats";
    holds("counted", &booking(Mysql, in_mysql), Some(ReadCommitted), Right::Broken(Oversold));
    holds("counted", &booking(Mysql, in_mysql), Some(RepeatableRead), Right::NotProved);
}

#[test]
fn a_guard_on_the_row_that_is_written_needs_nothing_else() {
    let rest = "[[step]]\nsql = \"UPDATE room SET seats = seats - 1 WHERE id = 1 AND seats > 0\"\nsold_out_if = \"rows = 0\"\n\
        [[step]]\nsql = \"INSERT INTO booking VALUES (1, :buyer)\"\n\
        [audit]\nstock = \"SELECT id, seats FROM room\"\norders = \"SELECT guest, room, 1 FROM booking\"\n";
    for store in [Postgres, Mysql, Sqlite] {
        let shop = Shop { store, schema: SEATS, seed: SEAT, rest };
        holds("guarded", &shop, Some(ReadCommitted), Right::Proved);
    }
}

const LIMITED: &str =
    "CREATE TABLE list (id INT PRIMARY KEY, members INT NOT NULL, most INT NOT NULL);
CREATE TABLE member (list INT NOT NULL, person INT NOT NULL);
CREATE TRIGGER join_list BEFORE INSERT ON member FOR EACH ROW EXECUTE FUNCTION join_list();";

/// A list whose trigger keeps count of its members.
fn list(body: &str) -> Shop {
    let function =
        format!("CREATE FUNCTION join_list() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;\n");
    let (tables, trigger) = LIMITED.split_at(LIMITED.find("CREATE TRIGGER").unwrap());
    Shop {
        store: Postgres,
        schema: format!("{tables}{function}{trigger}").leak(),
        seed: "INSERT INTO list VALUES (1, 0, 1);",
        rest: "[[step]]\nsql = \"INSERT INTO member VALUES (1, :buyer)\"\nif_refused = \"sold_out\"\n\
            [audit.never]\n\"too many\" = \"SELECT list FROM member GROUP BY list HAVING count(*) > 1\"\n",
    }
}

#[test]
fn a_trigger_that_looks_and_then_acts_is_broken_and_one_that_acts_with_a_guard_is_proved() {
    let looks = "DECLARE n int; BEGIN SELECT members INTO n FROM list WHERE id = NEW.list; \
        IF n >= 1 THEN RAISE EXCEPTION 'full'; END IF; \
        UPDATE list SET members = members + 1 WHERE id = NEW.list; RETURN NEW; END";
    holds("looks", &list(looks), None, Right::Broken(BrokenRule));
    let guarded = "BEGIN UPDATE list SET members = members + 1 WHERE id = NEW.list AND members < most; \
        IF NOT FOUND THEN RAISE EXCEPTION 'full'; END IF; RETURN NEW; END";
    holds("guarded", &list(guarded), None, Right::Proved);
    let looks_twice = "DECLARE n int; m int; BEGIN SELECT members INTO n FROM list WHERE id = NEW.list; \
        SELECT most INTO m FROM list WHERE id = NEW.list; \
        UPDATE list SET members = members + 1 WHERE id = NEW.list AND members < most; \
        IF NOT FOUND THEN RAISE EXCEPTION 'full'; END IF; RETURN NEW; END";
    holds("looks twice", &list(looks_twice), None, Right::NotProved);
}

/// A checkout that looks, and then writes what it saw, with a query in front that has this beside the stock.
fn naive(
    store: StoreKind,
    schema: &'static str,
    seed: &'static str,
    table: &str,
    beside: &str,
) -> Shop {
    let rest = format!(
        "[[step]]\nsql = '''SELECT {beside}, stock FROM {table} WHERE id = 1'''\nsave = [\"stock\"]\nsold_out_if = \"stock < 1\"\n\
         [[step]]\nsql = '''UPDATE {table} SET stock = :stock - 1 WHERE id = 1'''\n\
         [[step]]\nsql = \"INSERT INTO sale VALUES (:buyer)\"\n\
         [audit]\nstock = '''SELECT id, stock FROM {table}'''\norders = \"SELECT buyer, 1, 1 FROM sale\"\n"
    );
    Shop { store, schema, seed, rest: rest.leak() }
}

#[test]
fn a_table_is_known_however_its_name_and_what_stands_beside_it_are_written() {
    const PLAIN: &str = "CREATE TABLE stocked (id INT PRIMARY KEY, stock INT NOT NULL); CREATE TABLE sale (buyer INT NOT NULL);";
    const PLAIN_SEED: &str = "INSERT INTO stocked VALUES (1, 1);";
    const DOLLAR: &str = "CREATE TABLE stock$ed (id INT PRIMARY KEY, stock INT NOT NULL); CREATE TABLE sale (buyer INT NOT NULL);";
    const DOLLAR_SEED: &str = "INSERT INTO stock$ed VALUES (1, 1);";
    for (store, schema, seed, table, beside) in [
        (Postgres, PLAIN, PLAIN_SEED, "stocked", "E'it\\'s' AS note"),
        (Postgres, PLAIN, PLAIN_SEED, "stocked", "/* a /* b */ it's */ 'a\\' AS note"),
        (Postgres, PLAIN, PLAIN_SEED, "U&\"st\\006fcked\"", "1 AS note"),
        (Postgres, PLAIN, PLAIN_SEED, "oversell_sim_checkout.\"stocked\"", "1 AS note"),
        (Postgres, DOLLAR, DOLLAR_SEED, "stock$ed", "1 AS note"),
        (Mysql, PLAIN, PLAIN_SEED, "stocked", "'it\\'s' AS note"),
        (Mysql, PLAIN, PLAIN_SEED, "oversell_sim_checkout.`stocked`", "5--1 AS note"),
        (Mysql, DOLLAR, DOLLAR_SEED, "stock$ed", "1 AS note # it's\n"),
        (Sqlite, PLAIN, PLAIN_SEED, "[stocked]", "'it''s\\' AS note"),
        (Sqlite, DOLLAR, DOLLAR_SEED, "stock$ed", "1 AS note"),
    ] {
        let shop = naive(store, schema, seed, table, beside);
        let name = format!("{store}: {table}, {beside}");
        // SQLite refuses the second who has looked before the first has written.
        let right = Right::Broken(Oversold);
        holds(&name, &shop, Some(ReadCommitted), right);
    }
}

#[test]
fn a_table_in_a_schema_of_its_own_is_known_and_emptied() {
    let shop = Shop {
        store: Postgres,
        schema: "CREATE TABLE public.stocked (id INT PRIMARY KEY, stock INT NOT NULL); CREATE TABLE public.sale (buyer INT NOT NULL);",
        seed: "INSERT INTO public.stocked VALUES (1, 1);",
        rest: "[[step]]\nsql = \"SELECT stock FROM public.stocked WHERE id = 1\"\nsave = \"stock\"\nsold_out_if = \"stock < 1\"\n\
            [[step]]\nsql = \"UPDATE public.stocked SET stock = :stock - 1 WHERE id = 1\"\n\
            [[step]]\nsql = \"INSERT INTO public.sale VALUES (:buyer)\"\n\
            [audit]\nstock = \"SELECT id, stock FROM public.stocked\"\norders = \"SELECT buyer, 1, 1 FROM public.sale\"\n",
    };
    holds("public", &shop, None, Right::Broken(Oversold));
}

#[test]
fn what_does_not_look_does_not_take_the_snapshot() {
    const SCHEMA: &str = "CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE c (id INT PRIMARY KEY, v INT); CREATE TABLE charge (buyer INT);";
    const SEED: &str = "INSERT INTO a VALUES (1, 0); INSERT INTO c VALUES (1, 0);";
    for before in
        ["", "SET LOCAL lock_timeout = '10s'", "SAVEPOINT s", "SET TRANSACTION READ WRITE"]
    {
        let also = match before {
            "" => String::new(),
            sql => format!("[[role.step]]\nsql = \"{sql}\"\n"),
        };
        // A buyer that is refused is charged again.
        let rest = format!(
            "[[role]]\nname = \"clerk\"\nbuys = false\n[[role.step]]\nsql = \"UPDATE a SET v = v + 1 WHERE id = 1\"\n\
             [[role]]\nname = \"buyer\"\n[[role.step]]\nsql = \"INSERT INTO charge VALUES (:buyer)\"\n[[role.step]]\nsql = \"BEGIN\"\n{also}\
             [[role.step]]\nsql = \"SELECT v FROM c WHERE id = 1\"\n[[role.step]]\nsql = \"UPDATE a SET v = v + 10 WHERE id = 1\"\n\
             [[role.step]]\nsql = \"COMMIT\"\n\
             [audit.never]\n\"charged twice\" = \"SELECT buyer FROM charge GROUP BY buyer HAVING COUNT(*) > 1\"\n"
        );
        let shop = Shop { store: Postgres, schema: SCHEMA, seed: SEED, rest: rest.leak() };
        holds(before, &shop, Some(RepeatableRead), Right::Broken(BrokenRule));
    }
}

#[test]
fn a_lock_of_the_sessions_own_that_is_kept_is_a_leaked_lock() {
    let shop = Shop {
        store: Postgres,
        schema: "CREATE TABLE t (buyer INT);",
        seed: "SELECT 1;",
        rest: "retries = 0\n[[step]]\nsql = \"SELECT CASE WHEN pg_try_advisory_lock(9) THEN 1 ELSE 0 END AS got\"\nsave = \"got\"\nconflict_if = \"got = 0\"\n\
            [[step]]\nsql = \"INSERT INTO t VALUES (:buyer)\"\n[audit.never]\n\"none\" = \"SELECT buyer FROM t WHERE buyer = 9\"\n",
    };
    holds("kept", &shop, None, Right::Broken(LeakedLock));
}

#[test]
fn a_procedure_that_may_commit_within_is_no_proof() {
    let shop = Shop {
        store: Postgres,
        schema: "CREATE TABLE t (buyer INT); CREATE PROCEDURE sell(b int) LANGUAGE sql AS 'INSERT INTO t VALUES (b)';",
        seed: "DELETE FROM t;",
        rest: "[[step]]\nsql = \"CALL sell(:buyer)\"\n[audit.never]\n\"none\" = \"SELECT buyer FROM t WHERE buyer = 9\"\n",
    };
    holds("procedure", &shop, None, Right::NotProved);
}

/// A constraint calls a function to see whether the room can be booked.
const CLOSING: &str = "CREATE TABLE room (id INT PRIMARY KEY, seats INT NOT NULL);
CREATE FUNCTION is_open() RETURNS boolean LANGUAGE sql STABLE AS 'SELECT seats > 0 FROM room WHERE id = 1';
CREATE TABLE booking (room INT NOT NULL, guest INT NOT NULL, CHECK (is_open()));";

#[test]
fn a_constraint_that_looks_elsewhere_makes_a_statement_touch_what_it_does_not_name() {
    let rest = "
[[role]]
name = \"guest\"
[[role.step]]
sql = \"INSERT INTO booking VALUES (1, :buyer)\"
if_refused = \"sold_out\"

[[role]]
name = \"clerk\"
[[role.step]]
sql = \"UPDATE room SET seats = 0 WHERE id = 1\"

[audit.never]
\"no booking\" = \"SELECT 1 FROM room WHERE NOT EXISTS (SELECT 1 FROM booking)\"
";
    let shop = Shop { store: Postgres, schema: CLOSING, seed: SEAT, rest };
    // The clerk comes first, and the guest is rejected.
    holds("closed", &shop, None, Right::Broken(BrokenRule));
}

#[test]
fn a_table_that_a_step_makes_has_nothing_that_would_hold_a_statement_inside() {
    let rest = "[[step]]\nsql = \"CREATE TABLE IF NOT EXISTS taken (guest INT NOT NULL)\"\n\
        [[step]]\nsql = \"INSERT INTO taken SELECT :buyer FROM room WHERE id = 1 AND (SELECT count(*) FROM taken) < seats\"\n\
        sold_out_if = \"rows = 0\"\n\
        [[step]]\nsql = \"INSERT INTO booking VALUES (1, :buyer)\"\n\
        [audit]\nstock = \"SELECT id, seats - (SELECT count(*) FROM booking WHERE room = id) FROM room\"\n\
        orders = \"SELECT guest, room, 1 FROM booking\"\n";
    let seed = "DROP TABLE IF EXISTS taken; DELETE FROM booking; DELETE FROM room; INSERT INTO room VALUES (1, 1);";
    for store in [Postgres, Mysql] {
        let shop = Shop { store, schema: SEATS, seed, rest };
        holds("made by a step", &shop, Some(ReadCommitted), Right::NotProved);
    }
}

/// A checkout that does not wait for the row's lock, in a transaction or without one.
fn trying(store: StoreKind, in_transaction: bool) -> Shop {
    let (begin, commit) = match in_transaction {
        true => ("[[step]]\nsql = \"BEGIN\"\n", "[[step]]\nsql = \"COMMIT\"\n"),
        false => ("", ""),
    };
    let rest = format!(
        "retries = 0\n{begin}\
        [[step]]\nsql = \"SELECT seats FROM room WHERE id = 1 FOR UPDATE NOWAIT\"\nif_refused = \"conflict\"\n\
        [[step]]\nsql = \"UPDATE room SET seats = seats - 1 WHERE id = 1 AND seats > 0\"\nsold_out_if = \"rows = 0\"\n\
        [[step]]\nsql = \"INSERT INTO booking VALUES (1, :buyer)\"\n{commit}\
        [audit]\nstock = \"SELECT id, seats FROM room\"\norders = \"SELECT guest, room, 1 FROM booking\"\n"
    );
    Shop { store, schema: SEATS, seed: SEAT, rest: rest.leak() }
}

#[test]
fn who_does_not_wait_may_find_a_lock_that_another_has_only_while_its_statement_runs() {
    for store in [Postgres, Mysql] {
        holds("locks kept", &trying(store, true), Some(ReadCommitted), Right::Proved);
        holds("fleeting locks", &trying(store, false), Some(ReadCommitted), Right::NotProved);
    }
}
