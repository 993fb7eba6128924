//! Searches through every statement order at a real server, and replays of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::judged::JudgedExecution;
use super::logged::LoggedExecution;
use super::order_log::OrderLog;
use super::results::{Costs, Counterexample, OrderOutcome, Results, judge};
use super::search::{bounds, search, stable_columns};
use super::side_by_side::{
    learned, share_lessons, share_overlap_notes, side_by_side, with_harnesses,
};
use super::steady::hold_still;
use super::transcript::{tell, tell_incident, timeline};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::quantity::of;
use crate::base::text::sql::Rewriting;
use crate::describe::checkout::Checkout;
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::bound::{AT_SERVER, Plan, PreemptionBound};
use crate::explore::completeness::UNFINISHED;
use crate::explore::completeness::{Looked, cut_after, failed_after, has_failed};
use crate::explore::exploration::{Exploration, FindingReport, OrderCoverage};
use crate::explore::incident::{Incident, IncidentKind};
#[cfg(feature = "cli")]
use crate::explore::play_graph::PlayGraph;
use crate::scheduler::{Bounds, Columns, Replay, Schedule, run_one};
use crate::stores::remote::{Remarks, Server, StoreConfig};
use crate::stores::{Address, open_server};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{Grain, Harness};

/// Runs every statement order of these settings at a real server, as far as `plan` says and until `stopped` returns
/// true. Returns the report, and the different ways in which orders end.
///
/// # Errors
/// [`Error::World`] when the server fails.
pub fn search_orders(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
) -> Result<(Exploration, BTreeSet<OrderOutcome>), Error> {
    let outcomes = |results: &Results, _: &[String]| results.outcomes.clone();
    let searched = search_and_take(strategy, settings, &[server], plan, stopped, None, outcomes)?;
    match searched.0.failure {
        Some(error) => Err(error),
        None => Ok(searched),
    }
}

/// The same, with what the orders have cost in place of how they end.
pub(super) fn search_orders_and_costs(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
) -> Result<(Exploration, Costs), Error> {
    let costs = |results: &Results, _: &[String]| results.costs;
    let searched = search_and_take(strategy, settings, &[server], plan, stopped, None, costs)?;
    match searched.0.failure {
        Some(error) => Err(error),
        None => Ok(searched),
    }
}

/// The same at several copies of a server, side by side, with the orders that were run as a tree in which a reader is the
/// scheduler, if the plan keeps them. Orders in the log are not run again, and those that are run are added to it. After an
/// error, the report is about what was run before it.
///
/// # Errors
/// As [`search_orders`]; [`Error::Input`] for a log of another search.
#[cfg(feature = "cli")]
pub(crate) fn search_orders_to_play(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    servers: &[&dyn Server],
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
    log: Option<&mut OrderLog<'_>>,
) -> Result<(Exploration, Option<PlayGraph>), Error> {
    let tree = |results: &Results, tables: &[String]| {
        results.kept.as_ref().map(|kept| kept.tree(settings, tables))
    };
    search_and_take(strategy, settings, servers, plan, stopped, log, tree)
}

/// Runs the orders. Returns the report, and what `take` takes of the results; it is given the names of what footprints
/// number, too.
fn search_and_take<T>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    servers: &[&dyn Server],
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
    mut log: Option<&mut OrderLog<'_>>,
    take: impl FnOnce(&Results, &[String]) -> T,
) -> Result<(Exploration, T), Error> {
    with_harnesses(strategy, settings, servers, |harnesses| {
        let (mut results, has_learned) =
            gathered(harnesses, servers, settings, plan, stopped, log.as_deref_mut())?;
        let mut remarks = remarks_of_all(harnesses, servers, log.as_deref());
        if has_learned {
            hide_learned(&mut remarks);
        }
        let Some(harness) = harnesses.first_mut() else {
            return Err(Error::world("no server to search at"));
        };
        let taken = take(&results, &harness.server().part_names());
        keep_steady(strategy, harness, &mut results);
        let place = Place::of(harness.server());
        Ok((concluded(strategy, settings, plan, results, remarks, place), taken))
    })
}

/// What the servers of these harnesses remark, and what a log says of the orders that were run before.
pub(super) fn remarks_of_all(
    harnesses: &[&mut Harness<'_>],
    servers: &[&dyn Server],
    log: Option<&OrderLog<'_>>,
) -> Remarks {
    share_overlap_notes(servers);
    let mut remarks = remarks(harnesses.iter().map(|harness| &**harness));
    if let Some(log) = log {
        remarks.hides_orders |= !log.hidden().is_empty();
        let told = std::mem::replace(&mut remarks.told, log.hidden().to_vec());
        remarks.told.extend(told.into_iter().filter(|one| !log.hidden().contains(one)));
    }
    remarks
}

/// The server at which orders were run, as the report names it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its name and version, in its own words.
    pub(super) version: String,
    /// The names of what footprints number.
    pub(super) tables: Vec<String>,
}

impl Place {
    pub(super) fn of(server: &dyn Server) -> Self {
        Self { version: server.version().to_owned(), tables: server.part_names() }
    }
}

/// The report of all orders that a search has run.
pub(super) fn concluded(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    plan: Plan,
    mut results: Results,
    mut remarks: Remarks,
    place: Place,
) -> Exploration {
    results.covered.outcomes = results.outcomes.len() as u64;
    hide_chance(&results, &mut remarks);
    hide_stalled(&results, &mut remarks);
    let idle = results.idle(settings);
    let covered = &mut results.covered;
    let reached = covered.preemptions.filter(|_| covered.diverged == 0);
    let asked_for_few = plan.preemptions.is_some_and(|bound| match bound {
        PreemptionBound::AtMost(most) => reached == Some(most),
        PreemptionBound::FewFirst => false,
    });
    covered.complete &= !remarks.hides_orders;
    if remarks.hides_orders {
        (covered.preemptions, covered.with_few_preemptions) = (None, 0);
    }
    let is_all_asked_for = covered.complete || asked_for_few && !remarks.hides_orders;
    let looked = Looked {
        at_everything: covered.complete,
        cut: match &results.failure {
            Some(error) => Some(failed_after(covered.run, "order", error)),
            None if is_all_asked_for => None,
            None => Some(why_cut(covered, &remarks)),
        },
        idle,
    };
    let covered = results.covered.clone();
    let report = report(strategy, settings, place, results, &looked, remarks);
    Exploration { orders: Some(covered), ..report }
}

/// The report of a search at a server that ended before its first order, while something was started, set up or
/// rehearsed: what ended it.
#[must_use]
pub fn stopped_before_orders(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    how: &str,
) -> Exploration {
    let looked = Looked {
        at_everything: false,
        cut: Some(how.into()),
        idle: Some(format!("{how} before the first order was run")),
    };
    Exploration {
        orders: Some(OrderCoverage::default()),
        ..Exploration::of(strategy, settings, &looked, Vec::new())
    }
}

/// Notes that the server has learned in the course of a search that a statement takes more steps than was known.
pub(super) fn hide_learned(remarks: &mut Remarks) {
    remarks.hides_orders = true;
    remarks.told.push(
        "a statement was seen to change several rows only when the search had come far, and was run in one step before"
            .into(),
    );
}

/// Notes that a random value may decide something, if one may: what else it can decide was not run.
pub(super) fn hide_chance(results: &Results, remarks: &mut Remarks) {
    if let Some(text) = &results.by_chance {
        remarks.hides_orders = true;
        remarks
            .told
            .push(format!("chance decides in `{text}`, and not all that it can decide was run"));
    }
}

/// Notes that some orders were given up since a buyer's code did nothing for too long.
pub(super) fn hide_stalled(results: &Results, remarks: &mut Remarks) {
    if results.stalled() > 0 {
        remarks.hides_orders = true;
        remarks.told.push(format!(
            "{} given up since a buyer's code did nothing for too long, and not judged",
            of(results.stalled(), "order")
        ));
    }
}

/// Notes that a beginning went on in another way when it was repeated: what else may follow it was not run.
pub(super) fn hide_divergence(how: &str, remarks: &mut Remarks) {
    remarks.hides_orders = true;
    remarks.told.push(format!("not as before when the beginning was repeated, {how}"));
}

/// Removes from the reported orders the values that differ each time they are run.
pub(super) fn keep_steady(
    strategy: &dyn DynStrategy,
    harness: &mut Harness<'_>,
    results: &mut Results,
) {
    // Only described checkouts have values that differ each time.
    let can_repeat =
        strategy.described().is_some() && results.failure.is_none() && !harness.server().is_over();
    for best in results.best.iter_mut().filter(|_| can_repeat) {
        hold_still(harness, best);
    }
}

/// The report of orders that were run.
pub(super) fn report(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    place: Place,
    results: Results,
    looked: &Looked,
    remarks: Remarks,
) -> Exploration {
    let [failed, deadlocks] = [IncidentKind::Failed, IncidentKind::ResolvedDeadlock]
        .map(|kind| results.orders_with(kind));
    let fates = results.fates();
    let Results { mut best, mut incidents, failure, .. } = results;
    incidents.sort_by_key(|one| one.kind);
    best.sort_by_key(|best| best.finding.kind.gravity());
    let Place { version, tables } = place;
    let incidents: Vec<Incident> =
        incidents.into_iter().map(|one| tell_incident(strategy, settings, &tables, one)).collect();
    let findings: Vec<FindingReport> = best
        .into_iter()
        .map(|Counterexample { finding, steps, .. }| {
            tell(strategy, settings, &tables, finding, &steps)
        })
        .collect();
    let report = Exploration {
        server: Some(version),
        failed,
        resolved_deadlocks: deadlocks,
        incidents,
        remarks: remarks.told,
        failure,
        ..Exploration::of(strategy, settings, looked, findings)
    };
    // With nothing in stock, the settings say the least that they can.
    let stock = if fates.is_sold_out { 0 } else { report.stock };
    Exploration { stock, ..report }
}

/// The most runs of a search that begins anew because of what the server has learned.
const MOST_BEGINNINGS: usize = 4;

/// Runs the orders; begins anew if the server learns that statements take more steps than was known. Also returns
/// whether that was so even in the last run.
pub(super) fn gathered(
    harnesses: &mut [&mut Harness<'_>],
    servers: &[&dyn Server],
    settings: &Settings,
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
    mut log: Option<&mut OrderLog<'_>>,
) -> Result<(Results, bool), Error> {
    // What is written down is what the search has run, and no more.
    let stable = match (&log, harnesses.first_mut()) {
        (Some(_), Some(harness)) => Some(stable_columns(&mut **harness)?),
        _ => None,
    };
    let mut beginnings = 1;
    loop {
        share_lessons(servers)?;
        let known = learned(servers)?;
        let (stable, log) = (stable.clone(), log.as_deref_mut());
        let results = match &mut *harnesses {
            [harness] => searched(&mut **harness, settings, plan, stable, stopped, log)?,
            harnesses => {
                let bounds = bounds(settings, plan);
                side_by_side(harnesses, servers, bounds, stopped, |execution| {
                    searched(execution, settings, plan, stable, stopped, log)
                })?
            }
        };
        if results.failure.is_some() {
            return Ok((results, false));
        }
        let has_learned = learned(servers)? != known;
        if !has_learned || stopped.is_stopped() || beginnings == MOST_BEGINNINGS {
            return Ok((results, has_learned));
        }
        beginnings += 1;
    }
}

/// Runs the orders once. Where they are written down, those that were run before are not run again; all are forgotten if
/// a server has learned.
fn searched<E: JudgedExecution>(
    execution: &mut E,
    settings: &Settings,
    plan: Plan,
    stable: Option<Columns>,
    stopped: &(dyn Monitor + Sync),
    log: Option<&mut OrderLog<'_>>,
) -> Result<Results, Error> {
    let Some(log) = log else { return search(execution, settings, plan, stable, stopped) };
    let known = execution.learned()?;
    let mut logged = LoggedExecution::open(execution, log)?;
    let results = search(&mut logged, settings, plan, stable, stopped)?;
    let has_failed = results.failure.is_some();
    if !has_failed && execution.learned()? != known && !stopped.is_stopped() {
        log.give_up()?;
    }
    Ok(results)
}

/// Why not every order that was asked for was run.
fn why_cut(covered: &OrderCoverage, remarks: &Remarks) -> String {
    if covered.diverged > 0 {
        let orders = of(covered.diverged, "order");
        format!("{orders} did not come out as before, and so are not covered")
    } else if remarks.hides_orders {
        remarks.told.last().map_or_else(String::new, String::clone)
    } else {
        cut_after(covered.run, "order")
    }
}

/// Follows one schedule at a real server.
///
/// # Errors
/// [`Error::Input`] for a step that cannot be made, [`Error::World`] when the server fails.
pub fn replay_orders(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    schedule: &Schedule,
) -> Result<Exploration, Error> {
    Harness::open(strategy, settings, server, Grain::Statement, |harness| {
        let run = |harness: &mut Harness<'_>| {
            run_one(harness, &mut Replay::of(schedule.0.clone()), WHOLE, &|| false).map(drop)
        };
        let mut ran = run(harness);
        for _ in 1..TRIES {
            // What an application does by itself can disturb one run, but not several.
            let is_unlike = match &ran {
                Ok(()) => harness.goes_on(),
                Err(error) => matches!(error, Error::Input(_)),
            };
            if !strategy.is_app() || !is_unlike {
                break;
            }
            harness.send_home()?;
            ran = run(harness);
        }
        ran?;
        let steps = harness.steps().to_vec();
        let goes_on = harness.goes_on();
        let stuck = harness.send_home()?;
        let mut findings = Vec::new();
        let (mut failed, mut deadlocks) = (false, 0);
        let mut cut = goes_on.then(|| UNFINISHED.to_owned());
        if !goes_on {
            let judged = judge(harness, stuck)?;
            cut = judged.stalled;
            findings = judged.findings;
            failed = judged.outcome.visits.iter().any(|(ending, _)| has_failed(*ending));
            deadlocks = judged.deadlocks;
        }
        let tables = server.part_names();
        let findings: Vec<FindingReport> = findings
            .into_iter()
            .map(|finding| tell(strategy, settings, &tables, finding, &steps))
            .collect();
        // What has no end is not judged: that nothing was found says nothing.
        let looked = Looked { idle: cut.clone(), cut, ..Looked::default() };
        Ok(Exploration {
            server: Some(server.version().to_owned()),
            failed: failed.into(),
            resolved_deadlocks: (deadlocks > 0).into(),
            remarks: remarks(std::iter::once(&*harness)).told,
            replayed: Some(timeline(settings, &tables, &steps)),
            ..Exploration::of(strategy, settings, &looked, findings)
        })
    })
}

/// How often the schedule of an application is followed that cannot be followed to its end.
const TRIES: usize = 3;

/// The bounds of a replay: the schedule has its own.
const WHOLE: Bounds = Bounds { most_steps: usize::MAX, ..AT_SERVER };

/// Remarks on what was covered with these harnesses, each at a copy of the server.
pub(super) fn remarks<'a, 'h: 'a>(harnesses: impl Iterator<Item = &'a Harness<'h>>) -> Remarks {
    let (mut remarks, mut passed_by) = (Remarks::default(), BTreeSet::new());
    for harness in harnesses {
        remarks = remarks.and(harness.server().remarks());
        passed_by.extend(not_run(harness));
    }
    let mut told = remarks.told();
    remarks.hides_orders |= !passed_by.is_empty();
    told.extend(passed_by.into_iter().map(str::to_owned));
    Remarks { told, counted: Vec::new(), ..remarks }
}

/// Why there may be orders that were not run with a harness, beside what its server says.
pub(super) fn not_run(harness: &Harness<'_>) -> Vec<&'static str> {
    [
        // If it was slow, it could have come before the others that moved meanwhile.
        (
            harness.unseen(),
            "a buyer waited for something that cannot be seen from here, such as a lock of the application's own, or its \
             code was slow: then there are orders that were not run (`unseen_after` in [app] gives it more time)",
        ),
        (
            harness.passed_over(),
            "a buyer that asked the same again and again, and heard the same, was taken to wait until another had moved; \
             how often it asks until it stops was not tried",
        ),
        (
            harness.passed_over_changed(),
            "a buyer that began again after a conflict, again and again, and changed something each time, was taken to wait \
             until another had moved; what it does if it goes on was not tried",
        ),
        (
            harness.other_turns(),
            "of two buyers that waited for the same lock, the server may let either go on first, and in some orders only one of \
             them was seen to: then there are orders that were not run",
        ),
    ]
    .into_iter()
    .filter(|(times, _)| *times > 0)
    .map(|(_, why)| why)
    .collect()
}

/// Prepares a server for [`search_orders`] and [`replay_orders`]. A private server need not be durable.
///
/// # Errors
/// [`Error::Input`] for impossible settings, or a strategy that cannot be stepped there; [`Error::World`] when the
/// server cannot be started or reached.
pub fn server_for(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    address: &Address,
    control: &Control,
) -> Result<Box<dyn Server>, Error> {
    server_rewriting(strategy, settings, address, control, None)
}

/// The same, with a cure that is written into the statements of an application on their way to the server.
pub(super) fn server_rewriting(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    address: &Address,
    control: &Control,
    rewriting: Option<Arc<Rewriting>>,
) -> Result<Box<dyn Server>, Error> {
    can_be_stepped(strategy, settings)?;
    let mut terms = terms(strategy, settings, address, control)?;
    terms.rewriting = rewriting;
    open_server(settings.store, address, &terms)
}

/// The same for [`rehearse`](crate::explore::rehearse) alone, which steps one buyer after the other, and so works at a
/// running shop, too.
///
/// # Errors
/// As [`server_for`].
pub fn server_to_rehearse_at(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    address: &Address,
    control: &Control,
) -> Result<Box<dyn Server>, Error> {
    let terms = terms(strategy, settings, address, control)?;
    open_server(settings.store, address, &terms)
}

/// The terms on which such a server is used.
fn terms(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    address: &Address,
    control: &Control,
) -> Result<StoreConfig, Error> {
    settings.check_for(&strategy.card())?;
    let mut terms = StoreConfig::of(settings, control).with_checkout(strategy.described());
    let clock = u32::from(settings.faults.expiries.min(1));
    terms.settings_mut().connections = settings.buyers + clock + BESIDE;
    terms.settings_mut().relaxed = true;
    terms.hold_inside = true;
    terms.allow_triggers = address.allow_triggers;
    Ok(terms)
}

/// Whether a strategy can be stepped at the store of these settings.
///
/// # Errors
/// [`Error::Input`] that says why not.
pub fn can_be_stepped(strategy: &dyn DynStrategy, settings: &Settings) -> Result<(), Error> {
    let card = strategy.card();
    settings.check_for(&card)?;
    let may_be = |name: &str| {
        let is_stepped = |checkout: &Checkout| match name {
            "crashes" => checkout.is_stepped_here(),
            "expiries" => checkout.is_stepped_here() && checkout.expiry().is_some(),
            _ => false,
        };
        strategy.described().as_deref().is_some_and(is_stepped)
    };
    let mut wanted = settings.faults.all().filter(|(_, times)| *times > 0);
    if let Some((name, _)) = wanted.find(|(name, _)| !may_be(name)) {
        return Err(Error::input(format!(
            "--{name}: at a real server nothing goes wrong on purpose; leave out --store, or --{name}"
        )));
    }
    let is_app = strategy.is_app();
    if settings.store == StoreKind::Http && !is_app {
        return Err(Error::input(format!(
            "{}: what a running shop says to its database cannot be held from here; race it, describe \
             its statements, or put a proxy between them: --app",
            card.name
        )));
    }
    if settings.buyers > MOST_BUYERS {
        return Err(Error::input(format!(
            "`buyers` is {}; at a real server it can be {MOST_BUYERS} at most, a connection each",
            settings.buyers
        )));
    }
    // etcd locks with leases of its own, whose time runs on while all buyers are held.
    let takes_leases = |kind| {
        let leases = matches!(kind, OpKind::Lock | OpKind::Lease | OpKind::Fence | OpKind::Hold);
        settings.store == StoreKind::Etcd && leases
    };
    let cannot = |kind: &&OpKind| {
        **kind == OpKind::Queue || takes_leases(**kind) || !settings.offers(**kind)
    };
    if let Some(missing) = card.needs.iter().find(cannot) {
        return Err(Error::input(format!(
            "{} needs {}, which cannot be stepped at the store `{}`; leave out --store\n       \
             `oversell-sim stores` shows what each store offers",
            card.name,
            missing.name(),
            settings.store
        )));
    }
    Ok(())
}

/// The most buyers: each has a connection of its own.
const MOST_BUYERS: u32 = 26;

/// Connections beside the buyers' own.
const BESIDE: u32 = 4;
