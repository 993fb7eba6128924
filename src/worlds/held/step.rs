//! One step of a schedule at a server.

use crate::domain::attempt::Heard;
use crate::domain::buyer::Ending;
use crate::domain::op::Reply;
use crate::scheduler::{Footprint, PendingStatement};

/// One step, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whose.
    pub place: usize,
    /// What it sent.
    pub statement: PendingStatement,
    /// What the server answered; none if it has to wait for another buyer, or has only begun.
    pub answer: Option<String>,
    /// Whether it has begun and is held inside the server.
    pub has_begun: bool,
    /// For whom it waits, as far as the server says.
    pub waits_for: Vec<usize>,
    /// Who had to wait until now and goes on with this step, and what the server answered them.
    pub went_on: Vec<(usize, String)>,
    /// Who had to wait until now, and has begun with this step what is now held inside the server.
    pub began: Vec<usize>,
    /// Who left with this step.
    pub left: Vec<(usize, Ending)>,
    /// What it has to do with, and whatever goes on with it.
    pub touches: Footprint,
}

/// What is held at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// One statement.
    Statement,
    /// One op, of however many statements: as the model steps.
    Op,
}

/// An op's reply, as it is told where ops are held. Whether a lock was waited for is no part of it.
#[must_use]
pub fn told(reply: Heard) -> String {
    match reply {
        Ok(Reply::Locked { .. }) => "Ok(Locked)".into(),
        reply => format!("{reply:?}"),
    }
}
