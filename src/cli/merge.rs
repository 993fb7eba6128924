//! `merge`: the report of all parts, as one machine would have written it.

use std::path::PathBuf;

use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use clap::{Args, FromArgMatches, ValueEnum};

use super::ci::JunitFlag;
use super::parts::Parts;
use super::{Cli, CliCommand, Ended, check, explore, help, race, simulate, survey};

/// What `merge` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct MergeArgs {
    /// The parts, each a file that a command with --partition has written
    #[arg(required = true, value_name = "FILE")]
    parts: Vec<PathBuf>,
    #[command(flatten)]
    flags: MergeFlags,
}

/// How to print.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The report")]
pub(super) struct MergeFlags {
    /// The form of the report: one of those that the command has which wrote the parts, such as table, json or html
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) junit: JunitFlag,
    /// Print the verdict alone
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl MergeFlags {
    /// The form of the report, if the command has it; that for a terminal if none is named.
    pub(super) fn format<F: ValueEnum>(&self) -> Result<F, Error> {
        form(self.format.as_deref().unwrap_or("table"))
    }

    /// The form of the report, if one is named.
    pub(super) fn format_if_given<F: ValueEnum>(&self) -> Result<Option<F>, Error> {
        self.format.as_deref().map(form).transpose()
    }
}

/// The form of this name.
fn form<F: ValueEnum>(name: &str) -> Result<F, Error> {
    F::from_str(name, false).map_err(|_| {
        let known = F::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        let nearest = did_you_mean(name, names.iter().map(String::as_str));
        Error::input(format!(
            "--format {}: expected one of {}{nearest}",
            shown(name),
            names.join(", ")
        ))
    })
}

pub(crate) fn run(args: &MergeArgs) -> Result<Ended, Error> {
    let parts = Parts::open(&args.parts)?;
    match parsed(parts.command())? {
        CliCommand::Simulate(of_all) => simulate::merge(*of_all, &parts, &args.flags),
        CliCommand::Race(of_all) => race::merge(*of_all, &parts, &args.flags),
        CliCommand::Check(of_all) => check::merge(of_all, &parts, &args.flags),
        CliCommand::Explore(of_all) => explore::merge(*of_all, &parts, &args.flags),
        CliCommand::Survey(of_all) => survey::merge(of_all, &parts, &args.flags),
        _ => Err(Error::input("these are parts of a command that cannot be merged")),
    }
}

/// The command that the parts belong to. Only what it does is taken from it, and not where it writes.
fn parsed(command: &[String]) -> Result<CliCommand, Error> {
    let wrong = |error: clap::Error| {
        let text = error.render().to_string();
        let text = text.trim_start_matches("error: ").trim_end().to_owned();
        Error::input(format!("the command of these parts cannot be read: {text}"))
    };
    let matches = help::command().try_get_matches_from(command).map_err(wrong)?;
    Cli::from_arg_matches(&matches).map(|cli| cli.command).map_err(wrong)
}
