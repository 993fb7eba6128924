//! What a reader sees, held word for word, on reports whose figures are known.

use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use oversell_sim::unstable::buyer::Ending::{self, Abandoned, Bought, Rejected, Unserved};
use oversell_sim::unstable::buyer::Visit;
use oversell_sim::unstable::expect::Judge;
use oversell_sim::unstable::render::{self, SourceFile, TestCase, TestSuite, Width};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::threads::Round;
use oversell_sim::{Evidence, Expectation, Report};

use crate::fixture::{report, round, round_of, visit};

fn settings(buyers: u32, rounds: u32) -> Settings {
    Settings { buyers, rounds, seed: 8841, ..Settings::default() }
}

/// Four buyers at once, one unit: one wins, one conflicts first, two come too late.
fn safe_round() -> Round {
    let mut visits: Vec<Visit> =
        [Bought, Rejected, Rejected, Rejected].into_iter().zip(0..).map(at_once).collect();
    visits[1].attempts = 2;
    visits[1].conflicts = 1;
    visits[1].waited_ns = 52_000;
    visits[3].looked = false;
    let mut round = round_of(1, visits);
    round.tally.cas_failures = 1;
    round
}

fn at_once((ending, buyer): (Ending, u32)) -> Visit {
    Visit {
        began_ns: 1_000 + u64::from(buyer),
        last_attempt_ns: 1_000,
        ended_ns: 313_000 + 1_000 * u64::from(buyer),
        ..visit(buyer, 1, ending)
    }
}

fn broken_round() -> Round {
    let visits = [Bought; 12].into_iter().zip(0..).map(at_once).collect();
    let mut round = round_of(1, visits);
    round.books.shelves = vec![0];
    round
}

fn shown(report: &Report) -> String {
    anstream::adapter::strip_str(&render::table(report, Width::UNBOUNDED)).to_string()
}

#[test]
fn a_safe_race() {
    assert_snapshot!(shown(&report("cas", &settings(4, 1), &[safe_round()])));
}

#[test]
fn a_broken_race_over_several_rounds() {
    let mut rounds = [safe_round(), broken_round()];
    rounds[1].number = 2;
    assert_snapshot!(shown(&report("naive", &settings(12, 2), &rounds)));
}

#[test]
fn a_race_in_which_no_two_buyers_met() {
    let one_by_one = round(1, &[Bought, Rejected]);
    assert_snapshot!(shown(&report("conditional", &settings(2, 1), &[one_by_one])));
}

#[test]
fn a_race_with_locks_and_a_queue_and_buyers_who_abandoned_the_purchase() {
    let mut busy =
        round_of(3, [Bought, Abandoned, Unserved].into_iter().zip(0..).map(at_once).collect());
    busy.tally.lock_acquisitions = 3;
    busy.tally.lock_waits = 2;
    for wait_ns in [10_000, 20_000] {
        busy.tally.lock_wait.record(wait_ns);
        busy.tally.lock_hold.record(wait_ns / 10);
    }
    busy.books.deepest_queue = 2;
    assert_snapshot!(shown(&report("pessimistic", &settings(3, 1), &[busy])));
}

/// Two strategies, one expectation that holds and one that does not.
fn comparison() -> Report {
    let settings = settings(12, 1);
    let rounds = [("cas", safe_round()), ("naive", broken_round())];
    let runs = rounds.map(|(strategy, round)| {
        let expected =
            ["oversold = 0", "latency.p99 < 5ms"].map(|text| Expectation::parse(text).unwrap());
        let mut run = report(strategy, &settings, std::slice::from_ref(&round)).runs.remove(0);
        let mut judge = Judge::new(&expected);
        judge.see_round(1, &run.figures);
        run.expectations = judge.conclude(&run.figures, Evidence::NotSeen, None);
        run
    });
    Report::new("memory", settings.in_effect(), runs.into())
}

#[test]
fn a_comparison_of_two() {
    assert_snapshot!(shown(&comparison()));
}

#[test]
fn a_comparison_in_two_lines() {
    assert_snapshot!(anstream::adapter::strip_str(&render::verdicts(
        &comparison(),
        Width::UNBOUNDED
    )));
}

#[test]
fn a_comparison_as_markdown() {
    assert_snapshot!(render::markdown(&comparison()));
}

#[test]
fn a_comparison_as_json() {
    let json = render::json(&comparison()).unwrap();
    assert_snapshot!(json.replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

#[test]
fn a_comparison_as_csv() {
    assert_snapshot!(render::csv(&comparison()).unwrap());
}

#[test]
fn checked_scenarios_as_junit() {
    assert_snapshot!(render::junit("oversell-sim check", &checked()).unwrap());
}

#[test]
fn checked_scenarios_as_annotations() {
    let annotations: String = checked().iter().map(render::annotations).collect();
    assert_snapshot!(annotations);
}

#[test]
fn checked_scenarios_as_a_job_summary() {
    assert_snapshot!(render::job_summary("oversell-sim check", &checked()));
}

/// Two files that were checked: one in which a strategy fell short, and one with a mistake.
fn checked() -> [TestSuite; 2] {
    let mut report = comparison();
    for run in &mut report.runs {
        run.took = Duration::from_millis(1_234);
    }
    let error = oversell_sim::Error::input("scenarios/wrong.toml:1:7: no <key>");
    [
        ("scenarios/both.toml", TestCase::all_of(&report)),
        ("scenarios/wrong.toml", vec![TestCase::of_error("scenario", &error)]),
    ]
    .map(|(path, cases)| TestSuite {
        name: path.to_owned(),
        file: Some(SourceFile { named: path.to_owned(), in_repository: path.to_owned() }),
        began: SystemTime::UNIX_EPOCH,
        took: Duration::from_millis(2_500),
        cases,
    })
}

#[test]
fn the_verdict_word_is_coloured_and_reads_the_same_without() {
    let coloured =
        render::table(&report("cas", &settings(4, 1), &[safe_round()]), Width::UNBOUNDED);
    assert!(coloured.contains("\u{1b}[1m\u{1b}[32mSAFE SO FAR"), "{coloured:?}");
}

#[test]
fn a_search_that_found_something() {
    let naive = oversell_sim::explore(oversell_sim::strategies::naive::Naive);
    assert_snapshot!(naive.run().unwrap());
}

#[test]
fn a_search_that_proved_it() {
    let cas = oversell_sim::explore(oversell_sim::strategies::cas::Cas).buyers(60);
    assert_snapshot!(cas.run().unwrap());
}

#[test]
fn a_search_as_json() {
    let naive = oversell_sim::explore(oversell_sim::strategies::naive::Naive);
    let json = render::json(&naive.run().unwrap()).unwrap();
    assert_snapshot!(json.replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

#[test]
fn a_schedule_with_a_worker() {
    let queue = oversell_sim::explore(oversell_sim::strategies::sequencer::Sequencer);
    assert_snapshot!(queue.replay("AB****").unwrap());
}
