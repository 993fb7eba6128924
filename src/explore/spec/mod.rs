//! Specifications of PostgreSQL's isolation tester at a private server: the permutations that a file lists, held against
//! the output that is expected of them; and every order of the sessions' steps.

mod agreement;
mod orders;

pub use agreement::SpecAgreement;
pub(crate) use agreement::run_permutations;
pub(crate) use orders::run_every_order;
pub use orders::{SpecOrders, SpecOutcome, SpecStepResult};
