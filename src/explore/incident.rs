//! What goes wrong in some orders and is no finding: a checkout that fails, a deadlock that the server breaks. What
//! the shop has promised may be right all the same; so these are figures, each with a shortest schedule.

use serde::Serialize;

use super::timeline::Row;

/// What can go wrong so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// The server has ended a transaction to break a deadlock.
    Deadlock,
    /// A buyer's checkout ended in a failure.
    Failed,
}

impl IncidentKind {
    /// As it is told.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::Failed => "failed",
        }
    }
}

/// Such a thing, and the shortest schedule that shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    /// What.
    pub kind: IncidentKind,
    /// In how many orders; in the model, which does not tell orders apart, in how many different ends.
    pub orders: u64,
    /// What happened in the one that is shown.
    pub proof: String,
    /// Whose step comes when.
    pub schedule: String,
    /// The same, told step by step.
    pub timeline: Vec<Row>,
    /// The command that tells it again.
    pub again: String,
}
