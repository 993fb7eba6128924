//! Carts of several products: the same strategies on threads and on every interleaving.

use oversell_sim::prelude::{Attempt, Connection, Item, Session, SoldOut, Strategy};
use oversell_sim::strategies::find;
use oversell_sim::unstable::explore::{Limits, search_all};
use oversell_sim::unstable::op::{MOST_IN_CART, Want};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Error, Evidence, Exploration, FindingKind};

/// A shop whose buyers want some of its products, one unit of each.
fn shop(buyers: u32, items: u8, cart: u8) -> Settings {
    Settings { buyers, items, cart, ..Settings::default() }
}

fn searched(strategy: &str, settings: &Settings) -> Exploration {
    search_all(find(strategy).unwrap(), settings, Limits::default(), || false).unwrap()
}

fn schedule_to(found: &Exploration, kind: FindingKind) -> &str {
    &found.findings.iter().find(|told| told.finding.kind == kind).unwrap().schedule
}

#[test]
fn two_items_locked_in_opposite_order_leave_both_buyers_stuck_after_two_locks() {
    let found = searched("cart-order", &shop(2, 2, 2));
    assert_eq!(found.amount_of(FindingKind::Deadlock), 2);
    // Lock and read each; a wait is no step.
    assert_eq!(schedule_to(&found, FindingKind::Deadlock), "ABAB");
    assert_eq!(searched("ordered-locks", &shop(2, 2, 2)).evidence, Evidence::Proved);
}

#[test]
fn philosophers_in_a_ring_are_stuck_unless_all_lock_in_one_order() {
    // Five products, and every buyer wants two neighbouring ones.
    for buyers in [2, 3, 4] {
        assert_eq!(searched("cart-order", &shop(buyers, 5, 2)).evidence, Evidence::Proved);
    }
    let found = searched("cart-order", &shop(5, 5, 2));
    assert_eq!(found.amount_of(FindingKind::Deadlock), 5, "only a closed ring can be stuck");
    assert_eq!(searched("ordered-locks", &shop(5, 5, 2)).evidence, Evidence::Proved);
}

#[test]
fn a_check_under_one_lock_and_an_act_under_another_sell_twice() {
    let found = searched("other-lock", &shop(2, 2, 2));
    // One unit too many of each of two products.
    assert_eq!(found.amount_of(FindingKind::Oversold), 2);
    let alone = searched("other-lock", &shop(2, 2, 1));
    assert_eq!(alone.evidence, Evidence::Proved, "carts that share nothing do not meet");
}

#[test]
fn carts_of_several_products_are_sold_whole_or_not_at_all_on_threads() {
    let settings = Settings { stock: 3, rounds: 20, seed: 5, ..shop(200, 4, 3) };
    let report = oversell_sim::race(oversell_sim::strategies::ordered_locks::OrderedLocks)
        .buyers(200)
        .items(4)
        .cart(3)
        .stock(3)
        .rounds(20)
        .run()
        .unwrap();
    let run = &report.runs[0];
    assert!(run.findings.is_empty(), "{report}");
    assert_eq!(run.figures.units_sold, 3 * run.figures.winners as i64);
    assert_eq!(run.figures.stock, 20 * 4 * 3, "of all products");
    assert_eq!(report.settings.cart, settings.cart);
}

#[test]
fn a_strategy_for_one_product_is_refused_carts() {
    let refused = search_all(find("cas").unwrap(), &shop(2, 2, 2), Limits::default(), || false);
    let Err(Error::Input(why)) = refused else { panic!("{refused:?}") };
    let expected = "`cart` is 2, but cas sells one product at a time; ordered-locks sells carts";
    assert_eq!(why, expected);
    assert_eq!(searched("cas", &shop(4, 2, 1)).evidence, Evidence::Proved, "one of two products");
}

#[test]
fn a_cart_begins_with_another_product_for_each_buyer_in_turn() {
    let items = |buyer| -> Vec<u8> {
        shop(9, 3, 2).want(1, buyer).items().map(|Item(number)| number).collect()
    };
    assert_eq!([0, 1, 2, 3].map(items), [[0, 1], [1, 2], [2, 0], [0, 1]]);
    let full = || (0..MOST_IN_CART as u8).map(Item);
    let cart = Want::cart(full(), 2).unwrap();
    assert_eq!(cart.items().collect::<Vec<_>>(), full().collect::<Vec<_>>());
    assert_eq!((cart.units(), cart.units_of(Item(3)), cart.units_of(Item(4))), (8, 2, 0));
    assert_eq!(Want::cart((0..=MOST_IN_CART as u8).map(Item), 1), None, "too full");
    assert_eq!(Want::cart([], 1), None, "empty");
    assert_eq!(Want::cart([Item(1), Item(0), Item(1)], 1), None, "a product twice");
    assert_eq!(Want::cart([Item(0), Item(255)], 1), None, "no such product");
}

/// Locks all and leaves.
struct KeepsAllLocks;

impl Strategy for KeepsAllLocks {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let mut cart: Vec<Item> = want.items().collect();
        cart.sort_unstable();
        for item in cart {
            shop.lock(item).await?;
        }
        Err(SoldOut)
    }
}

#[test]
fn a_closed_connection_lets_go_of_every_lock() {
    let found = oversell_sim::explore(KeepsAllLocks).buyers(3).items(3).cart(3).run().unwrap();
    assert!(found.amount_of(FindingKind::LeakedLock) > 0, "{found}");
    assert_eq!(found.amount_of(FindingKind::Deadlock), 0, "{found}");
    let raced = oversell_sim::race(KeepsAllLocks)
        .buyers(20)
        .items(3)
        .cart(3)
        .patience(std::time::Duration::from_secs(5))
        .run()
        .unwrap();
    let figures = raced.runs[0].figures;
    assert_eq!((figures.rejected, figures.leaked_lock), (20, 60), "{raced}");
}
