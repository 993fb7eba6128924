//! `explore(MyCheckout).buyers(3).stock(1)`: a proof in one line, for a user's `#[test]`.

use super::exploration::proved;
use super::model::replay::replay;
use super::model::searches::search_all;
use super::{Exploration, Limits};
use crate::base::error::Error;
use crate::domain::card::type_name;
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;
use crate::domain::retry::Retries;
use crate::domain::settings::{Settings, between, setters};
use crate::strategy::Strategy;

/// Prepares a search through every interleaving: 2 buyers and 1 unit, until told otherwise.
///
/// ```
/// # use oversell_sim::strategies::cas::Cas;
/// oversell_sim::explore(Cas).buyers(3).stock(1).assert_proved();
/// ```
pub fn explore<S: Strategy>(strategy: S) -> Explore<S> {
    Explore {
        strategy,
        settings: Settings { buyers: 2, ..Settings::default() },
        limits: Limits::default(),
    }
}

/// A search that has not been run yet. Made by [`explore`].
///
/// It offers the settings that mean something in the model, such as [`crashes`](Self::crashes). Nothing takes time there, and
/// no server is asked:
///
/// ```compile_fail,E0599
/// # use oversell_sim::strategies::cas::Cas;
/// let _ = oversell_sim::explore(Cas).connections(10);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct Explore<S> {
    strategy: S,
    settings: Settings,
    limits: Limits,
}

impl<S: Strategy> Explore<S> {
    setters!(Stepped);

    /// Each buyer wants a random number of units of each product, both ends included.
    pub fn qty_between(mut self, least: u32, most: u32) -> Self {
        self.settings.qty = between(least, most);
        self
    }

    /// The most states to look at; by default 50 million.
    pub fn max_states(mut self, states: usize) -> Self {
        self.limits.states = states;
        self
    }

    /// Runs the search.
    ///
    /// # Errors
    /// [`Error::Input`] for impossible settings.
    pub fn run(&self) -> Result<Exploration, Error> {
        search_all(&self.strategy, &self.settings, self.limits, || false)
            .map(|found| self.signed(found))
    }

    /// Follows one schedule, such as `ABAB`.
    ///
    /// # Errors
    /// [`Error::Input`] for impossible settings, or a schedule that cannot be followed.
    pub fn replay(&self, schedule: &str) -> Result<Exploration, Error> {
        let schedule = schedule.parse().map_err(Error::Input)?;
        replay(&self.strategy, &self.settings, &schedule).map(|found| self.signed(found))
    }

    /// Runs the search and insists on a proof: no finding, in any interleaving.
    ///
    /// # Panics
    /// With the shortest schedule to a finding as a timeline, if there is one; if there were too
    /// many states to look at; and if the settings are impossible.
    #[track_caller]
    pub fn assert_proved(&self) -> Exploration {
        proved(self.run())
    }

    /// Replaces the commands that show a finding again by a line for the same test.
    fn signed(&self, mut exploration: Exploration) -> Exploration {
        let (calls, name) = (self.settings.calls(), type_name::<S>());
        for incident in &mut exploration.incidents {
            let schedule = &incident.schedule;
            incident.again = format!("oversell_sim::explore({name}){calls}.replay({schedule:?})");
        }
        for told in &mut exploration.findings {
            let again = match told.finding.kind {
                FindingKind::Livelock => "run()".to_owned(),
                _ => format!("replay({:?})", told.schedule),
            };
            told.again = format!("oversell_sim::explore({name}){calls}.{again}");
            told.by_hand = None;
        }
        exploration
    }
}
