//! The controlled scheduler: it decides whose step comes next.
//!
//! An [`Execution`] is a program whose clients move one step at a time; a [`Scheduler`] chooses which, and `runner` runs
//! execution after execution. Every scheduler works on every execution. `schedulers` has the algorithms, a file each. A
//! [`Schedule`] is a list of choices that can be written down.
//!
//! At a real server, each buyer is held in front of its next statement until it is chosen. `board` holds what each buyer is
//! doing, and how that changes; a [`Gate`] holds buyers and waits until all have come to rest; a [`BuyerHandle`] is one
//! buyer's side of it. A [`Footprint`] says of two statements whether they are independent. `polling` finds buyers that
//! only repeat the same statement. The locking of board, gate and handle is checked by shuttle, in `peers/tests/gate/`.

#![cfg_attr(
    not(all(feature = "sqlite", feature = "app", feature = "cli")),
    allow(dead_code, unused_imports, reason = "what only the features left out have a use for")
)]

mod ahead;
mod beginning;
mod board;
mod choice;
mod execution;
mod footprint;
mod gate;
mod handle;
mod polling;
mod prediction;
mod recorded;
mod repetition;
mod run;
mod runner;
mod schedule;
mod schedulers;
mod statement;
mod symmetry;
#[cfg(test)]
mod toy;
mod wait_graph;

pub(crate) use ahead::{Ahead, RecordedExecution};
pub(crate) use beginning::Beginning;
pub(crate) use board::{BuyerConnection, ClientCode, RunningCode};
pub(crate) use choice::{Actor, Choice};
pub(crate) use execution::Execution;
pub(crate) use footprint::{Columns, Facet, Footprint, Region, Resources, Rows};
pub(crate) use gate::{Gate, Unsettled};
pub(crate) use handle::BuyerHandle;
pub(crate) use prediction::{ClientProfile, Encounter, LikelyPreemption, likely_preemptions};
pub(crate) use run::{Bounds, End, Run};
pub(crate) use runner::{in_schedule, run_all, run_one};
pub use schedule::Schedule;
pub use schedulers::Method;
pub(crate) use schedulers::{
    DepthFirst, Directed, LAST, Outline, Person, PreemptionBounded, RandomWalk, Replay, Said,
    Scheduler, SentSteps, Stretch,
};
pub(crate) use statement::{PendingStatement, Phase, SentText};
pub(crate) use wait_graph::{HELD_INSIDE, Waits, is_in_cycle};
