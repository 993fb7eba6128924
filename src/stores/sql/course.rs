//! The course of transactions on one connection: what a statement has to do with depends on the one it is in.

use crate::stores::StoreKind;
use crate::stores::model::Isolation;
use crate::stores::remote::{Parts, Touches};

/// What a statement does to the transaction that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// It begins one, at this level.
    Begins(Isolation),
    /// It begins one at read committed, and keeps others from beginning one of the kind.
    BeginsLocking,
    /// It ends it, one way or the other.
    Ends,
    /// None of these.
    GoesOn,
}

/// How far a connection has come.
#[derive(Debug)]
pub(super) struct Course {
    kind: StoreKind,
    under_way: Option<UnderWay>,
}

/// A transaction.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    isolation: Isolation,
    /// Whether it has looked at anything yet: that is when it is decided what it sees.
    has_looked: bool,
    /// What it has to do with so far.
    touches: Touches,
}

impl Course {
    /// At the beginning, at this store.
    pub(super) fn of(kind: StoreKind) -> Self {
        Self { kind, under_way: None }
    }

    /// Whether a transaction is under way.
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// The transaction that is under way, or the next one, is kept apart at least so far.
    pub(super) fn raise(&mut self, isolation: Isolation) {
        if let Some(under_way) = &mut self.under_way {
            under_way.isolation = under_way.isolation.max(isolation);
        }
    }

    /// Forgets the transaction that is under way; whether there was one.
    pub(super) fn breaks_off(&mut self) -> bool {
        self.under_way.take().is_some()
    }

    /// What a statement has to do with, here and now, that has to do with so much by itself.
    pub(super) fn touches(&self, manner: Manner, own: Touches) -> Touches {
        // In a file, whoever writes keeps everybody else from writing.
        let own = match self.kind {
            StoreKind::Sqlite if own.changes() || manner == Manner::BeginsLocking => {
                Touches::writing(Parts::ALL)
            }
            _ => own,
        };
        let Some(under_way) = self.under_way else { return own };
        match manner {
            Manner::Ends => match under_way.isolation {
                // Who may commit depends on what others have read and written.
                Isolation::Serializable => Touches::writing(Parts::ALL),
                _ => under_way.touches,
            },
            // What it will see of everything is decided now.
            _ if !under_way.has_looked && self.keeps_snapshots(under_way.isolation) => {
                own | Touches::reading(Parts::ALL)
            }
            _ => own,
        }
    }

    fn keeps_snapshots(&self, isolation: Isolation) -> bool {
        self.kind == StoreKind::Sqlite || isolation != Isolation::ReadCommitted
    }

    /// Keeps track: a statement has been done, or refused.
    pub(super) fn note(&mut self, manner: Manner, touches: Touches, is_done: bool) {
        let begun = |isolation, touches| Some(UnderWay { isolation, has_looked: false, touches });
        match manner {
            Manner::Begins(isolation) if is_done => {
                self.under_way = begun(isolation, Touches::NOTHING);
            }
            Manner::BeginsLocking if is_done => {
                self.under_way = begun(Isolation::ReadCommitted, touches);
            }
            Manner::Ends => self.under_way = None,
            _ => {
                if let Some(under_way) = &mut self.under_way {
                    under_way.has_looked = true;
                    // What it has only read matters to nobody when it ends.
                    if touches.changes() {
                        let of_end = Touches { reads: Parts::NONE, ..touches };
                        under_way.touches = under_way.touches | of_end;
                    }
                }
            }
        }
    }
}
