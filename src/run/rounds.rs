//! A run: one strategy, round after round, until all are raced or Ctrl-C comes.

use std::error::Error as _;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

use super::logbook::Logbook;
use crate::base::clock::Wall;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::check::expect::Expectation;
use crate::check::report::{Report, Run};
use crate::command::Command;
use crate::domain::card::About;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::domain::verb::Verb;
use crate::explore::{after_race, rehearse};
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
    for strategy in strategies {
        settings.check_for(&strategy.card())?;
        can_race(settings, &strategy.card())?;
    }
    hire_auditors()?;
    let described = strategies.iter().find_map(|strategy| strategy.described());
    let set_up = RaceTarget::open(settings, described, address, control)
        .and_then(|target| Ok((rehearsed(strategies, settings, &target)?, target)));
    let (settings, target) = match set_up {
        Ok((settings, target)) => (settings, target),
        // Ctrl-C came first: what was raced is known, and it is nothing.
        Err(Error::World(_)) if control.is_stopped() => {
            let nothing = |strategy: &&dyn DynStrategy| {
                let again = Command::of(Verb::Race, *strategy, settings).at(address);
                Logbook::open(expectations).close(strategy.card().name, true, again.into())
            };
            let runs = strategies.iter().map(nothing).collect();
            return Ok(Report::new(settings.store.name(), settings.in_effect(), runs));
        }
        Err(error) => return Err(error),
    };
    let settings = &settings;
    let clock = Wall::start();
    let runs = strategies
        .iter()
        .map(|strategy| {
            race_one(*strategy, &target, address, settings, expectations, &clock, control)
        })
        .collect::<Result<_, _>>()?;
    let report = Report::new(settings.store.name(), settings.in_effect(), runs);
    Ok(report.served_by(target.version()).measured_here())
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
    let Some(checkout) = strategy.described() else { return Ok(settings.clone()) };
    let few = Settings { buyers: settings.buyers.min(checkout.a_few()), ..settings.clone() };
    let Settings { items, stock, .. } = rehearse(*strategy, &few, server)?.settings;
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
    for number in 1..=settings.rounds {
        if control.is_stopped() {
            break;
        }
        let raced = strategy.race(target, settings, number, clock, control);
        // A round of which the server could not say what came of it is left out.
        let Some(round) = control.unless_stopped(raced)? else { break };
        logbook.enter(&round);
    }
    let again = Command::of(Verb::Race, strategy, settings).at(address);
    let mut run = logbook.close(name, control.is_stopped(), again.into());
    let next = after_race(strategy, settings, &run, target.server(), control);
    run.hint = next.map(|next| next.command_at(strategy, address));
    Ok(run)
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
