//! The report of a search, of random schedules, or of one schedule that was replayed.

use serde::{Deserialize, Serialize};

use super::completeness::Looked;
use super::cure_tried::CureTried;
use super::incident::Incident;
use super::level::{LevelTried, NoLevel};
use super::model::graph::ScheduleCount;
use super::sampling::Sampled;
use super::server::conflict::Conflict;
use super::timeline::TimelineRow;
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::check::expect::{Expectation, Judge};
use crate::check::report::Hint;
use crate::check::report::{Evidence, Figures, Judgement, SCHEMA};
use crate::command::{Command, located};
use crate::describe::checkout::Checkout;
use crate::domain::faults::Faults;
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;
use crate::domain::op::{BuyerId, OpKind};
use crate::domain::settings::Settings;
use crate::domain::verb::Verb;
use crate::scheduler::Actor;
use crate::stores::Address;
use crate::worlds::dyn_strategy::DynStrategy;

/// The whole report of a search, or of one schedule. Equal searches give the same bytes.
///
/// ```
/// # use oversell_sim::strategies::naive::Naive;
/// let search = oversell_sim::explore(Naive).run()?;
/// let first = &search.findings[0];
/// assert_eq!(first.finding.kind, oversell_sim::FindingKind::Oversold);
/// // The schedule shows it again.
/// assert!(!oversell_sim::explore(Naive).replay(&first.schedule)?.findings.is_empty());
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Exploration {
    /// The version of this form.
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub version: &'static str,
    /// The strategy's name.
    pub strategy: String,
    /// The role of each buyer, where buyers have different roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Buyers.
    pub buyers: u32,
    /// Products in the shop.
    pub items: u8,
    /// Units of each product at the beginning; 0 if the checkout does not count units.
    pub stock: i32,
    /// Products in each buyer's cart.
    pub cart: u8,
    /// The seed of all random values: quantities, where they are a range, and random schedules.
    pub seed: u64,
    /// The isolation level of transactions.
    pub isolation: Isolation,
    /// The faults that may happen, and how often.
    pub faults: Faults,
    /// How far the verdict reaches.
    pub evidence: Evidence,
    /// Why the report cannot show that a finding is absent: it proves nothing, or was cut short; none if it can.
    pub incomplete: Option<String>,
    /// Orders in which a buyer's checkout failed; in the model, which does not count orders, different ends.
    pub failed: u64,
    /// Orders in which the server has broken a deadlock. In the model nothing breaks one: it is a finding there.
    pub resolved_deadlocks: u64,
    /// What the search of the model covered; none for random schedules, a replay, or a search at a server.
    pub covered: Option<Covered>,
    /// The server's name and version, in its own words; none if the shop was a model.
    pub server: Option<String>,
    /// Whether the strategy begins transactions, so that their isolation level matters.
    pub has_transactions: bool,
    /// What was covered at that server; none if the shop was a model, or a single order was replayed.
    pub orders: Option<OrderCoverage>,
    /// The random schedules; none if there were none.
    pub sampled: Option<Sampled>,
    /// The findings, the gravest first, each with a shortest schedule to it.
    pub findings: Vec<FindingReport>,
    /// The incidents, which are no findings, each with a shortest schedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Incident>,
    /// Stronger isolation levels that were tried against the gravest finding; empty if none was tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cures: Vec<LevelTried>,
    /// Why no level had to be tried, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_level: Option<NoLevel>,
    /// Cures that were to be tried at an application, in the order in which they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<CureTried>,
    /// Remarks on what was covered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Commands to run next; empty if none helps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
    /// Whether the audit of the checkout has rules alone.
    #[serde(skip)]
    pub(crate) counts_no_units: bool,
    /// The error that ended the search, if one did: the report is about what was run before it.
    #[serde(skip)]
    pub failure: Option<Error>,
    /// The one schedule that was replayed, told step by step; none for a search.
    pub replayed: Option<Vec<TimelineRow>>,
}

/// What was explored, if it is proved that there is no finding.
///
/// # Panics
/// With the report or the error, if it is not.
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub(super) fn proved(explored: Result<Exploration, Error>) -> Exploration {
    match explored {
        Ok(exploration) if exploration.evidence == Evidence::Proved => exploration,
        Ok(exploration) => panic!("{exploration}"),
        Err(error) => panic!("{error}"),
    }
}

/// What a search has covered.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Covered {
    /// States, identical buyers counted and not told apart.
    pub states: usize,
    /// Steps between them.
    pub transitions: u64,
    /// Bytes that a state took, with the steps from it, on average.
    pub bytes_per_state: usize,
    /// States of the precedence search, which tracks which buyer came before which; zero if it was not needed, since no
    /// buyer was turned away before others were promised enough units to justify it.
    pub precedence_states: usize,
    /// Whether states were remembered and identical buyers merged; else every schedule was followed one by one, and
    /// each path to a state counts as a state.
    pub reduced: bool,
    /// Whether every interleaving was covered.
    pub complete: bool,
    /// The number of interleavings; none if the search is not complete, or some never end.
    pub interleavings: Option<ScheduleCount>,
}

/// What was covered at a real server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OrderCoverage {
    /// Orders that were run to their end.
    pub run: u64,
    /// Orders that were given up in the middle, because all that could follow had been seen.
    pub cut_short: u64,
    /// Of those that were run, how many show a finding.
    pub broken: u64,
    /// Which order was the first to show one, counted from 1 in the sequence in which they were begun; none if none did,
    /// or if they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_broken: Option<u64>,
    /// Statements sent.
    pub statements: u64,
    /// Different ways to end: the stock and what buyers were told, buyers not told apart.
    pub outcomes: u64,
    /// Orders that diverged when their beginning was repeated.
    pub diverged: u64,
    /// Where the first of them diverged: its beginning, the buyers that could move then, and those that could before.
    pub first_divergence: Option<String>,
    /// Of those that were run, how many came first to find bugs early: some in which buyers come one after the other, and
    /// those that are likely to break something, as these show. What the rest of the search covers does not count on them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub likely: u64,
    /// Every order with at most this many preemptions was covered; none if the search did not count preemptions, or if a
    /// remark says that some orders were not run. A preemption makes a buyer wait that could go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<u32>,
    /// The number of these orders.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub with_few_preemptions: u64,
    /// Whether orders that are equivalent to others were left out.
    pub reduced: bool,
    /// Whether every order was covered.
    pub complete: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A finding with its schedule and timeline.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FindingReport {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Whose step comes when.
    pub schedule: String,
    /// The same, told step by step.
    pub timeline: Vec<TimelineRow>,
    /// Which statements interfere, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Conflict>,
    /// Whether no buyer of an application sent a statement between two of another.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub serial: bool,
    /// The command that shows it again.
    pub again: String,
    /// The command to schedule the same shop by hand; none at a server, or for a checkout that the program does not
    /// know.
    pub by_hand: Option<String>,
}

impl FindingReport {
    /// The number of steps. A row that says how an earlier step went on is no step of its own.
    #[must_use]
    pub fn length(&self) -> u64 {
        let steps = self.timeline.iter().filter(|row| !row.goes_on);
        steps.map(|row| u64::from(row.steps)).sum()
    }
}

/// Parses an expectation of what a search finds.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_expectation(text: &str) -> Result<Expectation, String> {
    let expectation = Expectation::parse(text)?;
    check_expectation(&expectation).map(|()| expectation)
}

/// Whether a search has a figure of this name.
///
/// # Errors
/// A sentence that says which it has.
pub fn check_expectation(expectation: &Expectation) -> Result<(), String> {
    let names: Vec<String> = FindingKind::ALL.into_iter().map(FindingKind::name).collect();
    let name = expectation.name();
    if BESIDE_FINDINGS.contains(&name) || names.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(format!(
        "nothing races here, so there is no `{name}`; expect {} or one of {}",
        BESIDE_FINDINGS.join(", "),
        names.join(", ")
    ))
}

/// Refuses expectations of units where a checkout's audit holds rules alone: nothing would count them.
///
/// # Errors
/// [`Error::Input`] that names the expectation and the file.
pub(crate) fn check_counted(
    strategy: &dyn DynStrategy,
    expectations: &[Expectation],
) -> Result<(), Error> {
    let Some(checkout) = strategy.described().filter(|checkout| !checkout.counts_units()) else {
        return Ok(());
    };
    match expectations.iter().find(|expectation| expectation.needs_units()) {
        Some(expectation) => Err(Error::input(format!(
            "`{expectation}`: the audit of {} counts no units, for it has no `stock` and `orders`; expect `findings = 0`, or \
             give it both",
            checkout.path
        ))),
        None => Ok(()),
    }
}

/// The names that an expectation can have beside findings.
const BESIDE_FINDINGS: [&str; 4] = ["evidence", "findings", "failed", "resolved_deadlocks"];

/// Checks expectations against figures and the evidence for them.
pub(super) fn judge(
    expectations: &[Expectation],
    figures: &Figures,
    evidence: Evidence,
    incomplete: Option<&str>,
) -> Vec<Judgement> {
    let mut judge = Judge::new(expectations);
    judge.see_round(1, figures);
    judge.conclude(figures, evidence, incomplete)
}

/// The role of each buyer: `A buyer`, `B webhook`.
fn roles(checkout: &Checkout, settings: &Settings) -> Vec<String> {
    let has_several = settings.buyers > checkout.roles.len() as u32;
    let role = |place: BuyerId| {
        let role = checkout.role(place);
        let name = format!("{} {}", Actor::Buyer(place), role.name);
        match has_several && !role.once {
            true => format!("{name} of customer {}", checkout.customer(place)),
            false => name,
        }
    };
    match checkout.roles.len() {
        1 => Vec::new(),
        _ => (0..settings.buyers).map(role).collect(),
    }
}

impl Exploration {
    /// A report with the settings, what was covered and the findings; all other fields are empty.
    pub(super) fn of(
        strategy: &dyn DynStrategy,
        settings: &Settings,
        looked: &Looked,
        findings: Vec<FindingReport>,
    ) -> Self {
        let described = strategy.described();
        let counts = described.as_ref().is_none_or(|checkout| checkout.counts_units());
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            strategy: strategy.card().name.to_owned(),
            roles: described.map_or(Vec::new(), |checkout| roles(&checkout, settings)),
            buyers: settings.buyers,
            items: settings.items,
            stock: if counts { settings.stock } else { 0 },
            cart: settings.cart,
            seed: settings.seed,
            isolation: settings.kept_apart(),
            faults: settings.faults,
            evidence: looked.evidence(!findings.is_empty()),
            incomplete: looked.incomplete(!findings.is_empty()),
            failed: 0,
            resolved_deadlocks: 0,
            covered: None,
            server: None,
            // Whether an application begins transactions is not known, but most do.
            has_transactions: strategy.is_app() || strategy.card().names(OpKind::Transaction),
            orders: None,
            sampled: None,
            findings,
            incidents: Vec::new(),
            cures: Vec::new(),
            no_level: None,
            tries: Vec::new(),
            remarks: Vec::new(),
            hints: Vec::new(),
            counts_no_units: !counts,
            failure: None,
            replayed: None,
        }
    }

    /// The same report, with commands that name the server's address.
    #[doc(hidden)]
    #[must_use]
    pub fn at(mut self, address: &Address) -> Self {
        for told in &mut self.findings {
            told.again = located(&told.again, address);
        }
        self
    }

    /// Checks expectations against the report. Of units, nothing holds where none are counted.
    #[must_use]
    pub fn judge(&self, expectations: &[Expectation]) -> Vec<Judgement> {
        let mut judged =
            judge(expectations, &self.figures(), self.evidence, self.incomplete.as_deref());
        for (judgement, expectation) in judged.iter_mut().zip(expectations) {
            if self.counts_no_units && expectation.needs_units() {
                let seen = "not counted: the audit has no `stock` and `orders`".into();
                (judgement.held, judgement.seen, judgement.unproven) = (false, seen, None);
            }
        }
        judged
    }

    /// The findings as figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Self { failed, resolved_deadlocks, .. } = *self;
        let findings = self.findings.len() as u64;
        let mut figures = Figures { findings, failed, resolved_deadlocks, ..Figures::default() };
        for told in &self.findings {
            *figures.amount_of_mut(told.finding.kind) = told.finding.amount;
        }
        figures
    }

    /// The amount of a kind of finding, in its unit.
    #[must_use]
    pub fn amount_of(&self, kind: FindingKind) -> u64 {
        self.findings
            .iter()
            .find(|told| told.finding.kind == kind)
            .map_or(0, |told| told.finding.amount)
    }
}

/// The command that replays a schedule.
pub(super) fn again(strategy: &dyn DynStrategy, settings: &Settings, schedule: &str) -> String {
    Command::of(Verb::Replay, strategy, settings).flag("schedule", schedule).into()
}

/// The command that repeats the search.
pub(super) fn search_again(strategy: &dyn DynStrategy, settings: &Settings) -> String {
    Command::of(Verb::Explore, strategy, settings).into()
}

/// The command with which a person is the scheduler of the same shop.
pub(super) fn by_hand(strategy: &dyn DynStrategy, settings: &Settings) -> String {
    Command::of(Verb::Play, strategy, settings).into()
}
