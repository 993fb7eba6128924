//! An execution for tests: clients with a fixed number of steps each, which meet in nothing but their footprints.

use super::choice::{Actor, Choice};
use super::execution::Execution;
use super::footprint::Footprint;
use super::run::{Bounds, End};
use super::runner::run_all;
use super::schedule::Schedule;
use super::schedulers::Scheduler;
use super::statement::PendingStatement;
use crate::base::error::Error;

/// Clients with the footprint of each of their steps.
#[derive(Clone, Debug)]
pub(super) struct Toy {
    clients: Vec<Vec<Footprint>>,
    /// How many steps each has made.
    made: Vec<usize>,
    /// Whether clients with the same steps count as alike.
    are_alike: bool,
    /// The value that this execution sends, where each sends another one.
    value: Option<usize>,
}

impl Toy {
    /// Clients that differ from one another.
    pub(super) fn of(clients: Vec<Vec<Footprint>>) -> Self {
        Self { made: vec![0; clients.len()], clients, are_alike: false, value: None }
    }

    /// The same, where clients with the same steps are alike.
    pub(super) fn alike(self) -> Self {
        Self { are_alike: true, ..self }
    }

    /// The same, where the last statement of each client has another value in each execution, from this one on.
    pub(super) fn with_values_from(self, first: usize) -> Self {
        Self { value: Some(first), ..self }
    }

    /// The schedules that a scheduler runs, as text, without those that it gave up.
    pub(super) fn schedules(self, scheduler: &mut impl Scheduler<Self>) -> Vec<String> {
        self.schedules_and_divergences(scheduler).0
    }

    /// The same, and how many executions diverged.
    pub(super) fn schedules_and_divergences(
        mut self,
        scheduler: &mut impl Scheduler<Self>,
    ) -> (Vec<String>, usize) {
        let bounds = Bounds { most_steps: 100, cuts_futile: false };
        let mut schedules = Vec::new();
        let mut divergences = 0;
        let all = run_all(&mut self, scheduler, bounds, &|| false, |_, run| {
            match run.end {
                End::Over => schedules.push(Schedule(run.schedule).to_string()),
                End::Diverged(_) => divergences += 1,
                _ => {}
            }
            Ok(true)
        });
        assert_eq!(all, Ok(true));
        (schedules, divergences)
    }

    fn place(client: Actor) -> usize {
        let Actor::Buyer(place) = client else { return usize::MAX };
        place as usize
    }

    fn next(&self, client: Actor) -> Option<Footprint> {
        let place = Self::place(client);
        self.clients.get(place)?.get(self.made[place]).cloned()
    }
}

impl Execution for Toy {
    fn begin(&mut self) -> Result<(), Error> {
        self.made.fill(0);
        self.value = self.value.map(|value| value + 1);
        Ok(())
    }

    fn clients(&self) -> Vec<Actor> {
        (0..self.clients.len()).map(Actor::buyer).collect()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        let steps = &self.clients[Self::place(client)];
        let first = self.clients.iter().position(|one| self.are_alike && one == steps);
        first.map_or(client, Actor::buyer)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        self.next(client).is_none()
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let pending = |client| {
            let footprint = self.next(client)?;
            let place = Self::place(client);
            let is_last = self.made[place] + 1 == self.clients[place].len();
            let text = match self.value.filter(|_| is_last) {
                Some(value) => format!("step with the value {value}"),
                None => "step".into(),
            };
            Some((Choice::step(client), PendingStatement::new(text, footprint)))
        };
        self.clients().into_iter().filter_map(pending).collect()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        choice.is_step() && self.next(choice.who).is_some()
    }

    fn is_optional(&mut self, _choice: Choice) -> bool {
        false
    }

    fn has_only_steps(&self) -> bool {
        true
    }

    fn why_not(&mut self, _choice: Choice) -> String {
        "it has no step left".into()
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        let footprint = self.next(choice.who);
        if footprint.is_some() {
            self.made[Self::place(choice.who)] += 1;
        }
        Ok(footprint)
    }

    fn abandon(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
