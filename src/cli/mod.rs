//! The commands. Only here is anything printed.

mod baseline;
mod check;
mod ci;
#[cfg(feature = "app")]
mod clean;
mod compare;
mod complete;
mod contenders;
mod doctor;
mod explore;
mod flags;
mod help;
mod init;
mod interrupt;
mod keyboard;
mod keys;
mod learn;
mod list;
mod meaning;
mod merge;
mod output;
mod parts;
mod play;
mod progress;
mod race;
mod replay;
mod resume;
mod schema;
mod shell;
mod shop;
mod simulate;
mod stores;
mod survey;
mod sweep;
mod threads;
mod width;

use std::process::ExitCode;

use crate::base::error::Error;
use crate::base::text::printable::printable;
use anstyle::AnsiColor;
use clap::error::{ContextKind, ContextValue};
use clap::{ColorChoice, FromArgMatches, Parser, Subcommand};

/// How a command that ran has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// It ran, whatever it found.
    Well,
    /// An expectation did not hold.
    ShortOfExpectations,
    /// Some of it could not be done, and why was said on the way.
    WithErrors(u8),
    /// Ctrl-C came first.
    Interrupted,
}

impl Ended {
    /// How a command has ended whose report is written, though this error has cut its work short: says so. A finding
    /// that was not expected goes before the error.
    fn despite(self, error: &Error) -> Self {
        complain(&error.to_string());
        match self {
            Self::Well => Self::WithErrors(exit_code(error)),
            ended => ended,
        }
    }
}

/// What the shell is told: see `after_help`.
impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Well => Self::SUCCESS,
            Ended::ShortOfExpectations => Self::from(1),
            Ended::WithErrors(code) => Self::from(code),
            Ended::Interrupted => Self::from(130),
        }
    }
}

/// Races buyers for the last units, and audits what the shop promised them.
#[derive(Debug, Parser)]
#[command(
    name = "oversell-sim",
    version = env!("OVERSELL_SIM_VERSION"),
    propagate_version = true,
    after_help = "Exit codes: 0 it ran (finding an oversell is a result, not an error); \
                  1 an expectation did not hold; 2 the input or the command is wrong; \
                  3 the world outside failed; 130 interrupted."
)]
struct Cli {
    /// When to colour what is printed.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Let buyers on real threads compete for the last units.
    Race(Box<race::RaceArgs>),
    /// Race contenders in turn, and say how much faster one is than another, and how sure that is.
    Compare(Box<compare::CompareArgs>),
    /// Race at every point of a grid of settings; go on where it was cut short.
    Sweep(Box<sweep::SweepArgs>),
    /// Explore every interleaving of a few buyers' steps; prove the checkout, or show a shortest schedule that breaks it.
    Explore(Box<explore::ExploreArgs>),
    /// Follow one schedule, step by step.
    Replay(Box<replay::ReplayArgs>),
    /// Choose the schedule yourself, and try to break a checkout.
    Play(Box<play::PlayArgs>),
    /// Simulate a shop in virtual time: networks, holds, money, crashes, replicas, consensus.
    Simulate(Box<simulate::SimulateArgs>),
    /// Make one report from the parts that several machines have made with --partition.
    Merge(merge::MergeArgs),
    /// Run scenario files and check what they expect; or rehearse your own checkout.
    Check(check::CheckArgs),
    /// Walk through a running application once, and report its statements, its tables, and what would make orders
    /// diverge.
    Doctor(doctor::DoctorArgs),
    /// Remove the filled databases that --keep has kept, and end what killed runs have left.
    #[cfg(feature = "app")]
    Clean,
    /// Write a first checkout file, or a first application file.
    Init(init::InitArgs),
    /// Walk through a lesson: predict, see it break, see why, fix it, see the proof.
    Learn(learn::LearnArgs),
    /// List the strategies: what each does, what it claims, and what it needs from a store.
    Strategies,
    /// List the stores: which are ready here, what to install for the rest, and what each can do.
    Stores,
    /// Explore every strategy at every store, and write the verdicts as one page.
    Survey(survey::SurveyArgs),
    /// Print the JSON schema of the reports that --format json writes, but for those of explore --spec.
    Schema,
    /// Print the completion script for a shell.
    Completions(shell::CompletionsArgs),
    /// Print a manual page (in roff: `oversell-sim man | man -l -`).
    Man(shell::ManArgs),
}

/// Reads the command line.
fn read() -> Result<Cli, clap::Error> {
    let matches = help::command().try_get_matches()?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut help::command()))
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    match complete::answer() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(2);
        }
    }
    let ready = interrupt::end_at_once().and_then(|()| interrupt::outlive_too_large_files());
    if let Err(error) = ready {
        complain(&error.to_string());
        return ExitCode::from(exit_code(&error));
    }
    let cli = match read() {
        Ok(cli) => cli,
        Err(error) => return told(error),
    };
    if let Err(error) = threads::check() {
        complain(&error.to_string());
        return ExitCode::from(exit_code(&error));
    }
    match cli.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let ended = match cli.command {
        CliCommand::Race(args) => race::run(&args),
        CliCommand::Compare(args) => compare::run(&args),
        CliCommand::Sweep(args) => sweep::run(&args),
        CliCommand::Explore(args) => explore::run(&args),
        CliCommand::Replay(args) => replay::run(&args),
        CliCommand::Play(args) => play::run(&args),
        CliCommand::Simulate(args) => simulate::run(&args),
        CliCommand::Merge(args) => merge::run(&args),
        CliCommand::Check(args) => check::run(&args),
        CliCommand::Doctor(args) => doctor::run(&args),
        #[cfg(feature = "app")]
        CliCommand::Clean => clean::run(),
        CliCommand::Init(args) => init::run(&args),
        CliCommand::Learn(args) => learn::run(&args),
        CliCommand::Strategies => list::run(),
        CliCommand::Stores => stores::run(),
        CliCommand::Survey(args) => survey::run(&args),
        CliCommand::Schema => schema::run(),
        CliCommand::Completions(args) => shell::completions(&args),
        CliCommand::Man(args) => shell::man(&args),
    };
    match ended {
        Ok(ended) => ended.into(),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Prints what clap has to say: an error, or a help text, which is what was asked for.
fn told(said: clap::Error) -> ExitCode {
    let said = printable_error(said);
    let text = said.render().ansi().to_string();
    if said.use_stderr() {
        // If even this cannot be printed, there is no way left to report it.
        output::to_stderr(&text);
        return ExitCode::from(2);
    }
    match output::to_stdout(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(exit_code(&error))
        }
    }
}

/// The exit code for an error.
fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Input(_) => 2,
        Error::World(_) => 3,
    }
}

/// An error of the command line, in which the words of the command line stay on their lines.
fn printable_error(mut error: clap::Error) -> clap::Error {
    let changed: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| {
            let one = |text: &String| printable(text).into_owned();
            let value = match value {
                ContextValue::String(text) => ContextValue::String(one(text)),
                ContextValue::Strings(texts) => {
                    ContextValue::Strings(texts.iter().map(one).collect())
                }
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in changed {
        error.insert(kind, value);
    }
    error
}

/// Prints an error the way clap does.
fn complain(message: &str) {
    let style = AnsiColor::Red.on_default().bold();
    output::to_stderr(&format!("{style}error:{style:#} {}\n", indented(message)));
}

/// An error, in which only lines of ours begin: those of an excerpt, and those that are indented as we do. Another newline
/// is one of a path or a server.
fn indented(message: &str) -> String {
    const INDENT: &str = "       ";
    let is_ours = |line: &str| {
        let is_digit = |sign: char| sign.is_ascii_digit();
        let behind_number = line.trim_start().trim_start_matches(is_digit).trim_start();
        line.starts_with(INDENT) || line.starts_with("  ") && behind_number.starts_with("| ")
    };
    let mut lines = message.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| match is_ours(line) {
        true => format!("{text}\n{line}"),
        false => format!("{text}\\n{line}"),
    })
}
