//! A line before servers, simulated by oversell-sim and by nexosim: `cargo bench --bench events`.
//!
//! Both have the same queue, M/M/1 or M/M/4: arrivals as a Poisson process, an exponential time with a
//! server, one line in order; both roll their times with the same code. Queueing theory says whether
//! both are right. One thread each.
//!
//! Ours does more for each arrival: a whole checkout, which takes a unit and places an order in two
//! store ops, and is audited. In nexosim a customer waits, is served and goes, and one model does it all:
//! a model for those who come, with an event to the shop for each, made it slower.
//!
//! The ratios are of two runs one after the other, again and again; the median counts.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::collections::VecDeque;
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::QuerySource;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use oversell_sim::strategies::find;
use oversell_sim::unstable::chance::{Dice, StreamPurpose};
use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim::unstable::report::{FigureTotals, Outcome};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::timed::arrivals::Arrivals;
use oversell_sim::unstable::timed::delay::Delay;
use oversell_sim::unstable::timed::theory::MmcQueue;
use oversell_sim::unstable::timed::{SimConfig, Story};
use serde::{Deserialize, Serialize};

/// How many come. Of the first crowd ours keeps every visit and audits them together; the second is
/// beyond what it keeps ([`MOST_KEPT`](oversell_sim::unstable::timed::MOST_KEPT)), so that each is
/// audited as it leaves.
const CROWDS: [u32; 2] = [300_000, 1_500_000];
/// Arrivals a second of simulated time.
const RATE: f64 = 1_000.0;
/// How much of their time the servers are busy.
const BUSY: f64 = 0.8;
/// How often each pair is timed, each time from another seed.
const TURNS: u64 = 5;

fn main() {
    let clock = Wall::start();
    println!(
        "arrivals at {RATE}/s, {:.0} % busy, one thread; ours has a checkout of",
        BUSY * 100.0
    );
    println!("two store ops and an audit for each, nexosim a wait and a service");
    for (servers, crowd) in
        [1, 4].into_iter().flat_map(|servers| CROWDS.map(|crowd| (servers, crowd)))
    {
        let service_s = f64::from(servers) * BUSY / RATE;
        let service = Duration::from_secs_f64(service_s);
        let theory_s = MmcQueue::new(RATE, 1.0 / service_s, servers).unwrap().mean_wait_s();
        let pairs: Vec<[Run; 2]> = (1..=TURNS)
            .map(|seed| {
                let ours = timed(&clock, crowd, || ours(crowd, servers, service, seed));
                let theirs = timed(&clock, crowd, || theirs(crowd, servers, service, seed));
                [ours, theirs]
            })
            .collect();
        println!("M/M/{servers}, {crowd} arrivals: a wait of {:.3} ms in theory", theory_s * 1e3);
        for (side, name) in ["oversell-sim", "nexosim"].into_iter().enumerate() {
            let latency_s =
                pairs.iter().map(|pair| pair[side].latency_s).sum::<f64>() / TURNS as f64;
            let wait_s = latency_s - service_s;
            let per_s = median(pairs.iter().map(|pair| pair[side].per_s).collect());
            println!(
                "  {name:<14}{:.3} ms, off by {:+.1} %; {:.2} million arrivals a second",
                wait_s * 1e3,
                (wait_s / theory_s - 1.0) * 100.0,
                per_s / 1e6,
            );
        }
        let ratio = median(pairs.iter().map(|[ours, theirs]| ours.per_s / theirs.per_s).collect());
        println!("  {ratio:.2} times as many in ours");
    }
}

/// What a run says.
struct Run {
    /// Arrivals a second of wall time.
    per_s: f64,
    /// From the click to the answer, on average.
    latency_s: f64,
}

/// Times all of it, the building too.
fn timed(clock: &Wall, crowd: u32, work: impl FnOnce() -> f64) -> Run {
    let began = clock.now();
    let latency_s = work();
    let took = Duration::from_nanos(clock.now() - began);
    Run { per_s: f64::from(crowd) / took.as_secs_f64(), latency_s }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn exponential(mean: Duration) -> Delay {
    Delay::parse(&format!("exponential:{}ns", mean.as_nanos())).unwrap()
}

/// Seconds from the click to the answer, on average, in a shop that takes no time but for its service.
fn ours(crowd: u32, servers: u32, service: Duration, seed: u64) -> f64 {
    let settings = Settings { buyers: crowd, stock: 1_000_000_000, ..Settings::default() };
    let arrivals = Arrivals::parse(&format!("poisson:{RATE}/s")).unwrap();
    let mut scene = SimConfig::plain(settings, &arrivals).unwrap();
    scene.regions[0].way = Delay::NONE;
    scene.shop.servers = 1;
    scene.shop.workers = servers;
    scene.shop.store = Delay::NONE;
    scene.shop.think = Delay::NONE;
    scene.shop.service = exponential(service);
    let conditional = find("conditional").unwrap();
    let (outcome, _) = conditional.simulate(&scene, seed, Story::default(), &|| false).unwrap();
    let gathered = match outcome {
        Outcome::Kept(round) => FigureTotals::from_round(&round, &round.ledger().audit()),
        Outcome::Counted(counted) => counted.gathered,
    };
    gathered.mean_latency_ns() / 1e9
}

/// The same in nexosim.
fn theirs(crowd: u32, servers: u32, service: Duration, seed: u64) -> f64 {
    let shop = Shop {
        coming: crowd,
        free: servers,
        line: VecDeque::new(),
        answered: 0,
        latency: Duration::ZERO,
        every: Chance::of(seed, 0, Duration::from_secs_f64(1.0 / RATE)),
        service: Chance::of(seed, 1, service),
    };
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let mean = QuerySource::new().connect(Shop::mean_latency_s, &mailbox).register(&mut bench);
    let bench = bench.add_model(shop, mailbox, "shop");
    let mut simulation = bench.init(MonotonicTime::EPOCH).unwrap();
    simulation.run().unwrap();
    simulation.process_query(&mean, ()).unwrap()
}

/// How long something takes, and the dice for it.
#[derive(Debug)]
struct Chance(Delay, Dice);

impl Chance {
    fn of(seed: u64, what: u32, mean: Duration) -> Self {
        Self(exponential(mean), Dice::of(seed, StreamPurpose::World, 0, what))
    }

    /// Nothing can be scheduled for now: at least a nanosecond.
    fn roll(&mut self) -> Duration {
        Duration::from_nanos(self.0.roll(self.1.rng()).max(1))
    }
}

/// Models can be saved and loaded. Ours never are, so their chance need not.
impl Default for Chance {
    fn default() -> Self {
        Self(Delay::NONE, Dice::none())
    }
}

/// The line and its servers, and those who are still to come.
#[derive(Serialize, Deserialize)]
struct Shop {
    coming: u32,
    free: u32,
    /// When those in line clicked.
    line: VecDeque<MonotonicTime>,
    answered: u32,
    latency: Duration,
    #[serde(skip)]
    every: Chance,
    #[serde(skip)]
    service: Chance,
}

#[Model]
impl Shop {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.expect(context);
    }

    fn expect(&mut self, context: &Context<Self>) {
        if self.coming > 0 {
            self.coming -= 1;
            context.schedule_event(self.every.roll(), schedulable!(Self::enter), ()).unwrap();
        }
    }

    #[nexosim(schedulable)]
    fn enter(&mut self, (): (), context: &Context<Self>) {
        self.expect(context);
        if self.free == 0 {
            self.line.push_back(context.time());
        } else {
            self.free -= 1;
            self.serve(context.time(), context);
        }
    }

    fn serve(&mut self, clicked: MonotonicTime, context: &Context<Self>) {
        context.schedule_event(self.service.roll(), schedulable!(Self::answer), clicked).unwrap();
    }

    #[nexosim(schedulable)]
    fn answer(&mut self, clicked: MonotonicTime, context: &Context<Self>) {
        self.answered += 1;
        self.latency += context.time().duration_since(clicked);
        match self.line.pop_front() {
            Some(next) => self.serve(next, context),
            None => self.free += 1,
        }
    }

    async fn mean_latency_s(&mut self, (): ()) -> f64 {
        self.latency.as_secs_f64() / f64::from(self.answered)
    }
}
