//! Expands states: takes every step that is possible in each, and notes what is wrong there.
//!
//! It only reads the table, so that several threads can expand at once. A step that was never worked out is only noted.

use std::collections::BTreeMap;
use std::ops::Range;

use super::checks::{self, FinalState};
use super::packed::{crowd_of, store_of, unpack};
use super::states::{Batch, States};
use crate::check::audit::Finding;
use crate::domain::op::Units;
use crate::scheduler::Choice;
use crate::worlds::stepped::{KindId, StoreId, TransitionTable};

/// Where a kind of finding was first seen: in a state, or on a step out of it.
#[derive(Clone, Debug)]
pub(in crate::explore) struct Sighting {
    /// The finding.
    pub(in crate::explore) finding: Finding,
    /// In which state.
    pub(in crate::explore) state: u32,
    /// On which step out of it, if on one.
    pub(in crate::explore) step: Option<Choice<KindId>>,
}

/// The first sighting of each kind of finding, by gravity.
#[derive(Clone, Debug, Default)]
pub(in crate::explore) struct Sightings(BTreeMap<usize, Sighting>);

impl Sightings {
    /// Keeps a sighting, unless one of its kind was there before.
    pub(in crate::explore) fn note(&mut self, sighting: Sighting) {
        self.0.entry(sighting.finding.kind.gravity()).or_insert(sighting);
    }

    /// Adds later sightings.
    pub(in crate::explore) fn then(&mut self, later: Self) {
        later.0.into_values().for_each(|sighting| self.note(sighting));
    }

    /// Whether there are none.
    pub(in crate::explore) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, the gravest first.
    pub(in crate::explore) fn into_all(self) -> impl Iterator<Item = Sighting> {
        self.0.into_values()
    }
}

/// A step out of a state.
#[derive(Clone, Copy, Debug)]
pub(in crate::explore) struct Way {
    /// The choice: whose step it is, or which other act.
    pub(in crate::explore) choice: Choice<KindId>,
    /// How many buyers could make it.
    pub(in crate::explore) buyers: u16,
    /// Whether it is a fault, and so need not happen.
    pub(in crate::explore) is_fault: bool,
}

/// The successors of some states, and what was found there.
#[derive(Debug, Default)]
pub(in crate::explore) struct Expanded {
    /// Where each step leads, in order.
    pub(in crate::explore) there: Batch,
    /// The steps.
    pub(in crate::explore) ways: Vec<Way>,
    /// How many steps there are up to the end of each state.
    pub(in crate::explore) ends: Vec<usize>,
    /// The first sighting of each kind of finding.
    pub(in crate::explore) sightings: Sightings,
    /// Those of these states that are end states, and how schedules end there.
    pub(in crate::explore) endings: Vec<(u32, FinalState)>,
    /// The first of these states that is an end state in which a buyer's checkout has failed.
    pub(in crate::explore) failed: Option<u32>,
    /// Whether a buyer was turned away before others were promised enough units to justify it.
    pub(in crate::explore) premature: bool,
    /// Steps that were never worked out; if there are any, the other fields are not valid.
    pub(in crate::explore) missing: Vec<(StoreId, Choice<KindId>)>,
}

impl Expanded {
    /// Takes every step from each of these states. Replaces what was here before, and reuses its memory.
    pub(in crate::explore) fn fill(
        &mut self,
        table: &TransitionTable<'_>,
        states: &States,
        range: Range<u32>,
        stock: Units,
    ) {
        self.there.clear();
        self.ways.clear();
        self.ends.clear();
        self.sightings = Sightings::default();
        self.endings.clear();
        self.failed = None;
        self.premature = false;
        self.missing.clear();
        for id in range {
            self.expand(table, states.words_of(id), id, stock);
        }
    }

    fn expand(&mut self, table: &TransitionTable<'_>, here: &[u32], id: u32, stock: Units) {
        let sighting = |finding, step| Sighting { finding, state: id, step };
        let store = store_of(here);
        if promises_much(table, here, stock) {
            let oversold = checks::promises(table, stock, &unpack(here));
            oversold.into_iter().for_each(|found| self.sightings.note(sighting(found, None)));
        }
        let mut stuck = true;
        let acts = table.acts();
        let choices = crowd_of(here).flat_map(|(who, buyers)| {
            acts.iter().map(move |act| (Choice { who, act: *act }, buyers))
        });
        for (choice, buyers) in choices {
            let Some(turn) = table.known_turn(store, choice) else {
                self.missing.push((store, choice));
                continue;
            };
            let Some(turn) = turn else { continue };
            stuck &= turn.is_fault;
            self.there.push_with(|packed| packed.push_after(here, turn));
            self.ways.push(Way { choice, buyers: buyers as u16, is_fault: turn.is_fault });
            if let (false, Some(refused)) = (self.premature, turn.refused) {
                let there = unpack(self.there.last());
                self.premature = checks::may_be_wronged(table, stock, &there, refused);
            }
            for leak in checks::leaks(turn.leaks) {
                self.sightings.note(sighting(leak, Some(choice)));
            }
        }
        self.ends.push(self.ways.len());
        if stuck && self.missing.is_empty() {
            let (end, findings) = checks::end(table, stock, &unpack(here));
            if end.has_failed() {
                self.failed.get_or_insert(id);
            }
            self.endings.push((id, end));
            findings.into_iter().for_each(|found| self.sightings.note(sighting(found, None)));
        }
    }
}

/// Whether more units were promised, of all products together, than there were of one product: only then can a product
/// be oversold.
fn promises_much(table: &TransitionTable<'_>, here: &[u32], stock: Units) -> bool {
    let promised =
        crowd_of(here).map(|(kind, buyers)| i64::from(table.promised_to(kind)) * i64::from(buyers));
    promised.sum::<i64>() > i64::from(stock)
}
