//! A statement that a buyer is about to send, and at which it is held.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::footprint::Footprint;
use crate::base::text::code_location::CodeLocation;
use crate::base::text::sql::{Dialect, RewriteOutcome};

/// Which part of a statement is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// All of it, or its beginning if it is held inside the server.
    #[default]
    Sends,
    /// It has begun, and is held before it changes anything more.
    Acts,
}

/// A statement as it is sent over the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SentText {
    /// Its text, with placeholders for values that come separately.
    pub text: String,
    /// Its dialect; none if it is no SQL.
    pub dialect: Option<Dialect>,
    /// Whether a cure was written into it.
    pub rewriting: RewriteOutcome,
}

/// A statement that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingStatement {
    /// Its text as a report shows it, with its values; times are left out, for they never come out the same twice.
    pub text: String,
    /// What it touches: what it is about, as a reader sees it.
    pub touches: Footprint,
    /// Its footprint: which other steps it may not be swapped with. What a statement changes within a transaction
    /// others see only when it commits, so that this may be less, or more, than it touches.
    pub footprint: Footprint,
    /// Locks that its transaction holds. Where the statement has to wait, they decide whether that is a deadlock.
    pub holds: Footprint,
    /// The footprint of its transaction's end if the server rolls it back.
    pub rolled_back: Footprint,
    /// The text without its values, where they may differ each time: a clock's times, random keys.
    pub shape: Option<String>,
    /// Where in the application's code it was made, if it says so. It is the same statement wherever it was made.
    #[serde(default)]
    pub code: Option<CodeLocation>,
    /// What is sent over the wire, of an application's statement. No order log has it.
    #[serde(skip)]
    pub sent: Option<Arc<SentText>>,
    /// The transaction that it is part of, where that is known.
    pub transaction: Option<u64>,
    /// Whether it ends that transaction.
    pub ends_transaction: bool,
    /// What it touches when it begins, if it is to be held between its beginning and its first change; none if it is
    /// one step.
    pub begins: Option<Footprint>,
    /// Which part of it comes next.
    pub phase: Phase,
}

impl PendingStatement {
    /// A statement whose values are the same each time.
    #[must_use]
    pub(crate) fn new(text: String, touches: Footprint) -> Self {
        let footprint = touches.clone();
        Self {
            text,
            touches,
            footprint,
            holds: Footprint::NOTHING,
            rolled_back: Footprint::NOTHING,
            shape: None,
            code: None,
            sent: None,
            transaction: None,
            ends_transaction: false,
            begins: None,
            phase: Phase::Sends,
        }
    }

    /// The same statement with this footprint.
    #[must_use]
    pub(crate) fn depending_on(self, footprint: Footprint) -> Self {
        Self { footprint, ..self }
    }

    /// The same statement in a transaction that holds these locks, and whose end has this footprint if the server rolls
    /// it back.
    #[must_use]
    pub(crate) fn in_transaction(self, holds: Footprint, rolled_back: Footprint) -> Self {
        Self { holds, rolled_back, ..self }
    }

    /// The same statement, to be held between its beginning, which touches `begins`, and its first change.
    #[must_use]
    pub(crate) fn beginning_with(self, begins: Option<Footprint>) -> Self {
        Self { begins, ..self }
    }

    /// The footprint of the step in which it is sent, whatever comes of it: it is done or only begins, it has to wait, or
    /// the server rolls its transaction back.
    pub(crate) fn expected(&self) -> Footprint {
        let begins = self.begins.clone().unwrap_or_default();
        self.footprint.clone() | begins | &self.holds | &self.rolled_back
    }

    /// The same while a transaction is under way beside which another has committed.
    #[must_use]
    pub(crate) fn beside_a_commit(self) -> Self {
        Self {
            footprint: self.footprint.beside_a_commit(),
            rolled_back: self.rolled_back.beside_a_commit(),
            begins: self.begins.map(Footprint::beside_a_commit),
            ..self
        }
    }

    /// The part that is left once it has begun.
    pub(super) fn rest(&self) -> Self {
        Self { phase: Phase::Acts, begins: None, ..self.clone() }
    }

    /// Whether this is the other statement again, perhaps with other values.
    #[must_use]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.touches == other.touches
            && self.begins == other.begins
            && self.phase == other.phase
            && match (&self.shape, &other.shape) {
                (Some(shape), Some(other)) => shape == other,
                _ => self.text == other.text,
            }
    }
}
