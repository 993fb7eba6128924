//! `race --partition SLICE --start-at TIME`: one part of a race of several machines at one store, and `merge` of all.

use std::time::Duration;

use crate::base::clock::{machine_ns, nanos};
use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::base::text::moment;
use crate::base::text::quantity::{count, duration};
use crate::check::report::Report;
use crate::cli::output::{Output, tell_password};
use crate::cli::parts::{self, Header, PartitionFlag, Parts};
use crate::cli::{Ended, interrupt, progress};
use crate::describe::checkout::Checkout;
use crate::domain::store_kind::StoreKind;
use crate::run::common::{Absence, CommonWork, Gathering, Rendezvous, race_part};
use crate::run::logbook::Logbook;
use crate::run::rounds;

use super::{RaceArgs, ReportFormat, Task, task, told};

/// The longest time until the start. Most servers close connections that are idle for longer.
const FARTHEST: Duration = Duration::from_secs(24 * 3600);

/// Races one part, and writes a part of the report.
pub(super) fn race_slice(args: &RaceArgs, slice: Slice, start_ns: i64) -> Result<Ended, Error> {
    let is_given = |name| args.settings.text(name).is_some();
    let needed = [
        ("--seed", is_given("seed"), "the buyers of all parts draw with the same one"),
        (
            "--url",
            args.store.url.is_some(),
            "all parts race at one server, which each of them reaches",
        ),
    ];
    let about_all =
        [("--junit", args.junit.junit.is_some()), ("--baseline", args.baseline.is_given())];
    check_file(args)?;
    let task = task(args)?;
    check_task(&task, slice)?;
    PartitionFlag::check(&needed, args.format == ReportFormat::Json, &about_all)?;
    check_start(start_ns)?;
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control_telling(args.verbose)?;
    let header = Header::new(slice, &args.whole(&task), args.inputs(&task)?);
    let Task { strategies, settings, address, .. } = &task;
    let [strategy] = strategies[..] else { return Err(one_strategy()) };
    tell_password(address);
    let work = CommonWork {
        inputs: header.inputs().clone(),
        parts: slice.of(),
        command: header.command().to_vec(),
        build: parts::BUILD.into(),
    };
    let rendezvous = Rendezvous { address, slice, start_ns, work: &work };
    let is_mine = |other: &CommonWork| parts::check_same_race(&work, other);
    let buyers = slice.share_of(settings.buyers).into();
    let shows_progress = !args.quiet && !args.no_progress && !args.verbose;
    let raced = progress::watched(buyers, "racing", shows_progress, &control, || {
        race_part(rendezvous, strategy, settings, is_mine, &control)
    })?;
    let Some((report, part)) = raced else { return Ok(Ended::Interrupted) };
    output.write(&parts::written(&report, &header, &part)?)?;
    if control.is_stopped() {
        return Ok(Ended::Interrupted);
    }
    match part.missing() {
        [] => Ok(Ended::Well),
        missing => Err(incomplete(missing)),
    }
}

/// Makes one report of all parts.
pub(super) fn merge(args: &RaceArgs, parts: &Parts) -> Result<Ended, Error> {
    told(args, |task, _| {
        let Task { strategies, settings, address, expectations } = task;
        if let Some(file) = args.file() {
            parts.check_inputs(&args.inputs(task)?, file)?;
        }
        let is_described = strategies.iter().any(|strategy| strategy.described().is_some());
        let mut gathering = Gathering::of(settings, is_described);
        parts.each(|slice, part| gathering.add(slice, part))?;
        let settings = gathering.settings();
        settings.check()?;
        let mut logbook = Logbook::open(expectations);
        let start = gathering.enter(&mut logbook).map_err(Error::input)?;
        let report = rounds::merged(address, strategies, &settings, vec![logbook]);
        let report = Report { machine: parts.machine(), common_start: Some(start), ..report };
        Ok(report.served_by(parts.server()))
    })
}

fn check_start(start_ns: i64) -> Result<(), Error> {
    let left = start_ns.saturating_sub(machine_ns());
    let at = moment::written(start_ns);
    if left <= 0 {
        return Err(Error::input(format!(
            "--start-at: {at} is {} ago by this machine's clock; choose a time at which all parts can be there",
            duration(left.unsigned_abs())
        )));
    }
    if left.unsigned_abs() > nanos(FARTHEST) {
        return Err(Error::input(format!("--start-at: {at} is more than a day ahead")));
    }
    Ok(())
}

fn check_file(args: &RaceArgs) -> Result<(), Error> {
    match args.app {
        Some(_) => Err(Error::input(
            "--app: each machine would start an application of its own; leave out --start-at, and each part has a shop of its \
             own",
        )),
        None => Ok(()),
    }
}

/// Makes sure that all machines reach the stores of a checkout that is described in a file, and can leave notes there.
fn check_described(checkout: &Checkout) -> Result<(), Error> {
    let path = checkout.path;
    if checkout.beside.is_some() {
        return Err(Error::input(format!(
            "{path}: its two stores, {}, are always private servers, which only one machine reaches; leave out --start-at",
            checkout.store_names()
        )));
    }
    if checkout.store == StoreKind::Redis {
        return Err(Error::input(format!(
            "{path}: the keys of a checkout are a whole database, which is emptied, and so the parts of a race cannot leave each \
             other notes there; leave out --start-at"
        )));
    }
    if checkout.store == StoreKind::Http {
        return Err(Error::input(format!(
            "{path}: in a shop that runs already the parts of a race cannot leave each other notes; leave out --start-at"
        )));
    }
    Ok(())
}

fn check_task(task: &Task, slice: Slice) -> Result<(), Error> {
    let Task { strategies, settings, .. } = task;
    if let Some(checkout) = strategies.iter().find_map(|strategy| strategy.described()) {
        check_described(&checkout)?;
    }
    if !is_reached_by_all(settings.store) {
        return Err(Error::input(format!(
            "--store {}: only one machine reaches it; those that start together need postgres, mysql, redis or etcd, and \
             --url",
            settings.store
        )));
    }
    if strategies.len() != 1 {
        return Err(one_strategy());
    }
    if settings.rounds > 1 {
        return Err(Error::input(
            "--rounds: a race with --start-at has one round; start it again for another",
        ));
    }
    if settings.buyers < slice.of() {
        return Err(Error::input(format!(
            "--buyers: there are {}, and {} parts: each part needs one",
            count(settings.buyers),
            count(slice.of())
        )));
    }
    Ok(())
}

fn is_reached_by_all(store: StoreKind) -> bool {
    matches!(store, StoreKind::Postgres | StoreKind::Mysql | StoreKind::Redis | StoreKind::Etcd)
}

fn one_strategy() -> Error {
    Error::input("--strategy: machines that start together race one strategy; name one")
}

fn incomplete(missing: &[Absence]) -> Error {
    let missing: Vec<String> = missing.iter().map(Absence::to_string).collect();
    Error::world(format!(
        "the race is incomplete, and so nothing is known of what was sold: {}\n       start all parts again",
        missing.join("; ")
    ))
}
