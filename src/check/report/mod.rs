//! The report: one serialisable value that every renderer draws from.
//!
//! `docs/reference/report.md` describes each field with its unit. Fields are added; none is renamed or
//! removed without raising [`SCHEMA`].

mod banner;
mod common_start;
mod counted;
mod crowd;
mod evidence;
mod figures;
mod hint;
mod lock_waits;
mod metric;
mod over_time;
mod overtaking;
mod product;
mod times;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::AgainstBaseline;
use crate::base::machine::Machine;
use crate::base::samples::DurationClass;
use crate::domain::finding::FindingKind;
use crate::domain::op::BuyerId;
use crate::domain::settings::Settings;

pub use banner::{Banner, BannerCount};
pub use common_start::{ClockDifference, CommonStart, RacingMachine};
pub use counted::{Counted, Outcome};
pub use crowd::most_inside;
pub use evidence::Evidence;
pub use figures::{FigureTotals, Figures};
pub use hint::{Hint, Purpose};
pub use lock_waits::{LockHold, LockUse, LockWait, LockWaits};
pub use metric::{METRICS, Metric, MetricValue};
pub use over_time::{TimeSlice, over_time};
pub use overtaking::{Overtaking, overtakings};
pub use product::Product;
pub use times::{MOST_TIMED_ROUNDS, RoundTimes};

/// The version of the report's form.
pub const SCHEMA: u32 = 1;

/// The most winners listed by name.
pub const MOST_WINNERS_LISTED: usize = 1_000;

/// Everything there is to say about a race.
///
/// ```
/// # use oversell_sim::strategies::cas::Cas;
/// let report = oversell_sim::race(Cas).buyers(50).stock(3).rounds(2).run()?;
/// let run = &report.runs[0];
/// assert_eq!((run.rounds, run.figures.units_sold), (2, 2 * 3));
/// assert!(run.findings.is_empty());
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub version: &'static str,
    /// The world, which decided what happened next: `threads` or `timed`.
    pub world: &'static str,
    /// The machine that measured it; none if time is simulated.
    pub machine: Option<Machine>,
    /// Where stock lived.
    pub store: &'static str,
    /// The server's name and version, in its own words; none if stock lived in this process's memory.
    pub server: Option<String>,
    /// Where several machines raced on one store together: their clocks, and when they started; absent of any other race.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_start: Option<CommonStart>,
    /// What was asked for.
    pub settings: Settings,
    /// One run a strategy, in the order asked for.
    pub runs: Vec<Run>,
    /// How the runs stand beside those of an earlier report; none if none was given.
    pub baseline: Option<AgainstBaseline>,
}

/// What came of one strategy, over all its rounds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Run {
    /// The strategy's name.
    pub strategy: String,
    /// How far the verdict reaches.
    pub evidence: Evidence,
    /// Rounds raced, the last of them perhaps in part.
    pub rounds: u32,
    /// Rounds in which at least two buyers were inside a checkout at once.
    pub contended_rounds: u32,
    /// Whether Ctrl-C ended it early.
    pub interrupted: bool,
    /// How long it took by the wall clock. JSON leaves it out, so that equal simulations give equal bytes.
    #[serde(skip)]
    pub took: Duration,
    /// Why it cannot support a claim that something is absent: it proves nothing, or was cut short; none if it can.
    pub incomplete: Option<String>,
    /// How long the rounds took beside the fastest run of this report; none if it is the only one.
    pub relative: Option<f64>,
    /// What happened, all rounds together.
    pub figures: Figures,
    /// How long buyers took from click to answer, all rounds together, in classes by duration.
    pub latencies: Vec<DurationClass>,
    /// The same by product, all rounds together; empty if there is only one.
    pub products: Vec<Product>,
    /// How long each round took, in the order in which they were raced: the first 1,000 that were not cut short.
    pub round_times: Vec<RoundTimes>,
    /// What the audit proved wrong, the gravest first.
    pub findings: Vec<Found>,
    /// What the server said when it first refused something that it should not have; none if it never did.
    pub trouble: Option<String>,
    /// What buyers saw, all rounds together.
    pub banners: Vec<BannerCount>,
    /// The worst round: the one with the gravest findings, else the most conflicts and lock waits.
    pub worst: Option<WorstRound>,
    /// How each expectation fared.
    pub expectations: Vec<Judgement>,
    /// The command that runs the same race again.
    pub again: String,
    /// What to type next; none where no command would lead on.
    pub hint: Option<Hint>,
}

/// A finding, over all rounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Found {
    /// What.
    pub kind: FindingKind,
    /// How much of it in all, in the unit of its kind.
    pub amount: u64,
    /// Rounds that showed it.
    pub rounds: u32,
    /// The figures that prove it, from the round that showed most of it.
    pub proof: String,
    /// The most of it in one round.
    pub worst: u64,
}

/// How an expectation fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Judgement {
    /// The expectation.
    pub expectation: String,
    /// Whether it held, wherever it was looked at.
    pub held: bool,
    /// The figure it was about: where it first did not hold, else the last seen.
    pub seen: String,
    /// The round in which it first did not hold; none if it held, or speaks of the whole run.
    pub round: Option<u32>,
    /// Why the run does not support it, where its figure alone would have held; else none.
    pub unproven: Option<String>,
}

impl Judgement {
    /// What was seen and, if the run does not support the expectation, why not.
    #[must_use]
    pub fn seen(&self) -> String {
        match &self.unproven {
            None => format!("it was {}", self.seen),
            Some(why) => format!(
                "it was {}, which proves nothing: {why} (--allow-incomplete accepts it)",
                self.seen
            ),
        }
    }
}

/// One round, in more detail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WorstRound {
    /// Which, counted from 1.
    pub number: u32,
    /// What happened in it.
    pub figures: Figures,
    /// Its winners by when they had their answer: the first 1,000.
    pub winners: Vec<Winner>,
    /// Winners beyond those.
    pub winners_left_out: u64,
    /// Where clicks are simulated: winners who clicked later than a buyer who was rejected, the latest
    /// first: [`MOST_WINNERS_LISTED`] at most.
    pub overtakings: Vec<Overtaking>,
    /// What happened over time; empty if the round was too large to keep all its visits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(!default))]
    pub over_time: Vec<TimeSlice>,
    /// Who waited for whom, for locks that the checkout asked for; absent unless recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_waits: Option<LockWaits>,
}

/// A buyer with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Winner {
    /// The buyer.
    pub buyer: BuyerId,
    /// How many units it was promised, of all products.
    pub units: i64,
    /// When it had its answer, in ns after the gun.
    pub at: u64,
    /// Attempts it made.
    pub attempts: u32,
    /// How long it waited for locks, in the queue and between attempts, in ns.
    pub waited: u64,
}

impl Report {
    /// A report of these runs.
    #[doc(hidden)]
    #[must_use]
    pub fn new(store: &'static str, settings: Settings, mut runs: Vec<Run>) -> Self {
        // The time of a run that Ctrl-C cut short is not comparable, and neither is one that could not be counted.
        let finished =
            |run: &&Run| !run.interrupted && (1..u64::MAX).contains(&run.figures.elapsed);
        let fastest = runs.iter().filter(finished).map(|run| run.figures.elapsed).min();
        if let (Some(fastest), 2..) = (fastest, runs.len()) {
            let is_counted = |run: &&mut Run| !run.interrupted && run.figures.elapsed < u64::MAX;
            for run in runs.iter_mut().filter(is_counted) {
                run.relative = Some(run.figures.elapsed as f64 / fastest as f64);
            }
        }
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            world: "threads",
            machine: None,
            store,
            server: None,
            common_start: None,
            settings,
            runs,
            baseline: None,
        }
    }

    /// The same, with the server on which the stock lived.
    #[doc(hidden)]
    #[must_use]
    pub fn served_by(self, server: Option<String>) -> Self {
        Self { server, ..self }
    }

    /// The same, measured on this machine.
    #[doc(hidden)]
    #[must_use]
    pub fn measured_here(self) -> Self {
        Self { machine: Some(Machine::this()), ..self }
    }

    /// The same of a simulated world, in which a round is a seed.
    #[doc(hidden)]
    #[must_use]
    pub fn simulated(self) -> Self {
        Self { world: "timed", ..self }
    }

    /// Whether the world was simulated.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.world == "timed"
    }

    /// What a round is called here.
    #[must_use]
    pub fn round(&self) -> &'static str {
        if self.is_simulated() { "seed" } else { "round" }
    }

    /// Whether every expectation held, and nothing has become worse than in an earlier report.
    #[must_use]
    pub fn met_expectations(&self) -> bool {
        let has_not_regressed = self.baseline.as_ref().is_none_or(AgainstBaseline::holds);
        self.runs.iter().all(Run::met_expectations) && has_not_regressed
    }

    /// Whether Ctrl-C ended any of it early.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.runs.iter().any(|run| run.interrupted)
    }
}

impl Run {
    /// Whether every expectation held.
    #[must_use]
    pub fn met_expectations(&self) -> bool {
        self.expectations.iter().all(|judgement| judgement.held)
    }

    /// Each expectation that did not hold, as a sentence.
    pub fn unmet(&self) -> impl Iterator<Item = String> + '_ {
        self.expectations.iter().filter(|judgement| !judgement.held).map(|judgement| {
            let place = match judgement.round {
                Some(round) if self.rounds > 1 => format!(" in round {round}"),
                _ => String::new(),
            };
            format!("expected {}, but {}{place}", judgement.expectation, judgement.seen())
        })
    }

    /// The gravest finding, if any.
    #[must_use]
    pub fn gravest(&self) -> Option<&Found> {
        self.findings.first()
    }
}
