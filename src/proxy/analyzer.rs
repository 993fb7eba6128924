//! What a statement on a connection touches, and how a report shows it.

use super::wire::{ClientStatement, TransactionState};
use crate::base::text::code_location::CodeLocation;
use crate::scheduler::{Footprint, PendingStatement};

/// Interprets the statements of one connection, and follows its transactions.
pub(crate) trait StatementAnalyzer: Send {
    /// Interprets a statement that is about to be sent.
    fn see(&mut self, said: &ClientStatement) -> AnalyzedStatement;

    /// A statement was answered or refused, and left the connection in this state.
    fn settle(&mut self, frame: TransactionState);
}

/// A statement that is about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct AnalyzedStatement {
    /// The text as a report shows it.
    pub(crate) text: String,
    /// The text without values.
    pub(crate) shape: String,
    /// Where in the application's code it was made, if it says so.
    pub(crate) code: Option<CodeLocation>,
    /// What it touches.
    pub(crate) touches: Footprint,
    /// Its footprint.
    pub(crate) footprint: Footprint,
    /// The locks that its transaction holds.
    pub(crate) holds: Footprint,
    /// The footprint of the transaction's end if the server rolls it back.
    pub(crate) rolled_back: Footprint,
    /// What it touches when it begins, if it is to be held between that and its first change.
    pub(crate) begins: Option<Footprint>,
    /// Which of the connection's transactions it is part of, counted from 1.
    pub(crate) transaction: Option<u64>,
    /// Whether it ends that transaction.
    pub(crate) ends_transaction: bool,
}

impl AnalyzedStatement {
    /// The statement as the scheduler holds it.
    pub(crate) fn pending(self, line: u64) -> PendingStatement {
        let transaction = self.transaction.map(|number| line << 32 | number);
        let pending = PendingStatement::new(self.text, self.touches)
            .depending_on(self.footprint)
            .in_transaction(self.holds, self.rolled_back)
            .beginning_with(self.begins);
        PendingStatement {
            shape: Some(self.shape),
            code: self.code,
            transaction,
            ends_transaction: self.ends_transaction,
            ..pending
        }
    }
}
