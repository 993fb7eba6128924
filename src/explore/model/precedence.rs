//! False sold-outs: a search that tracks which buyer came before which.
//!
//! States forget the order of events, but whether a buyer was turned away rightly depends on it: which buyers had begun
//! by then, and may have had the units already? So from every step that turns a buyer away, this search follows a
//! second branch, on which all buyers inside at that moment, and all who have bought, are marked
//! ([`TransitionTable::after_refusal`]). A buyer loses its mark when its attempt ends, unless it leaves and
//! has bought or held units. When all have left, the buyers who bought with a mark may have been first, the others not, and the audit
//! decides.
//!
//! A refusal needs no second branch if so much was promised by then that it is right in any case. In a correct checkout
//! every refusal is of that kind, and this search is not needed at all.
//!
//! So a finding says exactly that the history is not linearizable (Herlihy and Wing, 1990). Linearize every purchase at
//! the beginning of its attempt and every refusal at its end: no other order that real time allows has more units gone
//! before any refusal. So if no order is legal, either more was sold than there was, or a buyer was turned away
//! falsely.

use super::checks::{self, Shown};
use super::limits::Limits;
use super::packed::unpack;
use super::state::State;
use super::states::{Batch, States};
use crate::check::audit::Finding;
use crate::domain::buyer::Ending;
use crate::domain::finding::FindingKind;
use crate::domain::op::Units;
use crate::scheduler::{Actor, Choice};
use crate::worlds::stepped::{KindId, ModelState, TransitionTable};

/// The result of the search.
#[derive(Debug)]
pub(in crate::explore) struct Precedence {
    /// States; those with different marks count separately.
    pub(in crate::explore) states: usize,
    /// Whether every schedule was covered.
    pub(in crate::explore) complete: bool,
    /// The shortest schedule to a false sold-out, if there is one.
    pub(in crate::explore) shown: Option<Shown>,
}

/// How a state was first reached.
struct StateOrigin {
    from: u32,
    /// The step; none for the initial state, and for a refusal at the door.
    by: Option<Choice<KindId>>,
    /// Whether the refusal by this step is remembered from here on.
    remembers: bool,
}

/// Searches breadth-first for a false sold-out.
pub(in crate::explore) fn search(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    stock: Units,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Precedence {
    let first = State::of(opening.store(), opening.kinds());
    let mut states = States::open(&first);
    let mut origins = vec![StateOrigin { from: 0, by: None, remembers: false }];
    for refused in refused_at_the_door(table, &first, stock) {
        let (store, crowd) = table.after_refusal(first.store, &first.crowd, refused);
        let mut batch = Batch::default();
        batch.push_with(|packed| packed.push_state(&State { store, crowd }));
        states.insert_all(&[&batch], drop);
        origins.push(StateOrigin { from: 0, by: None, remembers: true });
    }
    let mut next = 0_u32;
    let mut shown = None;
    while (next as usize) < states.len() && shown.is_none() {
        let bytes = states.bytes() + table.bytes() + origins.capacity() * size_of::<StateOrigin>();
        let is_over = states.len() > limits.states || bytes > limits.memory || table.is_full();
        if is_over || next.is_multiple_of(1024) && stopped() {
            return Precedence { states: states.len(), complete: false, shown: None };
        }
        let here = unpack(states.words_of(next));
        let ways = ways_from(table, &here, stock);
        if ways.is_end {
            let found = wronged(table, &here, stock);
            shown = found.map(|finding| Shown {
                finding,
                schedule: schedule_to(table, opening, &origins, next),
            });
        }
        let mut batch = Batch::default();
        ways.steps
            .iter()
            .for_each(|(there, ..)| batch.push_with(|packed| packed.push_state(there)));
        states.insert_all(&[&batch], |numbers| {
            for (number, (_, by, remembers)) in numbers.into_iter().flatten().zip(ways.steps) {
                if number as usize == origins.len() {
                    origins.push(StateOrigin { from: next, by: Some(by), remembers });
                }
            }
        });
        next += 1;
    }
    let complete = !table.is_full();
    Precedence { states: states.len(), complete, shown: shown.filter(|_| complete) }
}

/// Kinds of buyers who were turned away without a step, and perhaps wrongly.
pub(in crate::explore) fn refused_at_the_door(
    table: &TransitionTable<'_>,
    first: &State,
    stock: Units,
) -> Vec<KindId> {
    let refused = first.crowd.iter().map(|(kind, _)| *kind);
    refused
        .filter(|kind| table.kind_of(*kind).part.ending() == Some(Ending::Rejected))
        .filter(|kind| checks::may_be_wronged(table, stock, first, *kind))
        .collect()
}

/// The steps that can happen in a state.
struct Successors {
    /// Each successor, the choice that leads there, and whether the refusal by that step is remembered.
    steps: Vec<(State, Choice<KindId>, bool)>,
    /// Whether it is an end state: nothing but faults can happen.
    is_end: bool,
}

/// The steps that can happen in a state.
fn ways_from(table: &mut TransitionTable<'_>, here: &State, stock: Units) -> Successors {
    let remembers = here.crowd.iter().any(|(kind, _)| is_witness(table, *kind));
    let mut ways = Successors { steps: Vec::new(), is_end: true };
    let acts = table.acts().to_vec();
    let choices = here
        .crowd
        .iter()
        .flat_map(|(who, _)| acts.iter().map(move |act| Choice { who: *who, act: *act }));
    for choice in choices {
        let Some(turn) = table.turn(here.store, choice) else { continue };
        ways.is_end &= turn.is_fault;
        let there = here.after(&turn);
        let refused = turn
            .refused
            .filter(|refused| !remembers && checks::may_be_wronged(table, stock, &there, *refused));
        if let Some(refused) = refused {
            let (store, crowd) = table.after_refusal(there.store, &there.crowd, refused);
            ways.steps.push((State { store, crowd }, choice, true));
        }
        ways.steps.push((there, choice, false));
    }
    ways
}

/// Whether this is the buyer whose refusal is remembered.
fn is_witness(table: &TransitionTable<'_>, kind: KindId) -> bool {
    let kind = table.kind_of(kind);
    kind.early && kind.part.ending() == Some(Ending::Rejected)
}

/// The false sold-out of an end state, if it has one.
fn wronged(table: &TransitionTable<'_>, here: &State, stock: Units) -> Option<Finding> {
    let (_, findings) = checks::end(table, stock, here);
    findings.into_iter().find(|finding| finding.kind == FindingKind::FalseSoldOut)
}

/// The schedule to a state, with named buyers.
fn schedule_to(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    origins: &[StateOrigin],
    state: u32,
) -> Vec<Choice> {
    let mut way = Vec::new();
    let mut at = state;
    while at != 0 {
        let origin = &origins[at as usize];
        way.push(origin);
        at = origin.from;
    }
    let mut model_state = opening.clone();
    // The marked buyers, by name.
    let mut early: Vec<Actor> = Vec::new();
    // The buyer whose refusal is remembered: it may still have a timer or an errand.
    let mut witness = None;
    let mut schedule = Vec::new();
    for StateOrigin { by, remembers, .. } in way.into_iter().rev() {
        let mut stepped = None;
        if let Some(by) = by {
            let (kind, is_early) = (table.plain(by.who), table.kind_of(by.who).early);
            let is_it = |actor: &Actor| {
                let is_marked = early.contains(actor) || witness == Some(*actor);
                model_state.kind(*actor) == Some(kind) && is_marked == is_early
            };
            let Some(actor) = model_state.actors().find(is_it) else { break };
            let choice = Choice { who: actor, act: by.act };
            let Some(step) = model_state.follow(table, choice) else { break };
            stepped = Some(step.other.map_or(actor, |(other, _)| other));
            schedule.push(choice);
        }
        let counts = |actor: &Actor| {
            let kind = model_state.kind(*actor).map(|kind| table.kind_of(kind));
            kind.is_some_and(|kind| kind.may_have_units())
        };
        match remembers {
            true => {
                early = model_state.actors().filter(counts).collect();
                let is_refused = |actor: &Actor| {
                    let kind = model_state.kind(*actor).map(|kind| table.kind_of(kind));
                    kind.is_some_and(|kind| kind.part.ending() == Some(Ending::Rejected))
                };
                witness = stepped.or_else(|| model_state.actors().find(is_refused));
            }
            false => early.retain(counts),
        }
    }
    schedule
}
