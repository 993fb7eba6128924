//! The isolation level of a transaction, as far as it is known: it depends on what was set in the session before.

use super::reading::Reading;
use super::snapshot::is_kept;
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;

/// The isolation levels between which that of a transaction is. What makes a statement depend on others counts at the
/// highest, what lets it depend on none only at the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) struct Levels {
    lowest: Isolation,
    /// The highest of them.
    pub(super) highest: Isolation,
}

impl Levels {
    /// This level.
    pub(in crate::stores::sql) fn exactly(level: Isolation) -> Self {
        Self { lowest: level, highest: level }
    }

    /// Any level.
    pub(super) const ANY: Self =
        Self { lowest: Isolation::ReadCommitted, highest: Isolation::Serializable };

    /// One of these, or this one.
    fn or(self, level: Isolation) -> Self {
        Self { lowest: self.lowest.min(level), highest: self.highest.max(level) }
    }

    /// Whether the server watches, or may watch, what transactions read and write, to refuse what is not serializable.
    pub(super) fn are_watched(self, kind: StoreKind) -> bool {
        kind == StoreKind::Postgres && self.highest == Isolation::Serializable
    }

    /// Whether a snapshot may be kept.
    pub(super) fn may_keep_snapshot(self, kind: StoreKind) -> bool {
        is_kept(kind, self.highest)
    }

    /// Whether a snapshot is kept for certain.
    pub(super) fn keeps_snapshot(self, kind: StoreKind) -> bool {
        is_kept(kind, self.lowest)
    }
}

/// The levels after a statement that sets one, in a transaction or in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetLevels {
    /// Of the transaction that is under way.
    pub(super) under_way: Option<Levels>,
    /// Of those that begin later and name none.
    pub(super) later: Levels,
}

impl SetLevels {
    /// The same after a statement that names this level. PostgreSQL's `SET TRANSACTION` is about the transaction that is
    /// under way, `SET SESSION …` about those that begin later (PostgreSQL manual, `SET TRANSACTION`; MySQL manual,
    /// 15.7.2.1). All else may be about any.
    pub(super) fn after(self, kind: StoreKind, reading: &Reading, level: Isolation) -> Self {
        let is_clear = reading.is_about_one_level();
        // PostgreSQL's `transaction_isolation` is about the transaction under way, and does nothing where there is none.
        let is_of_session = kind != StoreKind::Postgres
            || ["characteristics", "default_transaction_isolation"]
                .iter()
                .any(|word| reading.has(word));
        match (kind, reading.words.get(1).map(String::as_str), self.under_way) {
            (StoreKind::Postgres, Some("transaction"), Some(_)) if is_clear => {
                Self { under_way: Some(Levels::exactly(level)), ..self }
            }
            (_, Some("session"), None) if is_clear && is_of_session => {
                Self { later: Levels::exactly(level), ..self }
            }
            _ => Self {
                under_way: self.under_way.map(|levels| levels.or(level)),
                later: self.later.or(level),
            },
        }
    }
}
