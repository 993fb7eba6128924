//! The files of `src/scheduler/` that the gate is made of.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "the library has uses for what these tests have none for"
)]

#[path = "../../../src/scheduler/board.rs"]
mod board;
#[path = "../../../src/scheduler/footprint.rs"]
mod footprint;
#[path = "../../../src/scheduler/gate.rs"]
mod gate;
#[path = "../../../src/scheduler/handle.rs"]
mod handle;
#[path = "../../../src/scheduler/polling.rs"]
mod polling;
#[path = "../../../src/scheduler/statement.rs"]
mod statement;
#[path = "../../../src/scheduler/wait_graph.rs"]
mod wait_graph;

pub(crate) use board::ClientCode;
pub(crate) use footprint::{Footprint, Resources};
pub(crate) use gate::Gate;
pub(crate) use handle::BuyerHandle;
pub(crate) use statement::PendingStatement;
pub(crate) use wait_graph::Waits;
