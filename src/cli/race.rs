//! `race`: flags in, a report out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use oversell_sim::entrant::Entrant;
use oversell_sim::error::Error;
use oversell_sim::expect::Expectation;
use oversell_sim::report::Report;
use oversell_sim::rounds::race_all_at;
use oversell_sim::settings::Settings;
use oversell_sim::stores::{Address, StoreKind};
use oversell_sim::{chance, render, strategies};

use super::flags::{self, Described, applied, setting, with_carts};
use super::meaning::{check_level, refuse};
use super::output::{Output, tell_password, to_stderr};
use super::{Ended, interrupt, progress};

/// Settings by name. Each text was tried when the flag was read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The race")]
struct SettingFlags {
    /// How many buyers come at once [default: 1,000]
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = setting("buyers"))]
    buyers: Option<String>,
    /// How many products there are [default: 1, or 2 for a strategy that is about carts]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("items"))]
    items: Option<String>,
    /// How many units there are of each [default: 1]
    #[arg(long, short, value_name = "N", allow_hyphen_values = true, value_parser = setting("stock"))]
    stock: Option<String>,
    /// How many products are in each cart, beginning with another one for each buyer in turn
    /// [default: 1, or 2 for a strategy that is about carts]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("cart"))]
    cart: Option<String>,
    /// Units each buyer wants of each, all or none: a number, or a range such as 1..3 [default: 1]
    #[arg(long, value_name = "N|N..N", allow_hyphen_values = true, value_parser = setting("qty"))]
    qty: Option<String>,
    /// Let N threads serve the buyers in turn [default: one thread a buyer]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("threads"))]
    threads: Option<String>,
    /// Run the race N times; the figures are added up [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("rounds"))]
    rounds: Option<String>,
    /// Time between looking and acting [default: 200us, about one round trip to a database]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = setting("think"))]
    think: Option<String>,
    /// How often a buyer tries again after a conflict: a number, or unlimited [default: unlimited]
    #[arg(long, value_name = "N|unlimited", allow_hyphen_values = true, value_parser = setting("retries"))]
    retries: Option<String>,
    /// Wait before trying again: none, fixed:1ms or exponential:50us..5ms [default: none]
    #[arg(long, value_name = "BACKOFF", allow_hyphen_values = true, value_parser = setting("backoff"))]
    backoff: Option<String>,
    /// How long a buyer keeps trying, or waits for one lock or answer [default: 30s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = setting("patience"))]
    patience: Option<String>,
    /// Seed of the buyers' dice (quantities, backoff) [default: a new one, printed]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("seed"))]
    seed: Option<String>,
}

/// Where stock lives.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The store")]
struct StoreFlags {
    /// Where stock lives: memory, sqlite, postgres, mysql, redis or etcd; a private server is started where one
    /// is needed (`oversell-sim stores` lists what is ready) [default: memory]
    #[arg(long, value_name = "STORE", value_parser = setting("store"))]
    store: Option<String>,
    /// Race on a server of yours, in tables or keys of our own that are removed after; for sqlite the path
    /// of a file to make
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Let --url be on another machine
    #[arg(long, requires = "url")]
    allow_remote: bool,
    /// How many connections buyers share [default: 10]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("connections"))]
    connections: Option<String>,
    /// How far transactions are kept apart: read-committed, repeatable-read or serializable
    /// [default: read-committed]
    #[arg(long, value_name = "LEVEL", value_parser = setting("isolation"))]
    isolation: Option<String>,
    /// Have the database itself refuse stock below zero: CHECK (stock >= 0)
    #[arg(long)]
    stock_check: bool,
    /// Let locks be the database's own, which belong to no row (postgres, mysql)
    #[arg(long)]
    advisory_locks: bool,
    /// Keep stock as a row a unit, and take those that nobody else has locked: FOR UPDATE SKIP LOCKED
    /// (postgres, mysql)
    #[arg(long)]
    unit_rows: bool,
    /// Let a private server answer before what it did is on disk
    #[arg(long)]
    relaxed: bool,
    /// Kill the private server N times in the middle of each round, as `kill -9` does, and start it again
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = setting("kill"), conflicts_with = "url")]
    kill: Option<String>,
    /// How long a hold stands [default: 10m]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = setting("hold-ttl"))]
    hold_ttl: Option<String>,
    /// How long a lease lasts [default: 10s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = setting("lease-ttl"))]
    lease_ttl: Option<String>,
}

impl StoreFlags {
    /// The settings with these in their place.
    fn applied(&self, settings: Settings) -> Result<Settings, Error> {
        let settings = applied(settings, &self.given())?;
        Ok(Settings {
            stock_check: self.stock_check,
            advisory_locks: self.advisory_locks,
            unit_rows: self.unit_rows,
            relaxed: self.relaxed,
            ..settings
        })
    }

    /// The flags that have values, by the names of their settings.
    fn given(&self) -> [(&'static str, &Option<String>); 6] {
        [
            ("store", &self.store),
            ("connections", &self.connections),
            ("isolation", &self.isolation),
            ("hold-ttl", &self.hold_ttl),
            ("lease-ttl", &self.lease_ttl),
            ("kill", &self.kill),
        ]
    }

    /// Refuses what means nothing to the store of these settings; at a server that runs already, if so.
    fn check_for(&self, settings: &Settings) -> Result<(), Error> {
        use StoreKind::{Etcd, Http, Memory, Redis, Sqlite};
        let store = settings.store;
        let level = self.isolation.is_some().then_some(settings.isolation);
        check_level("--isolation", level, settings)?;
        let unless = |is_given: bool, has_it: bool| is_given && !has_it;
        let given = [
            ("--connections", unless(self.connections.is_some(), store != Memory)),
            ("--isolation", unless(level.is_some(), store != Memory)),
            ("--stock-check", unless(self.stock_check, store.is_sql())),
            ("--hold-ttl", unless(self.hold_ttl.is_some(), store != Memory)),
            ("--lease-ttl", unless(self.lease_ttl.is_some(), matches!(store, Redis | Etcd))),
            ("--relaxed", unless(self.relaxed, !matches!(store, Memory | Etcd))),
        ];
        let why = format!(
            "means nothing to the store `{store}`; leave it out, or choose another --store"
        );
        refuse(&given, &why)?;
        let is_theirs = self.url.is_some() && store != Sqlite && store != Http;
        let given = [("--relaxed", self.relaxed && is_theirs)];
        refuse(&given, "is for private servers, and --url names one that runs already")
    }

    fn address(&self) -> Address {
        Address { url: self.url.clone(), allow_remote: self.allow_remote, ..Address::default() }
    }
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Table,
    /// Everything, described in docs/reference/report.md.
    Json,
    /// A line a strategy, a column a figure.
    Csv,
    /// For a pull request.
    Markdown,
}

/// What `race` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct RaceArgs {
    /// Which checkout to race; several separated by commas, or all, or zoo
    /// (`oversell-sim strategies` lists them)
    #[arg(
        long = "strategy",
        short = 'S',
        value_name = "NAME",
        required_unless_present_any = ["checkout", "app"],
        conflicts_with_all = ["checkout", "app"]
    )]
    strategies: Vec<String>,
    /// Instead of strategies a checkout of your own, described in a file, at the store that it is written for
    /// (`oversell-sim init` writes one to begin with)
    #[arg(long, value_name = "FILE")]
    checkout: Option<PathBuf>,
    /// Instead of strategies a running application, described in a file: the same requests at full speed
    #[arg(long, value_name = "FILE", conflicts_with = "checkout")]
    app: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingFlags,
    #[command(flatten)]
    store: StoreFlags,
    /// What must hold in every round, such as 'oversold = 0', 'latency.p99 < 5ms' or
    /// 'evidence = not seen' (repeatable; total.NAME adds all rounds up)
    #[arg(long = "expect", value_name = "EXPR", value_parser = Expectation::parse)]
    expectations: Vec<Expectation>,
    /// Let an expectation hold although the race was cut short, or proves nothing; without this it holds only of a
    /// finding, failure or deadlock that was seen, or of a race in which buyers contended
    #[arg(long)]
    allow_incomplete: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "The report")]
    format: Format,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE", help_heading = "The report")]
    output: Option<PathBuf>,
    /// Of a table print the verdict alone; show no progress bar
    #[arg(long, short, help_heading = "The report")]
    quiet: bool,
    /// Show no progress bar
    #[arg(long, help_heading = "The report")]
    no_progress: bool,
}

impl SettingFlags {
    /// The flags by the names of their settings.
    fn given(&self) -> [(&'static str, &Option<String>); 12] {
        [
            ("buyers", &self.buyers),
            ("items", &self.items),
            ("stock", &self.stock),
            ("cart", &self.cart),
            ("qty", &self.qty),
            ("threads", &self.threads),
            ("rounds", &self.rounds),
            ("think", &self.think),
            ("retries", &self.retries),
            ("backoff", &self.backoff),
            ("patience", &self.patience),
            ("seed", &self.seed),
        ]
    }

    /// All flags together.
    fn settings(&self, settings: Settings, entrants: &[&dyn Entrant]) -> Result<Settings, Error> {
        let settings = with_carts(settings, entrants, &self.items, &self.cart);
        let settings = applied(settings, &self.given())?;
        settings.check()?;
        Ok(settings)
    }
}

impl RaceArgs {
    /// A checkout that is described in a file, and its settings: its own, unless a flag says otherwise.
    fn described(
        &self,
        (entrant, checkout): Described,
        settings: Settings,
    ) -> Result<(Vec<&'static dyn Entrant>, Settings), Error> {
        let store = &self.store;
        let of_tables = [
            ("--stock-check", store.stock_check),
            ("--advisory-locks", store.advisory_locks),
            ("--unit-rows", store.unit_rows),
        ];
        flags::check_tables(&of_tables, checkout)?;
        let given: Vec<_> = store.given().into_iter().chain(self.settings.given()).collect();
        let settings = flags::described(checkout, settings, &given)?;
        checkout.check_store(settings.store)?;
        settings.check()?;
        if checkout.app.is_some() {
            let given = [("--store", store.store.is_some()), ("--url", store.url.is_some())];
            let why = format!("{} says itself where everything is", checkout.path);
            refuse(&given, &why)?;
        } else if settings.store == StoreKind::Http {
            let given = [("--relaxed", store.relaxed), ("--isolation", store.isolation.is_some())];
            refuse(&given, "the shop runs already, and has its own database; leave it out")?;
        }
        store.check_for(&settings)?;
        Ok((vec![entrant], Settings { relaxed: store.relaxed, ..settings }))
    }
}

pub(crate) fn run(args: &RaceArgs) -> Result<Ended, Error> {
    let settings = Settings { seed: chance::fresh_seed(), ..Settings::default() };
    let (entrants, settings) = match (&args.checkout, &args.app) {
        (Some(path), _) => args.described(flags::checkout(path)?, settings)?,
        (None, Some(path)) => args.described(flags::app(path, false)?, settings)?,
        (None, None) => {
            let names = args.strategies.iter().map(String::as_str);
            let settings = args.store.applied(settings)?;
            args.store.check_for(&settings)?;
            let entrants = strategies::select(names, &settings).map_err(with_list)?;
            let settings = args.settings.settings(settings, &entrants)?;
            (entrants, settings)
        }
    };
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control()?;

    let expectations: Vec<Expectation> = args
        .expectations
        .iter()
        .map(|one| one.clone().allowing_incomplete(args.allow_incomplete))
        .collect();
    let buyers = settings.visits() * entrants.len() as u64;
    let shows_progress = !args.quiet && !args.no_progress;
    let address = args.store.address();
    tell_password(&address);
    let report = progress::watched(buyers, "racing", shows_progress, &control, || {
        race_all_at(&address, &entrants, &settings, &expectations, &control)
    })?;

    let tells_expectations = args.format == Format::Table && output.is_stdout() && !args.quiet;
    output.write(&written(&report, args)?)?;
    if !tells_expectations {
        for run in &report.runs {
            for unmet in run.unmet() {
                to_stderr(&format!("{}: {unmet}\n", run.strategy));
            }
        }
    }
    Ok(ended(&report))
}

fn written(report: &Report, args: &RaceArgs) -> Result<String, Error> {
    match args.format {
        Format::Table if args.quiet => Ok(render::verdicts(report)),
        Format::Table => Ok(render::table(report)),
        Format::Json => render::json(report),
        Format::Csv => render::csv(report),
        Format::Markdown => Ok(render::markdown(report)),
    }
}

/// An unknown strategy, and where to find the known ones.
pub(super) fn with_list(error: Error) -> Error {
    Error::input(format!("{error}\n       `oversell-sim strategies` lists them"))
}

/// What a report means to the shell.
pub(super) fn ended(report: &Report) -> Ended {
    if report.was_interrupted() {
        Ended::Interrupted
    } else if report.met_expectations() {
        Ended::Well
    } else {
        Ended::ShortOfExpectations
    }
}
