//! The transactions of one connection, one after the other: what a statement touches depends on the one it is in.

use super::reading::{Reading, StatementKind};
use super::snapshot::{Takes, is_kept, takes};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{Footprint, Resources};

/// What a statement does to the transaction that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) enum TransactionEffect {
    /// It begins one, at this level.
    Begins(Isolation),
    /// It begins one that holds the write lock from the start.
    BeginsLocking,
    /// It commits the transaction or rolls it back, and the next begins at once if it chains.
    Ends { chains: bool },
    /// It neither begins nor ends a transaction.
    GoesOn,
}

/// The state of a connection's transactions.
#[derive(Debug)]
pub(in crate::stores::sql) struct TransactionTracker {
    kind: StoreKind,
    under_way: Option<ActiveTransaction>,
    /// Whether what statements do can no longer be read from their words.
    is_unsettled: bool,
}

/// A transaction.
#[derive(Clone, Copy, Debug)]
struct ActiveTransaction {
    isolation: Isolation,
    /// Whether its snapshot has been taken, where it keeps one.
    has_snapshot: bool,
    /// What it touches so far.
    touches: Footprint,
}

impl ActiveTransaction {
    fn at(isolation: Isolation) -> Self {
        Self { isolation, has_snapshot: false, touches: Footprint::NOTHING }
    }
}

impl TransactionTracker {
    /// The state of a new connection to this store.
    pub(in crate::stores::sql) fn of(kind: StoreKind) -> Self {
        Self { kind, under_way: None, is_unsettled: false }
    }

    /// Whether a transaction is under way.
    pub(in crate::stores::sql) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether there may be a transaction to roll back.
    pub(in crate::stores::sql) fn may_be_under_way(&self) -> bool {
        self.under_way.is_some() || self.is_unsettled
    }

    /// Whether a statement that begins now sees a snapshot of its own.
    pub(super) fn takes_snapshot(&self, usual: Isolation) -> bool {
        match self.under_way {
            Some(under_way) => !under_way.has_snapshot || !is_kept(self.kind, under_way.isolation),
            None => usual >= Isolation::ReadCommitted,
        }
    }

    /// Whether its snapshot is kept for the statements that follow, or is that of a single-statement transaction at a
    /// level that refuses what has changed since.
    pub(super) fn keeps_snapshot(&self, usual: Isolation) -> bool {
        is_kept(self.kind, self.under_way.map_or(usual, |under_way| under_way.isolation))
    }

    /// Raises the isolation level of the transaction that is under way, at least to this one.
    pub(in crate::stores::sql) fn raise(&mut self, isolation: Isolation) {
        if let Some(under_way) = &mut self.under_way {
            under_way.isolation = under_way.isolation.max(isolation);
        }
    }

    /// Forgets the transaction that is under way; whether there was one.
    pub(in crate::stores::sql) fn breaks_off(&mut self) -> bool {
        self.under_way.take().is_some()
    }

    /// The session is reset: whatever was set in it is forgotten.
    pub(in crate::stores::sql) fn begins_anew(&mut self) {
        *self = Self::of(self.kind);
    }

    /// What a statement does to transactions, where those that name no level run at this one.
    pub(in crate::stores::sql) fn frame(reading: &Reading, usual: Isolation) -> TransactionEffect {
        match reading.kind {
            StatementKind::Begins(level) => TransactionEffect::Begins(level.unwrap_or(usual)),
            StatementKind::BeginsLooking => TransactionEffect::Begins(usual),
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

    /// What a statement touches in the current transaction, if it touches `own` by itself.
    pub(in crate::stores::sql) fn touches(
        &self,
        frame: TransactionEffect,
        reading: &Reading,
        own: Footprint,
    ) -> Footprint {
        const EVERYTHING: Footprint = Footprint::writing(Resources::ALL);
        if self.is_unsettled || reading.unsettles {
            return EVERYTHING;
        }
        // In an SQLite file, a session that writes keeps every other session from writing.
        let own = match self.kind {
            StoreKind::Sqlite if own.changes() || frame == TransactionEffect::BeginsLocking => {
                EVERYTHING
            }
            _ => own,
        };
        let looks_at_once = reading.kind == StatementKind::BeginsLooking;
        let own = if looks_at_once { Footprint::reading(Resources::ALL) } else { own };
        let Some(under_way) = self.under_way else { return own };
        // In MySQL a transaction that begins ends the one that is under way.
        let ends = matches!(frame, TransactionEffect::Ends { .. })
            || self.kind == StoreKind::Mysql && frame != TransactionEffect::GoesOn;
        if ends {
            return match under_way.isolation {
                // Whether it may commit depends on what others have read and written.
                Isolation::Serializable => EVERYTHING,
                _ => under_way.touches | own,
            };
        }
        let keeps = is_kept(self.kind, under_way.isolation);
        if !under_way.has_snapshot && keeps && takes(self.kind, reading) != Takes::Never {
            // The snapshot decides now what it will see of every table.
            return own | Footprint::reading(Resources::ALL);
        }
        own
    }

    /// Notes that a statement has been done, or refused.
    pub(in crate::stores::sql) fn note(
        &mut self,
        frame: TransactionEffect,
        reading: &Reading,
        touches: Footprint,
        is_done: bool,
    ) {
        self.is_unsettled |= reading.unsettles;
        if let (StatementKind::Sets, Some(level)) = (reading.kind, reading.level) {
            self.raise(level);
        }
        match frame {
            // PostgreSQL and SQLite refuse or ignore a second `BEGIN`.
            TransactionEffect::Begins(_) | TransactionEffect::BeginsLocking
                if self.is_under_way() && self.kind != StoreKind::Mysql => {}
            TransactionEffect::Begins(isolation) if is_done => {
                let has_snapshot = reading.kind == StatementKind::BeginsLooking;
                self.under_way =
                    Some(ActiveTransaction { has_snapshot, ..ActiveTransaction::at(isolation) });
            }
            TransactionEffect::BeginsLocking if is_done => {
                let begun = ActiveTransaction::at(Isolation::ReadCommitted);
                self.under_way = Some(ActiveTransaction { touches, ..begun });
            }
            TransactionEffect::Ends { chains } => {
                let before = self.under_way.take().filter(|_| chains);
                self.under_way = before.map(|before| ActiveTransaction::at(before.isolation));
            }
            _ => {
                if let Some(under_way) = &mut self.under_way {
                    under_way.has_snapshot |= takes(self.kind, reading) == Takes::Surely;
                    // What it has only read matters to no other session when it ends.
                    if touches.changes() {
                        let of_end = Footprint { reads: Resources::NONE, ..touches };
                        under_way.touches = under_way.touches | of_end;
                    }
                }
            }
        }
    }

    /// Notes that a transaction is under way that no statement has begun, at this level; what it has done is not known.
    pub(in crate::stores::sql) fn is_found_open(&mut self, isolation: Isolation) {
        let touches = Footprint { reads: Resources::NONE, ..Footprint::writing(Resources::ALL) };
        self.under_way = Some(ActiveTransaction { touches, ..ActiveTransaction::at(isolation) });
    }

    /// Notes that a transaction begins implicitly, because the session is not in autocommit mode.
    pub(in crate::stores::sql) fn begins_by_itself(&mut self, isolation: Isolation) {
        self.under_way = Some(ActiveTransaction::at(isolation));
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::tests::shop;
    use super::*;

    /// What the last of these statements touches, if they are run one after the other at this level.
    fn last(kind: StoreKind, usual: Isolation, texts: &[&str]) -> Footprint {
        let shop = shop(kind, &[]);
        let mut transactions = TransactionTracker::of(kind);
        let mut touches = Footprint::NOTHING;
        for text in texts {
            let reading = shop.read(text);
            let frame = TransactionTracker::frame(&reading, usual);
            touches = transactions.touches(frame, &reading, shop.touches(&reading));
            transactions.note(frame, &reading, touches, true);
        }
        touches
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
