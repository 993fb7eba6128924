//! The audit, on rounds written by hand: each finding is seen where it is, and only there.

use oversell_sim::attempt::Failure;
use oversell_sim::audit::Finding;
use oversell_sim::buyer::Ending::{Bought, Failed, GaveUp, TurnedAway, Unserved};
use oversell_sim::finding::FindingKind;
use oversell_sim::op::{Item, Order};
use oversell_sim::report::most_inside;
use oversell_sim::worlds::threads::Round;

use crate::fixture::{round, round_of, visit};

fn findings(round: &Round) -> Vec<(FindingKind, u64)> {
    round.ledger().audit().into_iter().map(|Finding { kind, amount, .. }| (kind, amount)).collect()
}

#[test]
fn a_round_in_which_all_agrees_has_no_finding() {
    assert_eq!(findings(&round(2, &[Bought, Bought, TurnedAway, TurnedAway])), []);
    assert_eq!(findings(&round(3, &[Bought, Bought])), []);
}

#[test]
fn two_receipts_for_one_unit_are_an_oversell() {
    let mut sold_twice = round(1, &[Bought, Bought]);
    sold_twice.books.stock_left = 0;
    assert_eq!(
        findings(&sold_twice),
        [(FindingKind::Oversold, 1), (FindingKind::LostUpdate, 1)],
        "the shelf fell by one only"
    );
    sold_twice.books.stock_left = -1;
    assert_eq!(
        findings(&sold_twice),
        [(FindingKind::Oversold, 1), (FindingKind::NegativeStock, 1)]
    );
}

#[test]
fn a_unit_gone_from_the_shelf_and_sold_to_nobody_is_leaked() {
    let mut leaky = round(3, &[Bought]);
    leaky.books.stock_left = 1;
    assert_eq!(findings(&leaky), [(FindingKind::LeakedStock, 1)]);
    // Whoever was cut short may have it, and nobody can say otherwise.
    let mut unknown = round(3, &[Bought, Failed(Failure::LockTimeout), TurnedAway]);
    unknown.books.stock_left = 1;
    assert!(findings(&unknown).iter().all(|(kind, _)| *kind != FindingKind::LeakedStock));
}

#[test]
fn units_left_that_somebody_came_for_are_undersold() {
    assert_eq!(findings(&round(3, &[Bought, GaveUp])), [(FindingKind::Undersold, 1)]);
    let big_cart_only = round_of(3, vec![visit(0, 2, Bought), visit(1, 2, TurnedAway)]);
    assert_eq!(findings(&big_cart_only), [], "one unit is left, and nobody came for just one");
    assert_eq!(findings(&round(3, &[Bought, Unserved])), [], "Ctrl-C is nobody's fault");
}

#[test]
fn what_a_buyer_who_was_cut_short_may_have_taken_is_held_against_nobody() {
    // The shelf is empty: three may have them, so nobody can say that they are unsold.
    let cut = |ending| [Bought, ending, ending, TurnedAway];
    let mut emptied = round(3, &cut(Failed(Failure::NoAnswer)));
    emptied.books.stock_left = 0;
    assert_eq!(findings(&emptied), []);
    // Ctrl-C in the middle of taking first and putting back later.
    let mut below_zero = round(1, &cut(Unserved));
    below_zero.books.stock_left = -2;
    assert_eq!(findings(&below_zero), []);
    below_zero.books.stock_left = -3;
    assert_eq!(
        findings(&below_zero),
        [(FindingKind::NegativeStock, 1), (FindingKind::LeakedStock, 1)]
    );
    // Units left for those whom Ctrl-C kept away.
    assert_eq!(findings(&round(3, &[Bought, GaveUp, Unserved, Unserved])), []);
}

#[test]
fn an_order_for_somebody_who_never_came_is_found() {
    let mut ghost = round(3, &[Bought]);
    ghost.books.orders.push(Order { buyer: 4_000_000, item: Item(0), qty: 1 });
    ghost.books.stock_left = 2;
    assert_eq!(findings(&ghost), [(FindingKind::OrderWithoutReceipt, 1)]);
}

#[test]
fn orders_must_match_receipts_buyer_by_buyer() {
    let mut swapped = round(2, &[Bought, TurnedAway]);
    swapped.books.orders = vec![Order { buyer: 1, item: Item(0), qty: 1 }];
    let found = findings(&swapped);
    assert!(found.contains(&(FindingKind::LostOrder, 1)), "{found:?}");
    assert!(found.contains(&(FindingKind::OrderWithoutReceipt, 1)), "{found:?}");
    let mut cut_short = round(1, &[Failed(Failure::NoAnswer)]);
    cut_short.books.orders = vec![Order { buyer: 0, item: Item(0), qty: 1 }];
    cut_short.books.stock_left = 0;
    let found = findings(&cut_short);
    assert!(
        !found.contains(&(FindingKind::OrderWithoutReceipt, 1)),
        "it was told nothing: {found:?}"
    );
}

#[test]
fn sold_out_is_false_only_if_no_order_of_events_makes_it_true() {
    // Buyer 0 is turned away before buyer 1, the only one who buys, has come.
    let told_too_early = round(1, &[TurnedAway, Bought]);
    assert_eq!(findings(&told_too_early), [(FindingKind::FalseSoldOut, 1)]);
    // Here buyer 1's attempt begins while buyer 0 is still being served: it may have been first.
    let mut overlapping = told_too_early.clone();
    overlapping.visits[1].last_attempt_ns = overlapping.visits[0].ended_ns - 1;
    assert_eq!(findings(&overlapping), [], "what could be true is not reported");
    // Ends and beginnings closer than the clocks agree decide nothing.
    let mut touching = told_too_early.clone();
    touching.visits[1].last_attempt_ns = touching.visits[0].ended_ns + 500;
    assert_eq!(findings(&touching), []);
}

#[test]
fn units_that_are_gone_nobody_knows_where_may_have_been_gone_in_time() {
    let mut leaky = round(2, &[TurnedAway, Bought]);
    leaky.books.stock_left = 0;
    assert_eq!(findings(&leaky), [(FindingKind::LeakedStock, 1), (FindingKind::FalseSoldOut, 1)]);
    leaky.books.stock_left = -1;
    let found = findings(&leaky);
    assert!(
        !found.contains(&(FindingKind::FalseSoldOut, 1)),
        "both may have leaked first: {found:?}"
    );
}

#[test]
fn who_has_no_receipt_may_have_taken_its_unit_in_any_attempt() {
    let mut quiet = round(1, &[TurnedAway, GaveUp]);
    quiet.books.orders = vec![Order { buyer: 1, item: Item(0), qty: 1 }];
    quiet.books.stock_left = 0;
    quiet.visits[1].began_ns = 0;
    assert_eq!(findings(&quiet), [(FindingKind::OrderWithoutReceipt, 1)]);
}

#[test]
fn a_retry_counts_from_its_own_beginning() {
    let mut retried = round(1, &[TurnedAway, Bought]);
    retried.visits[0].began_ns = 0;
    retried.visits[0].ended_ns = 10_000_000;
    retried.visits[1].began_ns = 0;
    retried.visits[1].last_attempt_ns = 20_000_000;
    assert_eq!(findings(&retried), [(FindingKind::FalseSoldOut, 1)]);
}

#[test]
fn a_lock_that_outlives_its_attempt_is_leaked() {
    let mut leaky = round(1, &[Bought]);
    leaky.tally.leaked_locks = 2;
    assert_eq!(findings(&leaky), [(FindingKind::LeakedLock, 2)]);
}

#[test]
fn the_gravest_finding_comes_first() {
    let mut bad = round(2, &[Bought, Bought, Bought, TurnedAway]);
    bad.tally.leaked_locks = 1;
    bad.books.orders.pop();
    let kinds: Vec<_> = findings(&bad).into_iter().map(|(kind, _)| kind.gravity()).collect();
    assert!(kinds.is_sorted(), "{kinds:?}");
    assert_eq!(kinds.first(), Some(&FindingKind::Oversold.gravity()));
}

#[test]
fn the_most_inside_at_once_are_counted_from_their_comings_and_goings() {
    assert_eq!(most_inside(&[]), 0);
    let mut crowd = round(9, &[Bought, Bought, Bought]).visits;
    assert_eq!(most_inside(&crowd), 1);
    crowd[1].began_ns = crowd[0].ended_ns;
    assert_eq!(most_inside(&crowd), 1, "to touch is not to overlap");
    crowd[2].began_ns = crowd[0].began_ns;
    assert_eq!(most_inside(&crowd), 2, "buyers 0 and 2, then 1 and 2, never all three");
    crowd[1].began_ns = crowd[0].ended_ns - 1;
    assert_eq!(most_inside(&crowd), 3);
}
