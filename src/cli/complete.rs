//! What a shell can offer in each place of a command line. It is asked for while the person types: the script of
//! `completions` calls the program with `COMPLETE` set.

use std::path::Path;

use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::explore::Cure;
use crate::strategies::every_strategy;
use clap::builder::StyledStr;
use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter,
};
use clap_complete::env::CompleteEnv;

use super::help;

/// Commands that take one strategy and no list.
const TAKE_ONE: [&str; 3] = ["explore", "replay", "play"];

/// Answers a shell that asks what can come next; false if none has asked.
///
/// # Errors
/// What is wrong with the question.
pub(super) fn answer() -> clap::error::Result<bool> {
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(command).try_complete(std::env::args_os(), folder.as_deref())
}

/// The command line, with what can stand in each place.
fn command() -> Command {
    let command = help::command();
    let commands: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let pages = commands.clone();
    let pages = move || pages.iter().map(CompletionCandidate::new).collect::<Vec<_>>();
    commands.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |command| {
            let ids: Vec<_> = command.get_arguments().map(|arg| arg.get_id().clone()).collect();
            let command = ids
                .into_iter()
                .fold(command, |command, id| command.mut_arg(id, |arg| offering(arg, name)));
            match name.as_str() {
                "man" => command
                    .mut_arg("command", |page| page.add(ArgValueCandidates::new(pages.clone()))),
                _ => command,
            }
        })
    })
}

/// An argument of a command, with what can stand there; its value's name tells.
fn offering(arg: Arg, command: &str) -> Arg {
    let Some(value) = arg.get_value_names().and_then(|names| names.first()).cloned() else {
        return arg;
    };
    let is_toml = |path: &Path| path.extension().is_some_and(|end| end == "toml");
    match (value.as_str(), arg.get_long()) {
        ("NAME", Some("strategy")) if TAKE_ONE.contains(&command) => {
            arg.add(ArgValueCandidates::new(strategies))
        }
        ("NAME", Some("strategy")) => {
            arg.value_delimiter(',').add(ArgValueCandidates::new(strategies_and_sets))
        }
        ("STORE", _) => arg.add(ArgValueCandidates::new(stores)),
        ("LEVEL", _) => arg.add(ArgValueCandidates::new(levels)),
        ("CURE", _) => arg.value_delimiter(',').add(ArgValueCandidates::new(cures)),
        ("SCENARIO" | "PATH", _) | ("FILE", Some("checkout" | "app" | "schedule-file")) => {
            arg.add(ArgValueCompleter::new(PathCompleter::file().filter(is_toml)))
        }
        ("FILE" | "FILE|FOLDER", _) => arg.value_hint(ValueHint::FilePath),
        ("FOLDER", _) => arg.value_hint(ValueHint::DirPath),
        _ => arg,
    }
}

/// A candidate, and what is said beside it.
fn candidate(text: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(text).help(Some(StyledStr::from(help.to_owned())))
}

fn strategies() -> Vec<CompletionCandidate> {
    let cards = every_strategy().map(|strategy| strategy.card());
    cards.map(|card| candidate(card.name, card.summary)).collect()
}

fn strategies_and_sets() -> Vec<CompletionCandidate> {
    let sets = [candidate("all", "all but the zoo"), candidate("zoo", "bugs that are kept")];
    strategies().into_iter().chain(sets).collect()
}

fn stores() -> Vec<CompletionCandidate> {
    StoreKind::ALL.iter().map(|store| CompletionCandidate::new(store.name())).collect()
}

fn levels() -> Vec<CompletionCandidate> {
    let named = |level: Isolation| CompletionCandidate::new(level.name());
    Isolation::ALL.into_iter().map(named).collect()
}

fn cures() -> Vec<CompletionCandidate> {
    let named = [
        candidate("lock", "FOR UPDATE in the query that read, with --app"),
        candidate("guard", "a condition in the UPDATE that wrote, with --app"),
    ];
    let levels = Isolation::ALL.into_iter().map(Cure::Isolation);
    let levels = levels.map(|level| CompletionCandidate::new(level.to_string()));
    named.into_iter().chain(levels).collect()
}
