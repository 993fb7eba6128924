//! Two shoppers, one last unit, the same millisecond: who gets it, and how do we know that only one
//! did?
//!
//! Write a checkout once, as a [`Strategy`](strategy::Strategy): the code of one attempt, over a
//! [`Session`](session::Session) that offers the store's ops. Then race it:
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
//! The map of the code stands in `ARCHITECTURE.md`.

// The floors of the house, the lowest first. Each imports from those above it in this list, and from no other.

mod base;

mod domain;

pub mod scheduler;

mod check;

mod describe;

pub mod strategy;

#[cfg(feature = "app")]
mod proxy;

pub mod stores;

pub mod worlds;

pub mod command;

pub mod explore;

pub mod strategies;

mod run;

pub mod scenario;

pub mod render;

// What is seen from outside bears no floor's name.
pub use base::{chance, clock, control, error, samples, text};
pub use check::{audit, expect, report, round};
pub use describe::{app, checkout};
pub use domain::{attempt, buyer, finding, op, retry, session, settings};
pub use explore::explore;
pub use run::race::race;
pub use run::{logbook, race, rounds, seeds};
pub use worlds::entrant;

/// What a strategy's file needs.
pub mod prelude {
    pub use crate::domain::attempt::Missed::{Conflict, Declined, Expired, Failed, SoldOut};
    pub use crate::domain::attempt::{Attempt, Bought, Failure, Missed};
    pub use crate::domain::card::{About, Claim};
    pub use crate::domain::finding::FindingKind;
    pub use crate::domain::op::{Item, OpKind, Payment, Units, Version, Want};
    pub use crate::domain::session::{Connection, Session};
    pub use crate::strategy::Strategy;
}

/// The code in the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/how-to/rust.md")]
struct Guide;
