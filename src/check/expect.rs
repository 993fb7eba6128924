//! Expectations: `oversold = 0`, `latency.p99 < 5ms`, `evidence = not seen`.
//!
//! A plain name speaks of one round, and must hold in every one; `total.NAME` speaks of all rounds
//! together. The names are the JSON report's own.
//!
//! A run that proves nothing, or was cut short, supports no claim that something is absent. What it has
//! seen is still valid: a figure above zero for findings, failures or deadlocks is evidence in any run.
//! Every other expectation needs a run that did what it was asked to, unless it
//! [allows otherwise](Expectation::allowing_incomplete); `evidence` speaks of the verdict itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::report::{Evidence, Figures, Judgement, METRICS, Metric, MetricValue};
use crate::base::relation::Relation;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity;
use crate::base::text::quantity::{duration, percent};
use crate::domain::finding::FindingKind;

/// The prefix of a name that speaks of all rounds together.
const TOTAL: &str = "total.";

/// The name that speaks of the verdict.
const EVIDENCE: &str = "evidence";

/// Figures that are counted in buyers, and for which stock and orders have to be known.
const OF_ORDERS: [&str; 3] = ["false_sold_out", "lost_order", "order_without_receipt"];

/// What an expectation speaks of.
#[derive(Clone, Copy, Debug)]
enum Subject {
    EachRound(&'static Metric),
    Total(&'static Metric),
    Evidence,
}

/// What a figure is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Value(MetricValue),
    Evidence(Evidence),
}

/// One thing that is expected of a run, as `--expect` has it.
///
/// ```
/// use oversell_sim::Expectation;
///
/// assert_eq!(Expectation::parse("conflicts < 500").unwrap().name(), "conflicts");
/// assert!(Expectation::parse("conflict < 500").unwrap_err().contains("did you mean `conflicts`?"));
/// ```
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As it was written, but for its spaces.
    text: String,
    subject: Subject,
    relation: Relation,
    bound: Bound,
    /// Whether it may also hold of a run that proves nothing, or was cut short.
    allows_incomplete: bool,
}

impl Expectation {
    /// Reads `NAME RELATION VALUE`, such as `conflicts < 500`.
    ///
    /// # Errors
    /// A sentence that says what was expected, with the nearest right name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = Relation::find(text).ok_or_else(|| {
            format!("expected a comparison, such as `oversold = 0`, not `{}`", shown(text.trim()))
        })?;
        let (name, condition) = text.split_at(at);
        Self::of(name.trim(), condition)
    }

    /// Reads a name and, apart from it, its condition: `< 500`, `= 0`, or `0` for short.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn of(name: &str, condition: &str) -> Result<Self, String> {
        let subject = Subject::parse(name)?;
        let condition = condition.trim();
        let (relation, value) =
            Relation::at_start(condition).unwrap_or((Relation::Equal, condition));
        let value = value.trim();
        let bound = subject.read_bound(value).map_err(|why| format!("`{name}`: {why}"))?;
        if matches!(subject, Subject::Evidence)
            && !matches!(relation, Relation::Equal | Relation::NotEqual)
        {
            return Err(format!("`{name}` can be compared by = and != only"));
        }
        let text = format!("{name} {} {value}", relation.sign());
        Ok(Self { text, subject, relation, bound, allows_incomplete: false })
    }

    /// The same; if `allows_incomplete`, it may also hold of a run that proves nothing or was cut short.
    #[must_use]
    pub fn allowing_incomplete(self, allows_incomplete: bool) -> Self {
        Self { allows_incomplete: self.allows_incomplete || allows_incomplete, ..self }
    }

    /// Whether there is a figure of this name.
    #[doc(hidden)]
    #[must_use]
    pub fn knows(name: &str) -> bool {
        Subject::parse(name).is_ok()
    }

    /// The figure it is about.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.subject {
            Subject::EachRound(metric) | Subject::Total(metric) => metric.name,
            Subject::Evidence => EVIDENCE,
        }
    }

    /// Whether only an audit that counts units and orders can tell its figure.
    #[must_use]
    pub(crate) fn needs_units(&self) -> bool {
        match self.subject {
            Subject::EachRound(metric) | Subject::Total(metric) => {
                metric.unit == "units" || OF_ORDERS.contains(&metric.name)
            }
            Subject::Evidence => false,
        }
    }

    /// How it has fared in the whole run.
    fn concluded(
        &self,
        standing: Standing,
        total: &Figures,
        evidence: Evidence,
        incomplete: Option<&str>,
    ) -> Judgement {
        let Standing { held, seen, round, mut witnessed, .. } = standing;
        let expectation = self.to_string();
        let mut judgement = Judgement { expectation, held, seen, round, unproven: None };
        match self.subject {
            Subject::EachRound(_) => {}
            Subject::Total(metric) => {
                let seen = (metric.value)(total);
                witnessed |= is_witnessed(metric, seen);
                judgement.held = self.holds(seen);
                judgement.seen = figure(seen);
            }
            Subject::Evidence => {
                let is_it = self.bound == Bound::Evidence(evidence);
                judgement.held = is_it == (self.relation == Relation::Equal);
                judgement.seen = evidence.word().into();
                return judgement;
            }
        }
        let bears = witnessed || self.allows_incomplete || incomplete.is_none();
        if judgement.held && !bears {
            judgement.held = false;
            judgement.unproven = incomplete.map(str::to_owned);
        }
        judgement
    }

    fn holds(&self, seen: MetricValue) -> bool {
        match (seen, self.bound) {
            (MetricValue::Count(seen), Bound::Value(MetricValue::Count(bound))) => {
                self.relation.holds(seen, bound)
            }
            (MetricValue::Nanos(seen), Bound::Value(MetricValue::Nanos(bound))) => {
                self.relation.holds(seen, bound)
            }
            (
                MetricValue::Share(seen) | MetricValue::Ratio(seen),
                Bound::Value(MetricValue::Share(bound) | MetricValue::Ratio(bound)),
            ) => self.relation.holds(seen, bound),
            // `read_bound` reads a bound of the figure's own kind.
            _ => false,
        }
    }
}

/// Whether a figure counts something that went wrong: seen once, it is proved, however incomplete the run
/// is.
fn counts_trouble(metric: &Metric) -> bool {
    ["findings", "failed", "resolved_deadlocks"].contains(&metric.name)
        || FindingKind::ALL.into_iter().any(|kind| kind.name() == metric.name)
}

impl Subject {
    fn parse(name: &str) -> Result<Self, String> {
        if name == EVIDENCE {
            return Ok(Self::Evidence);
        }
        let metric = |name: &str| METRICS.iter().find(|metric| metric.name == name);
        match name.strip_prefix(TOTAL) {
            Some(rest) => metric(rest).map(Self::Total),
            None => metric(name).map(Self::EachRound),
        }
        .ok_or_else(|| {
            let names = METRICS.iter().map(|metric| metric.name).chain([EVIDENCE]);
            let bare = name.strip_prefix(TOTAL).unwrap_or(name);
            format!("no figure named `{}`{}", shown(name), did_you_mean(bare, names))
        })
    }

    fn read_bound(self, text: &str) -> Result<Bound, String> {
        let metric = match self {
            Self::EachRound(metric) | Self::Total(metric) => metric,
            Self::Evidence => {
                return Evidence::ALL
                    .into_iter()
                    .find(|evidence| evidence.word() == text)
                    .map(Bound::Evidence)
                    .ok_or_else(|| {
                        let words = Evidence::ALL.map(Evidence::word);
                        format!("expected one of {}", words.join(", "))
                    });
            }
        };
        // The figure's value in an empty run tells its kind.
        Ok(Bound::Value(match (metric.value)(&Figures::default()) {
            MetricValue::Count(_) => MetricValue::Count(read_count(text)?),
            MetricValue::Nanos(_) => {
                let longest = std::time::Duration::from_secs(365 * 24 * 3600);
                MetricValue::Nanos(crate::base::clock::nanos(quantity::parse_duration(
                    text, longest,
                )?))
            }
            MetricValue::Share(_) => MetricValue::Share(read_share(text)?),
            MetricValue::Ratio(_) => MetricValue::Ratio(read_ratio(text)?),
        }))
    }
}

/// A whole number that may be below zero.
fn read_count(text: &str) -> Result<i64, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    quantity::parse_count(digits, 0, 1 << 53).map(|number| sign * number as i64)
}

/// `17 %` or `0.17`.
fn read_share(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%') {
        Some(number) => read_ratio(number.trim()).map(|number| number / 100.0),
        None => read_ratio(text),
    }
    .ok()
    .filter(|share| (0.0..=1.0).contains(share))
    .ok_or_else(|| "expected a share from 0 to 1, such as 17 % or 0.17".into())
}

fn read_ratio(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "expected a number, such as 1.5".into())
}

/// A figure as a reader sees it.
fn figure(value: MetricValue) -> String {
    match value {
        MetricValue::Count(number) => quantity::count(number),
        MetricValue::Share(share) => percent(share),
        MetricValue::Ratio(ratio) => format!("{ratio:.1}"),
        MetricValue::Nanos(nanos) => duration(nanos),
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How an expectation has fared in the rounds so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Standing {
    held: bool,
    seen: String,
    /// The round in which it first did not hold.
    round: Option<u32>,
    /// The last round that it was held against; 0 if none was.
    last: u32,
    /// Whether it is about something that went wrong and was seen to go wrong.
    witnessed: bool,
}

/// Holds expectations against a run as its rounds come in.
#[derive(Clone, Debug)]
pub struct Judge {
    expectations: Vec<Expectation>,
    standings: Vec<Standing>,
}

/// What a judge knows of the rounds of one part of a run, in the order of its expectations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartJudged(Vec<Standing>);

impl Judge {
    /// A judge of these.
    #[must_use]
    pub fn new(expectations: &[Expectation]) -> Self {
        let unseen = Standing {
            // An expectation that was never checked was not met.
            held: false,
            seen: "not reached".into(),
            round: None,
            last: 0,
            witnessed: false,
        };
        Self { expectations: expectations.to_vec(), standings: vec![unseen; expectations.len()] }
    }

    /// Looks at one more round.
    pub fn see_round(&mut self, number: u32, figures: &Figures) {
        for (expectation, standing) in self.expectations.iter().zip(&mut self.standings) {
            let Subject::EachRound(metric) = expectation.subject else { continue };
            if standing.round.is_some() {
                continue;
            }
            let seen = (metric.value)(figures);
            standing.witnessed |= is_witnessed(metric, seen);
            standing.held = expectation.holds(seen);
            standing.seen = figure(seen);
            standing.last = number;
            standing.round = (!standing.held).then_some(number);
        }
    }

    /// What it knows so far.
    #[must_use]
    pub fn of_part(&self) -> PartJudged {
        PartJudged(self.standings.clone())
    }

    /// Takes in what a judge of the same expectations knows of other rounds of the same run.
    ///
    /// # Errors
    /// If that judge had another number of expectations.
    pub fn see_part(&mut self, part: PartJudged) -> Result<(), String> {
        if part.0.len() != self.standings.len() {
            return Err("it was made with other expectations".into());
        }
        for (ours, theirs) in self.standings.iter_mut().zip(part.0) {
            let witnessed = ours.witnessed || theirs.witnessed;
            let takes_theirs = match (ours.round, theirs.round) {
                (Some(here), Some(there)) => there < here,
                (None, None) => theirs.last > ours.last,
                (here, _) => here.is_none(),
            };
            if takes_theirs {
                *ours = theirs;
            }
            ours.witnessed = witnessed;
        }
        Ok(())
    }

    /// Judges the whole run. `incomplete` is why it supports no claim of absence, if it does not.
    #[must_use]
    pub fn conclude(
        self,
        total: &Figures,
        evidence: Evidence,
        incomplete: Option<&str>,
    ) -> Vec<Judgement> {
        let standings = self.expectations.iter().zip(self.standings);
        standings
            .map(|(expectation, standing)| {
                expectation.concluded(standing, total, evidence, incomplete)
            })
            .collect()
    }
}

/// Whether a figure shows by itself that something went wrong.
fn is_witnessed(metric: &Metric, seen: MetricValue) -> bool {
    counts_trouble(metric) && matches!(seen, MetricValue::Count(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_relation_holds_where_it_should_and_only_there() {
        for (sign, below, equal, above) in [
            ("=", false, true, false),
            ("==", false, true, false),
            ("!=", true, false, true),
            ("<", true, false, false),
            ("<=", true, true, false),
            (">", false, false, true),
            (">=", false, true, true),
        ] {
            let expected = Expectation::parse(&format!("winners {sign} 5")).unwrap();
            for (winners, holds) in [(4, below), (5, equal), (6, above)] {
                let figures = Figures { winners, ..Figures::default() };
                let mut judge = Judge::new(std::slice::from_ref(&expected));
                judge.see_round(1, &figures);
                let judged = judge.conclude(&figures, Evidence::NotSeen, None);
                assert_eq!(judged[0].held, holds, "{winners} {sign} 5");
            }
        }
    }

    #[test]
    fn the_first_round_that_falls_short_is_the_one_that_is_told() {
        let expected = [Expectation::parse("winners = 1").unwrap()];
        let mut judge = Judge::new(&expected);
        for (round, winners) in [(1, 1), (2, 3), (3, 1), (4, 2)] {
            judge.see_round(round, &Figures { winners, ..Figures::default() });
        }
        let judged = judge.conclude(&Figures::default(), Evidence::NotSeen, None);
        assert_eq!((judged[0].held, judged[0].round), (false, Some(2)));
        assert_eq!(judged[0].seen, "3");
    }

    #[test]
    fn what_was_never_looked_at_was_not_met() {
        let expected = [Expectation::parse("winners = 0").unwrap()];
        let judged = Judge::new(&expected).conclude(&Figures::default(), Evidence::Vacuous, None);
        assert!(!judged[0].held);
    }

    #[test]
    fn of_a_run_that_was_cut_short_only_what_was_seen_stands() {
        let figures = Figures { oversold: 1, winners: 2, findings: 1, ..Figures::default() };
        for (text, holds) in [
            ("oversold = 1", true),
            ("oversold > 0", true),
            ("total.oversold < 5", true),
            ("findings = 1", true),
            ("evidence = broken", true),
            ("undersold = 0", false),
            ("failed = 0", false),
            ("resolved_deadlocks = 0", false),
            ("winners = 2", false),
            ("oversold = 0", false),
        ] {
            let expected = Expectation::parse(text).unwrap();
            let judged = |expected: Expectation| {
                let mut judge = Judge::new(&[expected]);
                judge.see_round(1, &figures);
                judge.conclude(&figures, Evidence::Broken, Some("it was cut short")).remove(0)
            };
            let as_it_is = judged(expected.clone());
            assert_eq!(as_it_is.held, holds, "{text}");
            let refuted = text == "oversold = 0";
            assert_eq!(as_it_is.unproven.is_some(), !holds && !refuted, "{text}");
            let allowed = judged(expected.allowing_incomplete(true));
            assert_eq!((allowed.held, allowed.unproven), (!refuted, None), "{text}");
        }
    }
}
