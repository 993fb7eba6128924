//! A statement that a buyer is about to send, and at which it is held.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::footprint::Footprint;
use crate::base::text::code_location::CodeLocation;
use crate::base::text::sql::{Dialect, RewriteOutcome};
use crate::domain::faults::Act;

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
    /// What happens: it is sent or, in place of a statement, something else happens to its buyer.
    #[serde(default)]
    pub act: Act,
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
            act: Act::Step,
        }
    }

    /// What may happen to a buyer in place of this statement: its program dies. The server then ends the buyer's session:
    /// it rolls back the transaction, and gives back every lock. That touches everything where it is not known what the
    /// session has: where `has_traces`, such as an advisory lock, may be left in it, and where the statement itself
    /// touches everything, perhaps because it is not known which transaction it is in.
    #[must_use]
    pub(crate) fn crash_before(&self, has_traces: bool) -> Self {
        let end = match has_traces || self.footprint == Footprint::everything() {
            true => Footprint::everything(),
            false => self.rolled_back.clone() | &self.holds,
        };
        let crash = Self::new("its program dies".into(), Footprint::NOTHING);
        Self { act: Act::Crash, ..crash.depending_on(end) }
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
            && self.act == other.act
            && match (&self.shape, &other.shape) {
                (Some(shape), Some(other)) => shape == other,
                _ => self.text == other.text,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::Resources;

    #[test]
    fn a_death_touches_the_locks_of_its_transaction_or_everything_where_they_are_not_known() {
        let [locks, given_back] = [1, 2].map(|table| Footprint::locking(Resources::table(table)));
        let next = PendingStatement::new("COMMIT".into(), Footprint::writing(Resources::table(3)))
            .in_transaction(locks.clone(), given_back.clone());
        let death = next.crash_before(false);
        assert_eq!((death.act, death.touches.changes()), (Act::Crash, false));
        assert_eq!(death.expected(), locks | &given_back);
        assert_eq!(next.crash_before(true).expected(), Footprint::everything());
        let unclear = next.depending_on(Footprint::everything());
        assert_eq!(unclear.crash_before(false).expected(), Footprint::everything());
    }
}
