//! When buyers click.
//!
//! | text | when |
//! |---|---|
//! | `same` | all in one instant |
//! | `uniform:10s` | each at any moment of that span |
//! | `poisson:1000/s` | one after the other at that rate, none knowing of the rest; also `/m`, `/h` |
//! | `burst:5s` | at once, or later with a chance that dies away: exponentially, with that mean |
//! | `csv:FILE` | as recorded, a click a line: see [`timestamps`](super::timestamps) |
//!
//! Clicks come one by one and in order, for any number of buyers: nothing is sorted and
//! nothing kept. That is Rényi's representation of order statistics: of n clocks that each ring
//! after an exponential time, the next of the k still silent rings after another exponential time,
//! with mean 1/k. ("On the theory of order statistics", Acta Mathematica Academiae Scientiarum
//! Hungaricae 4, 1953.) A burst is just that. Sent through 1 − e^(−x), which keeps the order, such
//! times are uniform; for the next of the remaining this says the same as 1 − u^(1/remaining).
//!
//! Buyers are numbered in order of click, so that a number says nothing of a buyer but its place in
//! line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand_distr::Exp1;

use super::delay::span;
use super::timestamps::{MOST_HOURS, Timestamps};
use crate::base::chance::Dice;
use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::{exact_duration, of, parse_count};

/// The most clicks in one unit of time.
const MOST_RATE: u64 = 1_000_000_000;

/// What one rate counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// `/s`
    Second,
    /// `/m`
    Minute,
    /// `/h`
    Hour,
}

impl Per {
    const ALL: [(&str, Self); 3] = [("s", Self::Second), ("m", Self::Minute), ("h", Self::Hour)];

    /// Its length in nanoseconds.
    #[must_use]
    pub fn as_ns(self) -> u64 {
        1_000_000_000
            * match self {
                Self::Second => 1,
                Self::Minute => 60,
                Self::Hour => 3600,
            }
    }
}

/// When buyers click, as it is said; the [module](self) lists what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// All in one instant.
    Same,
    /// Each at any moment of this span.
    Uniform(Duration),
    /// A Poisson process.
    Poisson {
        /// How many come, from 1 to 1,000,000,000 …
        clicks: u64,
        /// … in how long.
        per: Per,
    },
    /// A rush that dies away exponentially, with this mean.
    Burst(Duration),
    /// As recorded in this file.
    Csv(PathBuf),
}

/// Names, each with an example.
const NAMES: [(&str, &str); 5] = [
    ("same", "same"),
    ("uniform", "uniform:10s"),
    ("poisson", "poisson:1000/s"),
    ("burst", "burst:5s"),
    ("csv", "csv:FILE"),
];

impl Arrivals {
    /// Reads what the [module](self) lists. A file is not opened yet. Spans are 31 days at most.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, rest) = match text.split_once(':') {
            Some((name, rest)) => (name.trim(), Some(rest.trim()).filter(|rest| !rest.is_empty())),
            None => (text, None),
        };
        match (name, rest) {
            ("same", None) => Ok(Self::Same),
            ("same", Some(_)) => Err("`same` is one instant; for a span write uniform:10s".into()),
            ("uniform", Some(rest)) => some_time(rest).map(Self::Uniform),
            ("poisson", Some(rest)) => parse_rate(rest),
            ("burst", Some(rest)) => some_time(rest).map(Self::Burst),
            ("csv", Some(file)) => Ok(Self::Csv(file.into())),
            _ => Err(match NAMES.iter().find(|(known, _)| *known == name) {
                Some((name, example)) => format!("{name} of what? write it as in {example}"),
                None => {
                    let near = did_you_mean(name, NAMES.map(|(name, _)| name));
                    let examples = NAMES.map(|(_, example)| example).join(", ");
                    format!("there is no `{}`: expected one of {examples}{near}", shown(name))
                }
            }),
        }
    }

    /// Prepares the clicks of `buyers` buyers. From a file it reads all clicks, each of one buyer,
    /// and ignores `buyers`. A relative path is taken from `folder`.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is not valid, or a Poisson process would take more
    /// than 31 days to bring so many.
    pub fn load(&self, buyers: u64, folder: &Path) -> Result<Rush, Error> {
        let ns = |span: &Duration| span.as_nanos() as f64;
        let pace = match self {
            Self::Same => Pace::Same,
            Self::Uniform(span) => Pace::Uniform { span_ns: ns(span) },
            Self::Burst(mean) => Pace::Burst { mean_ns: ns(mean) },
            Self::Poisson { clicks, per } => {
                let gap_ns = per.as_ns() as f64 / *clicks as f64;
                let days = buyers as f64 * gap_ns / (24.0 * Per::Hour.as_ns() as f64);
                let most = MOST_HOURS / 24;
                if days > most as f64 {
                    return Err(Error::input(format!(
                        "{self} takes {} to bring {}; {most} at most: raise the rate",
                        of(days as u64, "day"),
                        of(buyers, "buyer")
                    )));
                }
                Pace::Poisson { gap_ns }
            }
            Self::Csv(file) => Pace::Recorded(Arc::new(Timestamps::read(&folder.join(file))?)),
        };
        let buyers = match &pace {
            Pace::Recorded(recorded) => recorded.clicks().len() as u64,
            _ => buyers,
        };
        Ok(Rush { buyers, pace })
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("same"),
            Self::Uniform(span) => write!(f, "uniform:{}", exact_duration(*span)),
            Self::Poisson { clicks, per } => {
                let unit = Per::ALL.iter().find(|(_, known)| known == per);
                write!(f, "poisson:{clicks}/{}", unit.map_or("s", |(unit, _)| unit))
            }
            Self::Burst(mean) => write!(f, "burst:{}", exact_duration(*mean)),
            Self::Csv(file) => write!(f, "csv:{}", file.display()),
        }
    }
}

/// Reads a span that is not empty.
fn some_time(text: &str) -> Result<Duration, String> {
    match span(text, MOST_HOURS)? {
        Duration::ZERO => Err("must be longer than 0; for one instant write `same`".into()),
        span => Ok(span),
    }
}

/// Reads `1000/s`.
fn parse_rate(text: &str) -> Result<Arrivals, String> {
    let (clicks, unit) =
        text.split_once('/').ok_or("expected a rate with its unit, such as 1000/s, 50/m or 5/h")?;
    let known = Per::ALL.iter().find(|(known, _)| *known == unit.trim());
    let (_, per) = known.ok_or_else(|| {
        format!("there is no `/{}`: expected /s, /m or /h, as in 1000/s", shown(unit))
    })?;
    let clicks = parse_count(clicks, 1, MOST_RATE).map_err(|why| match per {
        Per::Hour => why,
        _ => format!("{why}; for less write 30/m or 5/h"),
    })?;
    Ok(Arrivals::Poisson { clicks, per: *per })
}

/// Buyers ready to click: a recording has been read already. A clone is cheap, since clones
/// share the recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Rush {
    buyers: u64,
    pace: Pace,
}

/// Times in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
enum Pace {
    Same,
    Uniform { span_ns: f64 },
    Burst { mean_ns: f64 },
    Poisson { gap_ns: f64 },
    Recorded(Arc<Timestamps>),
}

impl Rush {
    /// How many buyers there are.
    #[must_use]
    pub fn buyers(&self) -> u64 {
        self.buyers
    }

    /// When each buyer clicks, in nanoseconds after the opening, in order. The memory needed does
    /// not depend on the number of buyers. The same dice give the same clicks; they are those of
    /// [`StreamPurpose::World`](crate::base::chance::StreamPurpose::World), round 0, buyer 0.
    #[must_use]
    pub fn clicks(&self, dice: Dice) -> Clicks {
        Clicks { left: self.buyers, passed: 0.0, last_ns: 0, dice, pace: self.pace.clone() }
    }

    /// Where the buyer with this number clicks, if the clicks are recorded with their regions.
    #[must_use]
    pub fn region_of(&self, buyer: u64) -> Option<&str> {
        match &self.pace {
            Pace::Recorded(recorded) => recorded.region_of(usize::try_from(buyer).ok()?),
            _ => None,
        }
    }

    /// The recording, if there is one.
    #[must_use]
    pub fn recorded(&self) -> Option<&Timestamps> {
        match &self.pace {
            Pace::Recorded(recorded) => Some(recorded),
            _ => None,
        }
    }
}

/// The clicks of a [`Rush`], one after the other.
#[derive(Debug)]
pub struct Clicks {
    /// How many are still to come.
    left: u64,
    /// Time so far, in units of the pace: means of the burst, or of the gaps between buyers.
    passed: f64,
    last_ns: u64,
    dice: Dice,
    pace: Pace,
}

impl Iterator for Clicks {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let left = self.left;
        self.left = left.checked_sub(1)?;
        let mut wait = || self.dice.rng().sample::<f64, _>(Exp1);
        let at_ns = match &self.pace {
            Pace::Same => 0.0,
            Pace::Uniform { span_ns } => {
                self.passed += wait() / left as f64;
                -libm::expm1(-self.passed) * span_ns
            }
            Pace::Burst { mean_ns } => {
                self.passed += wait() / left as f64;
                self.passed * mean_ns
            }
            Pace::Poisson { gap_ns } => {
                self.passed += wait();
                self.passed * gap_ns
            }
            Pace::Recorded(recorded) => {
                let clicks = recorded.clicks();
                return clicks.get(clicks.len() - left as usize).map(|click| click.at_ns);
            }
        };
        // `expm1` does not promise to be monotonic in its last bit.
        self.last_ns = self.last_ns.max(at_ns as u64);
        Some(self.last_ns)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}
