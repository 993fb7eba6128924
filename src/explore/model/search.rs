//! The search: every state that any schedule can lead to, the nearest first, so that the first
//! schedule to a finding is a shortest one.

use std::collections::BTreeSet;
use std::ops::Range;

use rayon::prelude::*;

use super::checks::{self, End, Shown};
use super::expand::{Expanded, Sighting, Sightings, Way};
use super::graph::{Graph, Ways};
use super::limits::Limits;
use super::packed::unpack;
use super::precedence;
use super::state::State;
use super::states::{Batch, MOST_STATES, States};
use crate::check::audit::Finding;
use crate::domain::faults::Act;
use crate::domain::finding::FindingKind;
use crate::domain::op::Units;
use crate::worlds::stepped::{Actor, Cast, Cue, KindId, Stage};

/// What a search has seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// States, identical buyers counted and not told apart.
    pub states: usize,
    /// Steps between them.
    pub transitions: u64,
    /// Bytes that a state took, with the steps from it, on average.
    pub bytes_per_state: usize,
    /// Whether every schedule was covered.
    pub complete: bool,
    /// States of the search that follows who came before whom, if one was needed.
    pub precedence_states: usize,
    /// How many schedules that is; none if they are endless or too many to add up.
    pub interleavings: Option<Ways>,
    /// Every way in which it can end.
    pub ends: BTreeSet<End>,
    /// Each kind of finding once, the gravest first, with a shortest schedule to it.
    pub shown: Vec<Shown>,
    /// A shortest schedule at whose end a buyer's checkout has failed; none if none does.
    pub failed: Option<Vec<Cue<Actor>>>,
}

/// How a state was first reached.
#[derive(Clone, Copy)]
struct Origin {
    from: u32,
    by: Cue<KindId>,
}

/// States that are expanded before what they lead to is looked up. The same for any number of threads.
const BLOCK: usize = 16 * 1024;

/// States that one thread expands at a time.
const CHUNK: usize = 512;

/// What was learned of states by their number: whence each was first reached, and where it leads.
struct Journal {
    origins: Vec<Origin>,
    graph: Graph,
}

impl Journal {
    /// Of the first state it is known that it comes from nowhere.
    fn open() -> Self {
        Self { origins: vec![Origin { from: 0, by: Cue::step(0) }], graph: Graph::default() }
    }

    /// The memory it takes, in bytes.
    fn bytes(&self) -> usize {
        self.origins.capacity() * size_of::<Origin>() + self.graph.bytes()
    }

    /// Writes down where the steps from some states lead.
    fn enter(&mut self, chunk: Range<u32>, expanded: &Expanded, numbers: &[u32]) {
        let mut steps = expanded.ways.iter().zip(numbers);
        let mut start = 0;
        for (from, end) in chunk.zip(&expanded.ends) {
            for (Way { cue, buyers, is_fault }, to) in steps.by_ref().take(end - start) {
                if *to as usize == self.origins.len() {
                    self.origins.push(Origin { from, by: *cue });
                }
                self.graph.step(*to, *buyers, *is_fault);
            }
            self.graph.close_state();
            start = *end;
        }
    }
}

/// The most steps of a livelock that are told.
const LONGEST_LAP: usize = 1_000;

/// A search under way.
pub struct Search<'c, 's> {
    cast: &'c mut Cast<'s>,
    opening: Stage,
    stock: Units,
    states: States,
    journal: Journal,
    ends: BTreeSet<End>,
    sightings: Sightings,
    /// The first state at which it ends and a buyer's checkout has failed.
    failed: Option<u32>,
    /// Whether somebody was turned away before enough was promised to others.
    premature: bool,
    /// Bytes that a state of the last block led to.
    bytes_a_state: usize,
    /// What the last block led to: kept for its memory.
    expanded: Vec<Expanded>,
}

impl<'c, 's> Search<'c, 's> {
    /// Begins at a shop that has just opened.
    pub fn from(cast: &'c mut Cast<'s>, opening: Stage) -> Self {
        let stock = checks::stock_of(cast, &opening);
        Self::with_stock(cast, opening, stock)
    }

    /// Begins in the middle, at a shop that opened with so many units.
    pub fn with_stock(cast: &'c mut Cast<'s>, opening: Stage, stock: Units) -> Self {
        let first = State::of(opening.store(), opening.kinds());
        let premature = !precedence::refused_at_the_door(cast, &first, stock).is_empty();
        Self {
            cast,
            opening,
            stock,
            states: States::open(&first),
            journal: Journal::open(),
            ends: BTreeSet::new(),
            sightings: Sightings::default(),
            failed: None,
            premature,
            bytes_a_state: 0,
            expanded: Vec::new(),
        }
    }

    /// Looks at everything, within limits and until `stopped` says so, on the threads of the present
    /// rayon pool. What it finds is the same for any number of them.
    pub fn run(&mut self, limits: Limits, stopped: impl Fn() -> bool) -> Seen {
        let mut limit = limits.states.min(MOST_STATES);
        let mut next = 0;
        let mut complete = true;
        while next < self.states.len() {
            let over = self.bytes() > limits.memory || stopped();
            if self.states.len() > limit || over || self.cast.is_full() {
                complete = false;
                break;
            }
            // Smaller steps near a limit, so as not to shoot far beyond it.
            let room = limits.memory.saturating_sub(self.bytes()) / self.bytes_a_state.max(1);
            let block = ((limit - self.states.len()) / 8).min(room).clamp(1, BLOCK);
            let until = self.states.len().min(next + block);
            self.expand(next..until);
            next = until;
            if let (false, Some(enough)) = (self.sightings.is_empty(), limits.enough_after_finding)
            {
                limit = limit.min(enough);
            }
        }
        complete &= !self.cast.is_full();
        let ways = if complete { self.journal.graph.ways(&stopped) } else { None };
        // Where all schedules can be counted, all of them end.
        if complete && ways.is_none() {
            complete &= !stopped();
            self.look_for_livelock();
        }
        let bytes = self.bytes();
        let sightings = std::mem::take(&mut self.sightings);
        let enough = limits.enough_after_finding.filter(|_| !sightings.is_empty());
        let precedence = self.premature.then(|| {
            let rest = Limits {
                states: limits.states.min(enough.unwrap_or(MOST_STATES)).min(MOST_STATES),
                memory: limits.memory.saturating_sub(bytes - self.cast.bytes()),
                ..limits
            };
            precedence::search(self.cast, &self.opening, self.stock, rest, stopped)
        });
        let mut shown: Vec<Shown> = sightings
            .into_all()
            // Of time these states know nothing: that is for the other search to say.
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
        Seen {
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

    /// Everything that kinds and stores are known by.
    pub(in crate::explore) fn cast(&self) -> &Cast<'s> {
        self.cast
    }

    /// All states met, by number.
    pub(in crate::explore) fn all_states(&self) -> impl Iterator<Item = State> + '_ {
        (0..self.states.len() as u32).map(|state| unpack(self.states.words_of(state)))
    }

    /// All steps between them: from where, to where, and how many buyers could make it.
    pub(in crate::explore) fn all_steps(&self) -> impl Iterator<Item = (u32, u32, u16)> + '_ {
        self.journal.graph.all_steps()
    }

    /// The memory it takes, in bytes.
    fn bytes(&self) -> usize {
        self.states.bytes() + self.cast.bytes() + self.journal.bytes()
    }

    /// Takes every step that can be taken from these states.
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
            let (cast, states, stock) = (&*self.cast, &self.states, self.stock);
            let fill = |(one, chunk): (&mut Expanded, &Range<u32>)| {
                one.fill(cast, states, chunk.clone(), stock);
            };
            match chunks.len() {
                1 => used.iter_mut().zip(&chunks).for_each(fill),
                _ => used.par_iter_mut().zip(&chunks).for_each(fill),
            }
        }
        for (one, chunk) in used.iter_mut().zip(&chunks) {
            while !one.missing.is_empty() {
                for (store, cue) in std::mem::take(&mut one.missing) {
                    self.cast.turn(store, cue);
                }
                one.fill(self.cast, &self.states, chunk.clone(), self.stock);
            }
        }
        if self.cast.is_full() {
            // What came of the last steps is not known.
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
            self.ends.extend(one.endings.drain(..));
            self.failed = self.failed.or(one.failed);
            self.premature |= one.premature;
        }
        self.expanded = expanded;
        self.bytes_a_state = bytes_led_to / block.len().max(1);
    }

    fn look_for_livelock(&mut self) {
        let Some(state) = self.journal.graph.endless() else { return };
        let proof = "whatever the schedule from here on, somebody tries again for ever".to_owned();
        let finding = Finding { kind: FindingKind::Livelock, amount: 1, proof };
        self.sightings.note(Sighting { finding, state, step: None });
    }

    /// The way to a state from which no schedule ends, and on, always with the first who can move, until
    /// it has come to where it was before.
    fn lap_from(&mut self, state: u32) -> Vec<Cue<Actor>> {
        let mut schedule = self.schedule_to(state, None);
        let mut stage = self.opening.clone();
        for cue in &schedule {
            let _ = stage.follow(self.cast, *cue);
        }
        let mut seen = BTreeSet::new();
        while seen.len() < LONGEST_LAP
            && seen.insert((stage.store(), stage.kinds().collect::<Vec<_>>()))
        {
            let cues = stage.cues(self.cast);
            let goes_on = |cue: &&Cue<Actor>| matches!(cue.act, Act::Step | Act::Errand);
            let Some(first) = cues.iter().find(goes_on).or(cues.first()).copied() else { break };
            let _ = stage.follow(self.cast, first);
            schedule.push(first);
        }
        schedule
    }

    /// Names the buyers on the way to a state: of those who are alike, the first by name moves.
    fn schedule_to(&mut self, state: u32, last: Option<Cue<KindId>>) -> Vec<Cue<Actor>> {
        let mut cues: Vec<Cue<KindId>> = last.into_iter().collect();
        let mut at = state;
        while at != 0 {
            let Origin { from, by } = self.journal.origins[at as usize];
            cues.push(by);
            at = from;
        }
        let mut stage = self.opening.clone();
        cues.into_iter()
            .rev()
            .filter_map(|Cue { who, act }| {
                let cue = Cue { who: stage.first_of(who)?, act };
                stage.follow(self.cast, cue)?;
                Some(cue)
            })
            .collect()
    }
}
