//! The journal: what is on disk, and so still there after a power cut.
//!
//! Whatever a database acknowledges is on disk by then, unless it was told not to wait
//! ([`Op::CommitUnsynced`](crate::domain::op::Op::CommitUnsynced)). Changes are written to disk in order: the next
//! change that waits also writes all earlier ones. Nothing else writes to disk, so a power cut always loses as much as
//! it can.

use super::Model;
use super::shelf::Shelf;
use super::standing::{OnDisk, Standing};
use crate::domain::op::{Units, Version, Want};

/// Which part of a store is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Journal {
    /// Power cuts so far. A transaction that began before the last is over.
    pub(super) cuts: u8,
    /// Counts how often unsynced changes were written to disk, or lost.
    era: u16,
    /// Eras that ended in a power cut.
    lost: Vec<u16>,
    /// The rows on disk; empty if they are the same as in the store.
    on_disk: Vec<StoredRow>,
}

/// What a database stores of a shelf: no locks, and nothing that is in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct StoredRow {
    stock: Units,
    version: Version,
    commits: Version,
    ordered: Units,
}

impl Journal {
    /// Whether the store has changes that are not on disk.
    pub(super) fn has_more(&self) -> bool {
        !self.on_disk.is_empty()
    }
}

impl Model {
    /// What would be on disk after a sync: the rows, and a buyer's orders.
    pub(super) fn if_synced(&self, standing: &Standing) -> (Vec<StoredRow>, Vec<Want>) {
        let row = |shelf: &Shelf| {
            let Shelf { stock, version, commits, ordered, .. } = *shelf;
            StoredRow { stock, version, commits, ordered }
        };
        (self.shelves.iter().map(row).collect(), standing.orders.clone())
    }

    /// Notes a commit that is not on disk yet, with the rows and orders before it.
    pub(super) fn leave_unsynced(
        &mut self,
        (rows, orders): (Vec<StoredRow>, Vec<Want>),
        standing: &mut Standing,
    ) {
        let journal = &mut self.journal;
        if journal.on_disk.is_empty() {
            journal.on_disk = rows;
        }
        let era = journal.era;
        standing.on_disk.get_or_insert_with(|| Box::new(OnDisk { era, orders }));
    }

    /// Writes all changes to disk.
    pub(super) fn sync(&mut self) {
        if !self.journal.on_disk.is_empty() {
            self.journal.on_disk.clear();
            self.journal.era += 1;
        }
    }

    /// The database loses its power, and restarts with what is on disk. The cache, and the locks and leases there, are
    /// not part of the database.
    pub fn lose_power(&mut self) {
        self.journal.cuts = self.journal.cuts.wrapping_add(1);
        self.shelves.iter_mut().for_each(|shelf| shelf.row_locked = false);
        let on_disk = std::mem::take(&mut self.journal.on_disk);
        if on_disk.is_empty() {
            return;
        }
        for (shelf, on_disk) in self.shelves.iter_mut().zip(on_disk) {
            let StoredRow { stock, version, commits, ordered } = on_disk;
            *shelf = Shelf { stock, version, commits, ordered, ..*shelf };
        }
        self.journal.lost.push(self.journal.era);
        self.journal.era += 1;
    }

    /// Sets a buyer's orders to what a power cut has left of them.
    pub fn settle(&self, standing: &mut Standing) {
        let is_over = |on_disk: &mut Box<OnDisk>| on_disk.era != self.journal.era;
        if let Some(on_disk) = standing.on_disk.take_if(is_over)
            && self.journal.lost.contains(&on_disk.era)
        {
            standing.orders = on_disk.orders;
        }
    }
}
