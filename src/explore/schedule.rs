//! A schedule: whose step comes when. `ABAB` for up to 26 buyers; `a27`, `a28` … beyond; `*` is the
//! clerk. Spaces mean nothing.

use std::fmt;
use std::str::FromStr;

use crate::worlds::stepped::Actor;

/// Whose step comes when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(pub Vec<Actor>);

/// The longest schedule read.
const MOST_STEPS: usize = 1_000_000;

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|actor| write!(f, "{actor}"))
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut actors = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            if actors.len() == MOST_STEPS {
                return Err(format!("a schedule has at most {MOST_STEPS} steps"));
            }
            rest = &rest[first.len_utf8()..];
            actors.push(match first {
                '*' => Actor::Clerk,
                'A'..='Z' => Actor::Buyer(first as u32 - 'A' as u32),
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
                        "step {} is `{other}`; expected a buyer, A to Z or a27, or * for the clerk",
                        actors.len() + 1
                    ));
                }
            });
            rest = rest.trim_start();
        }
        if actors.is_empty() {
            return Err("the schedule is empty; one looks like ABAB".into());
        }
        Ok(Self(actors))
    }
}
