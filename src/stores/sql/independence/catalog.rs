//! What a database says of its tables, views, references and code, and what a statement therefore touches.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::reading::{Reading, StatementKind};
use super::transactions::{TransactionEffect, TransactionTracker};
use super::witness::Witness;
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{Footprint, Resources};

/// Tables, and what happens behind statements that name them.
#[derive(Clone, Debug, Default)]
pub(in crate::stores::sql) struct Catalog {
    kind: StoreKind,
    /// The isolation level of transactions that name none.
    isolation: Isolation,
    /// The tables, followed by the views whose tables are known.
    tables: Vec<Table>,
    /// How many of these are tables and not views.
    real: usize,
    /// The names of all views, whether or not it is known what they read.
    views: Vec<String>,
    /// Whether code runs that no statement names: triggers, rules, defaults that call a function.
    runs_code: bool,
    /// Functions that may change rows, with their text: those that were written for this database.
    functions: Vec<(String, String)>,
    /// Functions of the server's own that may do more than compute.
    volatile: Vec<String>,
    /// The readings of the statements that were known beforehand.
    readings: BTreeMap<String, Reading>,
}

/// A table, and what else a change of it touches.
#[derive(Clone, Debug)]
struct Table {
    name: String,
    own: Resources,
    /// Tables that it refers to, and those that refer to it: whose rows are locked, read or changed along with its own.
    with: Resources,
    /// The tables that it refers to, whose rows must exist.
    parents: Resources,
    /// The tables that refer to it, whose rows may be deleted or changed along with its own.
    children: Resources,
    /// The tables among `children` whose rows change along with a key.
    followers: Resources,
    /// Its unique keys: the columns of each.
    keys: Vec<Vec<String>>,
}

impl Table {
    fn new(name: &str, own: Resources) -> Self {
        Self {
            name: name.to_owned(),
            own,
            with: own,
            parents: Resources::NONE,
            children: Resources::NONE,
            followers: Resources::NONE,
            keys: Vec::new(),
        }
    }

    /// A view touches what each of its tables touches.
    fn also(&mut self, other: &Self) {
        self.own = self.own | other.own;
        self.with = self.with | other.with;
        self.parents = self.parents | other.parents;
        self.children = self.children | other.children;
        self.followers = self.followers | other.followers;
        self.keys.clear();
    }
}

/// A row of what the database says: what it is, its name, and what it refers to.
struct Thing {
    what: String,
    name: String,
    other: String,
}

impl Catalog {
    /// The catalog of a database of which nothing is known yet.
    pub(in crate::stores::sql) fn unknown(kind: StoreKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Reads the answer to `room_parts.sql`. Statements that name no level run at the highest that any of `texts`
    /// names. Tables are counted from `first` on.
    pub(in crate::stores::sql) fn of<'t>(
        kind: StoreKind,
        parts: &Answer,
        usual: Isolation,
        texts: impl Iterator<Item = &'t str>,
        first: usize,
    ) -> Self {
        let things: Vec<Thing> = parts.rows.iter().map(|row| thing(row)).collect();
        let of = |what: &'static str| things.iter().filter(move |thing| thing.what == what);
        let mut tables: Vec<Table> = of("table")
            .enumerate()
            .map(|(place, table)| Table::new(&table.name, Resources::table(first + place)))
            .collect();
        for Thing { name, other, .. } in of("key") {
            let columns: Vec<String> = other.split(',').map(str::to_owned).collect();
            let of_name = tables.iter_mut().filter(|table| table.name == *name);
            of_name.for_each(|table| table.keys.push(columns.clone()));
        }
        refer(&mut tables, &things);
        let real = tables.len();
        add_views(&mut tables, &things);
        let dialect = kind.dialect();
        let readings: BTreeMap<String, Reading> =
            texts.map(|text| (text.to_owned(), Reading::of(dialect, text))).collect();
        let levels = readings.values().filter_map(|reading| reading.level);
        Self {
            kind,
            isolation: levels.chain([usual]).max().unwrap_or(usual),
            tables,
            real,
            views: of("view").map(|view| view.name.clone()).collect(),
            runs_code: of("code").next().is_some(),
            functions: of("function").map(|f| (f.name.clone(), f.other.clone())).collect(),
            volatile: of("volatile").map(|f| f.name.clone()).collect(),
            readings,
        }
    }

    /// Which store the database is.
    pub(in crate::stores::sql) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Reads a statement in the dialect of this database.
    pub(in crate::stores::sql) fn read(&self, text: &str) -> Cow<'_, Reading> {
        match self.readings.get(text) {
            Some(reading) => Cow::Borrowed(reading),
            None => Cow::Owned(Reading::of(self.kind.dialect(), text)),
        }
    }

    /// Whether there is code that was written for this database, named or not.
    pub(in crate::stores::sql) fn has_code(&self) -> bool {
        self.runs_code || !self.functions.is_empty()
    }

    /// The texts of functions that run, or may run, behind this statement.
    pub(super) fn code_behind(&self, reading: &Reading) -> Vec<&str> {
        let calls = self.functions.iter().any(|(name, _)| reading.functions.contains(name));
        match self.runs_code || calls {
            true => self.functions.iter().map(|(_, text)| text.as_str()).collect(),
            false => Vec::new(),
        }
    }

    /// Whether a statement runs code that was written for this database.
    pub(super) fn calls_code(&self, reading: &Reading) -> bool {
        self.runs_code || self.functions.iter().any(|(name, _)| reading.functions.contains(name))
    }

    /// Whether this is a table, or a view whose tables are known.
    fn knows(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table.name == name)
    }

    /// Whether every table that a statement names was there when triggers were put on tables, itself or behind a view.
    pub(super) fn were_all_there(&self, reading: &Reading) -> bool {
        reading
            .knows_relations(|name| self.knows(name) || self.views.iter().any(|view| view == name))
    }

    /// Whether it is understood what a statement does and which tables it names.
    fn is_understood(&self, reading: &Reading) -> bool {
        let is_volatile = reading.functions.iter().any(|name| self.volatile.contains(name));
        let changes_nothing_known =
            reading.kind == StatementKind::Changes && reading.relations.is_empty();
        reading.kind != StatementKind::Unknown
            && !is_volatile
            && !changes_nothing_known
            && !self.calls_code(reading)
            && reading.knows_relations(|name| self.knows(name))
    }

    fn named(&self, reading: &Reading) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| reading.words.contains(&table.name))
    }

    /// What a statement touches by itself.
    pub(in crate::stores::sql) fn touches(&self, reading: &Reading) -> Footprint {
        if reading.is_frame() || reading.kind == StatementKind::Sets {
            return Footprint::NOTHING;
        }
        if !self.is_understood(reading) {
            return Footprint::writing(Resources::ALL);
        }
        let all = |of: fn(&Table) -> Resources| {
            self.named(reading).fold(Resources::NONE, |all, table| all | of(table))
        };
        if reading.kind == StatementKind::Looks {
            return Footprint::reading(all(|table| table.own));
        }
        // InnoDB locks the referenced rows, so that no other session can change them.
        if self.kind != StoreKind::Postgres {
            return Footprint::writing(all(|table| table.with));
        }
        // PostgreSQL only locks their keys against changes.
        let refers = Footprint::reading(all(|table| table.parents));
        match reading.verb.as_str() {
            "insert" | "select" => Footprint::writing(all(|table| table.own)) | refers,
            "update" => Footprint::writing(all(|table| table.own | table.followers)) | refers,
            _ => Footprint::writing(all(|table| table.own | table.children)) | refers,
        }
    }

    /// Whether the server may be asked which tables a statement opens: not for a statement that touches everything
    /// anyway, nor where explaining it might run something.
    pub(in crate::stores::sql) fn may_ask_for(&self, reading: &Reading) -> bool {
        !reading.is_frame() && reading.kind != StatementKind::Sets && self.is_understood(reading)
    }

    /// What a statement touches as the server says, beside what its words say. A table that is not known here counts as
    /// every table.
    pub(in crate::stores::sql) fn opened(
        &self,
        reading: &Reading,
        text: &str,
        witness: &Witness,
    ) -> Footprint {
        if !self.may_ask_for(reading) {
            return Footprint::NOTHING;
        }
        let opened = witness.opens(self.kind.dialect(), text);
        opened.iter().fold(Footprint::NOTHING, |all, opened| {
            let name = opened.table.to_lowercase();
            let of_name = self.tables.iter().filter(|table| table.name == name);
            let parts = match self.knows(&name) {
                true => of_name.fold(Resources::NONE, |parts, table| parts | table.own),
                false => Resources::ALL,
            };
            all | match opened.changes {
                true => Footprint::writing(parts),
                false => Footprint::reading(parts),
            }
        })
    }

    /// What a statement touches when it begins, if it touches `touches` in all: in PostgreSQL it takes its snapshot and
    /// is held before it locks a row; in InnoDB it has locked the first row that it changes.
    pub(in crate::stores::sql) fn begins(
        &self,
        reading: &Reading,
        transactions: &TransactionTracker,
        touches: Footprint,
    ) -> Footprint {
        if self.kind != StoreKind::Postgres {
            return touches;
        }
        let reads = match self.is_understood(reading) {
            true => self.named(reading).fold(Resources::NONE, |all, table| all | table.own),
            false => Resources::ALL,
        };
        transactions.touches(TransactionEffect::GoesOn, reading, Footprint::reading(reads))
    }

    /// Whether the statement can change one row at most, because its `WHERE` names every column of a unique key.
    pub(super) fn is_of_one_row(&self, reading: &Reading) -> bool {
        let [relation] = &reading.relations[..] else { return false };
        let named: Vec<&Table> =
            self.tables.iter().filter(|table| table.name == *relation).collect();
        let [table] = named[..] else { return false };
        table.keys.iter().any(|key| key.iter().all(|column| reading.pins.contains(column)))
    }

    /// The names of the tables, in the order of their numbers.
    pub(in crate::stores::sql) fn names(&self) -> Vec<String> {
        self.tables[..self.real].iter().map(|table| table.name.clone()).collect()
    }

    /// The isolation level of transactions that name none.
    pub(in crate::stores::sql) fn isolation(&self) -> Isolation {
        self.isolation
    }
}

fn thing(row: &[StoreValue]) -> Thing {
    let word = |place: usize| row.get(place).map_or(String::new(), StoreValue::text);
    Thing { what: word(0), name: word(1).to_lowercase(), other: word(2).to_lowercase() }
}

/// Adds the references between tables, direct and indirect: a change of one table may change each table that refers to
/// it, and so on.
fn refer(tables: &mut [Table], things: &[Thing]) {
    let refers = |thing: &&Thing| matches!(thing.what.as_str(), "reference" | "following");
    for _ in 0..tables.len() {
        for Thing { what, name: child, other: parent } in things.iter().filter(refers) {
            let place = |name: &str| tables.iter().position(|table| table.name == name);
            let (Some(child), Some(parent)) = (place(child), place(parent)) else { continue };
            let Table { own, with, children, followers, .. } = tables[child].clone();
            let both = own | tables[parent].own;
            let above = &mut tables[parent];
            above.with = above.with | with;
            above.children = above.children | own | children;
            if what == "following" {
                above.followers = above.followers | own | followers;
            }
            let parent = above.own;
            tables[child].with = tables[child].with | both;
            tables[child].parents = tables[child].parents | parent;
        }
    }
}

/// Adds the views. A view may read other views, so this takes as many rounds as there are views.
fn add_views(tables: &mut Vec<Table>, things: &[Thing]) {
    let views: Vec<&Thing> = things.iter().filter(|thing| thing.what == "view").collect();
    for _ in 0..views.len() {
        for Thing { name: view, other: base, .. } in &views {
            let named = |name: &str| tables.iter().position(|table| table.name == name);
            let Some(base) = named(base).map(|place| tables[place].clone()) else { continue };
            match named(view) {
                Some(place) => tables[place].also(&base),
                None => tables.push(Table { name: view.clone(), keys: Vec::new(), ..base }),
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::OpenedTable;
    use super::*;
    use crate::base::text::sql::Dialect;

    /// A shop with three tables, in which orders refer to products.
    pub(in super::super) fn shop(kind: StoreKind, more: &[[&str; 3]]) -> Catalog {
        let text = |word: &&str| StoreValue::Text((*word).into());
        let things = [
            ["table", "Product", ""],
            ["table", "order", ""],
            ["table", "voucher", ""],
            ["key", "product", "id"],
            ["reference", "order", "product"],
        ];
        let rows = things.iter().chain(more).map(|row| row.iter().map(text).collect());
        let parts = Answer::found(Vec::new(), rows.collect());
        Catalog::of(kind, &parts, Isolation::ReadCommitted, std::iter::empty(), 0)
    }

    fn postgres(more: &[[&str; 3]]) -> impl Fn(&str) -> Footprint {
        let shop = shop(StoreKind::Postgres, more);
        move |text| shop.touches(&shop.read(text))
    }

    #[test]
    fn queries_of_whatever_table_do_not_disturb_each_other_and_changes_of_the_same_do() {
        let touches = postgres(&[]);
        let look = touches("SELECT stock FROM product WHERE id = :item");
        let change = touches("UPDATE product SET stock = 0");
        let voucher = touches("UPDATE voucher SET used = 1");
        assert!(!look.conflicts_with(look));
        assert!(look.conflicts_with(change));
        assert!(change.conflicts_with(change));
        assert!(!change.conflicts_with(voucher));
        assert!(!look.conflicts_with(voucher));
    }

    #[test]
    fn a_change_has_to_do_with_what_refers_to_it_and_what_it_refers_to() {
        let touches = postgres(&[]);
        let order = touches("INSERT INTO \"order\" VALUES (1)");
        assert!(!order.conflicts_with(touches("SELECT * FROM product")));
        assert!(order.conflicts_with(touches("UPDATE product SET stock = 0")));
        assert!(touches("DELETE FROM product").conflicts_with(touches("SELECT * FROM \"order\"")));
        assert!(!order.conflicts_with(touches("SELECT * FROM voucher")));
    }

    #[test]
    fn what_the_server_says_that_a_statement_opens_counts_beside_its_words() {
        let shop = shop(StoreKind::Postgres, &[]);
        let (asked, text) = ("SELECT used FROM voucher", "SELECT used FROM voucher");
        let says = |table: &str, changes| {
            let opened = vec![OpenedTable { table: table.into(), changes }];
            let witness = Witness::of(Dialect::Postgres, [asked].into_iter(), |_| opened.clone());
            shop.opened(&shop.read(text), text, &witness)
        };
        let change = shop.touches(&shop.read("UPDATE product SET stock = 0"));
        let look = shop.touches(&shop.read("SELECT stock FROM product"));
        assert!(!shop.touches(&shop.read(text)).conflicts_with(change));
        assert!(says("Product", false).conflicts_with(change));
        assert!(!says("Product", false).conflicts_with(look));
        assert!(says("Product", true).conflicts_with(look));
        assert!(!says("elsewhere", false).conflicts_with(look));
        assert!(says("elsewhere", false).conflicts_with(change));
        assert!(says("elsewhere", true).conflicts_with(look));
    }

    #[test]
    fn a_query_that_locks_is_more_than_a_look() {
        let touches = postgres(&[]);
        let locks = touches("SELECT 1 FROM product FOR UPDATE");
        assert!(locks.conflicts_with(touches("SELECT 1 FROM product")));
        let advisory = touches("SELECT pg_advisory_xact_lock(1)");
        assert!(advisory.conflicts_with(touches("SELECT 1 FROM voucher")));
    }

    #[test]
    fn where_code_runs_behind_statements_each_touches_everything() {
        let touches = postgres(&[["code", "on_insert", ""]]);
        assert!(
            touches("SELECT 1 FROM product").conflicts_with(touches("UPDATE voucher SET used = 1"))
        );
    }

    #[test]
    fn a_statement_that_names_an_unknown_table_touches_everything() {
        let touches = postgres(&[]);
        let voucher = touches("UPDATE voucher SET used = 1");
        for text in [
            "SELECT 1 FROM elsewhere",
            "SELECT 1 FROM product, elsewhere",
            "SELECT 1 FROM U&\"pr\\006fduct\"",
            "SELECT E'it\\'s' FROM elsewhere",
            "INSERT INTO elsewhere SELECT 1",
            "UPDATE public.elsewhere SET a = 1",
            "SELECT refund(1)",
        ] {
            let is_function = text.contains("refund");
            let touches = match is_function {
                true => postgres(&[["function", "refund", "BEGIN END"]])(text),
                false => touches(text),
            };
            assert!(touches.conflicts_with(voucher), "{text}");
        }
        assert!(!touches("SELECT 1 FROM public.product").conflicts_with(voucher));
        assert!(
            touches("SELECT 1 FROM public.Product")
                .conflicts_with(touches("DELETE FROM \"product\""))
        );
    }

    #[test]
    fn a_query_of_a_view_reads_the_tables_of_the_view() {
        let views = [["view", "cheap", "shown"], ["view", "shown", "product"]];
        let touches = postgres(&views);
        let look = touches("SELECT * FROM cheap");
        assert!(look.conflicts_with(touches("UPDATE product SET stock = 0")));
        assert!(!look.conflicts_with(touches("UPDATE voucher SET used = 1")));
        assert_eq!(shop(StoreKind::Postgres, &views).names(), ["product", "order", "voucher"]);
    }

    #[test]
    fn one_row_at_most_is_changed_where_a_unique_key_is_named() {
        let shop = shop(StoreKind::Postgres, &[]);
        let is_one = |text| shop.is_of_one_row(&shop.read(text));
        assert!(is_one("UPDATE product SET stock = stock - 1 WHERE id = 1 AND stock > 0"));
        assert!(!is_one("UPDATE product SET stock = stock - 1 WHERE stock > 0"));
        assert!(!is_one("UPDATE product SET stock = 0 WHERE id > 1"));
        assert!(!is_one("UPDATE voucher SET used = 1 WHERE id = 1"));
    }
}
