//! The results of orders that were run: how they end, what is wrong there, and the best order that shows it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::conflict::{NOTHING, answer_at};
#[cfg(feature = "cli")]
use super::play_tree::KeptOrders;
use super::subtrees::Subtrees;
use crate::base::clock::nanos;
use crate::base::error::Error;
use crate::base::memo::Memo;
use crate::base::text::chance::may_decide;
use crate::base::text::quantity::{duration, of};
use crate::base::text::sql::RewriteOutcome;
use crate::check::audit::{Finding, Naming};
use crate::domain::books::Books;
use crate::domain::buyer::Ending;
use crate::domain::finding::FindingKind;
use crate::domain::op::{Units, Want};
use crate::domain::settings::Settings;
use crate::explore::completeness::{Fates, has_failed};
use crate::explore::exploration::OrderCoverage;
use crate::explore::incident::IncidentKind;
use crate::explore::model::checks;
use crate::scheduler::Actor;
use crate::worlds::held::{Harness, Remaining, ServerStep};

/// How an execution can end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderOutcome {
    /// Units of each product.
    pub shelves: Vec<Units>,
    /// How visits ended and what their buyers had wanted, sorted, so that buyers are not told apart.
    pub visits: Vec<(Ending, Want)>,
    /// Lines in the order book.
    pub orders: usize,
    /// The kinds of finding.
    pub findings: Vec<FindingKind>,
}

/// What is known when an execution is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::explore) struct Judged {
    pub(in crate::explore) outcome: OrderOutcome,
    pub(in crate::explore) findings: Vec<Finding>,
    /// What the server said when it refused something that it should not have.
    pub(in crate::explore) trouble: Option<String>,
    /// Deadlocks that the server has broken.
    pub(in crate::explore) deadlocks: u64,
    /// Whether every shelf was empty when the doors opened.
    pub(in crate::explore) is_sold_out: bool,
    /// Which buyer's code did nothing for too long, if the order was given up for that: nothing is known of its end.
    #[serde(default)]
    pub(in crate::explore) stalled: Option<String>,
}

/// A finding and the best order that shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::explore) struct Counterexample {
    pub(in crate::explore) finding: Finding,
    /// Statements, then changes from one buyer to another; the lower the better.
    cost: (usize, usize),
    pub(in crate::explore) steps: Vec<ServerStep>,
}

/// An incident, which is no finding, and the best order that shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::explore) struct IncidentExample {
    pub(in crate::explore) kind: IncidentKind,
    /// In how many orders.
    pub(in crate::explore) orders: u64,
    pub(in crate::explore) proof: String,
    cost: (usize, usize),
    pub(in crate::explore) steps: Vec<ServerStep>,
}

/// In how many orders something happened that is no incident, but that a cure costs, or that its proof rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::explore) struct Costs {
    /// A buyer had to wait for another.
    pub(in crate::explore) waited: u64,
    /// No statement was sent with the cure in it.
    pub(in crate::explore) without_cure: u64,
    /// A statement was sent without the cure that was meant for it.
    pub(in crate::explore) missed: u64,
    /// A buyer bought that had sent none with the cure in it.
    pub(in crate::explore) bought_without: u64,
    /// A buyer bought whose statement with the cure in it had changed no row.
    pub(in crate::explore) unheeded: u64,
}

impl Costs {
    /// Adds those of other orders.
    #[cfg(feature = "cli")]
    fn add(&mut self, other: Self) {
        self.waited += other.waited;
        self.without_cure += other.without_cure;
        self.missed += other.missed;
        self.bought_without += other.bought_without;
        self.unheeded += other.unheeded;
    }

    /// Counts one more order.
    fn see(&mut self, steps: &[ServerStep]) {
        let waits = |step: &ServerStep| step.answer.is_none() && !step.has_begun;
        let is_sent = |step: &ServerStep, with: RewriteOutcome| {
            step.statement.sent.as_ref().is_some_and(|sent| sent.rewriting == with)
        };
        let cured: BTreeSet<usize> = steps
            .iter()
            .filter(|step| is_sent(step, RewriteOutcome::Done))
            .map(|step| step.place)
            .collect();
        let mut left = steps.iter().flat_map(|step| &step.left);
        let bought_without =
            left.any(|(place, ending)| *ending == Ending::Bought && !cured.contains(place));
        let bought = |place: usize| {
            let mut left = steps.iter().flat_map(|step| &step.left);
            left.any(|left| *left == (place, Ending::Bought))
        };
        let is_unheeded = |at: usize| {
            is_sent(&steps[at], RewriteOutcome::Done)
                && answer_at(steps, at).is_some_and(|(_, answer)| answer == NOTHING)
                && bought(steps[at].place)
        };
        self.unheeded += u64::from((0..steps.len()).any(is_unheeded));
        self.waited += u64::from(steps.iter().any(waits));
        self.without_cure += u64::from(cured.is_empty());
        self.missed += u64::from(steps.iter().any(|step| is_sent(step, RewriteOutcome::Missed)));
        self.bought_without += u64::from(bought_without);
    }
}

/// The results of all orders so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::explore) struct Results {
    pub(in crate::explore) covered: OrderCoverage,
    pub(in crate::explore) outcomes: BTreeSet<OrderOutcome>,
    pub(in crate::explore) best: Vec<Counterexample>,
    pub(in crate::explore) incidents: Vec<IncidentExample>,
    pub(in crate::explore) fates: Fates,
    /// The same of the orders that came first because they were likely to break something.
    pub(in crate::explore) likely_fates: Fates,
    pub(in crate::explore) costs: Costs,
    /// Steps of the longest order.
    pub(in crate::explore) longest: usize,
    /// The first statement in which a random value may have decided something.
    pub(in crate::explore) by_chance: Option<String>,
    /// Whether a random value may decide something in a statement.
    #[serde(skip)]
    pub(in crate::explore) may_decide: Memo<bool>,
    /// The error that ended the search, if one did.
    #[serde(skip)]
    pub(in crate::explore) failure: Option<Error>,
    /// The subtrees that were searched, if that was one share of a search.
    #[serde(skip)]
    pub(in crate::explore) subtrees: Option<Box<Subtrees>>,
    /// The orders themselves, if a page is to show them.
    #[cfg(feature = "cli")]
    #[serde(skip)]
    pub(in crate::explore) kept: Option<KeptOrders>,
}

impl Results {
    /// Takes in the results of an order that was run to its end.
    pub(in crate::explore) fn take_in(&mut self, steps: &[ServerStep], judged: Judged) {
        if self.by_chance.is_none() {
            let texts = steps.iter().map(|step| &step.statement.text);
            let may = |text: &&String| *self.may_decide.get(text, may_decide);
            self.by_chance = texts.into_iter().find(may).cloned();
        }
        self.costs.see(steps);
        let Judged { outcome, findings, trouble, deadlocks, is_sold_out, stalled } = judged;
        self.fates.is_sold_out |= is_sold_out;
        if let Some(proof) = stalled {
            self.note(IncidentKind::Stalled, proof, steps);
            self.longest = self.longest.max(steps.len());
            self.covered.run += 1;
            return;
        }
        if self.fates.see(outcome.visits.iter().map(|(ending, _)| *ending)) {
            let proof = trouble.unwrap_or_else(|| first_failure(steps));
            self.note(IncidentKind::Failed, proof, steps);
        }
        if deadlocks > 0 {
            let proof = match deadlocks {
                1 => "the server aborted a transaction to resolve a deadlock".into(),
                more => {
                    format!("the server aborted {} to resolve deadlocks", of(more, "transaction"))
                }
            };
            self.note(IncidentKind::ResolvedDeadlock, proof, steps);
        }
        self.longest = self.longest.max(steps.len());
        self.covered.run += 1;
        if !findings.is_empty() {
            self.covered.broken += 1;
            let number = self.begun();
            self.covered.first_broken.get_or_insert(number);
        }
        self.outcomes.insert(outcome);
        #[cfg(feature = "cli")]
        if let Some(kept) = &mut self.kept {
            kept.keep(steps, findings.iter().map(Finding::words).collect());
        }
        self.keep(findings, steps);
    }

    /// Adds the results of orders that were run after these.
    #[cfg(feature = "cli")]
    pub(in crate::explore) fn absorb(&mut self, later: Self) {
        let begun = self.begun();
        let Self { covered, outcomes, best, incidents, fates, costs, longest, by_chance, .. } =
            later;
        let OrderCoverage { run, cut_short, broken, first_broken, statements, diverged, .. } =
            covered;
        let known = &mut self.covered;
        known.run += run;
        known.cut_short += cut_short;
        known.broken += broken;
        known.first_broken = known.first_broken.or(first_broken.map(|number| begun + number));
        known.statements += statements;
        known.diverged += diverged;
        known.first_divergence = known.first_divergence.take().or(covered.first_divergence);
        self.outcomes.extend(outcomes);
        for one in best {
            self.keep_best(one);
        }
        for one in incidents {
            self.note_incident(one);
        }
        self.fates.add(fates);
        self.costs.add(costs);
        self.longest = self.longest.max(longest);
        self.by_chance = self.by_chance.take().or(by_chance);
    }

    /// Whether any order shows a finding.
    pub(in crate::explore) fn has_findings(&self) -> bool {
        !self.best.is_empty()
    }

    /// These results, where an error has ended the search after an order was run: what was found before it stays.
    ///
    /// # Errors
    /// The error, if no order was run before it.
    pub(in crate::explore) fn keep_after(self, searched: Result<(), Error>) -> Result<Self, Error> {
        match searched {
            Err(error) if self.covered.run > 0 => Ok(Self { failure: Some(error), ..self }),
            searched => searched.map(|()| self),
        }
    }

    /// Takes note that all orders so far were run because they were likely to break something.
    pub(in crate::explore) fn were_likely(&mut self) {
        self.covered.likely = self.covered.run;
        self.likely_fates = std::mem::take(&mut self.fates);
    }

    /// In how many orders a buyer's code did nothing for too long.
    pub(in crate::explore) fn stalled(&self) -> u64 {
        self.orders_with(IncidentKind::Stalled)
    }

    /// Why none of the orders could have shown a finding; none if one could.
    pub(in crate::explore) fn idle(&self, settings: &Settings) -> Option<String> {
        let orders = self.covered.run;
        if orders > 0 && self.stalled() == orders {
            return Some("a buyer's code did nothing for too long in every order".into());
        }
        self.fates().idle(settings, orders, self.orders_with(IncidentKind::Failed))
    }

    /// How visits ended. Orders that were likely to break something are run again if the search goes on, and count once.
    pub(in crate::explore) fn fates(&self) -> Fates {
        match self.covered.run == self.covered.likely {
            true => self.likely_fates,
            false => self.fates,
        }
    }

    /// Orders that were begun, whatever became of them.
    pub(in crate::explore) fn begun(&self) -> u64 {
        self.covered.run + self.covered.cut_short + self.covered.diverged
    }

    /// In how many orders this kind of incident happened.
    pub(in crate::explore) fn orders_with(&self, kind: IncidentKind) -> u64 {
        self.incidents.iter().find(|one| one.kind == kind).map_or(0, |one| one.orders)
    }

    /// Counts an incident in one more order, and keeps the order if it is the best so far.
    fn note(&mut self, kind: IncidentKind, proof: String, steps: &[ServerStep]) {
        let cost = cost(steps);
        match self.incidents.iter_mut().find(|one| one.kind == kind) {
            Some(known) if known.cost <= cost => known.orders += 1,
            _ => {
                let steps = steps.to_vec();
                self.note_incident(IncidentExample { kind, orders: 1, proof, cost, steps });
            }
        }
    }

    /// The same for an incident that was seen in several orders, of which this is the best.
    fn note_incident(&mut self, one: IncidentExample) {
        match self.incidents.iter_mut().find(|known| known.kind == one.kind) {
            Some(known) if known.cost <= one.cost => known.orders += one.orders,
            Some(known) => {
                let orders = known.orders + one.orders;
                *known = IncidentExample { orders, ..one };
            }
            None => self.incidents.push(one),
        }
    }

    /// Keeps an order for each of its findings, if it takes fewer statements, or fewer changes, than the one before.
    fn keep(&mut self, findings: Vec<Finding>, steps: &[ServerStep]) {
        let cost = cost(steps);
        for finding in findings {
            let known = self.best.iter().find(|best| best.finding.kind == finding.kind);
            if known.is_none_or(|best| cost < best.cost) {
                self.keep_best(Counterexample { finding, cost, steps: steps.to_vec() });
            }
        }
    }

    /// The same for one finding.
    fn keep_best(&mut self, one: Counterexample) {
        match self.best.iter_mut().find(|best| best.finding.kind == one.finding.kind) {
            Some(best) if best.cost <= one.cost => {}
            Some(best) => *best = one,
            None => self.best.push(one),
        }
    }
}

/// The cost of an order for a reader: its statements, then its changes from one buyer to another.
fn cost(steps: &[ServerStep]) -> (usize, usize) {
    let changes = steps.windows(2).filter(|two| two[0].place != two[1].place).count();
    (steps.len(), changes)
}

/// Which buyer's checkout failed first, and why.
fn first_failure(steps: &[ServerStep]) -> String {
    let mut left = steps.iter().flat_map(|step| &step.left);
    match left.find(|(_, ending)| has_failed(*ending)) {
        Some((place, Ending::Failed(why))) => format!("{}'s checkout: {why}", Actor::buyer(*place)),
        _ => "a buyer's checkout failed".into(),
    }
}

/// Judges an execution, at whose end these buyers were still there.
pub(in crate::explore) fn judge(
    harness: &mut Harness<'_>,
    remaining: Remaining,
) -> Result<Judged, Error> {
    let mut round = harness.round()?;
    // Code that does nothing may be slow, and would then let the others go on: that is no deadlock as far as is known.
    let stalled = remaining.stalled.map(|place| stalled(harness, place));
    let findings = match remaining.buyers {
        _ if stalled.is_some() => Vec::new(),
        0 => {
            let found = round.ledger().audit_by(Naming::Letters);
            // What an application puts off until it has answered, it may do a moment later.
            if found.is_empty() || !harness.server().come_to_rest() {
                found
            } else {
                let Books { trouble, deadlocks, .. } = round.books;
                round = harness.round()?;
                (round.books.trouble, round.books.deadlocks) = (trouble, deadlocks);
                round.ledger().audit_by(Naming::Letters)
            }
        }
        stuck => {
            // An execution with deadlock is unfinished: only the locks that others have kept can be judged.
            let kept = |finding: &Finding| finding.kind == FindingKind::LeakedLock;
            let kept = round.ledger().audit_by(Naming::Letters).into_iter().filter(kept);
            std::iter::once(checks::stuck(stuck as u64)).chain(kept).collect()
        }
    };
    let mut visits: Vec<(Ending, Want)> =
        round.visits.iter().map(|visit| (visit.ending, visit.want)).collect();
    visits.sort_unstable();
    let outcome = OrderOutcome {
        shelves: round.books.shelves.clone(),
        visits,
        orders: round.books.orders.len(),
        findings: findings.iter().map(|finding| finding.kind).collect(),
    };
    let Books { trouble, deadlocks, put_up, .. } = round.books;
    let is_sold_out = !put_up.is_empty() && put_up.iter().all(|units| *units <= 0);
    Ok(Judged { outcome, findings, trouble, deadlocks, is_sold_out, stalled })
}

/// How a buyer's code stalled.
pub(in crate::explore) fn stalled(harness: &Harness<'_>, place: usize) -> String {
    let after = harness.server().client_code().stalls_after().unwrap_or_default();
    format!(
        "the code of {} sent no statement for {}, and no other buyer could move: it waits for something that cannot be \
         seen from here, or it is slow (`unseen_after` in [app] gives it more time)",
        Actor::buyer(place),
        duration(nanos(after))
    )
}
