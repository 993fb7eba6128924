//! One binary for all integration tests: it links once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod adversary;
mod advice;
mod apps;
mod audit;
mod bearing;
mod binary;
mod carts;
mod checkouts;
mod claims;
mod clicks;
mod conformance;
mod counters;
mod delays;
mod docs;
mod examples;
mod explore;
mod failures;
mod faults;
mod fixture;
mod generated;
mod held;
mod incidents;
mod layers;
mod library;
mod meaning;
mod private_servers;
mod properties;
mod running_shop;
mod schedules;
mod servers;
mod sessions;
mod shops;
mod simulate;
mod snapshots;
mod stores;
mod verdicts;
