//! What all processes have found, put together at the end: the first place of each finding, and every way to end.

use std::collections::BTreeMap;

use super::successors::{is_state, read_choice, write_choice};
use crate::base::wire_format::{Decoder, Encoder};
use crate::scheduler::Choice;
use crate::worlds::stepped::{KindId, TransitionTable};

/// Where something was seen: in a state of a process, or on a step out of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// How many steps lead there.
    pub(super) length: u32,
    pub(super) process: usize,
    /// The number of the state at that process.
    pub(super) state: u32,
    pub(super) step: Option<Choice<KindId>>,
    /// The state.
    pub(super) words: Vec<u32>,
}

/// What was seen at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    /// A finding, by its gravity.
    Finding(u32),
    /// A checkout that has failed.
    Failure,
}

/// The marks of what was seen, in a message.
const FAILURE: u32 = u32::MAX;

/// What one process has found, or all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    /// The first place of each kind.
    pub(super) spots: BTreeMap<Seen, Spot>,
    /// A state for each way to end.
    pub(super) ends: Vec<Vec<u32>>,
    /// Whether a buyer was turned away before others were promised enough units to justify it.
    pub(super) is_premature: bool,
    pub(super) steps: u64,
    pub(super) bytes: u64,
}

impl Gathered {
    /// Keeps a place, unless there is one that is reached sooner.
    pub(super) fn note(&mut self, seen: Seen, spot: Spot) {
        let known = self.spots.entry(seen).or_insert_with(|| spot.clone());
        if spot < *known {
            *known = spot;
        }
    }

    /// Adds what another process has found.
    pub(super) fn add(&mut self, other: Self) {
        other.spots.into_iter().for_each(|(seen, spot)| self.note(seen, spot));
        self.ends.extend(other.ends);
        self.is_premature |= other.is_premature;
        self.steps += other.steps;
        self.bytes += other.bytes;
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u64(self.steps);
        out.u64(self.bytes);
        out.u8(self.is_premature.into());
        out.u32(self.spots.len() as u32);
        for (seen, Spot { length, state, step, words, .. }) in &self.spots {
            out.u32(match seen {
                Seen::Finding(gravity) => *gravity,
                Seen::Failure => FAILURE,
            });
            out.u32(*length);
            out.u32(*state);
            out.u8(step.is_some().into());
            step.iter().for_each(|step| write_choice(&mut out, *step));
            out.words(words);
        }
        self.ends.iter().for_each(|words| out.words(words));
        out.into_bytes()
    }

    /// Reads what a process has found; none if it makes no sense.
    pub(super) fn read(
        message: &[u8],
        process: usize,
        table: &TransitionTable<'_>,
    ) -> Option<Self> {
        let mut decoder = Decoder(message);
        let mut found = Self {
            steps: decoder.u64()?,
            bytes: decoder.u64()?,
            is_premature: decoder.u8()? != 0,
            ..Self::default()
        };
        let mut words = Vec::new();
        for _ in 0..decoder.u32()? {
            let seen = match decoder.u32()? {
                FAILURE => Seen::Failure,
                gravity => Seen::Finding(gravity),
            };
            let (length, state) = (decoder.u32()?, decoder.u32()?);
            let has_step = decoder.u8()? != 0;
            let step = if has_step { Some(read_choice(&mut decoder)?) } else { None };
            decoder.words_into(&mut words)?;
            if !is_state(&words, table) {
                return None;
            }
            found.note(seen, Spot { length, process, state, step, words: words.clone() });
        }
        while !decoder.is_over() {
            decoder.words_into(&mut words)?;
            if !is_state(&words, table) {
                return None;
            }
            found.ends.push(words.clone());
        }
        Some(found)
    }
}
