//! The search of a scenario: `run = "explore"`.

use std::time::Duration;

use super::report::{SearchReport, Searches};
use super::{SaidSetting, Scenario};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::document::Fault;
use crate::base::text::quantity::{exact_duration, parse_count, parse_duration};
use crate::command::{Command, Verb};
use crate::domain::faults::Faults;
use crate::domain::settings::{Part, Setting, Settings};
use crate::domain::store_kind::StoreKind;
use crate::explore::{
    self, ENOUGH_ORDERS, ENOUGH_STATES, Exploration, Limits, Plan, PreemptionBound, with_carts,
    with_claim,
};
use crate::stores::Address;
use crate::worlds::dyn_strategy::DynStrategy;

/// The longest search.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// The most preemptions that can be asked for.
const MOST_PREEMPTIONS: u64 = 1_000;

/// How far a search goes, and in which shop.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    /// Schedules with at most this many preemptions; none for all schedules.
    preemptions: Option<u32>,
    /// When to stop.
    max_time: Option<Duration>,
    /// The settings of each strategy, in their order.
    pub(super) settings: Vec<Settings>,
}

impl Search {
    /// The keys of a search.
    pub(super) const KEYS: [&'static str; 2] = ["preemptions", "max_time"];

    /// Reads one of [`KEYS`](Self::KEYS).
    pub(super) fn read(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "preemptions" => {
                self.preemptions = Some(parse_count(text, 0, MOST_PREEMPTIONS)? as u32);
            }
            _ => self.max_time = Some(parse_duration(text, LONGEST)?),
        }
        Ok(())
    }

    /// Refuses a setting that means nothing to a search.
    pub(super) fn check_setting(setting: &Setting) -> Result<(), String> {
        match Verb::Explore.takes(setting.name) {
            true => Ok(()),
            false => Err(format!(
                "`{}` is for races: a search has no threads, no time and no rounds; leave it out",
                setting.name
            )),
        }
    }

    /// The settings in which a strategy is explored: what its claim is about, and what the file says. At a server nothing
    /// goes wrong on purpose.
    pub(super) fn settings_of(
        strategy: &dyn DynStrategy,
        said: &[SaidSetting],
    ) -> Result<Settings, Fault> {
        let texts: Vec<(&Setting, String)> =
            said.iter().map(|one| (one.setting, one.text.clone())).collect();
        let usual = with_carts(Settings { buyers: 2, ..Settings::default() }, &[strategy], &texts);
        let at = applied(Settings::default(), said)?.store;
        let refused = |is_meant: &dyn Fn(&Setting) -> bool, why: &str| match said
            .iter()
            .find(|one| is_meant(one.setting))
        {
            Some(one) => {
                let message = format!("`{}`: {why}", one.setting.name);
                Err(Fault { span: one.key.clone(), message })
            }
            None => Ok(()),
        };
        if at == StoreKind::Memory {
            let why = "the model in memory has no tables; name a database with `store`";
            refused(&|setting| setting.flag.part == Part::Tables, why)?;
            let can_be = |shop: &Settings| shop.check().is_ok();
            return applied(with_claim(usual, strategy, &texts, can_be), said);
        }
        let why = "at a real server nothing goes wrong on purpose; leave it out, or `store`";
        refused(&Setting::is_fault, why)?;
        applied(Settings { faults: Faults::default(), ..usual }, said)
    }

    /// Searches for one strategy after the other, until it is told to stop.
    pub(super) fn run(
        &self,
        scenario: &Scenario,
        address: &Address,
        control: &Control,
    ) -> Result<Searches, Error> {
        let mut searches = Searches::default();
        for (strategy, settings) in scenario.strategies.iter().zip(&self.settings) {
            let found = match control.is_stopped() {
                true => None,
                false => self.run_one(*strategy, settings, scenario, address, control)?,
            };
            match found {
                Some(report) => searches.reports.push(report),
                None => searches.not_begun.push(strategy.card().name.to_owned()),
            }
        }
        Ok(searches)
    }

    /// One search; none if it was told to stop before it began.
    fn run_one(
        &self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
        scenario: &Scenario,
        address: &Address,
        control: &Control,
    ) -> Result<Option<SearchReport>, Error> {
        let clock = Wall::start();
        let found = match settings.store {
            StoreKind::Memory => self.in_model(strategy, settings, control),
            _ => self.at_server(strategy, settings, address, control),
        };
        // What a server that is stopped while it starts has to say is no error.
        let exploration = match found {
            Err(_) if control.is_stopped() => return Ok(None),
            found => found?,
        };
        let mut again = Command::of(Verb::Explore, strategy, settings).at(address);
        if let Some(preemptions) = self.preemptions {
            again = again.flag("preemptions", &preemptions.to_string());
        }
        if let Some(time) = self.max_time {
            again = again.flag("max-time", &exact_duration(time));
        }
        Ok(Some(SearchReport {
            expectations: exploration.judge(&scenario.expectations),
            exploration,
            again: again.into(),
            interrupted: control.is_stopped(),
            took: Duration::from_nanos(clock.now()),
        }))
    }

    fn in_model(
        &self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
        control: &Control,
    ) -> Result<Exploration, Error> {
        let limits = Limits { enough_after_finding: Some(ENOUGH_STATES), ..Limits::default() };
        let watch = self.watch(control);
        match self.preemptions {
            Some(most) => explore::search_preempted(strategy, settings, most, limits, &watch),
            None => explore::search_all(strategy, settings, limits, watch),
        }
    }

    fn at_server(
        &self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
        address: &Address,
        control: &Control,
    ) -> Result<Exploration, Error> {
        let server = explore::server_for(strategy, settings, address, control)?;
        let settings = explore::as_furnished(strategy, settings.clone(), &*server)?;
        let plan = Plan {
            preemptions: match self.preemptions {
                Some(most) => Some(PreemptionBound::AtMost(most)),
                None => strategy.is_app().then_some(PreemptionBound::FewFirst),
            },
            enough_after_finding: Some(ENOUGH_ORDERS),
            likely_first: true,
            ..Plan::EVERYTHING
        };
        // How long a server takes to start says nothing about the search.
        let watch = self.watch(control);
        control.end_after(self.max_time);
        let searched = explore::search_orders(strategy, &settings, &*server, plan, &watch);
        control.end_after(None);
        searched.map(|(report, _)| report.at(address))
    }

    /// What watches a search that begins now.
    fn watch<'c>(&self, control: &'c Control) -> SearchWatch<'c> {
        let most_ns = self.max_time.map_or(u64::MAX, nanos);
        SearchWatch { control, clock: Wall::start(), most_ns }
    }

    /// What its progress counts.
    #[cfg(feature = "cli")]
    pub(super) fn unit(&self) -> &'static str {
        let is_in_model = |settings: &Settings| settings.store == StoreKind::Memory;
        match (self.settings.iter().all(is_in_model), self.preemptions) {
            (false, _) => "orders",
            (true, Some(_)) => "schedules",
            (true, None) => "states",
        }
    }
}

/// Stops a search in time, and tells the control how far it is.
struct SearchWatch<'c> {
    control: &'c Control,
    clock: Wall,
    most_ns: u64,
}

impl Monitor for SearchWatch<'_> {
    fn is_stopped(&self) -> bool {
        self.control.is_stopped() || self.clock.now() >= self.most_ns
    }

    fn has_done(&self, more: u64) {
        self.control.count_served(more);
    }
}

/// These settings, with those that the file names in their place.
pub(super) fn applied(mut settings: Settings, said: &[SaidSetting]) -> Result<Settings, Fault> {
    for SaidSetting { setting, text, value, .. } in said {
        settings.set(setting.name, text).map_err(|why| Fault {
            span: value.clone(),
            message: format!("`{}`: {why}", setting.name),
        })?;
    }
    Ok(settings)
}
