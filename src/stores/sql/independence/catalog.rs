//! What a database says of its tables, views, references and code, and what a statement therefore touches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::ColumnType;
use super::effect::Effect;
use super::predicate::{ReadStatement, read_statement};
use super::reading::{Reading, StatementKind};
use super::scans::Scans;
use super::transactions::{TransactionEffect, TransactionTracker};
use super::witness::Witness;
use crate::base::memo::Memo;
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{Footprint, Resources};
use crate::stores::remote::Scan;

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
    /// Whether triggers may be put off until the transaction commits.
    defers_code: bool,
    /// Whether two names differ in their case alone, which is not told apart here.
    has_twins: bool,
    /// Functions that may change rows, with their text: those that were written for this database.
    functions: Vec<(String, String)>,
    /// Functions of the server's own that may do more than compute.
    volatile: Vec<String>,
    /// The readings of statements.
    readings: Memo<Reading>,
    /// What statements with their values find and change.
    accesses: Memo<Option<ReadStatement>>,
    /// Who can see in which order rows were written.
    scans: Scans,
}

/// A table, and what else a change of it touches.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Its number among all tables.
    pub(super) number: usize,
    pub(super) own: Resources,
    /// Tables that it refers to, and those that refer to it: whose rows are locked, read or changed along with its own.
    with: Resources,
    /// The tables that it refers to, whose rows must exist.
    pub(super) parents: Resources,
    /// The tables that refer to it, whose rows may be deleted or changed along with its own.
    pub(super) children: Resources,
    /// The tables among `children` whose rows change along with a key.
    followers: Resources,
    /// Its unique keys: the columns of each.
    pub(super) keys: Vec<Vec<String>>,
    /// Whether it has other keys: of a part of its rows, or of what is computed from them.
    pub(super) has_other_keys: bool,
    /// Its columns whose values can be told apart.
    pub(super) columns: BTreeMap<String, ColumnType>,
    /// Its columns to which the database gives one value after the other.
    pub(super) generated: Vec<String>,
    /// What it refers to.
    pub(super) references: Vec<Reference>,
    /// Whether others see its changes before they are committed.
    is_at_once: bool,
}

/// What a table refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) parent: String,
    /// Its own columns, and those of the other table with the same values.
    pub(super) columns: Vec<(String, String)>,
}

impl Table {
    fn new(name: &str, number: usize) -> Self {
        let own = Resources::table(number);
        Self {
            name: name.to_owned(),
            number,
            own,
            with: own,
            parents: Resources::NONE,
            children: Resources::NONE,
            followers: Resources::NONE,
            keys: Vec::new(),
            has_other_keys: false,
            columns: BTreeMap::new(),
            generated: Vec::new(),
            references: Vec::new(),
            is_at_once: false,
        }
    }

    /// A view touches what each of its tables touches.
    fn also(&mut self, other: &Self) {
        self.own = self.own | other.own;
        self.with = self.with | other.with;
        self.parents = self.parents | other.parents;
        self.children = self.children | other.children;
        self.followers = self.followers | other.followers;
        self.is_at_once |= other.is_at_once;
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
            .map(|(place, table)| Table::new(&table.name, first + place))
            .collect();
        for Thing { name, other, .. } in of("key") {
            let columns: Vec<String> = other.split(',').map(str::to_owned).collect();
            let of_name = tables.iter_mut().filter(|table| table.name == *name);
            of_name.for_each(|table| table.keys.push(columns.clone()));
        }
        for table in &mut tables {
            let of_it = |what| of(what).filter(|thing| thing.name == table.name);
            table.is_at_once = of_it("at once").next().is_some();
            table.has_other_keys = of_it("other key").next().is_some();
            let columns = of_it("column").filter_map(|thing| thing.other.rsplit_once(':'));
            table.columns = columns
                .filter_map(|(name, of)| Some((name.to_owned(), ColumnType::named(of)?)))
                .collect();
            table.generated = of_it("generated").map(|thing| thing.other.clone()).collect();
            table.references =
                of_it("refers").filter_map(|thing| reference(&thing.other)).collect();
        }
        refer(&mut tables, &things);
        let real = tables.len();
        add_views(&mut tables, &things);
        let dialect = kind.dialect();
        let levels = texts.filter_map(|text| Reading::of(dialect, text).level);
        Self {
            kind,
            isolation: levels.chain([usual]).max().unwrap_or(usual),
            tables,
            real,
            views: of("view").map(|view| view.name.clone()).collect(),
            runs_code: of("code").next().is_some(),
            defers_code: of("deferred").next().is_some(),
            has_twins: has_twins(parts),
            functions: of("function").map(|f| (f.name.clone(), f.other.clone())).collect(),
            volatile: of("volatile").map(|f| f.name.clone()).collect(),
            readings: Memo::default(),
            accesses: Memo::default(),
            scans: Scans::default(),
        }
    }

    /// Sessions see what others have not committed yet.
    pub(in crate::stores::sql) fn shows_uncommitted(&mut self) {
        self.tables.iter_mut().for_each(|table| table.is_at_once = true);
    }

    /// Which store the database is.
    pub(in crate::stores::sql) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Reads a statement in the dialect of this database.
    pub(in crate::stores::sql) fn read(&self, text: &str) -> Arc<Reading> {
        self.readings.get(text, |text| Reading::of(self.kind.dialect(), text))
    }

    /// Reads what a statement with its values finds and changes; none if it has not one of the forms.
    fn read_access(&self, filled: &str) -> Arc<Option<ReadStatement>> {
        self.accesses.get(filled, |text| read_statement(self.kind.dialect(), text))
    }

    /// Whether there is code that was written for this database, named or not.
    pub(in crate::stores::sql) fn has_code(&self) -> bool {
        self.runs_code || !self.functions.is_empty()
    }

    /// Whether a commit may run triggers.
    pub(super) fn defers_code(&self) -> bool {
        self.defers_code
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

    /// The one table of a name; none if a view or several tables are called so.
    pub(super) fn only(&self, name: &str) -> Option<&Table> {
        let mut of_name = self.tables.iter().enumerate().filter(|(_, table)| table.name == name);
        match (of_name.next(), of_name.next()) {
            (Some((place, table)), None) if place < self.real => Some(table),
            _ => None,
        }
    }

    /// What a statement does by itself at this isolation level, and the tables of which it is known which rows it is
    /// about. `filled` is the statement with its values, where they are known.
    pub(in crate::stores::sql) fn effect_on_rows(
        &self,
        reading: &Reading,
        filled: Option<&str>,
        isolation: Isolation,
    ) -> (Effect, Vec<String>) {
        let effect = self.effect(reading);
        // A subquery reads other rows than the statement finds, also of the same table.
        let has_subquery = reading.queries > usize::from(reading.verb == "select");
        let may_tell = !effect.is_at_once && !has_subquery;
        let may_tell = may_tell && !self.has_twins;
        let filled = filled.filter(|_| may_tell && self.may_ask_for(reading));
        let read = filled.map(|filled| self.read_access(filled));
        let read = read.as_deref().and_then(Option::as_ref);
        // At the serializable level PostgreSQL watches pages, and whole tables where it reads them.
        if self.kind == StoreKind::Postgres && isolation == Isolation::Serializable {
            self.note_scans_of(reading);
            let row = read.and_then(|read| self.row_of_key(reading, read, &effect));
            return match row {
                Some((row, table)) => (effect.of_one_row(row), vec![table]),
                None => (effect, Vec::new()),
            };
        }
        if let Some(read) = read {
            self.note_scans(read);
            if let Some(footprint) = self.row_footprint(reading, &read.access, isolation) {
                let told = read.access.tables();
                // A name that stands elsewhere in the statement may be that of a table, too.
                let others = self.named(reading).filter(|table| !told.contains(&table.name));
                let others = others.fold(Resources::NONE, |all, table| all | table.own);
                return (effect.of_rows(footprint | Footprint::reading(others)), told);
            }
        }
        self.note_scans_of(reading);
        (effect, Vec::new())
    }

    /// Takes note of the tables that a statement may scan in whatever way.
    fn note_scans_of(&self, reading: &Reading) {
        let does_nothing = reading.is_frame() || reading.kind == StatementKind::Sets;
        let is_known = self.is_understood(reading);
        let may_scan = |table: &&Table| !is_known || reading.words.contains(&table.name);
        for table in self.tables.iter().filter(may_scan).filter(|_| !does_nothing) {
            for number in table.own.tables() {
                self.scans.note(number, BTreeSet::new());
            }
        }
    }

    /// Takes note of a question of the audit, which takes the rows of its answer in whatever order they come.
    pub(in crate::stores::sql) fn note_question(&self, text: &str) {
        let reading = self.read(text);
        let is =
            |words: &[&str]| words.iter().any(|word| reading.words.iter().any(|one| one == word));
        let takes_some = is(&["limit", "fetch", "offset", "first", "over", "lateral"])
            || reading
                .functions
                .iter()
                .any(|name| name.ends_with("_agg") || name.contains("concat"));
        let shows_all = text.contains(".*") || text.replace("(*)", "").contains('*');
        let names_order = |table: &Table| {
            let is_named = |column: &String| reading.words.contains(column);
            table.generated.iter().any(|column| shows_all || is_named(column))
        };
        let is_unclear =
            self.calls_code(&reading) || !reading.knows_relations(|name| self.knows(name));
        if is_unclear || takes_some || self.named(&reading).any(names_order) {
            self.note_scans_of(&reading);
        }
    }

    /// How many ways of seeing the order of rows were met so far.
    pub(in crate::stores::sql) fn scans(&self) -> i64 {
        self.scans.count()
    }

    /// Each of them, at the place that is its number.
    pub(in crate::stores::sql) fn all_scans(&self) -> Vec<Scan> {
        self.scans.all()
    }

    /// Replaces them.
    pub(in crate::stores::sql) fn replace_scans(&self, scans: Vec<Scan>) {
        self.scans.replace(scans);
    }

    pub(super) fn scans_of(&self, table: usize) -> Vec<(usize, BTreeSet<String>)> {
        self.scans.of(table)
    }

    pub(super) fn note_scan(&self, table: usize, columns: BTreeSet<String>) {
        self.scans.note(table, columns);
    }

    /// What a statement does by itself, in whole tables.
    pub(in crate::stores::sql) fn effect(&self, reading: &Reading) -> Effect {
        if reading.is_frame() || reading.kind == StatementKind::Sets {
            return Effect::NOTHING;
        }
        if !self.is_understood(reading) {
            return Effect::everything();
        }
        let all = |of: fn(&Table) -> Resources| {
            self.named(reading).fold(Resources::NONE, |all, table| all | of(table))
        };
        let is_at_once = self.named(reading).any(|table| table.is_at_once);
        let own = all(|table| table.own);
        let effect = match reading.verb.as_str() {
            _ if reading.kind == StatementKind::Looks => Effect::reading(own),
            // The strongest lock of a table keeps even those waiting who only read it.
            "lock" => Effect::changing(own).at_once(),
            _ if !reading.changes_rows() => Effect::locking(own),
            verb => {
                let along = match (verb, self.kind) {
                    ("insert", _) => own,
                    ("update", StoreKind::Postgres) => own | all(|table| table.followers),
                    _ => own | all(|table| table.children),
                };
                let parents = all(|table| table.parents);
                let refers = Effect::referring_to(parents);
                // InnoDB locks the rows themselves, as if it changed them.
                let touches = match self.kind {
                    StoreKind::Postgres => refers.touches.clone(),
                    _ => Footprint::writing(parents),
                };
                Effect::changing(along) | Effect { touches, ..refers }
            }
        };
        Effect { is_at_once: is_at_once || effect.is_at_once, ..effect }
    }

    /// Whether the server may be asked which tables a statement opens: not for a statement that touches everything
    /// anyway, nor where explaining it might run something.
    pub(in crate::stores::sql) fn may_ask_for(&self, reading: &Reading) -> bool {
        !reading.is_frame() && reading.kind != StatementKind::Sets && self.is_understood(reading)
    }

    /// What a statement does as the server says, beside what its words say, with tables other than these. A table that
    /// is not known here counts as every table.
    pub(in crate::stores::sql) fn opened(
        &self,
        reading: &Reading,
        text: &str,
        witness: &Witness,
        told: &[String],
    ) -> Effect {
        if !self.may_ask_for(reading) {
            return Effect::NOTHING;
        }
        let opened = witness.opens(self.kind.dialect(), text);
        opened.iter().fold(Effect::NOTHING, |all, opened| {
            let name = opened.table.to_lowercase();
            if told.contains(&name) {
                return all;
            }
            let of_name = self.tables.iter().filter(|table| table.name == name);
            let parts = match self.knows(&name) {
                true => of_name.fold(Resources::NONE, |parts, table| parts | table.own),
                false => Resources::ALL,
            };
            all | match opened.changes {
                true if reading.is_locking_query() => Effect::locking(parts),
                true => Effect::changing(parts),
                false => Effect::reading(parts),
            }
        })
    }

    /// What a statement touches when it begins, if it does all of `effect`: in PostgreSQL it takes its snapshot and is
    /// held before it locks a row; in InnoDB it has locked the first row that it changes.
    pub(in crate::stores::sql) fn begins(
        &self,
        reading: &Reading,
        transactions: &TransactionTracker,
        effect: Effect,
    ) -> Footprint {
        if self.kind != StoreKind::Postgres {
            return effect.touches | effect.by_table;
        }
        let reads = match self.is_understood(reading) {
            true => self.named(reading).fold(Resources::NONE, |all, table| all | table.own),
            false => Resources::ALL,
        };
        transactions.effect(TransactionEffect::GoesOn, reading, Effect::reading(reads)).footprint
    }

    /// Whether the statement can change one row at most, because its `WHERE` names every column of a unique key.
    pub(super) fn is_of_one_row(&self, reading: &Reading) -> bool {
        if self.has_twins {
            return false;
        }
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

/// A reference as `room_parts.sql` writes it: `product|item=id,size=size`.
fn reference(written: &str) -> Option<Reference> {
    let (parent, columns) = written.split_once('|')?;
    let pair = |pair: &str| pair.split_once('=').map(|(own, its)| (own.to_owned(), its.to_owned()));
    let columns = columns.split(',').map(pair).collect::<Option<Vec<_>>>()?;
    Some(Reference { parent: parent.to_owned(), columns })
}

fn thing(row: &[StoreValue]) -> Thing {
    let word = |place: usize| row.get(place).map_or(String::new(), StoreValue::text);
    Thing { what: word(0), name: word(1).to_lowercase(), other: word(2).to_lowercase() }
}

/// Whether the names of two tables, or of two columns of one, differ in their case alone.
fn has_twins(parts: &Answer) -> bool {
    let word =
        |row: &[StoreValue], place: usize| row.get(place).map_or(String::new(), StoreValue::text);
    let is_name = |row: &&Vec<StoreValue>| ["table", "column"].contains(&word(row, 0).as_str());
    let names: BTreeSet<String> = parts
        .rows
        .iter()
        .filter(is_name)
        .map(|row| {
            let (table, column) = (word(row, 1), word(row, 2));
            format!("{table}.{}", column.rsplit_once(':').map_or("", |(name, _)| name))
        })
        .collect();
    let folded: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    folded.len() < names.len()
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
        move |text| shop.effect(&shop.read(text)).footprint
    }

    #[test]
    fn queries_of_whatever_table_do_not_disturb_each_other_and_changes_of_the_same_do() {
        let touches = postgres(&[]);
        let look = touches("SELECT stock FROM product WHERE id = :item");
        let change = touches("UPDATE product SET stock = 0");
        let voucher = touches("UPDATE voucher SET used = 1");
        assert!(!look.conflicts_with(&look));
        assert!(look.conflicts_with(&change));
        assert!(change.conflicts_with(&change));
        assert!(!change.conflicts_with(&voucher));
        assert!(!look.conflicts_with(&voucher));
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
            shop.opened(&shop.read(text), text, &witness, &[]).footprint
        };
        let change = shop.effect(&shop.read("UPDATE product SET stock = 0")).footprint;
        let look = shop.effect(&shop.read("SELECT stock FROM product")).footprint;
        assert!(!shop.effect(&shop.read(text)).footprint.conflicts_with(&change));
        assert!(says("Product", false).conflicts_with(&change));
        assert!(!says("Product", false).conflicts_with(&look));
        assert!(says("Product", true).conflicts_with(&look));
        assert!(!says("elsewhere", false).conflicts_with(&look));
        assert!(says("elsewhere", false).conflicts_with(&change));
        assert!(says("elsewhere", true).conflicts_with(&look));
    }

    #[test]
    fn where_two_columns_differ_in_their_case_alone_no_row_is_told_from_another() {
        let one_row = |more: &[[&str; 3]]| {
            let shop = shop(StoreKind::Postgres, more);
            shop.is_of_one_row(&shop.read("UPDATE product SET stock = 0 WHERE id = 1"))
        };
        assert!(one_row(&[["column", "product", "Name:text"]]));
        assert!(!one_row(&[["column", "product", "id:int"], ["column", "product", "ID:int"]]));
        assert!(!one_row(&[["table", "Product", ""]]));
    }

    #[test]
    fn a_query_that_locks_meets_those_who_lock_and_no_look() {
        let touches = postgres(&[]);
        let locks = touches("SELECT 1 FROM product FOR UPDATE");
        assert!(!locks.conflicts_with(touches("SELECT 1 FROM product")));
        assert!(locks.conflicts_with(touches("SELECT 1 FROM product FOR UPDATE")));
        assert!(locks.conflicts_with(touches("UPDATE product SET stock = 0")));
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
            assert!(touches.conflicts_with(&voucher), "{text}");
        }
        assert!(!touches("SELECT 1 FROM public.product").conflicts_with(&voucher));
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
