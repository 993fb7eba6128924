//! The footprint of a statement in rows, where its grammar says which rows it is about, and the database which values of
//! their columns differ. Where either is not known, none is given, and the statement is about whole tables.
//!
//! What a database locks beside the rows that a statement finds:
//!
//! | database | locks | source |
//! |---|---|---|
//! | PostgreSQL | a unique key's value that is inserted or deleted, until the transaction ends | manual, 64.5 |
//! | PostgreSQL | the key of a row that is referred to, against changes of the key; above read committed also other changes of the row count | manual, 13.3.2 |
//! | InnoDB | every row that it looks at, unless a unique key leads to one; and the gaps between them against new rows | MySQL manual, 15.7.3 |
//! | InnoDB | the row that is referred to, against every change | MySQL manual, 13.1.20.5 |

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Catalog, Reference, Table};
use super::effect::Effect;
use super::predicate::{Pins, ReadStatement, RowAccess};
use super::reading::{Reading, StatementKind};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{Facet, Footprint, Region, Resources, Rows};

/// Values of columns, written such that two that differ are written differently.
type Values = BTreeMap<String, String>;

/// The most tables that a footprint tells apart by number.
const MOST_TABLES: usize = 127;

fn reads(region: Region) -> Footprint {
    Footprint { reads: region, ..Footprint::NOTHING }
}

fn writes(region: Region) -> Footprint {
    Footprint { writes: region, ..Footprint::NOTHING }
}

fn adds(region: Region) -> Footprint {
    Footprint { adds: region, ..Footprint::NOTHING }
}

fn all(footprints: impl IntoIterator<Item = Footprint>) -> Footprint {
    footprints.into_iter().fold(Footprint::NOTHING, |all, one| all | one)
}

impl Table {
    fn values(&self, pins: &Pins) -> Values {
        let value = |(column, literal)| {
            let of: &super::columns::ColumnType = self.columns.get(column)?;
            Some((String::clone(column), of.canonical(literal)?))
        };
        pins.iter().filter_map(value).collect()
    }

    fn region(&self, facet: Facet, values: &Values) -> Region {
        Region::of_rows(Rows { table: self.number, facet, values: values.clone() })
    }

    /// The values of one of its keys among these; a column that has none may have any.
    fn of_key(&self, key: usize, values: &Values) -> Values {
        let of_key = |column: &String| self.keys[key].contains(column);
        values
            .iter()
            .filter(|(column, _)| of_key(column))
            .map(|(c, v)| (c.clone(), v.clone()))
            .collect()
    }

    fn has_whole_key(&self, key: usize, values: &Values) -> bool {
        self.keys[key].iter().all(|column| values.contains_key(column))
    }

    fn is_in_a_key(&self, column: &String) -> bool {
        self.keys.iter().any(|key| key.contains(column))
    }

    fn refers_by(&self, column: &String) -> bool {
        self.references.iter().any(|to| to.columns.iter().any(|(own, _)| own == column))
    }

    /// Whether it is known by which columns it refers to which tables.
    fn knows_references(&self) -> bool {
        self.parents == Resources::NONE || !self.references.is_empty()
    }

    /// Whether everything that a change of it can meet is known.
    fn is_known(&self) -> bool {
        !self.has_other_keys && self.number < MOST_TABLES && self.knows_references()
    }
}

impl Catalog {
    /// The footprint in rows of a statement with this access at this isolation level; none if it is not known.
    pub(super) fn row_footprint(
        &self,
        reading: &Reading,
        access: &RowAccess,
        isolation: Isolation,
    ) -> Option<Footprint> {
        let table = |name: &str| self.only(name).filter(|table| table.number < MOST_TABLES);
        match access {
            RowAccess::Finds(tables) => {
                let locks = reading.kind != StatementKind::Looks;
                let found = tables.iter().map(|(name, pins)| {
                    let table = table(name)?;
                    let values = table.values(pins);
                    let found = reads(table.region(Facet::Contents, &values));
                    Some(if locks { found | self.locking(table, &values) } else { found })
                });
                Some(all(found.collect::<Option<Vec<_>>>()?))
            }
            RowAccess::Updates { table: name, pins, sets } => {
                let table = table(name).filter(|table| table.is_known())?;
                let sets_a_key = |column| table.is_in_a_key(column) || table.refers_by(column);
                (!sets.iter().any(sets_a_key))
                    .then(|| self.update(table, &table.values(pins), sets))
            }
            RowAccess::Deletes { table: name, pins } => {
                let table = table(name).filter(|table| table.is_known())?;
                let is_alone = table.children == Resources::NONE;
                is_alone.then(|| self.delete(table, &table.values(pins)))
            }
            RowAccess::Inserts { table: name, columns, rows } => {
                let table = table(name).filter(|table| table.is_known())?;
                let inserts = rows.iter().map(|pins| self.insert(table, columns, pins, isolation));
                Some(all(inserts.collect::<Vec<_>>()))
            }
        }
    }

    /// The row to which a unique key leads, if it is all that a query reads or a change changes and this is its effect;
    /// and the name of its table.
    pub(super) fn row_of_key(
        &self,
        reading: &Reading,
        read: &ReadStatement,
        effect: &Effect,
    ) -> Option<(Rows, String)> {
        let (name, pins) = match &read.access {
            RowAccess::Finds(tables) if reading.kind == StatementKind::Looks => match &tables[..] {
                [(name, pins)] => (name, pins),
                _ => return None,
            },
            RowAccess::Updates { table: name, pins, sets } => {
                let table = self.only(name).filter(|table| table.is_known())?;
                let sets_a_key = |column| table.is_in_a_key(column) || table.refers_by(column);
                if sets.iter().any(sets_a_key) {
                    return None;
                }
                (name, pins)
            }
            _ => return None,
        };
        let table = self.only(name).filter(|table| table.number < MOST_TABLES)?;
        let values = table.values(pins);
        let key = (0..table.keys.len()).find(|key| table.has_whole_key(*key, &values))?;
        // With other conditions a query may be led there by another index, and does not meet the row for certain.
        let is_by_key_alone = read.conditions == table.keys[key].len();
        if reading.kind == StatementKind::Looks && !is_by_key_alone {
            return None;
        }
        let Footprint { reads, writes, adds } = &effect.by_table;
        let contents = reads.contents | writes.contents | adds.contents;
        (contents == table.own).then(|| {
            let values = table.of_key(key, &values);
            (Rows { table: table.number, facet: Facet::Notes, values }, name.clone())
        })
    }

    fn update(&self, table: &Table, values: &Values, sets: &BTreeSet<String>) -> Footprint {
        let mut after = values.clone();
        after.retain(|column, _| !sets.contains(column));
        reads(table.region(Facet::Contents, values))
            | writes(table.region(Facet::Contents, &after))
            | self.row_locks(table, values)
            | self.written_in_order(table, &after)
    }

    /// That rows with these values are written now, as those see it who see in which order rows were written.
    fn written_in_order(&self, table: &Table, values: &Values) -> Footprint {
        let seen = self.scans_of(table.number).into_iter().map(|(number, columns)| {
            let mut values = values.clone();
            values.retain(|column, _| columns.contains(column));
            writes(table.region(Facet::Order(number), &values))
        });
        all(seen)
    }

    /// Takes note of what a statement sees of the order of rows.
    pub(super) fn note_scans(&self, read: &ReadStatement) {
        let found = match &read.access {
            RowAccess::Finds(tables) => tables.iter().map(|(table, pins)| (table, pins)).collect(),
            RowAccess::Updates { table, pins, .. } | RowAccess::Deletes { table, pins } => {
                vec![(table, pins)]
            }
            RowAccess::Inserts { .. } => Vec::new(),
        };
        let is_alone = found.len() == 1;
        for (table, pins) in found {
            let Some(table) = self.only(table) else { continue };
            let values = table.values(pins);
            let leads_to_one = (0..table.keys.len()).any(|key| table.has_whole_key(key, &values));
            let is_sum = read
                .sums_up
                .as_ref()
                .is_some_and(|columns| !columns.iter().any(|name| table.generated.contains(name)));
            if !(is_sum || leads_to_one && is_alone) {
                self.note_scan(table.number, values.into_keys().collect());
            }
        }
    }

    fn delete(&self, table: &Table, values: &Values) -> Footprint {
        let found = table.region(Facet::Contents, values);
        let keys = (0..table.keys.len())
            .map(|key| writes(table.region(Facet::Keys(key), &table.of_key(key, values))));
        reads(found.clone()) | writes(found) | all(keys) | self.locking(table, values)
    }

    /// The locks of the rows that a statement changes, or would have changed.
    fn row_locks(&self, table: &Table, values: &Values) -> Footprint {
        if self.kind() == StoreKind::Postgres {
            return writes(table.region(Facet::Locks, values));
        }
        let leads_to_one = (0..table.keys.len()).any(|key| table.has_whole_key(key, values));
        let looked_at = if leads_to_one { values.clone() } else { Values::new() };
        writes(table.region(Facet::Locks, &looked_at))
            | reads(table.region(Facet::Gaps, &Values::new()))
    }

    /// The same, and the locks of their keys, against those who refer to them.
    fn locking(&self, table: &Table, values: &Values) -> Footprint {
        let keys = (0..table.keys.len())
            .map(|key| writes(table.region(Facet::KeyLocks(key), &table.of_key(key, values))));
        self.row_locks(table, values) | all(keys)
    }

    fn insert(
        &self,
        table: &Table,
        columns: &[String],
        pins: &Pins,
        isolation: Isolation,
    ) -> Footprint {
        let values = table.values(pins);
        let is_given = |column: &String| !columns.contains(column);
        let mut footprint = adds(table.region(Facet::Contents, &values));
        for (key, of) in table.keys.iter().enumerate() {
            let values = table.of_key(key, &values);
            let (contents, locks) = (
                table.region(Facet::Keys(key), &values),
                table.region(Facet::KeyLocks(key), &values),
            );
            let is_fresh =
                of.iter().any(|column| is_given(column) && table.generated.contains(column));
            footprint = footprint
                | match is_fresh {
                    // Two values that the database gives never meet, but one of them may meet one that is given to it.
                    true => adds(contents) | adds(locks),
                    false => reads(contents.clone()) | adds(contents) | writes(locks),
                };
        }
        footprint = footprint | self.written_in_order(table, &values);
        if self.kind() != StoreKind::Postgres {
            let gaps = table.region(Facet::Gaps, &Values::new());
            footprint =
                footprint | writes(table.region(Facet::Locks, &values)) | adds(gaps.clone());
            // Who meets a value of a secondary key that is there locks the gap before it.
            if table.keys.len() > 1 {
                footprint = footprint | reads(gaps);
            }
        }
        let refers = |reference| self.referring(reference, pins, isolation);
        let referred = table.references.iter().map(refers);
        footprint | all(referred.collect::<Vec<_>>())
    }

    /// What a row with these values meets of the table that it refers to.
    fn referring(&self, reference: &Reference, pins: &Pins, isolation: Isolation) -> Footprint {
        let Some(parent) = self.only(&reference.parent) else { return Footprint::everything() };
        let mut its_pins = Pins::new();
        for (own, its) in &reference.columns {
            its_pins.extend(pins.get(own).map(|value| (its.clone(), value.clone())));
        }
        let values = parent.values(&its_pins);
        let is_key = |key: &Vec<String>| {
            key.len() == reference.columns.len()
                && reference.columns.iter().all(|(_, its)| key.contains(its))
        };
        let Some(key) = parent.keys.iter().position(is_key) else { return Footprint::everything() };
        let of_key = reads(parent.region(Facet::Keys(key), &values))
            | reads(parent.region(Facet::KeyLocks(key), &values));
        let is_by_key_alone =
            self.kind() == StoreKind::Postgres && isolation == Isolation::ReadCommitted;
        match is_by_key_alone {
            true => of_key,
            false => {
                of_key
                    | reads(parent.region(Facet::Contents, &values))
                    | reads(parent.region(Facet::Locks, &values))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::tests::shop;
    use super::super::transactions::{StatementOutcome, TransactionTracker};
    use super::*;

    /// A shop in which products, orders and lines of orders have rows that can be told apart.
    fn rows(kind: StoreKind) -> Catalog {
        let more = [
            ["column", "product", "id:int"],
            ["column", "product", "sku:text"],
            ["column", "product", "stock:int"],
            ["key", "product", "sku"],
            ["column", "order", "id:int"],
            ["generated", "order", "id"],
            ["column", "order", "buyer:int"],
            ["column", "order", "product_id:int"],
            ["key", "order", "id"],
            ["refers", "order", "product|product_id=id"],
            ["table", "session", ""],
            ["column", "session", "id:text"],
            ["column", "session", "seen:int"],
            ["key", "session", "id"],
        ];
        shop(kind, &more)
    }

    /// The footprint of the last of these statements, run one after the other in one session.
    fn last(kind: StoreKind, usual: Isolation, texts: &[&str]) -> Footprint {
        let shop = rows(kind);
        let mut transactions = TransactionTracker::of(kind, usual);
        let mut footprint = Footprint::NOTHING;
        for text in texts {
            let reading = shop.read(text);
            let frame = transactions.frame(&reading);
            let (own, _) = shop.effect_on_rows(&reading, Some(text), transactions.isolation());
            footprint = transactions.effect(frame, &reading, own.clone()).footprint;
            transactions.note(frame, &reading, &own, StatementOutcome::Done);
        }
        footprint
    }

    fn meet(kind: StoreKind, one: &[&str], other: &[&str]) -> bool {
        let of = |texts| last(kind, Isolation::ReadCommitted, texts);
        of(one).conflicts_with(of(other))
    }

    const BOTH: [StoreKind; 2] = [StoreKind::Postgres, StoreKind::Mysql];
    const TAKES_1: &str = "UPDATE product SET stock = stock - 1 WHERE id = 1 AND stock > 0";
    const TAKES_2: &str = "UPDATE product SET stock = stock - 1 WHERE id = 2 AND stock > 0";

    #[test]
    fn changes_of_different_rows_are_independent_and_of_the_same_row_are_not() {
        for kind in BOTH {
            assert!(!meet(kind, &[TAKES_1], &[TAKES_2]), "{kind}");
            assert!(meet(kind, &[TAKES_1], &[TAKES_1]), "{kind}");
            assert!(meet(kind, &["BEGIN", TAKES_1], &["BEGIN", TAKES_1, "COMMIT"]), "{kind}");
            assert!(!meet(kind, &["BEGIN", TAKES_1], &["BEGIN", TAKES_2, "COMMIT"]), "{kind}");
        }
    }

    #[test]
    fn a_query_meets_the_commit_of_a_change_of_a_row_that_it_may_find() {
        let commit = ["BEGIN", TAKES_1, "COMMIT"];
        for kind in BOTH {
            for (query, meets) in [
                ("SELECT stock FROM product WHERE id = 1", true),
                ("SELECT stock FROM product WHERE id = 2", false),
                ("SELECT count(*) FROM product", true),
                ("SELECT stock FROM product WHERE id = 2 OR id = 1", true),
                ("SELECT stock FROM product WHERE id = 2 AND id IN (SELECT 1)", true),
                ("SELECT stock FROM product WHERE id = abs(2)", true),
            ] {
                assert_eq!(meet(kind, &[query], &commit), meets, "{kind}: {query}");
            }
        }
    }

    #[test]
    fn a_row_that_a_change_moves_out_of_sight_or_into_it_is_a_row_that_is_read() {
        let moves = ["BEGIN", "UPDATE product SET stock = 7 WHERE id = 1", "COMMIT"];
        for kind in BOTH {
            for query in
                ["SELECT id FROM product WHERE stock = 7", "SELECT id FROM product WHERE stock = 1"]
            {
                assert!(meet(kind, &[query], &moves), "{kind}: {query}");
            }
        }
    }

    #[test]
    fn a_subquery_reads_the_whole_table_of_the_statement_that_it_stands_in() {
        let insert = "INSERT INTO session (id, seen) VALUES ('b', 1)";
        for kind in BOTH {
            for text in [
                "UPDATE session SET seen = (SELECT max(seen) FROM session) WHERE id = 'a'",
                "DELETE FROM session WHERE id = 'a' AND 1 > (SELECT count(*) FROM session)",
                "INSERT INTO session (id, seen) VALUES ('a', (SELECT count(*) FROM session))",
            ] {
                assert!(meet(kind, &[text], &[insert]), "{kind}: {text}");
            }
        }
    }

    #[test]
    fn a_new_row_is_a_row_that_a_query_reads_if_it_may_find_it() {
        let insert = |kind, query: &str| {
            let text = "INSERT INTO session (id, seen) VALUES ('a', 1)";
            meet(kind, &[query], &[text])
        };
        for kind in BOTH {
            assert!(insert(kind, "SELECT count(*) FROM session"), "{kind}");
            assert!(insert(kind, "SELECT seen FROM session WHERE id = 'a'"), "{kind}");
            assert!(insert(kind, "SELECT id FROM session WHERE seen = 1"), "{kind}");
            assert!(!insert(kind, "SELECT seen FROM session WHERE id = 'b'"), "{kind}");
        }
    }

    #[test]
    fn inserts_meet_in_a_unique_key_whatever_else_differs() {
        let insert = |id: u32, sku: &str| {
            format!("INSERT INTO product (id, sku, stock) VALUES ({id}, '{sku}', 1)")
        };
        let meet =
            |one: &str, other: &str| meet(StoreKind::Postgres, &["BEGIN", one], &["BEGIN", other]);
        assert!(!meet(&insert(1, "a"), &insert(2, "b")));
        assert!(meet(&insert(1, "a"), &insert(1, "b")));
        assert!(meet(&insert(1, "a"), &insert(2, "a")));
        assert!(meet(&insert(1, "a"), "INSERT INTO product (id, sku) VALUES (2, lower('A'))"));
        assert!(meet(&insert(1, "a"), "INSERT INTO product (id, sku) VALUES (2, NULL)"));
        assert!(meet(&insert(1, "a"), "DELETE FROM product WHERE sku = 'a'"));
    }

    #[test]
    fn the_order_of_two_new_rows_matters_where_a_statement_sees_both_and_their_order() {
        for (query, matters) in [
            ("SELECT id FROM \"order\" LIMIT 1", true),
            ("SELECT buyer FROM \"order\" WHERE product_id = 1", true),
            ("SELECT max(id) FROM \"order\"", true),
            ("UPDATE \"order\" SET sent = 1", true),
            ("SELECT id FROM \"order\" WHERE (SELECT 1) = 1", true),
            ("SELECT buyer FROM \"order\" WHERE buyer = 1", false),
            ("SELECT buyer FROM \"order\" WHERE id = 7", false),
            ("SELECT count(*) FROM \"order\"", false),
            ("SELECT stock FROM product", false),
        ] {
            let shop = rows(StoreKind::Postgres);
            let of = |text: &str| {
                shop.effect_on_rows(&shop.read(text), Some(text), Isolation::ReadCommitted).0
            };
            of(query);
            let insert = |buyer: u32| {
                let text = format!("INSERT INTO \"order\" (buyer, product_id) VALUES ({buyer}, 1)");
                of(&text).before_the_end()
            };
            assert_eq!(insert(1).conflicts_with(insert(2)), matters, "{query}");
        }
    }

    #[test]
    fn the_audit_sees_the_order_of_rows_only_where_it_asks_for_it() {
        for (question, sees) in [
            ("SELECT buyer FROM \"order\"", false),
            ("SELECT count(*) FROM \"order\"", false),
            ("SELECT * FROM \"order\"", true),
            ("SELECT id FROM \"order\"", true),
            ("SELECT buyer FROM \"order\" LIMIT 1", true),
            ("SELECT string_agg(note, ',') FROM \"order\"", true),
        ] {
            let shop = rows(StoreKind::Postgres);
            shop.note_question(question);
            assert_eq!(shop.scans() > 0, sees, "{question}");
        }
    }

    #[test]
    fn a_reference_meets_a_change_of_the_key_in_postgres_and_of_the_row_in_innodb() {
        let refers = ["BEGIN", "INSERT INTO \"order\" (buyer, product_id) VALUES (1, 1)"];
        assert!(!meet(StoreKind::Postgres, &refers, &["BEGIN", TAKES_1]));
        assert!(meet(StoreKind::Mysql, &refers, &["BEGIN", TAKES_1]));
        for kind in BOTH {
            assert!(!meet(kind, &refers, &["BEGIN", TAKES_2]), "{kind}");
            let locks = "SELECT stock FROM product WHERE id = 1 FOR UPDATE";
            assert!(meet(kind, &refers, &["BEGIN", locks]), "{kind}");
            assert!(
                meet(kind, &refers, &["BEGIN", "UPDATE product SET id = 3 WHERE id = 1"]),
                "{kind}"
            );
            assert!(meet(kind, &refers, &["DELETE FROM product WHERE id = 1"]), "{kind}");
        }
    }

    #[test]
    fn above_read_committed_a_reference_in_postgres_meets_other_changes_of_the_row_too() {
        use Isolation::{ReadCommitted, RepeatableRead};
        let refers = "INSERT INTO \"order\" (buyer, product_id) VALUES (1, 1)";
        for (usual, before, meets) in [
            (ReadCommitted, &["BEGIN"][..], false),
            (RepeatableRead, &["BEGIN"], true),
            (ReadCommitted, &["BEGIN ISOLATION LEVEL REPEATABLE READ"], true),
            (ReadCommitted, &["BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"], true),
            (RepeatableRead, &["BEGIN ISOLATION LEVEL READ COMMITTED"], false),
        ] {
            // The first statement takes the snapshot, and meets everything for that reason.
            let texts: Vec<&str> =
                before.iter().copied().chain(["SELECT 1 FROM session", refers]).collect();
            let insert = last(StoreKind::Postgres, usual, &texts);
            let commit = last(StoreKind::Postgres, ReadCommitted, &["BEGIN", TAKES_1, "COMMIT"]);
            assert_eq!(insert.conflicts_with(commit), meets, "{usual}: {before:?}");
        }
    }

    #[test]
    fn a_session_that_makes_itself_serializable_has_its_rows_told_apart_no_more() {
        let raise = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE";
        let of = |texts: &[&str]| last(StoreKind::Postgres, Isolation::ReadCommitted, texts);
        assert!(!of(&[TAKES_1]).conflicts_with(of(&[TAKES_2])));
        assert!(of(&[raise, TAKES_1]).conflicts_with(of(&[TAKES_2])), "not in a transaction, too");
    }

    #[test]
    fn innodb_locks_what_it_looks_at_unless_a_unique_key_leads_to_one_row() {
        let by_stock = ["BEGIN", "UPDATE product SET stock = 0 WHERE stock = 1"];
        let other = ["BEGIN", "UPDATE product SET stock = 0 WHERE id = 1 AND stock = 2"];
        let in_postgres = ["BEGIN", "UPDATE product SET sku2 = 0 WHERE stock = 1"];
        assert!(meet(StoreKind::Mysql, &by_stock, &other));
        assert!(!meet(StoreKind::Postgres, &in_postgres, &other));
        let insert = ["BEGIN", "INSERT INTO session (id, seen) VALUES ('a', 1)"];
        let gap = ["BEGIN", "UPDATE session SET seen = 2 WHERE id = 'b'"];
        assert!(meet(StoreKind::Mysql, &insert, &gap), "it may lock the gap before the row");
        assert!(!meet(StoreKind::Postgres, &insert, &gap));
    }

    #[test]
    fn what_postgres_notes_of_one_row_is_the_same_whoever_comes_first_and_of_other_rows_it_is_not()
    {
        let after_a_look = |text| {
            let texts = ["BEGIN", "SELECT 1 FROM session", text];
            last(StoreKind::Postgres, Isolation::Serializable, &texts)
        };
        let query = "SELECT stock FROM product WHERE id = 1";
        for (query, change, meets) in [
            (query, TAKES_1, false),
            (query, TAKES_2, true),
            (query, "UPDATE product SET sku = 'b' WHERE id = 1", true),
            (query, "DELETE FROM product WHERE id = 1", true),
            (query, "INSERT INTO product (id, sku, stock) VALUES (1, 'a', 1)", true),
            (query, "UPDATE product SET stock = 0", true),
            ("SELECT stock FROM product WHERE id = 1 AND stock > 0", TAKES_1, true),
            ("SELECT stock FROM product WHERE id = 1 AND id = 1", TAKES_1, true),
            ("SELECT stock FROM product WHERE sku = 'a'", TAKES_1, true),
            ("SELECT stock FROM product WHERE id = 1 OR id = 2", TAKES_1, true),
            ("SELECT stock FROM product WHERE id = 1 FOR UPDATE", TAKES_1, true),
            ("SELECT count(*) FROM product", TAKES_1, true),
        ] {
            let (query_footprint, change_footprint) = (after_a_look(query), after_a_look(change));
            assert_eq!(
                query_footprint.conflicts_with(&change_footprint),
                meets,
                "{query}; {change}"
            );
            let beside = query_footprint.beside_a_commit();
            assert!(beside.conflicts_with(change_footprint.beside_a_commit()), "{query}; {change}");
        }
        assert!(after_a_look(TAKES_1).conflicts_with(after_a_look(TAKES_1)), "its lock");
        assert!(after_a_look(TAKES_1).conflicts_with(after_a_look(TAKES_2)), "pages");
    }

    #[test]
    fn what_is_not_known_of_a_table_makes_it_one_whole() {
        for more in [
            &[["other key", "product", ""]][..],
            &[["reference", "product", "voucher"]],
            &[["code", "on_change", ""]],
            &[["at once", "product", ""]],
        ] {
            let shop =
                shop(StoreKind::Postgres, &[&[["column", "product", "id:int"]], more].concat());
            let of = |text| {
                shop.effect_on_rows(&shop.read(text), Some(text), Isolation::ReadCommitted)
                    .0
                    .footprint
            };
            assert!(of(TAKES_1).conflicts_with(of(TAKES_2)), "{more:?}");
        }
    }
}
