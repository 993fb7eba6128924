//! Searches through the model, each with its report: every schedule, every schedule one by one, and random ones.

use super::brute::try_all;
use super::checks::Shown;
use super::drawing::StateGraph;
use super::graph::ScheduleCount;
use super::limits::Limits;
use super::opening::{check_card, open};
use super::random::{self, Rolled};
use super::replay::{follow, tell, tell_failed};
use super::search::{Search, SearchResult};
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::quantity::of;
use crate::domain::op::Op;
use crate::domain::settings::Settings;
use crate::explore::completeness::{Looked, cut_after, failed_ends, idle_ends};
use crate::explore::exploration::{Covered, Exploration};
use crate::explore::sampling::Sampling;
use crate::scheduler::Choice;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{ModelState, ModelStep, TransitionTable};

/// Follows every schedule of these settings, the shortest first, within limits.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_all(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    limits: Limits,
    stopped: impl Monitor,
) -> Result<Exploration, Error> {
    search(strategy, settings, limits, stopped, |_| ()).map(|(found, ())| found)
}

/// The same search; also returns the graph of the states that it met.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_and_draw(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    limits: Limits,
    stopped: impl Monitor,
) -> Result<(Exploration, StateGraph), Error> {
    search(strategy, settings, limits, stopped, StateGraph::of)
}

fn search<T>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    limits: Limits,
    stopped: impl Monitor,
    draw: impl FnOnce(&Search<'_, '_>) -> T,
) -> Result<(Exploration, T), Error> {
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table, strategy, settings)?;
    let mut search = Search::from(&mut table, opening.clone());
    let seen = search.run(limits, stopped);
    let drawn = draw(&search);
    Ok((report(&mut table, &opening, strategy, settings, seen)?, drawn))
}

/// The report of a search through all states.
pub(super) fn report(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    seen: SearchResult,
) -> Result<Exploration, Error> {
    check_card(table, strategy)?;
    let covered = Covered {
        states: seen.states,
        transitions: seen.transitions,
        bytes_per_state: seen.bytes_per_state,
        precedence_states: seen.precedence_states,
        reduced: true,
        complete: seen.complete,
        interleavings: seen.interleavings,
    };
    let looked = Looked {
        at_everything: seen.complete,
        cut: (!seen.complete).then(|| cut_after(seen.states as u64, "state")),
        idle: idle_ends(
            &seen.ends,
            settings,
            seen.interleavings == Some(ScheduleCount::exactly(1)),
        ),
    };
    let failed = failed_ends(&seen.ends);
    let incidents = seen.failed.map(|schedule| (failed, schedule));
    let incidents = tell_failed(table, opening, strategy, settings, incidents)?;
    let findings = tell(table, opening, strategy, settings, seen.shown)?;
    Ok(Exploration {
        covered: Some(covered),
        failed,
        incidents,
        ..Exploration::of(strategy, settings, &looked, findings)
    })
}

/// Follows every schedule one by one, without a set of visited states and without merging, to check that [`search_all`]
/// misses nothing. Each path to a state counts here as a state.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_unreduced(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Result<Exploration, Error> {
    let mut table = TransitionTable::new(strategy, settings).unmerged();
    let opening = open(&mut table, strategy, settings)?;
    let tried = try_all(&mut table, &opening, limits, stopped);
    let covered = Covered {
        states: tried.steps as usize + 1,
        transitions: tried.steps,
        bytes_per_state: 0,
        precedence_states: 0,
        reduced: false,
        complete: tried.complete,
        interleavings: tried.complete.then(|| ScheduleCount::exactly(tried.schedules)),
    };
    // In these schedules, placing an order is a step of its own. A replay mostly merges it into the step before.
    let merges = TransitionTable::new(strategy, settings).merges();
    let mut without_orders = |schedule: Vec<Choice>| -> Result<_, Error> {
        let mut model_state = opening.clone();
        let mut kept = Vec::new();
        for choice in schedule {
            let kind = model_state.kind(choice.who).map(|kind| table.kind_of(kind).clone());
            let steps = follow(&mut table, &mut model_state, &[choice])?;
            let is_unseen = |step: &ModelStep| match (step.op, &kind) {
                (Some(Op::PlaceOrder(order)), Some(kind)) => kind.orders_unseen(order),
                _ => false,
            };
            if !merges || !steps.iter().any(is_unseen) {
                kept.push(choice);
            }
        }
        Ok(kept)
    };
    let shorter = |Shown { finding, schedule }: Shown| {
        without_orders(schedule).map(|schedule| Shown { finding, schedule })
    };
    let shown: Vec<Shown> = tried.shown.into_iter().map(shorter).collect::<Result<_, Error>>()?;
    let failed = failed_ends(&tried.ends);
    let incidents = match tried.failed {
        Some(schedule) => Some((failed, without_orders(schedule)?)),
        None => None,
    };
    let mut merged = TransitionTable::new(strategy, settings);
    let opening = open(&mut merged, strategy, settings)?;
    let incidents = tell_failed(&mut merged, &opening, strategy, settings, incidents)?;
    let findings = tell(&mut merged, &opening, strategy, settings, shown)?;
    let looked = Looked {
        at_everything: tried.complete,
        cut: (!tried.complete).then(|| cut_after(tried.steps, "step")),
        idle: idle_ends(&tried.ends, settings, tried.complete && tried.schedules == 1),
    };
    Ok(Exploration {
        covered: Some(covered),
        failed,
        incidents,
        ..Exploration::of(strategy, settings, &looked, findings)
    })
}

/// Follows random schedules, which the seed determines.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn sample(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    sampling: Sampling,
    stopped: impl Monitor + Sync,
) -> Result<Exploration, Error> {
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table, strategy, settings)?;
    let new_table = || TransitionTable::new(strategy, settings);
    // `open` has accepted these settings above, so it does not fail here.
    let open_again = |table: &mut TransitionTable<'_>| {
        open(table, strategy, settings).unwrap_or_else(|_| opening.clone())
    };
    let Rolled { sampled, shown, failed, first_failure, sold } =
        random::sample(new_table, open_again, settings.seed, sampling, &stopped)?;
    let followed = sampled.schedules;
    let idle = match sampled.schedules - sampled.endless {
        0 if followed == 0 => Some("no schedule was run".into()),
        0 => None,
        ended if failed == ended => Some("a buyer's checkout failed in every schedule".into()),
        _ if !sold => Some("no buyer bought anything in any schedule".into()),
        _ if settings.buyers == 1 && settings.faults.is_none() => {
            Some("one buyer meets no other".into())
        }
        _ => None,
    };
    let looked = Looked {
        at_everything: false,
        cut: match sampled.endless {
            _ if followed < sampling.schedules => Some(cut_after(followed, "schedule")),
            0 => None,
            endless => Some(format!("{} did not end", of(endless, "schedule"))),
        },
        idle,
    };
    let incidents = first_failure.map(|schedule| (failed, schedule));
    let incidents = tell_failed(&mut table, &opening, strategy, settings, incidents)?;
    let findings = tell(&mut table, &opening, strategy, settings, shown)?;
    Ok(Exploration {
        sampled: Some(sampled),
        failed,
        incidents,
        ..Exploration::of(strategy, settings, &looked, findings)
    })
}
