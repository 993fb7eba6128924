//! How long something takes: the way over a network, a payment, a look at the shelf.
//!
//! | text | what it is |
//! |---|---|
//! | `40ms` | always the same |
//! | `30ms..50ms` | uniform, both ends included |
//! | `exponential:40ms` | the time to the next of many independent events, by its mean |
//! | `normal:40ms,5ms` | mean and standard deviation; what would be negative is rolled again |
//! | `lognormal:40ms,0.3` | median, and standard deviation of the logarithm |
//! | `pareto:40ms,2.5` | the shortest, and the shape: P(longer than x) = (shortest/x)^shape |
//!
//! Measured latencies look like `lognormal`: never short of some floor, a long tail to the right.
//! Its 99th percentile is the median times e^(2.33·sigma), so that a sigma of 0.3 means that one
//! message in a hundred takes twice as long. `pareto` is for tails that are worse: with a shape
//! below 2 there is no variance, and a mean over a short run says little.
//!
//! Every roll is a whole number of nanoseconds and 24 h at most: a longer one becomes 24 h.
//!
//! The exponential and the normal roll are `rand_distr`'s (the ziggurat of Marsaglia and Tsang,
//! "The Ziggurat Method for Generating Random Variables", Journal of Statistical Software 5(8),
//! 2000). The other two are `exp` of those, and `exp` is `libm`'s, not the platform's, whose last
//! bit may differ: the same seed is to give the same bytes everywhere.

use std::fmt;
use std::time::Duration;

use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};

use super::theory::{normal_below, normal_density};
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity;

/// The longest that anything takes, in hours.
const MOST_HOURS: u64 = 24;
/// The same in nanoseconds.
const LONGEST_NS: u64 = MOST_HOURS * 3600 * 1_000_000_000;
/// The largest sigma: one roll in a hundred is then 12,000 times the median.
const MOST_SIGMA: f64 = 4.0;
/// The largest shape: with it a roll in a hundred is half a percent above the shortest.
const MOST_SHAPE: f64 = 1000.0;
/// How often a negative roll is made again. At least half of all rolls are not negative, so that all
/// fail once in 2⁶⁴ times; the mean is then used instead.
const MOST_ROLLS: u32 = 64;

/// A distribution of durations; the [module](self) says which there are. Cheap to copy and to roll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delay(Shape);

/// Its parameters are finite: `==` is an equivalence.
impl Eq for Delay {}

/// Durations are in nanoseconds. As `f64` they are exact: 24 h are below 2⁵³ ns.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Always { ns: u64 },
    Uniform { least_ns: u64, most_ns: u64 },
    Exponential { mean_ns: f64 },
    Normal { mean_ns: f64, deviation_ns: f64 },
    LogNormal { median_ns: f64, sigma: f64 },
    Pareto { least_ns: f64, shape: f64 },
}

/// Names of shapes, each with an example.
const SHAPES: [(&str, &str); 4] = [
    ("exponential", "exponential:40ms"),
    ("normal", "normal:40ms,5ms"),
    ("lognormal", "lognormal:40ms,0.3"),
    ("pareto", "pareto:40ms,2.5"),
];

impl Delay {
    /// No time at all.
    pub const NONE: Self = Self(Shape::Always { ns: 0 });
    /// The longest that anything takes.
    pub const LONGEST: Duration = Duration::from_nanos(LONGEST_NS);

    /// Always the same, [`LONGEST`](Self::LONGEST) at most.
    #[must_use]
    pub fn always(wait: Duration) -> Self {
        Self(Shape::Always { ns: wait.min(Self::LONGEST).as_nanos() as u64 })
    }

    /// How long it takes this time, in nanoseconds: from [`least_ns`](Self::least_ns) to
    /// [`LONGEST`](Self::LONGEST).
    #[must_use]
    #[inline]
    pub fn roll<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        let ns = match self.0 {
            Shape::Always { ns } => return ns,
            Shape::Uniform { least_ns, most_ns } => return rng.random_range(least_ns..=most_ns),
            Shape::Exponential { mean_ns } => mean_ns * rng.sample::<f64, _>(Exp1),
            Shape::Normal { mean_ns, deviation_ns } => (0..MOST_ROLLS)
                .map(|_| mean_ns + deviation_ns * rng.sample::<f64, _>(StandardNormal))
                .find(|ns| *ns >= 0.0)
                .unwrap_or(mean_ns),
            Shape::LogNormal { median_ns, sigma } => {
                median_ns * libm::exp(sigma * rng.sample::<f64, _>(StandardNormal))
            }
            // Its logarithm, counted from that of the shortest, is exponential with mean 1/shape.
            Shape::Pareto { least_ns, shape } => {
                least_ns * libm::exp(rng.sample::<f64, _>(Exp1) / shape)
            }
        };
        // Rounding to the nearest leaves the mean where it is. The conversion saturates.
        ((ns + 0.5) as u64).min(LONGEST_NS)
    }

    /// The mean, in nanoseconds. It heeds that nothing is negative and nothing longer than 24 h,
    /// and is exact but for the rounding of rolls to whole nanoseconds, which shows only where the
    /// mean itself is a few nanoseconds.
    #[must_use]
    pub fn mean_ns(&self) -> f64 {
        let longest = LONGEST_NS as f64;
        match self.0 {
            Shape::Always { ns } => ns as f64,
            Shape::Uniform { least_ns, most_ns } => (least_ns as f64 + most_ns as f64) / 2.0,
            // Here and below: the mean of the smaller of a roll and the longest.
            Shape::Exponential { mean_ns } => mean_ns * -libm::expm1(-longest / mean_ns),
            Shape::Normal { mean_ns, deviation_ns } => {
                let (low, high) = (-mean_ns / deviation_ns, (longest - mean_ns) / deviation_ns);
                let inside = normal_below(high) - normal_below(low);
                let slope = normal_density(low) - normal_density(high);
                let sum = mean_ns * inside + deviation_ns * slope + longest * normal_below(-high);
                sum / normal_below(-low)
            }
            Shape::LogNormal { median_ns, sigma } => {
                let high = libm::log(longest / median_ns) / sigma;
                median_ns * libm::exp(sigma * sigma / 2.0) * normal_below(high - sigma)
                    + longest * normal_below(-high)
            }
            Shape::Pareto { least_ns, shape } => {
                // What lies above the shortest: the integral of P(longer than x) from there on.
                let beyond = (shape - 1.0) * libm::log(longest / least_ns);
                least_ns * (1.0 - libm::expm1(-beyond) / (shape - 1.0))
            }
        }
    }

    /// The shortest that can be rolled, in nanoseconds. An event loop may run this far ahead.
    #[must_use]
    pub fn least_ns(&self) -> u64 {
        match self.0 {
            Shape::Always { ns } => ns,
            Shape::Uniform { least_ns, .. } => least_ns,
            Shape::Pareto { least_ns, .. } => least_ns as u64,
            Shape::Exponential { .. } | Shape::Normal { .. } | Shape::LogNormal { .. } => 0,
        }
    }

    /// Reads what the [module](self) lists.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some((name, rest)) = text.split_once(':') {
            return Self::parse_named(name.trim(), rest);
        }
        if text.starts_with(char::is_alphabetic) {
            return Err(match SHAPES.iter().find(|(name, _)| *name == text) {
                Some((name, example)) => format!("{name} of what? write it as in {example}"),
                None => unknown(text),
            });
        }
        let Some((least, most)) = text.split_once("..") else {
            return span(text, MOST_HOURS).map(Self::always);
        };
        let (least, most) = (span(least, MOST_HOURS)?, span(most, MOST_HOURS)?);
        if least > most {
            let [least, most] = [least, most].map(quantity::exact_duration);
            return Err(format!("the range is upside down; write {most}..{least}"));
        }
        let [least_ns, most_ns] = [least, most].map(|end| end.as_nanos() as u64);
        Ok(Self(Shape::Uniform { least_ns, most_ns }))
    }

    fn parse_named(name: &str, rest: &str) -> Result<Self, String> {
        let Some((_, example)) = SHAPES.iter().find(|(known, _)| *known == name) else {
            return Err(unknown(name));
        };
        let two = || {
            rest.split_once(',').ok_or_else(|| {
                format!("{name} takes two values with a comma between, as in {example}")
            })
        };
        let shape = match name {
            "exponential" => Shape::Exponential { mean_ns: some_ns(rest, "the mean")? },
            "normal" => {
                let (mean, deviation) = two()?;
                Shape::Normal {
                    mean_ns: span(mean, MOST_HOURS)?.as_nanos() as f64,
                    deviation_ns: some_ns(deviation, "the standard deviation")?,
                }
            }
            "lognormal" => {
                let (median, sigma) = two()?;
                Shape::LogNormal {
                    median_ns: some_ns(median, "the median")?,
                    sigma: above(sigma, "sigma", 0.0, MOST_SIGMA)?,
                }
            }
            _ => {
                let (least, shape) = two()?;
                Shape::Pareto {
                    least_ns: some_ns(least, "the shortest")?,
                    // With 1 or less the mean would be without end.
                    shape: above(shape, "the shape", 1.0, MOST_SHAPE)?,
                }
            }
        };
        Ok(Self(shape))
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |ns| quantity::exact_duration(Duration::from_nanos(ns));
        let exact = |ns: f64| whole(ns as u64);
        match self.0 {
            Shape::Always { ns } => f.write_str(&whole(ns)),
            Shape::Uniform { least_ns, most_ns } => {
                write!(f, "{}..{}", whole(least_ns), whole(most_ns))
            }
            Shape::Exponential { mean_ns } => write!(f, "exponential:{}", exact(mean_ns)),
            Shape::Normal { mean_ns, deviation_ns } => {
                write!(f, "normal:{},{}", exact(mean_ns), exact(deviation_ns))
            }
            Shape::LogNormal { median_ns, sigma } => {
                write!(f, "lognormal:{},{sigma}", exact(median_ns))
            }
            Shape::Pareto { least_ns, shape } => write!(f, "pareto:{},{shape}", exact(least_ns)),
        }
    }
}

/// Reads a duration up to so many hours.
///
/// # Errors
/// A sentence that says what was expected.
pub(super) fn span(text: &str, most_hours: u64) -> Result<Duration, String> {
    if text.trim_start().starts_with(['-', '−']) {
        return Err("nothing takes less than no time; leave out the minus".into());
    }
    let span = quantity::parse_duration(text, Duration::MAX)?;
    if span > Duration::from_secs(most_hours * 3600) {
        return Err(format!("must be {most_hours}h at most"));
    }
    Ok(span)
}

/// The same, in nanoseconds, if it is some time at all.
fn some_ns(text: &str, what: &str) -> Result<f64, String> {
    match span(text, MOST_HOURS)? {
        Duration::ZERO => {
            Err(format!("{what} must be longer than 0; what never varies is just 40ms"))
        }
        span => Ok(span.as_nanos() as f64),
    }
}

/// Reads a number without unit that is above `least`, and `most` at most.
fn above(text: &str, what: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        // A NaN is not above anything either.
        .filter(|number| *number > least && *number <= most)
        .ok_or_else(|| format!("{what} must be a number above {least}, and {most} at most"))
}

fn unknown(name: &str) -> String {
    let near = did_you_mean(name, SHAPES.map(|(name, _)| name));
    let examples = SHAPES.map(|(_, example)| example).join(", ");
    format!("there is no `{}`: expected 40ms, 30ms..50ms, {examples}{near}", shown(name))
}
