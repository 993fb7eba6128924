//! The state of the model: one shop with its buyers, each by name, moved one step at a time.

use std::collections::VecDeque;

use super::kind::ActorRole;
use super::transition_table::TransitionTable;
use super::turns::{KindId, Leaks, StoreId, Turn};
use crate::domain::attempt::OpResult;
use crate::domain::buyer::Ending;
use crate::domain::card::BackgroundTask;
use crate::domain::faults::Act;
use crate::domain::op::{BuyerId, Op, Units, Want};
use crate::scheduler::{Actor, Choice};
use crate::stores::model::Model;

/// One step, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStep {
    /// The actor that made it, or to which it happened.
    pub actor: Actor,
    /// Whether it was a step of its own, or which other act.
    pub act: Act,
    /// The background task that it was part of, if any.
    pub background_task: Option<BackgroundTask>,
    /// What was sent; none if nothing was.
    pub op: Option<Op>,
    /// What it heard.
    pub reply: OpResult,
    /// Units of each product afterwards.
    pub stock: Vec<Units>,
    /// Whether an order was written with this step.
    pub ordered: bool,
    /// Whether the attempt ended in a conflict with this step, and another has begun.
    pub begins_again: bool,
    /// How the visit ended with this step, if it did.
    pub ending: Option<Ending>,
    /// The buyer that the worker's step was about, and how that visit ended, if it did.
    pub other: Option<(Actor, Option<Ending>)>,
    /// What the attempt left behind, if this step ended it.
    pub leaks: Leaks,
}

/// What makes two states equal: the store, every buyer's kind, the worker's, the queue, and, where it was asked for,
/// which attempts began and which visits ended before which.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ModelIdentity {
    store: StoreId,
    actors: Vec<KindId>,
    line: VecDeque<usize>,
    order: Vec<usize>,
}

/// A shop with its buyers.
#[derive(Clone, Debug)]
pub struct ModelState {
    store: StoreId,
    buyers: Vec<KindId>,
    worker: Option<KindId>,
    /// The buyers in the queue, in order; the one being served is first.
    line: VecDeque<usize>,
    /// Steps made.
    steps: u64,
    /// When each buyer's present or last attempt began and when its visit ended, in steps.
    times: Vec<(u64, u64)>,
}

impl ModelState {
    /// Opens a shop for buyers who want this.
    pub fn open(
        table: &mut TransitionTable<'_>,
        shop: Model,
        wants: &[Want],
        has_worker: bool,
    ) -> Self {
        Self {
            store: table.store(shop),
            buyers: wants.iter().map(|want| table.newcomer(*want)).collect(),
            worker: has_worker.then(|| table.worker()),
            line: VecDeque::new(),
            steps: 0,
            times: vec![(0, 0); wants.len()],
        }
    }

    /// What each buyer is, when its present or last attempt began, and when its visit ended, in steps.
    pub fn visits(&self) -> impl Iterator<Item = (KindId, u64, u64)> + '_ {
        self.buyers.iter().zip(&self.times).map(|(kind, (began, ended))| (*kind, *began, *ended))
    }

    /// What makes it equal to other states; `tells_order` says whether the order of attempts and visits is part of it.
    #[cfg(feature = "cli")]
    pub(crate) fn identity(&self, tells_order: bool) -> ModelIdentity {
        let order = match tells_order {
            false => Vec::new(),
            true => {
                let times = self.times.iter().flat_map(|(began, ended)| [*began, *ended]);
                let mut ranks: Vec<u64> = times.clone().chain([0]).collect();
                ranks.sort_unstable();
                ranks.dedup();
                times.map(|time| ranks.partition_point(|earlier| *earlier < time)).collect()
            }
        };
        ModelIdentity {
            store: self.store,
            actors: self.kinds().collect(),
            line: self.line.clone(),
            order,
        }
    }

    /// About the memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // Every buyer may stand in the queue.
        let a_buyer = size_of::<KindId>() + size_of::<(u64, u64)>() + size_of::<usize>();
        size_of::<Self>() + self.buyers.len() * a_buyer
    }

    /// The store as it is.
    #[must_use]
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// The kind of each buyer, and of the worker if there is one.
    pub fn kinds(&self) -> impl Iterator<Item = KindId> + '_ {
        self.buyers.iter().copied().chain(self.worker)
    }

    /// All buyers, in order, and then the worker.
    pub fn actors(&self) -> impl Iterator<Item = Actor> + use<> {
        let buyers = (0..self.buyers.len() as BuyerId).map(Actor::Buyer);
        buyers.chain(self.worker.map(|_| Actor::Worker))
    }

    /// The kind of an actor; none if there is no such actor.
    #[must_use]
    pub fn kind(&self, actor: Actor) -> Option<KindId> {
        match actor {
            Actor::Buyer(id) => self.buyers.get(id as usize).copied(),
            Actor::Worker => self.worker,
        }
    }

    /// Whether an actor can make a step now.
    pub fn can_move(&self, table: &mut TransitionTable<'_>, actor: Actor) -> bool {
        self.can_happen(table, Choice::step(actor))
    }

    /// Whether this can happen now.
    pub fn can_happen(&self, table: &mut TransitionTable<'_>, choice: Choice) -> bool {
        self.turn(table, choice).is_some()
    }

    /// Whether this is something that goes wrong, and so need not happen.
    pub fn is_fault(&self, table: &mut TransitionTable<'_>, choice: Choice) -> bool {
        self.turn(table, choice).is_some_and(|turn| turn.is_fault)
    }

    fn turn(&self, table: &mut TransitionTable<'_>, choice: Choice) -> Option<Turn> {
        table.turn(self.store, Choice { who: self.kind(choice.who)?, act: choice.act })
    }

    /// Everything that can happen now.
    pub fn choices(&self, table: &mut TransitionTable<'_>) -> Vec<Choice> {
        let acts = table.acts().to_vec();
        let choices =
            self.actors().flat_map(|who| acts.iter().map(move |act| Choice { who, act: *act }));
        choices.filter(|choice| self.can_happen(table, *choice)).collect()
    }

    /// Whether anything will happen, even if nothing goes wrong any more.
    pub fn goes_on(&self, table: &mut TransitionTable<'_>) -> bool {
        let acts = table.acts().to_vec();
        self.actors().any(|who| {
            let mut turns = acts.iter().map(|act| self.turn(table, Choice { who, act: *act }));
            turns.any(|turn| turn.is_some_and(|turn| !turn.is_fault))
        })
    }

    /// The first actor, by name, of this kind.
    #[must_use]
    pub fn first_of(&self, kind: KindId) -> Option<Actor> {
        self.actors().find(|actor| self.kind(*actor) == Some(kind))
    }

    /// Makes an actor's next step; none if it has left, has to wait, or is not there.
    pub fn step(&mut self, table: &mut TransitionTable<'_>, actor: Actor) -> Option<ModelStep> {
        self.follow(table, Choice::step(actor))
    }

    /// Makes this happen; none if it cannot.
    pub fn follow(&mut self, table: &mut TransitionTable<'_>, choice: Choice) -> Option<ModelStep> {
        let Choice { who: actor, act } = choice;
        let from = self.kind(actor)?;
        let Turn { store, actor: moved, other, reply, leaks, .. } = self.turn(table, choice)?;
        let (background_task, op) = match act {
            Act::Decline | Act::LoseAnswer if !table.kind_of(from).is_paying() => {
                table.next_background_task(from).unzip()
            }
            Act::PowerCut if table.kind_of(from).next.is_none() => {
                table.next_background_task(from).unzip()
            }
            Act::Step | Act::Decline | Act::LoseAnswer | Act::PowerCut | Act::StaleRead => {
                (None, Some(table.kind_of(from).next))
            }
            Act::BackgroundTask => table.next_background_task(from).unzip(),
            Act::Expire | Act::Crash | Act::Redeliver => (None, None),
        };
        let (before, after) = (table.kind_of(from), table.kind_of(moved.to));
        let ending = |kind: KindId| table.kind_of(kind).part.ending();
        let mut step = ModelStep {
            actor,
            act,
            background_task,
            op: op.flatten(),
            reply,
            stock: table.store_of(store).stocks(),
            ordered: after.standing.orders.len() > before.standing.orders.len(),
            begins_again: op.is_some()
                && background_task.is_none()
                && !after.begun
                && matches!(after.part, ActorRole::Buyer { .. }),
            ending: ending(moved.to).filter(|_| ending(from).is_none()),
            other: None,
            leaks,
        };
        self.steps += 1;
        match actor {
            Actor::Buyer(id) => {
                if matches!(step.op, Some(Op::Submit(_))) {
                    self.line.push_back(id as usize);
                }
                if background_task.is_none() && table.kind_of(from).part.ending().is_none() {
                    if !table.kind_of(from).begun {
                        self.times[id as usize].0 = self.steps;
                    }
                    self.times[id as usize].1 = self.steps;
                }
                self.buyers[id as usize] = moved.to;
            }
            Actor::Worker => {
                if let Some(served) = self.line.front().copied() {
                    step.other = Some((Actor::Buyer(served as BuyerId), None));
                    if let Some(answered) = other {
                        self.buyers[served] = answered.to;
                    }
                    // If the worker died, the buyer it was serving stays in the line.
                    if let (Some(answered), true) = (other, act != Act::Crash) {
                        self.line.pop_front();
                        self.times[served].1 = self.steps;
                        step.other = Some((Actor::Buyer(served as BuyerId), ending(answered.to)));
                    }
                }
                self.worker = Some(moved.to);
            }
        }
        self.store = store;
        Some(step)
    }
}
