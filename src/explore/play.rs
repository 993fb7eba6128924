//! A person as the scheduler of a shop: what can be seen of the shop at every point.

use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::domain::op::Units;
use crate::explore::timeline::TimelineRow;
use crate::scheduler::{Actor, Choice, Execution};

/// A client, and what it is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientStatus {
    /// Its name.
    pub actor: Actor,
    /// In words: `about to read`, `waits`, `bought`.
    pub about: String,
    /// Whether it can move now.
    pub can_move: bool,
}

/// The result of looking ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// The shortest schedule to something wrong.
    Way(Vec<Choice>),
    /// Nothing goes wrong, whatever comes next.
    Safe,
    /// Nothing goes wrong in the states that were searched.
    Unknown,
    /// It is not searched: only the model can be looked ahead in.
    NotSearched,
}

/// A shop that a person can schedule.
pub(crate) trait Playable: Execution {
    /// Units of each product; empty where they cannot be seen between two steps.
    fn stock(&self) -> Vec<Units>;

    /// All clients, each with what it is about to do.
    fn position(&mut self) -> Vec<ClientStatus>;

    /// The steps so far.
    fn rows(&self) -> Vec<TimelineRow>;

    /// Whether nothing more can happen, faults aside.
    fn is_over(&mut self) -> bool;

    /// The findings so far. At a server they are known once nothing more can happen.
    ///
    /// # Errors
    /// When the server fails.
    fn findings(&mut self) -> Result<Vec<Finding>, Error>;

    /// Why nothing is known of the end, if that is so.
    fn unjudged(&self) -> Option<&str> {
        None
    }

    /// The outlook from here.
    fn outlook(&mut self) -> Outlook;

    /// The outlook from the opening.
    fn outlook_at_opening(&mut self) -> Outlook;
}
