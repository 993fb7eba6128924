//! The search of one of several processes, level by level, in step with the others.

use std::collections::{BTreeMap, BTreeSet};

use super::super::checks::{self, FinalState};
use super::super::expand::Expanded;
use super::super::limits::Limits;
use super::super::precedence;
use super::super::search::SearchResult;
use super::super::state::State;
use super::super::states::{Batch, MOST_STATES, States, owner_of};
use super::arrivals::Arrivals;
use super::block::chunks_of;
use super::gathered::{Gathered, Seen, Spot};
use super::rounds::Status;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::process_group::ProcessGroup;
use crate::domain::finding::FindingKind;
use crate::domain::op::Units;
use crate::scheduler::Choice;
use crate::worlds::stepped::{KindId, ModelState, TransitionTable};

/// States that one process expands in a round.
const BLOCK: usize = 16 * 1024;

/// The bytes of successors that a round should have at most, where one state has very many.
const ROUND_BYTES: usize = 256 << 20;

/// How a state was first reached: from which state of which process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) from: u32,
    pub(super) process: u16,
    pub(super) by: Choice<KindId>,
}

/// The share of one process.
pub(super) struct ClusterSearch<'a, 's> {
    pub(super) table: &'a mut TransitionTable<'s>,
    pub(super) opening: &'a ModelState,
    pub(super) group: &'a mut ProcessGroup,
    pub(super) stock: Units,
    pub(super) states: States,
    pub(super) origins: Vec<Origin>,
    pub(super) arrivals: Arrivals,
    /// For each level, how many states there are up to its end.
    levels: Vec<u32>,
    /// The first state that is not expanded.
    next: u32,
    /// A state for each way to end.
    pub(super) ends: BTreeMap<FinalState, u32>,
    pub(super) found: Gathered,
    pub(super) bytes_a_state: usize,
    pub(super) expanded: Vec<Expanded>,
}

impl<'a, 's> ClusterSearch<'a, 's> {
    /// A search from a shop that has just opened.
    pub(super) fn from(
        table: &'a mut TransitionTable<'s>,
        opening: &'a ModelState,
        group: &'a mut ProcessGroup,
    ) -> Self {
        let stock = checks::stock_of(table, opening);
        let first = State::of(opening.store(), opening.kinds());
        let is_premature = !precedence::refused_at_the_door(table, &first, stock).is_empty();
        let mut search = Self {
            table,
            opening,
            group,
            stock,
            states: States::default(),
            origins: Vec::new(),
            arrivals: Arrivals::default(),
            levels: Vec::new(),
            next: 0,
            ends: BTreeMap::new(),
            found: Gathered { is_premature, ..Gathered::default() },
            bytes_a_state: 0,
            expanded: Vec::new(),
        };
        if search.owner_of_first() == search.group.me() {
            search.states = States::open(&first);
            search.origins.push(Origin { from: 0, process: 0, by: Choice::step(0) });
        }
        search.levels.push(search.states.len() as u32);
        search
    }

    /// The process that has the first state.
    pub(super) fn owner_of_first(&self) -> usize {
        let mut batch = Batch::default();
        let first = State::of(self.opening.store(), self.opening.kinds());
        batch.push_with(|packed| packed.push_state(&first));
        batch.all().next().map_or(0, |(_, hash)| owner_of(hash, self.group.len()))
    }

    /// The memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.states.bytes()
            + self.table.bytes()
            + self.arrivals.bytes()
            + self.origins.capacity() * size_of::<Origin>()
    }

    /// Runs the search, until all is met or one process meets a bound or is stopped.
    ///
    /// # Errors
    /// [`Error::World`] if a process is lost.
    pub(super) fn run(
        &mut self,
        limits: Limits,
        monitor: &impl Monitor,
    ) -> Result<SearchResult, Error> {
        let (states, mut complete) = self.meet_all(limits, monitor)?;
        let is_stopped = || monitor.is_stopped();
        let mut ways = None;
        if complete {
            let counted = self.arrivals.ways(self.group, is_stopped)?;
            complete = counted.is_some();
            ways = match counted {
                Some(counted) => self.tell_ways(counted)?,
                None => None,
            };
        }
        if complete && ways.is_none() {
            match self.arrivals.endless(self.group, is_stopped)? {
                Some(endless) => {
                    let gravity = FindingKind::Livelock.gravity() as u32;
                    let spot = endless.map(|state| self.spot(state, None));
                    spot.into_iter().for_each(|spot| self.found.note(Seen::Finding(gravity), spot));
                }
                None => complete = false,
            }
        }
        self.found.steps = self.arrivals.steps_away();
        self.found.bytes = self.bytes() as u64;
        self.found.ends =
            self.ends.values().map(|state| self.states.words_of(*state).to_vec()).collect();
        let found = self.gather()?;
        self.conclude(found, states, complete, ways, limits, monitor)
    }

    /// Meets all states. Returns how many all processes have met, and whether that is all.
    fn meet_all(&mut self, limits: Limits, monitor: &impl Monitor) -> Result<(u64, bool), Error> {
        // A round brings more states before this is looked at again.
        let most_here = MOST_STATES as u64 / 2;
        let mut limit = limits.states as u64;
        let mut all_states = 1;
        loop {
            // Blocks are smaller near a limit, so that the search does not go far beyond it.
            let room = limits.memory.saturating_sub(self.bytes()) / self.bytes_a_state.max(1);
            let to_limit = limit.saturating_sub(all_states) as usize / 8 / self.group.len();
            let a_round = ROUND_BYTES / self.bytes_a_state.max(1);
            let most = to_limit.min(room).min(a_round).clamp(1, BLOCK) as u32;
            let level_end = self.levels.last().copied().unwrap_or(0);
            let block = self.next..level_end.min(self.next + most);
            let chunks = chunks_of(block.clone());
            self.fill(&chunks);
            let statuses = loop {
                let is_over = self.bytes() > limits.memory
                    || self.states.len() as u64 > most_here
                    || self.arrivals.is_full()
                    || monitor.is_stopped();
                let status = Status {
                    states: self.states.len() as u64,
                    block: block.len() as u64,
                    left: u64::from(level_end - block.end),
                    is_over,
                    has_finding: !self.found.spots.is_empty(),
                    missing: self.missing(chunks.len()),
                };
                let statuses = self.tell_status(&status)?;
                let missing: BTreeSet<_> =
                    statuses.iter().flat_map(|status| &status.missing).copied().collect();
                if missing.is_empty() || self.table.is_full() {
                    break statuses;
                }
                for (store, choice) in missing {
                    self.table.turn(store, choice);
                }
                self.fill(&chunks);
            };
            all_states = statuses.iter().map(|status| status.states).sum();
            if statuses.iter().any(|status| status.has_finding)
                && let Some(enough) = limits.enough_after_finding
            {
                limit = limit.min(enough as u64);
            }
            if statuses.iter().all(|status| status.block == 0) {
                return Ok((all_states, true));
            }
            let is_over = statuses.iter().any(|status| status.is_over);
            if all_states > limit || is_over || self.table.is_full() {
                return Ok((all_states, false));
            }
            let known = self.states.len();
            self.exchange_successors(&chunks)?;
            self.take_note(&chunks);
            monitor.has_done((self.states.len() - known) as u64);
            self.next = block.end;
            if statuses.iter().all(|status| status.left == 0) {
                self.levels.push(self.states.len() as u32);
            }
        }
    }

    /// Tells all processes where this one stands, and hears where they do.
    fn tell_status(&mut self, status: &Status) -> Result<Vec<Status>, Error> {
        let heard = self.group.gather(status.write())?;
        let (kinds, stores) = (self.table.kinds(), self.table.all_stores().count());
        let read = |(process, message): (usize, &Vec<u8>)| {
            let status = Status::read(message).filter(|status| {
                status.missing.iter().all(|(store, choice)| {
                    (*store as usize) < stores && usize::from(choice.who) < kinds
                })
            });
            status.ok_or_else(|| self.group.garbled(process))
        };
        heard.iter().enumerate().map(read).collect()
    }

    /// A place in this process's share.
    pub(super) fn spot(&self, state: u32, step: Option<Choice<KindId>>) -> Spot {
        let level = self.levels.partition_point(|end| *end <= state) as u32;
        let words = self.states.words_of(state).to_vec();
        let length = level + u32::from(step.is_some());
        Spot { length, process: self.group.me(), state, step, words }
    }
}
