//! The sessions of a specification at a real server: run as PostgreSQL's isolation tester runs a permutation, or moved by
//! a scheduler, one step at a time.

mod answer;
mod execution;
mod listed;
mod sessions;

pub(crate) use execution::{SpecEnd, SpecExecution, StepResult};
pub(crate) use listed::{Listed, run_listed};
