//! A schedule: whose step comes when. `ABAB` for up to 26 buyers; `a27`, `a28` … beyond; `*` is the worker. `A7` is
//! seven steps of A. A sign behind a name is another act that happens to it: `A!` is a crash, `A~` a timer that runs
//! out ([`Act::sign`] has them all). Spaces mean nothing.

use std::fmt;
use std::str::FromStr;

use super::choice::{Actor, Choice};
use crate::base::text::nearest::shown;
use crate::domain::faults::Act;

/// Whose step comes when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(pub Vec<Choice>);

/// From this many consecutive steps of one buyer on, their number is written.
const MANY: usize = 16;

/// Step limit of a schedule that is read.
const MOST_STEPS: usize = 1_000_000;

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for run in self.0.chunk_by(|one, next| one == next) {
            match (&run[0], run.len()) {
                (Choice { who: Actor::Buyer(0..26), act: Act::Step }, MANY..) => {
                    write!(f, "{}{}", run[0], run.len())?;
                }
                _ => run.iter().try_for_each(|choice| write!(f, "{choice}"))?,
            }
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut choices: Vec<Choice> = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            if choices.len() == MOST_STEPS {
                return Err(format!("a schedule has at most {MOST_STEPS} steps"));
            }
            rest = &rest[first.len_utf8()..];
            let signed = Act::ALL.into_iter().find(|act| act.sign().chars().eq([first]));
            if let (Some(act), Some(last)) =
                (signed, choices.last_mut().filter(|c| c.act == Act::Step))
            {
                last.act = act;
                rest = rest.trim_start();
                continue;
            }
            let next = Choice::step(match first {
                '*' => Actor::Worker,
                'A'..='Z' => {
                    let who = Actor::Buyer(first as u32 - 'A' as u32);
                    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                    let (digits, after) = rest.split_at(end);
                    rest = after;
                    let times = match digits.parse::<usize>() {
                        _ if digits.is_empty() => 1,
                        Ok(times @ 1..=MOST_STEPS) if choices.len() + times <= MOST_STEPS => times,
                        _ => {
                            return Err(format!(
                                "`{first}{digits}`: a schedule has at most {MOST_STEPS} steps"
                            ));
                        }
                    };
                    choices.extend(std::iter::repeat_n(Choice::step(who), times - 1));
                    who
                }
                'a' => {
                    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                    let (digits, after) = rest.split_at(end);
                    rest = after;
                    match digits.parse::<u32>() {
                        Ok(number @ 1..) => Actor::Buyer(number - 1),
                        _ => return Err(format!("`a{digits}` names no buyer; the 27th is `a27`")),
                    }
                }
                other => {
                    return Err(format!(
                        "step {} is `{}`; expected a buyer, A to Z or a27, or * for the worker",
                        choices.len() + 1,
                        shown(other.encode_utf8(&mut [0; 4]))
                    ));
                }
            });
            choices.push(next);
            rest = rest.trim_start();
        }
        if choices.is_empty() {
            return Err("the schedule is empty; one looks like ABAB".into());
        }
        Ok(Self(choices))
    }
}
