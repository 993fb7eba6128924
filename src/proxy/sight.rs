//! What a statement on a connection has to do with, and how it is told.

use super::wire::{Frame, Said};
use crate::scheduler::{Footprint, PendingStatement};

/// Somebody who knows one connection's language, and how far it has come.
pub(crate) trait Sight: Send {
    /// What is about to be sent.
    fn see(&mut self, said: &Said) -> Seen;

    /// It was answered, or refused; and this is how the connection stands.
    fn settle(&mut self, frame: Frame);
}

/// A statement that is about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// As a reader sees it.
    pub(crate) text: String,
    /// The same without values.
    pub(crate) shape: String,
    /// What it has to do with.
    pub(crate) touches: Footprint,
    /// What it touches when it begins, if it is to be held between that and its first change.
    pub(crate) begins: Option<Footprint>,
    /// Which of the connection's transactions it is part of, counted from 1.
    pub(crate) transaction: Option<u64>,
}

impl Seen {
    /// As it is held.
    pub(crate) fn pending(self, line: u64) -> PendingStatement {
        let transaction = self.transaction.map(|number| line << 32 | number);
        let pending = PendingStatement::new(self.text, self.touches).beginning_with(self.begins);
        PendingStatement { shape: Some(self.shape), transaction, ..pending }
    }
}
