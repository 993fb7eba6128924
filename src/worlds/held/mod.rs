//! The held world: buyers at a real server. Every statement is held at the scheduler's gate until a search releases it;
//! what is not a statement takes no time. Below statements the server itself decides what happens when.
//!
//! A [`Harness`] is a shop at a server, in which execution after execution is run, each in another order; a
//! [`ServerStep`] is what was seen of one statement; `visit` is what each buyer does.

mod execution;
mod harness;
mod overlap;
mod overtaking;
mod step;
mod visit;

pub(crate) use harness::{Harness, Remaining};
pub(crate) use step::{Grain, ServerStep, actor, choice, choices, told};
