//! Overtakings: the first packet wins, not the fastest finger.

use serde::{Deserialize, Serialize};

use crate::domain::buyer::{Ending, Visit};
use crate::domain::op::BuyerId;

/// A winner who clicked later than a buyer who was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Overtaking {
    /// The buyer who won.
    pub winner: BuyerId,
    /// The first to click of those who were rejected.
    pub loser: BuyerId,
    /// By how much later the winner clicked, in ns.
    pub later: u64,
}

/// Winners who clicked later than the first of those who were rejected, in no particular order.
pub fn overtakings(visits: &[Visit]) -> impl Iterator<Item = Overtaking> + '_ {
    let clicks = move |ending| {
        let visits = visits.iter().filter(move |visit| visit.ending == ending);
        visits.map(|visit| (visit.began_ns, visit.buyer))
    };
    let first = clicks(Ending::Rejected).min();
    first.into_iter().flat_map(move |(first_ns, loser)| {
        let later = clicks(Ending::Bought).filter(move |(at_ns, _)| *at_ns > first_ns);
        later.map(move |(at_ns, winner)| Overtaking { winner, loser, later: at_ns - first_ns })
    })
}
