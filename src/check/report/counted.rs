//! What is kept of a round.

use super::{Banner, FigureTotals};
use crate::check::audit::Finding;
use crate::check::round::Round;

/// What is known of a round whose visits were too many to be kept.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Which round, counted from 1.
    pub number: u32,
    /// What happened.
    pub gathered: FigureTotals,
    /// What was proved wrong.
    pub findings: Vec<Finding>,
    /// Events that were simulated.
    pub events: u64,
    /// How many buyers saw each [banner](Banner::ALL).
    pub banners: [u64; Banner::ALL.len()],
}

/// A round, as far as its visits were kept.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All of them.
    Kept(Box<Round>),
    /// None of them.
    Counted(Box<Counted>),
}
