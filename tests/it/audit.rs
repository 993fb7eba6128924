//! The audit, on rounds written by hand: each finding is seen where it is, and only there.

use oversell_sim::FindingKind;
use oversell_sim::unstable::attempt::Failure;
use oversell_sim::unstable::audit::{Finding, Naming, RunningAudit};
use oversell_sim::unstable::buyer::Ending::{self, Abandoned, Bought, Failed, Rejected, Unserved};
use oversell_sim::unstable::buyer::Visit;
use oversell_sim::unstable::op::{Item, Order, Units, Want};
use oversell_sim::unstable::report::most_inside;
use oversell_sim::unstable::threads::Round;

use crate::fixture::{round, round_of, visit};

fn findings(round: &Round) -> Vec<(FindingKind, u64)> {
    round.ledger().audit().into_iter().map(|Finding { kind, amount, .. }| (kind, amount)).collect()
}

#[test]
fn an_audit_that_keeps_no_visits_finds_what_was_left_behind_as_one_that_keeps_all_does() {
    let mut left = round(2, &[Bought, Rejected]);
    (left.tally.leaked_locks, left.tally.leaked_holds) = (1, 2);
    let mut running = RunningAudit::open(1, 2, false, Naming::Numbers);
    for visit in &left.visits {
        let orders: Vec<Want> = visit.receipt().into_iter().collect();
        running.see(visit, &orders, 0);
    }
    let kept = left.ledger().audit();
    let leaks =
        |found: &Finding| matches!(found.kind, FindingKind::LeakedLock | FindingKind::LeakedHold);
    let kept: Vec<Finding> = kept.into_iter().filter(leaks).collect();
    assert_eq!(kept.len(), 2);
    assert_eq!(running.close(&left.books.shelves, 1, 2), kept);
}

#[test]
fn a_round_in_which_all_agrees_has_no_finding() {
    assert_eq!(findings(&round(2, &[Bought, Bought, Rejected, Rejected])), []);
    assert_eq!(findings(&round(3, &[Bought, Bought])), []);
}

#[test]
fn two_receipts_for_one_unit_are_an_oversell() {
    let mut sold_twice = round(1, &[Bought, Bought]);
    sold_twice.books.shelves = vec![0];
    assert_eq!(
        findings(&sold_twice),
        [(FindingKind::Oversold, 1), (FindingKind::LostUpdate, 1)],
        "the shelf fell by one only"
    );
    sold_twice.books.shelves = vec![-1];
    assert_eq!(
        findings(&sold_twice),
        [(FindingKind::Oversold, 1), (FindingKind::NegativeStock, 1)]
    );
}

#[test]
fn a_unit_gone_from_the_shelf_and_sold_to_no_buyer_is_leaked() {
    let mut leaky = round(3, &[Bought]);
    leaky.books.shelves = vec![1];
    assert_eq!(findings(&leaky), [(FindingKind::LeakedStock, 1)]);
    // The buyer that was cut short may have it: the books cannot say otherwise.
    let mut unknown = round(3, &[Bought, Failed(Failure::LockTimeout), Rejected]);
    unknown.books.shelves = vec![1];
    assert!(findings(&unknown).iter().all(|(kind, _)| *kind != FindingKind::LeakedStock));
}

#[test]
fn units_left_that_a_buyer_came_for_are_undersold() {
    assert_eq!(findings(&round(3, &[Bought, Abandoned])), [(FindingKind::Undersold, 1)]);
    let big_cart_only = round_of(3, vec![visit(0, 2, Bought), visit(1, 2, Rejected)]);
    assert_eq!(findings(&big_cart_only), [], "one unit is left, and no buyer came for just one");
    assert_eq!(findings(&round(3, &[Bought, Unserved])), [], "Ctrl-C is no finding");
}

#[test]
fn what_a_buyer_who_was_cut_short_may_have_taken_is_no_finding() {
    // The shelf is empty: three may have them, so it is not known that they are unsold.
    let cut = |ending| [Bought, ending, ending, Rejected];
    let mut emptied = round(3, &cut(Failed(Failure::NoAnswer)));
    emptied.books.shelves = vec![0];
    assert_eq!(findings(&emptied), []);
    // Ctrl-C in the middle of taking first and putting back later.
    let mut below_zero = round(1, &cut(Unserved));
    below_zero.books.shelves = vec![-2];
    assert_eq!(findings(&below_zero), []);
    below_zero.books.shelves = vec![-3];
    assert_eq!(
        findings(&below_zero),
        [(FindingKind::NegativeStock, 1), (FindingKind::LeakedStock, 1)]
    );
    // Units left for those whom Ctrl-C kept away.
    assert_eq!(findings(&round(3, &[Bought, Abandoned, Unserved, Unserved])), []);
}

#[test]
fn an_order_for_a_buyer_who_never_came_is_found() {
    let mut ghost = round(3, &[Bought]);
    ghost.books.orders.push(Order { buyer: 4_000_000, want: Want::one(Item(0), 1) });
    ghost.books.shelves = vec![2];
    assert_eq!(findings(&ghost), [(FindingKind::OrderWithoutReceipt, 1)]);
}

#[test]
fn orders_must_match_receipts_buyer_by_buyer() {
    let mut swapped = round(2, &[Bought, Rejected]);
    swapped.books.orders = vec![Order { buyer: 1, want: Want::one(Item(0), 1) }];
    let found = findings(&swapped);
    assert!(found.contains(&(FindingKind::LostOrder, 1)), "{found:?}");
    assert!(found.contains(&(FindingKind::OrderWithoutReceipt, 1)), "{found:?}");
    let mut cut_short = round(1, &[Failed(Failure::NoAnswer)]);
    cut_short.books.orders = vec![Order { buyer: 0, want: Want::one(Item(0), 1) }];
    cut_short.books.shelves = vec![0];
    let found = findings(&cut_short);
    assert!(
        !found.contains(&(FindingKind::OrderWithoutReceipt, 1)),
        "it was told nothing: {found:?}"
    );
}

#[test]
fn sold_out_is_false_only_if_no_order_of_events_makes_it_true() {
    // Buyer 0 is rejected before buyer 1, the only one who buys, has come.
    let told_too_early = round(1, &[Rejected, Bought]);
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
fn units_that_are_gone_without_a_trace_may_have_been_gone_in_time() {
    let mut leaky = round(2, &[Rejected, Bought]);
    leaky.books.shelves = vec![0];
    assert_eq!(findings(&leaky), [(FindingKind::LeakedStock, 1), (FindingKind::FalseSoldOut, 1)]);
    leaky.books.shelves = vec![-1];
    let found = findings(&leaky);
    assert!(
        !found.contains(&(FindingKind::FalseSoldOut, 1)),
        "both may have leaked first: {found:?}"
    );
}

#[test]
fn who_has_no_receipt_may_have_taken_its_unit_in_any_attempt() {
    let mut quiet = round(1, &[Rejected, Abandoned]);
    quiet.books.orders = vec![Order { buyer: 1, want: Want::one(Item(0), 1) }];
    quiet.books.shelves = vec![0];
    quiet.visits[1].began_ns = 0;
    assert_eq!(findings(&quiet), [(FindingKind::OrderWithoutReceipt, 1)]);
}

#[test]
fn a_retry_counts_from_its_own_beginning() {
    let mut retried = round(1, &[Rejected, Bought]);
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
    let mut bad = round(2, &[Bought, Bought, Bought, Rejected]);
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

/// A visit for a cart of the first two products.
fn cart_visit(buyer: u32, ending: Ending) -> Visit {
    Visit { want: Want::cart([Item(0), Item(1)], 1).unwrap(), ..visit(buyer, 1, ending) }
}

/// A round of a shop with two products, of which so much is left.
fn cart_round(stock: Units, visits: Vec<Visit>, left: [Units; 2]) -> Round {
    let mut round = round_of(stock, visits);
    round.books.shelves = left.into();
    round
}

#[test]
fn each_product_of_a_cart_has_an_account_of_its_own() {
    let both = || vec![cart_visit(0, Bought), cart_visit(1, Rejected)];
    assert_eq!(findings(&cart_round(1, both(), [0, 0])), []);
    // One shelf fell too little and the other too much: added up they would agree.
    assert_eq!(
        findings(&cart_round(2, vec![cart_visit(0, Bought)], [2, 0])),
        [(FindingKind::LostUpdate, 1), (FindingKind::LeakedStock, 1)]
    );
    let twice = cart_round(1, vec![cart_visit(0, Bought), cart_visit(1, Bought)], [-1, -1]);
    assert_eq!(
        findings(&twice),
        [(FindingKind::Oversold, 2), (FindingKind::NegativeStock, 2)],
        "a unit of each"
    );
    assert!(twice.ledger().audit()[0].proof.starts_with("#1: "), "the product is named");
}

#[test]
fn a_cart_of_which_one_product_is_gone_is_not_undersold() {
    let alone = Visit { want: Want::one(Item(1), 1), ..visit(0, 1, Bought) };
    let left_over = |ending| cart_round(1, vec![alone, cart_visit(1, ending)], [1, 0]);
    assert_eq!(findings(&left_over(Rejected)), [], "no buyer came for the first product alone");
    let both_left = cart_round(1, vec![cart_visit(0, Abandoned)], [1, 1]);
    assert_eq!(findings(&both_left), [(FindingKind::Undersold, 2)]);
}

#[test]
fn sold_out_is_false_for_a_cart_only_if_everything_in_it_was_left() {
    // Buyer 1 takes the first product alone, when buyer 0 has left.
    let later = Visit { want: Want::one(Item(0), 1), ..visit(1, 1, Bought) };
    let told = cart_round(1, vec![cart_visit(0, Rejected), later], [0, 1]);
    assert_eq!(findings(&told), [(FindingKind::FalseSoldOut, 1)]);
    let earlier = Visit { want: Want::one(Item(0), 1), ..visit(0, 1, Bought) };
    let told = cart_round(1, vec![earlier, cart_visit(1, Rejected)], [0, 1]);
    assert_eq!(findings(&told), [], "one of the two was gone");
}

#[test]
fn an_order_for_half_a_cart_is_a_lost_order() {
    let mut half = cart_round(1, vec![cart_visit(0, Bought)], [0, 0]);
    half.books.orders = vec![Order { buyer: 0, want: Want::one(Item(1), 1) }];
    assert_eq!(findings(&half), [(FindingKind::LostOrder, 1)]);
    half.books.orders = vec![Order { buyer: 0, want: Want::one(Item(1), 2) }];
    assert_eq!(findings(&half), [(FindingKind::LostOrder, 1)], "a buyer is counted once");
}
