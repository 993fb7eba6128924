//! The command line as it is read and described: with examples below the help text of each command.

use clap::CommandFactory;

use super::Cli;

/// A command, and its examples as a shell reads them.
const EXAMPLES: &[(&str, &str)] = &[
    ("race", include_str!("examples/race.sh")),
    ("explore", include_str!("examples/explore.sh")),
    ("replay", include_str!("examples/replay.sh")),
    ("play", include_str!("examples/play.sh")),
    ("simulate", include_str!("examples/simulate.sh")),
    ("merge", include_str!("examples/merge.sh")),
    ("check", include_str!("examples/check.sh")),
    ("doctor", include_str!("examples/doctor.sh")),
    #[cfg(feature = "app")]
    ("clean", include_str!("examples/clean.sh")),
    ("init", include_str!("examples/init.sh")),
    ("strategies", include_str!("examples/strategies.sh")),
    ("stores", include_str!("examples/stores.sh")),
    ("survey", include_str!("examples/survey.sh")),
    ("completions", include_str!("examples/completions.sh")),
    ("man", include_str!("examples/man.sh")),
    ("compare", include_str!("examples/compare.sh")),
    ("sweep", include_str!("examples/sweep.sh")),
    ("learn", include_str!("examples/learn.sh")),
    ("schema", include_str!("examples/schema.sh")),
];

/// The command line.
pub(super) fn command() -> clap::Command {
    EXAMPLES.iter().fold(Cli::command(), |command, (name, examples)| {
        command.mut_subcommand(name, |command| {
            let lines: String = examples.lines().map(|line| format!("  {line}\n")).collect();
            let before = command.get_after_help().map(|said| format!("{said}\n\n"));
            let before = before.unwrap_or_default();
            command.after_help(format!("{before}Examples:\n{}", lines.trim_end()))
        })
    })
}
