//! The stepped world: it runs one op at a time, and the search picks whose.
//!
//! [`script`] computes a buyer's next op from the replies it has heard. [`cast`] keeps the kinds of buyers that were
//! met: two buyers that want the same and have heard the same in this attempt are of one kind. [`stage`] is a shop with
//! its buyers, moved one step at a time.

mod acts;
pub mod cast;
mod kind;
pub mod script;
mod scripted;
pub mod stage;
mod turns;

pub use cast::Cast;
pub use kind::{Kind, OnErrand, Ordered, Part};
pub use scripted::Scripted;
pub use stage::{Stage, Step};
pub use turns::{KindId, Leaks, Move, StoreId, Turn};
