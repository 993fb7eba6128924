//! `init`: a checkout to begin with.

use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::base::text::printable::printable;
use crate::command::{Command, quoted};
use crate::describe::app;
use crate::describe::checkout::starter;
use crate::stores::StoreKind;
use clap::{Args, ValueEnum};

use super::Ended;
use super::output::{draft_of, to_stdout};

/// What a checkout speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Speaks {
    /// SQL statements for a database.
    Sql,
    /// Commands and scripts for Redis.
    Redis,
    /// HTTP requests to a running shop.
    Http,
    /// A running application, with a proxy between it and its databases.
    App,
}

/// What `init` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct InitArgs {
    /// The kind of checkout
    #[arg(value_enum)]
    speaks: Speaks,
    /// The folder to write to; files that exist are not overwritten
    #[arg(default_value = "checkout", value_name = "FOLDER")]
    folder: PathBuf,
    /// For sql: the database: sqlite, postgres or mysql
    #[arg(long, value_name = "STORE", default_value = "sqlite", value_parser = StoreKind::parse)]
    store: StoreKind,
}

pub(crate) fn run(args: &InitArgs) -> Result<Ended, Error> {
    let store = match args.speaks {
        Speaks::App => {
            let file = args.folder.join("shop.toml").display().to_string();
            let python = args.folder.join("venv").display().to_string();
            let next = format!(
                "python3 -m venv {} && . {}\n       \
                 python3 -m pip install flask psycopg2-binary\n       {}\n       {}",
                quoted(&python),
                quoted(&format!("{python}/bin/activate")),
                Command::new("doctor").flag("app", &file),
                Command::new("explore").flag("app", &file)
            );
            return write(&args.folder, &app::starter(), &next);
        }
        Speaks::Redis => StoreKind::Redis,
        Speaks::Http => StoreKind::Http,
        Speaks::Sql if args.store.is_sql() => args.store,
        Speaks::Sql => {
            return Err(Error::input(format!(
                "--store: {} does not speak SQL; there are sqlite, postgres and mysql",
                args.store
            )));
        }
    };
    let checkout = args.folder.join("checkout.toml").display().to_string();
    let (opens, then) = match store {
        StoreKind::Http => {
            let shop = args.folder.join("shop.py").display().to_string();
            (format!("python3 {} &\n       ", quoted(&shop)), "race")
        }
        _ => (String::new(), "explore"),
    };
    let next = format!(
        "{opens}{}\n       {}",
        Command::new("check").flag("checkout", &checkout),
        Command::new(then).flag("checkout", &checkout)
    );
    write(&args.folder, &starter(store), &next)
}

/// Writes files into a folder, and says what to type next. Nothing that is there is written over.
fn write(folder: &Path, files: &[(&str, String)], next: &str) -> Result<Ended, Error> {
    for (name, _) in files {
        let path = folder.join(name);
        if path.exists() {
            return Err(Error::input(format!(
                "{} is there already; name another folder",
                path.display()
            )));
        }
    }
    let refused =
        |path: &Path, error| Error::world(format!("cannot write {}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| refused(folder, error))?;
    // All are there, or none is.
    let mut drafts = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        drafts.push((draft_of(&path, text).map_err(|error| refused(&path, error))?, path));
    }
    let mut told = String::new();
    for (draft, path) in drafts {
        draft.persist_noclobber(&path).map_err(|error| refused(&path, error.error))?;
        told += &format!("wrote  {}\n", printable(&path.display().to_string()));
    }
    told += &format!("\nnext   {next}\n");
    to_stdout(&told)?;
    Ok(Ended::Well)
}
