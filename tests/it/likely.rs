//! Orders that are likely to break something come first, and take nothing away from the search.

use std::collections::BTreeSet;
use std::path::Path;

use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::explore::{
    OrderCoverage, OrderOutcome, Plan, PreemptionBound, as_furnished, search_orders, server_for,
};
use oversell_sim::unstable::stores::Address;
use oversell_sim::{Evidence, Exploration, StoreKind};

use crate::checkouts::{bugs_here, run, said, settings};
use crate::listed::has;

/// The search with the orders that are likely to break something first.
const LIKELY_FIRST: Plan = Plan { likely_first: true, ..Plan::EVERYTHING };

/// What a search finds, and the ways in which orders end.
fn search(file: &Path, plan: Plan) -> (Exploration, BTreeSet<OrderOutcome>) {
    let checkout = Checkout::read(file).unwrap();
    let (address, control) = (Address::default(), Control::default());
    let settings = settings(&checkout, None);
    let server = server_for(&checkout, &settings, &address, &control).unwrap();
    let settings = as_furnished(&checkout, settings, &*server).unwrap();
    search_orders(&checkout, &settings, &*server, plan, &|| false).unwrap()
}

fn orders(report: &Exploration) -> &OrderCoverage {
    report.orders.as_ref().unwrap()
}

#[test]
fn a_checkout_that_reads_and_then_writes_is_broken_by_the_first_order_that_is_predicted() {
    for store in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql] {
        if !has(store) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let written = run(folder.path(), &["init", "sql", "--store", store.name()]);
        assert_eq!(written.status.code(), Some(0), "{}", said(&written));
        let most = Some(2);
        let plan = Plan { most, ..LIKELY_FIRST };
        let (report, _) = search(&folder.path().join("checkout/checkout.toml"), plan);
        let OrderCoverage { run, likely, first_broken, complete, .. } = *orders(&report);
        // The first shows what is sent.
        assert_eq!((run, likely, first_broken, complete), (2, 2, Some(2), false), "{report}");
        assert_eq!(report.evidence, Evidence::Broken, "{report}");
    }
}

#[test]
fn every_bug_of_a_real_shop_is_found_within_three_orders() {
    for (folder, kind, _) in bugs_here() {
        let (report, _) = search(&folder.join("broken.toml"), LIKELY_FIRST);
        let first = orders(&report).first_broken.unwrap();
        assert!(first <= 3, "{}: found in order {first}\n{report}", folder.display());
        assert_eq!(report.findings[0].finding.kind, kind, "{report}");
    }
}

#[test]
fn with_likely_orders_first_every_search_ends_in_the_same_ways_and_proves_the_same() {
    for (folder, ..) in bugs_here() {
        for name in ["broken.toml", "fixed.toml"] {
            let file = folder.join(name);
            let ((first, some), (plain, all)) =
                (search(&file, LIKELY_FIRST), search(&file, Plan::EVERYTHING));
            let what = file.display();
            assert_eq!(some, all, "{what}");
            assert_eq!(first.evidence, plain.evidence, "{what}");
            assert!(orders(&first).complete && orders(&first).diverged == 0, "{what}: {first}");
            let more = orders(&first).run - orders(&plain).run;
            assert_eq!(orders(&first).likely, more, "{what}: {first}");
        }
    }
}

#[test]
fn likely_orders_are_told_apart_from_those_with_few_preemptions() {
    let Some((folder, ..)) = bugs_here().next() else { return };
    let file = folder.join("broken.toml");
    let bounded = |likely_first| {
        let preemptions = Some(PreemptionBound::AtMost(1));
        search(&file, Plan { preemptions, likely_first, ..Plan::EVERYTHING }).0
    };
    let (first, plain) = (bounded(true), bounded(false));
    let (first, plain) = (orders(&first), orders(&plain));
    assert_eq!(first.with_few_preemptions, plain.with_few_preemptions);
    assert_eq!(first.run, plain.run + first.likely);
    assert_eq!((first.preemptions, plain.likely), (plain.preemptions, 0));
}

#[test]
fn a_buyer_alone_meets_no_other_and_so_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let search = ["explore", "--strategy", "naive", "--store", "sqlite", "--buyers", "1"];
    let explored = run(folder.path(), &[&search[..], &["--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_slice(&explored.stdout).unwrap();
    assert_eq!(report["evidence"], "vacuous", "{report}");
    assert_eq!(report["orders"]["run"], 1, "{report}");
}

#[test]
fn no_order_is_predicted_where_none_may_have_a_preemption_or_all_are_run_one_by_one() {
    let Some((folder, ..)) = bugs_here().next() else { return };
    for args in [&["--no-reduce"][..], &["--preemptions", "0"], &["--random"]] {
        let explore = ["explore", "--checkout", "broken.toml", "--format", "json"];
        let explored = run(&folder, &[&explore[..], args].concat());
        let report: serde_json::Value = serde_json::from_slice(&explored.stdout).unwrap();
        assert_eq!(report["orders"]["likely"], serde_json::Value::Null, "{args:?}: {report}");
    }
}
