//! A run: one strategy, round after round, until all are raced or Ctrl-C comes.

use std::error::Error as _;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

use crate::clock::Wall;
use crate::entrant::Entrant;
use crate::error::Error;
use crate::expect::Expectation;
use crate::logbook::Logbook;
use crate::report::{Report, Run};
use crate::settings::Settings;
use crate::stores::memory;
use crate::strategy::About;
use crate::worlds::threads::Control;

/// Races every entrant in turn on the same settings.
///
/// # Errors
/// [`Error::Input`] for impossible settings, [`Error::World`] when the operating system refuses
/// threads.
pub fn race_all(
    entrants: &[&dyn Entrant],
    settings: &Settings,
    expectations: &[Expectation],
    control: &Control,
) -> Result<Report, Error> {
    for entrant in entrants {
        settings.check_for(&entrant.card())?;
        can_race(settings, &entrant.card())?;
    }
    hire_auditors()?;
    let clock = Wall::start();
    let runs = entrants
        .iter()
        .map(|entrant| race_one(*entrant, settings, expectations, &clock, control))
        .collect::<Result<_, _>>()?;
    Ok(Report::new("memory", settings.record(), runs))
}

/// Whether threads can race it: the store in memory offers no more than it can do at full speed, and
/// nothing goes wrong on purpose.
fn can_race(settings: &Settings, card: &About) -> Result<(), Error> {
    if let Some((name, _)) = settings.faults.all().find(|(_, times)| *times > 0) {
        return Err(Error::input(format!(
            "`{name}`: on threads nothing goes wrong on purpose; explore and replay take it"
        )));
    }
    match card.needs.iter().find(|kind| !memory::offers(**kind)) {
        None => Ok(()),
        Some(kind) => Err(Error::input(format!(
            "{} needs {}, which the store in memory does not offer; explore it instead: \
             oversell-sim explore --strategy {}",
            card.name,
            kind.name(),
            card.name
        ))),
    }
}

fn race_one(
    entrant: &dyn Entrant,
    settings: &Settings,
    expectations: &[Expectation],
    clock: &Wall,
    control: &Control,
) -> Result<Run, Error> {
    let name = entrant.card().name;
    let mut logbook = Logbook::open(expectations);
    for number in 1..=settings.rounds {
        if control.is_stopped() {
            break;
        }
        logbook.enter(&entrant.race(settings, number, clock, control)?);
    }
    let again = format!("oversell-sim race --strategy {name}{}", settings.flags());
    let explore =
        format!("oversell-sim explore --strategy {name}{}", settings.small().shop_flags());
    Ok(logbook.close(name, control.is_stopped(), again, explore))
}

/// Starts the threads that audit large crowds, once in a process: where there are none to be had,
/// this is the time to say so, and not when the race is over.
fn hire_auditors() -> Result<(), Error> {
    static FAILED: OnceLock<Option<String>> = OnceLock::new();
    let failed = FAILED.get_or_init(|| {
        let pool = ThreadPoolBuilder::new().build_global().err()?;
        // Without a source it only says that somebody else has done it already.
        pool.source().map(ToString::to_string)
    });
    match failed {
        None => Ok(()),
        Some(why) => Err(Error::world(format!(
            "cannot start the threads of the audit: {why}; try RAYON_NUM_THREADS=1"
        ))),
    }
}
