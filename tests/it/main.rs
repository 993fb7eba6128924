//! One binary for all integration tests: it links once. Its `#[test]` is that of `tests/attribute`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[macro_use(test)]
extern crate oversell_sim_test_attribute;

mod adversary;
mod advice;
mod apps;
mod audit;
mod baseline;
mod bearing;
mod binary;
mod bounds;
mod browser;
mod carts;
mod checkouts;
mod ci;
mod claims;
mod clicks;
mod common_start;
mod compare;
mod completions;
mod conformance;
mod counters;
mod crashes;
mod delays;
mod described_carts;
mod described_common_start;
mod docs;
mod encrypted;
mod escapes;
mod examples;
mod expiries;
mod explore;
mod failures;
mod faults;
mod fixture;
mod generated;
mod held;
mod help;
mod incidents;
mod interface;
mod interleave;
mod layers;
mod lessons;
mod library;
mod likely;
mod listed;
mod lock_waits;
mod meaning;
mod network;
mod no_proof;
mod packaging;
mod pages;
mod partition;
mod private_servers;
mod processes;
mod programs;
mod progress;
mod properties;
mod recipes;
mod refused;
mod resume;
mod retries;
mod roles;
mod rules;
mod running_shop;
mod scale;
mod scenarios;
mod schedules;
mod schema;
mod secrets;
mod servers;
mod sessions;
mod shops;
mod side_by_side;
mod simulate;
mod slurm;
mod snapshots;
mod specs;
mod stores;
mod sweep;
mod tagged;
mod terminal;
mod tries;
mod two_stores;
mod verdicts;
mod waiting_turns;
mod width;

fn main() -> std::process::ExitCode {
    let mut arguments = libtest_mimic::Arguments::from_args();
    // Half of the time a test waits for a server or a program that it has started.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(processors + processors.div_ceil(2));
    libtest_mimic::run(&arguments, listed::all()).exit_code()
}
