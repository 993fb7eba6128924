//! What a page needs so that its reader can be the scheduler: states, what can happen next in each, and how many of the
//! schedules from there end in a finding.

use std::collections::BTreeMap;

use serde::Serialize;

use super::timeline::TimelineRow;
use crate::domain::op::Units;

/// The most states that a page embeds.
pub(super) const MOST_STATES: usize = 4_000;

/// The most entries for clients in all states together.
pub(super) const MOST_ENTRIES: usize = 24_000;

/// Where the states come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaySource {
    /// Every state of the model that can be reached, unless the graph is cut.
    Model,
    /// The statement orders that were run at a server, and no others.
    Orders,
}

/// A graph of states. The first is the shop at its opening. What is equal in many places stands in a list of its own and
/// is named by its place there.
#[derive(Clone, Debug, Serialize)]
pub struct PlayGraph {
    /// Where the states come from.
    pub source: PlaySource,
    /// Names of the clients, in the order of [`PlayState::clients`].
    pub clients: Vec<String>,
    /// What steps touch: the lanes beside those of the clients.
    pub lanes: Vec<String>,
    /// What clients do and know.
    pub statuses: Vec<PlayStatus>,
    /// Steps in words.
    pub rows: Vec<TimelineRow>,
    /// Findings in words.
    pub findings: Vec<String>,
    /// The states.
    pub states: Vec<PlayState>,
    /// Whether states are missing, since there were too many.
    pub cut: bool,
}

/// A client in a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlayStatus {
    /// What it is about to do, or how it left.
    pub about: String,
    /// What it has heard in this attempt; empty if nothing.
    pub knows: String,
    /// Whether it has left.
    pub left: bool,
}

/// A state.
#[derive(Clone, Debug, Serialize)]
pub struct PlayState {
    /// Units of each product; empty where they cannot be seen between two steps.
    pub stock: Vec<Units>,
    /// Locks and leases that are held, in words.
    pub held: Vec<String>,
    /// What each client does and knows.
    pub clients: Vec<usize>,
    /// The findings here.
    pub findings: Vec<usize>,
    /// What can happen next.
    pub moves: Vec<PlayMove>,
    /// The schedules from here to an end, and those of them that show a finding; none if that is not known, because
    /// the graph is cut or some never end.
    pub futures: Option<Futures>,
}

/// The schedules from a state to an end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Futures {
    /// How many there are: exact up to 2⁵³.
    pub all: f64,
    /// How many of them show a finding.
    pub broken: f64,
}

/// Something that can happen next.
#[derive(Clone, Debug, Serialize)]
pub struct PlayMove {
    /// As it is written in a schedule: `A`, `B~`.
    pub choice: String,
    /// To which client it happens.
    pub client: usize,
    /// What happens, if it is no step of the client's own; empty for a step.
    pub act: &'static str,
    /// The step in words: several rows where a client that waited goes on with it.
    pub rows: Vec<usize>,
    /// The state that it leads to; none if the graph is cut there.
    pub to: Option<usize>,
}

/// Values, each once, with its place.
pub(super) struct Interned<T>(BTreeMap<T, usize>);

impl<T: Ord> Interned<T> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The place of this value.
    pub(super) fn place(&mut self, value: T) -> usize {
        let next = self.0.len();
        *self.0.entry(value).or_insert(next)
    }

    /// All of them, in the order of their places.
    pub(super) fn into_list(self) -> Vec<T> {
        let mut all: Vec<(T, usize)> = self.0.into_iter().collect();
        all.sort_by_key(|(_, place)| *place);
        all.into_iter().map(|(value, _)| value).collect()
    }
}

/// The names of all that these rows touch, in the order in which they are first touched.
pub(crate) fn lanes(rows: &[TimelineRow]) -> Vec<String> {
    let mut lanes: Vec<String> = Vec::new();
    for touch in rows.iter().flat_map(|row| &row.touches) {
        if !lanes.contains(&touch.what) {
            lanes.push(touch.what.clone());
        }
    }
    lanes
}

/// What is known of a state's futures while they are counted.
#[derive(Clone, Copy)]
enum Counted {
    NotYet,
    OnThePath,
    Done(Option<Futures>),
}

impl PlayGraph {
    /// Counts the schedules from each state. A state from which a cycle or a cut can be reached has no number.
    pub(super) fn count_futures(&mut self) {
        let mut counted = vec![Counted::NotYet; self.states.len()];
        for start in 0..self.states.len() {
            let mut path = vec![start];
            while let Some(state) = path.last().copied() {
                match counted[state] {
                    Counted::Done(_) => {
                        path.pop();
                    }
                    Counted::NotYet => {
                        counted[state] = Counted::OnThePath;
                        let next = self.states[state].moves.iter().filter_map(|next| next.to);
                        path.extend(next.filter(|to| matches!(counted[*to], Counted::NotYet)));
                    }
                    Counted::OnThePath => {
                        counted[state] = Counted::Done(self.futures_of(state, &counted));
                        path.pop();
                    }
                }
            }
        }
        for (state, counted) in self.states.iter_mut().zip(counted) {
            state.futures = match counted {
                Counted::Done(futures) => futures,
                Counted::NotYet | Counted::OnThePath => None,
            };
        }
    }

    /// The schedules from a state, by those of the states that follow. One that follows and is on the path still is part
    /// of a cycle.
    fn futures_of(&self, state: usize, counted: &[Counted]) -> Option<Futures> {
        let PlayState { moves, findings, .. } = &self.states[state];
        let mut futures = match moves.is_empty() {
            true => Futures { all: 1.0, broken: 0.0 },
            false => Futures { all: 0.0, broken: 0.0 },
        };
        for next in moves {
            let Counted::Done(Some(more)) = counted[next.to?] else { return None };
            futures.all += more.all;
            futures.broken += more.broken;
        }
        if !findings.is_empty() {
            futures.broken = futures.all;
        }
        Some(futures)
    }
}
