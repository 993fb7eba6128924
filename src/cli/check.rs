//! `check`: scenario files, a line each.

use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::base::text::printable::printable;
use crate::base::text::quantity::of;
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::explore;
use crate::render::{self, TestCase, TestStatus, TestSuite};
use crate::scenario::Scenario;
use crate::stores::StoreKind;
use crate::worlds::threads::Control;
use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::ci::{CiLog, JunitFlag};
use super::flags;
use super::interrupt::told_unless_stopped;
use super::meaning::refuse;
use super::merge::MergeFlags;
use super::output::{Output, refuse_same_file, tell_password, to_stdout};
use super::parts::{self, Header, PartReport, PartitionFlag, Parts};
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "junit", "format", "output", "partition"])]
    checkout: Option<PathBuf>,
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    partition: PartitionFlag,
    #[command(flatten)]
    junit: JunitFlag,
    /// The form of what is printed
    #[arg(long, value_enum, default_value_t = LineFormat::Table, help_heading = "The report")]
    format: LineFormat,
    /// Write what --format html or sarif makes, or a part, to a file, and print a line a scenario meanwhile
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
    let slice = args.partition.partition;
    let has_format = args.format != LineFormat::Table;
    if slice.is_some() {
        let about_all = [("--junit", args.junit.junit.is_some()), ("--format", has_format)];
        PartitionFlag::check(&[], true, &about_all)?;
    }
    let mut report = CheckReport::open(args)?;
    let control = interrupt::control()?;
    let widest = widest(paths.iter().map(|path| path.display().to_string()));

    let mut checked = Vec::new();
    let is_here = |place: usize| slice.is_none_or(|slice| slice.has(place));
    let here = scenarios.into_iter().enumerate().filter(|(place, _)| is_here(*place));
    for (place, (path, read)) in here {
        // After Ctrl-C this goes on: what is left is then cut short before its first round, and
        // told so.
        let one = check_one(args, place, path, read, &report.log, &control);
        report.tell(&one, widest)?;
        checked.push(one);
    }

    let Some(slice) = slice else {
        let ended = report.close(&checked)?;
        return Ok(if control.is_stopped() { Ended::Interrupted } else { ended });
    };
    let inputs: Vec<_> = paths.iter().map(|path| (path, std::fs::read(path).ok())).collect();
    let header = Header::new(slice, &whole(args), Inputs::of(&inputs));
    let error = checked.iter().find_map(Checked::exit_code);
    let body = PartOfCheck { scenarios: paths.len(), checked };
    report.output.write(&parts::written(&PartReport::default(), &header, &body)?)?;
    Ok(match error {
        _ if control.is_stopped() => Ended::Interrupted,
        Some(code) => Ended::WithErrors(code),
        None => Ended::Well,
    })
}

/// Makes the report of all scenarios from its parts.
pub(super) fn merge(args: CheckArgs, parts: &Parts, flags: &MergeFlags) -> Result<Ended, Error> {
    refuse(&[("--quiet", flags.quiet)], "the lines are all there is; leave it out")?;
    let args = CheckArgs {
        format: flags.format()?,
        output: flags.output.clone(),
        junit: flags.junit.clone(),
        partition: PartitionFlag::default(),
        ..args
    };
    let mut all: Vec<Checked> = Vec::new();
    parts.each(|slice, PartOfCheck { scenarios, checked }| {
        let places: Vec<usize> = checked.iter().map(|one| one.place).collect();
        let expected: Vec<usize> = (0..scenarios).filter(|place| slice.has(*place)).collect();
        if places != expected {
            return Err(format!(
                "it does not hold its part of {}",
                of(scenarios as u64, "scenario")
            ));
        }
        if checked.iter().any(|one| one.ending == Ending::Cut) {
            return Err("it was cut short".into());
        }
        all.extend(checked);
        Ok(())
    })?;
    all.sort_by_key(|one| one.place);
    let mut report = CheckReport::open(&args)?;
    let widest = widest(all.iter().map(|one| one.suite.name.clone()));
    for one in &all {
        report.tell(one, widest)?;
    }
    report.close(&all)
}

/// The command that checks all scenarios on one machine.
fn whole(args: &CheckArgs) -> Command {
    let command = args
        .paths
        .iter()
        .fold(Command::new("check"), |command, path| command.word(&path.display().to_string()));
    let command = command.at(&args.server.address());
    if args.allow_incomplete { command.switch("allow-incomplete") } else { command }
}

/// What has to be known of a part.
#[derive(Serialize, Deserialize)]
struct PartOfCheck {
    /// How many there are in all parts.
    scenarios: usize,
    checked: Vec<Checked>,
}

/// What came of a scenario.
#[derive(Serialize, Deserialize)]
struct Checked {
    /// Its place among all, counted from 0.
    place: usize,
    title: String,
    ending: Ending,
    suite: TestSuite,
}

/// How a scenario ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    /// All that it expects held.
    Ok,
    /// Some of it did not.
    Short,
    /// Ctrl-C came first.
    Cut,
    /// It could not be run: the exit code, and why.
    Wrong(u8, String),
}

impl Checked {
    /// The exit code, if it could not be run.
    fn exit_code(&self) -> Option<u8> {
        match self.ending {
            Ending::Wrong(code, _) => Some(code),
            _ => None,
        }
    }
}

/// Runs a scenario, if it can be read.
fn check_one(
    args: &CheckArgs,
    place: usize,
    path: &Path,
    read: Result<Scenario, Error>,
    log: &CiLog,
    control: &Control,
) -> Checked {
    let address = args.server.address();
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
        progress.watch(control, || scenario.run_until(&address, control))
    });
    let (ending, cases) = match &outcome {
        Ok(report) => {
            let ending = match (report.was_interrupted(), report.met_expectations()) {
                (true, _) => Ending::Cut,
                (false, true) => Ending::Ok,
                (false, false) => Ending::Short,
            };
            (ending, TestCase::all_of_scenario(report))
        }
        Err(error) => (
            Ending::Wrong(exit_code(error), error.to_string()),
            vec![TestCase::of_error("scenario", error)],
        ),
    };
    Checked { place, title, ending, suite: suite.over(cases) }
}

/// Where it is told what came of scenarios.
struct CheckReport {
    log: CiLog,
    output: Output,
    is_page: bool,
    prints_lines: bool,
}

impl CheckReport {
    fn open(args: &CheckArgs) -> Result<Self, Error> {
        let is_page = args.format == LineFormat::Html;
        let is_sarif = args.format == LineFormat::Sarif;
        let is_part = args.partition.partition.is_some();
        refuse(
            &[("--output", args.output.is_some() && !is_page && !is_sarif && !is_part)],
            "is for a page or SARIF; add --format html or sarif, or leave it out",
        )?;
        let files =
            [("--output", args.output.as_deref()), ("--junit", args.junit.junit.as_deref())];
        refuse_same_file(&files)?;
        let output = Output::open(args.output.as_deref(), "--output")?;
        let prints_lines = !((is_page || is_sarif || is_part) && output.is_stdout());
        let is_github = args.format == LineFormat::Github;
        let log = CiLog::open("oversell-sim check", &args.junit, is_github)?
            .writing_sarif(is_sarif, args.output.as_deref())?;
        Ok(Self { log, output, is_page, prints_lines })
    }

    /// Tells what came of one.
    fn tell(&mut self, checked: &Checked, widest: usize) -> Result<(), Error> {
        match &checked.ending {
            Ending::Wrong(_, why) => complain(why),
            _ if self.prints_lines => {
                to_stdout(&width::of_stdout().folded(&line(checked, widest), 7))?;
            }
            _ => {}
        }
        self.log.add(checked.suite.clone())
    }

    /// Tells what came of all.
    fn close(self, checked: &[Checked]) -> Result<Ended, Error> {
        if self.is_page {
            self.output.write(&render::suites_page(self.log.suites())?)?;
        }
        self.log.close()?;
        let number = |is_it: fn(&Ending) -> bool| {
            checked.iter().filter(|one| is_it(&one.ending)).count() as u64
        };
        let cut = number(|ending| *ending == Ending::Cut);
        let short = number(|ending| *ending == Ending::Short);
        let wrong = number(|ending| matches!(ending, Ending::Wrong(..)));
        let total = checked.len() as u64;
        let mut summary = format!("{}: {} ok", of(total, "scenario"), total - cut - short - wrong);
        for (number, what) in
            [(cut, "cut short"), (short, "fell short"), (wrong, "could not be run")]
        {
            if number > 0 {
                summary += &format!(", {number} {what}");
            }
        }
        if self.prints_lines {
            to_stdout(&format!("\n{summary}\n"))?;
        }
        Ok(match checked.iter().find_map(Checked::exit_code) {
            Some(code) => Ended::WithErrors(code),
            None if short > 0 => Ended::ShortOfExpectations,
            None => Ended::Well,
        })
    }
}

/// How wide the longest of these names is.
fn widest(names: impl Iterator<Item = String>) -> usize {
    names.map(|name| name.len()).max().unwrap_or(0)
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
fn line(checked: &Checked, widest: usize) -> String {
    let Checked { title, ending, suite, .. } = checked;
    let (name, cases) = (&suite.name, &suite.cases);
    let (word, colour) = match ending {
        Ending::Cut => ("CUT", AnsiColor::Yellow),
        Ending::Ok => ("ok", AnsiColor::Green),
        Ending::Short | Ending::Wrong(..) => ("SHORT", AnsiColor::Red),
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
