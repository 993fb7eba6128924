//! Random checkouts against the checker: `cargo bench --bench adversary -- --number 10000`.
//!
//! Each is made from one seed, searched with and without leaving orders out, and raced if it was proved. What
//! contradicts itself is written to a folder of its own, as small as it could be made, to be run again:
//! `oversell-sim explore --checkout FOLDER/checkout.toml`, and the same with `--no-reduce`, or `race`.

#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

#[path = "../tests/adversary/mod.rs"]
mod adversary;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::thread;
use std::time::Duration;

use adversary::check::{Bounds, Hosts, Kind, Verdict};
use adversary::generate::checkout;
use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim::{Evidence, StoreKind};

const USAGE: &str = "\
--number N       how many checkouts of each dialect [100]
--seed N         the first one's seed [1]
--dialect NAME   postgres, mysql, sqlite or redis [all of them]
--races N        rounds of what was proved [200]
--size N         the most orders of a checkout in which no buyer waits [500]
--orders N       the most orders of a search, where buyers come again [1500]
--jobs N         work on so many at once, of each dialect [1]
--seconds N      the longest that a search, or the races of a checkout, may take [30]
--out FOLDER     where contradictions go [target/contradictions]
--outcomes       race what is broken, too: each race must end in a way that the search has seen
--show           print each checkout's verdict
--keep           write each checkout";

/// What was asked for.
struct Asked {
    number: u64,
    seed: u64,
    dialects: Vec<StoreKind>,
    size: u64,
    jobs: u64,
    bounds: Bounds,
    out: PathBuf,
    shows: bool,
    keeps: bool,
}

/// What came of a dialect's checkouts.
#[derive(Default)]
struct Counts {
    proved: u64,
    broken: u64,
    too_large: u64,
    incomplete: u64,
    refused: u64,
    failed: u64,
    races: u64,
    orders: (u64, u64),
    contradictions: BTreeMap<Kind, u64>,
}

fn main() {
    let asked = asked();
    let mut contradictions = 0;
    thread::scope(|scope| {
        let begun: Vec<_> = asked
            .dialects
            .iter()
            .map(|dialect| {
                let jobs: Vec<_> = (0..asked.jobs)
                    .map(|job| {
                        scope.spawn({
                            let asked = &asked;
                            move || run(*dialect, asked, job)
                        })
                    })
                    .collect();
                (dialect, Wall::start(), jobs)
            })
            .collect();
        for (dialect, clock, jobs) in begun {
            let counts = jobs
                .into_iter()
                .map(|job| job.join().unwrap())
                .fold(Counts::default(), Counts::and);
            contradictions += counts.contradictions.values().sum::<u64>();
            println!("{dialect}: {} in {} s", counts.told(), clock.now() / 1_000_000_000);
        }
    });
    if contradictions > 0 {
        println!("contradictions are in {}", asked.out.display());
        exit(1);
    }
}

/// Every so manyth checkout of a dialect, on servers of its own.
fn run(dialect: StoreKind, asked: &Asked, job: u64) -> Counts {
    let mut hosts = Hosts::default();
    let mut counts = Counts::default();
    let folder = tempfile::tempdir().unwrap();
    for seed in
        (asked.seed..asked.seed + asked.number).skip(job as usize).step_by(asked.jobs as usize)
    {
        let recipe = checkout(dialect, seed, asked.size);
        let began = Wall::start();
        let verdict = hosts.check(&recipe, folder.path(), asked.bounds);
        if asked.shows {
            let took = began.now() / 1_000_000;
            println!("{dialect} {seed}: {took} ms: {}: {verdict:?}", recipe.title);
        }
        let written = match &verdict {
            Verdict::Contradiction(kind, why) => {
                let shrunk = hosts.shrink(&recipe, *kind, folder.path(), asked.bounds);
                let (smallest, why) = shrunk.unwrap_or_else(|| (recipe.clone(), why.clone()));
                Some((format!("{kind:?}"), smallest, why))
            }
            Verdict::Failed(why) => Some(("failed".into(), recipe, why.clone())),
            Verdict::Incomplete(why) => Some(("incomplete".into(), recipe, why.clone())),
            _ if asked.keeps => Some(("kept".into(), recipe, format!("{verdict:?}"))),
            _ => None,
        };
        if let Some((what, recipe, why)) = written {
            let out = asked.out.join(format!("{what}-{dialect}-{seed}").to_lowercase());
            recipe.write(&out).unwrap();
            fs::write(out.join("why.txt"), format!("{why}\n")).unwrap();
            println!(
                "{dialect} {seed}: {}: {}",
                out.display(),
                why.lines().next().unwrap_or_default()
            );
        }
        counts.take_in(&verdict);
    }
    counts
}

impl Counts {
    fn take_in(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Agreed { evidence, orders, races } => {
                let count =
                    if *evidence == Evidence::Proved { &mut self.proved } else { &mut self.broken };
                *count += 1;
                self.races += u64::from(*races);
                self.orders = (self.orders.0 + orders.0, self.orders.1 + orders.1);
            }
            Verdict::TooLarge => self.too_large += 1,
            Verdict::Incomplete(_) => self.incomplete += 1,
            Verdict::Refused(_) => self.refused += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Contradiction(kind, _) => *self.contradictions.entry(*kind).or_default() += 1,
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.proved += other.proved;
        self.broken += other.broken;
        self.too_large += other.too_large;
        self.incomplete += other.incomplete;
        self.refused += other.refused;
        self.failed += other.failed;
        self.races += other.races;
        self.orders = (self.orders.0 + other.orders.0, self.orders.1 + other.orders.1);
        for (kind, number) in other.contradictions {
            *self.contradictions.entry(kind).or_default() += number;
        }
        self
    }

    fn told(&self) -> String {
        let Self {
            proved,
            broken,
            too_large,
            incomplete,
            refused,
            failed,
            races,
            orders,
            contradictions,
        } = self;
        format!(
            "{} agreed ({proved} proved, {broken} broken; {} of {} orders, {races} races), {too_large} too large, \
             {incomplete} incomplete, {refused} refused, {failed} failed, contradictions: {contradictions:?}",
            proved + broken,
            orders.0,
            orders.1
        )
    }
}

fn asked() -> Asked {
    let bounds = Bounds {
        orders: 1_500,
        time: Duration::from_secs(30),
        races: 200,
        compares_outcomes: false,
    };
    let dialects = vec![StoreKind::Postgres, StoreKind::Mysql, StoreKind::Sqlite, StoreKind::Redis];
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/contradictions");
    let mut asked = Asked {
        number: 100,
        seed: 1,
        dialects,
        size: 500,
        jobs: 1,
        bounds,
        out,
        shows: false,
        keeps: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value\n{USAGE}"));
        let number = |text: String| {
            text.parse::<u64>().unwrap_or_else(|_| panic!("{text} is no number\n{USAGE}"))
        };
        match word.as_str() {
            "--number" => asked.number = number(value()),
            "--seed" => asked.seed = number(value()),
            "--dialect" => asked.dialects = vec![StoreKind::parse(&value()).unwrap()],
            "--races" => asked.bounds.races = number(value()) as u32,
            "--size" => asked.size = number(value()),
            "--jobs" => asked.jobs = number(value()).max(1),
            "--orders" => asked.bounds.orders = number(value()),
            "--seconds" => asked.bounds.time = Duration::from_secs(number(value())),
            "--out" => asked.out = value().into(),
            "--outcomes" => asked.bounds.compares_outcomes = true,
            "--keep" => asked.keeps = true,
            "--show" => asked.shows = true,
            // What cargo itself says to a bench.
            "--bench" => {}
            _ => panic!("{word} is unknown\n{USAGE}"),
        }
    }
    asked
}
