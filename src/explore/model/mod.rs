//! The states of the model: what is known of each, the steps between them, and searches through them.

pub(super) mod any;
pub(super) mod bounded;
pub(super) mod brute;
pub(super) mod checks;
#[cfg(feature = "cli")]
pub(super) mod cluster;
pub(super) mod drawing;
pub(super) mod execution;
pub(super) mod expand;
pub(super) mod graph;
pub(super) mod limits;
pub(super) mod opening;
pub(super) mod packed;
#[cfg(feature = "cli")]
pub(super) mod play;
#[cfg(feature = "cli")]
pub(super) mod play_graph;
pub(super) mod precedence;
pub(super) mod random;
pub(super) mod replay;
pub(super) mod search;
pub(super) mod searches;
pub(super) mod state;
pub(super) mod states;
