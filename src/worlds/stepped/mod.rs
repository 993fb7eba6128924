//! The stepped world: it runs one op at a time, and the search picks whose.
//!
//! [`script`] computes a buyer's next op from the replies it has heard. [`transition_table`] keeps the kinds of
//! buyers that were met: two buyers that want the same and have heard the same in this attempt are of one kind.
//! [`model_state`] is a shop with its buyers, moved one step at a time.

mod acts;
mod kind;
pub mod model_state;
pub mod script;
mod scripted;
pub mod transition_table;
mod turns;

pub use kind::{ActorRole, Kind, Ordered, RunningTask};
#[cfg(feature = "cli")]
pub(crate) use model_state::ModelIdentity;
pub use model_state::{ModelState, ModelStep};
pub use scripted::Scripted;
pub use transition_table::TransitionTable;
pub use turns::{KindId, Leaks, Move, StoreId, Turn};
