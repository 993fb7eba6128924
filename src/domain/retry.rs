//! Whether, and how soon, a buyer tries again after a conflict.
//!
//! Lives in the engine: a strategy is one attempt and knows nothing of this.

use std::fmt;
use std::time::Duration;

use rand::{Rng, RngExt};

use crate::base::text::quantity;

/// How many conflicts a buyer takes before it abandons the purchase.
///
/// ```
/// use oversell_sim::{Retries, race};
/// # use oversell_sim::strategies::optimistic::Optimistic;
///
/// let report = race(Optimistic).buyers(50).retries(Retries::AtMost(2)).run()?;
/// assert!(report.runs[0].figures.conflicts <= 50 * 3);
/// assert_eq!(Retries::parse("unlimited"), Ok(Retries::Unlimited));
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retries {
    /// Tries again as long as its patience lasts.
    Unlimited,
    /// Tries again this many times.
    AtMost(u32),
}

impl Retries {
    /// Whether a buyer that has lost `conflicts` times (at least once) may try again.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn allow(self, conflicts: u32) -> bool {
        match self {
            Self::Unlimited => true,
            Self::AtMost(most) => conflicts <= most,
        }
    }

    /// Reads `unlimited` or a number.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "unlimited" {
            return Ok(Self::Unlimited);
        }
        quantity::parse_count(text, 0, u64::from(u32::MAX))
            .map(|most| Self::AtMost(most as u32))
            .map_err(|why| format!("{why}, or `unlimited`"))
    }
}

impl fmt::Display for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::AtMost(most) => write!(f, "{most}"),
        }
    }
}

/// How long a buyer waits before it tries again.
///
/// ```
/// use std::time::Duration;
///
/// use oversell_sim::{Backoff, race};
/// # use oversell_sim::strategies::optimistic::Optimistic;
///
/// let wait = Backoff::Fixed(Duration::from_micros(50));
/// assert_eq!(race(Optimistic).buyers(50).backoff(wait).run()?.runs[0].figures.winners, 1);
/// assert_eq!(Backoff::parse("fixed:50us"), Ok(wait));
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// Not at all.
    None,
    /// Always the same.
    Fixed(Duration),
    /// A random time between nothing and a ceiling that starts at `first` and doubles with every
    /// conflict up to `most`. ("Full jitter": Brooker, "Exponential Backoff And Jitter", AWS
    /// Architecture Blog, 2015.)
    Exponential {
        /// The first ceiling.
        first: Duration,
        /// The highest ceiling.
        most: Duration,
    },
}

impl Backoff {
    /// The longest that may be asked for.
    #[doc(hidden)]
    pub const LONGEST: Duration = Duration::from_secs(60);

    /// The wait after a buyer's `conflicts`-th conflict, counted from 1. The dice are only fetched if there
    /// is something to roll.
    #[doc(hidden)]
    #[must_use]
    pub fn wait<'d, R: Rng + 'd>(
        self,
        conflicts: u32,
        dice: impl FnOnce() -> &'d mut R,
    ) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Fixed(wait) => wait,
            Self::Exponential { first, most } => {
                let doubled = first.saturating_mul(1 << conflicts.saturating_sub(1).min(30));
                dice().random_range(Duration::ZERO..=doubled.min(most))
            }
        }
    }

    /// Reads `none`, `fixed:1ms` or `exponential:50us..5ms`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let duration = |text| quantity::parse_duration(text, Self::LONGEST);
        match text.trim().split_once(':') {
            None if text.trim() == "none" => Ok(Self::None),
            Some(("fixed", wait)) => duration(wait).map(Self::Fixed),
            Some(("exponential", range)) => {
                let (first, most) = range
                    .split_once("..")
                    .ok_or("expected two durations, such as exponential:50us..5ms")?;
                let (first, most) = (duration(first)?, duration(most)?);
                if first > most {
                    return Err("the first wait is longer than the longest; swap them".into());
                }
                Ok(Self::Exponential { first, most })
            }
            _ => Err("expected none, fixed:1ms or exponential:50us..5ms".into()),
        }
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Fixed(wait) => write!(f, "fixed:{}", quantity::exact_duration(*wait)),
            Self::Exponential { first, most } => write!(
                f,
                "exponential:{}..{}",
                quantity::exact_duration(*first),
                quantity::exact_duration(*most)
            ),
        }
    }
}

/// Retries and backoff, within the limits of the buyer's patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often.
    pub retries: Retries,
    /// How soon.
    pub backoff: Backoff,
    /// How long a buyer keeps trying in all, and the longest it waits for one lock or answer.
    pub patience: Duration,
}
