//! Who of those that race together has come, is at work, or has ended: what the part that audits has to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::partition::Slice;
use crate::base::text::quantity::duration;

/// What a part tells the others of itself, again and again while it races.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartNote {
    /// Grows from note to note: a sign of life.
    pub(super) beat: u64,
    /// Whether its last buyer has had an answer.
    pub(super) has_ended: bool,
    /// Whether it was cut short.
    pub(super) was_interrupted: bool,
}

/// A part without which nothing can be said, and why it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    part: String,
    why: String,
}

impl std::fmt::Display for Absence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.part, self.why)
    }
}

/// What is known of one part.
#[derive(Clone, Copy, Debug)]
struct Known {
    note: Option<PartNote>,
    /// When there was something new of it.
    heard_ns: u64,
}

/// What is known of all parts but the first, which calls the roll.
#[derive(Clone, Debug)]
pub(super) struct Roll {
    slice: Slice,
    parts: BTreeMap<u32, Known>,
}

impl Roll {
    /// Nothing is known of any part at this time.
    pub(super) fn open(slice: Slice, now_ns: u64) -> Self {
        let known = Known { note: None, heard_ns: now_ns };
        Self { slice, parts: (2..=slice.of()).map(|part| (part, known)).collect() }
    }

    /// Takes in what a part has told of itself.
    pub(super) fn hear(&mut self, part: u32, note: PartNote, now_ns: u64) {
        if let Some(known) = self.parts.get_mut(&part)
            && known.note != Some(note)
        {
            *known = Known { note: Some(note), heard_ns: now_ns };
        }
    }

    /// The parts that are missing by now; none as long as any other may still race. `silence_ns` is how long a part may go
    /// without a sign of life.
    pub(super) fn missing(&self, now_ns: u64, silence_ns: u64) -> Option<Vec<Absence>> {
        let mut missing = Vec::new();
        for (part, known) in &self.parts {
            let is_silent = now_ns.saturating_sub(known.heard_ns) > silence_ns;
            let why = match known.note {
                Some(PartNote { was_interrupted: true, .. }) => "was cut short".to_owned(),
                Some(PartNote { has_ended: true, .. }) => continue,
                Some(_) if is_silent => {
                    format!("came, and then gave no sign of life for {}", duration(silence_ns))
                }
                None if is_silent => "never came".to_owned(),
                _ => return None,
            };
            missing.push(Absence { part: self.slice.sibling(*part).to_string(), why });
        }
        Some(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: u64 = 1_000;

    fn told(missing: Option<Vec<Absence>>) -> String {
        let told = |all: Vec<Absence>| all.iter().map(Absence::to_string).collect::<Vec<_>>();
        missing.map_or("wait".into(), |all| told(all).join("; "))
    }

    fn note(beat: u64, has_ended: bool) -> PartNote {
        PartNote { beat, has_ended, ..PartNote::default() }
    }

    #[test]
    fn no_part_is_missing_once_each_has_ended_and_not_before() {
        let mut roll = Roll::open(Slice::parse("slice:1/3").unwrap(), 0);
        roll.hear(2, note(5, true), 10);
        assert_eq!(told(roll.missing(20, SILENCE)), "wait");
        roll.hear(3, note(1, false), 30);
        assert_eq!(told(roll.missing(40, SILENCE)), "wait");
        roll.hear(3, note(2, true), 50);
        assert_eq!(told(roll.missing(60_000, SILENCE)), "");
    }

    #[test]
    fn a_part_that_never_came_and_one_that_fell_silent_are_named() {
        let mut roll = Roll::open(Slice::parse("slice:1/4").unwrap(), 0);
        roll.hear(2, note(1, true), 10);
        roll.hear(3, note(1, false), 900);
        assert_eq!(told(roll.missing(1_500, SILENCE)), "wait", "the third may still race");
        assert_eq!(
            told(roll.missing(1_901, SILENCE)),
            "slice:3/4 came, and then gave no sign of life for 1.0 µs; slice:4/4 never came"
        );
    }

    #[test]
    fn the_same_note_again_is_no_sign_of_life() {
        let mut roll = Roll::open(Slice::parse("slice:1/2").unwrap(), 0);
        for now_ns in [100, 600, 1_200] {
            roll.hear(2, note(1, false), now_ns);
        }
        assert!(told(roll.missing(1_200, SILENCE)).contains("no sign of life"));
        roll.hear(2, note(2, false), 1_300);
        assert_eq!(told(roll.missing(1_400, SILENCE)), "wait");
    }

    #[test]
    fn a_part_that_was_cut_short_is_missing_at_once() {
        let mut roll = Roll::open(Slice::parse("slice:1/2").unwrap(), 0);
        roll.hear(2, PartNote { beat: 3, has_ended: true, was_interrupted: true }, 10);
        assert_eq!(told(roll.missing(11, SILENCE)), "slice:2/2 was cut short");
    }

    #[test]
    fn who_races_alone_waits_for_no_part() {
        assert_eq!(told(Roll::open(Slice::WHOLE, 0).missing(0, SILENCE)), "");
    }
}
