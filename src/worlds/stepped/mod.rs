//! The stepped world: one op at a time, and a chooser picks whose.
//!
//! [`script`] tells what a buyer does next from what it has heard. [`cast`] keeps the kinds of buyers
//! there are: two who want the same and have heard the same in this attempt are one kind. [`stage`]
//! is a shop with its buyers, moved one step at a time.

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
pub use stage::{Actor, Stage, Step};
pub use turns::{Cue, KindId, Leaks, Move, StoreId, Turn};
