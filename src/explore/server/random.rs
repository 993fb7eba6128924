//! Random statement orders at a real server, for checkouts too large to run every order.

use super::orders::{
    Place, hide_chance, hide_divergence, hide_learned, hide_stalled, keep_steady, remarks, report,
};
#[cfg(feature = "cli")]
use super::play_tree::KeptOrders;
use super::results::Results;
use super::search::run;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::domain::settings::Settings;
use crate::explore::bound::{AT_SERVER, Plan};
use crate::explore::completeness::{Looked, cut_after, failed_after};
use crate::explore::exploration::Exploration;
#[cfg(feature = "cli")]
use crate::explore::play_graph::PlayGraph;
use crate::explore::sampling::{Sampled, Sampling, chance};
use crate::scheduler::{End, LAST, Method, RandomWalk, run_all};
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{Grain, Harness};

/// Pilots: orders that show how many statements an order has.
const PILOTS: u64 = 8;

/// Runs random orders of these settings at a real server, which the seed determines, until `stopped` returns true.
///
/// # Errors
/// [`Error::World`] when the server fails; [`Error::Input`] for an order without end.
pub fn sample_orders(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    sampling: Sampling,
    stopped: &(dyn Monitor + Sync),
) -> Result<Exploration, Error> {
    let nothing = |_: &Results, _: &[String]| ();
    sample_and_take(strategy, settings, server, sampling, stopped, Results::default(), nothing)
        .map(|(report, ())| report)
}

/// The same, with the orders that were run as a tree in which a reader is the scheduler.
///
/// # Errors
/// As [`sample_orders`].
#[cfg(feature = "cli")]
pub(crate) fn sample_orders_to_play(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    sampling: Sampling,
    stopped: &(dyn Monitor + Sync),
) -> Result<(Exploration, Option<PlayGraph>), Error> {
    let results = Results { kept: Some(KeptOrders::default()), ..Results::default() };
    let tree = |results: &Results, tables: &[String]| {
        results.kept.as_ref().map(|kept| kept.tree(settings, tables))
    };
    sample_and_take(strategy, settings, server, sampling, stopped, results, tree)
}

/// Runs random orders, and gathers what comes of them in `results`. Returns the report, and what `take` takes of the
/// results; it is given the names of what footprints number, too.
fn sample_and_take<T>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    sampling: Sampling,
    stopped: &(dyn Monitor + Sync),
    mut results: Results,
    take: impl FnOnce(&Results, &[String]) -> T,
) -> Result<(Exploration, T), Error> {
    let Sampling { schedules, method, until_found } = sampling;
    Harness::open(strategy, settings, server, Grain::Statement, |harness| {
        let known = server.learned()?;
        let (steps, pilots) = match method {
            Method::Plain => (0, None),
            Method::Pct { .. } => {
                let (longest, pilots) = longest_pilot(harness, settings.seed, stopped)?;
                (longest, Some(pilots))
            }
        };
        let mut random = RandomWalk::new(settings.seed, 0..schedules, method, steps);
        let is_enough = |results: &Results| until_found && !results.best.is_empty();
        if let Some(pilots) = pilots {
            random = random.after(pilots);
        }
        let ran = run(
            harness,
            &mut random,
            Plan::ONE_BY_ONE,
            AT_SERVER,
            &mut results,
            stopped,
            is_enough,
        );
        results = results.keep_after(ran.map(drop))?;
        let followed = results.covered.run;
        let mut remarks = remarks(std::iter::once(&*harness));
        if results.failure.is_none() && server.learned()? != known {
            hide_learned(&mut remarks);
        }
        hide_chance(&results, &mut remarks);
        hide_stalled(&results, &mut remarks);
        if let Some(how) = random.divergence() {
            hide_divergence(how, &mut remarks);
        }
        let sampled = Sampled {
            schedules: followed,
            endless: 0,
            longest: results.longest as u64,
            method,
            // Where orders are hidden, a bug may need one that no choice leads to; and faults are chosen otherwise.
            chance: chance(method, settings.buyers as usize, steps, results.longest)
                .filter(|_| !remarks.hides_orders && results.covered.diverged == 0)
                .filter(|_| settings.faults.is_none()),
        };
        let is_cut = followed < schedules && !is_enough(&results);
        let looked = Looked {
            at_everything: false,
            cut: match (&results.failure, is_cut) {
                (Some(error), _) => Some(failed_after(followed, "schedule", error)),
                (None, true) => Some(cut_after(followed, "schedule")),
                (None, false) => remarks.told.last().filter(|_| remarks.hides_orders).cloned(),
            },
            idle: results.idle(settings),
        };
        let taken = take(&results, &harness.server().part_names());
        keep_steady(strategy, harness, &mut results);
        let place = Place::of(harness.server());
        let report = report(strategy, settings, place, results, &looked, remarks);
        Ok((Exploration { sampled: Some(sampled), ..report }, taken))
    })
}

/// The most statements of some orders, in which each buyer that can move is equally likely to. They are numbered from
/// the other end, so that they are not orders of the sample. Returned with the walk that has run them.
fn longest_pilot(
    harness: &mut Harness<'_>,
    seed: u64,
    stopped: &(dyn Monitor + Sync),
) -> Result<(usize, RandomWalk), Error> {
    let mut pilots = RandomWalk::new(seed, LAST - PILOTS + 1..LAST + 1, Method::Plain, 0);
    let mut longest = 0;
    run_all(harness, &mut pilots, AT_SERVER, &|| stopped.is_stopped(), |harness, pilot| {
        longest = longest.max(pilot.schedule.len());
        if pilot.end == End::Over {
            harness.send_home()?;
        }
        Ok(true)
    })?;
    Ok((longest, pilots))
}
