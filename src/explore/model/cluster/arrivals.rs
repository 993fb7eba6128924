//! The steps to one process's states, by the state that they lead to, and walks along them from the ends backwards: how
//! many schedules there are, and whether one has no end.

use super::super::graph::ScheduleCount;
use crate::base::error::Error;
use crate::base::process_group::ProcessGroup;
use crate::base::wire_format::{Decoder, Encoder};

/// No step.
const NONE: u32 = u32::MAX;

/// States from which a walk goes on in one round.
const ROUND: usize = 64 * 1024;

/// Marks a step that is a fault; the other bits are the number of a process.
const FAULT: u16 = 1 << 15;

/// A step to a state of this process.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    /// The next step to the same state.
    next: u32,
    /// From which state of which process.
    from: u32,
    process: u16,
    /// How many buyers could make it.
    buyers: u16,
}

/// All steps to one process's states, and how many lead away from each.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The last step to each state.
    last: Vec<u32>,
    steps: Vec<Arrival>,
    /// How many steps lead away from each state that was expanded.
    away: Vec<u32>,
    /// Whether one of them is no fault.
    goes_on: Vec<bool>,
}

/// Adds an item to a long list, which grows by an eighth: twice as much memory as is needed would count as taken.
pub(super) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 64);
    }
    list.push(item);
}

/// What a walk from the ends backwards carries along.
trait Walk {
    /// Whether it goes along steps that are faults.
    const ALONG_FAULTS: bool;

    /// What it carries from a state that it has reached.
    fn carries(&self, state: u32) -> ScheduleCount;

    /// Takes what a step of so many buyers brings; true if it goes on from the state now.
    fn takes(&mut self, state: u32, buyers: u16, brought: ScheduleCount) -> Option<bool>;
}

/// How many schedules lead from each state to an end. A state is reached when all steps from it are counted.
struct Counting {
    ways: Vec<ScheduleCount>,
    left: Vec<u32>,
}

impl Walk for Counting {
    const ALONG_FAULTS: bool = true;

    fn carries(&self, state: u32) -> ScheduleCount {
        self.ways[state as usize]
    }

    fn takes(&mut self, state: u32, buyers: u16, brought: ScheduleCount) -> Option<bool> {
        self.ways.get_mut(state as usize)?.add(brought, buyers);
        let left = &mut self.left[state as usize];
        *left = left.checked_sub(1)?;
        Some(*left == 0)
    }
}

/// From which states an end can be reached without a fault.
struct Reaching {
    reached: Vec<bool>,
}

impl Walk for Reaching {
    const ALONG_FAULTS: bool = false;

    fn carries(&self, _: u32) -> ScheduleCount {
        ScheduleCount::NONE
    }

    fn takes(&mut self, state: u32, _: u16, _: ScheduleCount) -> Option<bool> {
        Some(!std::mem::replace(self.reached.get_mut(state as usize)?, true))
    }
}

impl Arrivals {
    /// The memory they take, in bytes, with what counting the schedules will need.
    pub(super) fn bytes(&self) -> usize {
        self.last.capacity() * size_of::<u32>()
            + self.steps.capacity() * size_of::<Arrival>()
            + self.away.capacity() * (size_of::<u32>() + size_of::<bool>())
            + self.last.len() * (size_of::<ScheduleCount>() + 3 * size_of::<u32>())
    }

    /// Whether no more steps can be numbered.
    pub(super) fn is_full(&self) -> bool {
        self.steps.len() >= (NONE / 2) as usize
    }

    /// Notes a step to a state of this process. A new state has the next number.
    pub(super) fn enter(
        &mut self,
        to: u32,
        (process, from): (usize, u32),
        buyers: u16,
        is_fault: bool,
    ) {
        let place = self.steps.len() as u32;
        let process = process as u16 | if is_fault { FAULT } else { 0 };
        let to = to as usize;
        // No step may lead to the first state of all.
        while self.last.len() <= to {
            push(&mut self.last, NONE);
        }
        let next = std::mem::replace(&mut self.last[to], place);
        push(&mut self.steps, Arrival { next, from, process, buyers });
    }

    /// Notes that the next state was expanded: how many steps lead away from it, and whether one of them is no fault.
    pub(super) fn expanded(&mut self, away: u32, goes_on: bool) {
        push(&mut self.away, away);
        push(&mut self.goes_on, goes_on);
    }

    /// How many steps lead away from all states that were expanded.
    pub(super) fn steps_away(&self) -> u64 {
        self.away.iter().map(|away| u64::from(*away)).sum()
    }

    /// The steps to a state.
    fn steps_to(&self, state: u32) -> impl Iterator<Item = Arrival> {
        let mut at = self.last.get(state as usize).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let step = *self.steps.get(at as usize)?;
            at = step.next;
            Some(step)
        })
    }

    /// How many schedules lead from the first state of this process to an end; none if some never end. None at all if the
    /// search was stopped.
    pub(super) fn ways(
        &self,
        group: &mut ProcessGroup,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Option<Option<ScheduleCount>>, Error> {
        let mut counting = Counting {
            ways: self.away.iter().map(|_| ScheduleCount::NONE).collect(),
            left: self.away.clone(),
        };
        let is_end = |state: &u32| self.away[*state as usize] == 0;
        let ends: Vec<u32> = (0..self.away.len() as u32).filter(is_end).collect();
        ends.iter().for_each(|end| counting.ways[*end as usize] = ScheduleCount::ONE);
        if !self.walk(&mut counting, ends, group, is_stopped)? {
            return Ok(None);
        }
        let is_counted = counting.left.first() == Some(&0);
        Ok(Some(counting.ways.first().copied().filter(|_| is_counted)))
    }

    /// The first state of this process, if there is one, from which no schedule without faults ever ends; none at all if the
    /// search was stopped.
    pub(super) fn endless(
        &self,
        group: &mut ProcessGroup,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Option<Option<u32>>, Error> {
        let reached: Vec<bool> = self.goes_on.iter().map(|goes_on| !goes_on).collect();
        let ends = (0_u32..).zip(&reached).filter(|(_, end)| **end).map(|(state, _)| state);
        let ends = ends.collect();
        let mut reaching = Reaching { reached };
        if !self.walk(&mut reaching, ends, group, is_stopped)? {
            return Ok(None);
        }
        let first = reaching.reached.iter().position(|reached| !reached);
        Ok(Some(first.map(|state| state as u32)))
    }

    /// Walks from states backwards, along the steps to them, at all processes at once. Returns whether it came to its end,
    /// and was not stopped.
    fn walk<W: Walk>(
        &self,
        walk: &mut W,
        mut open: Vec<u32>,
        group: &mut ProcessGroup,
        is_stopped: impl Fn() -> bool,
    ) -> Result<bool, Error> {
        let me = group.me();
        loop {
            let mut out: Vec<Encoder> = (0..group.len()).map(|_| Encoder::default()).collect();
            let mut active = open.len() as u64;
            for _ in 0..ROUND {
                let Some(state) = open.pop() else { break };
                let carried = walk.carries(state);
                for step in self.steps_to(state) {
                    if !W::ALONG_FAULTS && step.process & FAULT != 0 {
                        continue;
                    }
                    let process = usize::from(step.process & !FAULT);
                    if process == me {
                        let is_open = walk.takes(step.from, step.buyers, carried);
                        if is_open.ok_or_else(|| group.garbled(me))? {
                            open.push(step.from);
                        }
                        continue;
                    }
                    active += 1;
                    let Some(out) = out.get_mut(process) else { continue };
                    let (number, doublings) = carried.parts();
                    out.u32(step.from);
                    out.u16(step.buyers);
                    out.u64(number);
                    out.u32(doublings as u32);
                }
            }
            active += open.len() as u64;
            let stopped = u64::from(is_stopped());
            let headed = out.into_iter().map(|records| {
                let mut message = Encoder::default();
                message.u64(active);
                message.u64(stopped);
                message.bytes(records.written());
                message.into_bytes()
            });
            let heard = group.exchange(headed.collect())?;
            let mut status = Vec::new();
            for (process, message) in heard.iter().enumerate() {
                let garbled = || group.garbled(process);
                let mut decoder = Decoder(message);
                let read = |decoder: &mut Decoder<'_>| Some((decoder.u64()?, decoder.u64()?));
                status.push(read(&mut decoder).ok_or_else(garbled)?);
                let mut records = Decoder(decoder.bytes().ok_or_else(garbled)?);
                while !records.is_over() {
                    let mut take = || {
                        let (state, buyers) = (records.u32()?, records.u16()?);
                        let brought =
                            ScheduleCount::of_parts(records.u64()?, records.u32()? as i32);
                        Some((state, walk.takes(state, buyers, brought)?))
                    };
                    if let (state, true) = take().ok_or_else(garbled)? {
                        open.push(state);
                    }
                }
            }
            if status.iter().any(|(_, stopped)| *stopped > 0) {
                return Ok(false);
            }
            if status.iter().all(|(active, _)| *active == 0) {
                return Ok(true);
            }
        }
    }
}
