//! The graph of states and steps: how many schedules it has, and whether an end can be reached from every state.

use std::fmt;
use std::ops::Range;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::base::text::quantity::count;

/// A number of schedules: exact up to 2⁵³, and to fifteen digits in any case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleCount {
    /// The number is this × 2^`doublings`, and this is below 2⁵¹².
    number: f64,
    doublings: i32,
}

/// By how many doublings a number is scaled down when it grows too large.
const SHIFT: i32 = 512;

/// 2⁵¹².
const TOO_LARGE: f64 = f64::from_bits((1023 + SHIFT as u64) << 52);

/// 2⁵³: up to here an `f64` holds every whole number.
const MOST_EXACT: f64 = (1_u64 << 53) as f64;

impl ScheduleCount {
    /// No schedule.
    pub(in crate::explore) const NONE: Self = Self { number: 0.0, doublings: 0 };
    /// One schedule.
    pub(in crate::explore) const ONE: Self = Self { number: 1.0, doublings: 0 };
    /// Not counted yet.
    const UNKNOWN: Self = Self { number: 0.0, doublings: -1 };
    /// Not counted yet, and on the current path: to meet it again is a cycle.
    const ON_THE_PATH: Self = Self { number: 0.0, doublings: -2 };

    /// Exactly this number.
    pub(in crate::explore) fn exactly(number: u64) -> Self {
        Self { number: number as f64, doublings: 0 }
    }

    /// Its two parts, for a message to another process.
    #[cfg(feature = "cli")]
    pub(in crate::explore) fn parts(self) -> (u64, i32) {
        (self.number.to_bits(), self.doublings)
    }

    /// The number with these parts.
    #[cfg(feature = "cli")]
    pub(in crate::explore) fn of_parts(number: u64, doublings: i32) -> Self {
        Self { number: f64::from_bits(number), doublings }
    }

    /// The exact number, if it is below 2⁵³.
    #[must_use]
    pub fn exact(self) -> Option<u64> {
        (self.doublings == 0 && self.number < MOST_EXACT).then_some(self.number as u64)
    }

    /// Its decimal logarithm; minus infinity for zero.
    #[must_use]
    pub fn log10(self) -> f64 {
        self.number.log10() + f64::from(self.doublings) * std::f64::consts::LOG10_2
    }

    /// Adds `by` times `more`.
    #[inline]
    pub(in crate::explore) fn add(&mut self, more: Self, by: u16) {
        let mut number = more.number * f64::from(by);
        if self.doublings < more.doublings {
            self.number *= 2f64.powi(self.doublings - more.doublings);
            self.doublings = more.doublings;
        } else if more.doublings < self.doublings {
            number *= 2f64.powi(more.doublings - self.doublings);
        }
        self.number += number;
        if self.number >= TOO_LARGE {
            self.number /= TOO_LARGE;
            self.doublings += SHIFT;
        }
    }
}

impl Serialize for ScheduleCount {
    /// As `{"log10": …}`: numbers of this size are beyond what JSON readers take.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("log10", &self.log10())?;
        map.end()
    }
}

/// A number of schedules, which may be beyond what JSON readers take.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ScheduleCount")]
#[expect(dead_code, reason = "only its schema is read")]
struct WrittenCount {
    /// The decimal logarithm of the number.
    log10: f64,
}

#[cfg(test)]
impl schemars::JsonSchema for ScheduleCount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        WrittenCount::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WrittenCount::json_schema(generator)
    }
}

impl fmt::Display for ScheduleCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact() {
            Some(ways) if ways < 1_000_000_000_000 => f.write_str(&count(ways)),
            _ => write!(f, "10^{:.0}", self.log10().floor()),
        }
    }
}

/// States that are counted between two checks of whether to stop.
const LOOK_UP: usize = 1 << 16;

/// The steps between the states of a complete search.
#[derive(Debug, Default)]
pub(in crate::explore) struct Graph {
    /// For each state, the index at which its steps end.
    ends: Vec<usize>,
    /// To which state each step leads.
    to: Vec<u32>,
    /// How many buyers could make each step.
    by: Vec<u16>,
    /// The indices, in order, of the steps that are faults, and so need not happen.
    faults: Vec<usize>,
}

impl Graph {
    /// How many steps there are.
    pub(in crate::explore) fn steps(&self) -> usize {
        self.to.len()
    }

    /// The memory it takes, in bytes, with what counting the schedules will need.
    pub(in crate::explore) fn bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>()
            + self.to.capacity() * size_of::<u32>()
            + self.by.capacity() * size_of::<u16>()
            + self.faults.capacity() * size_of::<usize>()
            + self.ends.len() * (size_of::<ScheduleCount>())
    }

    /// Adds a step from the current state.
    #[inline]
    pub(in crate::explore) fn step(&mut self, to: u32, by: u16, is_fault: bool) {
        if is_fault {
            self.faults.push(self.to.len());
        }
        self.to.push(to);
        self.by.push(by);
    }

    /// Ends the current state.
    #[inline]
    pub(in crate::explore) fn close_state(&mut self) {
        self.ends.push(self.to.len());
    }

    /// The indices of a state's steps.
    #[inline]
    fn steps_from(&self, state: usize) -> Range<usize> {
        let start = if state == 0 { 0 } else { self.ends[state - 1] };
        start..self.ends[state]
    }

    /// All steps: from which state to which, and how many buyers could make it.
    pub(in crate::explore) fn all_steps(&self) -> impl Iterator<Item = (u32, u32, u16)> + '_ {
        (0..self.ends.len()).flat_map(|from| {
            let steps = self.steps_from(from);
            let steps = self.to[steps.clone()].iter().zip(&self.by[steps]);
            steps.map(move |(to, by)| (from as u32, *to, *by))
        })
    }

    /// How many schedules lead from the first state to an end; none if some never end, or if `stopped` returned true.
    ///
    /// Counts from the last state backwards: most steps lead to states that were met later, and states that were met at
    /// about the same time are close in memory.
    pub(in crate::explore) fn ways(&self, stopped: impl Fn() -> bool) -> Option<ScheduleCount> {
        let mut counted = vec![ScheduleCount::UNKNOWN; self.ends.len()];
        let mut path = Vec::new();
        for state in (0..self.ends.len()).rev() {
            if state.is_multiple_of(LOOK_UP) && stopped() {
                return None;
            }
            if counted[state] == ScheduleCount::UNKNOWN {
                path.push(state);
            }
            while let Some(state) = path.last().copied() {
                match self.ways_from(state, &counted) {
                    Ok(ways) => {
                        counted[state] = ways;
                        path.pop();
                    }
                    Err(there) if counted[there] == ScheduleCount::ON_THE_PATH => return None,
                    Err(there) => {
                        counted[state] = ScheduleCount::ON_THE_PATH;
                        path.push(there);
                    }
                }
            }
        }
        counted.first().copied()
    }

    /// How many schedules lead from a state to an end; else its first successor for which that is not known.
    fn ways_from(&self, state: usize, counted: &[ScheduleCount]) -> Result<ScheduleCount, usize> {
        let steps = self.steps_from(state);
        let mut ways = if steps.is_empty() { ScheduleCount::ONE } else { ScheduleCount::NONE };
        for (to, by) in self.to[steps.clone()].iter().zip(&self.by[steps]) {
            match counted[*to as usize] {
                known if known.doublings >= 0 => ways.add(known, *by),
                _ => return Err(*to as usize),
            }
        }
        Ok(ways)
    }

    /// A state, if there is one, from which no schedule without faults ever ends.
    pub(in crate::explore) fn endless(&self) -> Option<u32> {
        // The steps reversed: where those of each state begin, and from which states they come.
        let mut starts: Vec<usize> = Vec::with_capacity(self.ends.len() + 1);
        starts.push(0);
        let mut arrivals = vec![0_usize; self.ends.len()];
        let mut is_fault = vec![false; self.to.len()];
        self.faults.iter().for_each(|place| is_fault[*place] = true);
        let goes_on = |place: &usize| !is_fault[*place];
        for place in (0..self.to.len()).filter(goes_on) {
            arrivals[self.to[place] as usize] += 1;
        }
        for arrivals in arrivals {
            starts.push(starts[starts.len() - 1] + arrivals);
        }
        let mut free = starts.clone();
        let mut backwards = vec![0_u32; self.to.len()];
        let mut reached = vec![false; self.ends.len()];
        let mut open = Vec::new();
        for (state, is_reached) in reached.iter_mut().enumerate() {
            let steps = self.steps_from(state);
            if !steps.clone().any(|place| goes_on(&place)) {
                *is_reached = true;
                open.push(state);
            }
            for to in steps.filter(goes_on).map(|place| self.to[place]) {
                let place = &mut free[to as usize];
                backwards[*place] = state as u32;
                *place += 1;
            }
        }
        while let Some(state) = open.pop() {
            for from in &backwards[starts[state]..starts[state + 1]] {
                if !std::mem::replace(&mut reached[*from as usize], true) {
                    open.push(*from as usize);
                }
            }
        }
        reached.iter().position(|reached| !reached).map(|state| state as u32)
    }
}
