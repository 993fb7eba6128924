//! The controlled scheduler of buyers at a real server: each is held in front of its next statement until the explorer
//! releases it.
//!
//! `board` holds what each buyer is doing, and how that changes; a [`Gate`] holds buyers and waits until all have come to
//! rest; a [`BuyerHandle`] is one buyer's side of it. A [`Footprint`] says of two statements whether they are independent.
//! `polling` finds buyers that only repeat the same statement.

#![cfg_attr(
    not(all(feature = "sqlite", feature = "app")),
    allow(dead_code, reason = "what only the stores left out have a use for")
)]

mod board;
mod footprint;
mod gate;
mod handle;
mod polling;
mod statement;
mod waits;

pub(crate) use board::{ClientCode, RunningCode};
pub(crate) use footprint::{Footprint, Resources};
pub(crate) use gate::{Gate, Unsettled};
pub(crate) use handle::BuyerHandle;
pub(crate) use statement::{PendingStatement, Phase};
pub(crate) use waits::{HELD_INSIDE, Waits};
