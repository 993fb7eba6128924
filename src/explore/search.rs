//! The search: every state that any schedule can lead to, the nearest first, so that the first
//! schedule to a finding is a shortest one.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{self, End};
use super::graph::{Graph, Ways};
use super::state::{State, States};
use crate::audit::Finding;
use crate::finding::FindingKind;
use crate::op::Units;
use crate::worlds::stepped::{Actor, Cast, KindId, Stage};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// States met.
    pub states: usize,
    /// Bytes that states and the steps between them take.
    pub memory: usize,
    /// States to be content with once something was found; none to look at everything.
    pub enough_after_finding: Option<usize>,
}

impl Default for Limits {
    /// Generous: 50 million states, 2 GB, and everything looked at.
    fn default() -> Self {
        Self { states: 50_000_000, memory: 2_000_000_000, enough_after_finding: None }
    }
}

/// A finding and a shortest schedule to it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What.
    pub finding: Finding,
    /// Whose step comes when.
    pub schedule: Vec<Actor>,
}

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
    /// How many schedules that is; none if they are endless or too many to add up.
    pub interleavings: Option<Ways>,
    /// Every way in which it can end.
    pub ends: BTreeSet<End>,
    /// Each kind of finding once, the gravest first, with a shortest schedule to it.
    pub shown: Vec<Shown>,
}

/// How a state was first reached.
#[derive(Clone, Copy)]
struct Origin {
    from: u32,
    by: KindId,
}

/// A search under way.
pub struct Search<'c, 's> {
    cast: &'c mut Cast<'s>,
    opening: Stage,
    stock: Units,
    states: States,
    origins: Vec<Origin>,
    graph: Graph,
    transitions: u64,
    ends: BTreeSet<End>,
    /// The first state that showed each kind of finding.
    found: BTreeMap<usize, (Finding, u32, Option<KindId>)>,
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
        let mut states = States::default();
        states.insert(&first);
        Self {
            cast,
            opening,
            stock,
            states,
            origins: vec![Origin { from: 0, by: 0 }],
            graph: Graph::default(),
            transitions: 0,
            ends: BTreeSet::new(),
            found: BTreeMap::new(),
        }
    }

    /// Looks at everything, within limits and until `stopped` says so.
    pub fn run(mut self, limits: Limits, stopped: impl Fn() -> bool) -> Seen {
        let (mut here, mut there) = (State::default(), State::default());
        let mut limit = limits.states;
        let mut next = 0_u32;
        let mut complete = true;
        while (next as usize) < self.states.len() {
            let over = next.is_multiple_of(1024) && (self.bytes() > limits.memory || stopped());
            if self.states.len() > limit || over || self.cast.is_full() {
                complete = false;
                break;
            }
            self.states.read(next, &mut here);
            self.expand(next, &here, &mut there);
            if let (false, Some(enough)) = (self.found.is_empty(), limits.enough_after_finding) {
                limit = limit.min(enough);
            }
            next += 1;
        }
        if complete {
            self.look_for_livelock();
        }
        let interleavings = if complete { self.graph.ways() } else { None };
        let bytes = self.bytes();
        let found = std::mem::take(&mut self.found);
        let shown = found
            .into_values()
            .map(|(finding, state, last)| Shown {
                finding,
                schedule: self.schedule_to(state, last),
            })
            .collect();
        Seen {
            states: self.states.len(),
            transitions: self.transitions,
            bytes_per_state: bytes / self.states.len().max(1),
            complete,
            interleavings,
            ends: self.ends,
            shown,
        }
    }

    /// The memory it takes, in bytes.
    fn bytes(&self) -> usize {
        self.states.bytes()
            + self.cast.bytes()
            + self.origins.capacity() * size_of::<Origin>()
            + self.graph.bytes()
    }

    /// Takes every step that can be taken from here.
    fn expand(&mut self, id: u32, here: &State, there: &mut State) {
        let oversold = checks::promises(self.cast, self.stock, here);
        oversold.into_iter().for_each(|finding| self.note(finding, id, None));
        let mut stuck = true;
        for (kind, buyers) in &here.crowd {
            let Some(turn) = self.cast.turn(here.store, *kind) else { continue };
            stuck = false;
            there.store = turn.store;
            there.crowd.clone_from(&here.crowd);
            there.apply(turn.actor);
            if let Some(other) = turn.other {
                there.apply(other);
            }
            let (to, is_new) = self.states.insert(there);
            if is_new {
                self.origins.push(Origin { from: id, by: *kind });
            }
            self.transitions += 1;
            self.graph.step(to, *buyers);
            if turn.leaked_lock {
                self.note(checks::leaked_lock(), id, Some(*kind));
            }
        }
        self.graph.close_state();
        if stuck {
            let (end, findings) = checks::end(self.cast, self.stock, here);
            self.ends.insert(end);
            findings.into_iter().for_each(|finding| self.note(finding, id, None));
        }
    }

    fn note(&mut self, finding: Finding, state: u32, last: Option<KindId>) {
        self.found.entry(finding.kind.gravity()).or_insert((finding, state, last));
    }

    fn look_for_livelock(&mut self) {
        let Some(state) = self.graph.endless() else { return };
        let proof = "whatever the schedule from here on, somebody tries again for ever".to_owned();
        self.note(Finding { kind: FindingKind::Livelock, amount: 1, proof }, state, None);
    }

    /// Names the buyers on the way to a state: of those who are alike, the first by name moves.
    fn schedule_to(&mut self, state: u32, last: Option<KindId>) -> Vec<Actor> {
        let mut kinds: Vec<KindId> = last.into_iter().collect();
        let mut at = state;
        while at != 0 {
            let Origin { from, by } = self.origins[at as usize];
            kinds.push(by);
            at = from;
        }
        let mut stage = self.opening.clone();
        kinds
            .into_iter()
            .rev()
            .filter_map(|kind| {
                let actor = stage.first_of(kind)?;
                stage.step(self.cast, actor)?;
                Some(actor)
            })
            .collect()
    }
}
