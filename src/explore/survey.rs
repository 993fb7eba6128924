//! A survey: every strategy at every store, at each isolation level, with two buyers and one unit.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::Exploration;
use super::bound::Plan;
use super::model::limits::Limits;
use super::model::searches::search_all;
use super::server::orders::{can_be_stepped, search_orders, server_for};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::check::report::Evidence;
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::stores::Address;
use crate::worlds::dyn_strategy::DynStrategy;

/// The result of a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The columns: the model first, and then servers, each with its name and version.
    pub places: Vec<SurveyColumn>,
    /// One row for each strategy, or for each strategy at each level.
    pub rows: Vec<SurveyRow>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyColumn {
    /// The store; memory stands for the model of one.
    pub store: StoreKind,
    /// The server's name and version, in its own words; none for the model.
    pub server: Option<String>,
}

/// The verdicts on one strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyRow {
    /// Its name.
    pub strategy: &'static str,
    /// The isolation level of its transactions, if it begins any.
    pub isolation: Option<Isolation>,
    /// One verdict for each place.
    pub verdicts: Vec<SurveyVerdict>,
}

/// A verdict on one strategy at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SurveyVerdict {
    /// No finding in any order.
    Proved,
    /// The gravest finding, and a shortest schedule to it.
    Broken(FindingKind, String),
    /// Too many orders to run them all, and nothing was found in those that were.
    TooMany,
    /// It was not run: Ctrl-C came before.
    NotRun,
    /// Nothing could have been found: no buyer bought, or a checkout failed in every order.
    Vacuous,
    /// The store does not offer what it needs, or it cannot be stepped there.
    Refused,
}

/// Limit of orders for one strategy at one place.
const MOST_ORDERS: u64 = 3_000;

/// Surveys these strategies at the model and at these stores, each on a private server. After Ctrl-C the rest is
/// [`SurveyVerdict::NotRun`]. The control counts the verdicts.
///
/// # Errors
/// [`Error::World`] when a server cannot be started, or fails.
pub fn survey(
    strategies: &[&'static dyn DynStrategy],
    stores: &[StoreKind],
    control: &Control,
) -> Result<Survey, Error> {
    let mut rows: Vec<SurveyRow> =
        strategies.iter().flat_map(|strategy| rows_of(*strategy)).collect();
    let mut places = vec![SurveyColumn { store: StoreKind::Memory, server: None }];
    for (row, strategy) in with_entrants(&mut rows, strategies) {
        control.count_served(1);
        if control.is_stopped() {
            row.verdicts.push(SurveyVerdict::NotRun);
            continue;
        }
        let settings = shop(*strategy, StoreKind::Memory, row.isolation);
        let found = search_all(*strategy, &settings, Limits::default(), || control.is_stopped())?;
        row.verdicts.push(SurveyVerdict::of(&found, control));
    }
    for store in stores {
        let mut server = None;
        for isolation in [None, Some(Isolation::RepeatableRead), Some(Isolation::Serializable)] {
            let at = isolation.unwrap_or_default();
            let asks = |row: &SurveyRow| row.isolation.unwrap_or_default() == at;
            let level = Settings { items: 2, isolation: at, store: *store, ..Settings::default() };
            let level = Settings { buyers: 2, ..level };
            let mut open = None;
            for (row, strategy) in with_entrants(&mut rows, strategies).filter(|(row, _)| asks(row))
            {
                control.count_served(1);
                let settings = shop(*strategy, *store, row.isolation);
                if can_be_stepped(*strategy, &settings).is_err() {
                    row.verdicts.push(SurveyVerdict::Refused);
                    continue;
                }
                if open.is_none() && !control.is_stopped() {
                    let server = server_for(*strategy, &level, &Address::default(), control);
                    open = control.unless_stopped(server)?;
                }
                let Some(open) = open.as_deref().filter(|_| !control.is_stopped()) else {
                    row.verdicts.push(SurveyVerdict::NotRun);
                    continue;
                };
                server.get_or_insert_with(|| open.version().to_owned());
                let plan = Plan::EVERYTHING;
                let left = AtomicU64::new(MOST_ORDERS);
                let stopped = || {
                    let more = left.fetch_sub(1, Ordering::Relaxed);
                    more == 0 || control.is_stopped()
                };
                let searched = search_orders(*strategy, &settings, open, plan, &stopped);
                let Some((found, _)) = control.unless_stopped(searched)? else {
                    row.verdicts.push(SurveyVerdict::NotRun);
                    continue;
                };
                row.verdicts.push(SurveyVerdict::of(&found, control));
            }
        }
        places.push(SurveyColumn { store: *store, server });
    }
    Ok(Survey { places, rows })
}

/// The rows of a strategy, without verdicts.
fn rows_of(strategy: &dyn DynStrategy) -> Vec<SurveyRow> {
    let card = strategy.card();
    let row = |isolation| SurveyRow { strategy: card.name, isolation, verdicts: Vec::new() };
    match card.names(OpKind::Transaction) {
        true => Isolation::ALL.into_iter().map(|level| row(Some(level))).collect(),
        false => vec![row(None)],
    }
}

/// Rows, each with its strategy.
fn with_entrants<'r>(
    rows: &'r mut [SurveyRow],
    strategies: &'r [&'static dyn DynStrategy],
) -> impl Iterator<Item = (&'r mut SurveyRow, &'r &'static dyn DynStrategy)> {
    rows.iter_mut().filter_map(move |row| {
        let strategy = strategies.iter().find(|strategy| strategy.card().name == row.strategy)?;
        Some((row, strategy))
    })
}

/// Two buyers and one unit; for a strategy that sells carts two products, both in each cart.
fn shop(strategy: &dyn DynStrategy, store: StoreKind, isolation: Option<Isolation>) -> Settings {
    let products = if strategy.card().carts { 2 } else { 1 };
    Settings {
        buyers: 2,
        items: products,
        cart: products,
        store,
        isolation: isolation.unwrap_or_default(),
        ..Settings::default()
    }
}

/// The rows of a survey of these strategies: the name of each strategy, with an isolation level if it has a row for each.
#[must_use]
pub fn rows_of_survey(
    strategies: &[&'static dyn DynStrategy],
) -> Vec<(&'static str, Option<Isolation>)> {
    let rows = strategies.iter().flat_map(|strategy| rows_of(*strategy));
    rows.map(|row| (row.strategy, row.isolation)).collect()
}

/// How many verdicts a survey of these strategies at these stores has.
#[must_use]
pub fn verdicts_of_survey(strategies: &[&'static dyn DynStrategy], stores: usize) -> u64 {
    let rows: usize = strategies.iter().map(|strategy| rows_of(*strategy).len()).sum();
    (rows * (1 + stores)) as u64
}

impl SurveyVerdict {
    fn of(found: &Exploration, control: &Control) -> Self {
        match (found.findings.first(), found.evidence) {
            (Some(told), _) => Self::Broken(told.finding.kind, told.schedule.clone()),
            (None, Evidence::Proved) => Self::Proved,
            (None, _) if control.is_stopped() => Self::NotRun,
            (None, Evidence::Vacuous) => Self::Vacuous,
            (None, _) => Self::TooMany,
        }
    }
}
