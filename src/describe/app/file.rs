//! Reading an application from its file, with every mistake's place.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use toml::de::DeTable;

use super::{App, Ignored, Launch, OF_UPSTREAM, Reset, Upstream};
use crate::base::error::Error;
use crate::base::text::document;
use crate::base::text::document::Fault;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::parse_duration;
use crate::base::text::server_url::ServerUrl;
use crate::describe::checkout::file::entries::{
    Entry, check_keys, fault, switch, table, text, texts,
};
use crate::describe::checkout::file::{Reader, SETTINGS, Says};
use crate::describe::checkout::{Audit, Call, Checkout, Script, Step, Template};
use crate::domain::store_kind::StoreKind;

const TOP: [&str; 11] = [
    "title", "app", "upstream", "prepare", "step", "role", "setup", "reset", "audit", "alike",
    "ignore",
];

const IGNORE: [&str; 3] = ["tables", "statements", "application_name"];

const APP: [&str; 13] = [
    "url",
    "health",
    "command",
    "copies",
    "folder",
    "env",
    "setup",
    "setup_timeout",
    "start_timeout",
    "log",
    "fresh",
    "unseen_after",
    "watched_for",
];

/// What is said of an application that is started here.
const OF_LAUNCH: [&str; 8] =
    ["copies", "folder", "env", "setup", "setup_timeout", "start_timeout", "log", "fresh"];

/// The longest time for which an application is watched at rest.
const LONGEST_WATCH: Duration = Duration::from_mins(10);

/// The most processes of an application.
const MOST_COPIES: i64 = 16;

const UPSTREAM: [&str; 4] = ["url", "listen", "schema", "seed"];

const RESET: [&str; 3] = ["sql", "http", "command"];

/// Stores that a proxy can stand in front of.
const STORES: [StoreKind; 3] = [StoreKind::Postgres, StoreKind::Mysql, StoreKind::Redis];

/// How long a request's own code may take, where the file does not say.
const UNSEEN_AFTER: Duration = Duration::from_secs(1);

/// The same of a buyer that is a program, which has to start first.
const UNSEEN_AFTER_START: Duration = Duration::from_secs(10);

/// How long a program that sets the application up may take, where the file does not say; and the application, until it
/// answers.
const SETUP_TIMEOUT: Duration = Duration::from_secs(600);
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest that any of them may take.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

impl App {
    /// Every key that a file may have: its table, nothing for the top, and its name. Steps have those of a checkout.
    pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
        let of = |table: &'static str| move |key: &'static str| (table, key);
        (TOP.into_iter().chain(SETTINGS).map(of("")))
            .chain(APP.into_iter().map(of("app")))
            .chain(UPSTREAM.into_iter().map(of("upstream")))
            .chain(RESET.into_iter().map(of("reset")))
            .chain(IGNORE.into_iter().map(of("ignore")))
    }

    /// Whether a file is about an application, as far as it can be read.
    #[must_use]
    pub fn is_in(path: &Path) -> bool {
        let source = document::read(path, "app").unwrap_or_default();
        document::parse(&source).is_ok_and(|document| document.get_ref().contains_key("app"))
    }

    /// Reads a file, and those that it names, which lie beside it: a checkout that is an application's.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column when it does not make sense, or cannot be read.
    pub fn read(path: &Path) -> Result<Checkout, Error> {
        Self::parse(path, &document::read(path, "app")?)
    }

    /// Reads a file's text, and the files that it names.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn parse(path: &Path, source: &str) -> Result<Checkout, Error> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let path = path.display().to_string();
        let reader = Reader { source, folder, addresses: None };
        checkout(&reader, &path).map_err(|fault| fault.in_file(&path, source))
    }
}

fn checkout(reader: &Reader<'_>, path: &str) -> Result<Checkout, Fault> {
    let document = document::parse(reader.source)?;
    let top = document.get_ref();
    let known: Vec<&str> = TOP.into_iter().chain(SETTINGS).collect();
    check_keys(top, &known, "an application's file")?;
    let Some(value) = top.get("app") else {
        return fault(
            0..0,
            "[app] is missing: where does the application answer, and what starts it?",
        );
    };
    let upstreams = match top.get("upstream") {
        Some(value) => upstreams(reader, value)?,
        None => Vec::new(),
    };
    if upstreams.is_empty() {
        return fault(
            0..0,
            "no database is named: add a table [upstream.postgres], [upstream.mysql] or [upstream.redis]",
        );
    }
    let names = names(&upstreams);
    let reader = &Reader { addresses: Some(&names), ..*reader };
    let database = upstreams.iter().map(|upstream| upstream.store).find(|store| store.is_sql());
    let says =
        Says { store: StoreKind::Http, beside: None, database: database.map(StoreKind::dialect) };
    let prepare = match top.get("prepare") {
        Some(steps) => reader.steps(says, steps)?,
        None => Vec::new(),
    };
    if let Some((end, step)) = prepare.iter().find_map(|step| Some((step.ends.first()?.1, step))) {
        let name = end.name();
        let at = line_start(reader.source, step.line);
        return fault(
            at..at,
            format!("no buyer comes while everything is prepared; leave out `{name}_if`"),
        );
    }
    let before: Vec<String> =
        prepare.iter().flat_map(|step| &step.save).map(|saved| saved.name.clone()).collect();
    let checkout = reader.common(path, says, top, &before)?;
    if let (true, Some((key, _))) =
        (checkout.roles.iter().any(|role| role.once), top.get_key_value("role"))
    {
        let why = "`once`: each role of an application acts for a customer, with its cookies; leave it out";
        return fault(key.span(), why);
    }
    let reset = top.get("reset").map(|value| reset(says, value, &names)).transpose()?;
    let ignored = top.get("ignore").map(|value| ignored(value, &upstreams)).transpose()?;
    let ignored = ignored.unwrap_or_default();
    let says = CallKinds::of(&checkout, &prepare, reset.as_ref());
    let app = app(reader, table("app", value)?, upstreams, prepare, reset, ignored, says)?;
    Ok(Checkout { app: Some(Arc::new(app)), ..checkout })
}

/// What the file sends beside statements.
#[derive(Clone, Copy)]
struct CallKinds {
    /// Whether anything is a request, so that an application has to answer.
    has_requests: bool,
    /// Whether anything is a program of a buyer's.
    has_programs: bool,
}

impl CallKinds {
    fn of(checkout: &Checkout, prepare: &[Step], reset: Option<&Reset>) -> Self {
        let Audit { stock, orders, never } = &checkout.audit;
        let steps = checkout.roles.iter().flat_map(|role| &role.steps).chain(prepare);
        let calls: Vec<&Call> = (steps.map(|step| &step.call))
            .chain(&checkout.setup)
            .chain(stock.iter().chain(orders).chain(never.iter().map(|(_, call)| call)))
            .chain(reset.into_iter().flat_map(|reset| &reset.calls))
            .collect();
        Self {
            has_requests: calls.iter().any(|call| matches!(call, Call::Http(_))),
            has_programs: calls.iter().any(|call| matches!(call, Call::Program(_))),
        }
    }
}

/// Where a line begins.
fn line_start(source: &str, line: usize) -> usize {
    source.split_inclusive('\n').take(line - 1).map(str::len).sum()
}

fn app(
    reader: &Reader<'_>,
    keys: &DeTable<'_>,
    upstreams: Vec<Upstream>,
    prepare: Vec<Step>,
    reset: Option<Reset>,
    ignored: Ignored,
    CallKinds { has_requests, has_programs }: CallKinds,
) -> Result<App, Fault> {
    check_keys(keys, &APP, "[app]")?;
    let names = names(&upstreams);
    let template = |written: &str, span: Range<usize>| filled_by(&names, written, span);
    let url = keys.get("url").map(|value| template(text("url", value)?, value.span()));
    let url = url.transpose()?;
    if url.is_none() && (has_requests || !has_programs) {
        return fault(
            0..0,
            "[app] needs `url`: where does it answer? `url = \"http://127.0.0.1:{port}\"`",
        );
    }
    if let (None, Some(value)) = (&url, keys.get("command").or(keys.get("health"))) {
        return fault(
            value.span(),
            "an application that is started needs an address: add `url = \"http://127.0.0.1:{port}\"`; a program that \
             buys belongs in a [[step]]",
        );
    }
    let health = keys.get("health").map_or(Ok("/"), |value| text("health", value))?.to_owned();
    if !health.starts_with('/') {
        let span = keys.get("health").map_or(0..0, Entry::span);
        return fault(span, "`health` is a path, such as \"/health\"");
    }
    let time = |key: &str, usual: Duration, longest: Duration| match keys.get(key) {
        None => Ok(usual),
        Some(value) => parse_duration(text(key, value)?, longest)
            .or_else(|why| fault(value.span(), format!("`{key}`: {why}"))),
    };
    let usually = if has_programs { UNSEEN_AFTER_START } else { UNSEEN_AFTER };
    let unseen_after = time("unseen_after", usually, Duration::from_secs(60))?;
    let watched_for = match keys.get("watched_for") {
        Some(_) => Some(time("watched_for", Duration::ZERO, LONGEST_WATCH)?),
        None => None,
    };
    let words = |value: &Entry<'_>| program("command", value, &names);
    let command = keys.get("command").map(words).transpose()?.unwrap_or_default();
    let launch = match !command.is_empty() || has_programs {
        true => {
            let folder = keys.get("folder").map_or(Ok("."), |value| text("folder", value))?;
            let mut env = Vec::new();
            for (name, value) in
                keys.get("env").map(|value| table("env", value)).transpose()?.into_iter().flatten()
            {
                let name = name.get_ref().to_string();
                let value = template(text(&name, value)?, value.span())?;
                env.push((name, value));
            }
            let setup =
                keys.get("setup").map_or(Ok(Vec::new()), |v| programs("setup", v, &names))?;
            let setup_timeout = time("setup_timeout", SETUP_TIMEOUT, LONGEST_TIMEOUT)?;
            let start_timeout = time("start_timeout", START_TIMEOUT, LONGEST_TIMEOUT)?;
            let is_fresh = keys.get("fresh").map_or(Ok(false), |value| switch("fresh", value))?;
            let folder = reader.folder.join(folder);
            let log = keys.get("log").map(|value| text("log", value)).transpose()?;
            let log = log.map(|log| reader.folder.join(log));
            let copies = keys.get("copies").map_or(Ok(1), |value| copies(value, url.as_ref()))?;
            Some(Launch {
                command,
                copies,
                folder,
                env,
                setup,
                setup_timeout,
                start_timeout,
                log,
                is_fresh,
            })
        }
        false => None,
    };
    let needless: &[&str] = match &launch {
        None => &OF_LAUNCH,
        Some(launch) if launch.command.is_empty() => &["copies", "start_timeout", "fresh"],
        Some(_) => &[],
    };
    let needless = needless.iter().find_map(|key| Some((key, keys.get(*key)?)));
    if let Some((key, value)) = needless {
        let why = format!(
            "`{key}` is for an application that is started: add `command`, or leave it out"
        );
        return fault(value.span(), why);
    }
    Ok(App { url, health, launch, upstreams, prepare, reset, ignored, unseen_after, watched_for })
}

/// How many processes of an application there are that answers at `url`.
fn copies(value: &Entry<'_>, url: Option<&Template>) -> Result<usize, Fault> {
    let number = value.get_ref().as_integer().and_then(|number| number.to_string().parse().ok());
    let Some(number) = number.filter(|number| (1..=MOST_COPIES).contains(number)) else {
        return fault(value.span(), format!("`copies` is a number from 1 to {MOST_COPIES}"));
    };
    let has_port = url.is_some_and(|url| url.names().any(|name| name == "port"));
    match number == 1 || has_port {
        true => Ok(number as usize),
        false => fault(value.span(), "`copies` need a port each: say `{port}` in `url`"),
    }
}

/// What the application sends by itself, as the file says.
fn ignored(value: &Entry<'_>, upstreams: &[Upstream]) -> Result<Ignored, Fault> {
    let keys = table("ignore", value)?;
    check_keys(keys, &IGNORE, "[ignore]")?;
    let all = |key: &str| keys.get(key).map_or(Ok(Vec::new()), |value| texts(key, value));
    let owned = |all: Vec<(&str, Range<usize>)>| {
        all.into_iter().map(|(text, _)| text.to_owned()).collect::<Vec<String>>()
    };
    let names = all("application_name")?;
    let is_postgres = |upstream: &Upstream| upstream.store == StoreKind::Postgres;
    if let (Some((_, span)), false) = (names.first(), upstreams.iter().any(is_postgres)) {
        return fault(span.clone(), "only to PostgreSQL does a client give an `application_name`");
    }
    let pattern = |(written, span): (&str, Range<usize>)| {
        Regex::new(written).or_else(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            fault(
                span,
                format!("`statements`: `{}` is no regular expression: {why}", shown(written)),
            )
        })
    };
    let statements = all("statements")?.into_iter().map(pattern).collect::<Result<_, _>>()?;
    let (tables, application_names) = (owned(all("tables")?), owned(names));
    Ok(Ignored { tables, statements, application_names })
}

/// The names of values that commands and addresses may use.
fn names(upstreams: &[Upstream]) -> Vec<String> {
    let of = |upstream: &Upstream| {
        let name = upstream.name();
        OF_UPSTREAM.map(|what| format!("{name}_{what}"))
    };
    std::iter::once("port".to_owned()).chain(upstreams.iter().flat_map(of)).collect()
}

/// A text, all of whose holes must be known.
fn filled_by(names: &[String], written: &str, span: Range<usize>) -> Result<Template, Fault> {
    let template = Template::parse(written);
    let unknown = template.names().find(|name| !names.iter().any(|known| known == name));
    match unknown {
        Some(name) => {
            let near = did_you_mean(name, names.iter().map(String::as_str));
            let names = names.join(", ");
            fault(span, format!("no value `{}` here{near}; there are {names}", shown(name)))
        }
        None => Ok(template),
    }
}

/// A program and its arguments.
fn program(key: &str, value: &Entry<'_>, names: &[String]) -> Result<Vec<Template>, Fault> {
    let is_list = value.get_ref().as_array().is_some_and(|words| !words.is_empty());
    if !is_list {
        return fault(
            value.span(),
            format!("`{key}` must be a list of words: {key} = [\"python3\", \"shop.py\"]"),
        );
    }
    let words = texts(key, value)?.into_iter();
    words.map(|(word, span)| filled_by(names, word, span)).collect()
}

/// Several programs with their arguments, or one.
fn programs(key: &str, value: &Entry<'_>, names: &[String]) -> Result<Vec<Vec<Template>>, Fault> {
    let lists = value.get_ref().as_array().into_iter().flatten();
    match lists.clone().any(|entry| entry.get_ref().as_array().is_some()) {
        true => lists.map(|entry| program(key, entry, names)).collect(),
        false => Ok(vec![program(key, value, names)?]),
    }
}

fn upstreams(reader: &Reader<'_>, value: &Entry<'_>) -> Result<Vec<Upstream>, Fault> {
    let mut upstreams = Vec::new();
    for (name, value) in table("upstream", value)? {
        let written = name.get_ref().as_ref();
        let Some(store) = STORES.into_iter().find(|store| store.name() == written) else {
            let near = did_you_mean(written, STORES.map(StoreKind::name));
            return fault(
                name.span(),
                format!(
                    "no proxy can stand in front of `{}`{near}; there are postgres, mysql and redis",
                    shown(written)
                ),
            );
        };
        let key = format!("upstream.{written}");
        let keys = table(&key, value)?;
        check_keys(keys, &UPSTREAM, &format!("[{key}]"))?;
        let script = |key: &str| -> Result<Option<Script>, Fault> {
            keys.get(key).map(|value| reader.script(key, value)).transpose()
        };
        let listen = match keys.get("listen") {
            None => 0,
            Some(value) => {
                let number = value.get_ref().as_integer();
                let port = number.and_then(|number| number.to_string().parse().ok());
                match port.filter(|port| *port > 0) {
                    Some(port) => port,
                    None => {
                        return fault(value.span(), "`listen` is a port: a number from 1 to 65535");
                    }
                }
            }
        };
        let (schema, seed) = (script("schema")?, script("seed")?);
        if let (StoreKind::Redis, Some(value)) = (store, keys.get("schema").or(keys.get("seed"))) {
            return fault(value.span(), "Redis reads no such file; have the application fill it");
        }
        let url = keys.get("url").map(|value| text("url", value)).transpose()?;
        upstreams.push(Upstream { store, url: url.map(ServerUrl::from), listen, schema, seed });
    }
    Ok(upstreams)
}

fn reset(says: Says, value: &Entry<'_>, names: &[String]) -> Result<Reset, Fault> {
    let keys = table("reset", value)?;
    check_keys(keys, &RESET, "[reset]")?;
    let mut calls: Vec<Call> = Vec::new();
    for key in ["sql", "http"] {
        let all = keys.get(key).map_or(Ok(Vec::new()), |value| texts(key, value))?;
        for (written, span) in all {
            let call = says
                .call_in(written)
                .or_else(|why| fault(span.clone(), format!("`{key}`: {why}")))?;
            if let Some(name) = call.names().first() {
                return fault(span, format!("`{key}`: there is no value `{}` here", shown(name)));
            }
            calls.push(call);
        }
    }
    let commands =
        keys.get("command").map_or(Ok(Vec::new()), |value| programs("command", value, names))?;
    match calls.is_empty() && commands.is_empty() {
        true => fault(value.span(), "[reset] says nothing: it needs `sql`, `http` or `command`"),
        false => Ok(Reset { calls, commands }),
    }
}
