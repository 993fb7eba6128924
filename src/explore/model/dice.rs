//! Random choosers: whose step comes next, the same for the same seed and number.
//!
//! *Plain*: each actor that can move is equally likely. *PCT* (Burckhardt, Kothari, Musuvathi and Nagarakatte, "A
//! randomized scheduler with probabilistic guarantees of finding bugs", 2010): each actor has a random priority, and of
//! the actors that can move, the one with the highest priority moves. At `depth` - 1 random steps, the actor that is
//! about to move drops below all actors that have not dropped. If a bug shows whenever `depth` steps come in a certain
//! order, each schedule shows it with a probability of at least 1 in n · k^(depth - 1), for n buyers and k steps.

use std::cmp::Reverse;

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use serde::Serialize;

use crate::base::chance::{Dice, Purpose};
use crate::domain::faults::Act;
use crate::worlds::stepped::{Actor, Cast, Cue, Stage};

/// The highest number of a schedule that has random numbers of its own.
pub(in crate::explore) const LAST: u64 = (1 << 62) - 1;

/// Random picks among all actors before the chooser lists those that can move.
const PICKS: u32 = 4;

/// How the steps of random schedules are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Method {
    /// Each actor that can move, with equal probability.
    Plain,
    /// By random priorities, which change at `depth` - 1 random steps.
    Pct {
        /// How many steps must come in a certain order for the bug to show. At least 1.
        depth: u32,
    },
}

/// The random chooser of one schedule.
pub(in crate::explore) struct Roll {
    dice: Dice,
    /// Actors that have not left, as far as was noticed; with priorities, in their order, the highest first.
    inside: Vec<Ranked>,
    /// The steps at which the actor about to move drops, and to which priority; none without priorities.
    falls: Option<Vec<(usize, u32)>>,
    /// Steps chosen.
    steps: usize,
}

/// An actor with its priority.
type Ranked = (Reverse<u32>, Actor);

impl Roll {
    /// The chooser of the schedule with this number, which takes about `steps` steps.
    pub(in crate::explore) fn new(
        seed: u64,
        number: u64,
        method: Method,
        steps: usize,
        opening: &Stage,
    ) -> Self {
        let mut dice = Dice::of(seed, Purpose::Schedule, (number >> 32) as u32, number as u32);
        let mut actors: Vec<Actor> = opening.actors().collect();
        let (first_rank, falls) = match method {
            Method::Plain => (0, None),
            Method::Pct { depth } => {
                actors.shuffle(dice.rng());
                let fall = |to| (dice.rng().random_range(0..steps.max(1)), to);
                (depth, Some((1..depth).map(fall).collect()))
            }
        };
        let ranks = (first_rank..first_rank + actors.len() as u32).rev().map(Reverse);
        let inside = ranks.zip(actors).collect();
        Self { dice, inside, falls, steps: 0 }
    }

    /// The next cue; none if nothing can happen. Any other act that can happen is as likely as any one step.
    pub(in crate::explore) fn next(
        &mut self,
        cast: &mut Cast<'_>,
        stage: &Stage,
    ) -> Option<Cue<Actor>> {
        if cast.acts() == [Act::Step] {
            return self.next_to_move(cast, stage).map(Cue::step);
        }
        let cues = stage.cues(cast);
        let chosen = cues.choose(self.dice.rng()).copied()?;
        match chosen.act {
            Act::Step => self.next_to_move(cast, stage).map(Cue::step),
            _ => Some(chosen),
        }
    }

    /// The actor whose step comes next; none if no actor can move.
    fn next_to_move(&mut self, cast: &mut Cast<'_>, stage: &Stage) -> Option<Actor> {
        // Actors that have left are removed only now and then, so that this costs little.
        if self.steps.is_multiple_of(self.inside.len().max(1)) {
            self.inside.retain(|(_, actor)| {
                stage.kind(*actor).is_some_and(|kind| cast.kind_of(kind).next.is_some())
            });
        }
        let chosen = match self.falls.is_some() {
            true => self.highest(cast, stage),
            false => self.anybody(cast, stage),
        };
        self.steps += 1;
        chosen
    }

    /// A random actor that can move.
    fn anybody(&mut self, cast: &mut Cast<'_>, stage: &Stage) -> Option<Actor> {
        for _ in 0..PICKS {
            let (_, actor) = *self.inside.choose(self.dice.rng())?;
            if stage.can_move(cast, actor) {
                return Some(actor);
            }
        }
        let inside = self.inside.iter().map(|(_, actor)| *actor);
        let movers: Vec<Actor> = inside.filter(|actor| stage.can_move(cast, *actor)).collect();
        movers.choose(self.dice.rng()).copied()
    }

    /// Applies the priority changes due at this step; returns the actor with the highest priority that can move.
    fn highest(&mut self, cast: &mut Cast<'_>, stage: &Stage) -> Option<Actor> {
        let falls = self.falls.iter().flatten();
        for (_, to) in falls.filter(|(at, _)| *at == self.steps) {
            let falling = self.inside.iter().position(|(_, actor)| stage.can_move(cast, *actor))?;
            let (_, actor) = self.inside.remove(falling);
            let fallen = (Reverse(*to), actor);
            let place = self.inside.partition_point(|ranked| *ranked < fallen);
            self.inside.insert(place, fallen);
        }
        self.inside.iter().map(|(_, actor)| *actor).find(|actor| stage.can_move(cast, *actor))
    }
}
