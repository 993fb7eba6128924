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
}

impl Toy {
    /// Clients that differ from one another.
    pub(super) fn of(clients: Vec<Vec<Footprint>>) -> Self {
        Self { made: vec![0; clients.len()], clients, are_alike: false }
    }

    /// The same, where clients with the same steps are alike.
    pub(super) fn alike(self) -> Self {
        Self { are_alike: true, ..self }
    }

    /// The schedules that a scheduler runs, as text, without those that it gave up.
    pub(super) fn schedules(mut self, scheduler: &mut impl Scheduler<Self>) -> Vec<String> {
        let bounds = Bounds { most_steps: 100, cuts_futile: false };
        let mut schedules = Vec::new();
        let all = run_all(&mut self, scheduler, bounds, &|| false, |_, run| {
            if run.end == End::Over {
                schedules.push(Schedule(run.schedule).to_string());
            }
            Ok(true)
        });
        assert_eq!(all, Ok(true));
        schedules
    }

    fn place(client: Actor) -> usize {
        let Actor::Buyer(place) = client else { return usize::MAX };
        place as usize
    }

    fn next(&self, client: Actor) -> Option<Footprint> {
        let place = Self::place(client);
        self.clients.get(place)?.get(self.made[place]).copied()
    }
}

impl Execution for Toy {
    fn begin(&mut self) -> Result<(), Error> {
        self.made.fill(0);
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
            Some((Choice::step(client), PendingStatement::new("step".into(), footprint)))
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
