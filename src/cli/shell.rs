//! `completions` and `man`: what a package for an operating system ships beside the program.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::base::text::nearest::did_you_mean;
use crate::base::text::printable::printable;
use crate::base::text::quantity::of;
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

/// What comes after the script for zsh, which also loads a file only when its command is completed.
const LOADED_BY_ZSH: &str = include_str!("completions.zsh");

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

    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    all: Option<PathBuf>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Ended, Error> {
    let name = env!("CARGO_PKG_NAME");
    let mut script = Vec::new();
    args.shell
        .completer()
        .write_registration("COMPLETE", name, name, name, &mut script)
        .map_err(|error| Error::world(format!("cannot write the script: {error}")))?;
    let more = match args.shell {
        Shell::Bash => JOINS_WORDS,
        Shell::Zsh => LOADED_BY_ZSH,
        Shell::Elvish | Shell::Fish | Shell::Powershell => "",
    };
    script.extend_from_slice(more.as_bytes());
    print(script)
}

pub(crate) fn man(args: &ManArgs) -> Result<Ended, Error> {
    // A page would list `help` among the commands, which has no page.
    let mut command = help::command().disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &args.all {
        return write_all(command, folder);
    }
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
    print(rendered(&page_of(page))?)
}

/// A command's page. Its foot names the program, of a command as well.
fn page_of(command: clap::Command) -> Man {
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    Man::new(command).source(source)
}

fn rendered(page: &Man) -> Result<Vec<u8>, Error> {
    let mut roff = Vec::new();
    page.render(&mut roff)
        .map_err(|error| Error::world(format!("cannot write the manual page: {error}")))?;
    Ok(roff)
}

/// Writes a page for the program and one for each command, under the names by which `man` finds them.
fn write_all(command: clap::Command, folder: &Path) -> Result<Ended, Error> {
    let shown = folder.display().to_string();
    let cannot = |error| Error::world(format!("cannot write into {}: {error}", printable(&shown)));
    fs::create_dir_all(folder).map_err(cannot)?;
    let mut pages: Vec<Man> = command.get_subcommands().cloned().map(page_of).collect();
    pages.push(page_of(command));
    for page in &pages {
        fs::write(folder.join(page.get_filename()), rendered(page)?).map_err(cannot)?;
    }
    to_stdout(&format!(" wrote {} into {}\n", of(pages.len() as u64, "page"), printable(&shown)))?;
    Ok(Ended::Well)
}

fn print(bytes: Vec<u8>) -> Result<Ended, Error> {
    to_stdout(&String::from_utf8_lossy(&bytes))?;
    Ok(Ended::Well)
}
