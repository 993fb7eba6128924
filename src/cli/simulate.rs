//! `simulate`: a shop in virtual time, with networks, money and crashes.

use std::path::PathBuf;

use crate::base::clock;
use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::base::partition::Slice;
use crate::base::text::printable::printable;
use crate::base::text::quantity::{of, parse_count, parse_duration};
use crate::check::expect::Expectation;
use crate::check::report::Report;
use crate::command::Command;
use crate::domain::op::OpKind;
use crate::render::{self, TestCase};
use crate::run::logbook::Logbook;
use crate::run::seeds::{self, simulate_all, simulate_part, tell_story};
use crate::scenario::Scenario;
use crate::strategies;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::threads::Control;
use crate::worlds::timed::{SimConfig, StoryLine};
use clap::Args;

use super::ci::{CiLog, JunitFlag, logged};
use super::explore::{jobs, pool};
use super::flags::setting;
use super::meaning::refuse;
use super::merge::MergeFlags;
use super::output::{Output, line_to_stderr, refuse_same_file, to_stdout};
use super::parts::{self, Header, PartOfRuns, PartitionFlag, Parts};
use super::shop::OutputFormat;
use super::{Ended, interrupt, progress, width};

/// What `simulate` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The scenario: a TOML file that says where buyers are and what the shop is made of
    #[arg(value_name = "SCENARIO")]
    path: PathBuf,
    /// The checkouts to simulate instead of the scenario's, separated by commas
    #[arg(long, short = 'S', value_name = "NAME")]
    strategy: Option<String>,
    /// The number of buyers; the scenario's own expectations are then not checked
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = setting("buyers"))]
    buyers: Option<String>,
    /// The number of units; the scenario's own expectations are then not checked
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = setting("stock"))]
    stock: Option<String>,
    /// How long a hold lasts
    #[arg(long, value_name = "DURATION", value_parser = hold_ttl)]
    hold_ttl: Option<u64>,
    /// The first seed
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("seed"))]
    seed: Option<String>,
    /// The number of seeds to simulate, one after the other
    #[arg(long, value_name = "N", value_parser = number_of_seeds)]
    seeds: Option<u32>,
    /// Simulate on N threads; the result is the same [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    jobs: Option<u64>,
    /// What must hold with every seed, such as 'oversold = 0' (repeatable; beside the scenario's own)
    #[arg(long = "expect", value_name = "EXPR", value_parser = Expectation::parse)]
    expectations: Vec<Expectation>,
    /// Let an expectation hold although the run was cut short, or proves nothing; without this it holds only of a
    /// finding or failure that was seen, or of a run in which buyers contended
    #[arg(long)]
    allow_incomplete: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, help_heading = "The report")]
    format: OutputFormat,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE", help_heading = "The report")]
    output: Option<PathBuf>,
    #[command(flatten)]
    partition: PartitionFlag,
    #[command(flatten)]
    junit: JunitFlag,
    /// Print the verdict alone, without the story and the tables; show no progress bar
    #[arg(long, short, help_heading = "The report")]
    quiet: bool,
    /// Show no progress bar
    #[arg(long, help_heading = "The report")]
    no_progress: bool,
}

/// The most buyers whose story is told line by line.
const MOST_TOLD: u64 = 12;

fn hold_ttl(text: &str) -> Result<u64, String> {
    let longest = std::time::Duration::from_secs(24 * 3600);
    match parse_duration(text, longest)? {
        none if none.is_zero() => Err("a hold that does not stand is none".into()),
        ttl => Ok(clock::nanos(ttl)),
    }
}

fn number_of_seeds(text: &str) -> Result<u32, String> {
    parse_count(text, 1, u32::MAX.into()).map(|seeds| seeds as u32)
}

pub(crate) fn run(args: &SimulateArgs) -> Result<Ended, Error> {
    if let Some(slice) = args.partition.partition {
        return simulate_slice(args, slice);
    }
    told(args, |task, control| {
        let Task { strategies, scene, seeds, expectations, again } = task;
        let buyers = scene.rush.buyers() * u64::from(*seeds) * strategies.len() as u64;
        watched(args, buyers, control, || {
            simulate_all(strategies, scene, *seeds, expectations, again, control)
        })
    })
}

/// Makes the report of all seeds from its parts.
pub(super) fn merge(args: SimulateArgs, parts: &Parts, flags: &MergeFlags) -> Result<Ended, Error> {
    let args = SimulateArgs {
        format: flags.format()?,
        output: flags.output.clone(),
        junit: flags.junit.clone(),
        quiet: flags.quiet,
        partition: PartitionFlag::default(),
        ..args
    };
    let task = task(&args)?;
    parts.check_inputs(&task.inputs(), &args.path)?;
    let mut logbooks: Vec<Logbook> =
        task.strategies.iter().map(|_| Logbook::open(&task.expectations)).collect();
    parts.each(|slice, part: PartOfRuns| {
        parts::add_runs(part.runs, &mut logbooks, slice, task.seeds)
    })?;
    told(&args, |task, _| Ok(seeds::merged(&task.strategies, &task.scene, &task.again, logbooks)))
}

/// Simulates one part of the seeds, and writes a part of the report.
fn simulate_slice(args: &SimulateArgs, slice: Slice) -> Result<Ended, Error> {
    let is_json = args.format == OutputFormat::Json;
    let needed = [("--seeds", args.seeds.is_some(), "say how many there are to share out")];
    PartitionFlag::check(&needed, is_json, &[("--junit", args.junit.junit.is_some())])?;
    let task = task(args)?;
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control()?;
    let Task { strategies, scene, seeds, expectations, again } = &task;
    let share = slice.share_of(*seeds);
    let buyers = scene.rush.buyers() * u64::from(share) * strategies.len() as u64;
    let (report, runs) = watched(args, buyers, &control, || {
        simulate_part(strategies, scene, *seeds, slice, expectations, again, &control)
    })?;
    let header = Header::new(slice, &whole(args), task.inputs());
    output.write(&parts::written(&report, &header, &PartOfRuns { runs })?)?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { Ended::Well })
}

/// What is to be simulated.
struct Task {
    strategies: Vec<&'static dyn DynStrategy>,
    scene: SimConfig,
    seeds: u32,
    expectations: Vec<Expectation>,
    again: Command,
}

impl Task {
    /// What all parts of it must have in common, and their command does not say.
    fn inputs(&self) -> Inputs {
        Inputs::of(&self.scene)
    }
}

fn task(args: &SimulateArgs) -> Result<Task, Error> {
    let name = args.path.display().to_string();
    let flags = [("buyers", &args.buyers), ("stock", &args.stock), ("seed", &args.seed)];
    let scenario = Scenario::read_with(&args.path, &flags)?;
    let Some(mut scene) = scenario.scene else {
        return Err(Error::input(format!(
            "{name} is a {}, not a simulated shop: it has no [[region]]; `{}` runs it",
            if scenario.is_search() { "search" } else { "race on threads" },
            Command::new("check").word(&name)
        )));
    };
    if let Some(ttl_ns) = args.hold_ttl {
        scene.shop.hold_ttl_ns = ttl_ns;
        scene.check_hold().map_err(|why| Error::input(format!("--hold-ttl: {why}")))?;
    }
    let strategies = match &args.strategy {
        Some(names) => {
            let all = names.split(',').map(|name| strategies::find(name.trim()));
            all.collect::<Result<_, _>>().map_err(super::race::with_list)?
        }
        None => scenario.strategies,
    };
    let holds = strategies.iter().any(|strategy| strategy.card().names(OpKind::Hold));
    refuse(
        &[("--hold-ttl", args.hold_ttl.is_some() && !holds)],
        "no checkout here puts anything on hold; leave it out",
    )?;
    let is_its_crowd = args.buyers.is_none() && args.stock.is_none();
    let own = if is_its_crowd { scenario.expectations } else { Vec::new() };
    let expectations: Vec<Expectation> = [own, args.expectations.clone()]
        .concat()
        .into_iter()
        .map(|one| one.allowing_incomplete(args.allow_incomplete))
        .collect();
    let seeds = args.seeds.unwrap_or(1);
    Ok(Task { strategies, scene, seeds, expectations, again: again(args) })
}

/// Does the work on so many threads as are wanted, and shows how far it is.
fn watched<T: Send>(
    args: &SimulateArgs,
    buyers: u64,
    control: &Control,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let wanted = !args.quiet && !args.no_progress;
    pool(args.jobs)?.install(|| progress::watched(buyers, "simulating", wanted, control, work))
}

/// Has all seeds simulated, and tells what came of them: a report, and what a CI server is to know.
fn told(
    args: &SimulateArgs,
    work: impl FnOnce(&Task, &Control) -> Result<Report, Error>,
) -> Result<Ended, Error> {
    refuse_same_file(&[
        ("--output", args.output.as_deref()),
        ("--junit", args.junit.junit.as_deref()),
    ])?;
    let is_github = args.format == OutputFormat::Github;
    let is_sarif = args.format == OutputFormat::Sarif;
    let log = CiLog::open("oversell-sim simulate", &args.junit, is_github)?
        .writing_sarif(is_sarif, args.output.as_deref())?;
    let name = args.path.display().to_string();
    logged(log, Some(&args.path), &name, |cases| simulate(args, cases, work))
}

/// Has all seeds simulated, writes the report, and adds a test case for each strategy.
fn simulate(
    args: &SimulateArgs,
    cases: &mut Vec<TestCase>,
    work: impl FnOnce(&Task, &Control) -> Result<Report, Error>,
) -> Result<Ended, Error> {
    let task = task(args)?;
    let Task { strategies, scene, seeds, .. } = &task;
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control()?;

    let no_story = why_no_story(args, scene, *seeds);
    if is_for_eyes(args) && no_story.is_none() {
        for strategy in strategies {
            to_stdout(&story(*strategy, scene, strategies.len() > 1, &control)?)?;
        }
    }
    let report = work(&task, &control)?;
    cases.extend(TestCase::all_of(&report));
    let text = match args.format {
        OutputFormat::Json => render::json(&report)?,
        OutputFormat::Html => {
            let stories = stories(args, strategies, scene, *seeds, &control)?;
            let why = no_story.as_ref().map(|(why, _)| why.as_str());
            render::simulation_page(&report, &stories, scene.opens_s, why)?
        }
        OutputFormat::Table | OutputFormat::Github if args.quiet => {
            render::verdicts(&report, output.width())
        }
        OutputFormat::Table | OutputFormat::Github => render::table(&report, output.width()),
        // It is written when the whole command is over.
        OutputFormat::Sarif => String::new(),
    };
    if args.format != OutputFormat::Sarif {
        output.write(&text)?;
    }
    if let Some((why, next)) = no_story.filter(|_| is_for_eyes(args)) {
        let width = width::of_stdout();
        let next = next.map_or(String::new(), |next| width.labelled("to have one", &next));
        to_stdout(&format!("\n{}{next}", width.labelled("no story", &why)))?;
    }
    if !matches!(args.format, OutputFormat::Table | OutputFormat::Github) || args.quiet {
        for unmet in report.runs.iter().flat_map(|run| run.unmet()) {
            line_to_stderr(&unmet);
        }
    }
    Ok(super::race::ended(&report))
}

/// The stories that a page tells, of one seed and few buyers: one for each strategy.
fn stories(
    args: &SimulateArgs,
    strategies: &[&dyn DynStrategy],
    scene: &SimConfig,
    seeds: u32,
    control: &Control,
) -> Result<Vec<Vec<StoryLine>>, Error> {
    if seeds > 1 || args.quiet || scene.rush.buyers() > MOST_TOLD {
        return Ok(Vec::new());
    }
    let told = |strategy: &&dyn DynStrategy| Ok(tell_story(*strategy, scene, control)?.1);
    strategies.iter().map(told).collect()
}

/// Whether a person reads what is printed.
fn is_for_eyes(args: &SimulateArgs) -> bool {
    let is_table = matches!(args.format, OutputFormat::Table | OutputFormat::Github);
    is_table && !args.quiet && args.output.is_none()
}

/// A story is told of few buyers and one seed. Where it is left out: why, and the command that tells one, if there is one.
fn why_no_story(
    args: &SimulateArgs,
    scene: &SimConfig,
    seeds: u32,
) -> Option<(String, Option<String>)> {
    let buyers = scene.rush.buyers();
    let is_large = buyers > MOST_TOLD;
    let why = match (is_large, seeds) {
        (false, 1) => return None,
        (false, _) => format!("{} are simulated, and a story is of one", of(seeds.into(), "seed")),
        (true, _) => {
            format!("{} come, and a story is of {MOST_TOLD} at most", of(buyers, "buyer"))
        }
    };
    let fewer = is_large.then(|| MOST_TOLD.to_string());
    let args = SimulateArgs { buyers: fewer.or_else(|| args.buyers.clone()), ..args.clone() };
    let next = again(&args);
    let next = match &args.strategy {
        Some(names) => next.flag("strategy", names),
        None => next,
    };
    let next = next.flag("seed", &scene.settings.seed.to_string()).to_string();
    // Recorded clicks are as many as they are.
    let has_one = !is_large || scene.rush.recorded().is_none();
    Some((why, has_one.then_some(next)))
}

fn story(
    strategy: &dyn DynStrategy,
    scene: &SimConfig,
    is_one_of_several: bool,
    control: &Control,
) -> Result<String, Error> {
    let (_, lines) = tell_story(strategy, scene, control)?;
    let title = match is_one_of_several {
        true => format!(" {}\n", printable(strategy.card().name)),
        false => String::new(),
    };
    Ok(format!("{title}{}\n", render::story(&lines, scene.opens_s, width::of_stdout())))
}

/// The command that simulates all seeds on one machine.
fn whole(args: &SimulateArgs) -> Command {
    let seeds = args.seeds.map(|seeds| seeds.to_string());
    let command = [("strategy", &args.strategy), ("seed", &args.seed), ("seeds", &seeds)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_ref()?)))
        .fold(again(args), |command, (name, text)| command.flag(name, text));
    let command = args
        .expectations
        .iter()
        .fold(command, |command, expected| command.flag("expect", &expected.to_string()));
    if args.allow_incomplete { command.switch("allow-incomplete") } else { command }
}

/// The scenario and what was said beside it, for the command that simulates the same again.
fn again(args: &SimulateArgs) -> Command {
    let again = Command::new("simulate").word(&args.path.display().to_string());
    let ttl = args.hold_ttl.map(|ttl_ns| format!("{ttl_ns}ns"));
    [("buyers", &args.buyers), ("stock", &args.stock), ("hold-ttl", &ttl)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_ref()?)))
        .fold(again, |command, (name, text)| command.flag(name, text))
}
