//! What this project's own tests and benches use beside the interface. It is **not covered by semantic versioning**:
//! anything in here may change or go with any release.

pub use crate::base::{chance, clock, control, machine, statistics, text};
pub use crate::check::{audit, baseline, comparison, expect, gauge, report, round, sweep};
pub use crate::describe::{app, checkout};
pub use crate::domain::{attempt, buyer, op, retry, session, settings};
#[cfg(feature = "cli")]
pub use crate::run::common;
pub use crate::run::sweep::{PlannedPoint, sweep_all};
pub use crate::run::{compare, logbook, rounds, seeds};
pub use crate::worlds::{dyn_strategy, stepped, threads, timed};

pub mod command {
    pub use crate::command::*;
}

pub mod explore {
    pub use crate::explore::*;
}

pub mod render {
    pub use crate::render::*;
}

pub mod stores {
    pub use crate::stores::*;
}
