//! Two shoppers, one last unit, the same millisecond: who gets it, and how do we know that only one
//! did?
//!
//! Write a checkout once, as a [`Strategy`](strategy::Strategy): the code of one attempt, over a
//! [`Session`](strategy::Session) that offers the store's ops. Then race it:
//!
//! ```
//! use oversell_sim::prelude::*;
//!
//! struct MyCheckout;
//!
//! impl Strategy for MyCheckout {
//!     async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
//!         let seen = shop.read(want.item).await?;
//!         if seen < want.qty {
//!             return Err(SoldOut);
//!         }
//!         shop.think().await?;
//!         if !shop.compare_and_set(want.item, seen, seen - want.qty).await? {
//!             return Err(Conflict);
//!         }
//!         shop.place_order(want).await?;
//!         Ok(Bought)
//!     }
//! }
//!
//! oversell_sim::race(MyCheckout).buyers(1000).stock(1).rounds(5).assert_no_oversell();
//! ```
//!
//! Code that uses a database needs no [`Strategy`](strategy::Strategy): [`interleave`] runs every order of its statements, as it
//! is (feature `app`, with `postgres` or `mysql`).
//!
//! The map of the code stands in `ARCHITECTURE.md`.

// The layers, the lowest first. Each imports from those above it in this list, and from no other.

mod base;

mod domain;

mod scheduler;

mod check;

mod describe;

pub mod strategy;

#[cfg(feature = "app")]
mod proxy;

mod stores;

mod worlds;

mod command;

mod explore;

pub mod strategies;

mod run;

mod scenario;

mod render;

#[cfg(feature = "cli")]
mod cli;

#[doc(hidden)]
pub mod unstable;

#[cfg(all(
    fuzzing,
    feature = "app",
    feature = "etcd",
    feature = "mysql",
    feature = "postgres",
    feature = "redis"
))]
pub mod fuzzing;

// The interface, which is kept: `strategy`, `strategies`, and what follows.

// A checkout is raced, or explored.
pub use explore::{Explore, explore};
// Code that uses a database is explored as it is.
#[cfg(feature = "app")]
pub use explore::{Interleave, Sale, interleave};
pub use run::race::{Race, race};

// The shop.
pub use domain::isolation::Isolation;
pub use domain::retry::{Backoff, Retries};
pub use domain::store_kind::StoreKind;

// What came of it.
pub use base::error::Error;
pub use check::expect::Expectation;
pub use check::report::{Evidence, Report};
pub use domain::finding::FindingKind;
pub use explore::Exploration;

// Races, searches and simulated shops in files.
pub use scenario::{Scenario, ScenarioReport, SearchReport, Searches};

/// What reports are made of.
///
/// ```
/// use oversell_sim::report::{Figures, Run};
/// # use oversell_sim::strategies::cas::Cas;
///
/// fn sold(run: &Run) -> i64 {
///     let figures: &Figures = &run.figures;
///     figures.units_sold
/// }
///
/// let report = oversell_sim::race(Cas).buyers(50).stock(3).run()?;
/// assert_eq!(report.runs.iter().map(sold).sum::<i64>(), 3);
/// # Ok::<(), oversell_sim::Error>(())
/// ```
pub mod report {
    pub use crate::base::machine::Machine;
    pub use crate::base::samples::{DurationClass, Spread};
    pub use crate::base::statistics::{FiveNumbers, Ratio};
    pub use crate::base::text::code_location::CodeLocation;
    pub use crate::check::audit::Finding;
    pub use crate::check::baseline::{AgainstBaseline, Change, MaxRegression, Verdict};
    pub use crate::check::report::{
        Banner, BannerCount, ClockDifference, CommonStart, Figures, Found, Hint, Judgement,
        LockHold, LockWait, LockWaits, Overtaking, Product, Purpose, RacingMachine, RoundTimes,
        Run, TimeSlice, Winner, WorstRound,
    };
    pub use crate::domain::faults::Faults;
    pub use crate::domain::settings::Settings;
    pub use crate::explore::{
        Access, Conflict, Covered, CureTried, FindingReport, Incident, IncidentKind, LevelTried,
        Method, NoLevel, OrderCoverage, Reach, Sampled, ScheduleCount, TimelineRow, Touch,
    };
}

/// What a strategy's file needs.
///
/// ```
/// use oversell_sim::prelude::*;
///
/// struct OneStep;
///
/// impl Strategy for OneStep {
///     async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
///         if !shop.take(want.item, want.qty).await? {
///             return Err(SoldOut);
///         }
///         shop.place_order(want).await?;
///         Ok(Bought)
///     }
/// }
///
/// oversell_sim::explore(OneStep).assert_proved();
/// ```
pub mod prelude {
    pub use crate::FindingKind;
    pub use crate::strategy::Missed::{Conflict, Declined, Expired, Failed, SoldOut};
    pub use crate::strategy::{
        About, Attempt, Bought, Claim, Connection, Failure, Item, Missed, OpKind, Payment, Session,
        Strategy, Units, Version, Want,
    };
}

/// The whole program.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::main as command_line;

/// The code in the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/how-to/rust.md")]
struct Guide;
