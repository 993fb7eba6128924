//! A run: one strategy, round after round, until all are raced or Ctrl-C comes.

use crate::clock::Wall;
use crate::entrant::Entrant;
use crate::error::Error;
use crate::expect::Expectation;
use crate::logbook::Logbook;
use crate::report::{Report, Run};
use crate::settings::Settings;
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
    settings.check()?;
    let clock = Wall::start();
    let runs = entrants
        .iter()
        .map(|entrant| race_one(*entrant, settings, expectations, &clock, control))
        .collect::<Result<_, _>>()?;
    Ok(Report::new("memory", settings.record(), runs))
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
    Ok(logbook.close(name, control.is_stopped(), again))
}
