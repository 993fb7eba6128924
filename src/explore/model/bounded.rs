//! Schedules of the model by their number of preemptions.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{FinalState, Shown};
use super::execution::ModelExecution;
use super::limits::Limits;
use super::opening::{check_card, open};
use super::replay::{tell, tell_failed};
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::domain::finding::FindingKind;
use crate::domain::settings::Settings;
use crate::explore::completeness::{Looked, cut_after, failed_ends, idle_ends};
use crate::explore::exploration::{Exploration, OrderCoverage};
use crate::scheduler::{self, Bounds, Choice, PreemptionBounded, Run, run_all};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::TransitionTable;

/// Step limit of a schedule: at a longer one the search stops, and is not complete.
const LONGEST: usize = 10_000;

/// Runs every schedule of the model with at most `most` preemptions, within limits and until the monitor stops it, which
/// hears of each schedule. Each step counts as a state.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_preempted(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    most: u32,
    limits: Limits,
    monitor: &dyn Monitor,
) -> Result<Exploration, Error> {
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table, strategy, settings)?;
    let mut seen = ScheduleTally::default();
    let mut execution = ModelExecution::of(&mut table, &opening).with_alike(strategy);
    let mut few = PreemptionBounded::new(&execution, true);
    let bounds = Bounds { most_steps: LONGEST, cuts_futile: false };
    let mut covered = OrderCoverage { reduced: true, ..OrderCoverage::default() };
    let mut is_cut = false;
    let stopped = || monitor.is_stopped();
    loop {
        let is_all = run_all(&mut execution, &mut few, bounds, &stopped, |execution, run| {
            seen.take_in(execution, run);
            monitor.has_done(1);
            Ok(seen.steps < limits.states as u64 && !seen.has_endless)
        })?;
        if !is_all || seen.has_endless {
            is_cut = true;
            break;
        }
        covered.preemptions = Some(few.preemptions());
        covered.with_few_preemptions = seen.schedules;
        covered.complete = few.is_everything();
        let is_enough = limits.enough_after_finding.is_some() && !seen.shown.is_empty();
        if covered.complete || is_enough || few.preemptions() == most {
            break;
        }
        few.deepen();
    }
    let ScheduleTally { schedules, steps, broken, ends, shown, failed, .. } = seen;
    covered.run = schedules;
    covered.broken = broken;
    covered.statements = steps;
    covered.outcomes = ends.len() as u64;
    check_card(&table, strategy)?;
    let looked = Looked {
        at_everything: covered.complete,
        cut: is_cut.then(|| cut_after(schedules, "schedule")),
        idle: idle_ends(&ends, settings, covered.complete && schedules == 1),
    };
    let failures = failed_ends(&ends);
    let incidents = failed.map(|schedule| (failures, schedule));
    let incidents = tell_failed(&mut table, &opening, strategy, settings, incidents)?;
    let shown = shown.into_values().collect();
    let findings = tell(&mut table, &opening, strategy, settings, shown)?;
    Ok(Exploration {
        orders: Some(covered),
        failed: failures,
        incidents,
        ..Exploration::of(strategy, settings, &looked, findings)
    })
}

/// What the schedules so far have shown.
#[derive(Default)]
struct ScheduleTally {
    schedules: u64,
    steps: u64,
    broken: u64,
    ends: BTreeSet<FinalState>,
    /// The shortest schedule to each kind of finding, by gravity.
    shown: BTreeMap<usize, Shown>,
    /// The shortest schedule at whose end a checkout has failed.
    failed: Option<Vec<Choice>>,
    /// Whether a schedule had more steps than the limit allows.
    has_endless: bool,
}

impl ScheduleTally {
    fn take_in(&mut self, execution: &mut ModelExecution<'_, '_>, run: Run) {
        let Run { end, schedule, steps } = run;
        self.steps += steps;
        self.has_endless |= end != scheduler::End::Over;
        self.schedules += 1;
        let (end, found) = execution.judge();
        self.broken += u64::from(!found.is_empty());
        for (finding, steps) in found {
            let gravity = FindingKind::gravity(finding.kind);
            if self.shown.get(&gravity).is_none_or(|known| *steps < known.schedule.len()) {
                let schedule = schedule[..*steps].to_vec();
                self.shown.insert(gravity, Shown { finding: finding.clone(), schedule });
            }
        }
        if let Some(end) = end {
            let is_shorter = |known: &Vec<Choice>| schedule.len() < known.len();
            if end.has_failed() && self.failed.as_ref().is_none_or(is_shorter) {
                self.failed = Some(schedule);
            }
            self.ends.insert(end);
        }
    }
}
