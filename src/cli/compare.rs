//! `compare`: contenders in, the difference between them out.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::chance;
use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::{exact_duration, parse_count, parse_duration};
use crate::base::text::server_url::ServerUrl;
use crate::check::comparison::{Comparison, Terms};
use crate::check::expect::Expectation;
use crate::check::gauge::Gauge;
use crate::command::{Command, Verb};
use crate::domain::settings::{Part, Setting, Settings};
use crate::explore::check_counted;
use crate::render::{self, TestCase, Width};
use crate::run::compare::compare_all;
use crate::stores::Address;
use clap::Args;

use super::baseline::{BaselineFlags, tell};
use super::ci::{CiLog, JunitFlag, logged};
use super::contenders::{Lineup, lineup};
use super::flags::{Given, Offer, SettingFlags, setting};
use super::output::{Output, line_to_stderr, refuse_same_file, tell_password};
use super::race::ReportFormat;
use super::{Ended, interrupt, progress};

/// The most rounds: each takes two sorted copies of its values ten thousand times.
const MOST_ROUNDS: u64 = 10_000;

/// The most rounds of warm-up.
const MOST_WARMUP: u64 = 1_000;

/// Differences up to this share are noise, if nothing else is said.
const USUAL_NOISE: &str = "1%";

/// The longest that a comparison may be let run.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The race's own settings, but for rounds, which the comparison counts itself.
#[derive(Clone, Debug)]
struct OfRounds;

impl Offer for OfRounds {
    const VERB: Verb = Verb::Race;
    const PARTS: &'static [&'static [Part]] = &[&[Part::Shop, Part::Carts, Part::Buyers]];
    const HEADING: &'static str = "The race";

    fn settings() -> impl Iterator<Item = &'static Setting> {
        but_for(Self::PARTS, &["rounds"])
    }
}

/// Settings of the stores, but for those of which there may be several.
#[derive(Clone, Debug)]
struct OfStores;

impl Offer for OfStores {
    const VERB: Verb = Verb::Race;
    const PARTS: &'static [&'static [Part]] =
        &[&[Part::Server], &[Part::Tables], &[Part::Private], &[Part::Timers]];
    const HEADING: &'static str = "The store";

    fn settings() -> impl Iterator<Item = &'static Setting> {
        but_for(Self::PARTS, &["store"])
    }
}

/// The settings of a race in these parts, without some.
pub(super) fn but_for(
    parts: &'static [&'static [Part]],
    without: &'static [&'static str],
) -> impl Iterator<Item = &'static Setting> {
    let of = move |part: &'static &'static [Part]| {
        let all = Settings::TABLE.iter().filter(|setting| Verb::Race.takes(setting.name));
        all.filter(move |setting| part.contains(&setting.flag.part))
    };
    parts.iter().flat_map(of).filter(move |setting| !without.contains(&setting.name))
}

/// What `compare` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompareArgs {
    /// The strategies to compare, separated by commas, or all
    /// (`oversell-sim strategies` lists them)
    #[arg(
        long = "strategy",
        short = 'S',
        value_name = "NAME",
        required_unless_present_any = ["checkout", "app"]
    )]
    strategies: Vec<String>,
    /// A checkout of your own, described in a file (repeatable: compare a checkout with its cure)
    #[arg(long = "checkout", value_name = "FILE", id = "checkout")]
    checkouts: Vec<PathBuf>,
    /// A running application, described in a file: the same requests at full speed (repeatable: compare an application
    /// with its cure)
    #[arg(long = "app", value_name = "FILE", id = "app")]
    apps: Vec<PathBuf>,
    /// Where stock lives; several stores, separated by commas, are compared [default: memory, or the store of a
    /// checkout's file]
    #[arg(
        long = "store",
        value_name = "STORE",
        value_delimiter = ',',
        value_parser = setting("store"),
        help_heading = "The store"
    )]
    stores: Vec<String>,
    /// How far transactions are kept apart; several levels, separated by commas, are compared
    #[arg(
        long = "isolation",
        value_name = "LEVEL",
        value_delimiter = ',',
        value_parser = setting("isolation"),
        help_heading = "The store"
    )]
    levels: Vec<String>,
    #[command(flatten)]
    race: SettingFlags<OfRounds>,
    #[command(flatten)]
    server: SettingFlags<OfStores>,
    /// Race on a server of yours, in tables or keys of our own that are removed after
    #[arg(long, value_name = "URL", help_heading = "The store")]
    url: Option<ServerUrl>,
    /// Allow --url to name another machine
    #[arg(long, requires = "url", help_heading = "The store")]
    allow_remote: bool,
    /// Keep the applications' databases as schema, seed and setup have filled them, and begin with them the next time
    /// (`oversell-sim clean` removes them)
    #[arg(long, requires = "app", help_heading = "The store")]
    keep: bool,
    /// How many rounds of each contender count; they take turns, in an order drawn anew each time
    #[arg(long, value_name = "N", default_value = "20", value_parser = rounds)]
    rounds: u32,
    /// How many rounds of each come first, and do not count (the audit looks at them, too)
    #[arg(long, value_name = "N", default_value = "2", value_parser = warmup)]
    warmup: u32,
    /// Stop after this time, when the rounds under way are over
    #[arg(long, value_name = "DURATION", value_parser = max_time)]
    max_time: Option<Duration>,
    /// The figure to compare: a time, a rate or a cost, such as latency.p99, checkouts_per_second or conflicts
    #[arg(long, value_name = "NAME", default_value = Gauge::DEFAULT, value_parser = Gauge::parse)]
    metric: Gauge,
    /// Compare with this contender [default: the first that is not broken]
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,
    /// Call differences up to this share noise, even where they are certain
    #[arg(long, value_name = "SHARE", default_value = USUAL_NOISE, value_parser = share)]
    noise: f64,
    /// What must hold of every contender in every round, such as 'oversold = 0' (repeatable)
    #[arg(long = "expect", value_name = "EXPR", value_parser = Expectation::parse)]
    expectations: Vec<Expectation>,
    /// Let an expectation hold although the comparison was cut short, or proves nothing
    #[arg(long)]
    allow_incomplete: bool,
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
    /// Print a line a contender, and show no progress bar
    #[arg(long, short, help_heading = "The report")]
    quiet: bool,
    /// Show no progress bar
    #[arg(long, help_heading = "The report")]
    no_progress: bool,
}

fn rounds(text: &str) -> Result<u32, String> {
    parse_count(text, 1, MOST_ROUNDS).map(|number| number as u32)
}

fn warmup(text: &str) -> Result<u32, String> {
    parse_count(text, 0, MOST_WARMUP).map(|number| number as u32)
}

fn max_time(text: &str) -> Result<Duration, String> {
    parse_duration(text, LONGEST)
}

/// A share, such as `10%` or `0.1`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number / scale);
    let share = share.ok().filter(|share| (0.0..=100.0).contains(share));
    share.ok_or_else(|| "expected a share, such as 10% or 0.1".into())
}

pub(crate) fn run(args: &CompareArgs) -> Result<Ended, Error> {
    refuse_same_file(&[
        ("--output", args.output.as_deref()),
        ("--junit", args.junit.junit.as_deref()),
    ])?;
    let is_github = args.format == ReportFormat::Github;
    let log = CiLog::open("oversell-sim compare", &args.junit, is_github)?;
    // Of several files, none is the one in which a contender's line stands.
    logged(log, None, "comparison", |cases| compare(args, cases))
}

/// Compares, writes the report, and adds a test case for each contender.
fn compare(args: &CompareArgs, cases: &mut Vec<TestCase>) -> Result<Ended, Error> {
    let given = [args.server.given(), args.race.given()].concat();
    let seed = match given.iter().find(|(setting, _)| setting.name == "seed") {
        Some(_) => None,
        None => Some(chance::fresh_seed()),
    };
    let settings = Settings { seed: seed.unwrap_or_default(), ..Settings::default() };
    let CompareArgs { allow_remote, keep, .. } = *args;
    let address = Address { url: args.url.clone(), allow_remote, keep, ..Address::default() };
    let entrants = lineup(&Lineup {
        strategies: &args.strategies,
        checkouts: &args.checkouts,
        apps: &args.apps,
        stores: &args.stores,
        levels: &args.levels,
        settings: &settings,
        of_race: args.race.given(),
        of_store: args.server.given(),
        address: &address,
    })?;
    if let Some(name) = &args.reference
        && entrants.iter().all(|one| one.name != *name)
    {
        let names: Vec<&str> = entrants.iter().map(|one| one.name.as_str()).collect();
        return Err(Error::input(format!(
            "--reference: no contender is called `{}`{}; there are {}",
            shown(name),
            did_you_mean(name, names.iter().copied()),
            names.join(", ")
        )));
    }
    let seed = entrants.first().map_or(0, |one| one.settings.seed);
    let terms = Terms {
        gauge: args.metric,
        warmup: args.warmup,
        rounds: args.rounds,
        noise: args.noise,
        reference: args.reference.clone(),
        seed,
    };
    let baseline = args.baseline.read()?;
    let limit = args.baseline.limit();
    if let Some(baseline) = &baseline {
        let runs = entrants.iter().map(|one| {
            (one.strategy.card().name, &one.settings, one.strategy.described().is_some())
        });
        baseline.check(runs, args.rounds, limit)?;
    }
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control()?;
    let expectations: Vec<Expectation> = args
        .expectations
        .iter()
        .map(|one| one.clone().allowing_incomplete(args.allow_incomplete))
        .collect();
    entrants.iter().try_for_each(|one| check_counted(one.strategy, &expectations))?;
    tell_password(&address);
    let buyers: u64 = entrants.iter().map(|one| u64::from(one.settings.buyers)).sum();
    let visits = buyers * u64::from(args.warmup + args.rounds);
    let shows_progress = !args.quiet && !args.no_progress;
    let compared = progress::watched(visits, "comparing", shows_progress, &control, || {
        compare_all(&entrants, &address, &terms, args.max_time, &expectations, &control)
    });
    let Some(comparison) =
        interrupt::told_unless_stopped(compared, &control, "before a round was raced")?
    else {
        return Ok(Ended::Interrupted);
    };
    let mut comparison = Comparison { again: again(args, &given, seed, &address), ..comparison };
    if let Some(baseline) = &baseline {
        let against = baseline.hold(&comparison, limit, args.allow_incomplete, seed)?;
        comparison.baseline = Some(against);
    }

    let is_table = matches!(args.format, ReportFormat::Table | ReportFormat::Github);
    let tells_expectations = is_table && output.is_stdout() && !args.quiet;
    cases.extend(TestCase::all_of_comparison(&comparison));
    let text = written(&comparison, args, output.width())?;
    output.write(&text)?;
    if !tells_expectations {
        for one in &comparison.contenders {
            for unmet in one.run.unmet() {
                line_to_stderr(&format!("{}: {unmet}", one.name));
            }
        }
        tell(&comparison.baseline);
    }
    Ok(ended(&comparison))
}

fn written(comparison: &Comparison, args: &CompareArgs, width: Width) -> Result<String, Error> {
    match args.format {
        ReportFormat::Table | ReportFormat::Github => Ok(match args.quiet {
            true => render::standings(comparison, width),
            false => render::comparison(comparison, width),
        }),
        ReportFormat::Json => render::json(comparison),
        ReportFormat::Csv => render::comparison_csv(comparison),
        ReportFormat::Markdown => Ok(render::comparison_markdown(comparison)),
        ReportFormat::Html => render::comparison_page(comparison),
    }
}

fn ended(comparison: &Comparison) -> Ended {
    if comparison.interrupted {
        Ended::Interrupted
    } else if comparison.met_expectations() {
        Ended::Well
    } else {
        Ended::ShortOfExpectations
    }
}

/// The command that runs the same comparison again: every flag that was given, and the seed.
fn again(args: &CompareArgs, given: &Given, seed: u64, address: &Address) -> String {
    let mut command = Command::new("compare");
    if !args.strategies.is_empty() {
        command = command.flag("strategy", &args.strategies.join(","));
    }
    for (name, paths) in [("checkout", &args.checkouts), ("app", &args.apps)] {
        for path in paths {
            command = command.flag(name, &path.display().to_string());
        }
    }
    for (name, values) in [("store", &args.stores), ("isolation", &args.levels)] {
        if !values.is_empty() {
            command = command.flag(name, &values.join(","));
        }
    }
    for (setting, text) in given.iter().filter(|(setting, _)| setting.name != "seed") {
        command = match setting.flag.value {
            Some(_) => command.flag(setting.name, text),
            None => command.switch(setting.name),
        };
    }
    command = command.flag("rounds", &args.rounds.to_string());
    command = command.flag("warmup", &args.warmup.to_string());
    if let Some(most) = args.max_time {
        command = command.flag("max-time", &exact_duration(most));
    }
    if args.metric.metric.name != Gauge::DEFAULT {
        command = command.flag("metric", args.metric.metric.name);
    }
    if share(USUAL_NOISE) != Ok(args.noise) {
        command = command.flag("noise", &args.noise.to_string());
    }
    if let Some(name) = &args.reference {
        command = command.flag("reference", name);
    }
    command.flag("seed", &seed.to_string()).at(address).into()
}
