//! Starting somebody's application, and seeing that it runs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::app::{App, Launch};
use crate::describe::checkout::{Request, Template, Value};
use crate::stores::http::HttpSpeaker;
use crate::stores::private::Nest;

/// How long a program may take that sets something up.
const SETTING_UP: Duration = Duration::from_secs(600);

/// How long one look whether it answers may take.
const LOOKING: Duration = Duration::from_secs(5);

/// What stands for the names in commands and addresses.
pub(super) type Named = Vec<(String, String)>;

/// A text with its names filled in.
pub(super) fn filled(template: &Template, named: &Named) -> String {
    template.filled_with(|name| {
        let known = named.iter().find(|(known, _)| known == name);
        known.map_or(String::new(), |(_, value)| value.clone())
    })
}

/// A program of the application's with its arguments, in its folder and with its environment.
pub(super) fn command(words: &[Template], app: &App, named: &Named) -> Command {
    let folder = app.launch.as_ref().map_or(Path::new("."), |launch| &launch.folder);
    let env = app.launch.iter().flat_map(|launch| &launch.env);
    let mut words = words.iter().map(|word| filled(word, named));
    let program = words.next().unwrap_or_default();
    // One that is named by a path is looked for from the folder on.
    let program = if program.contains('/') { folder.join(program) } else { program.into() };
    let mut command = Command::new(program);
    command.args(words).current_dir(folder);
    command.envs(env.map(|(name, value)| (name, filled(value, named))));
    command
}

/// Sets the application up, starts it, and waits until it answers.
pub(super) fn launch(
    app: &App,
    base: &str,
    named: &Named,
    control: &Control,
) -> Result<Nest, Error> {
    let nest = Nest::make("TERM")?;
    if let Some(Launch { command: program, setup, .. }) = &app.launch {
        for words in setup {
            nest.oversee(command(words, app, named), control, SETTING_UP)?;
        }
        nest.host(command(program, app, named), control, || answers(app, base))?;
    }
    Ok(nest)
}

/// Whether it answers, and not with an error of its own.
pub(super) fn answers(app: &App, base: &str) -> bool {
    let path = Template::plain(&app.health);
    let request = Request {
        method: "GET",
        path,
        headers: Vec::new(),
        body: None,
        form: Vec::new(),
        find: Vec::new(),
    };
    let heard = HttpSpeaker::new(base, LOOKING).ask(&request, &|_| Value::Null);
    heard.is_ok_and(|heard| heard.status < 500)
}
