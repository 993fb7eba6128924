//! Incidents: what goes wrong in some orders and is no finding, such as a checkout that fails, a deadlock that the
//! server breaks, or code that does nothing for too long. The shop may keep all its promises all the same, so incidents
//! are counted, each with a shortest schedule.

use serde::{Deserialize, Serialize};

use super::timeline::TimelineRow;

/// The kinds of incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IncidentKind {
    /// The server has aborted a transaction to resolve a deadlock.
    ResolvedDeadlock,
    /// A buyer's checkout ended in a failure.
    Failed,
    /// A buyer's own code did nothing for so long, while no other buyer could move, that the order was given up: a
    /// deadlock that cannot be seen from outside the code, or code that is slow.
    Stalled,
}

impl IncidentKind {
    /// Its name in a report.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ResolvedDeadlock => "resolved deadlock",
            Self::Failed => "failed",
            Self::Stalled => "stalled",
        }
    }
}

/// An incident, and the shortest schedule that shows it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Incident {
    /// Its kind.
    pub kind: IncidentKind,
    /// In how many orders; in the model, which does not tell orders apart, in how many different ends.
    pub orders: u64,
    /// What happened in the one that is shown.
    pub proof: String,
    /// Whose step comes when.
    pub schedule: String,
    /// The same, told step by step.
    pub timeline: Vec<TimelineRow>,
    /// The command that shows it again.
    pub again: String,
}
