//! Flags that `explore`, `replay` and `play` share: the shop, and the report.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::chance;
use crate::base::error::Error;
use crate::check::expect::Expectation;
use crate::check::report::Judgement;
use crate::describe::app::App;
use crate::describe::checkout::Checkout;
use crate::domain::settings::Settings;
use crate::explore::{self, Exploration};
use crate::render;
use crate::stores::model::{Faults, Isolation};
use crate::stores::{Address, StoreKind};
use crate::strategies;
use crate::worlds::dyn_strategy::DynStrategy;
use clap::{Args, ValueEnum};

use super::Ended;
use super::flags::{self, applied, described, setting, with_carts, with_claim};
use super::meaning::refuse;
use super::output::{Output, to_stderr};

/// The shop, where no buyer thinks and nothing takes time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The shop")]
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
    /// The number of buyers; explore also takes any [default: 2]
    #[arg(long, short, value_name = "N|any", allow_hyphen_values = true, value_parser = some_or_any)]
    buyers: Option<String>,
    /// The number of products [default: 1, or 2 for a strategy that is about carts]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("items"))]
    items: Option<String>,
    /// The number of units of each product [default: 1]
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = setting("stock"))]
    stock: Option<String>,
    /// The number of products in each cart; each buyer in turn begins with another product
    /// [default: 1, or 2 for a strategy that is about carts]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("cart"))]
    cart: Option<String>,
    /// The units that each buyer wants of each product, all or none: a number, or a range such as 1..3 [default: 1]
    #[arg(long, value_name = "N|N..N", allow_hyphen_values = true, value_parser = setting("qty"))]
    qty: Option<String>,
    /// How often a buyer retries after a conflict: a number, or unlimited [default: unlimited]
    #[arg(long, value_name = "N|unlimited", allow_hyphen_values = true, value_parser = setting("retries"))]
    retries: Option<String>,
    /// The seed of the quantities that buyers want, where --qty is a range [default: a new one]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("seed"))]
    seed: Option<String>,
    #[command(flatten)]
    faults: FaultFlags,
}

/// Where the shop is, if it is at a real server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "A real server, one statement at a time")]
pub(super) struct ServerFlags {
    /// The store that holds the stock: sqlite, postgres, mysql, redis or etcd; without --url the program starts a
    /// private server, and removes it afterwards [default: a model in memory]
    #[arg(long, value_name = "STORE", value_parser = setting("store"))]
    store: Option<String>,
    /// The URL of a running server; the program leaves it as it found it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Allow --url, or an application's file, to name a host that is not this machine
    #[arg(long)]
    allow_remote: bool,
    /// Allow triggers on the tables of --url, or of an application's own database, while the search runs: they hold
    /// statements inside the server, between their snapshot and their changes
    #[arg(long)]
    allow_triggers: bool,
    /// Add a constraint that refuses stock below zero: CHECK (stock >= 0)
    #[arg(long)]
    stock_check: bool,
    /// Use the database's advisory locks, which belong to no row (postgres, mysql)
    #[arg(long)]
    advisory_locks: bool,
    /// Keep one row for each unit, and take rows that no other buyer has locked: FOR UPDATE SKIP LOCKED
    /// (postgres, mysql)
    #[arg(long)]
    unit_rows: bool,
}

impl ServerFlags {
    /// Each of them, and whether it was given; a store that is the model is none.
    pub(super) fn given(&self) -> Result<[(&'static str, bool); 4], Error> {
        let settings = applied(Settings::default(), &[("store", &self.store)])?;
        Ok([
            ("--store", settings.store != StoreKind::Memory),
            ("--url", self.url.is_some()),
            ("--allow-remote", self.allow_remote),
            ("--allow-triggers", self.allow_triggers),
        ])
    }

    /// Refuses to allow what only a server that is named needs.
    fn check_allowed(&self) -> Result<(), Error> {
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

    /// Flags about tables of ours.
    fn of_tables(&self) -> [(&'static str, bool); 3] {
        [
            ("--stock-check", self.stock_check),
            ("--advisory-locks", self.advisory_locks),
            ("--unit-rows", self.unit_rows),
        ]
    }

    /// The settings, with the store that was named.
    pub(super) fn applied(&self, settings: Settings) -> Result<Settings, Error> {
        let settings = applied(settings, &[("store", &self.store)])?;
        let settings = Settings {
            stock_check: self.stock_check,
            advisory_locks: self.advisory_locks,
            unit_rows: self.unit_rows,
            ..settings
        };
        let given = self.of_tables().into_iter().find(|(_, is_given)| *is_given);
        if let (StoreKind::Memory, Some((flag, _))) = (settings.store, given) {
            return Err(Error::input(format!(
                "{flag}: the model in memory has no tables; name a database with --store"
            )));
        }
        match (settings.store, &self.url) {
            (StoreKind::Memory, Some(_)) => Err(Error::input(
                "--url: the model in memory is nowhere else; name the server with --store",
            )),
            _ => Ok(settings),
        }
    }

    /// Refuses those about tables of ours, where a checkout has its own.
    pub(super) fn check_tables(&self, checkout: &Checkout) -> Result<(), Error> {
        flags::check_tables(&self.of_tables(), checkout)
    }

    /// Refuses all of them, where there is no server.
    pub(super) fn check_unused(&self) -> Result<(), Error> {
        let given = [
            ("--store", self.store.is_some()),
            ("--url", self.url.is_some()),
            ("--allow-remote", self.allow_remote),
            ("--allow-triggers", self.allow_triggers),
        ];
        let all: Vec<_> = given.into_iter().chain(self.of_tables()).collect();
        refuse(&all, "is for --checkout; a scenario names its own store")
    }

    /// Refuses another place than that of a recording with these settings.
    fn check_recorded(&self, settings: &Settings, is_app: bool) -> Result<(), Error> {
        let said = applied(settings.clone(), &[("store", &self.store)])?;
        let recorded = if is_app { StoreKind::Http } else { settings.store };
        if self.store.is_some() && (is_app || said.store != recorded) {
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
        }
    }
}

/// What may go wrong around the checkout.
#[derive(Clone, Debug, Args)]
#[command(
    next_help_heading = "Faults, at most so often in a schedule [default: what the strategy's \
                               claim is about, else none]"
)]
pub(super) struct FaultFlags {
    /// How many servers crash in the middle of a buyer's request
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("crashes"))]
    crashes: Option<String>,
    /// How many holds and leases expire while a buyer still counts on them
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("expiries"))]
    expiries: Option<String>,
    /// How many payments the provider declines
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("declines"))]
    declines: Option<String>,
    /// How many answers of the payment provider are lost after the money has moved
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("lost-answers"))]
    lost_answers: Option<String>,
    /// How many webhooks the payment provider delivers twice
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("redeliveries"))]
    redeliveries: Option<String>,
    /// How many times the database loses power and restarts with what was on disk
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("power-cuts"))]
    power_cuts: Option<String>,
    /// How many plain reads go to a replica that has not seen the last write
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("stale-reads"))]
    stale_reads: Option<String>,
    /// The isolation level of transactions: read-committed, repeatable-read or serializable
    #[arg(long, value_name = "LEVEL", value_parser = setting("isolation"))]
    isolation: Option<String>,
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

    /// The flags that were given, by the names of their settings.
    fn given(&self) -> [(&'static str, &Option<String>); 15] {
        [
            ("buyers", &self.buyers),
            ("items", &self.items),
            ("stock", &self.stock),
            ("cart", &self.cart),
            ("qty", &self.qty),
            ("retries", &self.retries),
            ("seed", &self.seed),
            ("isolation", &self.faults.isolation),
            ("crashes", &self.faults.crashes),
            ("expiries", &self.faults.expiries),
            ("declines", &self.faults.declines),
            ("lost-answers", &self.faults.lost_answers),
            ("redeliveries", &self.faults.redeliveries),
            ("power-cuts", &self.faults.power_cuts),
            ("stale-reads", &self.faults.stale_reads),
        ]
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
        for (name, text) in self.given() {
            let said = applied(settings.clone(), &[(name, text)])?;
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
        let level = &self.faults.isolation;
        let settings = applied(Settings::default(), &[("isolation", level)])?;
        Ok(level.is_some().then_some(settings.isolation))
    }

    /// Whether any number of buyers is meant.
    pub(super) fn is_for_any(&self) -> bool {
        self.buyers.as_deref() == Some(ANY)
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
        if checkout.app.is_some() && (server.store.is_some() || server.url.is_some()) {
            return Err(Error::input(format!(
                "--store and --url: {} says itself where the application and its databases are",
                checkout.path
            )));
        }
        server.check_tables(checkout)?;
        let settings = described(checkout, usual, &self.given())?;
        let settings = server.applied(settings)?;
        checkout.check_store(settings.store)?;
        Ok(settings)
    }

    /// The settings of a shop of the model.
    fn settings(&self, entrant: &dyn DynStrategy) -> Result<Settings, Error> {
        if self.is_for_any() {
            return Err(Error::input("--buyers: only explore takes any; write a number"));
        }
        applied(self.usual(entrant), &self.given())
    }

    /// The same, whatever was said of buyers.
    pub(super) fn settings_but_for_buyers(
        &self,
        strategy: &dyn DynStrategy,
    ) -> Result<Settings, Error> {
        applied(self.usual(strategy), &self.given_but_for_buyers())
    }

    fn given_but_for_buyers(&self) -> Vec<(&'static str, &Option<String>)> {
        self.given().into_iter().filter(|(name, _)| *name != "buyers").collect()
    }

    /// What goes without saying.
    fn usual(&self, strategy: &dyn DynStrategy) -> Settings {
        let settings = Settings { buyers: 2, seed: chance::fresh_seed(), ..Settings::default() };
        let settings = with_carts(settings, &[strategy], &self.items, &self.cart);
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
pub(super) enum Format {
    /// For a terminal.
    Table,
    /// Everything.
    Json,
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
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

impl ReportFlags {
    /// What must hold.
    pub(super) fn expectations(&self) -> Vec<Expectation> {
        let all = self.expectations.iter().cloned();
        all.map(|one| one.allowing_incomplete(self.allow_incomplete)).collect()
    }
}

pub(super) fn finish(
    report: &Exploration,
    took: Option<Duration>,
    output: Output,
    flags: &ReportFlags,
) -> Result<Ended, Error> {
    output.write(&match flags.format {
        Format::Table => render::exploration(report, took),
        Format::Json => render::json(report)?,
    })?;
    tell_unmet(report.judge(&flags.expectations()))
}

/// Says which expectations did not hold.
pub(super) fn tell_unmet(judgements: Vec<Judgement>) -> Result<Ended, Error> {
    let mut ended = Ended::Well;
    for judgement in judgements.into_iter().filter(|judgement| !judgement.held) {
        let (expectation, seen) = (&judgement.expectation, judgement.seen());
        to_stderr(&format!("expected {expectation}, but {seen}\n"));
        ended = Ended::ShortOfExpectations;
    }
    Ok(ended)
}
