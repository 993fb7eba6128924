//! `explore`: every interleaving, or random ones.

mod at_server;
mod context;
mod flags;
mod partition;
mod processes;
mod resume;
#[cfg(feature = "postgres")]
mod spec;

use std::path::PathBuf;

use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::process_group::ProcessGroup;
use crate::base::text::document::MOST_BYTES;
use crate::base::text::quantity::count;
use crate::check::report::{Evidence, Hint, Purpose};
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::explore::{
    self, ENOUGH_STATES, Exploration, Limits, Recording, StateGraph, check_counted,
};
use crate::render::{self, TestCase};
use crate::stores::StoreKind;
use crate::worlds::dyn_strategy::DynStrategy;

use super::Ended;
use super::ci::{CiLog, logged};
use super::interrupt::told_unless_stopped;
use super::output::{Output, refuse_same_file, to_stderr};
use super::shop::{OutputFormat, finish, tell_unmet};
use at_server::run_at_server;
pub(crate) use context::pool;
use context::{SearchContext, Watcher};
use flags::SCHEDULES;
pub(crate) use flags::{ExploreArgs, jobs};
pub(super) use partition::merge;

/// The most states that are drawn.
const MOST_DRAWN: usize = 1_000_000;

pub(crate) fn run(args: &ExploreArgs) -> Result<Ended, Error> {
    refuse_same_file(&[
        ("--output", args.report.output.as_deref()),
        ("--record", args.search.record.as_deref()),
        ("--graph", args.search.graph.as_deref()),
        ("--junit", args.junit.junit.as_deref()),
        ("--resume", args.search.resume.as_deref()),
    ])?;
    if let Some(slice) = args.partition.partition {
        return partition::search_slice(args, slice);
    }
    let (is_sarif, file) = args.report.sarif();
    let log = CiLog::open("oversell-sim explore", &args.junit, args.report.is_github())?
        .writing_sarif(is_sarif, file)?;
    #[cfg(feature = "postgres")]
    if let Some(path) = &args.spec.spec {
        let name = path.display().to_string();
        return logged(log, Some(path), &name, |cases| spec::run(path, args, cases));
    }
    logged(log, args.shop.file(), &args.shop.named(), |cases| search_and_report(args, cases))
}

/// Searches, writes the report, and adds a test case.
fn search_and_report(args: &ExploreArgs, cases: &mut Vec<TestCase>) -> Result<Ended, Error> {
    let strategy = args.shop.strategy()?;
    check_counted(strategy, &args.report.expectations())?;
    args.check_tries(strategy)?;
    if args.shop.is_for_any() && strategy.described().is_none() {
        return run_any(strategy, args, cases);
    }
    let settings = args.shop.settings_at(strategy, &args.server)?;
    if settings.store != StoreKind::Memory {
        return run_at_server(strategy, &settings, args, cases);
    }
    args.check_for_model(strategy)?;
    let open = |file: &Option<PathBuf>, flag| {
        file.as_deref().map(|path| Output::open(Some(path), flag)).transpose()
    };
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let record = open(&args.search.record, "--record")?;
    let graph = open(&args.search.graph, "--graph")?;
    let watch = SearchContext::start(&args.limits)?;
    let mut group = None;
    if args.is_together() {
        let joined = args.join(strategy, &settings, &watch.control);
        let before = "before the other processes had come";
        group = told_unless_stopped(joined, &watch.control, before)?;
        if group.is_none() {
            return Ok(Ended::Interrupted);
        }
    }
    let progress = args.progress();
    let searched = watch.run(progress, |monitor| search(strategy, &settings, args, monitor, group));
    let before = "before the other processes had answered";
    let Some((mut report, drawn)) = told_unless_stopped(searched, &watch.control, before)? else {
        return Ok(Ended::Interrupted);
    };
    report.hints = hints(strategy, &settings, &report);
    let took = watch.took();
    let again = args.again(strategy, &settings).to_string();
    cases.push(watch.test_case(&report, args, &again, took));
    let to_play = || explore::play_graph(strategy, &settings, &report).map(Some);
    let ended = finish(&report, Some(took), output, &args.report, to_play)?;
    if let Some(record) = record {
        write_recording(record, strategy, &settings, &report)?;
    }
    let ended = watch.ended(ended);
    match (graph, drawn) {
        (Some(graph), Some(drawn)) => graph.write(&render::state_graph(&drawn)?)?,
        (Some(_), None) if ended != Ended::Interrupted => {
            return Err(Error::input(format!(
                "--graph: not written, for the search met a limit, or {} states; draw a smaller shop, \
                 such as --buyers {}",
                count(MOST_DRAWN as i128),
                (settings.buyers / 2).max(1)
            )));
        }
        _ => {}
    }
    Ok(ended)
}

/// What to type after a search.
fn hints(strategy: &dyn DynStrategy, settings: &Settings, report: &Exploration) -> Vec<Hint> {
    let known = explore::after_search(strategy, settings, report);
    let known = known.map(|next| next.command(strategy));
    known.into_iter().chain(instead(strategy, settings, report)).collect()
}

/// A search that is smaller than one of the model which was cut short.
fn instead(strategy: &dyn DynStrategy, settings: &Settings, report: &Exploration) -> Option<Hint> {
    if report.evidence != Evidence::NotSeen || report.covered.is_none() {
        return None;
    }
    // Of so few all can be followed, whatever the strategy.
    let fewer = Settings { buyers: 3, ..settings.small() };
    let command = match settings.buyers {
        0..4 => Command::of(Verb::Explore, strategy, settings).switch("random"),
        _ => Command::of(Verb::Explore, strategy, &fewer),
    };
    Some(Hint::new(Purpose::Instead, command))
}

/// Writes the first schedule that shows something, if there is one.
fn write_recording(
    record: Output,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    report: &Exploration,
) -> Result<(), Error> {
    let Some(first) = report.findings.first() else {
        to_stderr("--record: nothing was found, so there is no schedule to write\n");
        return Ok(());
    };
    let recording = Recording {
        strategy: Some(strategy.card().name.to_owned()),
        settings: Some(settings.clone()),
        schedule: first.schedule.parse().map_err(Error::Input)?,
    };
    let written = recording.to_string();
    if written.len() as u64 > MOST_BYTES {
        to_stderr("--record: not written, for the schedule is longer than replay reads\n");
        return Ok(());
    }
    record.write(&written)
}

/// When to stop.
fn limits_of(args: &ExploreArgs) -> Limits {
    let usual = Limits::default();
    Limits {
        states: args.limits.max_states.map_or(usual.states, |states| states as usize),
        memory: args.limits.max_memory.map_or(usual.memory, |bytes| bytes as usize),
        enough_after_finding: args.finds_first().then_some(ENOUGH_STATES),
    }
}

/// The search that was asked for, and a drawing of it if one was asked for and it is whole.
fn search(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    monitor: &Watcher<'_>,
    group: Option<ProcessGroup>,
) -> Result<(Exploration, Option<StateGraph>), Error> {
    let limits = limits_of(args);
    if let Some(group) = group {
        let report = explore::search_among(strategy, settings, limits, monitor, group)?;
        return Ok((report, None));
    }
    let stopped = || monitor.is_stopped();
    let report = if let Some(sampling) = args.sampling(SCHEDULES) {
        explore::sample(strategy, settings, sampling, *monitor)?
    } else if let Some(most) = args.search.preemptions {
        explore::search_preempted(strategy, settings, most as u32, limits, monitor)?
    } else if args.search.no_reduce {
        explore::search_unreduced(strategy, settings, limits, stopped)?
    } else if args.search.graph.is_some() {
        let states = limits.states.min(MOST_DRAWN);
        let limits = Limits { states, enough_after_finding: None, ..limits };
        let (report, drawn) = explore::search_and_draw(strategy, settings, limits, *monitor)?;
        let is_whole = report.covered.as_ref().is_some_and(|covered| covered.complete);
        return Ok((report, is_whole.then_some(drawn)));
    } else {
        explore::search_all(strategy, settings, limits, *monitor)?
    };
    Ok((report, None))
}

/// Any number of buyers.
fn run_any(
    strategy: &dyn DynStrategy,
    args: &ExploreArgs,
    cases: &mut Vec<TestCase>,
) -> Result<Ended, Error> {
    args.check_for_any(strategy)?;
    let settings = args.shop.settings_but_for_buyers(strategy)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let watch = SearchContext::start(&args.limits)?;
    let limits = limits_of(args);
    let mut report = watch.run(args.progress(), |monitor| {
        let stopped = || monitor.is_stopped();
        explore::any_buyers(strategy, &settings, explore::MOST_BUYERS, limits, stopped)
    })?;
    let known = explore::after_any(strategy, &settings, &report);
    report.hints = known.map(|next| next.command(strategy)).into_iter().collect();
    let took = watch.took();
    let judgements = report.judge(&args.report.expectations());
    let again = args.again(strategy, &settings).for_any_buyers().to_string();
    let is_stopped = watch.control.is_stopped();
    cases.push(TestCase::of_any_buyers(&report, &judgements, &again, is_stopped, took));
    let text = match args.report.format {
        OutputFormat::Table | OutputFormat::Github => {
            render::any_buyers(&report, took, output.width())
        }
        OutputFormat::Json => render::json(&report)?,
        OutputFormat::Html => render::any_buyers_page(&report, took)?,
        // It is written when the whole command is over.
        OutputFormat::Sarif => {
            return tell_unmet(judgements, args.report.format).map(|ended| watch.ended(ended));
        }
    };
    output.write(&text)?;
    tell_unmet(judgements, args.report.format).map(|ended| watch.ended(ended))
}
