//! The harness as an execution that a scheduler can run.

use super::harness::Harness;
use super::step::ServerStep;
use crate::base::error::Error;
use crate::scheduler::{Actor, Choice, Execution, Footprint, PendingStatement};

/// The index of the buyer whose step this is; none if it is something else, or another's.
fn place(choice: Choice) -> Option<usize> {
    match choice.who {
        Actor::Buyer(buyer) if choice.is_step() => Some(buyer as usize),
        _ => None,
    }
}

impl Execution for Harness<'_> {
    fn begin(&mut self) -> Result<(), Error> {
        Harness::begin(self)
    }

    fn clients(&self) -> Vec<Actor> {
        (0..self.kinds().len()).map(Actor::buyer).collect()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        let kind = place(Choice::step(client)).and_then(|place| self.kinds().get(place).copied());
        kind.map_or(client, Actor::buyer)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        place(Choice::step(client)).is_none_or(|place| self.is_over(place))
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let ready = Harness::ready(self).into_iter();
        ready.map(|(place, pending)| (Choice::step(Actor::buyer(place)), pending)).collect()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        place(choice).is_some_and(|place| self.is_held(place))
    }

    fn is_optional(&mut self, _choice: Choice) -> bool {
        false
    }

    fn has_only_steps(&self) -> bool {
        true
    }

    fn why_not(&mut self, choice: Choice) -> String {
        match choice.is_step() {
            true => "no buyer of that name has a statement to send then".into(),
            false => "at a real server only statements are scheduled".into(),
        }
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        let Some(place) = place(choice) else { return Ok(None) };
        Ok(self.step(place)?.map(|step| step.footprint))
    }

    fn went_on(&self) -> Vec<Actor> {
        self.steps().last().map(ServerStep::others).unwrap_or_default()
    }

    fn may_go_on_with_any_step(&mut self, client: Actor) -> bool {
        place(Choice::step(client)).is_some_and(|place| !self.waits_for_server(place))
    }

    fn most_futile_attempts(&self) -> u32 {
        self.most_in_vain()
    }

    fn abandon(&mut self) -> Result<(), Error> {
        self.send_home().map(drop)
    }
}
