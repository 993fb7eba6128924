//! How an execution that a scheduler will choose begins, and how it is likely to go on: enough to run it ahead of time.

use std::sync::Arc;

use super::choice::Choice;
use super::execution::Execution;
use super::footprint::{Columns, Footprint};
use super::schedulers::{Event, Events};
use super::symmetry::Symmetry;

/// The beginning of an execution, and how the scheduler that has chosen it is likely to go on: with what it hopes for,
/// then with the client that moved last for as long as that may move, else with the first that may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginning {
    /// The choices with which it begins.
    pub(super) choices: Vec<Choice>,
    /// What follows, up to a choice that may not be made.
    pub(super) hoped_for: Vec<Choice>,
    /// Whether the client that moved last goes on.
    pub(super) keeps_client: bool,
    /// The sleep set before the choice of this number, and the columns that tell rows apart where steps are compared
    /// with it.
    pub(super) asleep: Events,
    pub(super) asleep_from: usize,
    pub(super) stable: Arc<Columns>,
    /// Which clients may begin.
    pub(super) symmetry: Option<Arc<Symmetry>>,
}

impl Beginning {
    /// An execution that begins so, and goes on with the client that moved last.
    pub(crate) fn of(choices: Vec<Choice>) -> Self {
        Self { choices, keeps_client: true, ..Self::default() }
    }

    /// What comes after these choices in an execution in which these can be made; none if nothing may.
    pub(super) fn next(&mut self, so_far: &[Choice], ready: &[Choice]) -> Option<Choice> {
        if let Some(choice) = self.choices.get(so_far.len()) {
            return Some(*choice);
        }
        let may = |choice: &Choice| {
            ready.contains(choice)
                && !self.asleep.iter().any(|event| event.choice == *choice)
                && self.symmetry.as_ref().is_none_or(|it| it.allows(choice.who, so_far))
        };
        let at = so_far.len() - self.choices.len();
        match self.hoped_for.get(at).copied() {
            Some(choice) if may(&choice) => return Some(choice),
            Some(_) => self.hoped_for.truncate(at),
            None => {}
        }
        let last = so_far.last().copied().filter(|last| self.keeps_client && may(last));
        last.or_else(|| ready.iter().copied().find(may))
    }

    /// Wakes what depends on the last of these choices.
    pub(super) fn has_taken(
        &mut self,
        so_far: &[Choice],
        footprint: Footprint,
        execution: &impl Execution,
    ) {
        let Some(choice) = so_far.last().copied() else { return };
        if self.asleep.is_empty() || so_far.len() <= self.asleep_from {
            return;
        }
        let footprint = footprint.comparing(&self.stable);
        let made = Event { choice, went_on: execution.went_on(), footprint };
        self.asleep.retain(|event| !event.depends_on(&made));
    }
}
