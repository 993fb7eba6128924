//! How far each checker reaches with the compare-and-swap checkout and one unit, all from one run:
//! the most buyers within a second and within ten, and the times at equal numbers of buyers.
//! `cargo bench --bench reach`, or `cargo bench --bench reach -- --quick` for the second alone.
//!
//! Each search runs in a process of its own, which measures it and is ended when its time is over.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::env;
use std::io::Read;
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim_peers::{Checker, Checkout, Verdict};

/// The word that makes a process the one that searches.
const MEASURE: &str = "--measure";
/// What such a process says if the checker's own limits ended the search.
const UNFINISHED: &str = "unfinished";
/// What a process may take to start and to end, beyond the search.
const SLACK: Duration = Duration::from_secs(1);
/// Searches of one kind, for a median, where they are short.
const SAMPLES: usize = 5;
/// A search that takes longer than this is made once.
const SHORT: Duration = Duration::from_secs(1);
/// Up to here every number of buyers is tried; from here on each is half as many again.
const FINE: u32 = 16;

/// Who is compared with ours, at how many buyers.
const COMPARED: [(u32, &[Checker]); 5] = [
    (
        3,
        &[
            Checker::Loom,
            Checker::ShuttleDfs,
            Checker::StaterightBfs,
            Checker::StaterightDfs,
            Checker::StaterightSymmetry,
        ],
    ),
    (11, &[Checker::StaterightBfs, Checker::StaterightDfs, Checker::StaterightSymmetry]),
    (60, &[Checker::StaterightSymmetry]),
    (100, &[Checker::StaterightSymmetry]),
    (300, &[Checker::StaterightSymmetry]),
];

/// Why there is no figure.
enum Cut {
    /// The time was over.
    Late,
    /// The checker's own limits were reached.
    Unfinished,
}

fn main() {
    let words: Vec<String> = env::args().collect();
    if let Some(at) = words.iter().position(|word| word == MEASURE) {
        measure(&words[at + 1], words[at + 2].parse().unwrap());
        return;
    }
    let quick = words.iter().any(|word| word == "--quick");
    let limits: &[Duration] =
        if quick { &[Duration::from_secs(1)] } else { &[1, 10].map(Duration::from_secs) };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    println!("cas, one unit, every interleaving; {cores} processors\n");
    reach(limits);
    compare(3 * limits[limits.len() - 1]);
}

/// Searches, and says how many nanoseconds that took.
fn measure(name: &str, buyers: u32) {
    let checker = Checker::ALL.into_iter().find(|checker| checker.name() == name).unwrap();
    let clock = Wall::start();
    let began = clock.now();
    let verdict = checker.verdict(Checkout::Cas, buyers);
    let took = clock.now() - began;
    match verdict {
        Verdict::Proved => println!("{took}"),
        Verdict::Unfinished => println!("{UNFINISHED}"),
        Verdict::Broken => unreachable!("this checkout is safe"),
    }
}

/// Prints the most buyers that each checker finishes with, within each limit.
fn reach(limits: &[Duration]) {
    print!("{:<28}", "most buyers");
    for limit in limits {
        print!("{:>14}", format!("in {} s", limit.as_secs()));
    }
    println!();
    let longest = limits[limits.len() - 1];
    for checker in Checker::ALL {
        let mut most = vec![0; limits.len()];
        let mut remark = String::new();
        let mut buyers = 1;
        while buyers <= checker.most_buyers().unwrap_or(u32::MAX) {
            let took = match search(checker, buyers, longest) {
                Ok(took) => took,
                Err(Cut::Late) => break,
                Err(Cut::Unfinished) => {
                    remark = format!("   {buyers}: ended by its own limits");
                    break;
                }
            };
            for (most, limit) in most.iter_mut().zip(limits) {
                if took <= *limit {
                    *most = buyers;
                }
            }
            buyers = if buyers < FINE { buyers + 1 } else { buyers + buyers / 2 };
        }
        print!("{:<28}", checker.name());
        for most in most {
            print!("{most:>14}");
        }
        println!("{remark}");
    }
}

/// Prints the times at equal numbers of buyers, and their ratio to ours.
fn compare(limit: Duration) {
    println!("\n{:<8}{:<28}{:>12}{:>12}{:>12}", "buyers", "checker", "it", "ours", "ratio");
    for (buyers, checkers) in COMPARED {
        let Ok(ours) = median(Checker::OversellSim, buyers, limit) else {
            println!("{buyers:<8}ours was cut off");
            continue;
        };
        for checker in checkers {
            let theirs = median(*checker, buyers, limit);
            let at_least = *theirs.as_ref().unwrap_or(&limit);
            let ratio = at_least.as_secs_f64() / ours.as_secs_f64();
            let over = if theirs.is_ok() { "" } else { "> " };
            println!(
                "{buyers:<8}{:<28}{:>12}{:>12}{:>12}",
                checker.name(),
                format!("{over}{}", text(at_least)),
                text(ours),
                format!("{over}{ratio:.1}×"),
            );
        }
    }
}

/// The middle one of several searches, if none was cut off.
fn median(checker: Checker, buyers: u32, limit: Duration) -> Result<Duration, Cut> {
    let mut samples = vec![search(checker, buyers, limit)?];
    while samples[0] <= SHORT && samples.len() < SAMPLES {
        samples.push(search(checker, buyers, limit)?);
    }
    samples.sort_unstable();
    Ok(samples[samples.len() / 2])
}

/// Searches in a process of its own, which is ended when the time is over.
fn search(checker: Checker, buyers: u32, limit: Duration) -> Result<Duration, Cut> {
    let mut process = Command::new(env::current_exe().unwrap())
        .args([MEASURE, checker.name(), &buyers.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = process.stdout.take().unwrap();
    let (sender, said) = mpsc::channel();
    let listener = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        // The receiver is gone if the time was over.
        let _ = sender.send(text);
    });
    let said = said.recv_timeout(limit + SLACK);
    // It has said all it has to say, or its time is over; either way nothing below waits for long.
    process.kill().unwrap();
    process.wait().unwrap();
    listener.join().unwrap();
    let said = said.map_err(|_| Cut::Late)?;
    if said.trim() == UNFINISHED {
        return Err(Cut::Unfinished);
    }
    let took = Duration::from_nanos(said.trim().parse().expect("a search ends with a figure"));
    if took <= limit { Ok(took) } else { Err(Cut::Late) }
}

/// A time in three figures or so.
fn text(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        1.0.. => format!("{seconds:.1} s"),
        0.001.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}
