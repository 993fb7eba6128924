//! Visits in a part's file, each a text without names: there may be a million, and a report has each value on a line of its own.

use serde::{Deserialize, Serialize};

use crate::domain::buyer::{Ending, Visit};
use crate::domain::op::{BuyerId, Want};

/// A visit: the buyer, what it came for, how it ended, attempts, conflicts, whether it looked, when it began, began its last
/// attempt, and ended, for how long it waited, and whether it held units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct VisitRow(Row);

/// Its values, as they are listed in JSON.
type Row = (BuyerId, Want, Ending, u32, u32, bool, u64, u64, u64, u64, bool);

impl From<VisitRow> for String {
    fn from(VisitRow(row): VisitRow) -> Self {
        // Cannot fail: they are names and numbers. As a text in JSON, each of its quotes would take two bytes.
        serde_json::to_string(&row).unwrap_or_default().replace('"', "'")
    }
}

impl TryFrom<String> for VisitRow {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&text.replace('\'', "\"")).map(Self)
    }
}

impl VisitRow {
    /// Whether Ctrl-C came before the buyer.
    pub(super) fn is_unserved(&self) -> bool {
        let (_, _, ending, ..) = self.0;
        ending == Ending::Unserved
    }
}

impl From<&Visit> for VisitRow {
    fn from(visit: &Visit) -> Self {
        let Visit { buyer, want, ending, attempts, conflicts, looked, held, .. } = *visit;
        let Visit { began_ns, last_attempt_ns, ended_ns, waited_ns, .. } = *visit;
        Self((
            buyer,
            want,
            ending,
            attempts,
            conflicts,
            looked,
            began_ns,
            last_attempt_ns,
            ended_ns,
            waited_ns,
            held,
        ))
    }
}

impl From<VisitRow> for Visit {
    fn from(VisitRow(row): VisitRow) -> Self {
        let (buyer, want, ending, attempts, conflicts, looked, ..) = row;
        let (.., began_ns, last_attempt_ns, ended_ns, waited_ns, held) = row;
        Self {
            buyer,
            want,
            ending,
            attempts,
            conflicts,
            looked,
            began_ns,
            last_attempt_ns,
            ended_ns,
            waited_ns,
            held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::Failure;
    use crate::domain::op::Item;

    #[test]
    fn a_visit_is_read_as_it_was_written() {
        let visit = Visit {
            buyer: 1,
            want: Want::one(Item(2), 3),
            ending: Ending::Failed(Failure::Disconnected),
            attempts: 4,
            conflicts: 5,
            looked: true,
            began_ns: 6,
            last_attempt_ns: 7,
            ended_ns: 8,
            waited_ns: 9,
            held: true,
        };
        let written = serde_json::to_string(&VisitRow::from(&visit)).unwrap();
        let read: VisitRow = serde_json::from_str(&written).unwrap();
        assert_eq!(Visit::from(read), visit);
        assert!(written.starts_with('"') && written.len() < 120, "{written}");
        for other in ["\"\"", "\"[1]\"", "[]", "7"] {
            assert!(serde_json::from_str::<VisitRow>(other).is_err(), "{other}");
        }
    }
}
