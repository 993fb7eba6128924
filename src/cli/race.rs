//! `race`: flags in, a report out.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::chance;
use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::base::partition::Slice;
use crate::base::text::moment;
use crate::base::text::server_url::ServerUrl;
use crate::check::expect::Expectation;
use crate::check::report::Report;
use crate::command::{Command, Verb};
use crate::domain::op::{OpKind, Units};
use crate::domain::settings::{Part, Settings};
use crate::explore::{check_counted, with_carts};
use crate::render::{self, TestCase, Width};
use crate::run::logbook::{Logbook, PartOfRun};
use crate::run::rounds::{self, race_all_at, race_part};
use crate::stores::{Address, StoreKind};
use crate::strategies;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::threads::Control;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::baseline::{BaselineFlags, tell};
use super::ci::{CiLog, JunitFlag, logged};
use super::flags::{self, DescribedCheckout, Offer, SettingFlags, applied};
use super::meaning::{check_level, refuse};
use super::merge::MergeFlags;
use super::output::{Output, line_to_stderr, refuse_same_file, tell_password};
use super::parts::{self, Header, PartitionFlag, Parts};
use super::{Ended, interrupt, progress};

/// How long buyers wait in a race of the zoo in memory, if no flag says so. Some of its strategies keep locks for ever,
/// and those who wait for one would take all of the usual patience.
const ZOO_PATIENCE: Duration = Duration::from_secs(2);

/// How much longer they wait for each buyer: all of them may queue up for one lock.
const ZOO_PATIENCE_A_BUYER: Duration = Duration::from_millis(1);

/// The race's own settings.
#[derive(Clone, Debug)]
struct OfRace;

impl Offer for OfRace {
    const VERB: Verb = Verb::Race;
    const PARTS: &'static [&'static [Part]] = &[&[Part::Shop, Part::Carts, Part::Buyers]];
    const HEADING: &'static str = "The race";
}

/// Settings of the store.
#[derive(Clone, Debug)]
struct OfStore;

impl Offer for OfStore {
    const VERB: Verb = Verb::Race;
    const PARTS: &'static [&'static [Part]] = &[
        &[Part::Server],
        &[Part::Transactions],
        &[Part::Tables],
        &[Part::Private],
        &[Part::Timers],
    ];
    const HEADING: &'static str = "The store";
}

/// Where stock lives.
#[derive(Clone, Debug, Args)]
#[command(
    next_help_heading = "The store",
    mut_arg("kill", |kill| kill.conflicts_with("url"))
)]
struct StoreFlags {
    #[command(flatten)]
    settings: SettingFlags<OfStore>,
    /// Race on a server of yours, in tables or keys of our own that are removed after; for sqlite the path
    /// of a file to make
    #[arg(long, value_name = "URL")]
    url: Option<ServerUrl>,
    /// Allow --url to name another machine
    #[arg(long, requires = "url")]
    allow_remote: bool,
    /// Keep an application's databases as schema, seed and setup have filled them, and begin with them the next time
    /// (`oversell-sim clean` removes them)
    #[arg(long, requires = "app")]
    keep: bool,
}

impl StoreFlags {
    /// Refuses what means nothing to the store of these settings; at a server that runs already, if so.
    fn check_for(&self, settings: &Settings) -> Result<(), Error> {
        let store = settings.store;
        let given = self.settings.given();
        let level = self.settings.text("isolation").map(|_| settings.isolation);
        check_level("--isolation", level, settings)?;
        if let Some((setting, _)) = given.iter().find(|(one, _)| !(one.flag.stores)(store)) {
            return Err(Error::input(format!(
                "--{}: means nothing to the store `{store}`; leave it out, or choose another --store",
                setting.name
            )));
        }
        let is_theirs = self.url.is_some() && !matches!(store, StoreKind::Sqlite | StoreKind::Http);
        let given = [("--relaxed", settings.relaxed && is_theirs)];
        refuse(&given, "is for private servers, and --url names one that runs already")
    }

    fn address(&self) -> Address {
        let Self { allow_remote, keep, .. } = *self;
        Address { url: self.url.clone(), allow_remote, keep, ..Address::default() }
    }
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For a terminal.
    Table,
    /// Everything, described in docs/reference/report.md.
    Json,
    /// A line a contender, a column a figure.
    Csv,
    /// For a pull request.
    Markdown,
    /// A page for a browser.
    Html,
    /// A table, annotations and a job summary, for GitHub Actions.
    Github,
}

/// What `race` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct RaceArgs {
    /// The checkouts to race, separated by commas, or all, or zoo
    /// (`oversell-sim strategies` lists them)
    #[arg(
        long = "strategy",
        short = 'S',
        value_name = "NAME",
        required_unless_present_any = ["checkout", "app"],
        conflicts_with_all = ["checkout", "app"]
    )]
    strategies: Vec<String>,
    /// Race your own checkout, described in a file, instead of strategies, at the store that the file names
    /// (`oversell-sim init` writes a first one)
    #[arg(long, value_name = "FILE")]
    checkout: Option<PathBuf>,
    /// Race a running application, described in a file, instead of strategies: the same requests at full speed
    #[arg(long, value_name = "FILE", conflicts_with = "checkout")]
    app: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingFlags<OfRace>,
    #[command(flatten)]
    store: StoreFlags,
    /// What must hold in every round, such as 'oversold = 0', 'latency.p99 < 5ms' or
    /// 'evidence = not seen' (repeatable; total.NAME adds all rounds up)
    #[arg(long = "expect", value_name = "EXPR", value_parser = Expectation::parse)]
    expectations: Vec<Expectation>,
    /// Let an expectation hold although the race was cut short, or proves nothing; without this it holds only of a
    /// finding, failure or deadlock that was seen, or of a race in which buyers contended
    #[arg(long)]
    allow_incomplete: bool,
    #[command(flatten)]
    partition: PartitionFlag,
    /// With --partition, race a strategy, or a checkout in SQL, at one server together with the other parts: each sends
    /// its share of the buyers from this time on, such as 2026-11-30T20:00:00Z or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    start_at: Option<i64>,
    #[command(flatten)]
    baseline: BaselineFlags,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Table, help_heading = "The report")]
    format: ReportFormat,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE", help_heading = "The report")]
    output: Option<PathBuf>,
    #[command(flatten)]
    junit: JunitFlag,
    /// Print only the verdict of a table, and show no progress bar
    #[arg(long, short, help_heading = "The report")]
    quiet: bool,
    /// Tell on standard error what is started, what is answered while buyers are prepared, and what an application
    /// prints; the requests that are raced are left out
    #[arg(long, help_heading = "The report")]
    verbose: bool,
    /// Show no progress bar
    #[arg(long, help_heading = "The report")]
    no_progress: bool,
}

impl RaceArgs {
    /// The file that describes what is raced.
    fn file(&self) -> Option<&Path> {
        self.checkout.as_deref().or(self.app.as_deref())
    }

    /// What is read of that file, and of those beside it.
    fn inputs(&self, task: &Task) -> Result<Inputs, Error> {
        let described = task.strategies.iter().find_map(|strategy| strategy.described());
        parts::inputs(self.file(), described.as_deref())
    }

    /// The command that races all rounds on one machine. A password is left out.
    fn whole(&self, task: &Task) -> Command {
        let command = self
            .strategies
            .iter()
            .fold(Command::new(Verb::Race.name()), |command, name| command.flag("strategy", name));
        let files = [("checkout", &self.checkout), ("app", &self.app)];
        let command = files
            .into_iter()
            .filter_map(|(name, file)| Some((name, file.as_ref()?)))
            .fold(command, |command, (name, file)| command.flag(name, &file.display().to_string()));
        let given = self.settings.given().iter().chain(self.store.settings.given());
        let command = given.fold(command, |command, (setting, text)| match setting.flag.value {
            Some(_) => command.flag(setting.name, text),
            None => command.switch(setting.name),
        });
        let command = match self.start_at {
            // The same server may have another address for each machine.
            Some(start_ns) => command.flag("start-at", &moment::written(start_ns)),
            None => command.at(&task.address),
        };
        let command = self
            .expectations
            .iter()
            .fold(command, |command, expected| command.flag("expect", &expected.to_string()));
        if self.allow_incomplete { command.switch("allow-incomplete") } else { command }
    }

    /// A checkout that is described in a file, and its settings: its own, unless a flag says otherwise.
    fn described(
        &self,
        (strategy, checkout): DescribedCheckout,
        settings: Settings,
    ) -> Result<(Vec<&'static dyn DynStrategy>, Settings), Error> {
        let store = &self.store;
        let given = [store.settings.given(), self.settings.given()].concat();
        let settings = flags::described(checkout, settings, &given)?;
        checkout.check_store(settings.store)?;
        check_counted(strategy, &self.expectations)?;
        settings.check()?;
        let is_given = |name| store.settings.text(name).is_some();
        if checkout.app.is_some() {
            let given = [("--store", is_given("store")), ("--url", store.url.is_some())];
            let why = format!("{} says itself where everything is", checkout.path);
            refuse(&given, &why)?;
        } else if settings.store == StoreKind::Http {
            let given =
                [("--relaxed", is_given("relaxed")), ("--isolation", is_given("isolation"))];
            refuse(&given, "the shop runs already, and has its own database; leave it out")?;
        }
        store.check_for(&settings)?;
        Ok((vec![strategy], settings))
    }
}

pub(crate) fn run(args: &RaceArgs) -> Result<Ended, Error> {
    match (args.partition.partition, args.start_at) {
        (Some(slice), Some(start_ns)) => return common::race_slice(args, slice, start_ns),
        (Some(slice), None) => return race_slice(args, slice),
        (None, Some(_)) => {
            return Err(Error::input(
                "--start-at is for one of several parts: add --partition, such as slice:1/4, or leave it out",
            ));
        }
        (None, None) => {}
    }
    told(args, |task, control| {
        let Task { strategies, settings, address, expectations } = task;
        tell_password(address);
        watched(args, task, Slice::WHOLE, control, || {
            race_all_at(address, strategies, settings, expectations, control)
        })
    })
}

/// What has to be known of a part of a race.
#[derive(Serialize, Deserialize)]
struct PartOfRace {
    /// How many products there were, as a described checkout's shop has them.
    items: u8,
    /// Units of each at the start.
    stock: Units,
    runs: Vec<PartOfRun>,
}

/// Makes the report of all rounds from its parts.
pub(super) fn merge(args: RaceArgs, parts: &Parts, flags: &MergeFlags) -> Result<Ended, Error> {
    let args = RaceArgs {
        format: flags.format()?,
        output: flags.output.clone(),
        junit: flags.junit.clone(),
        quiet: flags.quiet,
        partition: PartitionFlag::default(),
        ..args
    };
    if args.start_at.is_some() {
        return common::merge(&args, parts);
    }
    told(&args, |task, _| {
        let mut settings = task.settings.clone();
        if let Some(file) = args.file() {
            parts.check_inputs(&args.inputs(task)?, file)?;
        }
        let mut logbooks: Vec<Logbook> =
            task.strategies.iter().map(|_| Logbook::open(&task.expectations)).collect();
        parts.each(|slice, PartOfRace { items, stock, runs }| {
            settings = Settings { items, stock, ..settings.clone() };
            parts::add_runs(runs, &mut logbooks, slice, task.settings.rounds)
        })?;
        settings.check()?;
        let report = rounds::merged(&task.address, &task.strategies, &settings, logbooks);
        Ok(Report { machine: parts.machine(), ..report }.served_by(parts.server()))
    })
}

/// Races one part of the rounds, and writes a part of the report.
fn race_slice(args: &RaceArgs, slice: Slice) -> Result<Ended, Error> {
    let is_given = |name| args.settings.text(name).is_some();
    let needed = [
        ("--rounds", is_given("rounds"), "say how many there are to share out"),
        ("--seed", is_given("seed"), "the buyers of all parts draw with the same one"),
    ];
    let about_all =
        [("--junit", args.junit.junit.is_some()), ("--baseline", args.baseline.is_given())];
    PartitionFlag::check(&needed, args.format == ReportFormat::Json, &about_all)?;
    let task = task(args)?;
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control_telling(args.verbose)?.recording_locks();
    let header = Header::new(slice, &args.whole(&task), args.inputs(&task)?);
    let Task { strategies, settings, address, expectations } = &task;
    tell_password(address);
    let (report, runs) = watched(args, &task, slice, &control, || {
        race_part(address, strategies, settings, slice, expectations, &control)
    })?;
    let Settings { items, stock, .. } = report.settings;
    let body = PartOfRace { items, stock, runs };
    output.write(&parts::written(&report, &header, &body)?)?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { Ended::Well })
}

/// Races, and shows how far it is.
fn watched<T>(
    args: &RaceArgs,
    task: &Task,
    slice: Slice,
    control: &Control,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let rounds = u64::from(slice.share_of(task.settings.rounds));
    let buyers = u64::from(task.settings.buyers) * rounds * task.strategies.len() as u64;
    let shows_progress = !args.quiet && !args.no_progress && !args.verbose;
    progress::watched(buyers, "racing", shows_progress, control, work)
}

/// Has all rounds raced, and tells what came of them: a report, and what a CI server is to know.
fn told(
    args: &RaceArgs,
    work: impl FnOnce(&Task, &Control) -> Result<Report, Error>,
) -> Result<Ended, Error> {
    refuse_same_file(&[
        ("--output", args.output.as_deref()),
        ("--junit", args.junit.junit.as_deref()),
    ])?;
    let is_github = args.format == ReportFormat::Github;
    let log = CiLog::open("oversell-sim race", &args.junit, is_github)?;
    let file = args.file();
    let name = file.map_or_else(|| args.strategies.join(","), |file| file.display().to_string());
    logged(log, file, &name, |cases| race(args, cases, work))
}

/// What is to be raced.
struct Task {
    strategies: Vec<&'static dyn DynStrategy>,
    settings: Settings,
    address: Address,
    expectations: Vec<Expectation>,
}

fn task(args: &RaceArgs) -> Result<Task, Error> {
    let settings = Settings { seed: chance::fresh_seed(), ..Settings::default() };
    let (strategies, settings) = match (&args.checkout, &args.app) {
        (Some(path), _) => args.described(flags::checkout(path)?, settings)?,
        (None, Some(path)) => args.described(flags::app(path, false)?, settings)?,
        (None, None) => {
            let names = || args.strategies.iter().map(String::as_str);
            let settings = applied(settings, args.store.settings.given())?;
            args.store.check_for(&settings)?;
            let strategies = strategies::select(names(), &settings).map_err(with_list)?;
            let given = args.settings.given();
            let mut settings = applied(with_carts(settings, &strategies, given), given)?;
            let is_zoo = names().all(|name| name == "zoo");
            if is_zoo
                && settings.store == StoreKind::Memory
                && args.settings.text("patience").is_none()
            {
                settings.patience =
                    ZOO_PATIENCE + ZOO_PATIENCE_A_BUYER.saturating_mul(settings.buyers);
            }
            settings.check()?;
            tell_left_out(&strategies::left_out(names(), &settings), &settings);
            (strategies, settings)
        }
    };
    let expectations = args.expectations.iter();
    let expectations =
        expectations.map(|one| one.clone().allowing_incomplete(args.allow_incomplete)).collect();
    Ok(Task { strategies, settings, address: args.store.address(), expectations })
}

/// Has all rounds raced, writes the report, and adds a test case for each strategy.
fn race(
    args: &RaceArgs,
    cases: &mut Vec<TestCase>,
    work: impl FnOnce(&Task, &Control) -> Result<Report, Error>,
) -> Result<Ended, Error> {
    let task = task(args)?;
    let Task { strategies, settings, .. } = &task;
    let baseline = args.baseline.read()?;
    let limit = args.baseline.limit();
    if let Some(baseline) = &baseline {
        let runs = strategies
            .iter()
            .map(|strategy| (strategy.card().name, settings, strategy.described().is_some()));
        baseline.check(runs, settings.rounds, limit)?;
    }
    let output = Output::open(args.output.as_deref(), "--output")?;
    let mut control = interrupt::control_telling(args.verbose)?;
    if matches!(args.format, ReportFormat::Json | ReportFormat::Html) {
        control = control.recording_locks();
    }

    let mut report = work(&task, &control)?;
    if let Some(baseline) = &baseline {
        let against = baseline.hold(&report, limit, args.allow_incomplete, settings.seed)?;
        report.baseline = Some(against);
    }

    let is_table = matches!(args.format, ReportFormat::Table | ReportFormat::Github);
    let tells_expectations = is_table && output.is_stdout() && !args.quiet;
    cases.extend(TestCase::all_of(&report));
    let text = written(&report, args, output.width())?;
    output.write(&text)?;
    if !tells_expectations {
        for run in &report.runs {
            for unmet in run.unmet() {
                line_to_stderr(&format!("{}: {unmet}", run.strategy));
            }
        }
        tell(&report.baseline);
    }
    Ok(ended(&report))
}

fn written(report: &Report, args: &RaceArgs, width: Width) -> Result<String, Error> {
    match args.format {
        ReportFormat::Table | ReportFormat::Github => Ok(match args.quiet {
            true => render::verdicts(report, width),
            false => render::table(report, width),
        }),
        ReportFormat::Json => render::json(report),
        ReportFormat::Csv => render::csv(report),
        ReportFormat::Markdown => Ok(render::markdown(report)),
        ReportFormat::Html => render::race_page(report),
    }
}

/// Why a strategy is left out: an op that the store lacks, and the stores that offer all that the strategy needs.
type Reason = (OpKind, Vec<StoreKind>);

/// Says which strategies of `all` or the zoo are not raced, and why: a line for each op that the store lacks.
pub(super) fn tell_left_out(left_out: &[(&dyn DynStrategy, OpKind)], settings: &Settings) {
    let store = settings.store;
    let mut reasons: Vec<(Reason, Vec<&str>)> = Vec::new();
    for (strategy, kind) in left_out {
        let card = strategy.card();
        let reason: Reason = (*kind, card.stores());
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, names)) => names.push(card.name),
            None => reasons.push((reason, vec![card.name])),
        }
    }
    for ((kind, stores), names) in reasons {
        let why = match store.offers(kind) {
            true => format!("rows that are units do not offer {}", kind.name()),
            false => format!("the store `{store}` does not offer {}", kind.name()),
        };
        let stores: Vec<&str> = stores.into_iter().map(StoreKind::name).collect();
        let instead = match stores.is_empty() {
            true => "no store offers all that they need; explore them instead".to_owned(),
            false => format!("to be raced on {}", stores.join(", ")),
        };
        line_to_stderr(&format!("left out, for {why}: {} ({instead})", names.join(", ")));
    }
}

/// An unknown strategy, and where to find the known ones.
pub(super) fn with_list(error: Error) -> Error {
    Error::input(format!("{error}\n       `oversell-sim strategies` lists them"))
}

/// What a report means to the shell.
pub(super) fn ended(report: &Report) -> Ended {
    if report.was_interrupted() {
        Ended::Interrupted
    } else if report.met_expectations() {
        Ended::Well
    } else {
        Ended::ShortOfExpectations
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::{RaceArgs, task};
    use crate::cli::{Cli, CliCommand, help};

    fn read(words: &[&str]) -> RaceArgs {
        let matches = help::command().try_get_matches_from(words).unwrap();
        match Cli::from_arg_matches(&matches).unwrap().command {
            CliCommand::Race(args) => *args,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn a_part_names_the_command_of_all_of_the_work_without_a_password() {
        let words = "oversell-sim race --strategy cas,optimistic --buyers 9 --rounds 4 --seed 1 --retries 3 --store postgres \
                     --stock-check --url postgres://me:secret@localhost/shop --expect oversold=0 --allow-incomplete";
        let words: Vec<&str> = words.split(' ').collect();
        let args = read(&words);
        let whole = args.whole(&task(&args).unwrap());
        let said = whole.to_string();
        assert!(!said.contains("secret"), "{said}");
        let again = read(&whole.words().iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(again.whole(&task(&again).unwrap()), whole);
        for word in words.iter().filter(|word| !word.contains("secret") && **word != "oversold=0") {
            assert!(whole.words().iter().any(|other| other == word), "{word} in {said}");
        }
    }
}
