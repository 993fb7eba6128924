//! Starts the user's application, and checks that it answers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::app::{App, Launch};
use crate::describe::checkout::{RequestTemplate, StoreValue, Template};
use crate::stores::http::HttpExecutor;
use crate::stores::private::{self, ServerSandbox, TimeLimit};

/// The longest that one health check may take.
const LOOKING: Duration = Duration::from_secs(5);

/// The log files that were emptied: once by each process, whatever copies of the application it starts.
static EMPTIED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The values of the names in commands and addresses.
pub(super) type Named = Vec<(String, String)>;

/// One process of the application.
pub(super) struct AppCopy {
    /// Where it answers; empty if the application answers nowhere, and buyers are programs.
    pub(super) base: String,
    /// The values of the names in commands and addresses.
    pub(super) named: Named,
}

impl AppCopy {
    /// As many as the application has, each with a port of its own, where the other names have these values.
    pub(super) fn all(app: &App, named: &Named) -> Result<Vec<Self>, Error> {
        let count = app.launch.as_ref().map_or(1, |launch| launch.copies);
        let copy = |port: u16| {
            let mut named = named.clone();
            named.push(("port".to_owned(), port.to_string()));
            let base = app.url.as_ref().map_or(String::new(), |url| filled(url, &named));
            Self { base: base.trim_end_matches('/').to_owned(), named }
        };
        Ok(private::free_ports(count)?.into_iter().map(copy).collect())
    }
}

/// A text with its names filled in.
pub(super) fn filled(template: &Template, named: &Named) -> String {
    template.filled_with(|name| {
        let known = named.iter().find(|(known, _)| known == name);
        known.map_or(String::new(), |(_, value)| value.clone())
    })
}

/// A command of the application: a program with its arguments, in the application's folder and with its environment.
pub(super) fn command(words: &[Template], app: &App, named: &Named) -> Command {
    let folder = app.launch.as_ref().map_or(Path::new("."), |launch| &launch.folder);
    let env = app.launch.iter().flat_map(|launch| &launch.env);
    let mut words = words.iter().map(|word| filled(word, named));
    let program = words.next().unwrap_or_default();
    // A program that is named by a path is found relative to the folder.
    let program = if program.contains('/') { folder.join(program) } else { program.into() };
    let mut command = Command::new(program);
    command.args(words).current_dir(folder);
    command.envs(env.map(|(name, value)| (name, filled(value, named))));
    command
}

/// Empties the application's log, if it has one.
pub(super) fn empty_log(app: &App) -> Result<(), Error> {
    let log = app.launch.as_ref().and_then(|launch| launch.log.as_ref());
    if let Some(log) = log
        && EMPTIED.lock().insert(log.clone())
    {
        // It may hold what the application was told, such as passwords.
        private::log_options().write(true).truncate(true).open(log).map_err(|error| {
            Error::world(format!("`log`: cannot write {}: {error}", log.display()))
        })?;
    }
    Ok(())
}

/// Sets the application up.
pub(super) fn set_up(app: &App, named: &Named, control: &Control) -> Result<(), Error> {
    let Some(Launch { setup, log, setup_timeout, .. }) = &app.launch else { return Ok(()) };
    if !setup.is_empty() {
        let sandbox = ServerSandbox::make("TERM")?.logging_to(log.clone());
        for words in setup {
            let most = TimeLimit { most: *setup_timeout, set_by: "`setup_timeout` in [app]" };
            sandbox.oversee(command(words, app, named), control, most)?;
        }
    }
    Ok(())
}

/// Starts every copy of the application, one after the other, and waits until it answers.
pub(super) fn launch(
    app: &App,
    copies: &[AppCopy],
    control: &Control,
) -> Result<ServerSandbox, Error> {
    let log = app.launch.as_ref().and_then(|launch| launch.log.clone());
    let sandbox = ServerSandbox::make("TERM")?.logging_to(log);
    if let Some(Launch { command: program, start_timeout, .. }) = &app.launch {
        let most = TimeLimit { most: *start_timeout, set_by: "`start_timeout` in [app]" };
        for AppCopy { base, named } in copies {
            let program = command(program, app, named);
            sandbox.host(program, control, most, || answers(app, base, control))?;
        }
    }
    Ok(sandbox)
}

/// Whether the application answers the health check with a status below 500.
pub(super) fn answers(app: &App, base: &str, control: &Control) -> bool {
    let path = Template::plain(&app.health);
    let request = RequestTemplate {
        method: "GET",
        path,
        headers: Vec::new(),
        body: None,
        form: Vec::new(),
        find: Vec::new(),
        json: Vec::new(),
    };
    let heard = HttpExecutor::new(base, LOOKING, control).ask(&request, &|_| StoreValue::Null);
    heard.is_ok_and(|heard| heard.status < 500)
}
