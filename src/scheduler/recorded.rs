//! An execution that was run, kept so that a scheduler can be shown it.

use super::beginning::Beginning;
use super::choice::{Actor, Choice};
use super::execution::Execution;
use super::footprint::Footprint;
use super::repetition::{Ready, are_alike};
use super::schedulers::{Next, Scheduler};
use crate::base::error::Error;

/// What was known at one point of an execution.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordedPoint {
    /// What could happen, each with its statement.
    pub(super) ready: Vec<Ready>,
    /// The clients that had left.
    pub(super) left: Vec<Actor>,
    /// The clients that may go on with any step of another.
    pub(super) may_go_on: Vec<Actor>,
    /// The most futile attempts of any client.
    pub(super) futile: u32,
}

/// One step of an execution.
#[derive(Clone, Debug)]
pub(super) struct RecordedStep {
    pub(super) choice: Choice,
    pub(super) footprint: Footprint,
    pub(super) went_on: Vec<Actor>,
}

/// An execution that was run, and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedRun<R> {
    /// The beginning with which it was to be run.
    pub(super) beginning: Vec<Choice>,
    /// What was known before each step, and after the last.
    pub(super) points: Vec<RecordedPoint>,
    pub(super) steps: Vec<RecordedStep>,
    /// What could not happen after the last step.
    pub(super) refused: Option<Choice>,
    /// What came of it.
    pub(super) result: R,
}

impl<R> RecordedRun<R> {
    /// Whether it begins with these choices, or was to begin with them and could not.
    pub(super) fn begins_with(&self, choices: &[Choice]) -> bool {
        let made = self.steps.iter().map(|step| step.choice);
        let follows = !choices.is_empty()
            && choices.len() <= self.steps.len()
            && made.zip(choices).all(|(made, choice)| made == *choice);
        follows || self.beginning == choices
    }

    /// Whether its first steps, and what was known before each and after them, are those of the other, values aside.
    pub(super) fn is_like(&self, other: &Self, steps: usize) -> bool {
        let are_points_alike = |(one, other): (&RecordedPoint, &RecordedPoint)| {
            are_alike(&one.ready, &other.ready)
                && one.left == other.left
                && one.may_go_on == other.may_go_on
                && one.futile == other.futile
        };
        let are_steps_alike = |(one, other): (&RecordedStep, &RecordedStep)| {
            one.choice == other.choice
                && one.went_on == other.went_on
                && one.footprint.by_table() == other.footprint.by_table()
        };
        let is_long_enough = |run: &Self| run.points.len() > steps && run.steps.len() >= steps;
        is_long_enough(self)
            && is_long_enough(other)
            && self.points[..=steps].iter().zip(&other.points[..=steps]).all(are_points_alike)
            && self.steps[..steps].iter().zip(&other.steps[..steps]).all(are_steps_alike)
    }
}

/// Runs an execution with a beginning, and records it.
pub(super) struct Recorder {
    beginning: Beginning,
    run: RecordedRun<()>,
    /// What it has chosen last.
    chosen: Option<Choice>,
}

impl Recorder {
    /// A recorder that has recorded nothing yet.
    pub(super) fn of(beginning: Beginning) -> Self {
        let run = RecordedRun { beginning: beginning.choices.clone(), ..RecordedRun::default() };
        Self { beginning, run, chosen: None }
    }

    /// The run, with what came of it.
    pub(super) fn into_run<R>(self, result: R) -> RecordedRun<R> {
        let RecordedRun { beginning, points, steps, .. } = self.run;
        // What was taken is a step; what was chosen and not taken was refused.
        RecordedRun { beginning, points, steps, refused: self.chosen, result }
    }

    fn note(&mut self, execution: &mut impl Execution) {
        let ready = execution.ready();
        let clients = execution.clients();
        let (left, there): (Vec<Actor>, Vec<Actor>) =
            clients.into_iter().partition(|client| execution.has_left(*client));
        let is_ready = |client: &Actor| ready.iter().any(|(choice, _)| choice.who == *client);
        let mut may_go_on = there;
        may_go_on.retain(|client| !is_ready(client));
        may_go_on.retain(|client| execution.may_go_on_with_any_step(*client));
        let futile = execution.most_futile_attempts();
        self.run.points.push(RecordedPoint { ready, left, may_go_on, futile });
    }
}

impl<E: Execution> Scheduler<E> for Recorder {
    fn new_execution(&mut self) -> bool {
        true
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        if so_far.is_empty() {
            self.note(execution);
        }
        let ready = self.run.points.last().map_or(&[][..], |point| &point.ready);
        let ready: Vec<Choice> = ready.iter().map(|(choice, _)| *choice).collect();
        let next = self.beginning.next(so_far, &ready);
        self.chosen = next;
        Ok(match next {
            Some(choice) => Next::Take(choice),
            None if ready.is_empty() => Next::Over,
            None => Next::Cut,
        })
    }

    fn has_taken(&mut self, so_far: &[Choice], footprint: Footprint, execution: &mut E) {
        let Some(choice) = self.chosen.take() else { return };
        self.beginning.has_taken(so_far, footprint.clone(), execution);
        let went_on = execution.went_on();
        self.run.steps.push(RecordedStep { choice, footprint, went_on });
        self.note(execution);
    }
}
