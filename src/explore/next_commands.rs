//! The command to run after a verdict: a search of the same checkout in a small shop, which comes to the same verdict.
//!
//! This module checks that a search shows what a race has shown: it runs the search until it finds something, and if it
//! finds nothing, no command is printed. It does not check that a search proves a strategy that claims to be safe: the
//! tests do that.

use super::bound::{Plan, PreemptionBound};
use super::model::limits::Limits;
use super::model::searches::search_all;
use super::server::orders::{can_be_stepped, search_orders};
use super::{AnyBuyers, Exploration};
use crate::base::control::Control;
use crate::check::report::{Evidence, Run};
use crate::check::report::{Hint, Purpose};
use crate::command::Command;
use crate::domain::faults::Faults;
use crate::domain::finding::FindingKind;
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::domain::verb::Verb;
use crate::stores::Address;
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;

/// State limit of the search for a finding that a command is to show.
const MOST_STATES: usize = 20_000;

/// The same limit for statement orders at a server.
const MOST_ORDERS: u64 = 300;

/// The most products of a shop that is followed step by step.
const MOST_SMALL: u32 = 6;

/// The command to run next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextCommand {
    /// Its purpose.
    pub purpose: Purpose,
    verb: Verb,
    settings: Settings,
}

impl NextCommand {
    /// As a command.
    #[must_use]
    pub fn command(&self, strategy: &dyn DynStrategy) -> Hint {
        Hint::new(self.purpose, Command::of(self.verb, strategy, &self.settings))
    }

    /// As a command at an address, if it is about a server.
    #[must_use]
    pub fn command_at(&self, strategy: &dyn DynStrategy, address: &Address) -> Hint {
        let command = Command::of(self.verb, strategy, &self.settings);
        Hint::new(
            self.purpose,
            match self.settings.store {
                StoreKind::Memory => command,
                _ => command.at(address),
            },
        )
    }

    /// As a call of the library.
    #[must_use]
    pub fn call(&self, name: &str) -> Hint {
        let function = if self.verb == Verb::Race { "race" } else { "explore" };
        let command = format!("oversell_sim::{function}({name}){}", self.settings.calls());
        Hint { purpose: self.purpose, command }
    }
}

fn explore(purpose: Purpose, settings: Settings) -> Option<NextCommand> {
    Some(NextCommand { purpose, verb: Verb::Explore, settings })
}

/// The command to run after a race, at the race's server if there was one.
#[must_use]
pub fn after_race(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    run: &Run,
    server: Option<&dyn Server>,
    control: &Control,
) -> Option<NextCommand> {
    match run.evidence {
        Evidence::Vacuous if run.rounds == 0 => None,
        Evidence::Vacuous => {
            let settings = with_more_contention(strategy, settings);
            Some(NextCommand { purpose: Purpose::Instead, verb: Verb::Race, settings })
        }
        Evidence::Broken if control.is_stopped() => None,
        Evidence::Broken => why(strategy, settings, run, server, control),
        Evidence::NotSeen | Evidence::Proved => {
            let breaks = breaks_in_the_model(strategy, settings);
            breaks.or_else(|| proof(strategy, settings))
        }
    }
}

/// The command to run after a simulation. A simulation cannot be followed step by step; its strategy can, in the model.
#[must_use]
pub fn after_simulation(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    run: &Run,
) -> Option<NextCommand> {
    let settings = settings.in_the_model();
    match run.evidence {
        Evidence::Vacuous => None,
        Evidence::Broken => why_in_the_model(strategy, &settings, &kinds(run)),
        Evidence::NotSeen | Evidence::Proved => breaks_in_the_model(strategy, &settings)
            .or_else(|| explore(Purpose::InTheModel, provable(strategy, &settings))),
    }
}

/// The command to run after a search without findings: one that breaks the strategy, if it is known to be broken.
#[must_use]
pub fn after_search(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    found: &Exploration,
) -> Option<NextCommand> {
    match found.evidence {
        Evidence::Broken | Evidence::Vacuous => None,
        Evidence::Proved | Evidence::NotSeen => {
            let next = breaks_in_the_model(strategy, settings)?;
            // A search that was cut short does not suggest itself again.
            (next.settings != settings.without_time()).then_some(next)
        }
    }
}

/// The same after a search for any number of buyers.
#[must_use]
pub fn after_any(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    found: &AnyBuyers,
) -> Option<NextCommand> {
    match found.evidence {
        Evidence::Broken | Evidence::Vacuous => None,
        Evidence::Proved | Evidence::NotSeen => breaks_in_the_model(strategy, settings),
    }
}

/// Settings with more contention. The crowd stays small if buyers get stuck: each would wait until its patience ends,
/// for hours in all.
fn with_more_contention(strategy: &dyn DynStrategy, settings: &Settings) -> Settings {
    let gets_stuck = strategy.card().claim.shows() == Some(FindingKind::Deadlock);
    let settings = settings.clone();
    if settings.buyers == 1 {
        Settings { buyers: 1_000, ..settings }
    } else if settings.threads() == 1 {
        Settings { threads: None, ..settings }
    } else {
        let buyers = match settings.store {
            _ if gets_stuck => 1_000,
            StoreKind::Memory => 100_000,
            _ => 10_000,
        };
        Settings { buyers: settings.buyers.max(buyers), threads: Some(4), ..settings }
    }
}

fn kinds(run: &Run) -> Vec<FindingKind> {
    run.findings.iter().map(|found| found.kind).collect()
}

/// A search that shows what a race has shown: at the same store, if it can be made there and finds anything; else in
/// the model, if it finds the same.
fn why(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    run: &Run,
    server: Option<&dyn Server>,
    control: &Control,
) -> Option<NextCommand> {
    let here = small_shops(strategy, settings).find(|shop| match (server, settings.kill) {
        (Some(server), 0) => shows_at(strategy, shop, server, control),
        (None, 0) => shows(strategy, shop, |_| true),
        _ => false,
    });
    match here {
        Some(shop) => explore(Purpose::Why, shop),
        None => why_in_the_model(strategy, &settings.in_the_model(), &kinds(run)),
    }
}

/// The same in the model alone, if need be with the faults that the strategy's claim is about.
fn why_in_the_model(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    kinds: &[FindingKind],
) -> Option<NextCommand> {
    if strategy.described().is_some() {
        return None;
    }
    let mut shops = small_shops(strategy, settings).chain([claimed(strategy, settings)]);
    let shop = shops.find_map(|shop| {
        let troubled = with_trouble(strategy, &shop);
        [shop, troubled]
            .into_iter()
            .find(|shop| shows(strategy, shop, |kind| kinds.contains(&kind)))
    })?;
    explore(Purpose::Why, shop)
}

/// Small shops of the same kind, the smallest first.
fn small_shops(strategy: &dyn DynStrategy, settings: &Settings) -> impl Iterator<Item = Settings> {
    let small = settings.small();
    let (few, least) = match strategy.described() {
        // Each customer takes one buyer for each role.
        Some(checkout) => (checkout.a_few(), 1),
        None => (2, 1),
    };
    let buyers = [few, few + 1, few + 2].into_iter().filter(|buyers| *buyers <= small.buyers);
    let items = [settings.items, settings.cart];
    let mut shops: Vec<Settings> = Vec::new();
    for (items, buyers) in
        items.into_iter().flat_map(|items| buyers.clone().map(move |b| (items, b)))
    {
        for stock in [least, least + 1].map(|stock| small.qty.most.max(stock)) {
            shops.push(Settings { buyers, items, stock, ..small.clone() });
        }
    }
    // A shop that stocks itself cannot be given less.
    if strategy.described().is_some() {
        shops.push(Settings { buyers: few, stock: settings.stock, ..small.clone() });
    }
    let is_at_server = settings.store != StoreKind::Memory;
    if !is_at_server && u32::from(settings.items) <= MOST_SMALL {
        shops.push(small);
    }
    shops.dedup();
    shops.into_iter()
}

/// Whether a search of this shop in the model shows a finding that `is_asked` accepts.
fn shows(
    strategy: &dyn DynStrategy,
    shop: &Settings,
    is_asked: impl Fn(FindingKind) -> bool,
) -> bool {
    let limits = Limits {
        states: MOST_STATES,
        enough_after_finding: Some(MOST_STATES),
        ..Limits::default()
    };
    let found = search_all(strategy, shop, limits, || false);
    found.is_ok_and(|found| found.findings.iter().any(|told| is_asked(told.finding.kind)))
}

/// Whether a statement order at this server shows any finding.
fn shows_at(
    strategy: &dyn DynStrategy,
    shop: &Settings,
    server: &dyn Server,
    control: &Control,
) -> bool {
    if can_be_stepped(strategy, shop).is_err() {
        return false;
    }
    let plan = Plan {
        preemptions: strategy.is_app().then_some(PreemptionBound::FewFirst),
        enough_after_finding: Some(1),
        most: Some(MOST_ORDERS),
        likely_first: true,
        ..Plan::EVERYTHING
    };
    search_orders(strategy, shop, server, plan, &|| control.is_stopped())
        .is_ok_and(|(found, _)| !found.findings.is_empty())
}

/// A search in the model, at the level of these settings, that breaks the strategy as its card says; none if it does
/// not.
fn breaks_in_the_model(strategy: &dyn DynStrategy, settings: &Settings) -> Option<NextCommand> {
    let kind = strategy.card().claim.shows()?;
    let shop = claimed(strategy, settings);
    shows(strategy, &shop, |shown| shown == kind).then(|| explore(Purpose::BreakIt, shop)).flatten()
}

/// The shop in which a strategy shows what its card claims, at the level of these settings.
fn claimed(strategy: &dyn DynStrategy, settings: &Settings) -> Settings {
    let card = strategy.card();
    let products = if card.carts { 2 } else { 1 };
    let mut shop = Settings {
        buyers: 2,
        items: products,
        cart: products,
        isolation: settings.isolation,
        ..Settings::default()
    };
    for (name, text) in card.claim.when().iter().filter(|(name, _)| *name != "isolation") {
        // Cannot fail: a test reads the settings of every claim.
        let _ = shop.set(name, text);
    }
    shop
}

/// The same shop, with the faults that the strategy's claim is about.
fn with_trouble(strategy: &dyn DynStrategy, shop: &Settings) -> Settings {
    let mut shop = shop.clone();
    let when = strategy.card().claim.when().iter();
    for (name, text) in when.filter(|(name, _)| Faults::NAMES.contains(name)) {
        let _ = shop.set(name, text);
    }
    shop
}

/// A search that proves what a race has not refuted.
fn proof(strategy: &dyn DynStrategy, settings: &Settings) -> Option<NextCommand> {
    if settings.store == StoreKind::Memory {
        return explore(Purpose::ProveIt, provable(strategy, settings));
    }
    let few = strategy.described().map_or(2, |checkout| checkout.a_few());
    let shop = settings.small();
    let stock = match strategy.described() {
        Some(_) => settings.stock,
        None => shop.qty.most,
    };
    let shop = Settings { buyers: few.min(shop.buyers), stock, ..shop };
    let troubled = with_trouble(strategy, &settings.in_the_model());
    match (settings.kill, can_be_stepped(strategy, &shop)) {
        // With `unit_rows`, a statement that passes over locked rows is several steps, and cannot be held between them.
        (0, Ok(())) if !shop.unit_rows => explore(Purpose::ProveIt, shop),
        // A running shop cannot be stepped, and a described checkout is not in the model.
        _ if strategy.described().is_some() => None,
        // The servers were killed: a search without crashes would answer another question.
        (1.., _) if troubled.faults.crashes == 0 => None,
        _ => explore(Purpose::InTheModel, provable(strategy, &settings.in_the_model())),
    }
}

/// A shop in the model that can be searched completely in a moment, with the faults that the strategy claims to
/// survive.
fn provable(strategy: &dyn DynStrategy, settings: &Settings) -> Settings {
    let small = settings.small();
    let card = strategy.card();
    let is_plain = card.claim.when().is_empty() && !card.names(OpKind::Transaction);
    let most = if is_plain { small.buyers } else { 3 };
    let items = small.items.min(MOST_SMALL as u8).max(small.cart);
    with_trouble(strategy, &Settings { buyers: small.buyers.min(most), items, ..small })
}
