//! False sold-outs: a search that tracks which buyer came before which.
//!
//! States forget the order of events, but whether a buyer was turned away rightly depends on it: which buyers had begun
//! by then, and may have had the units already? So from every step that turns a buyer away, this search follows a
//! second branch, on which all buyers inside at that moment, and all who have bought, are marked
//! ([`Cast::after_refusal`]). A buyer loses its mark when its attempt ends, unless it leaves and has bought or held
//! units. When all have left, the buyers who bought with a mark may have been first, the others not, and the audit
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
use crate::scheduler::{Actor, Cue};
use crate::worlds::stepped::{Cast, KindId, Stage};

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
struct Origin {
    from: u32,
    /// The step; none for the initial state, and for a refusal at the door.
    by: Option<Cue<KindId>>,
    /// Whether the refusal by this step is remembered from here on.
    remembers: bool,
}

/// Searches breadth-first for a false sold-out.
pub(in crate::explore) fn search(
    cast: &mut Cast<'_>,
    opening: &Stage,
    stock: Units,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Precedence {
    let first = State::of(opening.store(), opening.kinds());
    let mut states = States::open(&first);
    let mut origins = vec![Origin { from: 0, by: None, remembers: false }];
    for refused in refused_at_the_door(cast, &first, stock) {
        let (store, crowd) = cast.after_refusal(first.store, &first.crowd, refused);
        let mut batch = Batch::default();
        batch.push_with(|packed| packed.push_state(&State { store, crowd }));
        states.insert_all(&[&batch], drop);
        origins.push(Origin { from: 0, by: None, remembers: true });
    }
    let mut next = 0_u32;
    let mut shown = None;
    while (next as usize) < states.len() && shown.is_none() {
        let bytes = states.bytes() + cast.bytes() + origins.capacity() * size_of::<Origin>();
        let is_over = states.len() > limits.states || bytes > limits.memory || cast.is_full();
        if is_over || next.is_multiple_of(1024) && stopped() {
            return Precedence { states: states.len(), complete: false, shown: None };
        }
        let here = unpack(states.words_of(next));
        let ways = ways_from(cast, &here, stock);
        if ways.is_end {
            let found = wronged(cast, &here, stock);
            shown = found.map(|finding| Shown {
                finding,
                schedule: schedule_to(cast, opening, &origins, next),
            });
        }
        let mut batch = Batch::default();
        ways.steps
            .iter()
            .for_each(|(there, ..)| batch.push_with(|packed| packed.push_state(there)));
        states.insert_all(&[&batch], |numbers| {
            for (number, (_, by, remembers)) in numbers.into_iter().flatten().zip(ways.steps) {
                if number as usize == origins.len() {
                    origins.push(Origin { from: next, by: Some(by), remembers });
                }
            }
        });
        next += 1;
    }
    let complete = !cast.is_full();
    Precedence { states: states.len(), complete, shown: shown.filter(|_| complete) }
}

/// Kinds of buyers who were turned away without a step, and perhaps wrongly.
pub(in crate::explore) fn refused_at_the_door(
    cast: &Cast<'_>,
    first: &State,
    stock: Units,
) -> Vec<KindId> {
    let refused = first.crowd.iter().map(|(kind, _)| *kind);
    refused
        .filter(|kind| cast.kind_of(*kind).part.ending() == Some(Ending::TurnedAway))
        .filter(|kind| checks::may_be_wronged(cast, stock, first, *kind))
        .collect()
}

/// The steps that can happen in a state.
struct Ways {
    /// Each successor, the cue that leads there, and whether the refusal by that step is remembered.
    steps: Vec<(State, Cue<KindId>, bool)>,
    /// Whether it is an end state: nothing but faults can happen.
    is_end: bool,
}

/// The steps that can happen in a state.
fn ways_from(cast: &mut Cast<'_>, here: &State, stock: Units) -> Ways {
    let remembers = here.crowd.iter().any(|(kind, _)| is_witness(cast, *kind));
    let mut ways = Ways { steps: Vec::new(), is_end: true };
    let acts = cast.acts().to_vec();
    let cues = here
        .crowd
        .iter()
        .flat_map(|(who, _)| acts.iter().map(move |act| Cue { who: *who, act: *act }));
    for cue in cues {
        let Some(turn) = cast.turn(here.store, cue) else { continue };
        ways.is_end &= turn.is_fault;
        let there = here.after(&turn);
        let refused = turn
            .refused
            .filter(|refused| !remembers && checks::may_be_wronged(cast, stock, &there, *refused));
        if let Some(refused) = refused {
            let (store, crowd) = cast.after_refusal(there.store, &there.crowd, refused);
            ways.steps.push((State { store, crowd }, cue, true));
        }
        ways.steps.push((there, cue, false));
    }
    ways
}

/// Whether this is the buyer whose refusal is remembered.
fn is_witness(cast: &Cast<'_>, kind: KindId) -> bool {
    let kind = cast.kind_of(kind);
    kind.early && kind.part.ending() == Some(Ending::TurnedAway)
}

/// The false sold-out of an end state, if it has one.
fn wronged(cast: &Cast<'_>, here: &State, stock: Units) -> Option<Finding> {
    let (_, findings) = checks::end(cast, stock, here);
    findings.into_iter().find(|finding| finding.kind == FindingKind::FalseSoldOut)
}

/// The schedule to a state, with named buyers.
fn schedule_to(
    cast: &mut Cast<'_>,
    opening: &Stage,
    origins: &[Origin],
    state: u32,
) -> Vec<Cue<Actor>> {
    let mut way = Vec::new();
    let mut at = state;
    while at != 0 {
        let origin = &origins[at as usize];
        way.push(origin);
        at = origin.from;
    }
    let mut stage = opening.clone();
    // The marked buyers, by name.
    let mut early: Vec<Actor> = Vec::new();
    // The buyer whose refusal is remembered: it may still have a timer or an errand.
    let mut witness = None;
    let mut schedule = Vec::new();
    for Origin { by, remembers, .. } in way.into_iter().rev() {
        let mut stepped = None;
        if let Some(by) = by {
            let (kind, is_early) = (cast.plain(by.who), cast.kind_of(by.who).early);
            let is_it = |actor: &Actor| {
                let is_marked = early.contains(actor) || witness == Some(*actor);
                stage.kind(*actor) == Some(kind) && is_marked == is_early
            };
            let Some(actor) = stage.actors().find(is_it) else { break };
            let cue = Cue { who: actor, act: by.act };
            let Some(step) = stage.follow(cast, cue) else { break };
            stepped = Some(step.other.map_or(actor, |(other, _)| other));
            schedule.push(cue);
        }
        let counts = |actor: &Actor| {
            let kind = stage.kind(*actor).map(|kind| cast.kind_of(kind));
            kind.is_some_and(|kind| kind.may_have_units())
        };
        match remembers {
            true => {
                early = stage.actors().filter(counts).collect();
                let is_refused = |actor: &Actor| {
                    let kind = stage.kind(*actor).map(|kind| cast.kind_of(kind));
                    kind.is_some_and(|kind| kind.part.ending() == Some(Ending::TurnedAway))
                };
                witness = stepped.or_else(|| stage.actors().find(is_refused));
            }
            false => early.retain(counts),
        }
    }
    schedule
}
