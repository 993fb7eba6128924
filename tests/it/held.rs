//! The explorer at real servers: every statement order, one statement at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::explore::{
    Method, OrderCoverage, OrderOutcome, Plan, PreemptionBound, Sampling, can_be_stepped, compare,
    replay_orders, sample_orders, search_orders, server_for, survey,
};
use oversell_sim::unstable::render;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::Address;
use oversell_sim::unstable::stores::remote::Server;
use oversell_sim::{
    Error, Evidence, Exploration, FindingKind, Isolation, Retries, StoreKind, strategies,
};

use crate::listed::has;
use crate::servers::installed;

/// Every order, and none left out but those that cannot differ.
const REDUCED: Plan = Plan::EVERYTHING;
/// Every order, one by one.
const ONE_BY_ONE: Plan = Plan::ONE_BY_ONE;

/// Schedules of the model that are run at a server, of each strategy.
const MOST_COMPARED: u64 = 150;

/// The same of three buyers, who have too many for a minute.
const MOST_COMPARED_OF_THREE: u64 = 40;

/// Orders that are run one by one where there are not too many.
const MOST_ONE_BY_ONE: u32 = 100;

fn shop(store: StoreKind, buyers: u32) -> Settings {
    Settings { store, buyers, stock: 1, ..Settings::default() }
}

fn find(name: &str) -> &'static dyn DynStrategy {
    strategies::find(name).unwrap()
}

fn open(strategy: &dyn DynStrategy, settings: &Settings) -> Box<dyn Server> {
    server_for(strategy, settings, &Address::default(), &Control::default()).unwrap()
}

fn search(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    plan: Plan,
    most: u32,
) -> (Exploration, BTreeSet<OrderOutcome>) {
    let asked = AtomicU32::new(0);
    let stopped = || asked.fetch_add(1, Ordering::Relaxed) >= most;
    search_orders(strategy, settings, server, plan, &stopped).unwrap()
}

/// The stores that can be stepped, as far as they are here.
fn stores() -> impl Iterator<Item = StoreKind> {
    installed().into_iter()
}

/// Every write of etcd's is on three disks before it is answered.
fn fewer(store: StoreKind, most: u64) -> u64 {
    if store == StoreKind::Etcd { most / 4 } else { most }
}

fn orders(report: &Exploration) -> &OrderCoverage {
    report.orders.as_ref().unwrap()
}

/// Two buyers who begin, look, write, order and commit: A, b s u i c, and B the same, at read committed.
///
/// In 80 orders both look before either commits, and both buy. Say that A writes first. B's write waits for A's
/// commit, and so the rest of B comes last: what is to be placed among A's five is B's b, s and u. If B sends its
/// u after A's c, b and s are in two of A's five gaps before c, in order: 15 ways. If it sends u between i and c,
/// as many; between u and i, in two of four gaps: 10. That is 40, and 40 where B writes first.
///
/// In 12 orders one comes too late: its begin is in any of six gaps, and the rest after the other's commit.
#[test]
fn with_few_preemptions_leaving_out_orders_leaves_out_no_way_to_end() {
    for store in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        if !has(store) {
            continue;
        }
        for (name, buyers) in
            [("transaction", 2), ("transaction", 3), ("unlock-early", 2), ("cas-unheeded", 3)]
        {
            let strategy = strategies::find(name).unwrap();
            let mut settings = shop(store, buyers);
            // Else two could fail in vain for ever, by turns.
            settings.retries = Retries::AtMost(1);
            let (address, control) = (Address::default(), Control::default());
            let server = server_for(strategy, &settings, &address, &control).unwrap();
            // Of three there are hundreds with two.
            for most in 0..=(4 - buyers) {
                let of = |reduced| {
                    let preemptions = Some(PreemptionBound::AtMost(most));
                    let plan = Plan { preemptions, reduced, ..Plan::EVERYTHING };
                    search_orders(strategy, &settings, &*server, plan, &|| false).unwrap()
                };
                let ((few, some_ends), (all, all_ends)) = (of(true), of(false));
                let (few, all) = (few.orders.unwrap(), all.orders.unwrap());
                let what = format!("{name} on {store} with {buyers}, {most} preemptions");
                assert_eq!(some_ends, all_ends, "{what}");
                assert_eq!((few.diverged, all.diverged), (0, 0), "{what}");
                assert!(few.run <= all.run, "{what}: {few:?} {all:?}");
            }
        }
    }
}

#[test]
fn enough_preemptions_are_every_order() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let strategy = strategies::find("transaction").unwrap();
    let store = StoreKind::Postgres;
    let settings = Settings { store, buyers: 2, stock: 1, ..Settings::default() };
    let (address, control) = (Address::default(), Control::default());
    let server = server_for(strategy, &settings, &address, &control).unwrap();
    let preemptions = Some(PreemptionBound::AtMost(100));
    let plan = Plan { preemptions, ..Plan::ONE_BY_ONE };
    let (report, _) = search_orders(strategy, &settings, &*server, plan, &|| false).unwrap();
    let orders = report.orders.unwrap();
    assert_eq!((orders.run, orders.broken, orders.complete), (92, 80, true));
}

#[test]
fn two_transactions_at_read_committed_have_92_orders_of_which_80_oversell() {
    for store in stores().filter(|store| matches!(store, StoreKind::Postgres | StoreKind::Mysql)) {
        let (settings, transaction) = (shop(store, 2), find("transaction"));
        let server = open(transaction, &settings);
        let (report, outcomes) = search(transaction, &settings, &*server, ONE_BY_ONE, u32::MAX);
        let OrderCoverage { run, broken, complete, diverged, .. } = orders(&report);
        assert_eq!((*run, *broken, *complete, *diverged), (92, 80, true, 0), "{store}");
        assert_eq!(outcomes.len(), 2, "{store}: {outcomes:?}");
        assert_eq!(report.amount_of(FindingKind::Oversold), 1);
    }
}

#[test]
fn leaving_out_orders_that_cannot_differ_leaves_out_no_way_to_end() {
    for store in stores() {
        let levels = if store.is_sql() { &Isolation::ALL[..] } else { &Isolation::ALL[..1] };
        for isolation in levels {
            let settings = Settings { isolation: *isolation, ..shop(store, 2) };
            let server = open(find("naive"), &settings);
            let mut compared = 0;
            for strategy in strategies::ALL.iter().copied() {
                let card = strategy.card();
                let is_only_about_levels = *isolation == Isolation::ReadCommitted
                    || card.names(oversell_sim::unstable::op::OpKind::Transaction);
                if !is_only_about_levels || can_be_stepped(strategy, &settings).is_err() {
                    continue;
                }
                let most = fewer(store, MOST_ONE_BY_ONE.into()) as u32;
                let (slow, all) = search(strategy, &settings, &*server, ONE_BY_ONE, most);
                let (fast, some) = search(strategy, &settings, &*server, REDUCED, most);
                let what = format!("{} on {store}, {isolation}", card.name);
                assert_eq!(orders(&fast).diverged + orders(&slow).diverged, 0, "{what}");
                if orders(&slow).complete && orders(&fast).complete {
                    assert_eq!(some, all, "{what}");
                    assert_eq!(fast.evidence, slow.evidence, "{what}");
                    assert!(orders(&fast).run <= orders(&slow).run, "{what}");
                    compared += 1;
                }
            }
            assert!(compared > 0, "{store}, {isolation}");
        }
    }
}

#[test]
fn who_waits_for_a_lock_is_not_chosen_until_it_is_given_back() {
    for store in stores().filter(|store| store.is_sql()) {
        let (settings, pessimistic) = (shop(store, 2), find("pessimistic"));
        let server = open(pessimistic, &settings);
        let (report, _) = search(pessimistic, &settings, &*server, REDUCED, u32::MAX);
        assert_eq!(report.evidence, Evidence::Proved, "{store}: {report}");
        // In a file it is the beginning that waits, elsewhere the lock of the row.
        let schedule = if store == StoreKind::Sqlite { "ABAAAAABB" } else { "AABBAAAABB" };
        let schedule = schedule.parse().unwrap();
        let told = replay_orders(pessimistic, &settings, &*server, &schedule).unwrap();
        let rows = told.replayed.clone().unwrap();
        let waits = rows.iter().position(|row| row.did.contains("… waits")).unwrap();
        let goes_on = rows.iter().position(|row| row.goes_on).unwrap();
        assert_eq!((rows[waits].actor.as_str(), rows[goes_on].actor.as_str()), ("B", "B"));
        assert!(rows[goes_on - 1].did.starts_with("COMMIT"), "{store}: {rows:?}");
        if store == StoreKind::Postgres {
            assert!(rows[waits].did.ends_with("waits for A"), "{rows:?}");
        }
        let text = render::exploration(&told, None, render::Width::UNBOUNDED);
        assert!(!text.contains("stock  \n"), "{text}");
    }
}

#[test]
fn a_finding_at_a_server_replays_to_the_same_finding() {
    for store in stores() {
        let (settings, naive) = (shop(store, 2), find("naive"));
        let server = open(naive, &settings);
        let (report, _) = search(naive, &settings, &*server, REDUCED, u32::MAX);
        let first = &report.findings[0];
        assert_eq!(first.finding.kind, FindingKind::Oversold, "{store}");
        assert_eq!(first.again.matches(&format!("--store {store}")).count(), 1);
        let schedule = first.schedule.parse().unwrap();
        let again = replay_orders(naive, &settings, &*server, &schedule).unwrap();
        assert_eq!(again.findings[0].finding, first.finding, "{store}");
        assert_eq!(again.findings[0].timeline, first.timeline, "{store}");
    }
}

#[test]
fn a_deadlock_is_broken_by_the_server_and_its_victim_tries_again() {
    for store in stores().filter(|store| matches!(store, StoreKind::Postgres | StoreKind::Mysql)) {
        let cart_order = find("cart-order");
        let settings = Settings { items: 2, cart: 2, ..shop(store, 2) };
        let server = open(cart_order, &settings);
        let (report, _) = search(cart_order, &settings, &*server, REDUCED, u32::MAX);
        assert_eq!(report.evidence, Evidence::Proved, "{store}: {report}");
        assert_eq!(orders(&report).diverged, 0, "{store}");
        // A locks one, B the other, and then each what the other has: B is the last to ask.
        let schedule = "AABBABAB".parse().unwrap();
        let told = replay_orders(cart_order, &settings, &*server, &schedule).unwrap();
        let rows = told.replayed.unwrap();
        assert!(rows.iter().any(|row| row.did.ends_with("→ deadlock")), "{store}: {rows:?}");
    }
}

#[test]
fn three_buyers_who_lock_the_row_are_proved_in_every_order() {
    for store in stores().filter(|store| store.is_sql()) {
        let (settings, pessimistic) = (shop(store, 3), find("pessimistic"));
        let server = open(pessimistic, &settings);
        let (report, _) = search(pessimistic, &settings, &*server, REDUCED, u32::MAX);
        assert_eq!(report.evidence, Evidence::Proved, "{store}: {report}");
        assert_eq!(orders(&report).outcomes, 1, "{store}");
    }
}

#[test]
fn a_server_that_dies_in_the_middle_is_an_error_and_holds_up_no_buyer() {
    // Of a group one may die, and the others go on.
    for store in stores().filter(|store| store.is_served() && *store != StoreKind::Etcd) {
        let (settings, naive) = (shop(store, 2), find("naive"));
        let server = open(naive, &settings);
        let orders = AtomicU32::new(0);
        let stopped = || {
            if orders.fetch_add(1, Ordering::Relaxed) == 2 {
                server.kill_and_restart(0).unwrap();
            }
            false
        };
        let plan = ONE_BY_ONE;
        let died = search_orders(naive, &settings, &*server, plan, &stopped);
        match died {
            Err(Error::World(why)) => {
                assert!(why.contains("broke in the middle of a schedule"), "{store}: {why}");
            }
            other => panic!("{store}: {other:?}"),
        }
    }
}

#[test]
fn a_search_that_is_stopped_says_so_and_leaves_no_lock() {
    for store in stores() {
        let (settings, naive) = (shop(store, 2), find("naive"));
        let server = open(naive, &settings);
        let (report, _) = search(naive, &settings, &*server, ONE_BY_ONE, 2);
        assert!(!orders(&report).complete);
        assert_ne!(report.evidence, Evidence::Proved);
        // Another search can use it at once.
        let (report, _) = search(naive, &settings, &*server, REDUCED, u32::MAX);
        assert!(orders(&report).complete, "{store}");
    }
}

/// Why this store answers otherwise than the model, whose transactions are PostgreSQL's and whose locks are none.
fn why_otherwise(strategy: &str, store: StoreKind, isolation: Isolation) -> Option<&'static str> {
    use Isolation::{ReadCommitted, RepeatableRead, Serializable};
    use StoreKind::{Mysql, Postgres, Sqlite};
    match (strategy, store, isolation) {
        (
            "ordered-locks" | "unlock-early" | "check-outside" | "other-lock",
            store,
            ReadCommitted,
        ) if store.is_sql() => Some(
            "a lock is a transaction: what is written stays inside until the last is given back",
        ),
        ("copy-trusted" | "cart-order", Sqlite, ReadCommitted) => Some("a file has one lock"),
        ("transaction", Sqlite, ReadCommitted) | ("count-then-insert", Sqlite, _) => {
            Some("in a file a buyer that has read before another wrote has to begin again")
        }
        ("count-then-insert", Postgres, Serializable) => {
            Some("that it will not commit is said as soon as it is known")
        }
        ("transaction", Mysql, RepeatableRead) => {
            Some("it writes over what its snapshot never saw")
        }
        ("transaction" | "count-then-insert", Mysql, Serializable) => Some("reading locks"),
        _ => None,
    }
}

/// The same where three come: what only shows when a buyer is in the middle while a second finds nothing left.
fn why_three_otherwise(
    strategy: &str,
    store: StoreKind,
    isolation: Isolation,
) -> Option<&'static str> {
    use Isolation::ReadCommitted;
    use StoreKind::{Mysql, Postgres, Sqlite};
    match (strategy, store, isolation) {
        ("outbox" | "authorize" | "capture-forgotten" | "commit-unsynced", Sqlite, _) => Some(
            "in a file a buyer that is about to write keeps others from writing, even if it does not",
        ),
        ("outbox" | "authorize" | "capture-forgotten" | "commit-unsynced", Mysql, level)
            if level != ReadCommitted =>
        {
            Some("a row that was looked at to be written stays locked, though too little was left")
        }
        ("cart-order", Postgres | Mysql, ReadCommitted) => Some("a lock is a transaction"),
        // Its difference comes later than the first few schedules.
        ("other-lock", Postgres | Mysql, ReadCommitted) => None,
        _ => why_otherwise(strategy, store, isolation),
    }
}

/// Holds schedules of the model against every server, at every level, of every strategy that can be stepped there.
fn hold_the_model_against_servers(buyers: u32, most: u64) {
    for store in stores() {
        let levels = if store.is_sql() { &Isolation::ALL[..] } else { &Isolation::ALL[..1] };
        for isolation in levels {
            let level = Settings { isolation: *isolation, items: 2, ..shop(store, buyers) };
            let server = open(find("naive"), &level);
            for strategy in strategies::every_strategy() {
                let card = strategy.card();
                let has_levels = card.names(oversell_sim::unstable::op::OpKind::Transaction);
                if *isolation != Isolation::ReadCommitted && !has_levels {
                    continue;
                }
                let products = if card.carts { 2 } else { 1 };
                let settings = Settings { items: products, cart: products, ..level.clone() };
                if can_be_stepped(strategy, &settings).is_err() {
                    continue;
                }
                let agreement = compare(strategy, &settings, &*server, fewer(store, most)).unwrap();
                let is_different = agreement.difference.is_some();
                let why = match buyers {
                    2 => why_otherwise(card.name, store, *isolation),
                    _ => why_three_otherwise(card.name, store, *isolation),
                };
                let what = format!("{} on {store}, {isolation}: {agreement:?}; {why:?}", card.name);
                assert_eq!(is_different, why.is_some(), "{what}");
                assert!(agreement.schedules > 1, "{what}");
            }
        }
    }
}

#[test]
fn every_schedule_of_the_model_is_answered_by_the_servers_as_the_model_says() {
    hold_the_model_against_servers(2, MOST_COMPARED);
}

#[test]
fn schedules_of_three_buyers_are_answered_by_the_servers_as_the_model_says() {
    hold_the_model_against_servers(3, MOST_COMPARED_OF_THREE);
}

/// The cells of a page's table, by row and column.
fn cells(page: &str) -> BTreeMap<(String, String), String> {
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let mut rows =
        rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()));
    let header: Vec<String> = rows.next().unwrap().collect();
    let mut cells = BTreeMap::new();
    for row in rows {
        let row: Vec<String> = row.collect();
        for (column, cell) in header.iter().zip(&row).skip(1) {
            cells.insert((row[0].clone(), column.clone()), cell.clone());
        }
    }
    cells
}

#[test]
fn the_page_of_verdicts_is_what_is_found_here() {
    let stores: Vec<StoreKind> = stores().collect();
    let all: Vec<_> = strategies::every_strategy().collect();
    let found = survey(&all, &stores, &Control::default()).unwrap();
    let found = cells(&render::survey(&found));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/survey.md");
    let written = cells(&std::fs::read_to_string(page).unwrap());
    for (place, verdict) in &found {
        assert_eq!(
            written.get(place),
            Some(verdict),
            "{place:?}; oversell-sim survey writes it anew"
        );
    }
    let is_here =
        |column: &String| column == "model" || stores.iter().any(|store| store.name() == column);
    assert_eq!(written.keys().filter(|(_, column)| is_here(column)).count(), found.len());
}

#[test]
fn what_cannot_be_stepped_at_a_server_is_refused_with_the_reason() {
    let refused =
        |settings: &Settings, name| can_be_stepped(find(name), settings).unwrap_err().to_string();
    let said = refused(&shop(StoreKind::Postgres, 2), "sequencer");
    assert!(said.contains("sequencer needs queue, which cannot be stepped"), "{said}");
    let said = refused(&shop(StoreKind::Redis, 2), "pessimistic");
    assert!(said.contains("pessimistic needs lock"), "{said}");
    let said = refused(&shop(StoreKind::Postgres, 27), "naive");
    assert!(said.contains("26 at most, a connection each"), "{said}");
    let said = refused(&shop(StoreKind::Etcd, 2), "pessimistic");
    assert!(said.contains("pessimistic needs lock"), "{said}");
    let mut settings = shop(StoreKind::Postgres, 2);
    settings.set("crashes", "1").unwrap();
    let said = refused(&settings, "naive");
    assert!(said.contains("--crashes"), "{said}");
}

#[test]
fn random_orders_find_the_double_sale_at_a_server_and_the_seed_repeats_them() {
    let store = StoreKind::Sqlite;
    let naive = strategies::find("naive").unwrap();
    let settings = Settings { store, buyers: 4, stock: 1, seed: 7, ..Settings::default() };
    let (address, control) = (Address::default(), Control::default());
    let server = server_for(naive, &settings, &address, &control).unwrap();
    for method in [Method::Plain, Method::Pct { depth: 2 }] {
        let of = |schedules| {
            let sampling = Sampling { schedules, method, until_found: false };
            sample_orders(naive, &settings, &*server, sampling, &|| false).unwrap()
        };
        let (one, same) = (of(60), of(60));
        assert_eq!(one.evidence, Evidence::Broken, "{one}");
        assert_eq!(one.sampled.as_ref().unwrap().schedules, 60);
        assert_eq!(one.findings[0].schedule, same.findings[0].schedule);
        let schedule = one.findings[0].schedule.parse().unwrap();
        let again = replay_orders(naive, &settings, &*server, &schedule).unwrap();
        assert_eq!(again.amount_of(FindingKind::Oversold), one.findings[0].finding.amount);
    }
}
