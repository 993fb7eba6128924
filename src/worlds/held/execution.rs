//! The harness as an execution that a scheduler can run.

use super::harness::Harness;
use super::step;
use crate::base::error::Error;
use crate::domain::faults::Act;
use crate::scheduler::{Actor, Choice, Execution, Footprint, PendingStatement};

/// The index of a buyer; none if it is none.
fn place(client: Actor) -> Option<usize> {
    match client {
        Actor::Buyer(buyer) => Some(buyer as usize),
        Actor::Worker => None,
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
        let kind = place(client).and_then(|place| self.kinds().get(place).copied());
        kind.map_or(client, Actor::buyer)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        place(client).is_none_or(|place| self.is_over(place))
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let faults = self.may_crash().into_iter().chain(self.may_expire());
        let ready = Harness::ready(self).into_iter().chain(faults);
        ready.map(|(place, pending)| (step::choice(place, &pending), pending)).collect()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        match (place(choice.who), choice.act) {
            (Some(place), Act::Step) => self.is_held(place),
            (Some(place), Act::Crash) => self.can_crash(place),
            (None, Act::Expire) => !self.may_expire().is_empty(),
            _ => false,
        }
    }

    fn has_only_steps(&self) -> bool {
        self.faults().is_none()
    }

    fn why_not(&mut self, choice: Choice) -> String {
        match choice.act {
            Act::Step => "no buyer of that name has a statement to send then".into(),
            Act::Crash => {
                "a buyer's program dies between two of its statements, as often as --crashes allows".into()
            }
            Act::Expire => {
                "all holds run out, `*~`, as often as --expiries allows, while a buyer has a statement to send".into()
            }
            _ => "at a real server nothing of that kind happens".into(),
        }
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        let clock = (choice.act == Act::Expire).then(|| self.kinds().len());
        let Some(place) = place(choice.who).xor(clock) else { return Ok(None) };
        Ok(self.make(place, choice.act)?.map(|step| step.footprint))
    }

    fn went_on(&self) -> Vec<Actor> {
        let last = self.steps().last();
        last.map(|last| last.others(self.kinds().len())).unwrap_or_default()
    }

    fn may_go_on_with_any_step(&mut self, client: Actor) -> bool {
        place(client).is_some_and(|place| !self.waits_for_server(place))
    }

    fn most_futile_attempts(&self) -> u32 {
        self.most_in_vain()
    }

    fn abandon(&mut self) -> Result<(), Error> {
        self.send_home().map(drop)
    }
}
