//! The transactions of one connection, one after the other: what a statement does depends on the one it is in.
//!
//! Others see what a transaction has changed when it commits, and not before; until then they meet its locks (PostgreSQL
//! manual, 13.2; MySQL manual, 15.7.2.3). So a query and another transaction's change of the same table are
//! independent, but the query and that transaction's commit are not. Where a snapshot is kept, queries after the first
//! see what the first has seen, and depend on no other session.
//!
//! At its serializable level PostgreSQL watches what transactions read and write, and refuses a statement or a commit
//! where a transaction that has read what another has written, which has read what a third has written, could not be
//! serialized: only where one of them has committed (Ports and Grittner, *Serializable Snapshot Isolation in PostgreSQL*,
//! VLDB 2012, 3.3). So every statement of such a transaction depends on every commit of another; and while there is one
//! beside which another has committed, every statement depends on every other.
//!
//! What was done since a savepoint may be undone, and what becomes of its locks depends on the database (`savepoint.rs`).

use super::super::SqlError;
use super::effect::Effect;
use super::levels::{Levels, SetLevels};
use super::reading::{Reading, StatementKind};
use super::savepoint::{Savepoint, SavepointDeed};
use super::snapshot::{Takes, takes};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{Footprint, Region, Resources};

/// What a statement does to the transaction that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) enum TransactionEffect {
    /// It begins one, at one of these levels.
    Begins(Levels),
    /// It begins one that holds the write lock from the start.
    BeginsLocking,
    /// It commits the transaction or rolls it back, and the next begins at once if it chains.
    Ends { chains: bool },
    /// It neither begins nor ends a transaction.
    GoesOn,
}

/// What came of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) enum StatementOutcome {
    /// It was done.
    Done,
    /// It was refused, and nothing else.
    Refused,
    /// It was refused, and the server has rolled back the transaction that it was in.
    RolledBack,
}

impl StatementOutcome {
    /// What came of a statement that was answered like this. PostgreSQL rolls a transaction back at any error, InnoDB
    /// where a deadlock was broken (MySQL manual, 15.21.5).
    pub(in crate::stores::sql) fn of<T>(kind: StoreKind, answer: &Result<T, SqlError>) -> Self {
        use SqlError::{Check, Conflict, Deadlock, Forbidden, LockTimeout};
        match (kind, answer) {
            (_, Ok(_)) => Self::Done,
            (
                StoreKind::Postgres,
                Err(Conflict | Deadlock | LockTimeout | Check | Forbidden(_)),
            )
            | (StoreKind::Mysql, Err(Deadlock)) => Self::RolledBack,
            (_, Err(_)) => Self::Refused,
        }
    }
}

/// The state of a connection's transactions.
#[derive(Debug)]
pub(in crate::stores::sql) struct TransactionTracker {
    kind: StoreKind,
    under_way: Option<ActiveTransaction>,
    /// The isolation level of transactions that name none, unless another is set in the session.
    usual: Isolation,
    /// The isolation levels that were set in the session.
    levels: Option<Levels>,
    /// Whether what statements do can no longer be read from their words.
    is_unsettled: bool,
}

/// A transaction.
#[derive(Clone, Debug)]
struct ActiveTransaction {
    levels: Levels,
    /// Whether its snapshot has been taken, where it keeps one.
    has_snapshot: bool,
    /// What it touches so far.
    touches: Footprint,
    /// The locks that it holds.
    holds: Footprint,
    /// The footprint of its end.
    end: Footprint,
    /// Whether it holds the one lock of an SQLite file's writer.
    is_writer: bool,
    /// Whether others may have seen changes of it that are not committed, so that they see them undone, too.
    has_shown: bool,
    /// Its savepoints, the last one set last.
    savepoints: Vec<Savepoint>,
    /// Whether its first savepoint has begun it.
    is_of_savepoint: bool,
    /// Whether the server has rolled it back already, as far as its last savepoint if it has one, and refuses all but its
    /// end and a rollback to a savepoint.
    is_aborted: bool,
}

impl ActiveTransaction {
    fn at(levels: Levels) -> Self {
        Self {
            levels,
            has_snapshot: false,
            touches: Footprint::NOTHING,
            holds: Footprint::NOTHING,
            end: Footprint::NOTHING,
            is_writer: false,
            has_shown: false,
            savepoints: Vec::new(),
            is_of_savepoint: false,
            is_aborted: false,
        }
    }

    /// Whether a statement takes, or may take, the snapshot that the transaction keeps.
    fn may_look_first(&self, kind: StoreKind, reading: &Reading) -> bool {
        !self.has_snapshot
            && self.levels.may_keep_snapshot(kind)
            && takes(kind, reading) != Takes::Never
    }

    /// Whether the server watches what the transaction reads and writes, to refuse what is not serializable.
    fn watches_reads(&self, kind: StoreKind) -> bool {
        self.levels.are_watched(kind)
    }

    /// Whether nothing is left of it but its end.
    fn is_over(&self) -> bool {
        self.is_aborted && self.savepoints.is_empty()
    }

    /// Takes note that PostgreSQL has rolled it back, as far as its last savepoint.
    fn is_broken_off(&mut self) {
        self.is_aborted = true;
        match self.savepoints.last() {
            Some(last) => self.holds = last.holds.clone(),
            None => (self.holds, self.end) = (Footprint::NOTHING, Footprint::NOTHING),
        }
    }

    /// The place of the savepoint that a name stands for: the last that is called so.
    fn savepoint(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|savepoint| savepoint.name == name)
    }

    /// Takes note of what was done with a savepoint; whether that is known.
    fn does(&mut self, kind: StoreKind, deed: &SavepointDeed) -> bool {
        match deed {
            // PostgreSQL refuses both after an error.
            SavepointDeed::Sets(_) | SavepointDeed::Releases(_) if self.is_aborted => {}
            SavepointDeed::Sets(name) => {
                if kind == StoreKind::Mysql {
                    self.savepoints.retain(|savepoint| savepoint.name != *name);
                }
                let (holds, end) = (self.holds.clone(), self.end.clone());
                self.savepoints.push(Savepoint { name: name.clone(), holds, end });
            }
            SavepointDeed::Releases(name) => match self.savepoint(name) {
                Some(place) => self.savepoints.truncate(place),
                None => return false,
            },
            SavepointDeed::RollsBackTo(name) => {
                let Some(place) = self.savepoint(name) else { return false };
                self.savepoints.truncate(place + 1);
                self.is_aborted = false;
                if kind == StoreKind::Postgres {
                    let Savepoint { holds, end, .. } = &self.savepoints[place];
                    (self.holds, self.end) = (holds.clone(), end.clone());
                }
            }
        }
        self.savepoints.len() <= MOST_SAVEPOINTS
    }

    /// Whether a query shares the locks of what it reads: at InnoDB's serializable level (MySQL manual, 15.7.2.1).
    fn locks_what_it_reads(&self, kind: StoreKind, reading: &Reading) -> bool {
        kind == StoreKind::Mysql
            && self.levels.highest == Isolation::Serializable
            && reading.kind == StatementKind::Looks
    }

    /// Takes note of a statement that does `own` by itself.
    fn takes_in(&mut self, kind: StoreKind, own: &Effect) {
        self.has_shown |= kind == StoreKind::Mysql && own.is_at_once && own.touches.changes();
        // What it has only read matters to no other session when it ends.
        if own.touches.changes() {
            let changed = match kind {
                StoreKind::Sqlite => Footprint::writing(Resources::ALL),
                _ => own.touches.clone(),
            };
            let of_end = Footprint { reads: Region::NONE, ..changed };
            self.touches = std::mem::take(&mut self.touches) | of_end;
        }
        // In SQLite the one lock of a writer is that of everything.
        let (holds, end) = match kind {
            StoreKind::Sqlite if own.footprint.changes() => {
                let all = Region::locks(Resources::ALL);
                let seen = own.at_the_end();
                let end = Footprint { adds: seen.adds | all, ..Footprint::NOTHING };
                (Footprint::locking(Resources::ALL), end)
            }
            _ => (own.holds(), own.at_the_end()),
        };
        self.holds = std::mem::take(&mut self.holds) | holds;
        self.end = std::mem::take(&mut self.end) | end;
    }
}

/// The most savepoints of a transaction that are told apart.
const MOST_SAVEPOINTS: usize = 64;

impl TransactionTracker {
    /// The state of a new connection to this store, on which transactions that name no isolation level run at this one.
    pub(in crate::stores::sql) fn of(kind: StoreKind, usual: Isolation) -> Self {
        Self { kind, under_way: None, usual, levels: None, is_unsettled: false }
    }

    /// The same with another usual isolation level.
    pub(in crate::stores::sql) fn is_usually_at(&mut self, usual: Isolation) {
        self.usual = usual;
    }

    /// Whether a transaction is under way.
    pub(in crate::stores::sql) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether there may be a transaction to roll back.
    pub(in crate::stores::sql) fn may_be_under_way(&self) -> bool {
        self.under_way.is_some() || self.is_unsettled
    }

    /// The isolation levels of transactions that begin now and name none.
    fn later(&self) -> Levels {
        self.levels.unwrap_or(Levels::exactly(self.usual))
    }

    /// The isolation levels of the transaction that is under way or, if there is none, of a statement's own.
    fn levels(&self) -> Levels {
        self.under_way.as_ref().map_or_else(|| self.later(), |under_way| under_way.levels)
    }

    /// The highest of these.
    pub(in crate::stores::sql) fn isolation(&self) -> Isolation {
        self.levels().highest
    }

    /// Whether a statement that begins now sees, or may see, a snapshot of its own.
    pub(super) fn takes_snapshot(&self) -> bool {
        let has_snapshot = self.under_way.as_ref().is_some_and(|under_way| under_way.has_snapshot);
        !(has_snapshot && self.levels().keeps_snapshot(self.kind))
    }

    /// Whether its snapshot is kept, or may be, for the statements that follow, or is that of a single-statement
    /// transaction at a level that refuses what has changed since.
    pub(super) fn keeps_snapshot(&self) -> bool {
        self.levels().may_keep_snapshot(self.kind)
    }

    /// Whether its snapshot is kept for certain.
    pub(super) fn surely_keeps_snapshot(&self) -> bool {
        self.levels().keeps_snapshot(self.kind)
    }

    /// The server has rolled back the transaction that is under way, and refuses all but its end.
    pub(in crate::stores::sql) fn is_broken_off(&mut self) {
        if let Some(under_way) = &mut self.under_way {
            under_way.is_broken_off();
        }
    }

    /// Notes that the server has answered a statement of the transaction, and refuses nothing.
    pub(in crate::stores::sql) fn goes_on(&mut self) {
        if let Some(under_way) = &mut self.under_way {
            under_way.is_aborted = false;
        }
    }

    /// Forgets the transaction that is under way; whether there was one.
    pub(in crate::stores::sql) fn breaks_off(&mut self) -> bool {
        self.under_way.take().is_some()
    }

    /// The session is reset: whatever was set in it is forgotten.
    pub(in crate::stores::sql) fn begins_anew(&mut self) {
        *self = Self::of(self.kind, self.usual);
    }

    /// What a statement does to transactions.
    pub(in crate::stores::sql) fn frame(&self, reading: &Reading) -> TransactionEffect {
        if let (StoreKind::Sqlite, Some(deed)) = (self.kind, &reading.savepoint) {
            return match (deed, &self.under_way) {
                (SavepointDeed::Sets(_), None) => TransactionEffect::Begins(self.later()),
                (SavepointDeed::Releases(name), Some(under_way))
                    if under_way.is_of_savepoint && under_way.savepoint(name) == Some(0) =>
                {
                    TransactionEffect::Ends { chains: false }
                }
                _ => TransactionEffect::GoesOn,
            };
        }
        match reading.kind {
            StatementKind::Begins(level) => {
                TransactionEffect::Begins(level.map_or_else(|| self.later(), Levels::exactly))
            }
            StatementKind::BeginsLooking => TransactionEffect::Begins(self.later()),
            StatementKind::BeginsLocking => TransactionEffect::BeginsLocking,
            StatementKind::Commits { chains } | StatementKind::RollsBack { chains } => {
                TransactionEffect::Ends { chains }
            }
            StatementKind::Looks
            | StatementKind::Changes
            | StatementKind::Sets
            | StatementKind::Unknown => TransactionEffect::GoesOn,
        }
    }

    /// The locks that the transaction under way holds.
    pub(in crate::stores::sql) fn holds(&self) -> Footprint {
        let holds = |under_way: &ActiveTransaction| under_way.holds.clone();
        self.under_way.as_ref().map_or(Footprint::NOTHING, holds)
    }

    /// The footprint of the transaction's end if the server ends it now: its changes are not seen.
    pub(in crate::stores::sql) fn rolled_back(&self) -> Footprint {
        let Some(under_way) = self.under_way.as_ref().filter(|it| !it.is_over()) else {
            return Footprint::NOTHING;
        };
        if under_way.has_shown {
            return Footprint::writing(Resources::ALL);
        }
        match under_way.watches_reads(self.kind) {
            true => under_way.holds.given_back() | Footprint::depending_on_commits(),
            false => under_way.holds.given_back(),
        }
    }

    /// What a statement does in the current transaction, if it does `own` by itself.
    pub(in crate::stores::sql) fn effect(
        &self,
        frame: TransactionEffect,
        reading: &Reading,
        own: Effect,
    ) -> Effect {
        if self.is_unsettled || reading.unsettles {
            return Effect::everything();
        }
        if let Some(SavepointDeed::RollsBackTo(name)) = &reading.savepoint {
            return self.rollback_to(name);
        }
        let footprint = match self.kind {
            StoreKind::Sqlite => self.footprint_in_sqlite(frame, reading, &own),
            _ => self.footprint(frame, reading, &own),
        };
        Effect { touches: self.touches(frame, reading, own.touches), footprint, ..own }
    }

    /// What a rollback to a savepoint does: others do not see what it undoes, and get the locks that it gives back.
    fn rollback_to(&self, name: &str) -> Effect {
        let is_clear = |under_way: &&ActiveTransaction| {
            under_way.savepoint(name).is_some() && !under_way.has_shown
        };
        let Some(under_way) = self.under_way.as_ref().filter(is_clear) else {
            return Effect::everything();
        };
        let gives_back = match self.kind {
            StoreKind::Sqlite => Footprint::NOTHING,
            _ => under_way.holds.given_back(),
        };
        let footprint = match under_way.watches_reads(self.kind) {
            true => gives_back | Footprint::depending_on_commits(),
            false => gives_back,
        };
        Effect { touches: under_way.touches.clone(), footprint, ..Effect::NOTHING }
    }

    /// Whether a statement that begins or ends a transaction ends the one that is under way: in MySQL one that begins
    /// does, too.
    fn does_end(&self, frame: TransactionEffect) -> bool {
        matches!(frame, TransactionEffect::Ends { .. })
            || self.kind == StoreKind::Mysql && frame != TransactionEffect::GoesOn
    }

    /// What it touches there. What it is about is decided by its words, and at the end of a transaction by all that was
    /// done in it.
    fn touches(&self, frame: TransactionEffect, reading: &Reading, own: Footprint) -> Footprint {
        const EVERYTHING: Footprint = Footprint::writing(Resources::ALL);
        // In an SQLite file, a session that writes keeps every other session from writing.
        let own = match self.kind {
            StoreKind::Sqlite if own.changes() || frame == TransactionEffect::BeginsLocking => {
                EVERYTHING
            }
            _ => own,
        };
        let looks_at_once = reading.kind == StatementKind::BeginsLooking;
        let own = if looks_at_once { Footprint::reading(Resources::ALL) } else { own };
        let Some(under_way) = &self.under_way else { return own };
        if self.does_end(frame) {
            return match under_way.levels.highest {
                // Whether it may commit depends on what others have read and written.
                Isolation::Serializable => EVERYTHING,
                _ => own | &under_way.touches,
            };
        }
        match under_way.may_look_first(self.kind, reading) {
            // The snapshot decides now what it will see of every table.
            true => own | Footprint::reading(Resources::ALL),
            false => own,
        }
    }

    fn footprint(&self, frame: TransactionEffect, reading: &Reading, own: &Effect) -> Footprint {
        if reading.kind == StatementKind::BeginsLooking {
            let before = if self.is_under_way() { self.end() } else { Footprint::NOTHING };
            return before | Footprint::reading(Resources::ALL);
        }
        let depends_on_commits = takes(self.kind, reading) != Takes::Never;
        let Some(under_way) = &self.under_way else {
            return match depends_on_commits && self.later().are_watched(self.kind) {
                true => own.by_table.clone() | Footprint::committing(),
                false => own.footprint.clone(),
            };
        };
        if under_way.is_over() || under_way.is_aborted && !self.does_end(frame) {
            return Footprint::NOTHING;
        }
        let watches_reads = under_way.watches_reads(self.kind);
        if self.does_end(frame) {
            // Whether it may commit depends on what others have read and written.
            return match watches_reads {
                true => self.end() | Footprint::committing(),
                false => self.end(),
            };
        }
        let sees_snapshot = reading.kind == StatementKind::Looks
            && under_way.has_snapshot
            && under_way.levels.keeps_snapshot(self.kind);
        let by_itself = match () {
            () if own.is_at_once => own.by_table.clone(),
            () if under_way.locks_what_it_reads(self.kind, reading) => {
                own.locking_it().before_the_end()
            }
            () if sees_snapshot => Footprint::NOTHING,
            () => own.before_the_end(),
        };
        let by_itself = match watches_reads && depends_on_commits {
            true => by_itself | &own.notes | Footprint::depending_on_commits(),
            false => by_itself,
        };
        match under_way.may_look_first(self.kind, reading) {
            true => by_itself | Footprint::reading(Resources::ALL),
            false => by_itself,
        }
    }

    /// In an SQLite file there is one writer, which may not have read what another has changed since; who only reads
    /// waits for no other session, nor does any wait for it (*Write-Ahead Logging*, 2.2; *Isolation In SQLite*).
    fn footprint_in_sqlite(
        &self,
        frame: TransactionEffect,
        reading: &Reading,
        own: &Effect,
    ) -> Footprint {
        let becomes_writer =
            Footprint::reading(Resources::ALL) | Footprint::locking(Resources::ALL);
        if frame == TransactionEffect::BeginsLocking {
            return becomes_writer;
        }
        let changes = own.footprint.changes();
        let Some(under_way) = &self.under_way else {
            return match changes {
                true => own.footprint.clone() | Footprint::locking(Resources::ALL),
                false => own.footprint.clone(),
            };
        };
        match () {
            () if own.is_at_once => Footprint::everything(),
            () if self.does_end(frame) => self.end(),
            // The writer sees its own changes, and no other session changes anything.
            () if under_way.is_writer => Footprint::NOTHING,
            () if changes => becomes_writer,
            () if under_way.may_look_first(self.kind, reading) => {
                Footprint::reading(Resources::ALL)
            }
            () => Footprint::NOTHING,
        }
    }

    /// The footprint of the end of the transaction under way.
    fn end(&self) -> Footprint {
        let end = |under_way: &ActiveTransaction| under_way.end.clone();
        self.under_way.as_ref().map_or(Footprint::NOTHING, end)
    }

    /// Notes what came of a statement that does `own` by itself.
    pub(in crate::stores::sql) fn note(
        &mut self,
        frame: TransactionEffect,
        reading: &Reading,
        own: &Effect,
        outcome: StatementOutcome,
    ) {
        let is_done = outcome == StatementOutcome::Done;
        self.is_unsettled |= reading.unsettles;
        if let (StatementKind::Sets, Some(level)) = (reading.kind, reading.level) {
            self.sets_level(reading, level);
        }
        match frame {
            // PostgreSQL and SQLite refuse or ignore a second `BEGIN`.
            TransactionEffect::Begins(_) | TransactionEffect::BeginsLocking
                if self.is_under_way() && self.kind != StoreKind::Mysql => {}
            TransactionEffect::Begins(levels) if is_done => {
                let has_snapshot = reading.kind == StatementKind::BeginsLooking;
                self.under_way =
                    Some(ActiveTransaction { has_snapshot, ..ActiveTransaction::at(levels) });
            }
            TransactionEffect::BeginsLocking if is_done => {
                let mut begun = ActiveTransaction::at(Levels::exactly(Isolation::ReadCommitted));
                begun.takes_in(self.kind, &Effect::locking(Resources::ALL));
                begun.is_writer = self.kind == StoreKind::Sqlite;
                self.under_way = Some(begun);
            }
            _ if outcome == StatementOutcome::RolledBack && self.kind != StoreKind::Postgres => {
                self.under_way = None;
            }
            // SQLite goes on with a transaction that it does not commit.
            TransactionEffect::Ends { .. } if self.kind == StoreKind::Sqlite && !is_done => {}
            TransactionEffect::Ends { chains } => {
                let before = self.under_way.take().filter(|_| chains);
                self.under_way = before.map(|before| ActiveTransaction::at(before.levels));
            }
            _ => {
                let kind = self.kind;
                if let Some(under_way) = &mut self.under_way {
                    let is_sqlite = kind == StoreKind::Sqlite;
                    under_way.is_writer |= is_sqlite && is_done && own.footprint.changes();
                    // A table without transactions is read without one.
                    let takes_snapshot = takes(kind, reading) == Takes::Surely && !own.is_at_once;
                    under_way.has_snapshot |= is_done && takes_snapshot;
                    match under_way.locks_what_it_reads(kind, reading) {
                        true => under_way.takes_in(kind, &own.locking_it()),
                        false => under_way.takes_in(kind, own),
                    }
                    if outcome == StatementOutcome::RolledBack {
                        under_way.is_broken_off();
                    }
                }
            }
        }
        if let (Some(deed), true) = (&reading.savepoint, is_done) {
            self.notes_savepoint(frame, deed);
        }
    }

    /// Notes what was done with a savepoint. Outside a transaction only SQLite does anything.
    fn notes_savepoint(&mut self, frame: TransactionEffect, deed: &SavepointDeed) {
        let Some(under_way) = &mut self.under_way else { return };
        under_way.is_of_savepoint |= matches!(frame, TransactionEffect::Begins(_));
        self.is_unsettled |= !under_way.does(self.kind, deed);
    }

    fn sets_level(&mut self, reading: &Reading, level: Isolation) {
        let under_way = self.under_way.as_ref().map(|under_way| under_way.levels);
        let set = SetLevels { under_way, later: self.later() }.after(self.kind, reading, level);
        self.levels = Some(set.later);
        if let (Some(under_way), Some(levels)) = (&mut self.under_way, set.under_way) {
            under_way.levels = levels;
        }
    }

    /// Notes that a transaction is under way that no statement has begun; what it has done, and at which isolation level,
    /// is not known.
    pub(in crate::stores::sql) fn is_found_open(&mut self) {
        let mut found = ActiveTransaction::at(Levels::ANY);
        found.takes_in(self.kind, &Effect::everything());
        self.under_way = Some(found);
    }

    /// Notes that a transaction begins implicitly, because the session is not in autocommit mode.
    pub(in crate::stores::sql) fn begins_by_itself(&mut self) {
        self.under_way = Some(ActiveTransaction::at(self.later()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::tests::shop;
    use super::*;

    /// What the last of these statements touches, if they are run one after the other at this level.
    fn last(kind: StoreKind, usual: Isolation, texts: &[&str]) -> Footprint {
        let shop = shop(kind, &[]);
        let mut transactions = TransactionTracker::of(kind, usual);
        let mut footprint = Footprint::NOTHING;
        for text in texts {
            let reading = shop.read(text);
            let frame = transactions.frame(&reading);
            let own = shop.effect(&reading);
            footprint = transactions.effect(frame, &reading, own.clone()).footprint;
            transactions.note(frame, &reading, &own, StatementOutcome::Done);
        }
        footprint
    }

    const LOOK: &str = "SELECT used FROM voucher";

    fn meets_a_change_elsewhere(kind: StoreKind, usual: Isolation, texts: &[&str]) -> bool {
        let change = last(kind, usual, &["UPDATE product SET stock = 0 WHERE id = 1"]);
        last(kind, usual, texts).conflicts_with(change)
    }

    #[test]
    fn the_first_look_of_a_transaction_looks_at_everything_where_its_snapshot_is_kept() {
        use Isolation::{ReadCommitted, RepeatableRead};
        let postgres = StoreKind::Postgres;
        for before in [
            &["BEGIN"][..],
            &["BEGIN", "SET LOCAL lock_timeout = '1s'"],
            &["BEGIN", "SAVEPOINT s"],
            &["BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"],
            &["BEGIN", LOOK, "COMMIT AND CHAIN"],
        ] {
            let texts: Vec<&str> = before.iter().copied().chain([LOOK]).collect();
            assert!(meets_a_change_elsewhere(postgres, RepeatableRead, &texts), "{before:?}");
        }
        assert!(!meets_a_change_elsewhere(postgres, RepeatableRead, &["BEGIN", LOOK, LOOK]));
        assert!(!meets_a_change_elsewhere(postgres, ReadCommitted, &["BEGIN", LOOK]));
        let raised = ["BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", LOOK];
        assert!(meets_a_change_elsewhere(postgres, ReadCommitted, &raised));
    }

    /// Whether a second query of a transaction meets the commit of a change, after these statements.
    fn second_query_meets_a_commit(kind: StoreKind, usual: Isolation, before: &[&str]) -> bool {
        let texts: Vec<&str> = before.iter().copied().chain([LOOK, LOOK]).collect();
        let commit = last(kind, Isolation::ReadCommitted, &["BEGIN", CHANGE, "COMMIT"]);
        last(kind, usual, &texts).conflicts_with(commit)
    }

    #[test]
    fn a_level_that_is_lowered_lets_later_queries_see_what_others_commit() {
        use Isolation::{ReadCommitted, RepeatableRead};
        for (kind, usual, before, meets) in [
            (StoreKind::Postgres, RepeatableRead, &["BEGIN"][..], false),
            (StoreKind::Postgres, RepeatableRead, &["BEGIN ISOLATION LEVEL READ COMMITTED"], true),
            (
                StoreKind::Postgres,
                RepeatableRead,
                &["BEGIN", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"],
                true,
            ),
            (
                StoreKind::Postgres,
                RepeatableRead,
                &["SET default_transaction_isolation = 'read committed'", "BEGIN"],
                true,
            ),
            (
                StoreKind::Postgres,
                ReadCommitted,
                &[
                    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                    "BEGIN",
                ],
                false,
            ),
            (
                StoreKind::Mysql,
                RepeatableRead,
                &["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN"],
                true,
            ),
            (
                StoreKind::Mysql,
                RepeatableRead,
                &["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN"],
                true,
            ),
            (
                StoreKind::Mysql,
                ReadCommitted,
                &["SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "BEGIN"],
                false,
            ),
            (
                StoreKind::Mysql,
                RepeatableRead,
                &["SET SESSION tx_isolation = 'SERIALIZABLE', @level = 'READ-COMMITTED'", "BEGIN"],
                true,
            ),
        ] {
            assert_eq!(
                second_query_meets_a_commit(kind, usual, before),
                meets,
                "{kind}: {before:?}"
            );
        }
    }

    #[test]
    fn a_level_that_is_raised_in_a_session_counts_for_its_later_transactions() {
        let raises = [
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET default_transaction_isolation = 'serializable'",
        ];
        for raise in raises {
            let commit = last(
                StoreKind::Postgres,
                Isolation::ReadCommitted,
                &[raise, "BEGIN", LOOK, "COMMIT"],
            );
            let other = ["BEGIN", ELSEWHERE];
            let other = last(StoreKind::Postgres, Isolation::Serializable, &other);
            assert!(commit.conflicts_with(other), "{raise}");
        }
    }

    #[test]
    fn what_is_set_in_vain_does_not_lower_the_level() {
        let vain = ["SET SESSION transaction_isolation = 'read committed'", "BEGIN", LOOK];
        let kept = Isolation::RepeatableRead;
        assert!(meets_a_change_elsewhere(StoreKind::Postgres, kept, &vain), "its snapshot is kept");
    }

    #[test]
    fn a_transaction_that_is_found_open_may_be_at_any_level() {
        let shop = shop(StoreKind::Postgres, &[]);
        let mut transactions =
            TransactionTracker::of(StoreKind::Postgres, Isolation::RepeatableRead);
        transactions.is_found_open();
        let look = shop.read(LOOK);
        let own = shop.effect(&look);
        transactions.note(transactions.frame(&look), &look, &own, StatementOutcome::Done);
        let second = transactions.effect(transactions.frame(&look), &look, own).footprint;
        let commit =
            last(StoreKind::Postgres, Isolation::ReadCommitted, &["BEGIN", CHANGE, "COMMIT"]);
        assert!(second.conflicts_with(commit));
    }

    #[test]
    fn in_innodb_a_change_is_no_look_and_a_snapshot_may_be_taken_at_once() {
        let mysql = StoreKind::Mysql;
        let usual = Isolation::RepeatableRead;
        let change = "UPDATE voucher SET used = 1";
        assert!(meets_a_change_elsewhere(mysql, usual, &["BEGIN", change, LOOK]));
        assert!(!meets_a_change_elsewhere(mysql, usual, &["BEGIN", change]));
        let at_once = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
        assert!(meets_a_change_elsewhere(mysql, usual, &[at_once]));
        assert!(!meets_a_change_elsewhere(mysql, usual, &[at_once, LOOK]));
        assert!(meets_a_change_elsewhere(
            mysql,
            usual,
            &["BEGIN", "SET @s = (SELECT used FROM voucher)"]
        ));
    }

    const CHANGE: &str = "UPDATE voucher SET used = 1";
    const ELSEWHERE: &str = "UPDATE product SET stock = 0";

    #[test]
    fn a_query_meets_a_change_when_it_is_committed_and_not_before() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            let last = |texts: &[&str]| last(kind, Isolation::ReadCommitted, texts);
            let query = last(&[LOOK]);
            assert!(query.conflicts_with(last(&[CHANGE])), "{kind}: it commits at once");
            assert!(!query.conflicts_with(last(&["BEGIN", CHANGE])), "{kind}");
            assert!(query.conflicts_with(last(&["BEGIN", CHANGE, "COMMIT"])), "{kind}");
            assert!(!query.conflicts_with(last(&["BEGIN", LOOK, "COMMIT"])), "{kind}");
        }
    }

    #[test]
    fn a_change_waits_for_another_until_that_is_committed() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            let last = |texts: &[&str]| last(kind, Isolation::ReadCommitted, texts);
            let (change, commit) = (last(&["BEGIN", CHANGE]), last(&["BEGIN", CHANGE, "COMMIT"]));
            let locks = last(&["BEGIN", "SELECT used FROM voucher FOR UPDATE"]);
            for waits in [&change, &locks] {
                assert!(waits.conflicts_with(&change) && waits.conflicts_with(&locks), "{kind}");
                assert!(waits.conflicts_with(&commit), "{kind}");
            }
            assert!(!commit.conflicts_with(&commit), "{kind}: neither keeps the other waiting");
        }
    }

    #[test]
    fn where_a_snapshot_is_kept_later_queries_depend_on_no_other_session() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            let texts = ["BEGIN", LOOK, LOOK];
            let last = |usual| last(kind, usual, &texts);
            assert_eq!(last(Isolation::RepeatableRead), Footprint::NOTHING, "{kind}");
            assert_ne!(last(Isolation::ReadCommitted), Footprint::NOTHING, "{kind}");
            assert_ne!(last(Isolation::Serializable), Footprint::NOTHING, "{kind}");
        }
    }

    #[test]
    fn at_the_serializable_level_postgres_watches_what_is_read_and_innodb_locks_it() {
        let change = ["BEGIN", CHANGE];
        let postgres = |texts: &[&str]| last(StoreKind::Postgres, Isolation::Serializable, texts);
        assert!(postgres(&["BEGIN", LOOK, LOOK]).conflicts_with(postgres(&change)));
        let elsewhere = ["BEGIN", "UPDATE product SET stock = 0"];
        assert!(postgres(&["BEGIN", LOOK, "COMMIT"]).conflicts_with(postgres(&elsewhere)));
        let mysql = |texts: &[&str]| last(StoreKind::Mysql, Isolation::Serializable, texts);
        assert!(mysql(&["BEGIN", LOOK, LOOK]).conflicts_with(mysql(&change)));
        assert!(mysql(&["BEGIN", LOOK, "COMMIT"]).conflicts_with(mysql(&change)));
        assert!(!mysql(&["BEGIN", LOOK, LOOK]).conflicts_with(mysql(&["BEGIN", LOOK])));
        assert!(!mysql(&["BEGIN", LOOK, LOOK]).conflicts_with(mysql(&elsewhere)));
    }

    #[test]
    fn where_postgres_watches_statements_depend_on_all_others_beside_a_commit() {
        let last = |texts: &[&str]| last(StoreKind::Postgres, Isolation::Serializable, texts);
        let pairs = [
            (&["BEGIN", LOOK, LOOK][..], &["BEGIN", "SELECT 1 FROM product", ELSEWHERE][..]),
            (&["BEGIN", LOOK, LOOK], &["BEGIN", LOOK, LOOK]),
        ];
        for (one, other) in pairs {
            let (one, other) = (last(one), last(other));
            assert!(!one.conflicts_with(&other));
            assert!(one.beside_a_commit().conflicts_with(other.beside_a_commit()));
        }
        for commits in [&["BEGIN", LOOK, "COMMIT"][..], &[LOOK], &[CHANGE]] {
            let commits = last(commits);
            assert!(commits.commits());
            assert!(commits.conflicts_with(last(&["BEGIN", "SELECT 1 FROM product", ELSEWHERE])));
            assert!(!commits.conflicts_with(last(&["BEGIN"])), "its snapshot is taken later");
        }
        assert!(!last(&["BEGIN", LOOK]).commits());
    }

    #[test]
    fn in_sqlite_there_is_one_writer_and_who_only_reads_waits_for_none() {
        let last = |texts: &[&str]| last(StoreKind::Sqlite, Isolation::Serializable, texts);
        let elsewhere = "UPDATE product SET stock = 0";
        let (writes, other) = (last(&["BEGIN", CHANGE]), last(&["BEGIN", elsewhere]));
        assert!(writes.conflicts_with(&other));
        assert!(last(&["BEGIN IMMEDIATE"]).conflicts_with(&other));
        assert_eq!(last(&["BEGIN", CHANGE, elsewhere]), Footprint::NOTHING);
        let commit = last(&["BEGIN", CHANGE, "COMMIT"]);
        assert!(commit.conflicts_with(&other));
        assert!(!last(&[LOOK]).conflicts_with(&writes));
        assert!(last(&[LOOK]).conflicts_with(&commit));
        assert!(last(&["BEGIN", "SELECT stock FROM product"]).conflicts_with(&commit));
        assert_eq!(last(&["BEGIN", LOOK, LOOK]), Footprint::NOTHING);
        assert_eq!(last(&["BEGIN", LOOK, "COMMIT"]), Footprint::NOTHING);
    }

    #[test]
    fn a_table_that_is_locked_keeps_even_queries_waiting() {
        let last = |texts: &[&str]| last(StoreKind::Postgres, Isolation::ReadCommitted, texts);
        let locks = ["BEGIN", "LOCK TABLE voucher", "COMMIT"];
        assert!(last(&[LOOK]).conflicts_with(last(&locks[..2])));
        assert!(last(&[LOOK]).conflicts_with(last(&locks)));
    }

    #[test]
    fn a_reference_is_needed_until_the_end_and_shared() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            let last = |texts: &[&str]| last(kind, Isolation::ReadCommitted, texts);
            let refers = ["BEGIN", "INSERT INTO \"order\" VALUES (1)", "COMMIT"];
            let change = last(&["BEGIN", "UPDATE product SET stock = 0"]);
            let deleted = last(&["BEGIN", "DELETE FROM product", "COMMIT"]);
            for refers in [last(&refers[..2]), last(&refers)] {
                assert!(
                    refers.conflicts_with(&change) && refers.conflicts_with(&deleted),
                    "{kind}"
                );
            }
            let other = last(&["BEGIN", "SELECT stock FROM product FOR SHARE"]);
            assert!(last(&refers[..2]).conflicts_with(&other), "{kind}: closed on doubt");
        }
    }

    /// The tracker after these statements, of which the last one comes out like this, and what the last one touches.
    fn after(
        kind: StoreKind,
        texts: &[&str],
        outcome: StatementOutcome,
    ) -> (TransactionTracker, Footprint) {
        let shop = shop(kind, &[]);
        let mut transactions = TransactionTracker::of(kind, Isolation::ReadCommitted);
        let mut footprint = Footprint::NOTHING;
        for (place, text) in texts.iter().enumerate() {
            let reading = shop.read(text);
            let frame = transactions.frame(&reading);
            let own = shop.effect(&reading);
            footprint = transactions.effect(frame, &reading, own.clone()).footprint;
            let is_last = place + 1 == texts.len();
            let outcome = if is_last { outcome } else { StatementOutcome::Done };
            transactions.note(frame, &reading, &own, outcome);
        }
        (transactions, footprint)
    }

    #[test]
    fn a_rollback_to_a_savepoint_gives_back_locks_and_undoes_what_the_commit_would_show() {
        let level = Isolation::ReadCommitted;
        let undone = ["BEGIN", ELSEWHERE, "SAVEPOINT s", CHANGE, "ROLLBACK TO SAVEPOINT s"];
        let commits = |texts: &[&'static str]| [texts, &["COMMIT"]].concat();
        let query = ["SELECT used FROM voucher"];
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            let last = |texts: &[&str]| last(kind, level, texts);
            let waits = last(&["BEGIN", CHANGE]);
            assert!(last(&undone).conflicts_with(&waits), "{kind}");
            assert!(!last(&undone).conflicts_with(last(&query)), "{kind}: nothing is seen of it");
            let keeps_locks = kind == StoreKind::Mysql;
            let commit = last(&commits(&undone));
            assert_eq!(commit.conflicts_with(&waits), keeps_locks, "{kind}");
            assert!(commit.conflicts_with(last(&["BEGIN", ELSEWHERE])), "{kind}");
            assert!(last(&commits(&undone[..4])).conflicts_with(last(&query)), "{kind}");
        }
    }

    #[test]
    fn what_was_done_before_a_savepoint_outlives_a_rollback_to_it() {
        let texts =
            ["BEGIN", CHANGE, "SAVEPOINT s", ELSEWHERE, "ROLLBACK TO s", "RELEASE s", "COMMIT"];
        let last = |texts: &[&str]| last(StoreKind::Postgres, Isolation::ReadCommitted, texts);
        assert!(last(&texts).conflicts_with(last(&["BEGIN", CHANGE])));
        assert!(last(&texts).conflicts_with(last(&["SELECT used FROM voucher"])));
    }

    #[test]
    fn an_error_gives_back_the_locks_since_the_last_savepoint_and_no_others() {
        let texts = ["BEGIN", ELSEWHERE, "SAVEPOINT a", CHANGE, "INSERT INTO voucher VALUES (1)"];
        let (mut refused, _) = after(StoreKind::Postgres, &texts, StatementOutcome::RolledBack);
        let (kept, _) = after(StoreKind::Postgres, &texts[..2], StatementOutcome::Done);
        assert_eq!(refused.holds(), kept.holds());
        assert_ne!(refused.rolled_back(), Footprint::NOTHING, "it goes on from the savepoint");
        // Until then the server refuses whatever is said, and does nothing.
        let shop = shop(StoreKind::Postgres, &[]);
        let footprint = |transactions: &TransactionTracker, text: &str| {
            let reading = shop.read(text);
            let frame = transactions.frame(&reading);
            transactions.effect(frame, &reading, shop.effect(&reading)).footprint
        };
        assert_eq!(footprint(&refused, CHANGE), Footprint::NOTHING);
        let back = shop.read("ROLLBACK TO a");
        let frame = refused.frame(&back);
        refused.note(frame, &back, &Effect::NOTHING, StatementOutcome::Done);
        assert_ne!(footprint(&refused, CHANGE), Footprint::NOTHING);
        let (over, _) = after(
            StoreKind::Postgres,
            &["BEGIN", CHANGE, "SAVEPOINT a", "RELEASE a", ELSEWHERE],
            StatementOutcome::RolledBack,
        );
        assert_eq!(over.rolled_back(), Footprint::NOTHING, "no savepoint is left");
    }

    #[test]
    fn a_savepoint_that_is_not_known_lets_every_statement_touch_everything() {
        for texts in [
            &["BEGIN", "SAVEPOINT a", "ROLLBACK TO b"][..],
            &["BEGIN", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a"],
            &["BEGIN", "SAVEPOINT a", "ROLLBACK TO b", LOOK],
            &["BEGIN", "SAVEPOINT \"A\"", LOOK],
            &["BEGIN", "SAVEPOINT a", "RELEASE b", LOOK],
            &["ROLLBACK TO a"],
        ] {
            let level = Isolation::ReadCommitted;
            assert!(meets_a_change_elsewhere(StoreKind::Postgres, level, texts), "{texts:?}");
        }
    }

    #[test]
    fn in_mysql_a_savepoint_takes_the_place_of_another_of_its_name() {
        let texts = ["BEGIN", "SAVEPOINT a", "SAVEPOINT b", "SAVEPOINT a", "ROLLBACK TO b"];
        let again = [&texts[..], &["ROLLBACK TO a"]].concat();
        let meets = |kind| meets_a_change_elsewhere(kind, Isolation::ReadCommitted, &again);
        assert!(meets(StoreKind::Mysql), "it is gone with what came after b");
        assert!(!meets(StoreKind::Postgres));
    }

    #[test]
    fn in_sqlite_a_savepoint_begins_a_transaction_and_its_release_commits_it() {
        let last = |texts: &[&str]| last(StoreKind::Sqlite, Isolation::Serializable, texts);
        let texts = ["SAVEPOINT a", CHANGE, "SAVEPOINT b", ELSEWHERE, "RELEASE b", "RELEASE a"];
        assert_eq!(last(&texts[..4]), Footprint::NOTHING, "it is the writer already");
        assert_eq!(last(&texts[..5]), Footprint::NOTHING);
        assert!(last(&texts).conflicts_with(last(&[LOOK])));
        let back = ["SAVEPOINT a", CHANGE, "ROLLBACK TO a"];
        assert_eq!(last(&back), Footprint::NOTHING, "it keeps the one lock");
        assert!(
            last(&["SAVEPOINT a", CHANGE, "ROLLBACK TO a", "RELEASE a"])
                .conflicts_with(last(&["BEGIN", ELSEWHERE]))
        );
        let framed = ["BEGIN", "SAVEPOINT a", CHANGE, "RELEASE a"];
        assert_eq!(last(&framed), Footprint::NOTHING, "BEGIN has begun it");
    }

    #[test]
    fn a_commit_that_sqlite_refuses_leaves_the_transaction_open() {
        let texts = ["BEGIN", CHANGE, "COMMIT"];
        let (open, _) = after(StoreKind::Sqlite, &texts, StatementOutcome::Refused);
        assert!(open.is_under_way());
        let (ended, _) = after(StoreKind::Sqlite, &texts[..2], StatementOutcome::RolledBack);
        assert!(!ended.is_under_way());
    }

    #[test]
    fn a_transaction_that_begins_ends_the_one_before_in_mysql() {
        let texts = ["BEGIN", "UPDATE product SET stock = 0", "BEGIN"];
        assert!(meets_a_change_elsewhere(StoreKind::Mysql, Isolation::ReadCommitted, &texts));
        assert!(!meets_a_change_elsewhere(StoreKind::Postgres, Isolation::ReadCommitted, &texts));
    }

    #[test]
    fn after_what_unsettles_a_session_every_statement_touches_everything() {
        for unsettles in ["SET autocommit = 0", "CALL buy(1)", "SET sql_mode = 'ANSI_QUOTES'"] {
            let texts = [unsettles, LOOK];
            assert!(meets_a_change_elsewhere(StoreKind::Mysql, Isolation::ReadCommitted, &texts));
        }
    }
}
