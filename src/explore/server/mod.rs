//! Statement orders at a real server: searches through them, and what comes of each.

pub(super) mod checkup;
pub(super) mod conflict;
#[cfg(feature = "cli")]
pub(super) mod copies;
pub(super) mod cure;
pub(super) mod judged;
pub(super) mod likely;
pub(super) mod logged;
mod named_tables;
pub(super) mod order_log;
pub(super) mod orders;
#[cfg(feature = "cli")]
pub(super) mod part;
#[cfg(feature = "cli")]
pub(super) mod play;
#[cfg(feature = "cli")]
pub(super) mod play_tree;
pub(super) mod random;
pub(super) mod reality;
pub(super) mod rehearsal;
pub(super) mod results;
pub(super) mod search;
pub(super) mod side_by_side;
pub(super) mod steady;
pub(super) mod subtrees;
pub(super) mod transcript;
pub(super) mod tries;
