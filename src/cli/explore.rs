//! `explore` and `replay`: every interleaving, or one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use oversell_sim::entrant::Entrant;
use oversell_sim::error::Error;
use oversell_sim::explore::{self, Exploration, Limits, Schedule};
use oversell_sim::report::Judgement;
use oversell_sim::settings::Settings;
use oversell_sim::text::quantity::parse_count;
use oversell_sim::{chance, clock, render, strategies};

use super::flags::{applied, setting, with_carts};
use super::output::{Output, to_stderr};
use super::{Ended, interrupt};

/// The shop, where nobody thinks and nothing takes time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The shop")]
pub(super) struct ShopFlags {
    /// Which checkout (`oversell-sim strategies` lists them)
    #[arg(long, short = 'S', value_name = "NAME")]
    pub(super) strategy: String,
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
        applied(
            settings,
            &[
                ("buyers", &self.buyers),
                ("items", &self.items),
                ("stock", &self.stock),
                ("cart", &self.cart),
                ("qty", &self.qty),
                ("retries", &self.retries),
                ("seed", &self.seed),
            ],
        )
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

/// What `explore` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExploreArgs {
    #[command(flatten)]
    shop: ShopFlags,
    /// Which findings to look for
    #[arg(long, value_enum, default_value_t = Find::First)]
    find: Find,
    /// Stop after so many states; the verdict then says that it is not complete
    #[arg(long, value_name = "N", default_value = "50M", value_parser = number)]
    max_states: u64,
    /// Stop when states take so many bytes
    #[arg(long, value_name = "BYTES", default_value = "2G", value_parser = number)]
    max_memory: u64,
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
    /// The same from a file
    #[arg(long, value_name = "FILE")]
    schedule_file: Option<PathBuf>,
    #[command(flatten)]
    report: ReportFlags,
}

fn number(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1 << 40)
}

/// States to be content with once something was found.
const ENOUGH: usize = 200_000;

pub(crate) fn run(args: &ExploreArgs) -> Result<Ended, Error> {
    let entrant = strategies::find(&args.shop.strategy).map_err(super::race::with_list)?;
    if args.shop.is_for_any() {
        return run_any(entrant, args);
    }
    let settings = args.shop.settings(entrant)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let control = interrupt::control()?;
    let limits = Limits {
        states: args.max_states as usize,
        memory: args.max_memory as usize,
        enough_after_finding: (args.find == Find::First).then_some(ENOUGH),
    };
    let clock = clock::Wall::start();
    let report = explore::search_all(entrant, &settings, limits, || control.is_stopped())?;
    let took = std::time::Duration::from_nanos(clock::Clock::now(&clock));
    let ended = finish(&report, Some(took), output, &args.report)?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { ended })
}

/// Any number of buyers.
fn run_any(entrant: &dyn Entrant, args: &ExploreArgs) -> Result<Ended, Error> {
    let shop = ShopFlags { buyers: None, ..args.shop.clone() };
    let settings = shop.settings(entrant)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let clock = clock::Wall::start();
    let report = explore::any_buyers(entrant, &settings, explore::MOST_BUYERS)?;
    let took = std::time::Duration::from_nanos(clock::Clock::now(&clock));
    output.write(&match args.report.format {
        Format::Table => render::any_buyers(&report, took),
        Format::Json => render::json(&report)?,
    })?;
    tell_unmet(report.judge(&args.report.expectations))
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<Ended, Error> {
    let entrant = strategies::find(&args.shop.strategy).map_err(super::race::with_list)?;
    let settings = args.shop.settings(entrant)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let schedule = match (&args.schedule, &args.schedule_file) {
        (Some(schedule), _) => schedule.clone(),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| text.parse())
            .map_err(|why| Error::input(format!("--schedule-file {}: {why}", path.display())))?,
        (None, None) => Schedule::default(),
    };
    let report = explore::replay(entrant, &settings, &schedule)?;
    finish(&report, None, output, &args.report)
}

fn finish(
    report: &Exploration,
    took: Option<std::time::Duration>,
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
