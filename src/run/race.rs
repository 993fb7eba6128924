//! `race(MyCheckout).buyers(1000).stock(1)`: a race in one line, for a user's `#[test]`.

use std::time::Duration;

use super::rounds::race_all_at;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::check::report::{Evidence, Report};
use crate::domain::card::type_name;
use crate::domain::retry::Backoff;
use crate::domain::settings::{Settings, shop_setters};
use crate::domain::store_kind::StoreKind;
use crate::explore::after_race;
use crate::stores::Address;
use crate::strategy::Strategy;
use crate::worlds::entrant::Entrant;

/// Prepares a race of real threads: 1,000 buyers and 1 unit, until told otherwise.
///
/// ```
/// # use oversell_sim::strategies::cas::Cas;
/// let report = oversell_sim::race(Cas).buyers(200).stock(3).rounds(5).assert_no_oversell();
/// assert_eq!(report.runs[0].figures.units_sold, 5 * 3);
/// ```
pub fn race<S: Strategy>(strategy: S) -> Race<S> {
    let (settings, address) = (Settings::default(), Address::default());
    Race { strategy, settings, address, allows_incomplete: false }
}

/// A race that has not been run yet. Made by [`race`].
#[derive(Clone, Debug)]
#[must_use = "a race does nothing until it is run"]
pub struct Race<S> {
    strategy: S,
    settings: Settings,
    address: Address,
    allows_incomplete: bool,
}

impl<S: Strategy> Race<S> {
    shop_setters!();

    /// How many threads serve the buyers in turn; by default one thread for each buyer.
    pub fn threads(mut self, threads: u32) -> Self {
        self.settings.threads = Some(threads);
        self
    }

    /// How often to run the race; by default once.
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.settings.rounds = rounds;
        self
    }

    /// Time spent at every [`think`](crate::domain::session::Session::think); by default
    /// 200 µs.
    pub fn think(mut self, think: Duration) -> Self {
        self.settings.think = think;
        self
    }

    /// How long a buyer waits before it tries again; by default not at all.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.policy.backoff = backoff;
        self
    }

    /// How long a buyer keeps trying, and the longest it waits for a lock; by default 30 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.policy.patience = patience;
        self
    }

    /// Where stock lives; by default in this process's memory. A private server is started where one is
    /// needed, and removed after.
    pub fn store(mut self, store: StoreKind) -> Self {
        self.settings.store = store;
        self
    }

    /// The URL of a server of yours to race on, in tables or keys of our own that are removed after; for
    /// SQLite the path of a file to make. It must be on this machine.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.address.url = Some(url.into());
        self
    }

    /// How many connections to a database buyers share; by default 10.
    pub fn connections(mut self, connections: u32) -> Self {
        self.settings.connections = connections;
        self
    }

    /// Whether the database itself refuses stock below zero; by default it does not.
    pub fn stock_check(mut self, checks: bool) -> Self {
        self.settings.stock_check = checks;
        self
    }

    /// Whether locks are the database's own, which belong to no row; by default they are rows'.
    pub fn advisory_locks(mut self, advisory: bool) -> Self {
        self.settings.advisory_locks = advisory;
        self
    }

    /// Whether stock is a row a unit; by default it is a number.
    pub fn unit_rows(mut self, rows: bool) -> Self {
        self.settings.unit_rows = rows;
        self
    }

    /// Whether a private server may answer before what it did is on disk; by default it may not.
    pub fn relaxed(mut self, relaxed: bool) -> Self {
        self.settings.relaxed = relaxed;
        self
    }

    /// How often a private server is killed in the middle of each round, and started again; by default never.
    pub fn kill(mut self, times: u32) -> Self {
        self.settings.kill = times;
        self
    }

    /// How long a hold stands on a database; by default ten minutes.
    pub fn hold_ttl(mut self, ttl: Duration) -> Self {
        self.settings.hold_ttl = ttl;
        self
    }

    /// How long a lease lasts on a database; by default ten seconds.
    pub fn lease_ttl(mut self, ttl: Duration) -> Self {
        self.settings.lease_ttl = ttl;
        self
    }

    /// Whether assertions may hold of a race that proves nothing, such as one in which buyers never contended, or
    /// most of them failed; by default they may not.
    pub fn allow_incomplete(mut self, allows: bool) -> Self {
        self.allows_incomplete = allows;
        self
    }

    /// Runs the race.
    ///
    /// # Errors
    /// [`Error::Input`] for impossible settings, [`Error::World`] when the operating system refuses
    /// threads, or a server cannot be started or reached.
    ///
    /// # Panics
    /// When the strategy panics.
    pub fn run(&self) -> Result<Report, Error> {
        let name = type_name::<S>();
        let entrants: [&dyn Entrant; 1] = [&self.strategy];
        let control = Control::default();
        let mut report = race_all_at(&self.address, &entrants, &self.settings, &[], &control)?;
        for run in &mut report.runs {
            run.again = format!("oversell_sim::race({name}){}", self.settings.calls());
            // The library explores the model alone.
            let next = (self.settings.store == StoreKind::Memory)
                .then(|| after_race(&self.strategy, &self.settings, run, None, &control))
                .flatten();
            run.hint = next.map(|next| next.call(name));
        }
        Ok(report)
    }

    /// Runs the race and insists that no unit was sold twice, in a race that could have shown it.
    ///
    /// # Panics
    /// With the report, if a unit was sold twice; if the race proves nothing, unless that is
    /// [allowed](Self::allow_incomplete); and if it could not be run.
    #[track_caller]
    pub fn assert_no_oversell(&self) -> Report {
        self.assert(|report| report.runs.iter().all(|run| run.figures.oversold == 0))
    }

    /// Runs the race and insists that the audit finds nothing wrong at all.
    ///
    /// # Panics
    /// With the report, if the audit found something; else as
    /// [`assert_no_oversell`](Self::assert_no_oversell).
    #[track_caller]
    pub fn assert_no_findings(&self) -> Report {
        self.assert(|report| report.runs.iter().all(|run| run.evidence != Evidence::Broken))
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    fn assert(&self, holds: impl Fn(&Report) -> bool) -> Report {
        if self.settings.threads() == 1 && !self.allows_incomplete {
            panic!(
                "one buyer at a time is no race and proves nothing: raise `buyers` or `threads`"
            );
        }
        match self.run() {
            Ok(report) if !holds(&report) => panic!("{report}"),
            Ok(report) => match report.runs.iter().find_map(|run| run.incomplete.as_ref()) {
                Some(why) if !self.allows_incomplete => {
                    panic!("it proves nothing: {why}\n{report}")
                }
                _ => report,
            },
            Err(error) => panic!("{error}"),
        }
    }
}
