//! What a stronger isolation level would do about a finding.
//!
//! A level cures a finding if no order shows that finding there, whatever else is wrong. No level is tried where the
//! answer is known: if the checkout sets its level itself, no flag changes it; and what is wrong when buyers run
//! serially is wrong at every level, for every level allows that.

use super::orders::{search_orders, search_orders_and_costs, server_for};
use super::rehearsal::as_furnished;
use super::results::Costs;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::sql::{Dialect, TokenKind, pieces};
use crate::check::report::Evidence;
use crate::describe::checkout::{Call, Checkout};
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::bound::{Plan, PreemptionBound};
use crate::explore::exploration::{Exploration, OrderCoverage};
use crate::explore::level::{LevelTried, NoLevel};
use crate::stores::Address;
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;

/// Limit of orders, after which it stays open whether a level is a cure.
const MOST_ORDERS: u64 = 1_000;

/// Database settings that hold the isolation level, beside the words `ISOLATION LEVEL`.
const LEVELS: [&str; 3] =
    ["transaction_isolation", "default_transaction_isolation", "tx_isolation"];

/// Whether the store has several levels, and the strategy has transactions that they isolate.
fn has_levels(strategy: &dyn DynStrategy, settings: &Settings) -> bool {
    let is_kept_apart = matches!(settings.store, StoreKind::Postgres | StoreKind::Mysql);
    is_kept_apart && strategy.card().names(OpKind::Transaction)
}

/// Why no level has to be tried against the gravest finding of a report, if that is so. `server` is the one at which it
/// was found.
///
/// # Errors
/// As [`search_orders`].
pub fn no_level(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    report: &Exploration,
    control: &Control,
) -> Result<Option<NoLevel>, Error> {
    let Some(kind) = gravest(report) else { return Ok(None) };
    if let Some(statement) = sets_its_own(strategy, report) {
        return Ok(Some(NoLevel::SetsItsOwn(statement)));
    }
    if !has_levels(strategy, settings) {
        return Ok(None);
    }
    let roles = strategy.described().map_or(1, |checkout| checkout.roles.len());
    let alone = Settings { buyers: 1, ..settings.clone() };
    if roles == 1 && shows_one_by_one(strategy, &alone, server, kind, control)? {
        return Ok(Some(NoLevel::Alone));
    }
    let shows = shows_one_by_one(strategy, settings, server, kind, control)?;
    Ok(shows.then_some(NoLevel::OneByOne))
}

/// Repeats the search at each stronger level, up to the first that cures the gravest finding of a report. Tries nothing
/// for a checkout without transactions, or where there is only one level.
///
/// # Errors
/// As [`server_for`] and [`search_orders`].
pub fn try_levels(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    address: &Address,
    report: &Exploration,
    control: &Control,
) -> Result<Vec<LevelTried>, Error> {
    let mut tried = Vec::new();
    if !has_levels(strategy, settings) {
        return Ok(tried);
    }
    let plan = Plan { enough_after_finding: Some(1), most: Some(MOST_ORDERS), ..Plan::EVERYTHING };
    let kind = gravest(report);
    for isolation in Isolation::ALL.into_iter().filter(|level| *level > settings.isolation) {
        let stopped = || control.is_stopped();
        let level =
            try_level(strategy, settings, isolation, kind, plan, address, control, &stopped)?;
        let is_cure = level.evidence == Evidence::Proved;
        tried.push(level);
        if is_cure || control.is_stopped() {
            break;
        }
    }
    Ok(tried)
}

/// Repeats the search at one level, and judges the level by one kind of finding; by all kinds if `kind` is none.
///
/// # Errors
/// As [`server_for`] and [`search_orders`].
#[expect(clippy::too_many_arguments, reason = "a search, and the level at which it is made")]
pub fn try_level(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    isolation: Isolation,
    kind: Option<FindingKind>,
    plan: Plan,
    address: &Address,
    control: &Control,
    stopped: &(dyn Monitor + Sync),
) -> Result<LevelTried, Error> {
    let settings = Settings { isolation, ..settings.clone() };
    let server = server_for(strategy, &settings, address, control)?;
    let settings = as_furnished(strategy, settings, &*server)?;
    let Repeated { report, evidence, remains, .. } =
        search_again(strategy, &settings, &*server, kind, plan, stopped)?;
    let failed = report.failed;
    let OrderCoverage { run: orders, preemptions, complete, .. } =
        report.orders.unwrap_or_default();
    let preemptions = preemptions.filter(|_| !complete);
    Ok(LevelTried { isolation, evidence, remains, orders, failed, preemptions })
}

/// A search that was repeated with a cure.
pub(super) struct Repeated {
    pub(super) report: Exploration,
    pub(super) costs: Costs,
    /// How far the verdict on the finding reaches.
    pub(super) evidence: Evidence,
    /// What else is found.
    pub(super) remains: Vec<FindingKind>,
}

/// Repeats the search at a server, and judges what is different there by one kind of finding; by all kinds if `kind` is
/// none.
pub(super) fn search_again(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    kind: Option<FindingKind>,
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
) -> Result<Repeated, Error> {
    let search = |plan| search_orders_and_costs(strategy, settings, server, plan, stopped);
    let (mut report, mut costs) = search(plan)?;
    let is_it = |found: FindingKind| kind.is_none_or(|kind| kind == found);
    let shows = |report: &Exploration| kinds(report).any(is_it);
    if report.evidence == Evidence::Broken && !shows(&report) {
        // The finding that came first is not the one that was asked for: search on.
        (report, costs) = search(Plan { enough_after_finding: None, ..plan })?;
    }
    let complete = report.orders.as_ref().is_some_and(|orders| orders.complete);
    let evidence = match (shows(&report), complete) {
        (true, _) => Evidence::Broken,
        (false, _) if report.evidence == Evidence::Vacuous => Evidence::Vacuous,
        (false, true) => Evidence::Proved,
        (false, false) => Evidence::NotSeen,
    };
    let remains = kinds(&report).filter(|found| !is_it(*found)).collect();
    Ok(Repeated { report, costs, evidence, remains })
}

/// The kinds of finding in a report.
fn kinds(report: &Exploration) -> impl Iterator<Item = FindingKind> {
    report.findings.iter().map(|told| told.finding.kind)
}

/// The gravest finding of a report.
#[must_use]
pub fn gravest(report: &Exploration) -> Option<FindingKind> {
    kinds(report).next()
}

/// Whether an order without a preemption shows this kind of finding.
fn shows_one_by_one(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    kind: FindingKind,
    control: &Control,
) -> Result<bool, Error> {
    let plan = Plan {
        preemptions: Some(PreemptionBound::AtMost(0)),
        most: Some(MOST_ORDERS),
        ..Plan::EVERYTHING
    };
    let stopped = || control.is_stopped();
    let (report, _) = search_orders(strategy, settings, server, plan, &stopped)?;
    Ok(kinds(&report).any(|found| found == kind))
}

/// A statement that sets the level itself: of a described checkout any step, of an application any that is reported.
fn sets_its_own(strategy: &dyn DynStrategy, report: &Exploration) -> Option<String> {
    let checkout = strategy.described()?;
    let said = report.findings.iter().flat_map(|told| &told.timeline).map(|row| row.did.as_str());
    let dialect = checkout.store.dialect();
    match checkout.app {
        Some(_) => said.map(str::to_owned).find(|text| sets_level(dialect, text)),
        None => statements(&checkout).find(|text| sets_level(dialect, text)).map(str::to_owned),
    }
}

/// The statements of a checkout's steps.
fn statements(checkout: &Checkout) -> impl Iterator<Item = &str> {
    let steps = checkout.roles.iter().flat_map(|role| &role.steps);
    steps.filter_map(|step| match &step.call {
        Call::Sql(sql) => Some(sql.text.as_str()),
        Call::Redis(_) | Call::Lua { .. } | Call::Http(_) | Call::Program(_) | Call::Code(_) => {
            None
        }
    })
}

/// Whether a statement sets the isolation level of its own transaction, or of every one of its session.
fn sets_level(dialect: Dialect, text: &str) -> bool {
    let pieces = pieces(dialect, text);
    let words = pieces.iter().filter(|piece| piece.kind == TokenKind::Word);
    let words: Vec<String> = words.map(|word| word.text.to_lowercase()).collect();
    let is_set = |word: &String| {
        let name = word.trim_start_matches('@').rsplit('.').next().unwrap_or(word).to_owned();
        LEVELS.contains(&name.as_str())
    };
    match words.first().map(String::as_str) {
        Some("begin" | "start") => in_words(&words),
        Some("set") => in_words(&words) || words.iter().any(is_set),
        Some("select") => {
            let text = text.to_lowercase();
            words.iter().any(|word| word == "set_config")
                && LEVELS.iter().any(|level| text.contains(&format!("'{level}'")))
        }
        _ => false,
    }
}

/// Whether `ISOLATION LEVEL` is among the words.
fn in_words(words: &[String]) -> bool {
    words.windows(2).any(|two| two[0] == "isolation" && two[1] == "level")
}
