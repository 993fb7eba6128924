//! The controlled scheduler of buyers at a real server: each is held in front of its next statement until the explorer
//! releases it.
//!
//! `board` holds what each buyer is doing, and how that changes; a [`Gate`] holds buyers and waits until all have come to
//! rest; a [`BuyerHandle`] is one buyer's side of it. A [`Footprint`] says of two statements whether they are independent.
//! `polling` finds buyers that only repeat the same statement.
//!
//! The locking of [`Gate`] and [`BuyerHandle`] is checked by shuttle, in `peers/tests/gate/`.

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

pub use board::{ClientCode, RunningCode};
pub use footprint::{Footprint, Resources};
pub use gate::{Gate, Unsettled};
pub use handle::BuyerHandle;
pub use statement::{PendingStatement, Phase};
pub use waits::{HELD_INSIDE, Waits};
