//! Seeds: one strategy in one simulated shop, seed after seed, on all cores.

use rayon::prelude::*;

use super::logbook::{Logbook, PartOfRun, audited};
use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::check::audit::Naming;
use crate::check::expect::Expectation;
use crate::check::report::{Counted, Outcome};
use crate::check::report::{Evidence, Report, Run};
use crate::check::report::{Hint, Purpose};
use crate::command::Command;
use crate::domain::op::Item;
use crate::explore::after_simulation;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::threads::Control;
use crate::worlds::timed::{SimConfig, Story, StoryLine};

/// Seeds that are simulated between two checks of whether to stop. It does not depend on the number of threads.
const CHUNK: u32 = 256;

/// Simulates every strategy in turn in the same shop, with `seeds` consecutive seeds, beginning with the settings' own.
/// The result does not depend on the number of threads. `command` repeats the run, once strategy and seed are added.
///
/// # Errors
/// [`Error::Input`] for impossible settings, or for a shop in which a strategy cannot work.
pub fn simulate_all(
    strategies: &[&dyn DynStrategy],
    scene: &SimConfig,
    seeds: u32,
    expectations: &[Expectation],
    command: &Command,
    control: &Control,
) -> Result<Report, Error> {
    check_for_all(strategies, scene)?;
    let runs = strategies.iter().map(|strategy| {
        let logbook =
            simulate_rounds(*strategy, scene, seeds, Slice::WHOLE, expectations, control)?;
        Ok(concluded(logbook, *strategy, scene, command, control.is_stopped()))
    });
    Ok(report(scene, runs.collect::<Result<_, Error>>()?))
}

/// The same of one part of the seeds: what came of it by itself, without a word on what is expected of the whole, and the
/// logbooks that belong to it, one for each strategy.
///
/// # Errors
/// As [`simulate_all`].
pub fn simulate_part(
    strategies: &[&dyn DynStrategy],
    scene: &SimConfig,
    seeds: u32,
    slice: Slice,
    expectations: &[Expectation],
    command: &Command,
    control: &Control,
) -> Result<(Report, Vec<PartOfRun>), Error> {
    check_for_all(strategies, scene)?;
    let (mut runs, mut parts) = (Vec::new(), Vec::new());
    for strategy in strategies {
        let logbook = simulate_rounds(*strategy, scene, seeds, slice, expectations, control)?;
        let part = logbook.into_part(control.is_stopped());
        let mut run = closed(part.alone(), *strategy, scene, command, part.was_interrupted());
        if slice.share_of(seeds) == 0 {
            run.incomplete =
                Some("there are fewer seeds than parts, and none is in this one".into());
        }
        runs.push(run);
        parts.push(part);
    }
    Ok((report(scene, runs), parts))
}

/// The report of all seeds, from a logbook for each strategy that holds all parts of its run.
#[must_use]
pub fn merged(
    strategies: &[&dyn DynStrategy],
    scene: &SimConfig,
    command: &Command,
    logbooks: Vec<Logbook>,
) -> Report {
    let runs = strategies.iter().zip(logbooks);
    let runs = runs.map(|(strategy, logbook)| concluded(logbook, *strategy, scene, command, false));
    report(scene, runs.collect())
}

fn check_for_all(strategies: &[&dyn DynStrategy], scene: &SimConfig) -> Result<(), Error> {
    strategies.iter().try_for_each(|strategy| scene.check_for(&strategy.card()))
}

fn report(scene: &SimConfig, runs: Vec<Run>) -> Report {
    Report::new("simulated", scene.settings.in_effect(), runs).simulated()
}

/// Simulates one seed, and tells the story.
///
/// # Errors
/// As [`simulate_all`].
pub fn tell_story(
    strategy: &dyn DynStrategy,
    scene: &SimConfig,
    control: &Control,
) -> Result<(Outcome, Vec<StoryLine>), Error> {
    scene.check_for(&strategy.card())?;
    strategy.simulate(scene, scene.settings.seed, Story::told(), &|| control.is_stopped())
}

/// Simulates this part of the seeds.
fn simulate_rounds(
    strategy: &dyn DynStrategy,
    scene: &SimConfig,
    seeds: u32,
    slice: Slice,
    expectations: &[Expectation],
    control: &Control,
) -> Result<Logbook, Error> {
    let mut logbook = Logbook::open(expectations);
    let share = slice.share_of(seeds);
    let mut first = 0;
    while first < share && !control.is_stopped() {
        let until = share.min(first.saturating_add(CHUNK));
        let rounds: Vec<Result<_, Error>> = (first..until)
            .into_par_iter()
            .map(|piece| {
                let number = slice.place_of(piece);
                let seed = scene.settings.seed + u64::from(number);
                let stopped = || control.is_stopped();
                let (outcome, _) = strategy.simulate(scene, seed, Story::default(), &stopped)?;
                control.count_served(scene.rush.buyers());
                let (counted, visits) = match outcome {
                    Outcome::Kept(round) => (audited(&round, Naming::Letters), round.visits),
                    Outcome::Counted(counted) => (*counted, Vec::new()),
                };
                Ok((Counted { number: number + 1, ..counted }, visits))
            })
            .collect();
        // Rounds that were cut short are dropped.
        if control.is_stopped() {
            break;
        }
        for round in rounds {
            let (counted, visits) = round?;
            logbook.enter_audited(counted, &visits);
        }
        first = until;
    }
    Ok(logbook)
}

/// What came of a strategy, without a hint.
fn closed(
    logbook: Logbook,
    strategy: &dyn DynStrategy,
    scene: &SimConfig,
    command: &Command,
    interrupted: bool,
) -> Run {
    let name = strategy.card().name;
    let again = |seed: u64| command.clone().flag("strategy", name).flag("seed", &seed.to_string());
    let seed = scene.settings.seed;
    let mut run = logbook.close(name, interrupted, again(seed).into());
    for (item, product) in (0..).map(Item).zip(&mut run.products) {
        if let Some(name) = scene.products.get(usize::from(item.0)) {
            product.name.clone_from(name);
        }
        product.reads = scene.replicas.as_ref().map(|replicas| replicas.reads_of(item).name());
    }
    // The command repeats the worst round.
    if let Some(worst) = &run.worst {
        run.again = again(seed + u64::from(worst.number) - 1).into();
    }
    run
}

/// What came of a strategy, and what to type next.
fn concluded(
    logbook: Logbook,
    strategy: &dyn DynStrategy,
    scene: &SimConfig,
    command: &Command,
    interrupted: bool,
) -> Run {
    let mut run = closed(logbook, strategy, scene, command, interrupted);
    run.hint = match run.evidence {
        Evidence::Vacuous if scene.settings.buyers == 1 && run.rounds > 0 => {
            let seed = scene.settings.seed.to_string();
            let again = command.clone().flag("strategy", strategy.card().name).flag("seed", &seed);
            Some(Hint::new(Purpose::Instead, again.flag("buyers", "1000")))
        }
        _ => after_simulation(strategy, &scene.settings, &run).map(|next| next.command(strategy)),
    };
    run
}
