//! Random schedules, schedules one by one, and drawn ones.

use std::collections::BTreeSet;

use oversell_sim::prelude::*;
use oversell_sim::report::FindingReport;
use oversell_sim::strategies::{every_strategy, find};
use oversell_sim::unstable::explore::{
    Limits, Method, Recording, Sampling, sample, search_all, search_and_draw, search_preempted,
    search_unreduced,
};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Evidence, Exploration, FindingKind};

use crate::fixture::NeverHappy;

fn settings(buyers: u32, stock: i32, seed: u64) -> Settings {
    Settings { buyers, stock, seed, ..Settings::default() }
}

fn random(strategy: &str, settings: &Settings, schedules: u64, method: Method) -> Exploration {
    let sampling = Sampling { schedules, method, until_found: false };
    sample(find(strategy).unwrap(), settings, sampling, || false).unwrap()
}

const METHODS: [Method; 2] = [Method::Plain, Method::Pct { depth: 2 }];

#[test]
fn random_schedules_find_the_double_sale_in_a_crowd_and_leave_out_who_is_not_needed() {
    for method in METHODS {
        let found = random("naive", &settings(50, 1, 7), 2_000, method);
        assert_eq!(found.evidence, Evidence::Broken, "{found}");
        let first = &found.findings[0];
        assert_eq!(first.finding.kind, FindingKind::Oversold);
        assert_eq!(first.timeline.len(), 4, "two buyers are enough: {found}");
    }
}

#[test]
fn what_random_schedules_do_not_find_is_not_proved() {
    for method in METHODS {
        let found = random("cas", &settings(40, 2, 7), 500, method);
        assert_eq!(found.evidence, Evidence::NotSeen, "{found}");
        assert_eq!(found.sampled.unwrap().schedules, 500);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    for method in METHODS {
        let on = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| random("naive", &settings(20, 3, seed), 3_000, method));
            serde_json::to_string(&found).unwrap()
        };
        let alone = on(1, 1);
        assert!(on(2, 1) == alone && on(5, 1) == alone);
        assert!(on(1, 2) != alone, "another seed follows other schedules");
    }
}

#[test]
fn priorities_find_a_bug_of_depth_two_at_least_as_often_as_is_promised() {
    // Two buyers of two steps each: a chance of one in 2 · 4 at least.
    let method = Method::Pct { depth: 2 };
    let found = (0..400)
        .filter(|seed| {
            random("naive", &settings(2, 1, *seed), 1, method).evidence == Evidence::Broken
        })
        .count();
    assert!(found >= 400 / 8, "{found} of 400");
    let sampled = random("naive", &settings(2, 1, 0), 1, method).sampled.unwrap();
    assert_eq!(sampled.chance, Some(1.0 / 8.0));
}

#[test]
fn every_random_finding_replays() {
    for strategy in every_strategy() {
        let shop = Settings {
            qty: oversell_sim::unstable::buyer::Demand { least: 1, most: 2 },
            ..settings(4, 3, 5)
        };
        let shop = match strategy.card().carts {
            true => Settings { items: 2, cart: 2, ..shop },
            false => shop,
        };
        let sampling = Sampling { schedules: 300, method: METHODS[1], until_found: false };
        let found = sample(strategy, &shop, sampling, || false).unwrap();
        for told in found.findings {
            let schedule = told.schedule.parse().unwrap();
            let again =
                oversell_sim::unstable::explore::replay(strategy, &shop, &schedule).unwrap();
            assert_eq!(again.amount_of(told.finding.kind), told.finding.amount, "{again}");
        }
    }
}

/// Not even a step.
struct GivesNoStep;

impl Strategy for GivesNoStep {
    async fn attempt<C: Connection>(&self, _: &mut Session<C>, _: Want) -> Attempt {
        Err(Conflict)
    }
}

#[test]
fn schedules_without_end_are_cut_off_and_said_to_be() {
    let shop = settings(2, 1, 0);
    let sampling = Sampling { schedules: 3, method: Method::Plain, until_found: false };
    let found = sample(&NeverHappy, &shop, sampling, || false).unwrap();
    assert_eq!(found.sampled.unwrap().endless, 3);
    let few = Limits { states: 50_000, ..Limits::default() };
    let one_by_one = search_unreduced(&NeverHappy, &shop, few, || false).unwrap();
    assert_eq!(one_by_one.evidence, Evidence::NotSeen, "it is not complete: {one_by_one}");
    let gone = search_all(&GivesNoStep, &shop, Limits::default(), || false).unwrap();
    assert_eq!(gone.covered.unwrap().states, 1, "who cannot make a step gives up");
}

#[test]
fn one_by_one_everything_comes_out_the_same() {
    for strategy in every_strategy() {
        let shop = match strategy.card().carts {
            true => Settings { items: 2, cart: 2, ..settings(2, 1, 0) },
            false => settings(2, 1, 0),
        };
        let reduced = search_all(strategy, &shop, Limits::default(), || false).unwrap();
        let all = search_unreduced(strategy, &shop, Limits::default(), || false).unwrap();
        let name = strategy.card().name;
        assert!(all.covered.as_ref().unwrap().complete, "{name}");
        assert_eq!(all.evidence, reduced.evidence, "{name}");
        let kinds = |found: &Exploration| -> Vec<_> {
            found.findings.iter().map(|told| told.finding.kind).collect()
        };
        assert_eq!(kinds(&all), kinds(&reduced), "{name}");
        for told in &all.findings {
            let schedule = told.schedule.parse().unwrap();
            let again =
                oversell_sim::unstable::explore::replay(strategy, &shop, &schedule).unwrap();
            assert!(again.amount_of(told.finding.kind) > 0, "{name}: {again}");
        }
    }
}

#[test]
fn a_drawing_has_every_state_and_every_step() {
    let shop = settings(2, 1, 0);
    let naive = find("naive").unwrap();
    let (found, drawn) = search_and_draw(naive, &shop, Limits::default(), || false).unwrap();
    let covered = found.covered.unwrap();
    assert_eq!(drawn.states.len(), covered.states);
    assert_eq!(drawn.steps.len() as u64, covered.transitions);
    for step in &drawn.steps {
        assert!(
            (step.from as usize) < drawn.states.len() && (step.to as usize) < drawn.states.len()
        );
    }
    for state in &drawn.states {
        assert_eq!(
            state.crowd.iter().map(|(_, buyers)| buyers).sum::<u32>(),
            2,
            "no buyer is lost"
        );
    }
    // Both read, one of the two writes, the other one writes.
    let opening = &drawn.states[0];
    assert_eq!(drawn.stores[opening.store as usize].stock, [1]);
    assert_eq!(drawn.kinds[opening.crowd[0].0 as usize].about, "about to read");
}

#[test]
fn a_recording_reads_back_and_gives_itself_away_when_it_was_changed() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("double-sale.toml");
    let shop = Settings { items: 2, cart: 2, ..settings(3, 2, 9) };
    let recording = Recording {
        strategy: Some("cart-order".into()),
        settings: Some(shop),
        schedule: "ABAB".parse().unwrap(),
    };
    let whole = recording.to_string();
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Recording::read(&path).map_err(|error| error.to_string())
    };
    assert_eq!(read(&whole).unwrap(), recording);
    let bare = read(" ABAB\n").unwrap();
    assert_eq!((bare.strategy, bare.schedule), (None, recording.schedule.clone()));
    for cut in 1..whole.trim_end().len() {
        let why = read(&whole[..cut]).map(|read| read.to_string());
        assert!(why.is_err(), "a file cut at {cut} is not read: {why:?}");
    }
    for (from, to, words) in [
        ("ABAB", "ABA", "`steps` is 4, but the schedule has 3"),
        ("ABAB", "AB%B", "expected a buyer"),
        ("buyers = 3", "buyers = 0", "`buyers`: must be from 1"),
        ("buyers", "biyers", "did you mean `buyers`?"),
        ("steps = 4\n", "", "there is no `steps`"),
    ] {
        let why = read(&whole.replace(from, to)).unwrap_err();
        assert!(why.contains(words) && why.contains("double-sale.toml:"), "{why}");
    }
}

/// The kinds of finding, and the evidence.
fn verdict(found: &Exploration) -> (Evidence, BTreeSet<FindingKind>) {
    (found.evidence, found.findings.iter().map(|told| told.finding.kind).collect())
}

#[test]
fn enough_preemptions_come_to_the_same_as_every_interleaving_of_the_model() {
    let everything = Limits { states: 40_000, enough_after_finding: None, ..Limits::default() };
    let mut compared = 0;
    for strategy in every_strategy().filter(|strategy| !strategy.card().carts) {
        // With the faults that the strategy's claim is about.
        let mut shop = settings(2, 1, 0);
        strategy.card().claim.when().iter().for_each(|(name, text)| {
            let _ = shop.set(name, text);
        });
        let shop = Settings { buyers: shop.buyers.min(2), ..shop };
        let all = search_all(strategy, &shop, everything, || false).unwrap();
        let few = search_preempted(strategy, &shop, 100, everything, &|| false).unwrap();
        let name = strategy.card().name;
        let is_livelock = |told: &FindingReport| told.finding.kind == FindingKind::Livelock;
        if !few.orders.as_ref().unwrap().complete || all.findings.iter().any(is_livelock) {
            continue;
        }
        assert_eq!(verdict(&few), verdict(&all), "{name}: {few}{all}");
        compared += 1;
    }
    assert!(compared >= 15, "{compared} were small enough");
}

#[test]
fn few_preemptions_break_the_naive_checkout_and_prove_nothing_of_a_safe_one() {
    let found =
        search_preempted(find("naive").unwrap(), &settings(3, 1, 0), 1, Limits::default(), &|| {
            false
        })
        .unwrap();
    assert_eq!(found.findings[0].finding.kind, FindingKind::Oversold, "{found}");
    let safe =
        search_preempted(find("cas").unwrap(), &settings(3, 1, 0), 0, Limits::default(), &|| false)
            .unwrap();
    assert_eq!(safe.evidence, Evidence::NotSeen, "{safe}");
    assert!(safe.to_string().contains("with at most 0 preemptions"), "{safe}");
}
