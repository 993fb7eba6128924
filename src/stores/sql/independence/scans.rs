//! Who can see in which order rows were written. Two changes of different rows may be swapped, unless a statement sees
//! both rows and which of them was written first: by a number that the database has given it, by its place in a table,
//! or because it locks one after the other.
//!
//! A statement that finds one row by a unique key does not see that, nor does one that only counts rows or adds them up.
//! Each other one is a scan: of the rows that have the same values in the columns that its `WHERE` names.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::stores::remote::Scan;

/// The kinds of scan that were met so far, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Scans(Arc<Mutex<Vec<Scan>>>);

impl Scans {
    /// Takes note of a scan.
    pub(super) fn note(&self, table: usize, columns: BTreeSet<String>) {
        let mut known = self.0.lock();
        let scan = (table, columns);
        if !known.contains(&scan) {
            known.push(scan);
        }
    }

    /// The scans of a table, each with its number.
    pub(super) fn of(&self, table: usize) -> Vec<(usize, BTreeSet<String>)> {
        let known = self.0.lock();
        let of_table = known.iter().enumerate().filter(|(_, (of, _))| *of == table);
        of_table.map(|(number, (_, columns))| (number, columns.clone())).collect()
    }

    /// All kinds, each at the place that is its number.
    pub(super) fn all(&self) -> Vec<Scan> {
        self.0.lock().clone()
    }

    /// Replaces all kinds.
    pub(super) fn replace(&self, scans: Vec<Scan>) {
        *self.0.lock() = scans;
    }

    /// How many kinds there are.
    pub(super) fn count(&self) -> i64 {
        i64::try_from(self.0.lock().len()).unwrap_or(i64::MAX)
    }
}
