//! A walk through a grid of settings: a race at each of its points.

use super::logbook::Logbook;
use super::rounds::{can_race, hire_auditors, rehearsed};
use crate::base::clock::Wall;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::check::sweep::{Place, SweepPoint};
use crate::domain::settings::Settings;
use crate::stores::{Address, RaceTarget};
use crate::worlds::dyn_strategy::DynStrategy;

/// Settings that a store does not depend on: while only these vary, it stays open.
const NOT_OF_STORE: [&str; 7] =
    ["buyers", "threads", "rounds", "think", "retries", "backoff", "seed"];

/// A point of a grid, with what is raced there.
#[derive(Clone)]
pub struct PlannedPoint {
    /// Where it lies.
    pub place: Place,
    /// The checkout.
    pub strategy: &'static dyn DynStrategy,
    /// The settings there.
    pub settings: Settings,
}

/// Races at each point, and hands in what was measured there, until Ctrl-C comes.
///
/// # Errors
/// [`Error::Input`] for impossible settings, before anything is raced; [`Error::World`] when the operating system refuses
/// threads, or a server cannot be started or reached; and what `hand_in` refuses.
pub fn sweep_all(
    points: &[PlannedPoint],
    address: &Address,
    control: &Control,
    mut hand_in: impl FnMut(SweepPoint) -> Result<(), Error>,
) -> Result<(), Error> {
    for PlannedPoint { strategy, settings, .. } in points {
        settings.check_for(&strategy.card())?;
        can_race(settings, &strategy.card())?;
    }
    hire_auditors()?;
    let clock = Wall::start();
    let mut open: Option<(&PlannedPoint, RaceTarget)> = None;
    for point in points {
        if control.is_stopped() {
            break;
        }
        let target = match open.take() {
            Some((other, target)) if is_at_same_store(other, point) => target,
            left => {
                drop(left);
                let described = point.strategy.described();
                RaceTarget::open(&point.settings, described, address, control)?
            }
        };
        if let Some(measured) = race_at(point, &target, &clock, control)? {
            hand_in(measured)?;
        }
        open = Some((point, target));
    }
    Ok(())
}

/// Races at one point; nothing if it was cut short.
fn race_at(
    point: &PlannedPoint,
    target: &RaceTarget,
    clock: &Wall,
    control: &Control,
) -> Result<Option<SweepPoint>, Error> {
    let settings = rehearsed(&[point.strategy], &point.settings, target)?;
    let mut logbook = Logbook::open(&[]);
    for number in 1..=settings.rounds {
        logbook.enter(&point.strategy.race(target, &settings, number, clock, control)?);
        if control.is_stopped() {
            return Ok(None);
        }
    }
    let run = logbook.close(point.strategy.card().name, false, String::new());
    Ok(Some(SweepPoint::of(&point.place, &run)))
}

/// Whether the store of one point can be raced on at another.
fn is_at_same_store(one: &PlannedPoint, other: &PlannedPoint) -> bool {
    let names = Settings::NAMES.into_iter().filter(|name| !NOT_OF_STORE.contains(name));
    let is_same = |name| one.settings.value_of(name) == other.settings.value_of(name);
    one.strategy.described().is_none()
        && other.strategy.described().is_none()
        && names.into_iter().all(is_same)
}
