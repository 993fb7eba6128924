//! The end of a search by several processes: what all have found, put together at each of them.

use std::collections::BTreeSet;

use super::super::checks::{self, FinalState, Shown};
use super::super::graph::ScheduleCount;
use super::super::limits::Limits;
use super::super::packed::{store_of, unpack};
use super::super::precedence;
use super::super::search::{SearchResult, livelock, with_lap, with_names};
use super::super::states::MOST_STATES;
use super::gathered::{Gathered, Seen, Spot};
use super::search::ClusterSearch;
use super::successors::{read_choice, write_choice};
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::wire_format::{Decoder, Encoder};
use crate::check::audit::Finding;
use crate::domain::finding::FindingKind;
use crate::scheduler::Choice;
use crate::worlds::stepped::KindId;

impl ClusterSearch<'_, '_> {
    /// The number of all schedules, which the owner of the first state tells.
    pub(super) fn tell_ways(
        &mut self,
        first: Option<ScheduleCount>,
    ) -> Result<Option<ScheduleCount>, Error> {
        let mut message = Encoder::default();
        if let Some((number, doublings)) = first.map(ScheduleCount::parts) {
            message.u64(number);
            message.u32(doublings as u32);
        }
        let owner = self.owner_of_first();
        let heard = self.group.gather(message.into_bytes())?;
        let mut decoder = Decoder(&heard[owner]);
        if decoder.is_over() {
            return Ok(None);
        }
        let mut read = || Some(ScheduleCount::of_parts(decoder.u64()?, decoder.u32()? as i32));
        read().ok_or_else(|| self.group.garbled(owner)).map(Some)
    }

    /// What all processes have found.
    pub(super) fn gather(&mut self) -> Result<Gathered, Error> {
        let heard = self.group.gather(self.found.write())?;
        let mut all = Gathered::default();
        for (process, message) in heard.iter().enumerate() {
            let found = Gathered::read(message, process, self.table);
            all.add(found.ok_or_else(|| self.group.garbled(process))?);
        }
        Ok(all)
    }

    /// The schedule to a place, with named buyers. Each state's owner tells from where it was first reached.
    fn schedule_to(&mut self, spot: &Spot) -> Result<Vec<Choice>, Error> {
        let mut choices: Vec<Choice<KindId>> = spot.step.into_iter().collect();
        let first = (self.owner_of_first(), 0);
        let mut at = (spot.process, spot.state);
        while at != first {
            let (owner, state) = at;
            let mut message = Encoder::default();
            if let (true, Some(origin)) =
                (owner == self.group.me(), self.origins.get(state as usize))
            {
                message.u16(origin.process);
                message.u32(origin.from);
                write_choice(&mut message, origin.by);
            }
            let heard = self.group.gather(message.into_bytes())?;
            let mut decoder = Decoder(&heard[owner]);
            let mut read = || {
                let process = usize::from(decoder.u16()?);
                Some(((process, decoder.u32()?), read_choice(&mut decoder)?))
            };
            let told = read().filter(|((process, _), _)| *process < heard.len());
            let told = told.filter(|_| choices.len() <= spot.length as usize);
            let (from, by) = told.ok_or_else(|| self.group.garbled(owner))?;
            choices.push(by);
            at = from;
        }
        Ok(with_names(self.table, self.opening, choices.into_iter().rev()))
    }

    /// The finding of this kind at a place, which its process has seen there.
    fn finding_at(&self, kind: FindingKind, spot: &Spot) -> Option<Finding> {
        if kind == FindingKind::Livelock {
            return Some(livelock());
        }
        let state = unpack(&spot.words);
        if let Some(step) = spot.step {
            let turn = (*self.table.known_turn(store_of(&spot.words), step)?)?;
            return checks::leaks(turn.leaks).find(|finding| finding.kind == kind);
        }
        let promised = checks::promises(self.table, self.stock, &state);
        let promised = promised.filter(|finding| finding.kind == kind);
        let at_end = || {
            let (_, findings) = checks::end(self.table, self.stock, &state);
            findings.into_iter().find(|finding| finding.kind == kind)
        };
        promised.or_else(at_end)
    }

    /// The result, the same at every process.
    pub(super) fn conclude(
        &mut self,
        found: Gathered,
        states: u64,
        complete: bool,
        ways: Option<ScheduleCount>,
        limits: Limits,
        monitor: &impl Monitor,
    ) -> Result<SearchResult, Error> {
        let mut shown = Vec::new();
        let mut failed = None;
        for (seen, spot) in &found.spots {
            let schedule = self.schedule_to(spot)?;
            match seen {
                Seen::Failure => failed = Some(schedule),
                Seen::Finding(gravity) => {
                    let kind = FindingKind::ALL.get(*gravity as usize).copied();
                    let finding = kind.and_then(|kind| self.finding_at(kind, spot));
                    let finding = finding.ok_or_else(|| self.group.garbled(spot.process))?;
                    let schedule = match finding.kind {
                        FindingKind::Livelock => with_lap(self.table, self.opening, schedule),
                        _ => schedule,
                    };
                    shown.push(Shown { finding, schedule });
                }
            }
        }
        let end = |words: &Vec<u32>| checks::end(self.table, self.stock, &unpack(words)).0;
        let ends: BTreeSet<FinalState> = found.ends.iter().map(end).collect();
        let mut result = SearchResult {
            states: states as usize,
            transitions: found.steps,
            bytes_per_state: (found.bytes / states.max(1)) as usize,
            complete,
            precedence_states: 0,
            interleavings: ways,
            ends,
            shown,
            failed,
        };
        if found.is_premature {
            self.track_precedence(&mut result, limits, monitor)?;
        }
        Ok(result)
    }

    /// Looks for false sold-outs. That search is small, and every process makes it by itself; it counts as complete where
    /// it is at all of them.
    fn track_precedence(
        &mut self,
        result: &mut SearchResult,
        limits: Limits,
        monitor: &impl Monitor,
    ) -> Result<(), Error> {
        let enough = limits.enough_after_finding.filter(|_| !result.shown.is_empty());
        let rest = Limits {
            states: limits.states.min(enough.unwrap_or(MOST_STATES)).min(MOST_STATES),
            memory: limits.memory.saturating_sub(self.bytes() - self.table.bytes()),
            ..limits
        };
        let precedence =
            precedence::search(self.table, self.opening, self.stock, rest, || monitor.is_stopped());
        let heard = self.group.gather(vec![precedence.complete.into()])?;
        let is_complete = heard.iter().all(|complete| complete == &[1]);
        result.complete &= is_complete;
        result.precedence_states = precedence.states;
        result.shown.extend(precedence.shown);
        result.shown.sort_by_key(|shown| shown.finding.kind.gravity());
        Ok(())
    }
}
