//! `sweep`: a grid of settings in, what was measured at each of its points out.

use std::path::PathBuf;

use crate::base::chance;
use crate::base::error::Error;
use crate::base::text::quantity::{count, parse_count};
use crate::base::text::range;
use crate::base::text::server_url::ServerUrl;
use crate::check::sweep::{Dimension, Grid, Sweep};
use crate::command::{Command, Verb};
use crate::domain::settings::{Part, Setting, Settings};
use crate::run::sweep::{PlannedPoint, sweep_all};
use crate::stores::Address;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::{render, strategies};
use clap::{Arg, ArgMatches, Args, FromArgMatches, ValueEnum};

use super::compare::but_for;
use super::flags::{self, Given, applied, arg};
use super::meaning::check_level;
use super::output::{Output, tell_password};
use super::race::with_list;
use super::resume::ResumeFile;
use super::{Ended, interrupt, progress};
use crate::explore::with_carts;

/// The most points of a grid.
const MOST_POINTS: usize = 10_000;

/// The most rounds at a point.
const MOST_ROUNDS: u64 = 10_000;

/// Settings of which a range would be no list: a value of their own is written with two dots.
const NOT_RANGED: [&str; 2] = ["qty", "backoff"];

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MeasurementFormat {
    /// For a terminal.
    Table,
    /// Everything, described in docs/reference/report.md.
    Json,
    /// A line a point, a column a figure.
    Csv,
    /// For a pull request.
    Markdown,
    /// A page for a browser.
    Html,
}

/// Every setting of a race, as a list.
#[derive(Clone, Debug)]
struct ListFlags {
    given: Given,
}

impl ListFlags {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        const PARTS: &[&[Part]] = &[
            &[Part::Shop, Part::Carts, Part::Buyers],
            &[Part::Server],
            &[Part::Transactions],
            &[Part::Tables],
            &[Part::Private],
            &[Part::Timers],
        ];
        but_for(PARTS, &["rounds", "seed"])
    }
}

impl Args for ListFlags {
    fn augment_args(command: clap::Command) -> clap::Command {
        let flag = |setting: &'static Setting| -> Arg {
            let arg = arg(setting, Verb::Race).help_heading("What varies");
            match setting.flag.value {
                Some(_) => arg.value_name("LIST").value_parser(clap::value_parser!(String)),
                None => arg,
            }
        };
        command.args(Self::settings().map(flag))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ListFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let text = |setting: &Setting| match setting.flag.value {
            Some(_) => matches.get_one(setting.name).cloned(),
            None => matches.get_flag(setting.name).then(|| "true".to_owned()),
        };
        let given = Self::settings().filter_map(|setting| Some((setting, text(setting)?)));
        Ok(Self { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        Self::from_arg_matches(matches).map(|flags| *self = flags)
    }
}

/// What `sweep` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A list is values and ranges, separated by commas: 1,10,100 or 1..10k or 0,10us..1ms. Between the ends of a range lie 1, 2 \
and 5 times each power of ten, or with --points so many values that grow by one factor.")]
pub(crate) struct SweepArgs {
    /// The strategies, separated by commas, or all
    /// (`oversell-sim strategies` lists them)
    #[arg(
        long = "strategy",
        short = 'S',
        value_name = "NAME",
        required_unless_present = "checkout",
        conflicts_with = "checkout"
    )]
    strategies: Vec<String>,
    /// A checkout of your own, described in a file, instead of strategies
    #[arg(long, value_name = "FILE")]
    checkout: Option<PathBuf>,
    #[command(flatten)]
    lists: ListFlags,
    /// How many values a range has
    #[arg(long, value_name = "N", value_parser = points)]
    points: Option<u32>,
    /// How many rounds are raced at each point
    #[arg(long, value_name = "N", default_value = "5", value_parser = rounds)]
    rounds: u32,
    /// Seed of the buyers' random choices [default: a new one, printed; with --resume that of the file]
    #[arg(long, value_name = "N", value_parser = flags::setting("seed"))]
    seed: Option<String>,
    /// Race on a server of yours, in tables or keys of our own that are removed after
    #[arg(long, value_name = "URL")]
    url: Option<ServerUrl>,
    /// Allow --url to name another machine
    #[arg(long, requires = "url")]
    allow_remote: bool,
    /// Keep each point in this file as soon as it is measured, and go on where the file ends
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = MeasurementFormat::Table, help_heading = "The report")]
    format: MeasurementFormat,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE", help_heading = "The report")]
    output: Option<PathBuf>,
    /// Show no progress bar
    #[arg(long, help_heading = "The report")]
    no_progress: bool,
}

fn points(text: &str) -> Result<u32, String> {
    parse_count(text, 2, range::MOST_VALUES as u64).map(|number| number as u32)
}

fn rounds(text: &str) -> Result<u32, String> {
    parse_count(text, 1, MOST_ROUNDS).map(|number| number as u32)
}

pub(crate) fn run(args: &SweepArgs) -> Result<Ended, Error> {
    let mut file = args.resume.as_deref().map(ResumeFile::open).transpose()?;
    let mut settings = Settings { rounds: args.rounds, ..Settings::default() };
    settings.seed = file.as_ref().and_then(ResumeFile::seed).unwrap_or_else(chance::fresh_seed);
    if let Some(seed) = &args.seed {
        settings.set("seed", seed).map_err(|why| Error::input(format!("--seed: {why}")))?;
    }
    let (dimensions, fixed) = split(args)?;
    let (grid, planned) = plan(args, settings.clone(), dimensions, &fixed)?;
    let address =
        Address { url: args.url.clone(), allow_remote: args.allow_remote, ..Address::default() };
    let output = Output::open(args.output.as_deref(), "--output")?;
    let mut measured = match &mut file {
        Some(file) => file.begin(&grid)?,
        None => Vec::new(),
    };
    let is_missing = |point: &PlannedPoint| measured.iter().all(|one| one.place != point.place);
    let left: Vec<PlannedPoint> =
        planned.iter().filter(|point| is_missing(point)).cloned().collect();
    let control = interrupt::control()?;
    tell_password(&address);
    let visits = left.iter().map(|point| point.settings.visits()).sum();
    let swept = progress::watched(visits, "sweeping", !args.no_progress, &control, || {
        sweep_all(&left, &address, &control, |point| {
            if let Some(file) = &mut file {
                file.add(&point)?;
            }
            measured.push(point);
            Ok(())
        })
    });
    // What was measured before Ctrl-C is reported, also if that came while a server was starting.
    interrupt::unless_stopped(swept, &control)?;
    measured.sort_by_key(|point| point.place.number);
    let sweep = Sweep::new(grid, measured, again(args, settings.seed, &address));
    let text = match args.format {
        MeasurementFormat::Table => render::sweep(&sweep, output.width()),
        MeasurementFormat::Json => render::json(&sweep)?,
        MeasurementFormat::Csv => render::sweep_csv(&sweep)?,
        MeasurementFormat::Markdown => render::sweep_markdown(&sweep),
        MeasurementFormat::Html => render::sweep_page(&sweep)?,
    };
    output.write(&text)?;
    Ok(if sweep.missing > 0 { Ended::Interrupted } else { Ended::Well })
}

/// The settings that vary, each with its values, and those that were given and do not.
fn split(args: &SweepArgs) -> Result<(Vec<Dimension>, Given), Error> {
    let (mut dimensions, mut fixed) = (Vec::new(), Vec::new());
    for (setting, text) in &args.lists.given {
        let refused = |why: String| Error::input(format!("--{}: {why}", setting.name));
        let values: Vec<String> = match setting.flag.value {
            None => vec![text.clone()],
            Some(_) if NOT_RANGED.contains(&setting.name) => {
                text.split(',').map(|value| value.trim().to_owned()).collect()
            }
            Some(_) => range::values(text, args.points).map_err(refused)?,
        };
        for value in &values {
            Settings::default().set(setting.name, value).map_err(refused)?;
        }
        match &values[..] {
            [one] => fixed.push((*setting, one.clone())),
            _ => dimensions.push(Dimension::new(setting.name, values)),
        }
    }
    // Buyers, which stand first in the table of settings, vary most often.
    dimensions.reverse();
    Ok((dimensions, fixed))
}

/// The grid, and what is raced at each of its points.
fn plan(
    args: &SweepArgs,
    settings: Settings,
    dimensions: Vec<Dimension>,
    fixed: &Given,
) -> Result<(Grid, Vec<PlannedPoint>), Error> {
    let described = args.checkout.as_deref().map(flags::checkout).transpose()?;
    let (strategies, base) = match &described {
        Some((strategy, checkout)) => {
            (vec![*strategy], flags::described(checkout, settings, fixed)?)
        }
        None => {
            let base = applied(settings, fixed)?;
            let first: Given = dimensions.iter().filter_map(first_value).collect();
            let names = args.strategies.iter().map(String::as_str);
            let at_first = applied(base.clone(), &first)?;
            let strategies = strategies::select(names, &at_first).map_err(with_list)?;
            let given = [fixed.clone(), first].concat();
            (strategies.clone(), with_carts(base, &strategies, &given))
        }
    };
    let names = strategies.iter().map(|strategy| strategy.card().name.to_owned()).collect();
    let mut recorded: std::collections::BTreeMap<String, serde_json::Value> =
        serde_json::to_value(&base)
            .and_then(serde_json::from_value)
            .map_err(|error| Error::world(format!("cannot write the settings: {error}")))?;
    for dimension in &dimensions {
        recorded.remove(&dimension.name.replace('-', "_"));
    }
    let grid = Grid::new(names, dimensions, recorded);
    if grid.size() > MOST_POINTS {
        return Err(Error::input(format!(
            "the grid has {} points, and {} at most can be swept: name fewer values",
            count(grid.size() as u64),
            count(MOST_POINTS as u64)
        )));
    }
    let mut planned = Vec::new();
    for place in grid.places() {
        let given: Given = place
            .at
            .iter()
            .filter_map(|(name, value)| Some((Setting::named(name)?, value.clone())))
            .collect();
        let settings = match &described {
            Some((_, checkout)) => {
                let settings =
                    flags::described(checkout, base.clone(), &[fixed.clone(), given].concat())?;
                checkout.check_store(settings.store)?;
                settings
            }
            None => applied(base.clone(), &given)?,
        };
        settings.check()?;
        check_meaning(
            &[fixed.clone(), given_names(&place.at)].concat(),
            &settings,
            described.is_some(),
        )?;
        let by_name = |one: &&&dyn DynStrategy| one.card().name == place.strategy;
        if let Some(strategy) = strategies.iter().find(by_name) {
            planned.push(PlannedPoint { place: place.clone(), strategy: *strategy, settings });
        }
    }
    Ok((grid, planned))
}

fn first_value(dimension: &Dimension) -> Option<(&'static Setting, String)> {
    Some((Setting::named(&dimension.name)?, dimension.values.first()?.clone()))
}

fn given_names(at: &std::collections::BTreeMap<String, String>) -> Given {
    let one = |(name, value): (&String, &String)| Some((Setting::named(name)?, value.clone()));
    at.iter().filter_map(one).collect()
}

/// Refuses what means nothing to the store of these settings.
fn check_meaning(given: &Given, settings: &Settings, is_described: bool) -> Result<(), Error> {
    let store = settings.store;
    if let Some((setting, _)) = given.iter().find(|(one, _)| !(one.flag.stores)(store)) {
        return Err(Error::input(format!(
            "--{}: means nothing to the store `{store}`; leave it out, or choose another --store",
            setting.name
        )));
    }
    let names_level = given.iter().any(|(setting, _)| setting.name == "isolation");
    let level = (names_level && !is_described).then_some(settings.isolation);
    check_level("--isolation", level, settings)
}

/// The command that runs the same sweep again.
fn again(args: &SweepArgs, seed: u64, address: &Address) -> String {
    let mut command = Command::new("sweep");
    if !args.strategies.is_empty() {
        command = command.flag("strategy", &args.strategies.join(","));
    }
    if let Some(path) = &args.checkout {
        command = command.flag("checkout", &path.display().to_string());
    }
    for (setting, text) in &args.lists.given {
        command = match setting.flag.value {
            Some(_) => command.flag(setting.name, text),
            None => command.switch(setting.name),
        };
    }
    if let Some(points) = args.points {
        command = command.flag("points", &points.to_string());
    }
    command = command.flag("rounds", &args.rounds.to_string());
    if let Some(path) = &args.resume {
        command = command.flag("resume", &path.display().to_string());
    }
    command.flag("seed", &seed.to_string()).at(address).into()
}
