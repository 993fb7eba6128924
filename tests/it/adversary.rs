//! A few hundred random checkouts about which no two answers may contradict each other: the same that
//! `cargo bench --bench adversary` makes thousands of.

#[path = "../adversary/mod.rs"]
mod random;

use std::thread;
use std::time::Duration;

use oversell_sim::StoreKind::{self, Mysql, Postgres, Redis, Sqlite};
use random::check::{Bounds, Hosts, Verdict};
use random::generate::checkout;

use crate::servers::installed;

/// How many of each dialect.
const NUMBERS: [(StoreKind, u64); 4] = [(Postgres, 55), (Mysql, 25), (Sqlite, 70), (Redis, 50)];

/// The most orders of each, so that all of them take no more than a few minutes.
const SIZE: u64 = 40;

/// What two searches and a few races say of a dialect's checkouts, and the first contradiction, made small.
fn verdicts(dialect: StoreKind, number: u64) -> (Vec<(u64, Verdict)>, Option<String>) {
    let bounds =
        Bounds { orders: 120, time: Duration::from_secs(20), races: 10, compares_outcomes: false };
    let folder = tempfile::tempdir().unwrap();
    let mut hosts = Hosts::default();
    let mut first = None;
    let mut verdicts = Vec::new();
    for seed in 1..=number {
        let recipe = checkout(dialect, seed, SIZE);
        let verdict = hosts.check(&recipe, folder.path(), bounds);
        if let (Verdict::Contradiction(kind, why), None) = (&verdict, &first) {
            let smaller = hosts.shrink(&recipe, *kind, folder.path(), bounds);
            let (smallest, why) = smaller.unwrap_or((recipe, why.clone()));
            first = Some(format!("{why}\n{smallest:#?}"));
        }
        verdicts.push((seed, verdict));
    }
    (verdicts, first)
}

#[test]
fn of_random_checkouts_no_proof_and_no_finding_contradicts_another() {
    let here = installed();
    let checked: Vec<_> = thread::scope(|scope| {
        let numbers = NUMBERS.into_iter().filter(|(dialect, _)| here.contains(dialect));
        let begun: Vec<_> = numbers
            .map(|(dialect, number)| (dialect, scope.spawn(move || verdicts(dialect, number))))
            .collect();
        begun.into_iter().map(|(dialect, checks)| (dialect, checks.join().unwrap())).collect()
    });
    for (dialect, (verdicts, first)) in checked {
        let wrong = |(_, verdict): &&(u64, Verdict)| {
            matches!(verdict, Verdict::Contradiction(..) | Verdict::Failed(_))
        };
        if let Some((seed, verdict)) = verdicts.iter().find(wrong) {
            let again = format!("--dialect {dialect} --seed {seed} --number 1 --size {SIZE}");
            let first = first.unwrap_or_default();
            panic!("{verdict:?}\n{first}\ncargo bench --bench adversary -- {again}");
        }
        let count =
            |is: fn(&Verdict) -> bool| verdicts.iter().filter(|(_, verdict)| is(verdict)).count();
        let agreed = count(|verdict| matches!(verdict, Verdict::Agreed { .. }));
        let refused = count(|verdict| matches!(verdict, Verdict::Refused(_)));
        let all = verdicts.len();
        // Where others can come in between and nothing can be held, no search claims to be complete.
        let named = count(
            |verdict| matches!(verdict, Verdict::Incomplete(why) if why.contains("was run in one step")),
        );
        assert!(agreed * 5 >= all * 2, "{dialect}: only {agreed} were compared: {verdicts:?}");
        assert!(
            (agreed + named) * 10 >= all * 7,
            "{dialect}: only {agreed} were compared, and {named} named: {verdicts:?}"
        );
        assert!(refused * 10 <= all, "{dialect}: {refused} are no checkouts: {verdicts:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_checkout() {
    for (dialect, _) in NUMBERS {
        for seed in 1..200 {
            let written = || format!("{:?}", checkout(dialect, seed, SIZE));
            assert_eq!(written(), written());
        }
    }
}
