//! Every registered strategy is held to what it claims, on real threads.

use oversell_sim::strategies::{self, every_strategy, find};
use oversell_sim::strategy::Claim;
use oversell_sim::unstable::buyer::Demand;
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::rounds::race_all;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::model::Faults;
use oversell_sim::unstable::threads::Control;
use oversell_sim::{Evidence, Report};

/// How often a broken strategy may get away with it before we say that it is not broken. Each round
/// shows its finding with a chance of at least one in three, so that a false alarm is one in 10¹⁷.
const MOST_ROUNDS: u32 = 100;

fn race(strategy: &dyn DynStrategy, settings: &Settings) -> Report {
    race_all(&[strategy], settings, &[], &Control::default()).unwrap()
}

/// The crowds in which a claim is tried.
fn crowds() -> Vec<Settings> {
    let crowd = |buyers, stock, least, most, threads| Settings {
        buyers,
        stock,
        qty: Demand { least, most },
        threads,
        rounds: 10,
        seed: 11,
        ..Settings::default()
    };
    vec![
        crowd(200, 1, 1, 1, None),
        crowd(200, 50, 1, 1, None),
        crowd(100, 20, 1, 3, None),
        crowd(2_000, 300, 1, 2, Some(8)),
    ]
}

#[test]
fn safe_strategies_show_no_finding_in_any_crowd() {
    let all = strategies::select(["all"], &Settings::default()).unwrap();
    for strategy in all.into_iter().filter(|strategy| strategy.card().claim == Claim::Safe) {
        for mut settings in crowds() {
            if strategy.card().carts {
                (settings.items, settings.cart) = (4, 2);
            }
            let report = race(strategy, &settings);
            let run = &report.runs[0];
            assert!(run.findings.is_empty(), "{report}");
            assert_eq!(
                run.figures.failed + run.figures.unserved + run.figures.abandoned,
                0,
                "{report}"
            );
        }
    }
}

#[test]
fn broken_strategies_show_what_they_claim() {
    for strategy in strategies::select(["all"], &Settings::default()).unwrap() {
        let claim = strategy.card().claim;
        let Some(kind) = claim.shows() else { continue };
        // On threads nothing goes wrong on purpose.
        if claim.when().iter().any(|(name, _)| Faults::NAMES.contains(name)) {
            continue;
        }
        let shows = (0..MOST_ROUNDS).any(|seed| {
            let settings = Settings {
                buyers: 100,
                stock: 5,
                qty: Demand { least: 1, most: 4 },
                seed: seed.into(),
                ..Settings::default()
            };
            let report = race(strategy, &settings);
            report.runs[0].findings.iter().any(|found| found.kind == kind)
        });
        assert!(shows, "{} never showed {}", strategy.card().name, kind.title());
    }
}

#[test]
fn one_thread_is_no_race_and_the_verdict_says_so() {
    for strategy in strategies::select(["all"], &Settings::default()).unwrap() {
        // A worker is always beside its one buyer, but buyers still never meet.
        let settings = Settings { buyers: 20, threads: Some(1), ..Settings::default() };
        let report = race(strategy, &settings);
        assert_eq!(report.runs[0].evidence, Evidence::Vacuous, "{report}");
    }
}

#[test]
fn every_name_and_alias_finds_its_strategy_and_no_other() {
    let mut names = Vec::new();
    for strategy in every_strategy() {
        let card = strategy.card();
        for name in std::iter::once(&card.name).chain(card.aliases) {
            assert_eq!(find(name).unwrap().card().name, card.name);
            assert!(!names.contains(name), "{name} is taken twice");
            names.push(name);
        }
    }
}
