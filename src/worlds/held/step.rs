//! One step of a schedule at a server.

use serde::{Deserialize, Serialize};

use crate::domain::attempt::OpResult;
use crate::domain::buyer::Ending;
use crate::domain::faults::Act;
use crate::domain::op::Reply;
use crate::scheduler::{Actor, Choice, Footprint, PendingStatement};

/// One step, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerStep {
    /// The buyer that made it.
    pub place: usize,
    /// What it sent.
    pub statement: PendingStatement,
    /// What the server answered; none if it has to wait for another buyer, or has only begun.
    pub answer: Option<String>,
    /// Whether the statement has begun and is held inside the server.
    pub has_begun: bool,
    /// The buyers it waits for, as far as the server says.
    pub waits_for: Vec<usize>,
    /// Buyers that had to wait until now and go on with this step, and what the server answered them.
    pub went_on: Vec<(usize, String)>,
    /// Buyers that had to wait until now, and whose statement has begun with this step and is now held inside the
    /// server.
    pub began: Vec<usize>,
    /// Buyers that left with this step.
    pub left: Vec<(usize, Ending)>,
    /// The footprint of the statement, together with those of all that go on or begin with this step.
    pub footprint: Footprint,
}

impl ServerStep {
    /// The choice that leads to it.
    #[must_use]
    pub(crate) fn choice(&self) -> Choice {
        choice(self.place, &self.statement)
    }

    /// Of so many buyers, those that had to wait until now, and whose statements go on or begin with this step.
    pub(crate) fn others(&self, buyers: usize) -> Vec<Actor> {
        let others = self.went_on.iter().map(|(place, _)| place).chain(&self.began);
        let others = others.filter(|place| **place != self.place);
        others.map(|place| actor(*place, buyers)).collect()
    }
}

/// What is chosen where this happens to the buyer of this index. Holds that run out are no buyer's.
#[must_use]
pub(crate) fn choice(place: usize, statement: &PendingStatement) -> Choice {
    let who = match statement.act {
        Act::Expire => Actor::Worker,
        _ => Actor::buyer(place),
    };
    Choice { who, act: statement.act }
}

/// Who has this index of so many buyers: behind them stands what ends holds.
#[must_use]
pub(crate) fn actor(place: usize, buyers: usize) -> Actor {
    match place < buyers {
        true => Actor::buyer(place),
        false => Actor::Worker,
    }
}

/// The choices that lead to these steps.
#[must_use]
pub(crate) fn choices(steps: &[ServerStep]) -> Vec<Choice> {
    steps.iter().map(ServerStep::choice).collect()
}

/// How much the scheduler releases at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// One statement.
    Statement,
    /// One op, which may be several statements: the step of the model.
    Op,
}

/// An op's reply as text, where ops are held. The text does not say whether the buyer waited for a lock.
#[must_use]
pub(crate) fn told(reply: OpResult) -> String {
    match reply {
        Ok(Reply::Locked { .. }) => "Ok(Locked)".into(),
        reply => format!("{reply:?}"),
    }
}
