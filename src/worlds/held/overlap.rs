//! Which transactions, of those in which the server refuses what is not serializable, overlap with one that has
//! committed. While there are none, no order of statements makes it refuse any (Ports and Grittner, *Serializable
//! Snapshot Isolation in PostgreSQL*, VLDB 2012, 3.3: of three transactions that cannot be serialized, the last must have
//! committed first).

use crate::scheduler::{Footprint, PendingStatement};

/// The transactions of one execution.
#[derive(Clone, Debug, Default)]
pub(super) struct OverlappingTransactions {
    /// For each buyer, its transaction that is under way.
    under_way: Vec<Option<OpenTransaction>>,
}

/// A transaction that has seen something.
#[derive(Clone, Copy, Debug)]
struct OpenTransaction {
    /// Whether another has committed since.
    overlaps: bool,
}

impl OverlappingTransactions {
    /// Those of this many buyers, before their first step.
    pub(super) fn of(buyers: usize) -> Self {
        Self { under_way: vec![None; buyers] }
    }

    /// Whether the server may refuse a statement because of one that has committed.
    pub(super) fn may_be_refused(&self) -> bool {
        self.under_way.iter().flatten().any(|transaction| transaction.overlaps)
    }

    /// A buyer is about to send a statement.
    pub(super) fn sends(&mut self, place: usize, footprint: &Footprint) {
        if footprint.depends_on_commits() {
            self.under_way[place].get_or_insert(OpenTransaction { overlaps: false });
        }
    }

    /// A transaction has committed.
    pub(super) fn has_committed(&mut self) {
        for transaction in self.under_way.iter_mut().flatten() {
            transaction.overlaps = true;
        }
    }

    /// A buyer has come to its next statement: whether its transaction has ended can be seen there.
    pub(super) fn comes_to(&mut self, place: usize, next: &PendingStatement) {
        if !next.rolled_back.depends_on_commits() {
            self.under_way[place] = None;
        }
    }

    /// A buyer has left.
    pub(super) fn leaves(&mut self, place: usize) {
        self.under_way[place] = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(rolled_back: Footprint) -> PendingStatement {
        PendingStatement::new("SELECT 1".into(), Footprint::NOTHING)
            .in_transaction(Footprint::NOTHING, rolled_back)
    }

    #[test]
    fn a_statement_may_be_refused_while_a_transaction_overlaps_with_one_that_has_committed() {
        let (watched, ended) = (Footprint::depending_on_commits, statement(Footprint::NOTHING));
        let mut transactions = OverlappingTransactions::of(2);
        transactions.sends(0, &watched());
        transactions.sends(1, &watched());
        assert!(!transactions.may_be_refused());
        transactions.has_committed();
        transactions.comes_to(0, &ended);
        assert!(transactions.may_be_refused(), "the other was under way");
        transactions.comes_to(1, &statement(watched()));
        assert!(transactions.may_be_refused(), "it goes on");
        transactions.comes_to(1, &ended);
        assert!(!transactions.may_be_refused());
        transactions.sends(1, &watched());
        assert!(!transactions.may_be_refused(), "it has begun since");
        transactions.has_committed();
        transactions.leaves(1);
        assert!(!transactions.may_be_refused());
    }
}
