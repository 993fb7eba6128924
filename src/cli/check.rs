//! `check`: scenario files, a line each.

use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::base::text::printable::printable;
use crate::base::text::quantity::of;
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::explore;
use crate::render::{self, TestCase, TestStatus};
use crate::scenario::{Scenario, ScenarioReport};
use crate::stores::StoreKind;
use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};

use super::ci::{CiLog, JunitFlag};
use super::flags;
use super::interrupt::told_unless_stopped;
use super::meaning::refuse;
use super::output::{Output, refuse_same_file, tell_password, to_stdout};
use super::progress::Progress;
use super::shop::ServerFlags;
use super::{Ended, complain, exit_code, interrupt, width};

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LineFormat {
    /// A line a scenario, for a terminal.
    Table,
    /// The same, annotations and a job summary, for GitHub Actions.
    Github,
    /// A page for a browser.
    Html,
    /// SARIF, for editors and code scanning: each finding at its place in the code.
    Sarif,
}

/// What `check` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    /// Scenario files, or folders of them
    #[arg(required_unless_present = "checkout", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Rehearse your own checkout, described in a file, instead of scenarios: buyers come one after the other, and each
    /// mistake in the file is reported with its place
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "junit", "format", "output"])]
    checkout: Option<PathBuf>,
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    junit: JunitFlag,
    /// The form of what is printed
    #[arg(long, value_enum, default_value_t = LineFormat::Table, help_heading = "The report")]
    format: LineFormat,
    /// Write what --format html or sarif makes to a file, and print a line a scenario meanwhile
    #[arg(long, short, value_name = "FILE", help_heading = "The report")]
    output: Option<PathBuf>,
    /// Let expectations hold of runs that were cut short, or prove nothing (in a file: allow_incomplete = true)
    #[arg(long, conflicts_with = "checkout")]
    allow_incomplete: bool,
    /// Show no progress bar
    #[arg(long)]
    no_progress: bool,
}

pub(crate) fn run(args: &CheckArgs) -> Result<Ended, Error> {
    if let Some(path) = &args.checkout {
        return have_rehearsed(path, &args.server, !args.no_progress);
    }
    args.server.check_for_scenarios()?;
    let paths = scenario_files(&args.paths)?;
    let scenarios: Vec<_> = paths.iter().map(|path| (path, Scenario::read(path))).collect();
    let is_described =
        |(_, read): &(_, Result<Scenario, _>)| read.as_ref().map_or(true, Scenario::is_described);
    args.server.check_allowed_for(scenarios.iter().any(is_described))?;
    let address = args.server.address();
    let is_page = args.format == LineFormat::Html;
    let is_sarif = args.format == LineFormat::Sarif;
    refuse(
        &[("--output", args.output.is_some() && !is_page && !is_sarif)],
        "is for a page or SARIF; add --format html or sarif, or leave it out",
    )?;
    let files = [("--output", args.output.as_deref()), ("--junit", args.junit.junit.as_deref())];
    refuse_same_file(&files)?;
    let output = Output::open(args.output.as_deref(), "--output")?;
    let prints_lines = !((is_page || is_sarif) && output.is_stdout());
    let is_github = args.format == LineFormat::Github;
    let mut log = CiLog::open("oversell-sim check", &args.junit, is_github)?
        .writing_sarif(is_sarif, args.output.as_deref())?;
    let control = interrupt::control()?;
    let widest = paths.iter().map(|path| path.display().to_string().len()).max().unwrap_or(0);

    let mut checked = Vec::new();
    for (path, read) in scenarios {
        // After Ctrl-C this goes on: what is left is then cut short before its first round, and
        // told so.
        let name = path.display().to_string();
        let suite = log.begin(Some(path), true);
        let mut title = String::new();
        let outcome = read.and_then(|scenario| {
            let scenario = scenario.allowing_incomplete(args.allow_incomplete);
            title.clone_from(&scenario.title);
            let rounds = u64::from(if scenario.scene.is_some() { scenario.seeds } else { 1 });
            let buyers = scenario.settings.visits() * rounds * scenario.strategies.len() as u64;
            let (unit, all) = match scenario.searches_count() {
                // How many there are is not known before.
                Some(unit) => (unit, None),
                None => ("buyers", Some(buyers)),
            };
            let progress = Progress { name: &name, unit, all, wanted: !args.no_progress };
            progress.watch(&control, || scenario.run_until(&address, &control))
        });
        let cases = match &outcome {
            Ok(report) => {
                let cases = TestCase::all_of_scenario(report);
                if prints_lines {
                    let text = line(&name, widest, &title, report, &cases);
                    to_stdout(&width::of_stdout().folded(&text, 7))?;
                }
                cases
            }
            Err(error) => {
                complain(&error.to_string());
                vec![TestCase::of_error("scenario", error)]
            }
        };
        log.end(suite, cases)?;
        checked.push(outcome);
    }

    if is_page {
        output.write(&render::suites_page(log.suites())?)?;
    }
    log.close()?;
    let reports = || checked.iter().filter_map(|outcome| outcome.as_ref().ok());
    let cut = reports().filter(|report| report.was_interrupted()).count() as u64;
    let short = reports()
        .filter(|report| !report.was_interrupted() && !report.met_expectations())
        .count() as u64;
    let wrong = checked.iter().filter(|outcome| outcome.is_err()).count() as u64;
    let total = checked.len() as u64;
    let mut summary = format!("{}: {} ok", of(total, "scenario"), total - cut - short - wrong);
    for (number, what) in [(cut, "cut short"), (short, "fell short"), (wrong, "could not be run")] {
        if number > 0 {
            summary += &format!(", {number} {what}");
        }
    }
    if prints_lines {
        to_stdout(&format!("\n{summary}\n"))?;
    }

    if control.is_stopped() {
        return Ok(Ended::Interrupted);
    }
    let first_error = checked.iter().find_map(|outcome| outcome.as_ref().err());
    Ok(match first_error {
        Some(error) => Ended::WithErrors(exit_code(error)),
        None if short > 0 => Ended::ShortOfExpectations,
        None => Ended::Well,
    })
}

/// Has a described checkout's buyers come one after the other.
fn have_rehearsed(path: &Path, server: &ServerFlags, wanted: bool) -> Result<Ended, Error> {
    let (strategy, checkout) = flags::checkout(path)?;
    server.check_kept()?;
    let settings = server.described(checkout, Settings::default(), &[])?;
    let few = checkout.a_few().min(settings.buyers);
    let settings = Settings { buyers: few, ..settings };
    let control = interrupt::control()?;
    let then = if checkout.store == StoreKind::Http { Verb::Race } else { Verb::Explore };
    let address = server.address();
    tell_password(&address);
    let next = Command::of(then, strategy, &settings).at(&address).to_string();
    let progress = Progress { name: "rehearsing", unit: "rehearsals", all: Some(1), wanted };
    let rehearsed = progress.watch(&control, || {
        let server = explore::server_to_rehearse_at(strategy, &settings, &address, &control)?;
        Ok((explore::rehearse(strategy, &settings, &*server)?, server))
    });
    let Some((rehearsal, server)) =
        told_unless_stopped(rehearsed, &control, "before the checkout was rehearsed")?
    else {
        return Ok(Ended::Interrupted);
    };
    let width = width::of_stdout();
    to_stdout(&render::rehearsal(&rehearsal, server.version(), &next, width))?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { Ended::Well })
}

/// One scenario's line, and a line for each expectation that did not hold.
fn line(
    name: &str,
    widest: usize,
    title: &str,
    report: &ScenarioReport,
    cases: &[TestCase],
) -> String {
    let (word, colour) = if report.was_interrupted() {
        ("CUT", AnsiColor::Yellow)
    } else if report.met_expectations() {
        ("ok", AnsiColor::Green)
    } else {
        ("SHORT", AnsiColor::Red)
    };
    let style: Style = colour.on_default().bold();
    let strategies: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    let about = match title.lines().next() {
        None | Some("") => strategies.join(", "),
        Some(first) => first.to_owned(),
    };
    let (name, about) = (printable(name), printable(&about));
    let mut text = format!(" {style}{word:<6}{style:#}{name:<widest$}  {about}\n");
    for case in cases {
        if let TestStatus::Failed { unmet, again } = &case.status {
            for unmet in unmet {
                text += &format!("       {}\n", printable(&format!("{}: {unmet}", case.name)));
            }
            text += &format!("       again: {}\n", printable(again));
        }
    }
    text
}

/// The files themselves, and what lies in the folders, by name.
fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = toml_files_in(path).map_err(|error| {
                Error::input(format!("cannot read the folder {}: {error}", path.display()))
            })?;
            if found.is_empty() {
                return Err(Error::input(format!("no .toml file in {}", path.display())));
            }
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn toml_files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
