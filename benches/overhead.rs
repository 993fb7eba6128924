//! What the tool costs: each checkout beside a loop written by hand on the same primitive, all from
//! one run, interleaved, medians. `cargo bench --bench overhead`.
//!
//! *bare* does the checkout and counts nothing. *counting* keeps the counts that a report needs and
//! a record of each visit. *ours* is the strategy's own source through session, connection, store
//! and retry loop, on a stopped clock. *timed* is ours with the clock running, as a race has it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam::utils::CachePadded;
use oversell_sim::strategies::cas::Cas;
use oversell_sim::strategies::conditional::Conditional;
use oversell_sim::strategies::optimistic::Optimistic;
use oversell_sim::strategies::pessimistic::Pessimistic;
use oversell_sim::strategy::Strategy;
use oversell_sim::unstable::buyer::{Ending, Visit};
use oversell_sim::unstable::chance::{Dice, StreamPurpose};
use oversell_sim::unstable::clock::{Clock, Stopped, Wall};
use oversell_sim::unstable::op::{Item, Units, Want};
use oversell_sim::unstable::rounds::race_all;
use oversell_sim::unstable::session::Session;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::LiveStore;
use oversell_sim::unstable::stores::memory::{Memory, Plain, Versioned, Word};
use oversell_sim::unstable::threads::{Control, Live, serve};
use parking_lot::Mutex;

/// Checkouts a sample, over all threads.
const CHECKOUTS: u32 = 2_000_000;
/// Samples of each loop.
const SAMPLES: usize = 11;
/// Visits kept at a time: enough that storing one is real, few enough to stay in the cache.
const KEPT: usize = 256;
/// Buyers of the whole-race measurement, a thread each.
const CROWD: u32 = 10_000;

fn main() {
    println!("ns a checkout, medians of {SAMPLES}, {CHECKOUTS} checkouts each\n");
    println!(
        "{:<13}{:>8}{:>9}{:>10}{:>8}{:>8}{:>7}{:>9}{:>10}",
        "strategy", "threads", "bare", "counting", "ours", "ratio", "goal", "timed", "the clock"
    );
    for threads in [1, 2, 8] {
        row("cas", threads, &Cas, by_hand::<CasLoop>, ours::<_, Plain, _>, ours::<_, Plain, _>);
        row(
            "pessimistic",
            threads,
            &Pessimistic,
            by_hand::<LockLoop>,
            ours::<_, Plain, _>,
            ours::<_, Plain, _>,
        );
        row(
            "optimistic",
            threads,
            &Optimistic,
            by_hand::<VersionLoop>,
            ours::<_, Versioned, _>,
            ours::<_, Versioned, _>,
        );
        row(
            "conditional",
            threads,
            &Conditional,
            by_hand::<TakeLoop>,
            ours::<_, Plain, _>,
            ours::<_, Plain, _>,
        );
    }
    whole_race();
}

/// Measures one line of the table.
fn row<S: Strategy>(
    name: &str,
    threads: u32,
    strategy: &S,
    by_hand: fn(u32, bool) -> f64,
    stopped: fn(&S, u32, &Stopped) -> f64,
    timed: fn(&S, u32, &Wall) -> f64,
) {
    let wall = Wall::start();
    let [bare, counting, ours, timed] = medians([
        &mut || by_hand(threads, false),
        &mut || by_hand(threads, true),
        &mut || stopped(strategy, threads, &Stopped),
        &mut || timed(strategy, threads, &wall),
    ]);
    let ratio = ours / counting;
    println!(
        "{name:<13}{threads:>8}{bare:>9.1}{counting:>10.1}{ours:>8.1}{ratio:>7.2}×{:>7}{timed:>9.1}{:>+10.1}",
        if ratio <= 1.10 { "met" } else { "MISSED" },
        timed - ours,
    );
}

/// Takes turns, so that a slow moment of the machine strikes all alike.
fn medians<const N: usize>(mut loops: [&mut dyn FnMut() -> f64; N]) -> [f64; N] {
    let mut samples = [const { Vec::new() }; N];
    for round in 0..=SAMPLES {
        for (run, samples) in loops.iter_mut().zip(&mut samples) {
            let sample = run();
            // The first round warms up.
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    samples.map(|mut samples| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    })
}

/// Lets threads do their share of all checkouts; returns ns a checkout.
fn on_threads(threads: u32, work: impl Fn(u32) + Sync) -> f64 {
    let gate = Barrier::new(threads as usize + 1);
    let clock = Wall::start();
    let began = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                gate.wait();
                work(CHECKOUTS / threads);
            });
        }
        gate.wait();
        clock.now()
    });
    (clock.now() - began) as f64 / f64::from(CHECKOUTS / threads * threads)
}

/// Ours: everything between a buyer's arrival and the record of its visit.
fn ours<S: Strategy, W: Word, K: Clock>(strategy: &S, threads: u32, clock: &K) -> f64 {
    let stop = AtomicBool::new(false);
    let control = Control::default();
    let policy = Settings::default().policy();
    let store = Memory::<W>::open(1, STOCK, threads as usize, policy.patience, &stop);
    on_threads(threads, |checkouts| {
        let live = Live::new(store.connect(), clock.clone(), Duration::ZERO, &control);
        let mut shop = Session::new(live);
        // As in a race, who comes and for what is written down before the gun.
        let mut visits: [Visit; KEPT] =
            std::array::from_fn(|buyer| Visit::unserved(buyer as u32, Want::one(Item(0), 1)));
        for buyer in 0..checkouts {
            let mut dice = Dice::of(0, StreamPurpose::Backoff, 1, buyer);
            let visit = &mut visits[buyer as usize % KEPT];
            serve(strategy, &mut shop, visit, &policy, &mut dice);
        }
        black_box((&visits, shop.into_connection().into_tally()));
    })
}

/// Enough for every buyer, so that every checkout does all of its work.
const STOCK: Units = CHECKOUTS as Units + 1;

/// What a report needs to know, counted by hand.
#[derive(Default)]
struct Counts {
    attempts: u64,
    conflicts: u64,
    failed_ops: u64,
    locks: u64,
    waits: u64,
}

/// One checkout on a bare primitive.
trait HandLoop: Sync {
    fn new() -> Self;
    /// Buys one unit; says whether it did.
    fn checkout<const COUNT: bool>(&self, counts: &mut Counts) -> bool;
}

/// A hand-written loop over checkouts; if it counts, with a record and an order a buyer.
fn by_hand<L: HandLoop>(threads: u32, counts: bool) -> f64 {
    let shop = L::new();
    on_threads(threads, |checkouts| {
        let mut tally = Counts::default();
        if counts {
            // As in a race, who comes and for what is written down before the gun.
            let mut visits: [Visit; KEPT] =
                std::array::from_fn(|buyer| Visit::unserved(buyer as u32, Want::one(Item(0), 1)));
            let mut orders = Vec::new();
            for buyer in 0..checkouts {
                let before = (tally.attempts, tally.conflicts);
                let bought = shop.checkout::<true>(&mut tally);
                if bought {
                    orders.push((buyer, 0_u16, 1));
                }
                let visit = &mut visits[buyer as usize % KEPT];
                visit.ending = if bought { Ending::Bought } else { Ending::Rejected };
                visit.attempts = (tally.attempts - before.0) as u32;
                visit.conflicts = (tally.conflicts - before.1) as u32;
                visit.looked = true;
            }
            black_box((&visits, &orders, &tally));
        } else {
            let mut sold = 0;
            for _ in 0..checkouts {
                sold += u64::from(shop.checkout::<false>(&mut tally));
            }
            black_box(sold);
        }
    })
}

struct CasLoop(CachePadded<AtomicI32>);

impl HandLoop for CasLoop {
    fn new() -> Self {
        Self(CachePadded::new(AtomicI32::new(STOCK)))
    }

    #[inline(always)]
    fn checkout<const COUNT: bool>(&self, counts: &mut Counts) -> bool {
        loop {
            counts.attempts += u64::from(COUNT);
            let seen = self.0.load(Ordering::Acquire);
            if seen < 1 {
                return false;
            }
            let swap = self.0.compare_exchange(seen, seen - 1, Ordering::AcqRel, Ordering::Acquire);
            if swap.is_ok() {
                return true;
            }
            counts.failed_ops += u64::from(COUNT);
            counts.conflicts += u64::from(COUNT);
        }
    }
}

struct VersionLoop(CachePadded<AtomicU64>);

impl HandLoop for VersionLoop {
    fn new() -> Self {
        Self(CachePadded::new(AtomicU64::new((STOCK as u64) << 32)))
    }

    #[inline(always)]
    fn checkout<const COUNT: bool>(&self, counts: &mut Counts) -> bool {
        loop {
            counts.attempts += u64::from(COUNT);
            let seen = self.0.load(Ordering::Acquire);
            let (stock, version) = ((seen >> 32) as i32, seen as u32);
            if stock < 1 {
                return false;
            }
            let next = (((stock - 1) as u64) << 32) | u64::from(version.wrapping_add(1));
            let swap = self.0.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire);
            if swap.is_ok() {
                return true;
            }
            counts.failed_ops += u64::from(COUNT);
            counts.conflicts += u64::from(COUNT);
        }
    }
}

struct TakeLoop(CachePadded<AtomicI32>);

impl HandLoop for TakeLoop {
    fn new() -> Self {
        Self(CachePadded::new(AtomicI32::new(STOCK)))
    }

    #[inline(always)]
    fn checkout<const COUNT: bool>(&self, counts: &mut Counts) -> bool {
        counts.attempts += u64::from(COUNT);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |stock| {
                (stock >= 1).then(|| stock - 1)
            })
            .is_ok()
    }
}

struct LockLoop {
    lock: CachePadded<Mutex<()>>,
    stock: CachePadded<AtomicI32>,
}

impl HandLoop for LockLoop {
    fn new() -> Self {
        Self { lock: CachePadded::default(), stock: CachePadded::new(AtomicI32::new(STOCK)) }
    }

    #[inline(always)]
    fn checkout<const COUNT: bool>(&self, counts: &mut Counts) -> bool {
        counts.attempts += u64::from(COUNT);
        counts.locks += u64::from(COUNT);
        let _guard = self.lock.try_lock().unwrap_or_else(|| {
            counts.waits += u64::from(COUNT);
            self.lock.lock()
        });
        let seen = self.stock.load(Ordering::Acquire);
        if seen < 1 {
            return false;
        }
        self.stock.store(seen - 1, Ordering::Release);
        true
    }
}

/// Ten thousand buyers, a thread each, from start to verdict, beside threads that only start, line
/// up and leave.
fn whole_race() {
    let settings = Settings { buyers: CROWD, ..Settings::default() };
    let timed = |work: &dyn Fn()| {
        let clock = Wall::start();
        work();
        clock.now() as f64 / 1e6
    };
    let [bare, ours] = medians([
        &mut || {
            timed(&|| {
                let gate = Barrier::new(CROWD as usize);
                thread::scope(|scope| {
                    for _ in 0..CROWD {
                        thread::Builder::new()
                            .stack_size(256 * 1024)
                            .spawn_scoped(scope, || gate.wait())
                            .expect("a thread");
                    }
                });
            })
        },
        &mut || {
            timed(&|| {
                black_box(race_all(&[&Cas], &settings, &[], &Control::default()).expect("a race"));
            })
        },
    ]);
    let ratio = ours / bare;
    println!(
        "\n{CROWD} buyers on a thread each, start to verdict: {ours:.0} ms; bare spawn and barrier: \
         {bare:.0} ms; {ratio:.2}× (goal 1.15×: {})",
        if ratio <= 1.15 { "met" } else { "MISSED" }
    );
}
