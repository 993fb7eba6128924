//! A comparison: several contenders, raced in turn, and what can be said of the difference between them.
//!
//! `docs/reference/report.md` describes each field. A contender that is broken, or whose rounds prove nothing, is not
//! ranked: what it leaves out costs time.

use serde::Serialize;

use super::baseline::AgainstBaseline;
use super::gauge::{Better, Gauge};
use super::report::{Evidence, Run, SCHEMA};
use crate::base::machine::Machine;
use crate::base::statistics::{CONFIDENCE, FiveNumbers, Outlier, Ratio, outliers};
use crate::domain::settings::Settings;

/// Several contenders and the difference between them.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Comparison {
    /// The version of this form.
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub version: &'static str,
    /// The world, which decided what happened next: `threads`.
    pub world: &'static str,
    /// The machine.
    pub machine: Machine,
    /// The figure that is compared.
    pub metric: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// Which of its values are better.
    pub better: Better,
    /// Rounds of each contender that were raced first, and whose values do not count.
    pub warmup: u32,
    /// Rounds of each contender that were asked for beside those.
    pub rounds: u32,
    /// Cycles that were completed: rounds of each contender whose values count.
    pub cycles: u32,
    /// Why there are fewer cycles than rounds were asked for; none if there are not.
    pub cut_short: Option<String>,
    /// Whether Ctrl-C ended it early.
    pub interrupted: bool,
    /// The share of intervals that enclose the true ratio.
    pub confidence: f64,
    /// Differences up to this share count as none.
    pub noise: f64,
    /// The seed of the order of the rounds, and of what buyers want.
    pub seed: u64,
    /// The contender with which the others are compared; none if none can be ranked, and none was named.
    pub reference: Option<String>,
    /// The contenders, in the order asked for.
    pub contenders: Vec<Contender>,
    /// How the contenders stand beside those of an earlier report; none if none was given.
    pub baseline: Option<AgainstBaseline>,
    /// The command that runs the same comparison again.
    pub again: String,
}

/// One of those that are compared.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Contender {
    /// What it is called here: its strategy, and its store and level where these differ.
    pub name: String,
    /// Where its stock lived.
    pub store: &'static str,
    /// That server's name and version, in its own words; none if stock lived in this process's memory.
    pub server: Option<String>,
    /// Its settings.
    pub settings: Settings,
    /// The figure that is compared, in each cycle.
    pub values: Vec<f64>,
    /// Where those values lie; none if there are none.
    pub numbers: Option<FiveNumbers>,
    /// Those that lie far from the others.
    pub outliers: Vec<Outlier>,
    /// How many times as large its median is as the reference's; none for the reference, for too few values, and for
    /// medians that are zero.
    pub ratio: Option<Ratio>,
    /// Where it stands.
    pub standing: Standing,
    /// Why it is not ranked; none if it is.
    pub unranked: Option<String>,
    /// What came of all its rounds, those of the warm-up among them.
    pub run: Run,
}

/// Where a contender stands beside the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Standing {
    /// It is the reference.
    Reference,
    /// Its interval lies on the better side of the reference.
    Better,
    /// Its interval lies on the worse side.
    Worse,
    /// Its interval leaves open that there is no difference, or shows one that counts as none.
    WithinNoise,
    /// There are too few values for an interval.
    TooFewRounds,
    /// There is no ratio: a median is zero, or there is no reference.
    NoRatio,
    /// It is not ranked.
    NotRanked,
}

/// What was measured of a contender.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What it is called.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// Its server, if there is one.
    pub server: Option<String>,
    /// The figure that is compared, in each cycle.
    pub values: Vec<f64>,
    /// What came of its rounds.
    pub run: Run,
}

/// On what terms contenders are compared.
#[derive(Clone, Debug)]
pub struct Terms {
    /// By which figure.
    pub gauge: Gauge,
    /// Rounds of each before those that count.
    pub warmup: u32,
    /// Rounds of each that count.
    pub rounds: u32,
    /// Differences up to this share count as none.
    pub noise: f64,
    /// The name of the reference, if one was named.
    pub reference: Option<String>,
    /// The seed.
    pub seed: u64,
}

impl Comparison {
    /// Compares what was measured.
    #[must_use]
    pub fn of(terms: &Terms, measured: Vec<Measured>, cut_short: Option<String>) -> Self {
        let cycles = measured.iter().map(|one| one.values.len()).min().unwrap_or(0);
        let unranked = |one: &Measured| why_unranked(&one.run);
        let reference = match &terms.reference {
            Some(name) => measured.iter().find(|one| one.name == *name),
            None => measured.iter().find(|one| unranked(one).is_none()),
        };
        let reference = reference.map(|one| (one.name.clone(), one.values[..cycles].to_vec()));
        let contender = |one: Measured| {
            let unranked = why_unranked(&one.run);
            let values = one.values[..cycles].to_vec();
            let is_reference = reference.as_ref().is_some_and(|(name, _)| *name == one.name);
            let beside = reference.as_ref().filter(|_| !is_reference);
            let ratio = beside.and_then(|(_, of)| Ratio::paired(&values, of, terms.seed));
            let standing = match (is_reference, &unranked, ratio) {
                (_, Some(_), _) => Standing::NotRanked,
                (true, ..) => Standing::Reference,
                (_, _, Some(ratio)) => terms.standing(&ratio),
                (_, _, None) if cycles < crate::base::statistics::FEWEST => Standing::TooFewRounds,
                (_, _, None) => Standing::NoRatio,
            };
            Contender {
                name: one.name,
                store: one.settings.store.name(),
                server: one.server,
                settings: one.settings.in_effect(),
                numbers: FiveNumbers::of(&values),
                outliers: outliers(&values),
                values,
                ratio,
                standing,
                unranked,
                run: one.run,
            }
        };
        let interrupted = measured.iter().any(|one| one.run.interrupted);
        let contenders = measured.into_iter().map(contender).collect();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            world: "threads",
            machine: Machine::this(),
            metric: terms.gauge.metric.name,
            unit: terms.gauge.metric.unit,
            better: terms.gauge.better,
            warmup: terms.warmup,
            rounds: terms.rounds,
            cycles: cycles as u32,
            cut_short,
            interrupted,
            confidence: CONFIDENCE,
            noise: terms.noise,
            seed: terms.seed,
            reference: reference.as_ref().map(|(name, _)| name.clone()),
            contenders,
            baseline: None,
            again: String::new(),
        }
    }

    /// Those that are ranked, the best first.
    #[must_use]
    pub fn ranked(&self) -> Vec<&Contender> {
        let median = |one: &&Contender| one.numbers.map_or(f64::NAN, |numbers| numbers.median);
        let is_ranked = |one: &&Contender| one.standing != Standing::NotRanked;
        let mut ranked: Vec<&Contender> = self.contenders.iter().filter(is_ranked).collect();
        ranked.sort_by(|one, other| match self.better {
            Better::Lower => median(one).total_cmp(&median(other)),
            Better::Higher => median(other).total_cmp(&median(one)),
        });
        ranked
    }

    /// Those that are not.
    pub fn unranked(&self) -> impl Iterator<Item = &Contender> {
        self.contenders.iter().filter(|one| one.standing == Standing::NotRanked)
    }

    /// Whether every expectation held, and nothing has become worse than in an earlier report.
    #[must_use]
    pub fn met_expectations(&self) -> bool {
        let has_not_regressed = self.baseline.as_ref().is_none_or(AgainstBaseline::holds);
        self.contenders.iter().all(|one| one.run.met_expectations()) && has_not_regressed
    }
}

impl Terms {
    fn standing(&self, ratio: &Ratio) -> Standing {
        let is_larger = ratio.low > 1.0;
        match self.gauge.better {
            _ if ratio.is_within(self.noise) => Standing::WithinNoise,
            Better::Lower if is_larger => Standing::Worse,
            Better::Lower => Standing::Better,
            Better::Higher if is_larger => Standing::Better,
            Better::Higher => Standing::Worse,
        }
    }
}

/// Why a run cannot be ranked: what it did is not what was asked for.
fn why_unranked(run: &Run) -> Option<String> {
    match run.evidence {
        Evidence::NotSeen | Evidence::Proved => None,
        Evidence::Broken => {
            let kinds: Vec<&str> = run.findings.iter().map(|found| found.kind.title()).collect();
            Some(kinds.join(", "))
        }
        Evidence::Vacuous => run.incomplete.clone().or_else(|| Some("it proves nothing".into())),
    }
}
