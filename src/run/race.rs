//! `race(MyCheckout).buyers(1000).stock(1)`: a race in one line, for a user's `#[test]`.

use std::time::Duration;

use super::rounds::race_all_at;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::server_url::ServerUrl;
use crate::check::report::{Evidence, Report};
use crate::domain::card::type_name;
use crate::domain::isolation::Isolation;
use crate::domain::retry::{Backoff, Retries};
use crate::domain::settings::{Settings, between, setters};
use crate::domain::store_kind::StoreKind;
use crate::explore::after_race;
use crate::stores::Address;
use crate::strategy::Strategy;
use crate::worlds::dyn_strategy::DynStrategy;

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
///
/// It offers the settings that mean something on threads. Faults happen in a search alone:
///
/// ```compile_fail,E0599
/// # use oversell_sim::strategies::cas::Cas;
/// let _ = oversell_sim::race(Cas).crashes(1);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a race does nothing until it is run"]
pub struct Race<S> {
    strategy: S,
    settings: Settings,
    address: Address,
    allows_incomplete: bool,
}

impl<S: Strategy> Race<S> {
    setters!(Threads);

    /// Each buyer wants a random number of units of each product, both ends included.
    pub fn qty_between(mut self, least: u32, most: u32) -> Self {
        self.settings.qty = between(least, most);
        self
    }

    /// The URL of a server of yours to race on, in tables or keys of our own that are removed after; for
    /// SQLite the path of a file to make. It must be on this machine.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.address.url = Some(ServerUrl::from(url.into()));
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
        let strategies: [&dyn DynStrategy; 1] = [&self.strategy];
        let control = Control::default();
        let mut report = race_all_at(&self.address, &strategies, &self.settings, &[], &control)?;
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
