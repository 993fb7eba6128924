//! `explore` and `replay`: every interleaving, or one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use oversell_sim::clock::Clock;
use oversell_sim::entrant::Entrant;
use oversell_sim::error::Error;
use oversell_sim::explore::{self, Exploration, Limits, Method, Recording, Sampling, Schedule};
use oversell_sim::report::Judgement;
use oversell_sim::settings::Settings;
use oversell_sim::text::quantity::{count, parse_count, parse_duration};
use oversell_sim::{chance, clock, render, strategies};
use rayon::ThreadPoolBuilder;

use super::flags::{applied, setting, with_carts};
use super::output::{Output, to_stderr};
use super::{Ended, interrupt};

/// The shop, where nobody thinks and nothing takes time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The shop")]
pub(super) struct ShopFlags {
    /// Which checkout (`oversell-sim strategies` lists them)
    #[arg(long, short = 'S', value_name = "NAME")]
    strategy: Option<String>,
    /// How many buyers there are; explore also takes any [default: 2]
    #[arg(long, short, value_name = "N|any", allow_hyphen_values = true, value_parser = some_or_any)]
    buyers: Option<String>,
    /// How many products there are [default: 1, or 2 for a strategy that is about carts]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("items"))]
    items: Option<String>,
    /// How many units there are of each [default: 1]
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = setting("stock"))]
    stock: Option<String>,
    /// How many products are in each cart, beginning with another one for each buyer in turn
    /// [default: 1, or 2 for a strategy that is about carts]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("cart"))]
    cart: Option<String>,
    /// Units each buyer wants of each, all or none: a number, or a range such as 1..3 [default: 1]
    #[arg(long, value_name = "N|N..N", allow_hyphen_values = true, value_parser = setting("qty"))]
    qty: Option<String>,
    /// How often a buyer tries again after a conflict: a number, or unlimited [default: unlimited]
    #[arg(long, value_name = "N|unlimited", allow_hyphen_values = true, value_parser = setting("retries"))]
    retries: Option<String>,
    /// Seed of what buyers want, where that is a range [default: a new one]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("seed"))]
    seed: Option<String>,
}

/// A number of buyers, or `any`.
fn some_or_any(text: &str) -> Result<String, String> {
    if text == ANY { Ok(text.to_owned()) } else { setting("buyers")(text) }
}

/// What stands in the place of a number of buyers.
const ANY: &str = "any";

impl ShopFlags {
    /// The strategy that was named.
    pub(super) fn entrant(&self) -> Result<&'static dyn Entrant, Error> {
        match &self.strategy {
            Some(name) => strategies::find(name).map_err(super::race::with_list),
            None => Err(super::race::with_list(Error::input(
                "--strategy: name the checkout, such as --strategy naive",
            ))),
        }
    }

    /// The flags that were given, by the names of their settings.
    fn given(&self) -> [(&'static str, &Option<String>); 7] {
        [
            ("buyers", &self.buyers),
            ("items", &self.items),
            ("stock", &self.stock),
            ("cart", &self.cart),
            ("qty", &self.qty),
            ("retries", &self.retries),
            ("seed", &self.seed),
        ]
    }

    /// The shop of a recording, if no flag says otherwise.
    fn as_recorded(
        &self,
        strategy: &str,
        settings: Settings,
    ) -> Result<(&'static dyn Entrant, Settings), Error> {
        let entrant = strategies::find(strategy).map_err(super::race::with_list)?;
        if self.strategy.is_some() && self.entrant()?.card().name != entrant.card().name {
            return Err(Error::input(format!(
                "--strategy: the schedule was recorded of {strategy}"
            )));
        }
        for (name, text) in self.given() {
            let said = applied(settings.clone(), &[(name, text)])?;
            if said != settings {
                let recorded = settings.value_of(name);
                return Err(Error::input(format!(
                    "--{name}: the schedule was recorded with --{name} {recorded}; leave the flag out"
                )));
            }
        }
        Ok((entrant, settings))
    }

    /// Whether any number of buyers is meant.
    fn is_for_any(&self) -> bool {
        self.buyers.as_deref() == Some(ANY)
    }

    pub(super) fn settings(&self, entrant: &dyn Entrant) -> Result<Settings, Error> {
        if self.is_for_any() {
            return Err(Error::input("--buyers: only explore takes any; write a number"));
        }
        let settings = Settings { buyers: 2, seed: chance::fresh_seed(), ..Settings::default() };
        let settings = with_carts(settings, &[entrant], &self.items, &self.cart);
        applied(settings, &self.given())
    }
}

/// Which findings to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Find {
    /// The first: be content once something was found and the rest is large.
    First,
    /// Every kind of finding, each with its shortest schedule.
    All,
}

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Table,
    /// Everything.
    Json,
}

/// How to print, and what must hold.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The report")]
struct ReportFlags {
    /// What must hold: 'evidence = proved', or a finding such as 'oversold = 0' (repeatable)
    #[arg(long = "expect", value_name = "EXPR", value_parser = explore::parse_expectation)]
    expectations: Vec<oversell_sim::expect::Expectation>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Schedules by dice.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "By dice, where there is too much to follow everything")]
struct RolledFlags {
    /// Roll schedules: by changing priorities (pct), which finds bugs of a depth with a chance that is
    /// known, or plain
    #[arg(
        long,
        value_enum,
        value_name = "METHOD",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "pct",
        conflicts_with_all = ["no_reduce", "graph"]
    )]
    random: Option<Dice>,
    /// How many schedules
    #[arg(long, value_name = "N", default_value = "10k", value_parser = number, requires = "random")]
    schedules: u64,
    /// For pct: how many steps must come in a certain order for the bug to show
    #[arg(long, value_name = "N", default_value = "2", value_parser = depth, requires = "random")]
    depth: u64,
}

/// How schedules are rolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dice {
    /// By priorities that change at random steps (Burckhardt et al., 2010).
    Pct,
    /// Whoever can move, with equal chances.
    Plain,
}

fn depth(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 100)
}

/// When to stop, and how many help.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits; cut short by one, a search says that it is not complete")]
struct LimitFlags {
    /// Stop after so many states
    #[arg(long, value_name = "N", default_value = "50M", value_parser = number)]
    max_states: u64,
    /// Stop when states take so many bytes
    #[arg(long, value_name = "BYTES", default_value = "2G", value_parser = number)]
    max_memory: u64,
    /// Stop after this time
    #[arg(long, value_name = "DURATION", value_parser = longest)]
    max_time: Option<Duration>,
    /// Search on so many threads; what comes of it is the same [default: one a processor]
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    jobs: Option<u64>,
}

fn jobs(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1024)
}

fn longest(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_secs(7 * 24 * 3600))
}

/// What is looked for, how, and what else is written.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The search")]
struct SearchFlags {
    /// Which findings to look for
    #[arg(long, value_enum, default_value_t = Find::First)]
    find: Find,
    /// Remember no state and merge nothing: follow every schedule one by one, to check the checker
    #[arg(long)]
    no_reduce: bool,
    /// Write the first schedule that shows something to a file, for replay --schedule-file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the states and the steps between them to a file, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "no_reduce")]
    graph: Option<PathBuf>,
}

/// What `explore` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExploreArgs {
    #[command(flatten)]
    shop: ShopFlags,
    #[command(flatten)]
    search: SearchFlags,
    #[command(flatten)]
    rolled: RolledFlags,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    report: ReportFlags,
}

/// What `replay` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    shop: ShopFlags,
    /// Whose step comes when: A to Z, a27, a28 …, and * for the clerk
    #[arg(
        long,
        value_name = "ABAB",
        conflicts_with = "schedule_file",
        required_unless_present = "schedule_file"
    )]
    schedule: Option<Schedule>,
    /// The same from a file, as explore --record writes it, or nothing but a schedule
    #[arg(long, value_name = "FILE")]
    schedule_file: Option<PathBuf>,
    #[command(flatten)]
    report: ReportFlags,
}

fn number(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1 << 40)
}

/// The most states that are drawn.
const MOST_DRAWN: usize = 1_000_000;

/// States to be content with once something was found.
const ENOUGH: usize = 200_000;

pub(crate) fn run(args: &ExploreArgs) -> Result<Ended, Error> {
    let entrant = args.shop.entrant()?;
    if args.shop.is_for_any() {
        return run_any(entrant, args);
    }
    let settings = args.shop.settings(entrant)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let graph =
        args.search.graph.as_deref().map(|path| Output::open(Some(path), "--graph")).transpose()?;
    let record = args
        .search
        .record
        .as_deref()
        .map(|path| Output::open(Some(path), "--record"))
        .transpose()?;
    let control = interrupt::control()?;
    let threads = ThreadPoolBuilder::new()
        .num_threads(args.limits.jobs.unwrap_or(0) as usize)
        .build()
        .map_err(|error| Error::world(format!("cannot start threads: {error}; try --jobs 1")))?;
    let clock = clock::Wall::start();
    let most = args.limits.max_time.map_or(u64::MAX, clock::nanos);
    let stopped = || control.is_stopped() || clock.now() >= most;
    let report = threads.install(|| search(entrant, &settings, args, graph, stopped))?;
    let took = Duration::from_nanos(clock.now());
    if let Some(record) = record {
        write_recording(record, entrant, &settings, &report)?;
    }
    let ended = finish(&report, Some(took), output, &args.report)?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { ended })
}

/// Writes the first schedule that shows something, if there is one.
fn write_recording(
    record: Output,
    entrant: &dyn Entrant,
    settings: &Settings,
    report: &Exploration,
) -> Result<(), Error> {
    let Some(first) = report.findings.first() else {
        to_stderr("--record: nothing was found, so there is no schedule to write\n");
        return Ok(());
    };
    let recording = Recording {
        strategy: Some(entrant.card().name.to_owned()),
        settings: Some(settings.clone()),
        schedule: first.schedule.parse().map_err(Error::Input)?,
    };
    record.write(&recording.to_string())
}

/// The search that was asked for.
fn search(
    entrant: &dyn Entrant,
    settings: &Settings,
    args: &ExploreArgs,
    graph: Option<Output>,
    stopped: impl Fn() -> bool,
) -> Result<Exploration, Error> {
    let LimitFlags { max_states, max_memory, .. } = args.limits;
    if let Some(dice) = args.rolled.random {
        let method = match dice {
            Dice::Pct => Method::Pct { depth: args.rolled.depth as u32 },
            Dice::Plain => Method::Plain,
        };
        let until_found = args.search.find == Find::First;
        let sampling = Sampling { schedules: args.rolled.schedules, method, until_found };
        return explore::sample(entrant, settings, sampling, stopped);
    }
    if args.search.no_reduce {
        return explore::search_unreduced(entrant, settings, max_states, stopped);
    }
    let limits = Limits {
        states: max_states as usize,
        memory: max_memory as usize,
        enough_after_finding: (args.search.find == Find::First).then_some(ENOUGH),
    };
    let Some(graph) = graph else {
        return explore::search_all(entrant, settings, limits, stopped);
    };
    let limits = Limits { states: limits.states.min(MOST_DRAWN), ..limits };
    let (report, drawn) = explore::search_and_draw(entrant, settings, limits, stopped)?;
    if report.covered.as_ref().is_some_and(|covered| !covered.complete) {
        return Err(Error::input(format!(
            "--graph: there are more than {} states, or another limit was met first; draw a smaller \
             shop, such as --buyers {}",
            count(limits.states as i128),
            (settings.buyers / 2).max(1)
        )));
    }
    graph.write(&render::state_graph(&drawn)?)?;
    Ok(report)
}

/// Any number of buyers.
fn run_any(entrant: &dyn Entrant, args: &ExploreArgs) -> Result<Ended, Error> {
    for (flag, is_given) in [
        ("--random", args.rolled.random.is_some()),
        ("--no-reduce", args.search.no_reduce),
        ("--graph", args.search.graph.is_some()),
        ("--record", args.search.record.is_some()),
    ] {
        if is_given {
            return Err(Error::input(format!("{flag} needs a number of --buyers, not any")));
        }
    }
    let shop = ShopFlags { buyers: None, ..args.shop.clone() };
    let settings = shop.settings(entrant)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let clock = clock::Wall::start();
    let report = explore::any_buyers(entrant, &settings, explore::MOST_BUYERS)?;
    let took = Duration::from_nanos(clock.now());
    output.write(&match args.report.format {
        Format::Table => render::any_buyers(&report, took),
        Format::Json => render::json(&report)?,
    })?;
    tell_unmet(report.judge(&args.report.expectations))
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<Ended, Error> {
    let recording = match (&args.schedule, &args.schedule_file) {
        (Some(schedule), _) => {
            Recording { strategy: None, settings: None, schedule: schedule.clone() }
        }
        (None, Some(path)) => Recording::read(path)?,
        // The command line sees to it that there is one of them.
        (None, None) => return Err(Error::input("--schedule: whose step comes when?")),
    };
    let (entrant, settings) = match (&recording.strategy, recording.settings) {
        (Some(strategy), Some(settings)) => args.shop.as_recorded(strategy, settings)?,
        _ => {
            let entrant = args.shop.entrant()?;
            (entrant, args.shop.settings(entrant)?)
        }
    };
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let report = explore::replay(entrant, &settings, &recording.schedule)?;
    finish(&report, None, output, &args.report)
}

fn finish(
    report: &Exploration,
    took: Option<Duration>,
    output: Output,
    flags: &ReportFlags,
) -> Result<Ended, Error> {
    output.write(&match flags.format {
        Format::Table => render::exploration(report, took),
        Format::Json => render::json(report)?,
    })?;
    tell_unmet(report.judge(&flags.expectations))
}

/// Says which expectations did not hold.
fn tell_unmet(judgements: Vec<Judgement>) -> Result<Ended, Error> {
    let mut ended = Ended::Well;
    for judgement in judgements.into_iter().filter(|judgement| !judgement.held) {
        let Judgement { expectation, seen, .. } = judgement;
        to_stderr(&format!("expected {expectation}, but it was {seen}\n"));
        ended = Ended::ShortOfExpectations;
    }
    Ok(ended)
}
