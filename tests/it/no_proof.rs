//! Checkouts that a race breaks, in orders that no search can choose: nothing is proved of them.

use std::fs;

use oversell_sim::{Evidence, Isolation, StoreKind};
use tempfile::TempDir;

use crate::checkouts::explore;
use crate::listed::has;

/// Two buyers, or a clerk and a buyer.
struct Case {
    store: StoreKind,
    schema: &'static str,
    seed: &'static str,
    /// The statements of the clerk; none if there is none.
    clerk: &'static [&'static str],
    /// The steps of the buyer, as the file has them.
    buyer: &'static [&'static str],
    never: &'static str,
    isolation: Option<Isolation>,
}

/// A room with one seat, and the trigger that counts its bookings.
const COUNTED: &str = "CREATE TABLE booking (room INT NOT NULL, guest INT NOT NULL);
CREATE FUNCTION count_them() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM booking WHERE room = NEW.room) > 1 - (TG_WHEN = 'BEFORE')::int THEN
        RAISE EXCEPTION 'full';
    END IF;
    RETURN NEW;
END $$;";

impl Case {
    fn is_proved(&self) -> bool {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("schema.sql", self.schema);
        write("seed.sql", self.seed);
        let mut text =
            format!("store = \"{}\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n", self.store);
        let step = if self.clerk.is_empty() { "step" } else { "role.step" };
        if !self.clerk.is_empty() {
            text += "[[role]]\nname = \"clerk\"\nbuys = false\n";
            for sql in self.clerk {
                text += &format!("[[role.step]]\nsql = \"{sql}\"\n");
            }
            text += "[[role]]\nname = \"buyer\"\n";
        }
        for keys in self.buyer {
            text += &format!("[[{step}]]\n{keys}\n");
        }
        text += &format!("[audit.never]\n\"it happens\" = \"{}\"\n", self.never);
        write("checkout.toml", &text);
        let report = explore(&folder.path().join("checkout.toml"), self.isolation);
        report.evidence == Evidence::Proved
    }
}

/// Whether nothing is proved of any of these, of which the store is here.
fn none_is_proved(cases: &[Case]) {
    for case in cases.iter().filter(|case| has(case.store)) {
        assert!(!case.is_proved(), "{:?} {:?}", case.clerk, case.buyer);
    }
}

#[test]
fn a_capacity_that_a_trigger_counts_at_once_or_at_the_commit_is_not_proved() {
    let at_once: &[&str] =
        &["sql = \"INSERT INTO booking VALUES (1, :buyer)\"\nif_refused = \"sold_out\""];
    let at_the_end: &[&str] = &[
        "sql = \"BEGIN\"",
        "sql = \"INSERT INTO booking VALUES (1, :buyer)\"",
        "sql = \"COMMIT\"\nif_refused = \"sold_out\"",
    ];
    for (trigger, buyer) in [
        ("CREATE TRIGGER cap BEFORE INSERT ON booking", at_once),
        ("CREATE TRIGGER cap AFTER INSERT ON booking", at_once),
        (
            "CREATE CONSTRAINT TRIGGER cap AFTER INSERT ON booking DEFERRABLE INITIALLY DEFERRED",
            at_the_end,
        ),
    ] {
        let schema = format!("{COUNTED}\n{trigger} FOR EACH ROW EXECUTE FUNCTION count_them();");
        none_is_proved(&[Case {
            store: StoreKind::Postgres,
            schema: schema.leak(),
            seed: "",
            clerk: &[],
            buyer,
            never: "SELECT room FROM booking GROUP BY room HAVING count(*) > 1",
            isolation: None,
        }]);
    }
}

#[test]
fn a_query_that_locks_more_than_one_row_or_late_is_not_proved_beside_commits() {
    let units = "CREATE TABLE unit (id INT PRIMARY KEY, n INT NOT NULL); CREATE TABLE got (n INT);";
    let cheapest = Case {
        store: StoreKind::Postgres,
        schema: units,
        seed: "INSERT INTO unit VALUES (1, 5), (2, 10)",
        clerk: &["UPDATE unit SET n = 100 WHERE id = 1"],
        buyer: &[
            "sql = \"BEGIN\"",
            "sql = \"SELECT n FROM unit ORDER BY n LIMIT 1 FOR UPDATE\"\nsave = \"n\"",
            "sql = \"INSERT INTO got VALUES (:n)\"",
            "sql = \"COMMIT\"",
        ],
        never: "SELECT 1 FROM got WHERE n > 10",
        isolation: None,
    };
    // One of the two is free at every moment.
    let free = Case {
        seed: "INSERT INTO unit VALUES (1, 0), (2, 1)",
        clerk: &[
            "BEGIN",
            "UPDATE unit SET n = 0 WHERE id = 2",
            "COMMIT",
            "BEGIN",
            "UPDATE unit SET n = 1 WHERE id = 1",
            "COMMIT",
        ],
        buyer: &[
            "sql = \"BEGIN\"",
            "sql = \"SELECT id FROM unit WHERE n = 0 FOR UPDATE\"\nsave = \"id?\"",
            "sql = \"INSERT INTO got VALUES (1)\"\nwhen = \"id != null\"",
            "sql = \"COMMIT\"",
        ],
        never: "SELECT 1 FROM unit WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM got)",
        ..cheapest
    };
    let refused = |isolation| Case {
        store: StoreKind::Postgres,
        schema: units,
        seed: "INSERT INTO unit VALUES (1, 0)",
        clerk: &["UPDATE unit SET n = n + 1 WHERE id = 1"],
        buyer: &[
            "sql = \"INSERT INTO got VALUES (:buyer)\"",
            "sql = \"BEGIN\"",
            "sql = \"SELECT n FROM unit WHERE id = 1 FOR UPDATE\"",
            "sql = \"UPDATE unit SET n = n + 10 WHERE id = 1\"",
            "sql = \"COMMIT\"",
        ],
        never: "SELECT n FROM got GROUP BY n HAVING count(*) > 1",
        isolation: Some(isolation),
    };
    let levels = [Isolation::RepeatableRead, Isolation::Serializable];
    none_is_proved(&[cheapest, free]);
    none_is_proved(&levels.map(refused));
}

#[test]
fn a_statement_within_another_and_one_that_commits_first_are_what_they_are() {
    none_is_proved(&[
        Case {
            store: StoreKind::Mysql,
            schema: "CREATE TABLE room (id INT PRIMARY KEY, seats INT); CREATE TABLE booking (guest INT);",
            seed: "INSERT INTO room VALUES (1, 1)",
            clerk: &[],
            buyer: &[
                "sql = \"SELECT seats FROM room WHERE id = 1\"\nsave = \"seats\"\nsold_out_if = \"seats < 1\"",
                "sql = \"SET STATEMENT max_statement_time = 9 FOR UPDATE room SET seats = seats - 1 WHERE id = 1\"",
                "sql = \"SET STATEMENT max_statement_time = 9 FOR INSERT INTO booking VALUES (:buyer)\"",
            ],
            never: "SELECT 1 FROM booking HAVING count(*) > 1",
            isolation: None,
        },
        Case {
            store: StoreKind::Mysql,
            schema: "CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE saw (buyer INT);",
            seed: "INSERT INTO t VALUES (1, 0)",
            clerk: &[
                "BEGIN",
                "ANALYZE TABLE saw",
                "UPDATE t SET v = v + 1 WHERE id = 1",
                "UPDATE t SET v = v - 1 WHERE id = 1",
                "COMMIT",
            ],
            buyer: &[
                "sql = \"SELECT v AS one FROM t WHERE id = 1\"\nsave = \"one\"",
                "sql = \"SELECT v AS two FROM t WHERE id = 1\"\nsave = \"two\"",
                "sql = \"INSERT INTO saw VALUES (:buyer)\"\nwhen = \"one != two\"",
            ],
            never: "SELECT buyer FROM saw",
            isolation: None,
        },
    ]);
}
