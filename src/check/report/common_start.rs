//! Machines that raced on one store together: their clocks, and when their buyers started.

use serde::{Deserialize, Serialize};

/// How several machines started together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CommonStart {
    /// The time that they had agreed on, as RFC 3339 writes it.
    pub at: String,
    /// By the server's clock, how long it was from the first start to the last, in ns; null where the server has no clock.
    pub spread: Option<u64>,
    /// By how much that may be wrong, in ns; null where the server has no clock.
    pub spread_uncertain: Option<u64>,
    /// The machines, by the number of their part.
    pub machines: Vec<RacingMachine>,
}

/// One of these machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RacingMachine {
    /// Which part of the race it did, counted from 1.
    pub part: u32,
    /// Its buyers.
    pub buyers: u64,
    /// Its clock beside the server's; null where the server has no clock.
    pub clock: Option<ClockDifference>,
    /// When its buyers started, by its own clock, in ns after the time that was agreed on.
    pub started: i64,
    /// The same by the server's clock; null where the server has no clock.
    pub started_by_server: Option<i64>,
    /// When its first buyer clicked, in ns after the first start of all by the server's clock; where the server has no clock,
    /// after its own start.
    pub first_click: u64,
    /// When its last buyer had an answer, on the same scale.
    pub last_answer: u64,
}

/// A machine's clock beside the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ClockDifference {
    /// By how much it was ahead of the server's before the race, in ns; below zero if it was behind.
    pub ahead: i64,
    /// By how much that may be wrong, in ns: half of the quickest round trip in which the server's clock was read.
    pub uncertain: u64,
    /// By how much the server's clock went ahead during the race of the one that measured the race, in ns; below zero if it fell
    /// behind.
    pub moved: i64,
}

impl ClockDifference {
    /// A difference that was measured, in ns.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn new(ahead: i64, uncertain: u64, moved: i64) -> Self {
        Self { ahead, uncertain, moved }
    }
}
