//! Choosers by dice: whose step comes next, the same for the same seed and number.
//!
//! *Plain*: whoever can move is as likely as anybody else. *PCT* (Burckhardt, Kothari, Musuvathi and
//! Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", 2010): everybody
//! has a random priority, the highest who can move moves, and at `depth` - 1 random steps whoever is
//! about to move falls below all others. A bug that shows whenever `depth` steps come in a certain order
//! is then in each schedule with a chance of at least 1 in n · k^(depth - 1), for n buyers and k steps.

use std::cmp::Reverse;

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use serde::Serialize;

use crate::base::chance::{Dice, Purpose};
use crate::domain::faults::Act;
use crate::worlds::stepped::{Actor, Cast, Cue, Stage};

/// The number of the last schedule that has dice of its own.
pub(in crate::explore) const LAST: u64 = (1 << 62) - 1;

/// How often somebody is picked who has to wait, before those who can move are looked for.
const PICKS: u32 = 4;

/// How schedules are rolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Whoever can move, with equal chances.
    Plain,
    /// By priorities that change at so many random steps less one.
    Pct {
        /// How many steps must come in a certain order for the bug to show. At least 1.
        depth: u32,
    },
}

/// The chooser of one schedule.
pub(in crate::explore) struct Roll {
    dice: Dice,
    /// Who has not left, as far as was noticed; by priority if there are any, the highest first.
    inside: Vec<Ranked>,
    /// At which step whoever is about to move falls to which priority; none where there are none.
    falls: Option<Vec<(usize, u32)>>,
    /// Steps chosen.
    steps: usize,
}

/// Somebody with a priority.
type Ranked = (Reverse<u32>, Actor);

impl Roll {
    /// The chooser of the schedule of this number, which takes `steps` steps or so.
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

    /// What comes next; nothing if nothing can. Of what can happen beside somebody's step, each has the
    /// same chance as a step.
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

    /// Whose step comes next; nobody's if nobody can move.
    fn next_to_move(&mut self, cast: &mut Cast<'_>, stage: &Stage) -> Option<Actor> {
        // Whoever has left is noticed now and then, so that looking for them costs little.
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

    /// Anybody who can move.
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

    /// Whoever has the highest priority of those who can move.
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
