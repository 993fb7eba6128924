//! Runs statement orders at a real server, as a scheduler chooses, and gathers their results.

use super::judged::JudgedExecution;
use super::likely::run_likely;
#[cfg(feature = "cli")]
use super::play_tree::KeptOrders;
use super::results::Results;
use super::subtrees::Share;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::quantity::of;
use crate::domain::retry::Retries;
use crate::domain::settings::Settings;
use crate::explore::bound::{AT_SERVER, Plan, PreemptionBound};
use crate::scheduler::{
    Beginning, Bounds, Columns, DepthFirst, End, Execution, Footprint, PreemptionBounded, Run,
    Scheduler, run_all,
};

/// Runs the orders that the plan says until `stopped` returns true: those that are likely to break something first, then
/// those with few preemptions, if it says so. Rows are told apart by the columns `stable`, whose values come out the same
/// each time; they are found out if none are given. After an error, the results are those of the orders before it.
pub(super) fn search<E: JudgedExecution>(
    execution: &mut E,
    settings: &Settings,
    plan: Plan,
    stable: Option<Columns>,
    stopped: &(dyn Monitor + Sync),
) -> Result<Results, Error> {
    let mut results = Results::default();
    results.covered.reduced = plan.reduced;
    #[cfg(feature = "cli")]
    if plan.keeps_schedules {
        results.kept = Some(KeptOrders::default());
    }
    let searched = search_into(&mut results, execution, settings, plan, stable, stopped);
    match searched {
        // It was stopped in the middle of an order, which is no failure.
        Err(Error::World(_)) if stopped.is_stopped() => Ok(results),
        searched => results.keep_after(searched),
    }
}

/// The same, into these results.
fn search_into<E: JudgedExecution>(
    results: &mut Results,
    execution: &mut E,
    settings: &Settings,
    plan: Plan,
    stable: Option<Columns>,
    stopped: &(dyn Monitor + Sync),
) -> Result<(), Error> {
    let bounds = bounds(settings, plan);
    if plan.likely_first && plan.preemptions != Some(PreemptionBound::AtMost(0)) {
        let goes_on = run_likely(execution, plan, bounds, results, stopped)?;
        if !goes_on || plan.is_content_with_few() && !results.best.is_empty() {
            return Ok(());
        }
    }
    if let Some(bound) = plan.preemptions {
        let is_enough = run_few(execution, plan, bound, bounds, results, stopped)?;
        if is_enough || matches!(bound, PreemptionBound::AtMost(_)) {
            return Ok(());
        }
    }
    let enough = plan.enough_after_finding.unwrap_or(u64::MAX);
    let mut stable = match stable {
        Some(stable) => stable,
        None if plan.reduced && !stopped.is_stopped() => stable_columns(execution)?,
        None => Columns::new(),
    };
    if let Some(slice) = plan.share {
        let share = Share { slice, plan, bounds, stopped };
        let searched = share.search(execution, std::mem::take(results), stable)?;
        results.subtrees = searched.map(Box::new);
        return Ok(());
    }
    loop {
        let mut all = DepthFirst::new(execution, plan.reduced).comparing(stable);
        let is_all = run(execution, &mut all, plan, bounds, results, stopped, |results| {
            !results.best.is_empty() && results.covered.run >= enough
        })?;
        match all.remaining().filter(|_| is_all) {
            // The orders that were run count; the search begins again among all.
            Some(columns) => stable = columns.clone(),
            None => {
                results.covered.complete =
                    is_all && all.remaining().is_none() && results.covered.diverged == 0;
                return Ok(());
            }
        }
    }
}

/// The bounds of each order that the plan says.
pub(super) fn bounds(settings: &Settings, plan: Plan) -> Bounds {
    let cuts_futile = plan.reduced && settings.retries == Retries::Unlimited;
    Bounds { cuts_futile, ..AT_SERVER }
}

/// The columns whose values come out the same when the buyers come one after the other a second time.
pub(super) fn stable_columns<E: Execution>(execution: &mut E) -> Result<Columns, Error> {
    let first = footprints_alone(execution)?;
    let mut stable: Columns = first.iter().flat_map(Footprint::columns).collect();
    if stable.is_empty() {
        return Ok(stable);
    }
    let second = footprints_alone(execution)?;
    let rest = first.iter().skip(second.len()).chain(second.iter().skip(first.len()));
    let mut differing: Columns = rest.flat_map(Footprint::columns).collect();
    for (one, other) in first.iter().zip(&second) {
        differing.extend(one.differing_columns(other));
    }
    stable.retain(|column| !differing.contains(column));
    Ok(stable)
}

/// The footprint of each statement, where the buyers come one after the other.
fn footprints_alone<E: Execution>(execution: &mut E) -> Result<Vec<Footprint>, Error> {
    let mut footprints = Vec::new();
    execution.expect(vec![Beginning::of(Vec::new())]);
    execution.begin()?;
    while let Some((choice, statement)) = execution.ready().into_iter().next() {
        footprints.push(statement.expected());
        if footprints.len() == AT_SERVER.most_steps || execution.take(choice)?.is_none() {
            break;
        }
    }
    execution.abandon()?;
    Ok(footprints)
}

/// Runs the orders with few preemptions; true if no others are to be run.
fn run_few<E: JudgedExecution>(
    execution: &mut E,
    plan: Plan,
    bound: PreemptionBound,
    bounds: Bounds,
    results: &mut Results,
    stopped: &(dyn Monitor + Sync),
) -> Result<bool, Error> {
    let mut few = PreemptionBounded::new(execution, plan.reduced);
    let broken_before = results.covered.broken;
    loop {
        if !run(execution, &mut few, plan, bounds, results, stopped, |_| false)? {
            return Ok(false);
        }
        let covered = &mut results.covered;
        if covered.diverged == 0 {
            covered.preemptions = Some(few.preemptions());
            covered.with_few_preemptions = covered.run - covered.likely;
        }
        if few.is_everything() {
            covered.complete = covered.diverged == 0;
            return Ok(covered.complete);
        }
        if plan.enough_after_finding.is_some() && results.covered.broken > broken_before {
            return Ok(true);
        }
        if few.preemptions() == bound.most() {
            return Ok(false);
        }
        few.deepen();
    }
}

/// Runs the executions of one scheduler; whether it had none left in the end.
pub(super) fn run<E: JudgedExecution, S: Scheduler<E>>(
    execution: &mut E,
    scheduler: &mut S,
    plan: Plan,
    bounds: Bounds,
    results: &mut Results,
    stopped: &(dyn Monitor + Sync),
    is_enough: impl Fn(&Results) -> bool,
) -> Result<bool, Error> {
    let most = plan.most.unwrap_or(u64::MAX);
    run_all(execution, scheduler, bounds, &|| stopped.is_stopped(), |execution, run| {
        let Run { end, steps, .. } = run;
        stopped.has_done(1);
        results.covered.statements += steps;
        match end {
            End::Over => {
                let steps = execution.steps_so_far();
                let judged = execution.judge()?;
                results.take_in(&steps, judged);
            }
            End::Cut => results.covered.cut_short += 1,
            End::Diverged(how) => {
                results.covered.diverged += 1;
                results.covered.first_divergence.get_or_insert(how);
            }
            End::TooLong => return Err(endless()),
            End::Stopped => return Ok(false),
        }
        execution.has_come_to_its_end()?;
        Ok(results.begun() < most && !is_enough(results))
    })
}

/// The error for a schedule without end.
pub(super) fn endless() -> Error {
    Error::input(format!(
        "a schedule has {} and does not end; try --retries 3",
        of(AT_SERVER.most_steps as u64, "statement")
    ))
}
