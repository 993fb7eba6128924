//! Shops in virtual time: they repeat to the byte, right ones stay right and broken ones are found, and they
//! agree with what queueing theory says of them.

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use assert_cmd::cargo::cargo_bin;
use insta::assert_snapshot;
use oversell_sim::prelude::*;
use oversell_sim::strategies::find;
use oversell_sim::unstable::buyer::Ending;
use oversell_sim::unstable::command::Command;
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::render;
use oversell_sim::unstable::report::{Figures, Outcome, Run};
use oversell_sim::unstable::round::Round;
use oversell_sim::unstable::seeds::{simulate_all, tell_story};
use oversell_sim::unstable::threads::Control;
use oversell_sim::unstable::timed::theory::MmcQueue;
use oversell_sim::unstable::timed::{SimConfig, Story};
use oversell_sim::{Report, Scenario};
use tempfile::TempDir;

/// A scenario that is shipped.
fn shipped(name: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Scenario::read(&folder.join(format!("{name}.toml"))).unwrap()
}

/// A scenario from its text.
fn written(text: &str) -> Scenario {
    Scenario::parse("written.toml", text).unwrap()
}

fn scene(scenario: &Scenario) -> &SimConfig {
    scenario.scene.as_ref().unwrap()
}

/// So many seeds of a scenario's shop, on so many threads.
fn simulated(scenario: &Scenario, seeds: u32, jobs: usize) -> Report {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().unwrap();
    let control = Control::default();
    pool.install(|| {
        simulate_all(
            &scenario.strategies,
            scene(scenario),
            seeds,
            &[],
            &Command::new("simulate").word("x.toml"),
            &control,
        )
    })
    .unwrap()
}

fn kept(outcome: Outcome) -> Round {
    match outcome {
        Outcome::Kept(round) => *round,
        Outcome::Counted(_) => panic!("so few are kept"),
    }
}

/// One seed of one strategy in a scenario's shop.
fn once(strategy: &dyn DynStrategy, scene: &SimConfig, seed: u64) -> Round {
    kept(strategy.simulate(scene, seed, Story::default(), &|| false).unwrap().0)
}

/// What the program prints of these arguments, in a folder with these files: exit code, stdout, stderr.
fn ran(files: &[(&str, &str)], args: &[&str]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let output =
        Process::new(cargo_bin("oversell-sim")).args(args).current_dir(&folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    for name in ["hold-or-lose", "random-blows", "pipeline", "rice-nearest", "lost-packets"] {
        let scenario = shipped(name);
        let json = |jobs| render::json(&simulated(&scenario, 3, jobs)).unwrap();
        let alone = json(1);
        for jobs in [1, 2, 3] {
            assert_eq!(alone, json(jobs), "{name} on {jobs} threads");
        }
    }
}

#[test]
fn another_seed_is_another_day() {
    let mut scenario = shipped("hold-or-lose");
    let json = |scenario: &Scenario| {
        let report = simulated(scenario, 1, 1);
        serde_json::to_value(report.runs[0].figures).unwrap()
    };
    let first = json(&scenario);
    scenario.scene.as_mut().unwrap().settings.seed += 1;
    assert_ne!(first, json(&scenario));
}

#[test]
fn what_buyers_want_hangs_on_the_seed_that_the_command_names() {
    let mut scenario = written(
        "strategy = \"conditional\"\nbuyers = 20\nstock = 1000\nqty = \"1..9\"\n\
         [[region]]\nname = \"here\"\n[expect]\nfindings = 0\n",
    );
    let sold = |scenario: &Scenario, seed| {
        let round = once(scenario.strategies[0], scene(scenario), seed);
        round.ledger().units_sold()
    };
    let third = sold(&scenario, 3);
    scenario.scene.as_mut().unwrap().settings.seed = 3;
    assert_eq!(third, sold(&scenario, 3), "the third of four seeds, and that seed alone");
    assert_ne!(third, sold(&scenario, 4));
}

#[test]
fn the_story_of_the_last_iphone() {
    let mut scenario = shipped("last-iphone");
    let scene = scenario.scene.as_mut().unwrap();
    scene.settings.seed = 1;
    let (round, lines) = tell_story(scenario.strategies[0], scene, &Control::default()).unwrap();
    assert!(kept(round).ledger().audit().is_empty());
    let story = render::story(&lines, scene.opens_s, render::Width::UNBOUNDED);
    assert_snapshot!(anstream::adapter::strip_str(&story).to_string());
}

#[test]
fn the_story_does_not_say_that_members_agreed_where_the_leader_answered_alone() {
    for (name, said, unsaid) in [
        ("leader-alone", "1 of 3     decides alone: A takes 1", "agree:"),
        ("majority", "2 of 3     quorum: B takes 1", "alone"),
    ] {
        let scenario = shipped(name);
        let scene = scene(&scenario);
        let (_, lines) = tell_story(scenario.strategies[0], scene, &Control::default()).unwrap();
        let story = render::story(&lines, scene.opens_s, render::Width::UNBOUNDED);
        let story = anstream::adapter::strip_str(&story).to_string();
        assert!(story.contains(said) && !story.contains(unsaid), "{name}: {story}");
    }
}

/// Right scenarios, and over how many seeds they are tried at a small size.
const RIGHT: [&str; 18] = [
    "first-packet",
    "waiting-room",
    "hold-or-lose",
    "hoarding",
    "webhook",
    "outbox",
    "authorize",
    "repeatable-read",
    "serializable",
    "rice-nearest",
    "replica-conditional",
    "partition",
    "majority",
    "random-blows",
    "fenced-lease",
    "pipeline",
    "sharded",
    "policies",
];

/// Broken ones, with what must be found.
const BROKEN: [(&str, &str); 19] = [
    ("late-payment", "oversold"),
    ("charge-again", "double_charge"),
    ("finished-twice", "order_without_receipt"),
    ("refund-forgotten", "charged_without_unit"),
    ("charge-first", "charged_without_unit"),
    ("order-first", "unit_without_charge"),
    ("capture-forgotten", "unit_without_charge"),
    ("read-committed", "oversold"),
    ("write-skew", "oversold"),
    ("stale-naive", "oversold"),
    ("acknowledge-leader", "lost_order"),
    ("leader-alone", "oversold"),
    ("unsynced", "lost_order"),
    ("lease-pauses", "oversold"),
    ("fence-writes-only", "oversold"),
    ("worker-twice", "leaked_stock"),
    ("cache-drift", "undersold"),
    ("own-shard-only", "undersold"),
    ("policies-naive", "oversold"),
];

/// The same shop with a fraction of the crowd.
fn small(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    let said = [("buyers", &Some("20".to_owned())), ("stock", &Some("8".to_owned()))];
    Scenario::read_with(&path, &said).unwrap()
}

#[test]
fn right_checkouts_show_nothing_over_many_seeds() {
    for name in RIGHT {
        let scenario = small(name);
        // Members of a group tick and talk all the time, whether a buyer comes or not.
        let seeds = if scene(&scenario).quorum.is_some() { 30 } else { 150 };
        let report = simulated(&scenario, seeds, 2);
        for run in &report.runs {
            assert!(run.findings.is_empty(), "{name}, {}: {:?}", run.strategy, run.findings);
        }
    }
}

#[test]
fn every_broken_twin_is_found_and_its_seed_shows_it_alone() {
    for (name, kind) in BROKEN {
        let scenario = shipped(name);
        let report = simulated(&scenario, scenario.seeds, 2);
        let run = &report.runs[0];
        let found = run.findings.iter().find(|found| found.kind.name() == kind);
        assert!(found.is_some(), "{name}: no {kind} in {:?}", run.findings);
        let seed = run.again.rsplit(' ').next().unwrap().parse().unwrap();
        let alone = once(scenario.strategies[0], scene(&scenario), seed).ledger().audit();
        let worst = run.worst.as_ref().unwrap();
        let amounts: Vec<_> = alone.iter().map(|finding| (finding.kind, finding.amount)).collect();
        for (kind, amount) in amounts {
            assert_eq!(worst.figures.amount_of(kind), amount, "{name} {kind:?}, seed {seed}");
        }
        assert_eq!(worst.figures.findings, alone.len() as u64, "{name}, seed {seed}");
        assert!(!alone.is_empty(), "{name}: nothing with seed {seed} alone");
    }
}

/// All scenarios that are shipped and simulated, with their paths.
fn all_simulated() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, Scenario::read(&path).unwrap())
    };
    paths.into_iter().map(read).filter(|(_, scenario)| scenario.scene.is_some()).collect()
}

#[test]
fn what_a_scenario_expects_shows_at_its_first_seed_and_littles_law_holds_in_its_report() {
    for (name, scenario) in all_simulated() {
        let control = Control::default();
        let (strategies, expected) = (&scenario.strategies, &scenario.expectations);
        let report = simulate_all(
            strategies,
            scene(&scenario),
            1,
            expected,
            &Command::new("simulate").word("x.toml"),
            &control,
        )
        .unwrap();
        for run in &report.runs {
            assert!(run.met_expectations(), "{name}: {:?}", run.unmet().collect::<Vec<_>>());
            assert_eq!(run.figures.buyers, scene(&scenario).rush.buyers(), "{name}");
            assert_eq!(run.figures.unserved, 0, "{name}");
            // L = λW: how many are inside, counted as time goes by, beside how long each visit took.
            let Figures { checkouts_per_second: rate, mean_latency, mean_inside, .. } = run.figures;
            assert_near(mean_inside, rate * mean_latency as f64 / 1e9, 1e-6);
        }
    }
}

#[test]
fn no_buyer_buys_while_there_is_no_majority() {
    let scenario = shipped("partition");
    // At four seconds the second of three is gone; what was agreed on by then may still be on its way to
    // its buyer. At eight they are back.
    let dark = 4_300_000_000..8_000_000_000_u64;
    for strategy in &scenario.strategies {
        for seed in 0..20 {
            let round = once(*strategy, scene(&scenario), seed);
            let bought: Vec<u64> = round
                .visits
                .iter()
                .filter(|visit| visit.receipt().is_some())
                .map(|visit| visit.ended_ns)
                .collect();
            assert!(bought.iter().all(|at_ns| !dark.contains(at_ns)), "seed {seed}");
            for part in [0..dark.start, dark.end..u64::MAX] {
                assert!(bought.iter().any(|at_ns| part.contains(at_ns)), "seed {seed}");
            }
        }
    }
}

/// Three members, of whom a hold and its end must be agreed on.
fn group(more: &str) -> Scenario {
    written(&format!(
        "strategy = \"hold\"\nbuyers = 60\nstock = 30\nclicks = \"uniform:5s\"\n\
         [[region]]\nname = \"here\"\nway = \"10ms\"\n[shop]\nhold_ttl = \"10s\"\n\
         [wallet]\npays = \"200ms..1s\"\nnever_pays = \"30%\"\n\
         [quorum]\nanswer_within = \"1s\"\n[[member]]\nname = \"Rome\"\n\
         [[member]]\nname = \"Oslo\"\nway = \"30ms\"\n[[member]]\nname = \"Bern\"\nway = \"10ms\"\n\
         {more}[expect]\nfindings = 0\n"
    ))
}

#[test]
fn a_group_takes_back_what_hoarders_held_also_after_the_last_has_left() {
    let scenario = group("");
    for seed in 0..50 {
        let round = once(scenario.strategies[0], scene(&scenario), seed);
        assert_eq!(round.ledger().audit(), [], "seed {seed}");
        assert!(round.tally.holds_expired > 0, "seed {seed}");
    }
}

#[test]
fn money_that_moved_without_a_majority_is_looked_after_once_there_is_one() {
    let scenario = group(
        "[[blow]]\nat = \"2s\"\ncut_off = [\"Rome\"]\n[[blow]]\nat = \"2s\"\ncrash = \"Bern\"\n\
                          [[blow]]\nat = \"4s\"\nrestart = \"Bern\"\n[[blow]]\nat = \"9s\"\nheal = \"all\"\n",
    );
    for seed in 0..50 {
        let round = once(scenario.strategies[0], scene(&scenario), seed);
        assert_eq!(round.ledger().audit(), [], "seed {seed}");
    }
}

#[test]
fn a_group_that_never_has_a_majority_again_does_not_keep_the_shop_open_for_ever() {
    let scenario =
        group("[[blow]]\nat = \"2s\"\ncrash = \"Oslo\"\n[[blow]]\nat = \"2s\"\ncrash = \"Bern\"\n");
    let round = once(scenario.strategies[0], scene(&scenario), 0);
    assert_eq!(round.visits.len(), 60);
}

#[test]
fn an_order_is_taken_back_at_every_isolation_level() {
    for level in ["read-committed", "repeatable-read", "serializable"] {
        let scenario = written(&format!(
            "strategy = \"outbox\"\nisolation = \"{level}\"\nbuyers = 100\nstock = 50\n\
             clicks = \"uniform:1s\"\n[[region]]\nname = \"here\"\nway = \"exponential:10ms\"\n\
             [provider]\ndeclines = \"20%\"\n[expect]\nfindings = 0\n"
        ));
        let report = simulated(&scenario, 50, 2);
        assert!(report.runs[0].findings.is_empty(), "{level}: {:?}", report.runs[0].findings);
        assert!(report.runs[0].figures.declined > 0);
    }
}

/// A small shop, to which tests add what is wrong.
const SHOP: &str = "strategy = \"hold\"\nbuyers = 4\n[expect]\nfindings = 0\n";
const HERE: &str = "[[region]]\nname = \"here\"\nway = \"20ms\"\n";
const GROUP: &str = "[quorum]\n[[member]]\nname = \"Rome\"\n[[member]]\nname = \"Oslo\"\n";

#[test]
fn a_world_that_cannot_be_is_one_line_with_its_place() {
    let shop = |more: &str| format!("{SHOP}{HERE}{more}");
    let group = |more: &str| format!("{SHOP}{HERE}{GROUP}{more}");
    for (text, words) in [
        (
            format!("seeds = 3\n{SHOP}"),
            "w.toml:1:1: there are no regions: add a table such as `[[region]]`",
        ),
        (
            format!("{SHOP}[[region]]\nname = \"here\"\nway = \"-3ms\"\n"),
            "w.toml:7:7: `way`: nothing takes less than no time",
        ),
        (format!("{SHOP}[[region]]\nname = \"here\"\nway = \"3\"\n"), "w.toml:7:7: `way`: "),
        (format!("{SHOP}[[region]]\nway = \"3ms\"\n"), "w.toml:5:1: this region has no name"),
        (format!("{SHOP}{HERE}{HERE}"), "w.toml:8:1: there is another region called `here`"),
        (format!("{SHOP}{HERE}share = 0\n"), "w.toml:5:3: every region's `share` is 0"),
        (shop("[shop]\nserver = 3\n"), "w.toml:9:1: unknown key `server`; did you mean `servers`?"),
        (
            shop("[shop]\nbalancer = \"hsh\"\n"),
            "w.toml:9:12: `balancer`: no balancer `hsh`; did you mean `hash`?",
        ),
        (
            shop("[shop]\ndoor = \"revolving\"\n"),
            "w.toml:9:8: `door`: expected open, token-bucket:100/s",
        ),
        (
            shop("[shop]\nhold_ttl = \"30ms\"\n"),
            "w.toml:9:12: `hold_ttl`: shorter than a packet's way",
        ),
        (
            shop("[wallet]\nnever_pays = \"140%\"\n"),
            "w.toml:9:14: `never_pays`: expected a share from 0% to 100%",
        ),
        (shop("[provider]\ndeclines = 1.5\n"), "w.toml:9:12: `declines`: expected a share"),
        (
            shop("[faults]\ncrashes = 1\n"),
            "w.toml:9:11: `crashes`: must be at most 99.9%: if every op ends in a crash",
        ),
        (
            shop("[provider]\nloses_answers = \"100%\"\n"),
            "w.toml:9:17: `loses_answers`: must be at most 99.9%",
        ),
        (
            shop("[faults]\nloss = \"100%\"\n"),
            "w.toml:9:8: `loss`: must be at most 99.9%: if every packet is lost, no buyer ever arrives",
        ),
        (
            shop("[faults]\nloss = \"99.99999999999%\"\n"),
            "w.toml:9:8: `loss`: must be at most 99.9%: if every packet is lost",
        ),
        (
            shop("[faults]\ncrashs = \"1%\"\n"),
            "w.toml:9:1: unknown key `crashs`; did you mean `crashes`?",
        ),
        (
            shop("[replicas]\nreads = \"leeder\"\n"),
            "w.toml:9:9: `reads`: no policy `leeder`; did you mean `leader`?",
        ),
        (
            format!("quorom = 3\n{SHOP}{HERE}"),
            "w.toml:1:1: unknown key `quorom`; did you mean `quorum`?",
        ),
        (
            format!("opens = \"25:00:00\"\n{SHOP}{HERE}"),
            "w.toml:1:9: `opens`: expected a time of day",
        ),
        (format!("seeds = 0\n{SHOP}{HERE}"), "w.toml:1:9: `seeds`: must be from 1 to"),
        (
            format!("clicks = \"poison:3/s\"\n{SHOP}{HERE}"),
            "w.toml:1:10: `clicks`: there is no `poison`",
        ),
        (
            format!("crashes = 1\n{SHOP}{HERE}"),
            "w.toml:1:1: `crashes` counts faults for `explore`; of a simulated shop, say",
        ),
        (
            format!("{SHOP}{HERE}").replace("[expect]", "rounds = 3\n[expect]"),
            "w.toml:3:1: `rounds` is for races on threads, and this is a simulated shop",
        ),
        (
            shop("[[product]]\nreads = \"leader\"\n"),
            "w.toml:8:1: this product has no name: add a line such as `name = \"rice\"`",
        ),
        (
            shop("[[product]]\nname = \"rice\"\nreads = \"nearest\"\n"),
            "w.toml:10:9: there are no copies to be read, or not: add a table `[replicas]`",
        ),
        (
            shop("[[product]]\nname = \"rice\"\n[[product]]\nname = \"tea\"\n"),
            "w.toml:8:3: 2 products named, and the shop has 1 product: write `items = 2`",
        ),
        (
            shop("[[product]]\nname = \"rice\"\n[[product]]\nname = \"rice\"\n"),
            "w.toml:10:1: there is another product called `rice`",
        ),
        (shop("[quorum]\n"), "w.toml:8:2: a group has 2 to 15 members, and 0 are named"),
        (
            shop("[quorum]\n[[member]]\nname = \"Rome\"\n"),
            "w.toml:9:3: a group has 2 to 15 members, and 1 ",
        ),
        (
            shop("[[member]]\nname = \"Rome\"\n"),
            "w.toml:8:3: members and blows are a group's: add a table `[quorum]`",
        ),
        (
            group("[[member]]\nname = \"Oslo\"\n"),
            "w.toml:13:1: there is another member called `Oslo`",
        ),
        (group("[[member]]\nname = \"Bern\"\nshare = 2\n"), "w.toml:15:1: unknown key `share`"),
        (
            group("[[blow]]\nat = \"2s\"\ncrash = \"Olso\"\n"),
            "w.toml:15:9: no member is called `Olso`; did you mean `Oslo`?",
        ),
        (group("[[blow]]\nat = \"2s\"\ncut_off = []\n"), "w.toml:15:11: `cut_off` names no member"),
        (
            group("[[blow]]\ncut_off = [\"Rome\", \"Oslo\"]\n"),
            "w.toml:14:11: `cut_off` names every member",
        ),
        (group("[[blow]]\nat = \"2s\"\n"), "w.toml:13:1: a blow says what happens"),
        (group("[[blow]]\ncrash = \"Rome\"\nheal = \"all\"\n"), "w.toml:15:1: a blow is one thing"),
        (
            group("[[blow]]\ncrashes = \"Rome\"\n"),
            "w.toml:14:1: unknown key `crashes`; did you mean `crash`?",
        ),
    ] {
        let (code, out, err) = ran(&[("w.toml", &text)], &["simulate", "w.toml"]);
        assert_eq!((code, out.as_str()), (2, ""), "{text}: {err}");
        assert!(err.starts_with(&format!("error: {words}")), "{text}: {err}");
    }
}

#[test]
fn flags_that_make_no_sense_are_one_line_and_exit_2() {
    let text = format!("{SHOP}{HERE}");
    let race = "strategy = \"cas\"\nbuyers = 4\n[expect]\nfindings = 0\n";
    let group = format!("{text}{GROUP}");
    let files = [("w.toml", text.as_str()), ("race.toml", race), ("group.toml", &group)];
    for (args, words) in [
        (&["w.toml", "--seeds", "0"][..], "--seeds"),
        (&["w.toml", "--hold-ttl", "0ms"], "a hold that does not stand is none"),
        (&["w.toml", "--hold-ttl", "30ms"], "--hold-ttl: shorter than a packet's way"),
        (&["w.toml", "--buyers", "0"], "must be from 1 to 10,000,000"),
        (&["w.toml", "-S", "hodl"], "did you mean `hold`?"),
        (&["race.toml"], "race.toml is a race on threads, not a simulated shop"),
        (&["no.toml"], "cannot read the scenario no.toml"),
        (&["group.toml", "-S", "pessimistic"], "pessimistic needs lock"),
        (&["group.toml", "-S", "sequencer"], "leave [quorum] out"),
        (&["group.toml", "-S", "outbox"], "leave [quorum] out"),
    ] {
        let (code, out, err) = ran(&files, &[&["simulate"], args].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.starts_with("error: ") && err.contains(words), "{args:?}: {err}");
    }
}

#[test]
fn recorded_clicks_that_are_wrong_are_told_by_line_and_number() {
    let text = format!("clicks = \"csv:c.csv\"\n{SHOP}{HERE}");
    let bad = "at,region\n0.1,here\nsoon,here\n0.3,here\nlater,here\n";
    for (csv, words) in [
        (Some(bad), "c.csv:3: "),
        (Some(bad), "1 more"),
        (
            Some("at,region\n0.1,hree\n"),
            "clicks come from `hree`, and no [[region]] is called so; did you mean `here`?",
        ),
        (Some("at\n"), "c.csv"),
        (None, "cannot read the clicks"),
    ] {
        let files = [("w.toml", text.as_str()), ("c.csv", csv.unwrap_or_default())];
        let (code, out, err) =
            ran(&files[..1 + usize::from(csv.is_some())], &["simulate", "w.toml"]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.starts_with("error: w.toml:1:10: ") && err.contains(words), "{err}");
    }
}

#[test]
fn what_a_scenario_expects_of_its_own_crowd_is_not_asked_of_another() {
    let text = format!("{SHOP}{HERE}").replace("findings = 0", "winners = 1");
    let simulate =
        |more: &[&str]| ran(&[("w.toml", &text)], &[&["simulate", "w.toml"], more].concat());
    let (code, out, _) = simulate(&["--strategy", "hold"]);
    assert!(code == 0 && out.contains("winners = 1"), "{out}");
    let (code, out, _) = simulate(&["--stock", "3"]);
    assert!(code == 0 && !out.contains("Expected"), "{out}");
    let (code, out, _) = simulate(&["--stock", "3", "--expect", "winners = 1"]);
    assert!(code == 1 && out.contains("NOT MET"), "{out}");
}

#[test]
fn an_oversell_is_exit_0_and_an_expectation_that_falls_short_exit_1() {
    let naive = "strategy = \"naive\"\nbuyers = 9\nseeds = 5\n";
    let shop = |expected: &str| format!("{naive}[expect]\n{expected}\n{HERE}");
    for (expected, code) in [("evidence = \"broken\"", 0), ("oversold = 0", 1)] {
        let text = shop(expected);
        let (seen, out, _) = ran(&[("w.toml", &text)], &["simulate", "w.toml", "-q"]);
        assert_eq!(seen, code, "{out}");
        assert!(out.contains("BROKEN"), "{out}");
        let (seen, out, _) = ran(&[("w.toml", &text)], &["check", "w.toml"]);
        assert_eq!(seen, code, "{out}");
    }
}

/// Many buyers at a shop that is nothing but a queue.
fn queue(rate: u32, workers: u32, mean: &str, buyers: u32) -> Scenario {
    written(&format!(
        "strategy = \"conditional\"\nbuyers = {buyers}\nstock = {buyers}\npatience = \"1h\"\n\
         clicks = \"poisson:{rate}/s\"\n[[region]]\nname = \"here\"\nway = \"0ms\"\n\
         [shop]\nservers = 1\nworkers = {workers}\nservice = \"exponential:{mean}\"\nstore = \"0ms\"\n\
         think = \"0ms\"\n[expect]\nfindings = 0\n"
    ))
}

/// Mean time inside, in seconds, over so many seeds.
fn mean_stay_s(scenario: &Scenario, seeds: u64) -> f64 {
    let stays: Vec<f64> = (0..seeds)
        .flat_map(|seed| once(scenario.strategies[0], scene(scenario), seed).visits)
        .map(|visit| (visit.ended_ns - visit.began_ns) as f64 / 1e9)
        .collect();
    stays.iter().sum::<f64>() / stays.len() as f64
}

fn assert_near(value: f64, expected: f64, within: f64) {
    assert!((value / expected - 1.0).abs() <= within, "{value}, not {expected}");
}

#[test]
fn buyers_wait_in_line_for_as_long_as_erlang_says() {
    // A hundred a second come, and each server does so many a second: at 70 % load.
    for (workers, mean, served_per_s) in [(1, "7ms", 1.0 / 0.007), (4, "28ms", 1.0 / 0.028)] {
        let stay_s = mean_stay_s(&queue(100, workers, mean, 25_000), 4);
        let theory = MmcQueue::new(100.0, served_per_s, workers).unwrap();
        assert_near(stay_s - 1.0 / served_per_s, theory.mean_wait_s(), 0.05);
    }
}

#[test]
fn as_many_are_inside_as_come_while_one_is_inside() {
    // Little's law, of a shop with a network, a queue and a hold that is paid for.
    let scenario = written(
        "strategy = \"hold\"\nbuyers = 20_000\nstock = 20_000\nclicks = \"poisson:200/s\"\n\
         [[region]]\nname = \"near\"\nway = \"lognormal:5ms,0.3\"\n\
         [[region]]\nname = \"far\"\nway = \"lognormal:90ms,0.3\"\n\
         [shop]\nworkers = 12\nservice = \"exponential:10ms\"\n[wallet]\npays = \"exponential:1s\"\n\
         [expect]\nfindings = 0\n",
    );
    let visits = once(scenario.strategies[0], scene(&scenario), 1).visits;
    assert_eq!(visits.len(), 20_000);
    // From 10 s to 90 s after the opening nothing shows that it ever opened or that it will close.
    let (from, until) = (10_000_000_000, 90_000_000_000_u64);
    let window_s = (until - from) as f64 / 1e9;
    let inside: u64 = visits
        .iter()
        .map(|visit| visit.ended_ns.min(until).saturating_sub(visit.began_ns.max(from)))
        .sum();
    let mean_inside = inside as f64 / 1e9 / window_s;
    let came: Vec<_> =
        visits.iter().filter(|visit| (from..until).contains(&visit.began_ns)).collect();
    let rate_per_s = came.len() as f64 / window_s;
    let stays: u64 = came.iter().map(|visit| visit.ended_ns - visit.began_ns).sum();
    let mean_stay_s = stays as f64 / 1e9 / came.len() as f64;
    assert_near(mean_inside, rate_per_s * mean_stay_s, 0.02);
}

#[test]
fn a_line_of_a_hundred_thousand_who_have_lost_patience_goes_home() {
    let scenario = written(
        "strategy = \"conditional\"\nbuyers = 100_000\nstock = 1_000_000\npatience = \"1s\"\n\
         [[region]]\nname = \"here\"\nway = \"10ms\"\n\
         [shop]\nservers = 1\nworkers = 1\nservice = \"1ms\"\nstore = \"0ns\"\n\
         [expect]\nfindings = 0\n",
    );
    let report = simulated(&scenario, 1, 1);
    let figures = &report.runs[0].figures;
    // A millisecond each: the first begins when it has come, at 10 ms, and the last at 1,000 ms.
    assert_eq!((figures.winners, figures.abandoned), (991, 99_009));
}

#[test]
fn a_sold_out_sign_keeps_buyers_from_the_store_and_one_that_stays_from_what_comes_back() {
    let figures = |sign_ns| {
        let mut scenario = shipped("sold-out-stays");
        scenario.scene.as_mut().unwrap().shop.sold_out_sign_ns = sign_ns;
        let report = simulated(&scenario, 10, 2);
        let figures = &report.runs[0].figures;
        (figures.attempts, figures.stock_left)
    };
    let [none, short, stays] = [0, 2_000_000_000, 3_600_000_000_000].map(figures);
    assert_eq!(none.0, 3_000, "without a sign every buyer asks");
    assert!(none.0 > short.0 && short.0 > stays.0, "{none:?} {short:?} {stays:?}");
    assert!(stays.1 > 2 * short.1.max(1), "{none:?} {short:?} {stays:?}");
}

#[test]
fn writes_of_one_row_take_their_turn_and_those_of_shards_go_side_by_side() {
    // A thousand at once, a millisecond a sale: the last of one row waits for a thousand, of four for 250.
    let last = |strategy: &str| {
        let scenario = written(&format!(
            "strategy = \"{strategy}\"\nbuyers = 1_000\nstock = 1_000\n\
             [[region]]\nname = \"here\"\nway = \"0ns\"\n\
             [shop]\nworkers = 1_000\nservice = \"0ns\"\nstore = \"0ns\"\nrow_write = \"1ms\"\n\
             [expect]\nfindings = 0\n"
        ));
        let round = once(scenario.strategies[0], scene(&scenario), 1);
        assert!(round.ledger().audit().is_empty());
        round.visits.iter().map(|visit| visit.ended_ns).max().unwrap()
    };
    assert_eq!(last("conditional"), 1_000_000_000);
    assert_eq!(last("sharded"), 250_000_000);
    // In a transaction it is the commit that writes.
    assert_eq!(last("commit-unsynced"), 1_000_000_000);
}

/// Looks at the stock before it holds a unit, and then pays for it.
struct LookThenHold;

impl Strategy for LookThenHold {
    fn about(&self) -> About {
        About::of_type::<Self>().needing(&[OpKind::Read, OpKind::Hold])
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if shop.read(want.item).await? < want.qty || !shop.hold(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.away().await?;
        shop.confirm(want.item).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}

#[test]
fn copies_hear_of_what_a_hold_gives_back() {
    let scenario = written(
        "strategy = \"hold\"\nbuyers = 5\nstock = 1\nclicks = \"poisson:1/h\"\n\
         [[region]]\nname = \"here\"\nway = \"1ms\"\n[shop]\nhold_ttl = \"1s\"\n\
         [wallet]\nnever_pays = \"100%\"\n[replicas]\nlag = \"1ms\"\n[expect]\nfindings = 0\n",
    );
    let round = once(&LookThenHold, scene(&scenario), 1);
    assert_eq!(round.tally.holds_expired, 5, "each finds the unit that the last has left");
}

#[test]
fn what_is_read_in_a_transaction_is_read_from_the_leader() {
    let scenario = written(
        "strategy = \"transaction\"\nisolation = \"repeatable-read\"\nbuyers = 40\nstock = 20\n\
         clicks = \"uniform:2s\"\n[[region]]\nname = \"here\"\nway = \"1ms\"\n\
         [replicas]\nlag = \"1h\"\n[expect]\nfindings = 0\n",
    );
    let round = once(scenario.strategies[0], scene(&scenario), 1);
    assert!(round.ledger().audit().is_empty());
    assert_eq!(round.tally.stale_reads, [0], "the copies are an hour behind");
    assert_eq!(round.books.shelves, [0]);
}

/// A worker that is disturbed by every buyer that joins the queue.
struct DisturbedWorker;

impl Strategy for DisturbedWorker {
    fn about(&self) -> About {
        About::of_type::<Self>().needing(&[
            OpKind::Queue,
            OpKind::ReadVersioned,
            OpKind::WriteIfVersion,
        ])
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let (stock, version) = shop.read_versioned(want.item).await?;
        shop.write_if_version(want.item, version, stock).await?;
        shop.submit(want).await?;
        if shop.answer().await? { Ok(Bought) } else { Err(SoldOut) }
    }

    async fn serve<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<bool, Missed> {
        let (stock, version) = shop.read_versioned(want.item).await?;
        if stock < want.qty {
            return Ok(false);
        }
        shop.think().await?;
        if !shop.write_if_version(want.item, version, stock - want.qty).await? {
            return Err(Conflict);
        }
        shop.place_order(want).await?;
        Ok(true)
    }
}

#[test]
fn a_worker_who_meets_a_conflict_serves_the_same_buyer_again() {
    let scenario = written(
        "strategy = \"sequencer\"\nbuyers = 40\nstock = 20\nclicks = \"uniform:20ms\"\n\
         [[region]]\nname = \"here\"\nway = \"1ms\"\n[expect]\nfindings = 0\n",
    );
    let round = once(&DisturbedWorker, scene(&scenario), 1);
    let ended = |ending| round.visits.iter().filter(|visit| visit.ending == ending).count();
    assert_eq!((ended(Ending::Bought), ended(Ending::Rejected)), (20, 20));
    assert!(round.tally.version_conflicts > 0, "no buyer disturbed the worker");
}

#[test]
fn the_report_names_winners_who_clicked_after_a_rejected_buyer() {
    let scenario = shipped("first-packet");
    let report = simulated(&scenario, 3, 2);
    for run in &report.runs {
        let worst = run.worst.as_ref().unwrap();
        let seed = scene(&scenario).settings.seed + u64::from(worst.number) - 1;
        let strategy = find(&run.strategy).unwrap();
        let round = once(strategy, scene(&scenario), seed);
        let visit = |buyer| round.visits.iter().find(|visit| visit.buyer == buyer).unwrap();
        assert_eq!(worst.overtakings.len() as u64, worst.figures.overtakings);
        assert!(worst.overtakings.is_sorted_by(|one, other| one.later >= other.later));
        for overtaking in &worst.overtakings {
            let (winner, loser) = (visit(overtaking.winner), visit(overtaking.loser));
            assert_eq!((winner.ending, loser.ending), (Ending::Bought, Ending::Rejected));
            assert_eq!(winner.began_ns, loser.began_ns + overtaking.later);
        }
    }
    let fair = simulated(&shipped("waiting-room"), 3, 2);
    assert!(fair.runs[0].worst.as_ref().unwrap().overtakings.is_empty());
}

#[test]
fn a_product_is_read_where_its_policy_says_and_reported_on_its_own() {
    let report = simulated(&shipped("policies"), 5, 2);
    let [iphone, rice] = &report.runs[0].products[..] else { panic!("{report}") };
    assert_eq!((iphone.name.as_str(), iphone.reads), ("iPhone", Some("leader")));
    assert_eq!((rice.name.as_str(), rice.reads), ("rice", Some("nearest")));
    assert_eq!((iphone.units_sold, rice.units_sold), (250, 250));
    assert_eq!(iphone.stale_reads, 0);
    assert!(rice.stale_reads > 0 && rice.latency.p50 < iphone.latency.p50 / 5, "{report}");
    assert_eq!(report.runs[0].figures.stale_reads, rice.stale_reads);
    let naive = simulated(&shipped("policies-naive"), 5, 2);
    let oversold = |run: &Run| run.products.iter().map(|product| product.oversold).sum::<u64>();
    assert_eq!(oversold(&naive.runs[0]), naive.runs[0].figures.oversold);
}
