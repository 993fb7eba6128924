//! The explorer: exact counts with their arithmetic, itself against brute force, its model against
//! the live store, and every strategy against its claim.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use oversell_sim::prelude::Strategy as Checkout;
use oversell_sim::prelude::{
    Attempt, Bought, Claim, Conflict, Connection, Failure, Item, Missed, Session, SoldOut, Want,
};
use oversell_sim::strategies::{ALL, every_strategy, find, zoo};
use oversell_sim::unstable::buyer::Demand;
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::explore::{
    self, Limits, Schedule, Search, any_buyers, search_all, try_all,
};
use oversell_sim::unstable::op::{Op, Order};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stepped::TransitionTable;
use oversell_sim::unstable::stores::memory::{Memory, Versioned};
use oversell_sim::unstable::stores::model::{HeldResources, Model, Standing};
use oversell_sim::unstable::stores::{Client, LiveStore};
use oversell_sim::{Evidence, Exploration, FindingKind, Retries};
use proptest::prelude::*;

use crate::fixture::NeverHappy;

/// Steps after which brute force gives up.
const MOST_STEPS: usize = 20_000;

fn settings(buyers: u32, stock: i32) -> Settings {
    Settings { buyers, stock, ..Settings::default() }
}

/// The shop as a strategy would have it: with carts, if it is about carts.
pub(crate) fn suited(strategy: &dyn DynStrategy, settings: Settings) -> Settings {
    let mut settings = match strategy.card().carts {
        true => Settings { items: 2, cart: 2, ..settings },
        false => settings,
    };
    let shop = settings.clone();
    for (name, text) in strategy.card().claim.when() {
        settings.set(name, text).unwrap();
    }
    // What a claim says of the size of a shop is the least at which it shows. What it says of the
    // quantities holds as it is said: another seed has no buyer of two between two buyers of one.
    settings.buyers = settings.buyers.max(shop.buyers);
    settings.stock = settings.stock.max(shop.stock);
    settings
}

fn searched(strategy: &str, settings: &Settings) -> Exploration {
    search_all(find(strategy).unwrap(), settings, Limits::default(), || false).unwrap()
}

/// States and interleavings of a complete search.
fn counts(strategy: &str, buyers: u32, stock: i32) -> (usize, u64) {
    let covered = searched(strategy, &settings(buyers, stock)).covered.unwrap();
    assert!(covered.complete);
    (covered.states, covered.interleavings.unwrap().exact().unwrap())
}

#[test]
fn interleavings_are_counted_exactly() {
    // Two steps each, whatever the order: (2n)! / 2ⁿ.
    assert_eq!(counts("naive", 2, 2).1, 6);
    assert_eq!(counts("naive", 3, 3).1, 90);
    assert_eq!(counts("naive", 4, 4).1, 2_520);
    // One step each: n!.
    assert_eq!(counts("conditional", 5, 2).1, 120);
    // Lock, read, write and unlock for the first, lock, read and unlock for the other, and the lock
    // leaves no choice but who is first.
    assert_eq!(counts("pessimistic", 2, 1).1, 2);
}

#[test]
fn states_are_counted_exactly() {
    // One unit: either no buyer has bought, and of n buyers 0 to n have read it: n + 1 states; or one
    // has, and the others are at the start, holding a stale 1, or rejected: n (n + 1) / 2.
    for n in [2, 3, 10, 60] {
        let expected = (n + 1) + n * (n + 1) / 2;
        assert_eq!(counts_of_states("cas", n as u32), expected, "{n} buyers");
        assert_eq!(counts_of_states("optimistic", n as u32), expected, "{n} buyers");
    }
    // One step each, and identical buyers: 0 to n have asked.
    assert_eq!(counts_of_states("conditional", 60), 61);
}

fn counts_of_states(strategy: &str, buyers: u32) -> usize {
    searched(strategy, &settings(buyers, 1)).covered.unwrap().states
}

#[test]
fn the_naive_double_sale_takes_four_steps() {
    let found = searched("naive", &settings(2, 1));
    assert_eq!(found.evidence, Evidence::Broken);
    let first = &found.findings[0];
    assert_eq!((first.finding.kind, first.finding.amount), (FindingKind::Oversold, 1));
    assert_eq!(first.schedule, "ABAB");
    let told: Vec<_> = first.timeline.iter().map(|row| row.did.as_str()).collect();
    assert_eq!(told, ["reads 1", "reads 1", "writes 0, order", "writes 0, order"]);
}

#[test]
fn the_naive_double_sale_is_as_short_in_a_crowd() {
    let limits = Limits { enough_after_finding: Some(0), ..Limits::default() };
    let found = search_all(find("naive").unwrap(), &settings(1000, 1), limits, || false).unwrap();
    assert_eq!(found.findings[0].schedule, "ABAB");
    assert!(!found.covered.unwrap().complete);
}

#[test]
fn safe_strategies_are_proved_and_broken_ones_are_broken_by_what_they_claim() {
    let shops = [
        settings(2, 1),
        settings(3, 2),
        settings(5, 1),
        Settings { qty: Demand { least: 1, most: 2 }, seed: 1, ..settings(4, 3) },
        Settings { qty: Demand { least: 1, most: 3 }, seed: 2, ..settings(4, 3) },
    ];
    for strategy in ALL {
        let card = strategy.card();
        let all: Vec<Exploration> = shops
            .iter()
            .map(|shop| suited(*strategy, shop.clone()))
            .map(|shop| search_all(*strategy, &shop, Limits::default(), || false).unwrap())
            .collect();
        match card.claim.shows() {
            None => {
                for found in all {
                    assert_eq!(found.evidence, Evidence::Proved, "{}\n{found}", card.name);
                }
            }
            Some(kind) => {
                assert!(all.iter().all(|found| found.amount_of(kind) > 0), "{}", card.name);
            }
        }
    }
}

#[test]
fn every_animal_of_the_zoo_shows_its_finding_at_several_sizes() {
    for (buyers, stock) in [(2, 1), (3, 1), (4, 2)] {
        for strategy in zoo::ALL {
            let card = strategy.card();
            let Some(kind) = card.claim.shows() else { panic!("{} claims to be safe", card.name) };
            let mut shop = suited(*strategy, settings(buyers, stock));
            if ["two-tabs", "give-back-twice"].contains(&card.name) {
                // Their claims are about a size, and here it is seen which sizes show it.
                (shop.buyers, shop.stock) = (buyers, stock);
            }
            let found = search_all(*strategy, &shop, Limits::default(), || false).unwrap();
            // A buyer that is wronged without the help of another needs a unit to spare, or a buyer too many.
            let can_show = match card.name {
                "two-tabs" => stock >= 2,
                "give-back-twice" => buyers >= 3,
                _ => true,
            };
            assert_eq!(found.amount_of(kind) > 0, can_show, "{} of {buyers}\n{found}", card.name);
        }
    }
}

#[test]
fn no_animal_shows_a_graver_finding_than_the_one_it_is_kept_for() {
    for strategy in zoo::ALL {
        let Some(kind) = strategy.card().claim.shows() else { continue };
        let shop = suited(*strategy, settings(4, 2));
        let found = search_all(*strategy, &shop, Limits::default(), || false).unwrap();
        let gravest = found.findings.first().map(|told| told.finding.kind);
        assert_eq!(gravest, Some(kind), "{}\n{found}", strategy.card().name);
    }
}

#[test]
fn every_safe_strategy_is_proved_for_any_number_of_buyers() {
    for strategy in ALL.iter().filter(|strategy| strategy.card().claim == Claim::Safe) {
        for stock in 1..=3 {
            let shop = suited(*strategy, settings(2, stock));
            let any = any_buyers(*strategy, &shop, 20, Limits::default(), || false).unwrap();
            assert_eq!((any.evidence, any.below_zero), (Evidence::Proved, false), "{any:?}");
            assert!(any.proved_up_to >= Some(20), "{any:?}");
        }
    }
}

#[test]
fn the_markings_of_a_swap_are_counted_exactly() {
    // With s units: any number at the start; any number who saw what is there now or was before. For
    // each stock from s to 0 one marking before any buyer looks, and one after: 2 (s + 1).
    for stock in 1..=3 {
        let any =
            any_buyers(find("cas").unwrap(), &settings(2, stock), 20, Limits::default(), || false)
                .unwrap();
        assert_eq!(any.markings as i32, 2 * (stock + 1));
    }
}

#[test]
fn what_some_number_of_buyers_breaks_is_not_proved_for_any() {
    let naive =
        any_buyers(find("naive").unwrap(), &settings(2, 1), 20, Limits::default(), || false)
            .unwrap();
    assert!(naive.oversold);
    assert_eq!(naive.least.unwrap().buyers, 2);
    // Every buyer that saw the last unit takes it below zero in turn.
    let outside =
        any_buyers(find("check-outside").unwrap(), &settings(2, 1), 20, Limits::default(), || {
            false
        })
        .unwrap();
    assert!(outside.oversold && outside.below_zero);
    let stuck =
        any_buyers(find("lock-twice").unwrap(), &settings(2, 1), 20, Limits::default(), || false)
            .unwrap();
    assert_eq!((stuck.evidence, stuck.oversold), (Evidence::Broken, false));
    assert_eq!(stuck.least.unwrap().buyers, 1);
}

#[test]
fn where_the_store_has_no_end_it_says_how_far_it_got() {
    let endless = any_buyers(
        find("decrement-first").unwrap(),
        &settings(2, 1),
        20,
        Limits::default(),
        || false,
    )
    .unwrap();
    assert_eq!(endless.evidence, Evidence::NotSeen);
    assert!(endless.proved_up_to >= Some(10), "{endless:?}");
}

#[test]
fn a_search_that_was_cut_short_never_says_proved() {
    for limits in
        [Limits { states: 100, ..Limits::default() }, Limits { memory: 1, ..Limits::default() }]
    {
        let found = search_all(find("cas").unwrap(), &settings(60, 1), limits, || false).unwrap();
        assert_eq!(found.evidence, Evidence::NotSeen);
        assert!(!found.covered.unwrap().complete);
    }
    let stopped = search_all(find("cas").unwrap(), &settings(60, 1), Limits::default(), || true);
    assert_eq!(stopped.unwrap().evidence, Evidence::NotSeen);
}

#[test]
fn every_schedule_that_is_printed_replays_to_the_same_finding() {
    for strategy in every_strategy() {
        let shop = Settings { qty: Demand { least: 1, most: 3 }, seed: 2, ..settings(4, 3) };
        let shop = suited(strategy, shop);
        let found = search_all(strategy, &shop, Limits::default(), || false).unwrap();
        for told in &found.findings {
            let schedule: Schedule = told.schedule.parse().unwrap();
            let again = explore::replay(strategy, &shop, &schedule).unwrap();
            assert_eq!(again.amount_of(told.finding.kind), told.finding.amount, "{again}");
            assert_eq!(again.replayed.unwrap(), told.timeline);
        }
    }
}

/// Follows everything both ways and compares; the size of it, in schedules.
fn assert_brute_force_agrees(strategy: &dyn DynStrategy, settings: &Settings) -> u64 {
    assert_brute_force_agrees_within(MOST_STEPS, strategy, settings)
}

/// The same; brute force gives up after so many steps.
pub(crate) fn assert_brute_force_agrees_within(
    most_steps: usize,
    strategy: &dyn DynStrategy,
    settings: &Settings,
) -> u64 {
    let open = |table: &mut TransitionTable<'_>| explore::open(table, strategy, settings).unwrap();
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table);
    let seen = Search::from(&mut table, opening).run(Limits::default(), || false);
    let mut size = 0;
    for merges in [true, false] {
        let mut table = TransitionTable::new(strategy, settings);
        if !merges {
            table = table.unmerged();
        }
        let opening = open(&mut table);
        let few = Limits { states: most_steps, ..Limits::default() };
        let tried = try_all(&mut table, &opening, few, || false);
        let kinds = |shown: &[explore::Shown]| -> BTreeSet<String> {
            shown.iter().map(|shown| shown.finding.kind.name()).collect()
        };
        if !tried.complete || !seen.complete {
            continue;
        }
        size += tried.schedules;
        assert_eq!(seen.ends, tried.ends);
        assert_eq!(kinds(&seen.shown), kinds(&tried.shown));
        if merges {
            assert_eq!(seen.interleavings.unwrap().exact(), Some(tried.schedules));
            for (by_search, by_force) in seen.shown.iter().zip(&tried.shown) {
                assert_eq!(by_search.schedule.len(), by_force.schedule.len(), "no way is shorter");
            }
        }
    }
    size
}

#[test]
fn merging_and_remembering_change_no_outcome_of_any_strategy() {
    for strategy in every_strategy() {
        let shops = [
            settings(1, 1),
            settings(2, 1),
            settings(3, 1),
            settings(3, 2),
            Settings { qty: Demand { least: 1, most: 2 }, seed: 1, ..settings(3, 2) },
        ];
        // Some of the larger shops are beyond brute force, but not all. What goes wrong, goes wrong in the
        // smallest.
        let shops = shops.map(|shop| {
            let faults =
                if shop.buyers <= 2 { suited(strategy, shop.clone()).faults } else { shop.faults };
            Settings { faults, ..suited(strategy, shop) }
        });
        let size: u64 = shops.iter().map(|shop| assert_brute_force_agrees(strategy, shop)).sum();
        assert!(size > 0, "{}", strategy.card().name);
    }
}

/// A random little checkout.
#[derive(Clone, Debug)]
struct Program(Vec<Line>);

/// One line of it. What was last read is remembered within the attempt.
#[derive(Clone, Copy, Debug)]
enum Line {
    Read,
    ReadVersioned,
    GiveUpIfTooFew,
    WriteOneLess,
    Swap,
    SwapOrConflict,
    WriteVersioned,
    Take,
    TakeUnseen,
    PutBack,
    Lock,
    Unlock,
    Order,
    TakeLast,
    LockLast,
    UnlockLast,
}

impl Checkout for Program {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let (mut seen, mut at) = (0, 0);
        let Want { item, qty, .. } = want;
        let last = want.items().last().unwrap();
        for line in &self.0 {
            match line {
                Line::Read => seen = shop.read(item).await?,
                Line::ReadVersioned => (seen, at) = shop.read_versioned(item).await?,
                Line::GiveUpIfTooFew if seen < qty => return Err(SoldOut),
                Line::GiveUpIfTooFew => {}
                Line::WriteOneLess => shop.write(item, seen - qty).await?,
                Line::Swap => drop(shop.compare_and_set(item, seen, seen - qty).await?),
                Line::SwapOrConflict => {
                    if !shop.compare_and_set(item, seen, seen - qty).await? {
                        return Err(Conflict);
                    }
                }
                Line::WriteVersioned => drop(shop.write_if_version(item, at, seen - qty).await?),
                Line::Take => drop(shop.take(item, qty).await?),
                Line::TakeUnseen => seen = shop.add(item, -qty).await?,
                Line::PutBack => seen = shop.add(item, qty).await?,
                Line::Lock => shop.lock(item).await?,
                Line::Unlock => shop.unlock(item).await?,
                Line::Order => shop.place_order(want).await?,
                Line::TakeLast => drop(shop.take(last, qty).await?),
                Line::LockLast => shop.lock(last).await?,
                Line::UnlockLast => shop.unlock(last).await?,
            }
        }
        Ok(Bought)
    }
}

fn any_line() -> impl proptest::strategy::Strategy<Value = Line> {
    prop::sample::select(vec![
        Line::Read,
        Line::ReadVersioned,
        Line::GiveUpIfTooFew,
        Line::WriteOneLess,
        Line::Swap,
        Line::SwapOrConflict,
        Line::WriteVersioned,
        Line::Take,
        Line::TakeUnseen,
        Line::PutBack,
        Line::Lock,
        Line::Unlock,
        Line::Order,
        Line::TakeLast,
        Line::LockLast,
        Line::UnlockLast,
    ])
}

fn any_op() -> impl proptest::strategy::Strategy<Value = Op> {
    let item = prop_oneof![6 => Just(Item(0)), 3 => Just(Item(1)), 1 => Just(Item(2))];
    (item, -2..6_i32, -2..6_i32, 0..3_u32, 0..10_u8).prop_map(|(item, one, other, version, op)| {
        match op {
            0 => Op::Read { item },
            1 => Op::ReadVersioned { item },
            2 => Op::Write { item, stock: one },
            3 => Op::CompareAndSet { item, expected: one, new: other },
            4 => Op::WriteIfVersion { item, version, stock: one },
            5 => Op::Take { item, qty: one.abs() + 1 },
            6 => Op::Add { item, qty: one },
            7 => {
                let want = Want::cart([Item(0), item], 1).unwrap_or(Want::one(item, 1));
                Op::PlaceOrder(Order { buyer: 0, want })
            }
            8 => Op::Lock { item },
            _ => Op::Unlock { item },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// With a bound on retries, so that brute force comes to an end.
    #[test]
    fn merging_and_remembering_change_no_outcome_of_random_checkouts(
        lines in prop::collection::vec(any_line(), 1..6),
        buyers in 2..4_u32,
        stock in 1..3_i32,
        products in 1..3_u8,
    ) {
        let mut shop = Settings { items: products, cart: products, ..settings(buyers, stock) };
        shop.retries = Retries::AtMost(1);
        assert_brute_force_agrees(&Program(lines), &shop);
    }

    #[test]
    fn the_model_replies_as_the_live_store_does(
        stock in 0..5_i32,
        ops in prop::collection::vec(any_op(), 1..40),
    ) {
        static NEVER: AtomicBool = AtomicBool::new(false);
        let live = Memory::<Versioned>::open(2, stock, 1, Duration::from_millis(1), &NEVER);
        let mut client = live.connect();
        let mut model = Model::open(2, stock);
        let (mut grip, mut standing) = (HeldResources::default(), Standing::default());
        for op in ops {
            // Who would wait for itself waits in vain.
            let waited = Err(Missed::Failed(Failure::LockTimeout));
            let reply = model.apply(op, &mut grip, &mut standing).unwrap_or(waited);
            prop_assert_eq!(reply, client.call(op), "{:?}", op);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// What is proved for any number of buyers holds for every number.
    #[test]
    fn no_random_checkout_is_proved_for_any_and_oversold_by_some(
        lines in prop::collection::vec(any_line(), 1..6),
        stock in 1..3_i32,
        products in 1..3_u8,
    ) {
        let program = Program(lines);
        let shop = |buyers| Settings { items: products, cart: products, ..settings(buyers, stock) };
        let any = any_buyers(&program, &shop(2), 0, Limits::default(), || false).unwrap();
        let limits = Limits { states: 2_000, ..Limits::default() };
        for buyers in 1..5 {
            let found = search_all(&program, &shop(buyers), limits, || false).unwrap();
            if found.amount_of(FindingKind::Oversold) > 0 {
                prop_assert!(any.oversold || !any.complete, "{}", found);
            }
        }
    }
}

struct LocksTwice;

impl Checkout for LocksTwice {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        shop.lock(want.item).await?;
        Err(SoldOut)
    }
}

struct KeepsTheLock;

impl Checkout for KeepsTheLock {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.unlock(want.item).await?;
        Ok(Bought)
    }
}

#[test]
fn what_only_a_stepped_world_can_tell_is_told() {
    for (found, kind) in [
        (oversell_sim::explore(LocksTwice).run(), FindingKind::Deadlock),
        (oversell_sim::explore(KeepsTheLock).run(), FindingKind::LeakedLock),
        (oversell_sim::explore(NeverHappy).run(), FindingKind::Livelock),
    ] {
        let found = found.unwrap();
        assert!(found.amount_of(kind) > 0, "{found}");
    }
    let kept = oversell_sim::explore(KeepsTheLock).buyers(3).run().unwrap();
    assert_eq!(kept.amount_of(FindingKind::Deadlock), 0, "a closed connection lets go: {kept}");
    let all_stuck = oversell_sim::explore(LocksTwice).buyers(3).run().unwrap();
    assert_eq!(all_stuck.amount_of(FindingKind::Deadlock), 3, "{all_stuck}");
}

#[test]
fn a_proof_that_fails_tells_the_timeline_and_how_to_see_it_again() {
    let naive = oversell_sim::explore(oversell_sim::strategies::naive::Naive);
    let panic = catch_unwind(AssertUnwindSafe(|| naive.assert_proved())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("reads 1") && message.contains("writes 0, order"), "{message}");
    let again = "oversell_sim::explore(Naive).buyers(2).stock(1).seed(0).replay(\"ABAB\")";
    assert!(message.contains(again), "{message}");
    assert_eq!(naive.replay("ABAB").unwrap().evidence, Evidence::Broken);
    assert_eq!(
        naive.replay("AABB").unwrap_err().to_string(),
        "--schedule: step 4 is B's, but it has left by then"
    );
}

#[test]
fn a_schedule_reads_back_from_its_own_words() {
    for text in ["ABAB", "A*B*", "Aa27Za100", "AA~B-A!A+*!B=", "a27?a28!"] {
        assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
    }
    assert_eq!(" A B\n".parse::<Schedule>().unwrap().to_string(), "AB");
    for text in ["", " ", "A%", "!A", "A!!", "a", "a0", "b", "a99999999999"] {
        assert!(text.parse::<Schedule>().is_err(), "{text}");
    }
}

#[test]
fn the_report_is_the_same_bytes_on_any_number_of_threads() {
    // Large enough for several blocks of several chunks each.
    for (strategy, buyers, stock) in [("cas", 16, 8), ("naive", 12, 4), ("sequencer", 150, 1)] {
        let shop = settings(buyers, stock);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| searched(strategy, &shop));
            serde_json::to_string(&found).unwrap()
        };
        let alone = on(1);
        for threads in [2, 3, 8] {
            assert!(on(threads) == alone, "{strategy} on {threads} threads");
        }
    }
}

/// A buyer who finds too little is rejected; a buyer who takes one first looks at it for a while.
struct LooksTwice;

impl Checkout for LooksTwice {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let left = shop.add(want.item, -want.qty).await?;
        if left < 0 {
            shop.add(want.item, want.qty).await?;
            return Err(SoldOut);
        }
        shop.read(want.item).await?;
        if want.qty > 1 {
            shop.add(want.item, want.qty).await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}

#[test]
fn a_false_sold_out_is_found_by_who_came_before_whom() {
    // Of three units two buyers want two each, and a third one. Who wants two looks and puts them back:
    // a buyer that is rejected meanwhile could have had its units.
    let shop = Settings { qty: Demand { least: 1, most: 2 }, seed: 3, ..settings(3, 2) };
    let found = search_all(&LooksTwice, &shop, Limits::default(), || false).unwrap();
    assert!(found.amount_of(FindingKind::FalseSoldOut) > 0, "{found}");
    assert!(found.covered.as_ref().unwrap().precedence_states > 0);
    // Of a safe strategy no refusal comes before enough was promised.
    for strategy in ALL.iter().filter(|strategy| strategy.card().claim == Claim::Safe) {
        let shop = suited(*strategy, settings(4, 2));
        let proved = search_all(*strategy, &shop, Limits::default(), || false).unwrap();
        assert_eq!(proved.covered.unwrap().precedence_states, 0, "{}", strategy.card().name);
    }
}

#[test]
fn a_timeline_notes_where_another_buyer_gets_in_between_and_nowhere_else() {
    let notes = |strategy: &str, schedule: &str| -> Vec<String> {
        let schedule: Schedule = schedule.parse().unwrap();
        let told = explore::replay(find(strategy).unwrap(), &settings(2, 1), &schedule).unwrap();
        told.replayed.unwrap().into_iter().filter_map(|row| row.note).collect()
    };
    let blind = ["B reads what A is about to change", "B overwrites what A wrote"];
    assert_eq!(notes("naive", "ABAB"), blind);
    assert_eq!(notes("naive", "AAB"), [""; 0], "one after the other");
    assert_eq!(notes("cas", "ABABB"), [""; 0], "B looks again before it acts");
    assert_eq!(notes("pessimistic", "AAAABBB"), [""; 0]);
}

/// Reads and reads.
struct Spins;

impl Checkout for Spins {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        loop {
            shop.read(want.item).await?;
        }
    }
}

/// Orders and orders.
struct OrdersForEver;

impl Checkout for OrdersForEver {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        loop {
            shop.place_order(want).await?;
        }
    }
}

/// Leaves the queue before it is served.
struct LeavesTheQueue;

impl Checkout for LeavesTheQueue {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.submit(want).await?;
        Err(Conflict)
    }

    async fn serve<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<bool, Missed> {
        let sold = shop.take(want.item, want.qty).await?;
        if sold {
            shop.place_order(want).await?;
        }
        Ok(sold)
    }
}

#[test]
fn more_kinds_than_can_be_told_apart_are_no_proof_and_no_finding() {
    let many = Retries::AtMost(70_000);
    let found = oversell_sim::explore(NeverHappy).buyers(1).retries(many).run().unwrap();
    assert_eq!(found.evidence, Evidence::NotSeen, "{found}");
}

#[test]
fn an_attempt_that_never_ends_is_ended() {
    for found in [
        oversell_sim::explore(Spins).buyers(1).run().unwrap(),
        oversell_sim::explore(OrdersForEver).buyers(1).run().unwrap(),
    ] {
        assert_ne!(found.evidence, Evidence::Proved, "{found}");
        assert!(found.amount_of(FindingKind::Undersold) > 0, "it failed and bought nothing");
    }
}

#[test]
fn who_leaves_the_queue_fails_and_its_order_is_not_lost() {
    let found = oversell_sim::explore(LeavesTheQueue).buyers(2).stock(2).run().unwrap();
    let kinds: Vec<_> = found.findings.iter().map(|told| told.finding.kind).collect();
    assert!(!kinds.contains(&FindingKind::LeakedStock), "the order is in the book: {found}");
}

#[test]
fn a_livelock_is_told_with_one_lap_and_the_search_that_shows_it() {
    let found = oversell_sim::explore(NeverHappy).run().unwrap();
    let told = found.findings.iter().find(|told| told.finding.kind == FindingKind::Livelock);
    let told = told.unwrap();
    assert!(!told.timeline.is_empty(), "{found}");
    assert!(told.again.ends_with(".run()"), "{}", told.again);
}

#[test]
fn the_first_finding_does_not_hide_a_false_sold_out() {
    let shop = Settings { qty: Demand { least: 1, most: 3 }, seed: 2, ..settings(4, 3) };
    let limits = Limits { enough_after_finding: Some(200_000), ..Limits::default() };
    let decrement_first = find("decrement-first").unwrap();
    let found = search_all(decrement_first, &shop, limits, || false).unwrap();
    assert_eq!(found.amount_of(FindingKind::FalseSoldOut), 1, "{found}");
}

/// Takes a unit, puts it back once, and begins again.
struct SecondThoughts;

impl Checkout for SecondThoughts {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        let (left, version) = shop.read_versioned(want.item).await?;
        if version == 0 {
            shop.write_if_version(want.item, 0, left + want.qty).await?;
            return Err(Conflict);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}

#[test]
fn a_unit_that_was_put_back_and_bought_later_excuses_no_refusal() {
    // B is rejected while A has the unit, but A puts it back, and buys in an attempt that begins later.
    let found = oversell_sim::explore(SecondThoughts).run().unwrap();
    let told = found.findings.iter().find(|told| told.finding.kind == FindingKind::FalseSoldOut);
    assert_eq!(told.unwrap().schedule, "ABAAAA", "{found}");
}
