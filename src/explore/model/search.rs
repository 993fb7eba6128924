//! Breadth-first search through every state that any schedule can lead to, so that the first schedule to a finding is a
//! shortest one.

use std::collections::BTreeSet;
use std::ops::Range;

use rayon::prelude::*;

use super::checks::{self, FinalState, Shown};
use super::expand::{Expanded, Sighting, Sightings, Way};
use super::graph::{Graph, ScheduleCount};
use super::limits::Limits;
use super::packed::unpack;
use super::precedence;
use super::state::State;
use super::states::{Batch, MOST_STATES, States};
use crate::base::monitor::Monitor;
use crate::check::audit::Finding;
use crate::domain::faults::Act;
use crate::domain::finding::FindingKind;
use crate::domain::op::Units;
use crate::scheduler::Choice;
use crate::worlds::stepped::{KindId, ModelState, TransitionTable};

/// What a search has seen.
#[derive(Clone, Debug)]
pub struct SearchResult {
    /// States, identical buyers counted and not told apart.
    pub states: usize,
    /// Steps between them.
    pub transitions: u64,
    /// Bytes that a state took, with the steps from it, on average.
    pub bytes_per_state: usize,
    /// Whether every schedule was covered.
    pub complete: bool,
    /// States of the precedence search, which tracks which buyer came before which; zero if it was not needed.
    pub precedence_states: usize,
    /// The number of schedules; none if some never end, or if the search was stopped before they were counted.
    pub interleavings: Option<ScheduleCount>,
    /// Every way in which a schedule can end.
    pub ends: BTreeSet<FinalState>,
    /// Each kind of finding once, the gravest first, with a shortest schedule to it.
    pub shown: Vec<Shown>,
    /// A shortest schedule at whose end a buyer's checkout has failed; none if none does.
    pub failed: Option<Vec<Choice>>,
}

/// How a state was first reached.
#[derive(Clone, Copy)]
struct Predecessor {
    from: u32,
    by: Choice<KindId>,
}

/// States that are expanded before their successors are looked up. It does not depend on the number of threads.
const BLOCK: usize = 16 * 1024;

/// States that one thread expands at a time.
const CHUNK: usize = 512;

/// What is known of each state, by its number: from where it was first reached, and where its steps lead.
struct SearchJournal {
    origins: Vec<Predecessor>,
    graph: Graph,
}

impl SearchJournal {
    /// A journal with the initial state, which has no predecessor.
    fn open() -> Self {
        Self {
            origins: vec![Predecessor { from: 0, by: Choice::step(0) }],
            graph: Graph::default(),
        }
    }

    /// The memory it takes, in bytes.
    fn bytes(&self) -> usize {
        self.origins.capacity() * size_of::<Predecessor>() + self.graph.bytes()
    }

    /// Records where the steps from some states lead.
    fn enter(&mut self, chunk: Range<u32>, expanded: &Expanded, numbers: &[u32]) {
        let mut steps = expanded.ways.iter().zip(numbers);
        let mut start = 0;
        for (from, end) in chunk.zip(&expanded.ends) {
            for (Way { choice, buyers, is_fault }, to) in steps.by_ref().take(end - start) {
                if *to as usize == self.origins.len() {
                    self.origins.push(Predecessor { from, by: *choice });
                }
                self.graph.step(*to, *buyers, *is_fault);
            }
            self.graph.close_state();
            start = *end;
        }
    }
}

/// Step limit of the cycle that is reported for a livelock.
const LONGEST_LAP: usize = 1_000;

/// A search under way.
pub struct Search<'c, 's> {
    table: &'c mut TransitionTable<'s>,
    opening: ModelState,
    stock: Units,
    states: States,
    journal: SearchJournal,
    ends: BTreeSet<FinalState>,
    sightings: Sightings,
    /// The first end state in which a buyer's checkout has failed.
    failed: Option<u32>,
    /// Whether a buyer was turned away before others were promised enough units to justify it.
    premature: bool,
    /// Bytes of successors for each state of the last block.
    bytes_a_state: usize,
    /// The successors of the last block, kept to reuse their memory.
    expanded: Vec<Expanded>,
}

impl<'c, 's> Search<'c, 's> {
    /// A search from a shop that has just opened.
    pub fn from(table: &'c mut TransitionTable<'s>, opening: ModelState) -> Self {
        let stock = checks::stock_of(table, &opening);
        Self::with_stock(table, opening, stock)
    }

    /// A search from the middle of a schedule, in a shop that opened with `stock` units.
    pub fn with_stock(
        table: &'c mut TransitionTable<'s>,
        opening: ModelState,
        stock: Units,
    ) -> Self {
        let first = State::of(opening.store(), opening.kinds());
        let premature = !precedence::refused_at_the_door(table, &first, stock).is_empty();
        Self {
            table,
            opening,
            stock,
            states: States::open(&first),
            journal: SearchJournal::open(),
            ends: BTreeSet::new(),
            sightings: Sightings::default(),
            failed: None,
            premature,
            bytes_a_state: 0,
            expanded: Vec::new(),
        }
    }

    /// Runs the search within `limits` and until `stopped` returns true, on the threads of the current rayon pool. The
    /// result does not depend on their number.
    pub fn run(&mut self, limits: Limits, stopped: impl Monitor) -> SearchResult {
        let mut limit = limits.states.min(MOST_STATES);
        let mut next = 0;
        let mut complete = true;
        while next < self.states.len() {
            let over = self.bytes() > limits.memory || stopped.is_stopped();
            if self.states.len() > limit || over || self.table.is_full() {
                complete = false;
                break;
            }
            // Blocks are smaller near a limit, so that the search does not go far beyond it.
            let room = limits.memory.saturating_sub(self.bytes()) / self.bytes_a_state.max(1);
            let block = ((limit - self.states.len()) / 8).min(room).clamp(1, BLOCK);
            let until = self.states.len().min(next + block);
            let known = self.states.len();
            self.expand(next..until);
            stopped.has_done((self.states.len() - known) as u64);
            next = until;
            if let (false, Some(enough)) = (self.sightings.is_empty(), limits.enough_after_finding)
            {
                limit = limit.min(enough);
            }
        }
        complete &= !self.table.is_full();
        let is_stopped = || stopped.is_stopped();
        let ways = if complete { self.journal.graph.ways(is_stopped) } else { None };
        // If all schedules could be counted, all of them end.
        if complete && ways.is_none() {
            complete &= !stopped.is_stopped();
            self.look_for_livelock();
        }
        let bytes = self.bytes();
        let sightings = std::mem::take(&mut self.sightings);
        let enough = limits.enough_after_finding.filter(|_| !sightings.is_empty());
        let precedence = self.premature.then(|| {
            let rest = Limits {
                states: limits.states.min(enough.unwrap_or(MOST_STATES)).min(MOST_STATES),
                memory: limits.memory.saturating_sub(bytes - self.table.bytes()),
                ..limits
            };
            precedence::search(self.table, &self.opening, self.stock, rest, is_stopped)
        });
        let mut shown: Vec<Shown> = sightings
            .into_all()
            // These states keep no order of events: false sold-outs are left to the precedence search.
            .filter(|sighting| sighting.finding.kind != FindingKind::FalseSoldOut)
            .map(|Sighting { finding, state, step }| Shown {
                schedule: match finding.kind {
                    FindingKind::Livelock => self.lap_from(state),
                    _ => self.schedule_to(state, step),
                },
                finding,
            })
            .collect();
        if let Some(precedence) = &precedence {
            shown.extend(precedence.shown.clone());
            shown.sort_by_key(|shown| shown.finding.kind.gravity());
        }
        SearchResult {
            states: self.states.len(),
            transitions: self.journal.graph.steps() as u64,
            bytes_per_state: bytes / self.states.len().max(1),
            complete: complete && precedence.as_ref().is_none_or(|precedence| precedence.complete),
            precedence_states: precedence.map_or(0, |precedence| precedence.states),
            interleavings: ways,
            ends: std::mem::take(&mut self.ends),
            shown,
            failed: self.failed.map(|state| self.schedule_to(state, None)),
        }
    }

    /// The table: all kinds and stores, by number.
    pub(in crate::explore) fn table(&self) -> &TransitionTable<'s> {
        self.table
    }

    /// All states met, by number.
    pub(in crate::explore) fn all_states(&self) -> impl Iterator<Item = State> + '_ {
        (0..self.states.len() as u32).map(|state| unpack(self.states.words_of(state)))
    }

    /// All steps between states: from where, to where, and how many buyers could make each.
    pub(in crate::explore) fn all_steps(&self) -> impl Iterator<Item = (u32, u32, u16)> + '_ {
        self.journal.graph.all_steps()
    }

    /// The memory it takes, in bytes.
    fn bytes(&self) -> usize {
        self.states.bytes() + self.table.bytes() + self.journal.bytes()
    }

    /// Takes every step that is possible in these states.
    fn expand(&mut self, block: Range<usize>) {
        let chunks: Vec<Range<u32>> = block
            .clone()
            .step_by(CHUNK)
            .map(|start| start as u32..block.end.min(start + CHUNK) as u32)
            .collect();
        let mut expanded = std::mem::take(&mut self.expanded);
        expanded.resize_with(expanded.len().max(chunks.len()), Expanded::default);
        let used = &mut expanded[..chunks.len()];
        {
            let (table, states, stock) = (&*self.table, &self.states, self.stock);
            let fill = |(one, chunk): (&mut Expanded, &Range<u32>)| {
                one.fill(table, states, chunk.clone(), stock);
            };
            match chunks.len() {
                1 => used.iter_mut().zip(&chunks).for_each(fill),
                _ => used.par_iter_mut().zip(&chunks).for_each(fill),
            }
        }
        for (one, chunk) in used.iter_mut().zip(&chunks) {
            while !one.missing.is_empty() {
                for (store, choice) in std::mem::take(&mut one.missing) {
                    self.table.turn(store, choice);
                }
                one.fill(self.table, &self.states, chunk.clone(), self.stock);
            }
        }
        if self.table.is_full() {
            // The table is full, so the results of the last steps are not known.
            return;
        }
        let batches: Vec<&Batch> = used.iter().map(|one| &one.there).collect();
        let bytes_led_to: usize = batches.iter().map(|batch| batch.bytes()).sum();
        let journal = &mut self.journal;
        self.states.insert_all(&batches, |numbers| {
            for ((chunk, one), numbers) in chunks.into_iter().zip(&*used).zip(numbers) {
                journal.enter(chunk, one, &numbers);
            }
        });
        for one in used {
            self.sightings.then(std::mem::take(&mut one.sightings));
            self.ends.extend(one.endings.drain(..).map(|(_, end)| end));
            self.failed = self.failed.or(one.failed);
            self.premature |= one.premature;
        }
        self.expanded = expanded;
        self.bytes_a_state = bytes_led_to / block.len().max(1);
    }

    fn look_for_livelock(&mut self) {
        let Some(state) = self.journal.graph.endless() else { return };
        self.sightings.note(Sighting { finding: livelock(), state, step: None });
    }

    /// The schedule to a state from which no schedule ends, continued until a state repeats.
    fn lap_from(&mut self, state: u32) -> Vec<Choice> {
        let schedule = self.schedule_to(state, None);
        with_lap(self.table, &self.opening, schedule)
    }

    /// The schedule to a state, with named buyers.
    fn schedule_to(&mut self, state: u32, last: Option<Choice<KindId>>) -> Vec<Choice> {
        let mut choices: Vec<Choice<KindId>> = last.into_iter().collect();
        let mut at = state;
        while at != 0 {
            let Predecessor { from, by } = self.journal.origins[at as usize];
            choices.push(by);
            at = from;
        }
        with_names(self.table, &self.opening, choices.into_iter().rev())
    }
}

/// The finding that some schedules have no end.
pub(super) fn livelock() -> Finding {
    let proof = "whatever the schedule from here on, a buyer retries for ever".to_owned();
    Finding { kind: FindingKind::Livelock, amount: 1, proof }
}

/// A schedule to a state from which no schedule ends, continued with the first step that can happen, until a state
/// repeats.
pub(super) fn with_lap(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    mut schedule: Vec<Choice>,
) -> Vec<Choice> {
    let mut model_state = opening.clone();
    for choice in &schedule {
        let _ = model_state.follow(table, *choice);
    }
    let mut seen = BTreeSet::new();
    while seen.len() < LONGEST_LAP
        && seen.insert((model_state.store(), model_state.kinds().collect::<Vec<_>>()))
    {
        let choices = model_state.choices(table);
        let goes_on = |choice: &&Choice| matches!(choice.act, Act::Step | Act::BackgroundTask);
        let Some(first) = choices.iter().find(goes_on).or(choices.first()).copied() else {
            break;
        };
        let _ = model_state.follow(table, first);
        schedule.push(first);
    }
    schedule
}

/// A schedule of kinds as one of named buyers: of identical buyers, the first by name moves.
pub(super) fn with_names(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    choices: impl Iterator<Item = Choice<KindId>>,
) -> Vec<Choice> {
    let mut model_state = opening.clone();
    choices
        .filter_map(|Choice { who, act }| {
            let choice = Choice { who: model_state.first_of(who)?, act };
            model_state.follow(table, choice)?;
            Some(choice)
        })
        .collect()
}
