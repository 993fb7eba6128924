//! A game: a person is the scheduler, and tries to break a checkout.

use super::checks::{self, Shown};
use super::limits::Limits;
use super::search::Search;
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::domain::faults::Act;
use crate::domain::op::Units;
use crate::domain::settings::Settings;
use crate::explore::timeline::TimelineRow;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{Actor, Choice, ModelState, Part, Step, TransitionTable};
use crate::worlds::words::intention;

/// State limit of the search for a hint.
const LOOK_AHEAD: usize = 200_000;

/// An actor, and what it is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorStatus {
    /// The actor.
    pub actor: Actor,
    /// In words: `about to read`, `waits`, `bought`.
    pub about: String,
    /// Whether it can move now.
    pub can_move: bool,
}

/// The result of looking ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// The shortest schedule to something wrong.
    Way(Vec<Choice<Actor>>),
    /// Nothing goes wrong, whatever comes next.
    Safe,
    /// Nothing goes wrong in the states that were searched.
    Unknown,
}

/// A game under way.
pub struct Game<'s> {
    table: TransitionTable<'s>,
    model_state: ModelState,
    /// The state before each step.
    past: Vec<ModelState>,
    steps: Vec<Step>,
}

impl<'s> Game<'s> {
    /// A shop that has just opened.
    ///
    /// # Errors
    /// [`Error::Input`] for impossible settings.
    pub fn new(strategy: &'s dyn DynStrategy, settings: &Settings) -> Result<Self, Error> {
        let mut table = TransitionTable::new(strategy, settings);
        let model_state = crate::explore::model::opening::open(&mut table, strategy, settings)?;
        Ok(Self { table, model_state, past: Vec::new(), steps: Vec::new() })
    }

    /// Units of each product.
    #[must_use]
    pub fn stock(&self) -> Vec<Units> {
        self.table.store_of(self.model_state.store()).stocks()
    }

    /// All actors, each with what it is about to do.
    pub fn actors(&mut self) -> Vec<ActorStatus> {
        let actors: Vec<Actor> = self.model_state.actors().collect();
        let names = self.stock().len() > 1;
        actors
            .into_iter()
            .map(|actor| {
                let can_move = self.model_state.can_move(&mut self.table, actor);
                let kind = self.model_state.kind(actor).map(|kind| self.table.kind_of(kind));
                let about = match kind.map(|kind| (kind.part, kind.next)) {
                    Some((Part::Gone { ending, .. }, _)) => ending.word().to_owned(),
                    Some((Part::IdleWorker, _)) if !can_move => "has no request to serve".into(),
                    Some((_, Some(op))) if can_move => format!("about to {}", intention(op, names)),
                    _ => "waits".into(),
                };
                ActorStatus { actor, about, can_move }
            })
            .collect()
    }

    /// Executes a choice: an actor's next step, or another act that happens to it.
    ///
    /// # Errors
    /// A sentence that says why the choice cannot happen.
    pub fn step(&mut self, choice: Choice<Actor>) -> Result<(), String> {
        let before = self.model_state.clone();
        let actor = choice.who;
        let Some(step) = self.model_state.follow(&mut self.table, choice) else {
            return Err(
                match self.model_state.kind(actor).map(|kind| self.table.kind_of(kind).next) {
                    None => format!("there is no buyer {actor}"),
                    Some(_) if choice.act != Act::Step => format!("{choice} cannot happen now"),
                    Some(None) => format!("{actor} has left"),
                    Some(Some(_)) => format!("{actor} has to wait"),
                },
            );
        };
        self.past.push(before);
        self.steps.push(step);
        Ok(())
    }

    /// Takes the last step back; false if there is none.
    pub fn undo(&mut self) -> bool {
        self.steps.pop();
        self.past.pop().map(|before| self.model_state = before).is_some()
    }

    /// Begins again.
    pub fn reset(&mut self) {
        while self.undo() {}
    }

    /// The steps so far.
    #[must_use]
    pub fn rows(&self) -> Vec<TimelineRow> {
        crate::explore::timeline::told(&self.steps)
    }

    /// Whether no actor can move any more.
    pub fn is_over(&mut self) -> bool {
        !self.model_state.goes_on(&mut self.table)
    }

    /// The findings so far.
    pub fn findings(&mut self) -> Vec<Finding> {
        let stock = self.opening_stock();
        checks::so_far(&mut self.table, stock, &self.model_state, &self.steps)
    }

    /// The outlook from here.
    pub fn hint(&mut self) -> Outlook {
        let here = self.model_state.clone();
        self.shortest_from(here)
    }

    /// The outlook from the opening.
    pub fn shortest(&mut self) -> Outlook {
        let opening = self.opening().clone();
        self.shortest_from(opening)
    }

    fn shortest_from(&mut self, model_state: ModelState) -> Outlook {
        let limits =
            Limits { states: LOOK_AHEAD, memory: usize::MAX, enough_after_finding: Some(0) };
        let stock = self.opening_stock();
        let seen = Search::with_stock(&mut self.table, model_state, stock).run(limits, || false);
        let schedules = seen.shown.into_iter().map(|Shown { schedule, .. }| schedule);
        match schedules.min_by_key(Vec::len) {
            Some(way) => Outlook::Way(way),
            None if seen.complete => Outlook::Safe,
            None => Outlook::Unknown,
        }
    }

    fn opening(&self) -> &ModelState {
        self.past.first().unwrap_or(&self.model_state)
    }

    fn opening_stock(&self) -> Units {
        checks::stock_of(&self.table, self.opening())
    }
}
