//! Flags that `explore`, `replay` and `play` share: the shop, and the report.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::chance;
use crate::base::error::Error;
use crate::base::text::nearest::shown;
use crate::base::text::server_url::ServerUrl;
use crate::check::expect::Expectation;
use crate::check::report::Judgement;
use crate::command::{Command, Verb, quoted};
use crate::describe::app::App;
use crate::describe::checkout::Checkout;
use crate::domain::settings::{Part, Setting, Settings};
use crate::explore::{self, Exploration, PlayGraph, with_carts, with_claim};
use crate::stores::model::{Faults, Isolation};
use crate::stores::{Address, StoreKind};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::{render, strategies};
use clap::{Args, ValueEnum};

use super::Ended;
use super::flags::{self, Given, Offer, SettingFlags, applied, described, setting};
use super::meaning::refuse;
use super::output::{Output, line_to_stderr};

/// The shop, where no buyer thinks and nothing takes time.
#[derive(Clone, Debug, Args)]
#[command(
    next_help_heading = "The shop",
    mut_arg("buyers", |buyers| buyers.value_name("N|any").value_parser(some_or_any))
)]
pub(super) struct ShopFlags {
    /// The checkout to run (`oversell-sim strategies` lists them)
    #[arg(long, short = 'S', value_name = "NAME")]
    strategy: Option<String>,
    /// Run your own checkout, described in a file, instead of a strategy, at the store that the file names
    /// (`oversell-sim init` writes a first one)
    #[arg(long, value_name = "FILE", conflicts_with = "strategy")]
    checkout: Option<PathBuf>,
    /// Run an unmodified application, described in a file, instead of a strategy: a proxy holds every statement that the
    /// application sends to its databases until its turn comes (`oversell-sim init app` writes a first file)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["strategy", "checkout"])]
    app: Option<PathBuf>,
    /// All requests come in the name of one buyer: a double click, a second tab
    #[arg(long, requires = "app")]
    same_buyer: bool,
    #[command(flatten)]
    settings: SettingFlags<OfShop>,
    #[command(flatten)]
    faults: SettingFlags<OfFaults>,
}

/// The shop's settings.
#[derive(Clone, Debug)]
struct OfShop;

impl Offer for OfShop {
    const VERB: Verb = Verb::Play;
    const PARTS: &'static [&'static [Part]] = &[&[Part::Shop, Part::Carts, Part::Buyers]];
    const HEADING: &'static str = "The shop";
}

/// What may go wrong around the checkout, and how far transactions are kept apart.
#[derive(Clone, Debug)]
struct OfFaults;

impl Offer for OfFaults {
    const VERB: Verb = Verb::Play;
    const PARTS: &'static [&'static [Part]] = &[&[Part::Faults], &[Part::Transactions]];
    const HEADING: &'static str = "Faults, at most so often in a schedule [default: what the strategy's claim is about, \
                                   else none]";
}

/// The server's settings.
#[derive(Clone, Debug)]
struct OfServer;

impl Offer for OfServer {
    const VERB: Verb = Verb::Explore;
    const PARTS: &'static [&'static [Part]] = &[&[Part::Server], &[Part::Tables]];
    const HEADING: &'static str = "A real server, one statement at a time";
}

/// Where the shop is, if it is at a real server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "A real server, one statement at a time")]
pub(super) struct ServerFlags {
    #[command(flatten)]
    settings: SettingFlags<OfServer>,
    /// The URL of a server that is running already; it is left as it was
    #[arg(long, value_name = "URL")]
    url: Option<ServerUrl>,
    /// Allow --url, or an application's file, to name a host that is not this machine
    #[arg(long)]
    allow_remote: bool,
    /// Allow triggers on the tables of --url, or of an application's own database, while the search runs: they hold
    /// statements inside the server, between their snapshot and their changes
    #[arg(long)]
    allow_triggers: bool,
    /// Keep an application's databases as schema, seed and setup have filled them, and begin with them the next time
    /// (`oversell-sim clean` removes them)
    #[arg(long)]
    keep: bool,
}

impl ServerFlags {
    /// Each of them, and whether it was given; a store that is the model is none.
    pub(super) fn given(&self) -> Result<[(&'static str, bool); 5], Error> {
        let settings = applied(Settings::default(), self.settings.given())?;
        Ok([
            ("--store", settings.store != StoreKind::Memory),
            ("--url", self.url.is_some()),
            ("--allow-remote", self.allow_remote),
            ("--allow-triggers", self.allow_triggers),
            ("--keep", self.keep),
        ])
    }

    /// Refuses to keep what only an application has.
    pub(super) fn check_kept(&self) -> Result<(), Error> {
        let why = "only the databases of an application are kept; add --app, or leave it out";
        refuse(&[("--keep", self.keep)], why)
    }

    /// Refuses to allow what only a server that is named needs, and to keep what only an application has.
    fn check_allowed(&self) -> Result<(), Error> {
        self.check_kept()?;
        let is_unused = |allowed| allowed && self.url.is_none();
        refuse(
            &[("--allow-remote", is_unused(self.allow_remote))],
            "no --url is given that could name another machine",
        )?;
        refuse(
            &[("--allow-triggers", is_unused(self.allow_triggers))],
            "no --url is given, and a private server needs no leave",
        )
    }

    /// The server's settings that were given.
    pub(super) fn settings(&self) -> &[(&'static Setting, String)] {
        self.settings.given()
    }

    /// Whether a store was named.
    fn names_store(&self) -> bool {
        self.settings.text("store").is_some()
    }

    /// The settings, with the store that was named.
    fn applied(&self, settings: Settings) -> Result<Settings, Error> {
        let settings = applied(settings, self.settings())?;
        let of_tables = |(setting, _): &&(&Setting, _)| setting.flag.part == Part::Tables;
        match (settings.store, self.settings().iter().find(of_tables), &self.url) {
            (StoreKind::Memory, Some((setting, _)), _) => Err(Error::input(format!(
                "--{}: the model in memory has no tables; name a database with --store",
                setting.name
            ))),
            (StoreKind::Memory, None, Some(_)) => Err(Error::input(
                "--url: the model in memory is nowhere else; name the server with --store",
            )),
            _ => Ok(settings),
        }
    }

    /// The settings of a described checkout, with these and other flags in their place.
    pub(super) fn described(
        &self,
        checkout: &Checkout,
        settings: Settings,
        flags: &[(&'static Setting, String)],
    ) -> Result<Settings, Error> {
        let given = [self.settings(), flags].concat();
        let settings = self.applied(described(checkout, settings, &given)?)?;
        checkout.check_store(settings.store)?;
        Ok(settings)
    }

    /// Refuses those that a scenario says itself.
    pub(super) fn check_for_scenarios(&self) -> Result<(), Error> {
        let why = "is for --checkout; a scenario names its own store";
        refuse(&[("--store", self.names_store()), ("--url", self.url.is_some())], why)?;
        match self.settings().first() {
            Some((setting, _)) => Err(Error::input(format!("--{}: {why}", setting.name))),
            None => Ok(()),
        }
    }

    /// Refuses to allow what only a checkout or an application of the user's own needs, where there is none.
    pub(super) fn check_allowed_for(&self, is_described: bool) -> Result<(), Error> {
        let given = [
            ("--allow-remote", self.allow_remote && !is_described),
            ("--allow-triggers", self.allow_triggers && !is_described),
            ("--keep", self.keep && !is_described),
        ];
        refuse(&given, "no scenario here names a checkout or an application; leave it out")
    }

    /// Refuses another place than that of a recording with these settings.
    fn check_recorded(&self, settings: &Settings, is_app: bool) -> Result<(), Error> {
        let said = applied(settings.clone(), self.settings())?;
        let recorded = if is_app { StoreKind::Http } else { settings.store };
        if self.names_store() && (is_app || said.store != recorded) {
            return Err(Error::input(format!(
                "--store: the schedule was recorded at the store `{recorded}`; leave the flag out"
            )));
        }
        let has_url = !is_app && recorded != StoreKind::Memory;
        let url = [("--url", self.url.is_some() && !has_url)];
        refuse(
            &url,
            "the schedule was recorded where there is no server of that kind; leave it out",
        )?;
        if is_app { Ok(()) } else { self.check_allowed() }
    }

    /// Where its server is.
    pub(super) fn address(&self) -> Address {
        Address {
            url: self.url.clone(),
            allow_remote: self.allow_remote,
            allow_triggers: self.allow_triggers,
            keep: self.keep,
        }
    }
}

/// A number of buyers, or `any`.
fn some_or_any(text: &str) -> Result<String, String> {
    if text == ANY { Ok(text.to_owned()) } else { setting("buyers")(text) }
}

/// What stands in the place of a number of buyers.
const ANY: &str = "any";

impl ShopFlags {
    /// Refuses a double click where there is no application to click in.
    fn check_same_buyer(&self) -> Result<(), Error> {
        // That `--app` is required does not count beside flags that `--app` excludes.
        let unused = self.same_buyer && self.app.is_none();
        refuse(&[("--same-buyer", unused)], "is for an application; name its file with --app")
    }

    /// The strategy that was named.
    pub(super) fn strategy(&self) -> Result<&'static dyn DynStrategy, Error> {
        self.check_same_buyer()?;
        if let Some(path) = &self.app {
            return flags::app(path, self.same_buyer).map(|(strategy, _)| strategy);
        }
        match (&self.strategy, &self.checkout) {
            (_, Some(path)) => flags::checkout(path).map(|(strategy, _)| strategy),
            (Some(name), None) => strategies::find(name).map_err(super::race::with_list),
            (None, None) => Err(super::race::with_list(Error::input(
                "--strategy: name the checkout, such as --strategy naive",
            ))),
        }
    }

    /// The file that describes the checkout; none for a strategy.
    pub(super) fn file(&self) -> Option<&Path> {
        self.checkout.as_deref().or(self.app.as_deref())
    }

    /// What was named: a strategy, or a file.
    pub(super) fn named(&self) -> String {
        let strategy = || self.strategy.clone().unwrap_or_default();
        self.file().map_or_else(strategy, |file| file.display().to_string())
    }

    /// The settings that were given.
    pub(super) fn given(&self) -> Given {
        [self.settings.given(), self.faults.given()].concat()
    }

    /// Refuses to run the programs of an application that only the file of a schedule names, unless that is allowed; and to
    /// allow it where there is no such application.
    pub(super) fn check_commands(
        &self,
        schedule: &Path,
        name: Option<&str>,
        is_allowed: bool,
    ) -> Result<(), Error> {
        let is_app = |name: &&str| name.ends_with(".toml") && App::is_in(Path::new(name));
        let Some(name) = name.filter(is_app).filter(|_| self.app.is_none()) else {
            let why = "the schedule's file names no application that --app does not; leave it out";
            return refuse(&[("--allow-commands", is_allowed)], why);
        };
        if is_allowed {
            return Ok(());
        }
        let app = quoted(name).into_owned();
        Err(Error::input(format!(
            "--schedule-file: {} names the application {}, whose file says which programs are run\n       \
             to run them, name it with --app {app}, or add --allow-commands",
            schedule.display(),
            shown(name),
        )))
    }

    /// The shop of a recording, if no flag says otherwise.
    pub(super) fn as_recorded(
        &self,
        name: &str,
        mut settings: Settings,
        server: &ServerFlags,
    ) -> Result<(&'static dyn DynStrategy, Settings), Error> {
        self.check_same_buyer()?;
        // A recording names a checkout by its file.
        let strategy = match name.ends_with(".toml") {
            true if self.app.is_some() => self.strategy()?,
            true if App::is_in(Path::new(name)) => flags::app(Path::new(name), false)?.0,
            true => flags::checkout(Path::new(name))?.0,
            false => strategies::find(name).map_err(super::race::with_list)?,
        };
        if let Some(checkout) = strategy.described().filter(|_| !strategy.is_app()) {
            // A recording is written with its store, which may be another than the file's.
            if settings.store == StoreKind::Memory {
                return Err(Error::input(format!(
                    "--schedule-file: it names the checkout {name}, and no store to run it at; add the line `store = \"{}\"`, \
                     or whichever it was recorded at",
                    checkout.store
                )));
            }
            checkout.check_store(settings.store)?;
        }
        // Where an application is its own file says.
        if strategy.is_app() {
            settings.store = StoreKind::Http;
        }
        let is_named = self.strategy.is_some() || self.checkout.is_some() || self.app.is_some();
        if is_named && self.strategy()?.card().name != strategy.card().name {
            return Err(Error::input(format!("--strategy: the schedule was recorded of {name}")));
        }
        server.check_recorded(&settings, strategy.is_app())?;
        let of_tables = |(setting, _): &&(&Setting, _)| setting.flag.part == Part::Tables;
        let tables = server.settings().iter().filter(of_tables);
        for (setting, text) in self.given().iter().chain(tables) {
            let name = setting.name;
            let said = applied(settings.clone(), &[(setting, text.clone())])?;
            if said != settings {
                let recorded = settings.value_of(name);
                return Err(Error::input(format!(
                    "--{name}: the schedule was recorded with --{name} {recorded}; leave the flag out"
                )));
            }
        }
        Ok((strategy, settings))
    }

    /// The isolation level that was named, if one was.
    pub(super) fn level(&self) -> Result<Option<Isolation>, Error> {
        let settings = applied(Settings::default(), self.faults.given())?;
        Ok(self.faults.text("isolation").map(|_| settings.isolation))
    }

    /// Whether its buyers are at a real server.
    pub(super) fn is_at_server(&self, server: &ServerFlags) -> bool {
        let is_described = self.checkout.is_some() || self.app.is_some();
        is_described || server.settings.text("store").is_some_and(|store| store != "memory")
    }

    /// Whether any number of buyers is meant.
    pub(super) fn is_for_any(&self) -> bool {
        self.settings.text("buyers") == Some(ANY)
    }

    /// The settings of a shop that may be at a real server, where nothing goes wrong unless it was asked for.
    pub(super) fn settings_at(
        &self,
        strategy: &dyn DynStrategy,
        server: &ServerFlags,
    ) -> Result<Settings, Error> {
        let usual = self.usual(strategy);
        if let Some(checkout) = strategy.described() {
            return self.settings_of(&checkout, usual, server);
        }
        let settings = server.applied(usual)?;
        server.check_allowed()?;
        if settings.store == StoreKind::Memory {
            return self.settings(strategy);
        }
        if self.is_for_any() {
            return Err(Error::input(
                "--buyers: at a real server they have to be counted; write a number",
            ));
        }
        applied(Settings { faults: Faults::default(), ..settings }, &self.given())
    }

    /// The settings of a described checkout: its own, unless a flag says otherwise.
    fn settings_of(
        &self,
        checkout: &Checkout,
        usual: Settings,
        server: &ServerFlags,
    ) -> Result<Settings, Error> {
        if self.is_for_any() {
            return Err(Error::input(
                "--buyers: at a real server they have to be counted; write a number",
            ));
        }
        if checkout.app.is_some() && (server.names_store() || server.url.is_some()) {
            return Err(Error::input(format!(
                "--store and --url: {} says itself where the application and its databases are",
                checkout.path
            )));
        }
        if checkout.app.is_none() {
            server.check_kept()?;
        }
        server.described(checkout, usual, &self.given())
    }

    /// The settings of a shop of the model.
    fn settings(&self, strategy: &dyn DynStrategy) -> Result<Settings, Error> {
        if self.is_for_any() {
            return Err(Error::input("--buyers: only explore takes any; write a number"));
        }
        applied(self.usual(strategy), &self.given())
    }

    /// The same, whatever was said of buyers.
    pub(super) fn settings_but_for_buyers(
        &self,
        strategy: &dyn DynStrategy,
    ) -> Result<Settings, Error> {
        applied(self.usual(strategy), &self.given_but_for_buyers())
    }

    fn given_but_for_buyers(&self) -> Given {
        self.given().into_iter().filter(|(setting, _)| setting.name != "buyers").collect()
    }

    /// What goes without saying.
    fn usual(&self, strategy: &dyn DynStrategy) -> Settings {
        let buyers = strategy.described().map_or(2, |checkout| checkout.usual_buyers());
        let settings = Settings { buyers, seed: chance::fresh_seed(), ..Settings::default() };
        let settings = with_carts(settings, &[strategy], &self.given());
        if self.is_for_any() {
            // Any number of buyers all want the same.
            let can_be = |said: &Settings| said.qty.least == said.qty.most && said.check().is_ok();
            return with_claim(settings, strategy, &self.given_but_for_buyers(), can_be);
        }
        with_claim(settings, strategy, &self.given(), |said| said.check().is_ok())
    }
}

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// For a terminal.
    Table,
    /// Everything.
    Json,
    /// A page for a browser, in which the reader can be the scheduler.
    Html,
    /// A table, annotations and a job summary, for GitHub Actions.
    Github,
    /// SARIF, for editors and code scanning: each finding at its place in the code.
    Sarif,
}

/// How to print, and what must hold.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The report")]
pub(super) struct ReportFlags {
    /// What must hold: 'evidence = proved', or a finding such as 'oversold = 0' (repeatable)
    #[arg(long = "expect", value_name = "EXPR", value_parser = explore::parse_expectation)]
    expectations: Vec<Expectation>,
    /// Let an expectation hold although the run was cut short, or proves nothing; without this it holds only of a
    /// finding, failure or deadlock that was seen, or of a run that did all it was asked to
    #[arg(long)]
    allow_incomplete: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(super) format: OutputFormat,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Tell on standard error what is started, each request or program of an application with its answer, and what the
    /// application prints
    #[arg(long)]
    pub(super) verbose: bool,
    /// Show no progress
    #[arg(long)]
    pub(super) no_progress: bool,
}

impl ReportFlags {
    /// Whether the report is for GitHub Actions.
    pub(super) fn is_github(&self) -> bool {
        self.format == OutputFormat::Github
    }

    /// Whether progress is shown.
    pub(super) fn shows_progress(&self) -> bool {
        !self.no_progress && !self.verbose
    }

    /// Whether the report is SARIF, and the file for it, if it has one.
    pub(super) fn sarif(&self) -> (bool, Option<&Path>) {
        (self.format == OutputFormat::Sarif, self.output.as_deref())
    }

    /// A command that expects the same.
    pub(super) fn with_expectations(&self, command: Command) -> Command {
        let expected = self.expectations.iter();
        let command = expected
            .fold(command, |command, expected| command.flag("expect", &expected.to_string()));
        if self.allow_incomplete { command.switch("allow-incomplete") } else { command }
    }

    /// What must hold.
    pub(super) fn expectations(&self) -> Vec<Expectation> {
        let all = self.expectations.iter().cloned();
        all.map(|one| one.allowing_incomplete(self.allow_incomplete)).collect()
    }
}

/// Writes the report and checks what must hold. `graph` is for a page, and asked for only there.
pub(super) fn finish(
    report: &Exploration,
    took: Option<Duration>,
    output: Output,
    flags: &ReportFlags,
    graph: impl FnOnce() -> Result<Option<PlayGraph>, Error>,
) -> Result<Ended, Error> {
    let text = match flags.format {
        OutputFormat::Table | OutputFormat::Github => {
            render::exploration(report, took, output.width())
        }
        OutputFormat::Json => render::json(report)?,
        OutputFormat::Html => render::exploration_page(report, took, graph()?.as_ref())?,
        // It is written when the whole command is over.
        OutputFormat::Sarif => {
            return tell_unmet(report.judge(&flags.expectations()), flags.format);
        }
    };
    output.write(&text)?;
    tell_unmet(report.judge(&flags.expectations()), flags.format)
}

/// Says which expectations did not hold, unless annotations do.
pub(super) fn tell_unmet(judgements: Vec<Judgement>, format: OutputFormat) -> Result<Ended, Error> {
    let mut ended = Ended::Well;
    for judgement in judgements.into_iter().filter(|judgement| !judgement.held) {
        let (expectation, seen) = (&judgement.expectation, judgement.seen());
        if format != OutputFormat::Github {
            line_to_stderr(&format!("expected {expectation}, but {seen}"));
        }
        ended = Ended::ShortOfExpectations;
    }
    Ok(ended)
}
