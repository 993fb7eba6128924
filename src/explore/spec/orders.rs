//! Every order of the steps of a specification's sessions, and what they come to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::describe::spec::{Spec, StepId};
use crate::scheduler::{Bounds, DepthFirst, End, run_all};
use crate::stores::isolation::IsolationServer;
use crate::worlds::spec::{SpecEnd, SpecExecution, StepResult};

/// The most outcomes that are told apart. Where steps return times or numbers of processes, each order has another one.
const MOST_OUTCOMES: usize = 1_000;

/// What every order of the steps of a specification comes to.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SpecOrders {
    /// The file.
    pub spec: String,
    /// The server, with its version.
    pub server: String,
    /// The sessions, by name.
    pub sessions: Vec<String>,
    /// How many orders were run.
    pub orders: u64,
    /// Whether these are all.
    pub complete: bool,
    /// How many orders there would be if no session waited for another; none if they are too many to count.
    pub interleavings: Option<u64>,
    /// In how many orders a step failed because of a deadlock.
    pub deadlocks: u64,
    /// In how many orders a session waited to the end for another one that had no step left.
    pub blocked: u64,
    /// How many orders went on otherwise when their beginning was repeated, and so have not been followed.
    pub diverged: u64,
    /// What orders come to, the most frequent first; at most 1,000.
    pub outcomes: Vec<SpecOutcome>,
    /// How many orders came to still other outcomes.
    pub other_outcomes: u64,
}

/// What some of the orders come to.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SpecOutcome {
    /// How many orders.
    pub orders: u64,
    /// One of these orders, with the fewest switches between sessions: its steps by name.
    pub order: Vec<String>,
    /// Whether a step failed because of a deadlock in it.
    pub deadlock: bool,
    /// What each step comes to, session by session.
    pub results: Vec<SpecStepResult>,
    /// The rows that the teardowns return.
    pub at_end: String,
}

/// What a step comes to.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SpecStepResult {
    /// The step, by name.
    pub step: String,
    /// Rows and errors, in the form of PostgreSQL's isolation tester; none if it has no answer.
    pub answer: Option<String>,
    /// Why it has none.
    pub why: Option<&'static str>,
}

/// What tells outcomes apart.
type Outcome = (Vec<Vec<StepResult>>, String);

/// The orders of one outcome.
struct OfOutcome {
    orders: u64,
    switches: usize,
    order: Vec<StepId>,
    has_deadlock: bool,
}

/// Runs every order of all sessions' steps, until the monitor says to stop. A session that waits for another one has its
/// next turn when it goes on.
///
/// # Errors
/// When the server, or a setup or teardown of the file, fails.
pub(crate) fn run_every_order(
    spec: &Spec,
    server: &IsolationServer,
    monitor: &(dyn Monitor + Sync),
) -> Result<SpecOrders, Error> {
    let mut execution = SpecExecution::open(spec, server)?;
    let mut every = DepthFirst::new(&execution, false);
    let steps: usize = spec.sessions.iter().map(|session| session.steps.len()).sum();
    let bounds = Bounds { most_steps: steps + 1, cuts_futile: false };
    let mut found = Found::default();
    let is_all =
        run_all(&mut execution, &mut every, bounds, &|| monitor.is_stopped(), |execution, run| {
            match run.end {
                End::Over => {
                    found.take_in(execution.finish()?);
                    monitor.has_done(1);
                }
                End::Diverged(_) => found.diverged += 1,
                End::Cut | End::TooLong | End::Stopped => {}
            }
            Ok(true)
        })?;
    let complete = is_all && found.diverged == 0;
    Ok(found.report(spec, server, complete))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    orders: u64,
    deadlocks: u64,
    blocked: u64,
    diverged: u64,
    others: u64,
    outcomes: BTreeMap<Outcome, OfOutcome>,
}

impl Found {
    fn take_in(&mut self, end: SpecEnd) {
        let SpecEnd { order, results, at_end, has_deadlock } = end;
        self.orders += 1;
        self.deadlocks += u64::from(has_deadlock);
        self.blocked += u64::from(results.iter().flatten().any(|one| *one == StepResult::Blocked));
        let switches = order.windows(2).filter(|pair| pair[0].session != pair[1].session).count();
        let is_full = self.outcomes.len() == MOST_OUTCOMES;
        let outcome = (results, at_end);
        match self.outcomes.get_mut(&outcome) {
            Some(of) => {
                of.orders += 1;
                if switches < of.switches {
                    *of = OfOutcome { orders: of.orders, switches, order, has_deadlock };
                }
            }
            None if is_full => self.others += 1,
            None => {
                let of = OfOutcome { orders: 1, switches, order, has_deadlock };
                self.outcomes.insert(outcome, of);
            }
        }
    }

    fn report(self, spec: &Spec, server: &IsolationServer, complete: bool) -> SpecOrders {
        let mut outcomes: Vec<SpecOutcome> = self
            .outcomes
            .into_iter()
            .map(|((results, at_end), of)| SpecOutcome {
                orders: of.orders,
                order: of.order.iter().map(|id| spec.step(*id).name.clone()).collect(),
                deadlock: of.has_deadlock,
                results: told(spec, results),
                at_end,
            })
            .collect();
        outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.orders));
        SpecOrders {
            spec: spec.path.clone(),
            server: format!("PostgreSQL {}", server.version()),
            sessions: spec.sessions.iter().map(|session| session.name.clone()).collect(),
            orders: self.orders,
            complete,
            interleavings: spec.interleavings().and_then(|all| all.try_into().ok()),
            deadlocks: self.deadlocks,
            blocked: self.blocked,
            diverged: self.diverged,
            outcomes,
            other_outcomes: self.others,
        }
    }
}

/// What each step comes to, by name.
fn told(spec: &Spec, results: Vec<Vec<StepResult>>) -> Vec<SpecStepResult> {
    let steps = spec.sessions.iter().flat_map(|session| &session.steps);
    let told = |(step, result): (&crate::describe::spec::SpecStep, StepResult)| {
        let (answer, why) = match result {
            StepResult::Answered(text) => (Some(text), None),
            StepResult::Blocked => (None, Some("it waits for a session that has no step left")),
            StepResult::NotSent => (None, Some("not sent, for its session waits to the end")),
        };
        SpecStepResult { step: step.name.clone(), answer, why }
    };
    steps.zip(results.into_iter().flatten()).map(told).collect()
}
