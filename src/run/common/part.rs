//! One part of a race of several machines at one store: its own buyers, and, if it is the first, the shop.

use std::thread;
use std::time::Duration;

use crossbeam::channel::bounded;
use serde::{Deserialize, Serialize};

use super::clocks::{self, ClockReadings};
use super::meeting::{CommonWork, Meeting, OpenedShop};
use super::roll::Absence;
use super::visits::VisitRow;
use crate::base::clock::{Clock, Wall};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::check::report::{Counted, Evidence, FigureTotals, Report};
use crate::check::round::{Counters, Round};
use crate::command::Command;
use crate::domain::books::Books;
use crate::domain::card::About;
use crate::domain::op::{OpKind, Units};
use crate::domain::settings::Settings;
use crate::domain::verb::Verb;
use crate::run::logbook::Logbook;
use crate::run::rounds::{can_race, rehearsed_at};
use crate::stores::remote::{Backend, CommonRace, Fixture, Server, StoreConfig};
use crate::stores::{Address, RaceTarget, open_server};
use crate::worlds::dyn_strategy::DynStrategy;

/// How long before the start connections are opened. Those that are open for hours are closed by others on the way.
const LEAD: Duration = Duration::from_secs(60);

/// How long before the start clocks are read. What lies between the readings counts against what is known of the race.
const READING_LEAD: Duration = Duration::from_secs(1);

/// What a part's own report says of itself.
const NOT_AUDITED: &str =
    "it is one part of a race on one store, and only all parts together are audited: merge them";

/// A part of a race, as it stands in a file: all that merging needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct PartOfCommonRace {
    /// The name of the race.
    pub(super) race: String,
    /// When buyers were to start, in nanoseconds since the beginning of 1970.
    pub(super) start_ns: i64,
    /// By how much later they did by the machine's clock.
    pub(super) started_ns: i64,
    /// The same on the race's clock.
    pub(super) started_race_ns: u64,
    pub(super) clocks: Option<ClockReadings>,
    /// How many products there were, as the shop of a described checkout has them.
    pub(super) items: u8,
    /// Units of each at the start.
    pub(super) stock: Units,
    pub(super) visits: Vec<VisitRow>,
    pub(super) tally: Counters,
    /// What this process has beside the store: payments, and what links have reported.
    pub(super) beside: Books,
    /// What is in the store, read after all parts had ended; the first part's alone, and only if none is missing.
    pub(super) shop: Option<Books>,
    /// The parts that are missing; the first part alone knows.
    pub(super) missing: Vec<Absence>,
    pub(super) took_ns: u64,
    pub(super) was_interrupted: bool,
}

impl PartOfCommonRace {
    /// The parts without which nothing can be said.
    #[must_use]
    pub fn missing(&self) -> &[Absence] {
        &self.missing
    }
}

/// Where and when a part races.
#[derive(Clone, Copy, Debug)]
pub struct Rendezvous<'a> {
    /// The server that all parts reach.
    pub address: &'a Address,
    /// Which part this is.
    pub slice: Slice,
    /// When buyers start, in nanoseconds since the beginning of 1970.
    pub start_ns: i64,
    /// Which race it is.
    pub work: &'a CommonWork,
}

/// Races one part. None if Ctrl-C came before its buyers started.
///
/// # Errors
/// [`Error::Input`] for a strategy or settings with which several processes cannot race, if `is_mine` says that the race at the
/// store is another one, and if a described checkout does not work for a buyer alone; [`Error::World`] when the server cannot be
/// reached, or the first part does not make the shop.
pub fn race_part(
    rendezvous: Rendezvous<'_>,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    is_mine: impl Fn(&CommonWork) -> Result<(), Error>,
    control: &Control,
) -> Result<Option<(Report, PartOfCommonRace)>, Error> {
    let done = race(rendezvous, strategy, settings, is_mine, control);
    control.unless_stopped(done).map(Option::flatten)
}

fn race(
    Rendezvous { address, slice, start_ns, work }: Rendezvous<'_>,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    is_mine: impl Fn(&CommonWork) -> Result<(), Error>,
    control: &Control,
) -> Result<Option<(Report, PartOfCommonRace)>, Error> {
    let (clock, card) = (Wall::start(), strategy.card());
    check(&card, settings)?;
    let terms_of = |common| {
        let terms = StoreConfig::of(settings, control).with_checkout(strategy.described());
        terms.in_common(common)
    };
    // Reaches the notes, and makes nothing else.
    let visitor = terms_of(CommonRace::new(slice, start_ns).joining());
    let visitor = open_server(settings.store, address, &visitor)?;
    let mut meeting = Meeting::open(&*visitor, control, slice, settings.patience)?;
    let terms = terms_of(CommonRace::new(slice, start_ns));
    let Some(common) = terms.common.clone() else { return Ok(None) };
    let makes_shop = slice.part() == 1;
    if makes_shop {
        meeting.claim()?;
    }
    // Declared after the meeting: the shop is removed before the notes are.
    let server = open_server(settings.store, address, &terms)?;
    let opened = match makes_shop {
        true => Some(opened(&*server, strategy, settings)?),
        false => meeting.await_shop(&common, is_mine)?,
    };
    let Some(shop) = opened else { return Ok(None) };
    let settings = &Settings { items: shop.items, stock: shop.stock, ..settings.clone() };
    match makes_shop {
        true => meeting.announce(work, shop)?,
        false => server.take_over(shop.products)?,
    }
    meeting.join()?;
    let is_far = common.until_start().is_some_and(|left| left > LEAD);
    if !wait_until(&common, LEAD, control) {
        let _ = meeting.end(true);
        return Ok(None);
    }
    if is_far {
        meeting.connect_again()?;
    }
    let target = RaceTarget::Backend(Backend::open(server, terms)?);
    if !wait_until(&common, READING_LEAD, control) {
        let _ = meeting.end(true);
        return Ok(None);
    }
    meeting.check_shop()?;
    let before = clocks::read(meeting.notes(), &clock)?;
    let round = {
        let (pulse, (alive, over)) = (meeting.pulse(), bounded(0));
        thread::scope(|scope| {
            scope.spawn(move || pulse(&over));
            let round = strategy.race(&target, settings, 1, &clock, control);
            drop(alive);
            round
        })?
    };
    let after = clocks::read(meeting.notes(), &clock).ok().flatten();
    let was_interrupted = control.is_stopped();
    match meeting.end(was_interrupted) {
        Err(_) if was_interrupted => {}
        told => told?,
    }
    let (missing, shop) = match makes_shop && !was_interrupted {
        true => audited(&mut meeting, &target, Fixture::of(settings, &card))?,
        false => (Vec::new(), None),
    };
    let Some(started) = common.started() else { return Ok(None) };
    let report = report_of(strategy, settings, address, &round, was_interrupted);
    let report = report.served_by(target.version()).measured_here();
    let part = PartOfCommonRace {
        race: meeting.race(),
        start_ns,
        started_ns: started.machine_ns.saturating_sub(start_ns),
        started_race_ns: started.race_ns,
        items: settings.items,
        stock: settings.stock,
        clocks: before.zip(after).map(|(before, after)| ClockReadings { before, after }),
        visits: round.visits.iter().map(VisitRow::from).collect(),
        tally: round.tally,
        beside: round.books,
        shop,
        missing,
        took_ns: clock.now(),
        was_interrupted: was_interrupted || control.is_stopped(),
    };
    Ok(Some((report, part)))
}

/// Makes the shop, after a rehearsal of a checkout that is described in a file.
fn opened(
    server: &dyn Server,
    strategy: &dyn DynStrategy,
    settings: &Settings,
) -> Result<OpenedShop, Error> {
    let settings = rehearsed_at(strategy, settings, server)?;
    server.stock_up(Fixture::of(&settings, &strategy.card()))?;
    let Settings { items, stock, .. } = settings;
    Ok(OpenedShop { items, stock, products: server.products() })
}

/// Makes sure that several processes can race this strategy together.
fn check(card: &About, settings: &Settings) -> Result<(), Error> {
    settings.check_for(card)?;
    can_race(settings, card)?;
    if card.asks_for(|kind| kind == OpKind::Queue) {
        return Err(Error::input(format!(
            "{} has one worker that serves all buyers, and processes on several machines would have one each; race it \
             without --start-at",
            card.name
        )));
    }
    Ok(())
}

/// Waits until so long before the start; false if Ctrl-C came first.
fn wait_until(common: &CommonRace, lead: Duration, control: &Control) -> bool {
    let left = common.until_start().unwrap_or_default();
    control.pause(left.saturating_sub(lead)) && !control.is_stopped()
}

/// Waits until every other part has ended, and reads the store then. If one is missing, its buyers may still be at work, and what
/// the store says would prove nothing.
fn audited(
    meeting: &mut Meeting<'_>,
    target: &RaceTarget,
    opening: Fixture,
) -> Result<(Vec<Absence>, Option<Books>), Error> {
    let Some(missing) = meeting.await_others()? else { return Ok((Vec::new(), None)) };
    let shop = match (target.server(), missing.is_empty()) {
        (Some(server), true) => Some(server.take_stock(opening)?),
        _ => None,
    };
    Ok((missing, shop))
}

/// What a part says of itself: what its buyers did, and no verdict.
fn report_of(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    address: &Address,
    round: &Round,
    was_interrupted: bool,
) -> Report {
    let counted = Counted {
        number: 1,
        gathered: FigureTotals::from_round(round, &[]),
        findings: Vec::new(),
        events: 0,
        banners: Default::default(),
    };
    let mut logbook = Logbook::open(&[]);
    logbook.enter_audited(counted, &round.visits);
    let again = Command::of(Verb::Race, strategy, settings).at(address);
    let mut run = logbook.close(strategy.card().name, was_interrupted, again.into());
    run.evidence = Evidence::Vacuous;
    run.incomplete = Some(NOT_AUDITED.into());
    Report::new(settings.store.name(), settings.in_effect(), vec![run])
}
