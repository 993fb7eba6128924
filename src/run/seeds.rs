//! Seeds: one strategy in one simulated shop, seed after seed, on all cores.

use rayon::prelude::*;

use super::logbook::{Logbook, audited};
use crate::base::error::Error;
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
    for strategy in strategies {
        scene.check_for(&strategy.card())?;
    }
    let runs = strategies
        .iter()
        .map(|strategy| simulate_one(*strategy, scene, seeds, expectations, command, control))
        .collect::<Result<_, Error>>()?;
    Ok(Report::new("simulated", scene.settings.in_effect(), runs).simulated())
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

fn simulate_one(
    strategy: &dyn DynStrategy,
    scene: &SimConfig,
    seeds: u32,
    expectations: &[Expectation],
    command: &Command,
    control: &Control,
) -> Result<Run, Error> {
    let name = strategy.card().name;
    let mut logbook = Logbook::open(expectations);
    let mut first = 0;
    while first < seeds && !control.is_stopped() {
        let until = seeds.min(first + CHUNK);
        let rounds: Vec<Result<_, Error>> = (first..until)
            .into_par_iter()
            .map(|number| {
                let seed = scene.settings.seed + u64::from(number);
                let stopped = || control.is_stopped();
                let (outcome, _) = strategy.simulate(scene, seed, Story::default(), &stopped)?;
                control.count_served(scene.rush.buyers());
                let (counted, visits) = match outcome {
                    Outcome::Kept(round) => (audited(&round), round.visits),
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
    let again = |seed: u64| command.clone().flag("strategy", name).flag("seed", &seed.to_string());
    let seed = scene.settings.seed;
    let mut run = logbook.close(name, control.is_stopped(), again(seed).into());
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
    run.hint = match run.evidence {
        Evidence::Vacuous if scene.settings.buyers == 1 && run.rounds > 0 => {
            Some(Hint::new(Purpose::Instead, again(seed).flag("buyers", "1000")))
        }
        _ => after_simulation(strategy, &scene.settings, &run).map(|next| next.command(strategy)),
    };
    Ok(run)
}
