//! What a stronger isolation level would do about a finding.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::exploration::Orders;
use super::orders::{search_orders, server_for};
use super::rehearsal::as_furnished;
use super::walk::Walk;
use crate::control::Control;
use crate::entrant::Entrant;
use crate::error::Error;
use crate::op::OpKind;
use crate::report::Evidence;
use crate::settings::Settings;
use crate::stores::model::Isolation;
use crate::stores::{Address, StoreKind};

/// Orders after which a level is neither a cure nor none.
const MOST_ORDERS: u64 = 1_000;

/// A level, and what was found there.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LevelTried {
    /// How far transactions are kept apart.
    pub isolation: Isolation,
    /// How far the verdict reaches: proved if nothing is found there, broken at the first finding, and not seen if
    /// there were too many orders.
    pub evidence: Evidence,
    /// Orders that were run.
    pub orders: u64,
    /// In how many of them somebody's checkout failed, as it does when the server says that it came too late.
    pub failed: u64,
    /// With how many forced switches every order was covered; none if they were not gone through so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<u32>,
}

/// Makes the same search at each stronger level, up to the first that cures it. Of a checkout without transactions there
/// is nothing to be tried, nor where there is but one level.
///
/// # Errors
/// As [`server_for`] and [`search_orders`].
pub fn try_levels(
    entrant: &dyn Entrant,
    settings: &Settings,
    address: &Address,
    control: &Control,
) -> Result<Vec<LevelTried>, Error> {
    let has_levels = matches!(settings.store, StoreKind::Postgres | StoreKind::Mysql);
    let mut tried = Vec::new();
    if !has_levels || !entrant.card().names(OpKind::Transaction) {
        return Ok(tried);
    }
    let walk = Walk { switches: None, reduced: true, enough_after_finding: Some(1) };
    for isolation in Isolation::ALL.into_iter().filter(|level| *level > settings.isolation) {
        let begun = AtomicU64::new(0);
        let stopped =
            || control.is_stopped() || begun.fetch_add(1, Ordering::Relaxed) >= MOST_ORDERS;
        let level = try_level(entrant, settings, isolation, walk, address, control, &stopped)?;
        let is_cure = level.evidence == Evidence::Proved;
        tried.push(level);
        if is_cure || control.is_stopped() {
            break;
        }
    }
    Ok(tried)
}

/// Makes the same search at one level.
///
/// # Errors
/// As [`server_for`] and [`search_orders`].
pub fn try_level(
    entrant: &dyn Entrant,
    settings: &Settings,
    isolation: Isolation,
    walk: Walk,
    address: &Address,
    control: &Control,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<LevelTried, Error> {
    let settings = Settings { isolation, ..settings.clone() };
    let server = server_for(entrant, &settings, address, control)?;
    let settings = as_furnished(entrant, settings, &*server)?;
    let (report, _) = search_orders(entrant, &settings, &*server, walk, stopped)?;
    let failed = report.failed;
    let Orders { run: orders, switches, complete, .. } = report.orders.unwrap_or_default();
    let switches = switches.filter(|_| !complete);
    Ok(LevelTried { isolation, evidence: report.evidence, orders, failed, switches })
}
