//! What simulating costs beside an event loop that does nothing else: `cargo bench --bench simulate`.
//!
//! Every figure is a ratio of two things timed in one run, one after the other, again and again; the median
//! counts. The bare loop has a binary heap of the same size and lets as many events pass.

#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Duration;

use oversell_sim::strategies::find;
use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim::unstable::command::Command;
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::report::Outcome;
use oversell_sim::unstable::seeds::simulate_all;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::text::quantity::{count, duration};
use oversell_sim::unstable::timed::arrivals::Arrivals;
use oversell_sim::unstable::timed::delay::Delay;
use oversell_sim::unstable::timed::theory::MmcQueue;
use oversell_sim::unstable::timed::{MOST_KEPT, SimConfig, Story};
use rayon::prelude::*;

/// Asks for a crowd of a hundred million, and nothing else: `cargo bench --bench simulate -- --far`.
const FAR: &str = "--far";

/// How often each pair is timed.
const TURNS: usize = 5;

/// Buyers who hold, pay and confirm, at a steady rate.
fn flow(buyers: u32, per_second: &str) -> SimConfig {
    let settings = Settings { buyers, stock: 1_000_000_000, ..Settings::default() };
    let settings = Settings { seed: 1, ..settings };
    let mut scene =
        SimConfig::plain(settings, &Arrivals::parse(&format!("poisson:{per_second}/s")).unwrap())
            .unwrap();
    scene.regions[0].way = Delay::parse("lognormal:20ms,0.3").unwrap();
    scene.wallet.pays = Delay::parse("lognormal:30s,0.5").unwrap();
    scene.shop.hold_ttl_ns = 120_000_000_000;
    scene.shop.servers = 4;
    scene
}

/// Simulates, and says how many events there were.
fn simulate(scene: &SimConfig) -> u64 {
    let hold = find("hold").unwrap();
    let (outcome, _) = hold.simulate(scene, 1, Story::default(), &|| false).unwrap();
    match outcome {
        Outcome::Kept(round) => round.tally.events,
        Outcome::Counted(counted) => counted.events,
    }
}

/// How long it takes from the click to the answer, on average, without any way between.
fn mean_latency_s(scene: &SimConfig, seed: u64) -> f64 {
    let conditional = find("conditional").unwrap();
    let (outcome, _) = conditional.simulate(scene, seed, Story::default(), &|| false).unwrap();
    match outcome {
        Outcome::Counted(counted) => counted.gathered.mean_latency_ns() / 1e9,
        Outcome::Kept(_) => panic!("a crowd of that size is not kept"),
    }
}

/// An event loop that does nothing but let so many events pass, `pending` of them at any time.
fn bare(events: u64, pending: u64) {
    let mut heap: BinaryHeap<Reverse<(u64, u64, u64)>> = BinaryHeap::new();
    // A linear congruential generator: what a bare loop would take for its delays.
    let mut random = 1_u64;
    let mut delay = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random >> 30
    };
    for number in 0..pending {
        heap.push(Reverse((delay(), number, number)));
    }
    for number in pending..events {
        let Some(Reverse((now, _, what))) = heap.pop() else { return };
        heap.push(Reverse((now + delay(), number, black_box(what))));
    }
}

fn timed<T>(clock: &Wall, work: impl FnOnce() -> T) -> (Duration, T) {
    let before = clock.now();
    let made = work();
    (Duration::from_nanos(clock.now() - before), made)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() {
    let clock = Wall::start();
    // First, for the peak is that of the whole process.
    let buyers = if std::env::args().any(|word| word == FAR) { 100_000_000 } else { 10_000_000 };
    println!("hold, pay, confirm, in one process (goal: below 200 MB)");
    let scene = flow(buyers, "1000");
    assert!(u64::from(buyers) > MOST_KEPT);
    let (took, events) = timed(&clock, || simulate(&scene));
    println!(
        "  {} buyers: {} events in {}, {:.1} million a second, peak memory {} MB",
        count(buyers),
        count(events),
        duration(took.as_nanos() as u64),
        events as f64 / took.as_secs_f64() / 1e6,
        peak_mb().map_or("?".into(), |mb| mb.to_string())
    );
    if buyers > 10_000_000 {
        return;
    }

    let pending = 32_000;
    println!("events beside a bare loop (goal: at least 0.50)");
    let scene = flow(300_000, "1000");
    let ratios: Vec<f64> = (0..TURNS)
        .map(|_| {
            let (ours, events) = timed(&clock, || simulate(&scene));
            let (theirs, ()) = timed(&clock, || bare(events, pending));
            theirs.as_secs_f64() / ours.as_secs_f64()
        })
        .collect();
    println!("  {:.2} times the events a second", median(ratios));

    println!("seeds on two threads beside one (goal: at least 1.80)");
    let scene = flow(2_000, "1000");
    let hold = find("hold").unwrap();
    let ratios: Vec<f64> = (0..TURNS)
        .map(|_| {
            let on = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let run = || {
                    simulate_all(
                        &[hold],
                        &scene,
                        512,
                        &[],
                        &Command::new("simulate").word("flow"),
                        &Control::default(),
                    )
                };
                timed(&clock, || pool.install(run).unwrap()).0
            };
            on(1).as_secs_f64() / on(2).as_secs_f64()
        })
        .collect();
    println!("  {:.2} times as many", median(ratios));

    println!("a line before servers, against queueing theory (goal: within 1 %)");
    for (servers, busy) in [(1, 0.5), (1, 0.8), (4, 0.8), (16, 0.8)] {
        let rate = 1_000.0;
        let service_s = f64::from(servers) * busy / rate;
        let settings = Settings { buyers: 10_000_000, stock: 1_000_000_000, ..Settings::default() };
        let arrivals = Arrivals::parse("poisson:1000/s").unwrap();
        let mut scene = SimConfig::plain(settings, &arrivals).unwrap();
        scene.regions[0].way = Delay::NONE;
        scene.shop.servers = 1;
        scene.shop.workers = servers;
        scene.shop.store = Delay::NONE;
        scene.shop.think = Delay::NONE;
        let mean_ns = (service_s * 1e9) as u64;
        scene.shop.service = Delay::parse(&format!("exponential:{mean_ns}ns")).unwrap();
        let theory = MmcQueue::new(rate, 1.0 / service_s, servers).unwrap().mean_wait_s();
        let off = |seed| (mean_latency_s(&scene, seed) - service_s) / theory - 1.0;
        // One seed's mean is off by chance; four say by how much.
        let off: Vec<f64> = (1..=4_u64).into_par_iter().map(off).collect();
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        let seeds: Vec<String> = off.iter().map(|off| format!("{:+.2}", off * 100.0)).collect();
        println!(
            "  {servers} servers, {:.0} % busy: {:.4} ms in theory, off by {:+.2} % ({} by seed)",
            busy * 100.0,
            theory * 1e3,
            mean * 100.0,
            seeds.join(", ")
        );
    }
}

/// The most memory that this process ever had, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
