//! What comes of orders that were run: how they end, what is wrong there, and the best order that shows it.

use std::collections::BTreeSet;

use super::checks;
use super::exploration::Orders;
use super::schedule::Schedule;
use super::transcript::actor;
use crate::audit::Finding;
use crate::buyer::Ending;
use crate::error::Error;
use crate::finding::FindingKind;
use crate::op::{Units, Want};
use crate::worlds::held::{Step, Theatre};
use crate::worlds::stepped::Cue;

/// How a show can end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    /// Units of each product.
    pub shelves: Vec<Units>,
    /// What buyers had wanted and how their visits ended, in no order.
    pub visits: Vec<(Ending, Want)>,
    /// Lines in the order book.
    pub orders: usize,
    /// What is wrong.
    pub findings: Vec<FindingKind>,
}

/// What is known when a show is over.
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) findings: Vec<Finding>,
    /// What the server said when it refused something that it should not have.
    pub(super) trouble: Option<String>,
}

/// A finding and the best order that shows it.
pub(super) struct Best {
    pub(super) finding: Finding,
    /// Fewest statements, then fewest changes from one buyer to another.
    cost: (usize, usize),
    pub(super) steps: Vec<Step>,
}

/// Everything that has come of the orders so far.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) covered: Orders,
    pub(super) outcomes: BTreeSet<Outcome>,
    pub(super) best: Vec<Best>,
}

impl Harvest {
    /// An order has been run to its end: takes in what came of it.
    pub(super) fn take_in(
        &mut self,
        theatre: &mut Theatre<'_>,
        steps: &[Step],
    ) -> Result<(), Error> {
        let stuck = theatre.send_home().map_err(|error| in_schedule(error, steps))?;
        let Judged { outcome, findings, trouble } = judge(theatre, stuck)?;
        let has_failed = |(ending, _): &(Ending, Want)| matches!(ending, Ending::Failed(_));
        if outcome.visits.iter().any(has_failed) {
            self.covered.failed += 1;
            self.covered.first_failure = self.covered.first_failure.take().or(trouble);
        }
        self.covered.run += 1;
        self.covered.broken += u64::from(!findings.is_empty());
        self.outcomes.insert(outcome);
        self.keep(findings, steps);
        Ok(())
    }

    /// Keeps an order that shows something, if it does so in fewer statements, or fewer changes, than before.
    fn keep(&mut self, findings: Vec<Finding>, steps: &[Step]) {
        let changes = steps.windows(2).filter(|two| two[0].place != two[1].place).count();
        let cost = (steps.len(), changes);
        for finding in findings {
            let known = self.best.iter_mut().find(|best| best.finding.kind == finding.kind);
            match known {
                Some(best) if best.cost <= cost => {}
                Some(best) => *best = Best { finding, cost, steps: steps.to_vec() },
                None => self.best.push(Best { finding, cost, steps: steps.to_vec() }),
            }
        }
    }
}

/// An error, and where it happened.
pub(super) fn in_schedule(error: Error, steps: &[Step]) -> Error {
    let cues = steps.iter().map(|step| Cue::step(actor(step.place)));
    let schedule = Schedule(cues.collect());
    match error {
        Error::World(text) if !steps.is_empty() => {
            Error::world(format!("{text}\n       in the schedule that begins {schedule}"))
        }
        error => error,
    }
}

/// What came of a show, of which so many never saw the end.
pub(super) fn judge(theatre: &mut Theatre<'_>, stuck: usize) -> Result<Judged, Error> {
    let round = theatre.round()?;
    let findings = match stuck {
        0 => round.ledger().audit(),
        stuck => {
            // Of what some have not finished, nothing can be said but which locks the others have kept.
            let kept = |finding: &Finding| finding.kind == FindingKind::LeakedLock;
            let kept = round.ledger().audit().into_iter().filter(kept);
            std::iter::once(checks::stuck(stuck as u64)).chain(kept).collect()
        }
    };
    let mut visits: Vec<(Ending, Want)> =
        round.visits.iter().map(|visit| (visit.ending, visit.want)).collect();
    visits.sort_unstable();
    let outcome = Outcome {
        shelves: round.books.shelves.clone(),
        visits,
        orders: round.books.orders.len(),
        findings: findings.iter().map(|finding| finding.kind).collect(),
    };
    Ok(Judged { outcome, findings, trouble: round.books.trouble })
}
