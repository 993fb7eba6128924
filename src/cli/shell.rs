//! `completions` and `man`: what a package for an operating system ships beside the program.

use crate::base::error::Error;
use crate::base::text::nearest::did_you_mean;
use clap::{Args, ValueEnum};
use clap_complete::env::{self, EnvCompleter};
use clap_mangen::Man;

use super::output::to_stdout;
use super::{Ended, help};

/// Shells that can ask for completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &env::Bash,
            Self::Elvish => &env::Elvish,
            Self::Fish => &env::Fish,
            Self::Powershell => &env::Powershell,
            Self::Zsh => &env::Zsh,
        }
    }
}

/// What comes after the script for bash, which divides words at `=`.
const JOINS_WORDS: &str = include_str!("completions.bash");

/// What `completions` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// What `man` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ManArgs {
    /// The page of one command [default: the page of oversell-sim itself]
    command: Option<String>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Ended, Error> {
    let name = env!("CARGO_PKG_NAME");
    let mut script = Vec::new();
    args.shell
        .completer()
        .write_registration("COMPLETE", name, name, name, &mut script)
        .map_err(|error| Error::world(format!("cannot write the script: {error}")))?;
    if args.shell == Shell::Bash {
        script.extend_from_slice(JOINS_WORDS.as_bytes());
    }
    print(script)
}

pub(crate) fn man(args: &ManArgs) -> Result<Ended, Error> {
    let mut command = help::command();
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            Some(subcommand) => subcommand.clone(),
            None => {
                let names = command.get_subcommands().map(clap::Command::get_name);
                return Err(Error::input(format!(
                    "no command named `{name}`{}",
                    did_you_mean(name, names)
                )));
            }
        },
    };
    let mut roff = Vec::new();
    Man::new(page)
        .render(&mut roff)
        .map_err(|error| Error::world(format!("cannot write the manual page: {error}")))?;
    print(roff)
}

fn print(bytes: Vec<u8>) -> Result<Ended, Error> {
    to_stdout(&String::from_utf8_lossy(&bytes))?;
    Ok(Ended::Well)
}
