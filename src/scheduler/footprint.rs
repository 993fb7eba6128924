//! The footprint of a statement: what it reads and writes. Two statements are independent, so that they can be swapped,
//! if their footprints do not conflict.
//!
//! What a database holds is two things: contents, which others see once they are committed, and locks,
//! which keep others waiting. A statement in a transaction takes a lock now and changes what others see when the
//! transaction commits. Both are told apart by table and, where a statement says which rows it is about, by row.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::BitOr;

use serde::{Deserialize, Serialize};

/// A set of the resources in a shop.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Resources(u128);

impl Resources {
    /// Nothing.
    pub(crate) const NONE: Self = Self(0);
    /// Shelves, and units that are rows.
    pub(crate) const SHELVES: Self = Self(1);
    /// The order book.
    pub(crate) const ORDERS: Self = Self(2);
    /// Holds.
    pub(crate) const HOLDS: Self = Self(4);
    /// Locks that belong to no row, and leases.
    pub(crate) const LOCKS: Self = Self(8);
    /// Which transactions have committed beside which others, where a server refuses what is not serializable.
    const SERIALIZATION: Self = Self(1 << 127);
    /// Everything.
    pub(crate) const ALL: Self = Self(u128::MAX);

    /// One of several tables that are not ours, counted from 0; beyond the 127th it is everything.
    #[must_use]
    pub(crate) fn table(number: usize) -> Self {
        u32::try_from(number)
            .ok()
            .filter(|number| *number < 127)
            .map_or(Self::ALL, |n| Self(1 << n))
    }

    /// Whether both have something.
    const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What both have.
    pub(crate) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The numbers of the tables; none if it is everything.
    pub(crate) fn tables(self) -> impl Iterator<Item = usize> {
        let some = if self == Self::ALL { 0 } else { self.0 };
        (0..127).filter(move |number| some >> number & 1 == 1)
    }
}

impl BitOr for Resources {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What there is of some rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Facet {
    /// What is there to be seen.
    Contents,
    /// Which values of a unique key there are, by the key's number.
    Keys(usize),
    /// The locks of rows.
    Locks,
    /// The locks of a unique key's values.
    KeyLocks(usize),
    /// The locks of the gaps between rows, which keep new rows out.
    Gaps,
    /// The order in which rows were written, as statements of one kind see it, by its number.
    Order(usize),
    /// What the server notes of who has read and changed rows, to refuse what is not serializable: neither contents nor
    /// locks. If one transaction reads the row of a unique key's value and another changes it, that is noted whichever
    /// comes first. Of two rows it depends on the page on which they are, and on which comes first, whether something is
    /// noted.
    Notes,
}

impl Facet {
    fn is_lock(self) -> bool {
        !matches!(self, Self::Contents | Self::Keys(_))
    }
}

/// Some rows of a table: those in which these columns have these values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// The number of the table.
    pub(crate) table: usize,
    /// What there is of them.
    pub(crate) facet: Facet,
    /// Columns and their values, each written such that two values of a column differ if they are written differently.
    pub(crate) values: BTreeMap<String, String>,
}

impl Rows {
    /// What the server notes of a whole table.
    pub(crate) fn notes(table: usize) -> Self {
        Self { table, facet: Facet::Notes, values: BTreeMap::new() }
    }

    /// Whether a row may be among both.
    fn overlaps(&self, other: &Self) -> bool {
        let differs = |(column, value): (&String, &String)| {
            other.values.get(column).is_some_and(|other| other != value)
        };
        let overlaps = match self.facet {
            Facet::Notes => self.values.is_empty() || self.values != other.values,
            _ => !self.values.iter().any(differs),
        };
        self.table == other.table && self.facet == other.facet && overlaps
    }
}

/// Contents and locks, of whole tables and of some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Region {
    /// What is there to be seen.
    pub(crate) contents: Resources,
    /// The locks of it.
    pub(crate) locks: Resources,
    /// The same of some rows.
    pub(crate) rows: Vec<Rows>,
}

/// Columns, each with the number of its table.
pub(crate) type Columns = BTreeSet<(usize, String)>;

/// What is added to a value to write another.
const OTHER_VALUE: &str = " of another";

/// The most sets of rows that a region tells apart; beyond that it has whole tables.
const MOST_ROWS: usize = 256;

impl Region {
    /// Nothing.
    pub(crate) const NONE: Self =
        Self { contents: Resources::NONE, locks: Resources::NONE, rows: Vec::new() };
    /// Everything.
    pub(crate) const ALL: Self =
        Self { contents: Resources::ALL, locks: Resources::ALL, rows: Vec::new() };

    /// Contents, and no locks.
    #[must_use]
    pub(crate) const fn contents(contents: Resources) -> Self {
        Self { contents, locks: Resources::NONE, rows: Vec::new() }
    }

    /// Locks, and no contents.
    #[must_use]
    pub(crate) const fn locks(locks: Resources) -> Self {
        Self { contents: Resources::NONE, locks, rows: Vec::new() }
    }

    /// These rows alone.
    #[must_use]
    pub(crate) fn of_rows(rows: Rows) -> Self {
        Self { rows: vec![rows], ..Self::NONE }
    }

    /// Its locks alone.
    #[must_use]
    pub(crate) fn only_locks(&self) -> Self {
        let rows = self.rows.iter().filter(|rows| rows.facet.is_lock()).cloned().collect();
        Self { locks: self.locks, rows, ..Self::NONE }
    }

    /// Its contents alone.
    #[must_use]
    pub(crate) fn only_contents(&self) -> Self {
        let rows = self.rows.iter().filter(|rows| !rows.facet.is_lock()).cloned().collect();
        Self { contents: self.contents, rows, ..Self::NONE }
    }

    /// The contents that are in both.
    #[must_use]
    pub(crate) fn common(&self, other: &Self) -> Self {
        let (one, other) = (self.only_contents(), other.only_contents());
        let are_in = |rows: &&Rows, of: &Self| {
            of.has(rows) || of.rows.iter().any(|other| rows.overlaps(other))
        };
        let ours = one.rows.iter().filter(|rows| are_in(rows, &other));
        let theirs = other.rows.iter().filter(|rows| one.has(rows));
        let rows = ours.chain(theirs).cloned().collect();
        Self { contents: one.contents.common(other.contents), rows, ..Self::NONE }
    }

    /// Whether contents are in both.
    #[must_use]
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.common(other) != Self::NONE
    }

    /// Whether it has all contents that there are.
    #[must_use]
    pub(crate) fn is_everything(&self) -> bool {
        self.contents == Resources::ALL
    }

    /// The same with other values of these columns.
    #[must_use]
    pub(crate) fn with_other_values(&self, columns: &Columns) -> Self {
        let mut region = self.clone();
        for rows in &mut region.rows {
            for (column, value) in &mut rows.values {
                if columns.contains(&(rows.table, column.clone())) {
                    value.push_str(OTHER_VALUE);
                }
            }
        }
        region
    }

    /// All but the order in which rows were written: no later step changes that.
    #[must_use]
    pub(crate) fn without_order(&self) -> Self {
        let others = self.rows.iter().filter(|rows| !matches!(rows.facet, Facet::Order(_)));
        Self { rows: others.cloned().collect(), ..*self }
    }

    /// The same in which the locks are contents.
    #[must_use]
    pub(crate) fn locks_as_contents(&self) -> Self {
        let facet = |facet| match facet {
            Facet::Locks => Facet::Contents,
            Facet::KeyLocks(key) => Facet::Keys(key),
            other => other,
        };
        let rows = self.rows.iter();
        let rows = rows.map(|rows| Rows { facet: facet(rows.facet), ..rows.clone() });
        Self { contents: self.locks, locks: Resources::NONE, rows: rows.collect() }
    }

    /// What the server notes of these contents.
    #[must_use]
    pub(crate) fn notes(contents: Resources) -> Self {
        match contents == Resources::ALL {
            true => Self::ALL,
            false => Self { rows: contents.tables().map(Rows::notes).collect(), ..Self::NONE },
        }
    }

    /// The tables whose contents it has, wholly or in part.
    #[must_use]
    pub(crate) fn tables(&self) -> Resources {
        let in_part = self.rows.iter().filter(|rows| !rows.facet.is_lock());
        in_part.fold(self.contents, |all, rows| all | Resources::table(rows.table))
    }

    fn has(&self, rows: &Rows) -> bool {
        if rows.facet == Facet::Notes {
            return self.contents == Resources::ALL && self.locks == Resources::ALL;
        }
        let whole = if rows.facet.is_lock() { self.locks } else { self.contents };
        whole.overlaps(Resources::table(rows.table))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.contents.overlaps(other.contents)
            || self.locks.overlaps(other.locks)
            || self.rows.iter().any(|rows| other.has(rows))
            || other.rows.iter().any(|rows| self.has(rows))
            || self.rows.iter().any(|one| other.rows.iter().any(|other| one.overlaps(other)))
    }

    /// The same with whole tables in the place of rows.
    fn coarse(mut self) -> Self {
        let (notes, rows) =
            self.rows.into_iter().partition::<Vec<_>, _>(|rows| rows.facet == Facet::Notes);
        let tables: BTreeSet<usize> = notes.into_iter().map(|rows| rows.table).collect();
        self.rows = tables.into_iter().map(Rows::notes).collect();
        for rows in rows {
            let table = Resources::table(rows.table);
            match rows.facet.is_lock() {
                true => self.locks = self.locks | table,
                false => self.contents = self.contents | table,
            }
        }
        self
    }
}

impl From<Resources> for Region {
    fn from(contents: Resources) -> Self {
        Self::contents(contents)
    }
}

impl BitOr for Region {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self.contents = self.contents | other.contents;
        self.locks = self.locks | other.locks;
        for rows in other.rows {
            if !self.rows.contains(&rows) {
                self.rows.push(rows);
            }
        }
        if self.rows.len() > MOST_ROWS { self.coarse() } else { self }
    }
}

/// What a statement reads, writes, and adds to without reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Footprint {
    /// What the statement depends on; locks that it shares.
    pub(crate) reads: Region,
    /// What it changes, and locks that it takes: other statements that read it or write it depend on that.
    pub(crate) writes: Region,
    /// What it adds to, and locks that it gives back: other statements that read it or write it depend on that, but not
    /// those that only add, too.
    pub(crate) adds: Region,
}

impl Footprint {
    /// Nothing: it is independent of every other statement.
    pub(crate) const NOTHING: Self =
        Self { reads: Region::NONE, writes: Region::NONE, adds: Region::NONE };

    /// Reads these contents.
    #[must_use]
    pub(crate) const fn reading(parts: Resources) -> Self {
        Self { reads: Region::contents(parts), writes: Region::NONE, adds: Region::NONE }
    }

    /// Reads and writes these contents.
    #[must_use]
    pub(crate) const fn writing(parts: Resources) -> Self {
        Self { reads: Region::contents(parts), writes: Region::contents(parts), adds: Region::NONE }
    }

    /// Adds to these contents.
    #[must_use]
    pub(crate) const fn adding(parts: Resources) -> Self {
        Self { reads: Region::NONE, writes: Region::NONE, adds: Region::contents(parts) }
    }

    /// Takes these locks, for itself alone.
    #[must_use]
    pub(crate) const fn locking(parts: Resources) -> Self {
        Self { reads: Region::NONE, writes: Region::locks(parts), adds: Region::NONE }
    }

    /// Takes these locks, which others may share.
    #[must_use]
    pub(crate) const fn sharing(parts: Resources) -> Self {
        Self { reads: Region::locks(parts), writes: Region::NONE, adds: Region::NONE }
    }

    /// Is part of a transaction that the server refuses to commit if that would not be serializable: what comes of it
    /// depends on which others have committed.
    #[must_use]
    pub(crate) const fn depending_on_commits() -> Self {
        Self::sharing(Resources::SERIALIZATION)
    }

    /// Whether it is part of such a transaction.
    #[must_use]
    pub(crate) fn depends_on_commits(&self) -> bool {
        self.reads.locks.overlaps(Resources::SERIALIZATION)
    }

    /// Commits such a transaction, or rolls it back.
    #[must_use]
    pub(crate) const fn committing() -> Self {
        Self::locking(Resources::SERIALIZATION)
    }

    /// Whether it commits such a transaction.
    #[must_use]
    pub(crate) fn commits(&self) -> bool {
        self.writes.locks.overlaps(Resources::SERIALIZATION)
    }

    /// The same while such a transaction is under way beside which another has committed. The server may refuse any
    /// step then, and which one it refuses depends on the order of all.
    #[must_use]
    pub(crate) fn beside_a_commit(self) -> Self {
        match self.depends_on_commits() {
            true => self | Self::committing(),
            false => self,
        }
    }

    /// Reads and writes everything, and takes every lock.
    #[must_use]
    pub(crate) const fn everything() -> Self {
        Self { reads: Region::ALL, writes: Region::ALL, adds: Region::NONE }
    }

    /// The same in whole tables: of values that may be other ones in each execution, none are compared.
    pub(crate) fn by_table(&self) -> Self {
        let Self { reads, writes, adds } = self.clone();
        Self { reads: reads.coarse(), writes: writes.coarse(), adds: adds.coarse() }
    }

    /// The same with the values of these columns and no others.
    pub(crate) fn comparing(mut self, columns: &Columns) -> Self {
        for rows in self.all_rows_mut() {
            let table = rows.table;
            let is_compared = |column: &String| columns.contains(&(table, column.clone()));
            match rows.facet {
                // Part of a key's value leads to no row.
                Facet::Notes if !rows.values.keys().all(is_compared) => rows.values.clear(),
                _ => rows.values.retain(|column, _| is_compared(column)),
            }
        }
        self
    }

    /// The columns that have a value in it.
    pub(crate) fn columns(&self) -> Columns {
        let of_rows = |rows: &Rows| -> Columns {
            rows.values.keys().map(|column| (rows.table, column.clone())).collect()
        };
        self.all_rows().flat_map(of_rows).collect()
    }

    /// The columns whose values are not the same in two footprints of one statement.
    pub(crate) fn differing_columns(&self, other: &Self) -> Columns {
        let is_same = |one: &&Rows, other: &&Rows| {
            one.table == other.table
                && one.facet == other.facet
                && one.values.keys().eq(other.values.keys())
        };
        let (ours, others): (Vec<&Rows>, Vec<&Rows>) =
            (self.all_rows().collect(), other.all_rows().collect());
        let are_alike = ours.len() == others.len()
            && ours.iter().zip(&others).all(|(one, other)| is_same(one, other));
        let differs = |rows: &Rows, column: &String, value: &String| {
            !are_alike || rows.values.get(column) != Some(value)
        };
        let mut columns = Columns::new();
        for (one, other) in ours.iter().zip(&others) {
            for (column, value) in one.values.iter().chain(&other.values) {
                if differs(one, column, value) || differs(other, column, value) {
                    columns.insert((one.table, column.clone()));
                    columns.insert((other.table, column.clone()));
                }
            }
        }
        let rest = ours.iter().skip(others.len()).chain(others.iter().skip(ours.len()));
        for rows in rest {
            columns.extend(rows.values.keys().map(|column| (rows.table, column.clone())));
        }
        columns
    }

    /// The same with other values of these columns.
    #[must_use]
    pub(crate) fn with_other_values(&self, columns: &Columns) -> Self {
        Self {
            reads: self.reads.with_other_values(columns),
            writes: self.writes.with_other_values(columns),
            adds: self.adds.with_other_values(columns),
        }
    }

    /// Which rows of a table it finds, as text: the columns that have one value in all of them, with that value. None if
    /// these are not known, or are several sets of rows.
    pub(crate) fn rows_read_of(&self, table: usize) -> Option<String> {
        let value = |(column, value): (&String, &String)| format!("{column} = {value}");
        let values: Vec<String> = self.values_read_of(table)?.iter().map(value).collect();
        Some(values.join(", "))
    }

    /// The same as values by column.
    pub(crate) fn values_read_of(&self, table: usize) -> Option<&BTreeMap<String, String>> {
        let is_of = |rows: &&Rows| rows.table == table && rows.facet == Facet::Contents;
        let is_whole = self.reads.contents.overlaps(Resources::table(table));
        one_of(self.reads.rows.iter().filter(is_of)).filter(|_| !is_whole)
    }

    /// Which rows of a table it changes, or locks to change them, in the same way.
    pub(crate) fn values_written_of(&self, table: usize) -> Option<&BTreeMap<String, String>> {
        let is_of = |rows: &&Rows| {
            rows.table == table && matches!(rows.facet, Facet::Contents | Facet::Locks)
        };
        let whole = [&self.writes, &self.adds].map(|region| region.contents | region.locks);
        let is_whole = whole.into_iter().any(|whole| whole.overlaps(Resources::table(table)));
        one_of(self.writes.rows.iter().chain(&self.adds.rows).filter(is_of)).filter(|_| !is_whole)
    }

    fn all_rows(&self) -> impl Iterator<Item = &Rows> {
        self.reads.rows.iter().chain(&self.writes.rows).chain(&self.adds.rows)
    }

    fn all_rows_mut(&mut self) -> impl Iterator<Item = &mut Rows> {
        let Self { reads, writes, adds } = self;
        reads.rows.iter_mut().chain(&mut writes.rows).chain(&mut adds.rows)
    }

    /// What gives these locks back.
    pub(crate) fn given_back(&self) -> Self {
        let (reads, adds) = (self.reads.only_locks(), self.writes.only_locks());
        Self { reads, writes: Region::NONE, adds }
    }

    /// Whether two statements are dependent, so that their order may matter.
    #[must_use]
    pub(crate) fn conflicts_with(&self, other: impl Borrow<Self>) -> bool {
        let other = other.borrow();
        let disturbs = |one: &Self, other: &Self| {
            let by_writing = [&other.reads, &other.writes, &other.adds];
            by_writing.into_iter().any(|region| one.writes.overlaps(region))
                || one.adds.overlaps(&other.reads)
        };
        disturbs(self, other) || disturbs(other, self)
    }

    /// The tables whose contents it reads or changes.
    #[must_use]
    pub(crate) fn tables(&self) -> Resources {
        self.reads.tables() | self.changed()
    }

    /// The tables that it changes the contents of.
    #[must_use]
    pub(crate) fn changed(&self) -> Resources {
        self.writes.tables() | self.adds.tables()
    }

    /// Whether it changes anything: contents, locks, or what the server notes.
    #[must_use]
    pub(crate) fn writes_anything(&self) -> bool {
        self.writes != Region::NONE || self.adds != Region::NONE
    }

    /// Whether it changes any contents.
    #[must_use]
    pub(crate) fn changes(&self) -> bool {
        self.changed() != Resources::NONE
    }
}

/// The values of the only set of rows; none if there are several, with other values, or none.
fn one_of<'r>(mut all: impl Iterator<Item = &'r Rows>) -> Option<&'r BTreeMap<String, String>> {
    let first = &all.next()?.values;
    (!first.is_empty() && all.all(|rows| rows.values == *first)).then_some(first)
}

impl BitOr for Footprint {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            reads: self.reads | other.reads,
            writes: self.writes | other.writes,
            adds: self.adds | other.adds,
        }
    }
}

impl BitOr<&Self> for Footprint {
    type Output = Self;

    fn bitor(self, other: &Self) -> Self {
        self | other.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(facet: Facet, values: &[(&str, &str)]) -> Region {
        let value = |(column, value): &(&str, &str)| ((*column).to_owned(), (*value).to_owned());
        Region::of_rows(Rows { table: 3, facet, values: values.iter().map(value).collect() })
    }

    fn writing(region: Region) -> Footprint {
        Footprint { writes: region, ..Footprint::NOTHING }
    }

    #[test]
    fn two_sets_of_rows_are_apart_if_one_column_has_different_values() {
        let one = writing(rows(Facet::Contents, &[("id", "1"), ("item", "7")]));
        for (values, meets) in [
            (&[("id", "1")][..], true),
            (&[("id", "2")], false),
            (&[("item", "7"), ("buyer", "2")], true),
            (&[("buyer", "2")], true),
            (&[], true),
        ] {
            let other = writing(rows(Facet::Contents, values));
            assert_eq!(one.conflicts_with(&other), meets, "{values:?}");
            assert_eq!(other.conflicts_with(&one), meets, "{values:?}");
        }
        assert!(!one.conflicts_with(writing(rows(Facet::Locks, &[("id", "1")]))));
        assert!(!one.conflicts_with(writing(rows(Facet::Keys(0), &[("id", "1")]))));
    }

    #[test]
    fn what_is_noted_of_rows_is_independent_for_one_and_the_same_row_alone() {
        let of = |values: &[(&str, &str)]| writing(rows(Facet::Notes, values));
        let one = of(&[("shop", "1"), ("id", "7")]);
        assert!(!one.conflicts_with(&one));
        assert!(one.conflicts_with(of(&[("shop", "1"), ("id", "8")])));
        assert!(one.conflicts_with(of(&[("id", "7")])));
        assert!(of(&[]).conflicts_with(of(&[])));
        let columns = [(3, "shop".to_owned())].into();
        let compared = || one.clone().comparing(&columns);
        assert!(compared().conflicts_with(compared()), "part of a key leads to no row");
        assert!(one.by_table().conflicts_with(&one));
        let table = Resources::table(3);
        assert!(!one.conflicts_with(Footprint::writing(table) | Footprint::locking(table)));
        assert!(one.conflicts_with(Footprint::everything()));
    }

    #[test]
    fn a_whole_table_has_all_of_its_rows_and_of_what_there_is_of_them() {
        let contents = Footprint::writing(Resources::table(3));
        let locks = Footprint::locking(Resources::table(3));
        for (facet, of_contents) in [
            (Facet::Contents, true),
            (Facet::Keys(0), true),
            (Facet::Locks, false),
            (Facet::KeyLocks(0), false),
            (Facet::Gaps, false),
            (Facet::Order(0), false),
        ] {
            let one = writing(rows(facet, &[("id", "1")]));
            assert_eq!(one.conflicts_with(&contents), of_contents, "{facet:?}");
            assert_eq!(one.conflicts_with(&locks), !of_contents, "{facet:?}");
            assert!(!one.conflicts_with(Footprint::writing(Resources::table(4))), "{facet:?}");
            assert!(one.conflicts_with(one.by_table()), "{facet:?}");
        }
    }

    #[test]
    fn more_sets_of_rows_than_are_told_apart_are_whole_tables() {
        let one = |id: usize| writing(rows(Facet::Contents, &[("id", &id.to_string())]));
        let many = (0..=MOST_ROWS).fold(Footprint::NOTHING, |all, id| all | one(id));
        assert!(many.conflicts_with(one(MOST_ROWS + 1)));
    }

    #[test]
    fn a_column_whose_value_is_another_one_tells_no_rows_apart() {
        let of = |key: &str| {
            writing(rows(Facet::Contents, &[("item", "7"), ("key", key)]))
                | writing(rows(Facet::Locks, &[("key", key)]))
        };
        let made_up = of("a").differing_columns(&of("b"));
        assert_eq!(made_up, Columns::from([(3, "key".to_owned())]));
        let stable: Columns = of("a").columns().difference(&made_up).cloned().collect();
        assert_eq!(stable, Columns::from([(3, "item".to_owned())]));
        assert!(of("a").differing_columns(&of("a")).is_empty());
        assert!(!of("a").conflicts_with(of("b")));
        assert!(of("a").comparing(&stable).conflicts_with(of("b").comparing(&stable)));
        let longer = of("a") | writing(rows(Facet::Keys(0), &[("sku", "x")]));
        let all = Columns::from(["item", "key", "sku"].map(|column| (3, column.to_owned())));
        let differing = longer.differing_columns(&of("a"));
        assert!(differing.is_subset(&all) && differing.contains(&(3, "sku".to_owned())));
    }
}
