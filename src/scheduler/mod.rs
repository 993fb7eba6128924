//! The controlled scheduler of buyers at a real server: each is held in front of its next statement until its turn comes.
//!
//! [`Turnstile`] knows of each buyer whether it is held, sent, waiting or gone; [`Touches`] says of two statements whether
//! they are independent; `polling` finds buyers who only ask the same again.

#![cfg_attr(
    not(all(feature = "sqlite", feature = "app")),
    allow(dead_code, reason = "what only the stores left out have a use for")
)]

mod polling;
mod touches;
mod turnstile;

pub use touches::{Parts, Touches};
pub use turnstile::{
    HELD_INSIDE, Phase, Saying, Seat, Thinkers, Thinking, Turnstile, Unsettled, Waits,
};
