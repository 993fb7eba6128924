//! How long each round took: what a difference between two runs is judged by.

use serde::{Deserialize, Serialize};

use super::figures::Figures;
use crate::base::samples::Spread;

/// The most rounds whose times are kept.
pub const MOST_TIMED_ROUNDS: usize = 1_000;

/// The times of one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RoundTimes {
    /// From the gun to the last answer, in ns.
    pub elapsed: u64,
    /// From a buyer's click to its answer, in ns.
    pub latency: Spread,
}

impl RoundTimes {
    /// Of a round; none if not all of its buyers were served.
    pub(crate) fn of(figures: &Figures) -> Option<Self> {
        let whole = figures.unserved == 0;
        whole.then_some(Self { elapsed: figures.elapsed, latency: figures.latency })
    }
}
