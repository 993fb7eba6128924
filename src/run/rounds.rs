//! A run: one strategy, round after round, until all are raced or Ctrl-C comes.

use std::error::Error as _;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

use super::logbook::{Logbook, PartOfRun};
use crate::base::clock::Wall;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::check::expect::Expectation;
use crate::check::report::{Evidence, Report, Run};
use crate::command::Command;
use crate::domain::card::About;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::domain::verb::Verb;
use crate::explore::{after_race, rehearse};
use crate::stores::remote::Server;
use crate::stores::{Address, RaceTarget};
use crate::worlds::dyn_strategy::DynStrategy;

/// Races every strategy in turn on the same settings.
///
/// # Errors
/// [`Error::Input`] for impossible settings, [`Error::World`] when the operating system refuses
/// threads.
pub fn race_all(
    strategies: &[&dyn DynStrategy],
    settings: &Settings,
    expectations: &[Expectation],
    control: &Control,
) -> Result<Report, Error> {
    race_all_at(&Address::default(), strategies, settings, expectations, control)
}

/// The same on a server that runs already, if the address names one.
///
/// # Errors
/// [`Error::Input`] for impossible settings, [`Error::World`] when the operating system refuses
/// threads, or a server cannot be started or reached.
pub fn race_all_at(
    address: &Address,
    strategies: &[&dyn DynStrategy],
    settings: &Settings,
    expectations: &[Expectation],
    control: &Control,
) -> Result<Report, Error> {
    let raced = at_target(address, strategies, settings, control, |settings, target| {
        let clock = Wall::start();
        let race = |strategy: &&dyn DynStrategy| {
            race_one(*strategy, target, address, settings, expectations, &clock, control)
        };
        let runs = strategies.iter().map(race).collect::<Result<_, _>>()?;
        Ok(report(settings, runs).served_by(target.version()).measured_here())
    })?;
    Ok(raced.unwrap_or_else(|| {
        let nothing = |strategy: &&dyn DynStrategy| {
            let again = Command::of(Verb::Race, *strategy, settings).at(address);
            Logbook::open(expectations).close(strategy.card().name, true, again.into())
        };
        report(settings, strategies.iter().map(nothing).collect())
    }))
}

/// The same of one part of the rounds: what came of it by itself, without a word on what is expected of the whole, and the
/// logbooks that belong to it, one for each strategy.
///
/// # Errors
/// As [`race_all_at`].
pub fn race_part(
    address: &Address,
    strategies: &[&dyn DynStrategy],
    settings: &Settings,
    slice: Slice,
    expectations: &[Expectation],
    control: &Control,
) -> Result<(Report, Vec<PartOfRun>), Error> {
    let share = slice.share_of(settings.rounds);
    let told = |settings: &Settings, parts: &[PartOfRun]| {
        let runs = strategies.iter().zip(parts).map(|(strategy, part)| {
            let again = Command::of(Verb::Race, *strategy, settings).at(address);
            let name = strategy.card().name;
            let mut run = part.alone().close(name, part.was_interrupted(), again.into());
            if share == 0 {
                run.incomplete =
                    Some("there are fewer rounds than parts, and none is in this one".into());
            }
            run
        });
        report(settings, runs.collect())
    };
    let raced = at_target(address, strategies, settings, control, |settings, target| {
        let clock = Wall::start();
        let race = |strategy: &&dyn DynStrategy| {
            let mut logbook = Logbook::open(expectations);
            let rounds = (0..share).map(|piece| slice.place_of(piece) + 1);
            race_rounds(&mut logbook, *strategy, target, settings, rounds, &clock, control)?;
            Ok(logbook.into_part(control.is_stopped()))
        };
        let parts = strategies.iter().map(race).collect::<Result<Vec<_>, Error>>()?;
        let report = told(settings, &parts).served_by(target.version()).measured_here();
        Ok((report, parts))
    })?;
    Ok(raced.unwrap_or_else(|| {
        let nothing = |_: &&dyn DynStrategy| Logbook::open(expectations).into_part(true);
        let parts: Vec<PartOfRun> = strategies.iter().map(nothing).collect();
        (told(settings, &parts), parts)
    }))
}

/// The report of all rounds, from a logbook for each strategy that holds all parts of its run. No server is there to be asked
/// what else would show a finding at it, so that of a broken run at a server no next command is told.
#[must_use]
pub fn merged(
    address: &Address,
    strategies: &[&dyn DynStrategy],
    settings: &Settings,
    logbooks: Vec<Logbook>,
) -> Report {
    let runs = strategies.iter().zip(logbooks).map(|(strategy, logbook)| {
        let again = Command::of(Verb::Race, *strategy, settings).at(address);
        let mut run = logbook.close(strategy.card().name, false, again.into());
        let is_known = run.evidence != Evidence::Broken || settings.store == StoreKind::Memory;
        let next = is_known
            .then(|| after_race(*strategy, settings, &run, None, &Control::default()))
            .flatten();
        run.hint = next.map(|next| next.command_at(*strategy, address));
        run
    });
    report(settings, runs.collect())
}

fn report(settings: &Settings, runs: Vec<Run>) -> Report {
    Report::new(settings.store.name(), settings.in_effect(), runs)
}

/// Does the work where the stock is, with the settings as they are there. None if Ctrl-C came first: what was raced is known
/// then, and it is nothing.
fn at_target<T>(
    address: &Address,
    strategies: &[&dyn DynStrategy],
    settings: &Settings,
    control: &Control,
    work: impl FnOnce(&Settings, &RaceTarget) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    for strategy in strategies {
        settings.check_for(&strategy.card())?;
        can_race(settings, &strategy.card())?;
    }
    hire_auditors()?;
    let described = strategies.iter().find_map(|strategy| strategy.described());
    let set_up = RaceTarget::open(settings, described, address, control)
        .and_then(|target| Ok((rehearsed(strategies, settings, &target)?, target)));
    let Some((settings, target)) = control.unless_stopped(set_up)? else { return Ok(None) };
    work(&settings, &target).map(Some)
}

/// The settings: of a described checkout with products and stock as its shop has them, after a rehearsal of a few
/// buyers; of any other unchanged.
pub(super) fn rehearsed(
    strategies: &[&dyn DynStrategy],
    settings: &Settings,
    target: &RaceTarget,
) -> Result<Settings, Error> {
    let (Some(server), [strategy]) = (target.server(), strategies) else {
        return Ok(settings.clone());
    };
    rehearsed_at(*strategy, settings, server)
}

/// The same at this server.
pub(super) fn rehearsed_at(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
) -> Result<Settings, Error> {
    let Some(checkout) = strategy.described() else { return Ok(settings.clone()) };
    let few = Settings { buyers: settings.buyers.min(checkout.a_few()), ..settings.clone() };
    let Settings { items, stock, .. } = rehearse(strategy, &few, server)?.settings;
    Ok(Settings { items, stock, ..settings.clone() })
}

/// Checks that threads can race it: the store offers what it needs, and no fault happens on purpose.
pub(super) fn can_race(settings: &Settings, card: &About) -> Result<(), Error> {
    if let Some((name, _)) = settings.faults.all().find(|(_, times)| *times > 0) {
        return Err(Error::input(format!(
            "`{name}`: on threads nothing goes wrong on purpose; explore and replay take it"
        )));
    }
    let store = settings.store;
    let Some(missing) = card.needs.iter().find(|kind| !settings.offers(**kind)) else {
        return Ok(());
    };
    let elsewhere: Vec<&str> = card.stores().into_iter().map(StoreKind::name).collect();
    let instead = match elsewhere.is_empty() {
        false => format!("race it on {}, or explore it", elsewhere.join(", ")),
        true => "explore it instead".into(),
    };
    if settings.unit_rows && store.offers(*missing) {
        return Err(Error::input(format!(
            "{} needs {}, and rows that are units can only be taken: leave out --unit-rows, or choose \
             conditional",
            card.name,
            missing.name()
        )));
    }
    Err(Error::input(format!(
        "{} needs {}, which the store `{store}` does not offer; {instead}: \
         oversell-sim explore --strategy {}\n       \
         `oversell-sim stores` shows what each store offers",
        card.name,
        missing.name(),
        card.name
    )))
}

fn race_one(
    strategy: &dyn DynStrategy,
    target: &RaceTarget,
    address: &Address,
    settings: &Settings,
    expectations: &[Expectation],
    clock: &Wall,
    control: &Control,
) -> Result<Run, Error> {
    let name = strategy.card().name;
    let mut logbook = Logbook::open(expectations);
    let rounds = 1..=settings.rounds;
    race_rounds(&mut logbook, strategy, target, settings, rounds, clock, control)?;
    let again = Command::of(Verb::Race, strategy, settings).at(address);
    let mut run = logbook.close(name, control.is_stopped(), again.into());
    let next = after_race(strategy, settings, &run, target.server(), control);
    run.hint = next.map(|next| next.command_at(strategy, address));
    Ok(run)
}

/// Races the rounds of these numbers, until Ctrl-C comes.
fn race_rounds(
    logbook: &mut Logbook,
    strategy: &dyn DynStrategy,
    target: &RaceTarget,
    settings: &Settings,
    numbers: impl Iterator<Item = u32>,
    clock: &Wall,
    control: &Control,
) -> Result<(), Error> {
    for number in numbers {
        if control.is_stopped() {
            break;
        }
        let raced = strategy.race(target, settings, number, clock, control);
        // A round of which the server could not say what came of it is left out.
        let Some(round) = control.unless_stopped(raced)? else { break };
        logbook.enter(&round);
    }
    Ok(())
}

/// Starts the threads that audit large crowds, once in a process. If they cannot be started, the error comes now, and
/// not when the race is over.
pub(super) fn hire_auditors() -> Result<(), Error> {
    static FAILED: OnceLock<Option<String>> = OnceLock::new();
    let failed = FAILED.get_or_init(|| {
        let pool = ThreadPoolBuilder::new().build_global().err()?;
        // An error without a source only says that the pool was built before.
        pool.source().map(ToString::to_string)
    });
    match failed {
        None => Ok(()),
        Some(why) => Err(Error::world(format!(
            "cannot start the threads of the audit: {why}; try RAYON_NUM_THREADS=1"
        ))),
    }
}
