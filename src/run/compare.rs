//! Contenders raced in turn: each cycle is one round of each, in an order of its own, so that whatever disturbs the
//! machine for a while disturbs all of them.

use std::time::Duration;

use rand::seq::SliceRandom;

use super::logbook::Logbook;
use super::rounds::{can_race, hire_auditors, rehearsed};
use crate::base::chance::{Dice, StreamPurpose};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::quantity::exact_duration;
use crate::check::comparison::{Comparison, Measured, Terms};
use crate::check::expect::Expectation;
use crate::command::Command;
use crate::domain::isolation::Isolation;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::domain::verb::Verb;
use crate::explore::after_race;
use crate::stores::{Address, RaceTarget};
use crate::worlds::dyn_strategy::DynStrategy;

/// The settings that decide how much there is to do: where they differ, times say nothing.
const WORK: [&str; 9] =
    ["buyers", "items", "stock", "cart", "qty", "threads", "think", "connections", "kill"];

/// One of those that are to be compared.
#[derive(Clone)]
pub struct Entrant {
    /// What it is called: no other is called that.
    pub name: String,
    /// The checkout.
    pub strategy: &'static dyn DynStrategy,
    /// Its settings; rounds are those of the comparison.
    pub settings: Settings,
}

/// Races all of them in turn, until each has raced all rounds, the time is up, or Ctrl-C comes.
///
/// # Errors
/// [`Error::Input`] for impossible settings, and for contenders that do not do the same work; [`Error::World`] when the
/// operating system refuses threads, or a server cannot be started or reached.
pub fn compare_all(
    entrants: &[Entrant],
    address: &Address,
    terms: &Terms,
    max_time: Option<Duration>,
    expectations: &[Expectation],
    control: &Control,
) -> Result<Comparison, Error> {
    for Entrant { strategy, settings, .. } in entrants {
        settings.check_for(&strategy.card())?;
        can_race(settings, &strategy.card())?;
    }
    hire_auditors()?;
    let targets = Targets::open(entrants, address, control)?;
    let mut lanes = entrants
        .iter()
        .map(|entrant| Lane::new(entrant, &targets, terms, expectations))
        .collect::<Result<Vec<_>, _>>()?;
    check_same_work(&lanes)?;
    let clock = Wall::start();
    for number in 1..=terms.warmup {
        race_each(&mut lanes, terms, number, &clock, control)?;
    }
    let began = clock.now();
    let mut cut_short = None;
    for number in terms.warmup + 1..=terms.warmup + terms.rounds {
        let is_over = max_time.filter(|most| clock.now() - began >= nanos(*most));
        if let Some(most) = is_over {
            cut_short = Some(format!("--max-time {} was over", exact_duration(most)));
            break;
        }
        race_each(&mut lanes, terms, number, &clock, control)?;
    }
    if control.is_stopped() {
        cut_short = Some("it was interrupted".into());
    }
    let is_cut = cut_short.is_some();
    let measured = lanes.into_iter().map(|lane| lane.close(address, is_cut, control)).collect();
    Ok(Comparison::of(terms, measured, cut_short))
}

/// One round of each, in an order that the seed decides.
fn race_each(
    lanes: &mut [Lane<'_>],
    terms: &Terms,
    number: u32,
    clock: &Wall,
    control: &Control,
) -> Result<(), Error> {
    let mut order: Vec<usize> = (0..lanes.len()).collect();
    order.shuffle(Dice::of(terms.seed, StreamPurpose::Schedule, number, 0).rng());
    for place in order {
        if control.is_stopped() {
            return Ok(());
        }
        lanes[place].race(terms, number, clock, control)?;
    }
    Ok(())
}

/// One contender, as far as it has raced.
struct Lane<'c> {
    entrant: &'c Entrant,
    target: &'c RaceTarget,
    /// The settings, with products and stock as the shop has them.
    settings: Settings,
    logbook: Logbook,
    values: Vec<f64>,
}

impl<'c> Lane<'c> {
    fn new(
        entrant: &'c Entrant,
        targets: &'c Targets,
        terms: &Terms,
        expectations: &[Expectation],
    ) -> Result<Self, Error> {
        let target = targets.of(entrant);
        let rounds = terms.warmup + terms.rounds;
        let settings = Settings { rounds, seed: terms.seed, ..entrant.settings.clone() };
        let settings = rehearsed(&[entrant.strategy], &settings, target)?;
        let logbook = Logbook::open(expectations);
        Ok(Self { entrant, target, settings, logbook, values: Vec::new() })
    }

    fn race(
        &mut self,
        terms: &Terms,
        number: u32,
        clock: &Wall,
        control: &Control,
    ) -> Result<(), Error> {
        let strategy = self.entrant.strategy;
        let raced = strategy.race(self.target, &self.settings, number, clock, control);
        let Some(round) = control.unless_stopped(raced)? else { return Ok(()) };
        let figures = self.logbook.enter(&round);
        // What was wrong in a round counts, whenever that was; how long it took counts if it was a whole one.
        if number > terms.warmup && figures.unserved == 0 {
            self.values.push(terms.gauge.value(&figures));
        }
        Ok(())
    }

    fn close(self, address: &Address, is_cut_short: bool, control: &Control) -> Measured {
        let Entrant { name, strategy, .. } = self.entrant;
        let again = Command::of(Verb::Race, *strategy, &self.settings).at(address);
        let mut run = self.logbook.close(strategy.card().name, is_cut_short, again.into());
        run.interrupted = control.is_stopped();
        let server = self.target.server();
        let next = after_race(*strategy, &self.settings, &run, server, control);
        run.hint = next.map(|next| next.command_at(*strategy, address));
        Measured {
            name: name.clone(),
            settings: self.settings,
            server: self.target.version(),
            values: self.values,
            run,
        }
    }
}

/// Refuses contenders that do not do the same work.
fn check_same_work(lanes: &[Lane<'_>]) -> Result<(), Error> {
    let Some((first, others)) = lanes.split_first() else { return Ok(()) };
    for other in others {
        for name in WORK {
            let (of_first, of_other) =
                (first.settings.value_of(name), other.settings.value_of(name));
            if of_first != of_other {
                return Err(Error::input(format!(
                    "{} and {} do not do the same work: `{name}` is {} and {}; say --{name}, or compare others",
                    first.entrant.name,
                    other.entrant.name,
                    said(&of_first),
                    said(&of_other)
                )));
            }
        }
    }
    Ok(())
}

fn said(value: &str) -> &str {
    if value.is_empty() { "not set" } else { value }
}

/// What a target depends on: the store, its level, and the checkout whose tables are in it.
type TargetKey = (StoreKind, Isolation, Option<&'static str>);

/// The places where they race: contenders at the same store share its server.
struct Targets(Vec<(TargetKey, RaceTarget)>);

impl Targets {
    fn open(entrants: &[Entrant], address: &Address, control: &Control) -> Result<Self, Error> {
        let mut opened: Vec<(TargetKey, RaceTarget)> = Vec::new();
        for entrant in entrants {
            let key = key(entrant);
            if opened.iter().all(|(other, _)| *other != key) {
                let described = entrant.strategy.described();
                let target = RaceTarget::open(&entrant.settings, described, address, control)?;
                opened.push((key, target));
            }
        }
        Ok(Self(opened))
    }

    fn of(&self, entrant: &Entrant) -> &RaceTarget {
        let key = key(entrant);
        let found = self.0.iter().find(|(other, _)| *other == key);
        found.map_or(&RaceTarget::Memory, |(_, target)| target)
    }
}

fn key(entrant: &Entrant) -> TargetKey {
    let Entrant { strategy, settings, .. } = entrant;
    let path = strategy.described().map(|checkout| checkout.path);
    (settings.store, settings.kept_apart(), path)
}
