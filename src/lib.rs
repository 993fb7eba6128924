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

pub mod app;
pub mod attempt;
pub mod audit;
mod books;
pub mod buyer;
mod card;
pub mod chance;
pub mod checkout;
pub mod clock;
pub mod command;
pub mod control;
pub mod entrant;
pub mod error;
pub mod expect;
pub mod explore;
mod faults;
pub mod finding;
mod isolation;
pub mod logbook;
pub mod op;
#[cfg(feature = "app")]
mod proxy;
pub mod race;
mod relation;
pub mod render;
pub mod report;
pub mod retry;
pub mod round;
pub mod rounds;
pub mod samples;
pub mod scenario;
pub mod seeds;
pub mod session;
pub mod settings;
mod store_kind;
pub mod stores;
pub mod strategies;
pub mod strategy;
pub mod text;
mod verb;
mod words;
pub mod worlds;

pub use explore::explore;
pub use race::race;

/// What a strategy's file needs.
pub mod prelude {
    pub use crate::attempt::Missed::{Conflict, Declined, Expired, Failed, SoldOut};
    pub use crate::attempt::{Attempt, Bought, Failure, Missed};
    pub use crate::card::{About, Claim};
    pub use crate::finding::FindingKind;
    pub use crate::op::{Item, OpKind, Payment, Units, Version, Want};
    pub use crate::session::{Connection, Session};
    pub use crate::strategy::Strategy;
}

/// The code in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
