//! Adversaries of the checker: checkouts at random, from a grammar that knows what people write, each of which is
//! searched in two ways and raced. No two answers may contradict each other.
//!
//! | file | what it knows |
//! |---|---|
//! | [`generate`] | how a seed makes a checkout |
//! | [`ways`], [`soup`], [`redis`] | what checkouts are for, and what they say |
//! | [`shop`] | the tables |
//! | [`spelling`] | names, quotes and comments of each dialect |
//! | [`recipe`] | a checkout as data, and its files |
//! | [`check`] | what may not differ |
//!
//! `benches/adversary.rs` runs thousands, `tests/it/adversary.rs` a few hundred.

pub(crate) mod check;
mod dice;
pub(crate) mod generate;
pub(crate) mod recipe;
mod redis;
mod shop;
mod soup;
mod spelling;
mod ways;
