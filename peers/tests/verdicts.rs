//! The checkers agree.

use oversell_sim_peers::{Checker, Checkout, Verdict, in_oversell_sim, in_stateright};

/// What is known about these checkouts, with one unit in stock.
fn known(checkout: Checkout, buyers: u32) -> Verdict {
    match checkout {
        Checkout::Naive if buyers > 1 => Verdict::Broken,
        _ => Verdict::Proved,
    }
}

fn assert_agree(checkers: &[Checker], buyers: u32) {
    for checkout in Checkout::ALL {
        for checker in checkers {
            let verdict = checker.verdict(checkout, buyers);
            let name = checker.name();
            assert_eq!(verdict, known(checkout, buyers), "{name}: {checkout:?}, {buyers} buyers");
        }
    }
}

#[test]
fn all_checkers_agree_on_a_lone_buyer() {
    assert_agree(&Checker::ALL, 1);
}

#[test]
fn all_checkers_agree_on_two_buyers() {
    assert_agree(&Checker::ALL, 2);
}

#[test]
fn all_checkers_agree_on_three_buyers() {
    assert_agree(&Checker::ALL, 3);
}

#[test]
fn stateright_with_symmetry_and_ours_visit_as_many_states() {
    for buyers in [1, 2, 3, 10, 40] {
        let ours = in_oversell_sim::exploration(Checkout::Cas, buyers);
        let states = ours.covered.map(|covered| covered.states);
        assert_eq!(
            states,
            Some(in_stateright::states_by_symmetry(Checkout::Cas, buyers)),
            "{buyers} buyers"
        );
    }
}
