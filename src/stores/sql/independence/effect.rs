//! What a statement does: what it touches, as a reader sees it, and its footprint, which decides which other statements
//! it may be swapped with.

use std::ops::BitOr;

use crate::scheduler::{Facet, Footprint, Region, Resources, Rows};

/// What a statement does, by itself or in its transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::stores::sql) struct Effect {
    /// What it touches: the tables that it is about.
    pub(in crate::stores::sql) touches: Footprint,
    /// Its footprint.
    pub(in crate::stores::sql) footprint: Footprint,
    /// Its footprint in whole tables, where rows do not count.
    pub(in crate::stores::sql) by_table: Footprint,
    /// What the server notes of it, where it refuses what is not serializable.
    pub(in crate::stores::sql) notes: Footprint,
    /// Whether others meet what it does before its transaction commits: it locks a table against readers, its table
    /// knows no transactions, or it is not understood.
    pub(in crate::stores::sql) is_at_once: bool,
}

impl Effect {
    /// Nothing.
    pub(in crate::stores::sql) const NOTHING: Self = Self {
        touches: Footprint::NOTHING,
        footprint: Footprint::NOTHING,
        by_table: Footprint::NOTHING,
        notes: Footprint::NOTHING,
        is_at_once: false,
    };

    fn of(touches: Footprint, footprint: Footprint) -> Self {
        let notes = Footprint {
            reads: Region::notes(footprint.reads.contents),
            writes: Region::notes(footprint.writes.contents | footprint.adds.contents),
            adds: Region::NONE,
        };
        Self { by_table: footprint.clone(), touches, footprint, notes, is_at_once: false }
    }

    /// The same, which others meet at once.
    pub(in crate::stores::sql) fn at_once(self) -> Self {
        Self { is_at_once: true, ..self }
    }

    /// The same with a footprint that tells rows apart.
    pub(super) fn of_rows(self, footprint: Footprint) -> Self {
        Self { footprint, ..self }
    }

    /// The same of one row, to which a unique key leads: it is all that it finds and changes.
    pub(in crate::stores::sql) fn of_one_row(self, row: Rows) -> Self {
        let row = Region::of_rows(Rows { facet: Facet::Notes, ..row });
        let writes = if self.by_table.changes() { row.clone() } else { Region::NONE };
        let notes = Footprint { reads: row, writes, adds: Region::NONE };
        Self { notes, ..self }
    }

    /// Everything: it is not understood.
    pub(in crate::stores::sql) fn everything() -> Self {
        Self::of(Footprint::writing(Resources::ALL), Footprint::everything()).at_once()
    }

    /// It reads these tables, and blocks no other session.
    pub(in crate::stores::sql) fn reading(tables: Resources) -> Self {
        Self::of(Footprint::reading(tables), Footprint::reading(tables))
    }

    /// It reads these tables and locks what it reads.
    pub(in crate::stores::sql) fn locking(tables: Resources) -> Self {
        let locks = Footprint::reading(tables) | Footprint::locking(tables);
        Self::of(Footprint::writing(tables), locks)
    }

    /// It reads, locks and changes these tables.
    pub(in crate::stores::sql) fn changing(tables: Resources) -> Self {
        let touches = Footprint::writing(tables);
        Self::of(touches.clone(), touches | Footprint::locking(tables))
    }

    /// It needs rows of these tables to stay as they are, and shares their locks.
    pub(in crate::stores::sql) fn referring_to(tables: Resources) -> Self {
        let touches = Footprint::reading(tables);
        Self::of(touches.clone(), touches | Footprint::sharing(tables))
    }

    /// It adds rows to these tables that meet no other row.
    pub(in crate::stores::sql) fn adding(tables: Resources) -> Self {
        Self::of(Footprint::adding(tables), Footprint::adding(tables))
    }

    /// The same, if it shares the locks of what it reads.
    pub(super) fn locking_it(&self) -> Self {
        let shared = Footprint::sharing(self.by_table.reads.contents);
        Self { footprint: self.by_table.clone() | shared, ..self.clone() }
    }

    /// The locks that a transaction holds after it.
    pub(super) fn holds(&self) -> Footprint {
        let Footprint { reads, writes, .. } = &self.footprint;
        Footprint {
            reads: reads.only_locks().without_order(),
            writes: writes.only_locks().without_order(),
            adds: Region::NONE,
        }
    }

    /// What the end of its transaction does on its account: its changes are seen, and its locks are given back. Ends of
    /// transactions do not disturb one another. A reference may be checked only then.
    pub(super) fn at_the_end(&self) -> Footprint {
        let Footprint { reads, writes, adds } = &self.footprint;
        let shared = reads.only_locks();
        Footprint {
            reads: shared.locks_as_contents() | shared,
            writes: Region::NONE,
            adds: writes.without_order() | adds.clone(),
        }
    }

    /// What of it others meet at once, in a transaction: not its changes.
    pub(super) fn before_the_end(&self) -> Footprint {
        let Footprint { reads, writes, adds } = &self.footprint;
        Footprint { reads: reads.clone(), writes: writes.only_locks(), adds: adds.only_locks() }
    }
}

impl BitOr for Effect {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            touches: self.touches | other.touches,
            footprint: self.footprint | other.footprint,
            by_table: self.by_table | other.by_table,
            notes: self.notes | other.notes,
            is_at_once: self.is_at_once || other.is_at_once,
        }
    }
}
