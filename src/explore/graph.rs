//! What the steps between states add up to: how many schedules there are, and whether everybody can
//! always get home.

use std::fmt;

use serde::Serialize;

use crate::text::quantity::count;

/// The most steps that are kept for adding up.
const MOST_STEPS: usize = 20_000_000;

/// A number of schedules: exact as long as it fits, else its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ways {
    /// Exactly, below 2¹²⁸.
    #[serde(skip)]
    exact: Option<u128>,
    /// Its decimal logarithm; below zero for none at all.
    pub log10: f64,
}

impl Ways {
    const NONE: Self = Self { exact: Some(0), log10: f64::NEG_INFINITY };
    const ONE: Self = Self { exact: Some(1), log10: 0.0 };

    /// Exactly, if it is below 2¹²⁸.
    #[must_use]
    pub fn exact(self) -> Option<u128> {
        self.exact
    }

    fn plus(self, other: Self) -> Self {
        let (high, low) = if self.log10 >= other.log10 { (self, other) } else { (other, self) };
        let log10 = match low.log10 {
            f64::NEG_INFINITY => high.log10,
            log => high.log10 + (1.0 + 10f64.powf(log - high.log10)).log10(),
        };
        Self { exact: self.exact.zip(other.exact).and_then(|(a, b)| a.checked_add(b)), log10 }
    }

    fn times(self, by: u32) -> Self {
        Self {
            exact: self.exact.and_then(|ways| ways.checked_mul(by.into())),
            log10: self.log10 + f64::from(by).log10(),
        }
    }
}

impl fmt::Display for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact.and_then(|ways| i128::try_from(ways).ok()).filter(|_| self.log10 < 12.0) {
            Some(ways) => f.write_str(&count(ways)),
            None => write!(f, "10^{:.0}", self.log10.floor()),
        }
    }
}

/// The steps between the states of a complete search.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Where each state's steps end in `steps`.
    ends: Vec<usize>,
    /// To which state, and how many buyers could make it.
    steps: Vec<(u32, u16)>,
    overflowed: bool,
}

impl Graph {
    /// The memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>() + self.steps.capacity() * size_of::<(u32, u16)>()
    }

    /// Adds a step from the state that is being looked at.
    pub(super) fn step(&mut self, to: u32, by: u32) {
        if self.steps.len() < MOST_STEPS {
            self.steps.push((to, by as u16));
        } else {
            self.overflowed = true;
        }
    }

    /// Ends the state that is being looked at.
    pub(super) fn close_state(&mut self) {
        self.ends.push(self.steps.len());
    }

    fn steps_from(&self, state: usize) -> &[(u32, u16)] {
        let start = if state == 0 { 0 } else { self.ends[state - 1] };
        &self.steps[start..self.ends[state]]
    }

    /// How many schedules lead from the first state to an end; none if some never end, or if there
    /// were too many steps to keep.
    pub(super) fn ways(&self) -> Option<Ways> {
        if self.overflowed {
            return None;
        }
        let states = self.ends.len();
        let mut waiting_for = vec![0_u32; states];
        for (to, _) in &self.steps {
            waiting_for[*to as usize] += 1;
        }
        let mut ways = vec![Ways::NONE; states];
        let mut ready = Vec::new();
        if states > 0 && waiting_for[0] == 0 {
            ways[0] = Ways::ONE;
            ready.push(0_usize);
        }
        let (mut total, mut done) = (Ways::NONE, 0);
        while let Some(state) = ready.pop() {
            done += 1;
            let steps = self.steps_from(state);
            if steps.is_empty() {
                total = total.plus(ways[state]);
            }
            for (to, by) in steps {
                let to = *to as usize;
                ways[to] = ways[to].plus(ways[state].times((*by).into()));
                waiting_for[to] -= 1;
                if waiting_for[to] == 0 {
                    ready.push(to);
                }
            }
        }
        (done == states).then_some(total)
    }

    /// A state, if there is one, from which no schedule ever ends.
    pub(super) fn endless(&self) -> Option<u32> {
        if self.overflowed {
            return None;
        }
        let states = self.ends.len();
        let mut backwards = vec![Vec::new(); states];
        let mut reached = vec![false; states];
        let mut open = Vec::new();
        for (state, is_reached) in reached.iter_mut().enumerate() {
            let steps = self.steps_from(state);
            for (to, _) in steps {
                backwards[*to as usize].push(state as u32);
            }
            if steps.is_empty() {
                *is_reached = true;
                open.push(state);
            }
        }
        while let Some(state) = open.pop() {
            for from in &backwards[state] {
                if !std::mem::replace(&mut reached[*from as usize], true) {
                    open.push(*from as usize);
                }
            }
        }
        reached.iter().position(|reached| !reached).map(|state| state as u32)
    }
}
