//! A race of several machines at one store: each sends its own buyers, and all start at a time that they have agreed on.
//!
//! Buyers of part i are those numbered i-1, i-1+n, and so on. The first part makes the shop, and reads it when all parts have
//! ended; the visits stand in the parts' files, and `merge` audits all of them against that. So there is one verdict, and none
//! where a part is missing: what its buyers did is not known. The parts know of each other by notes in the store (`meeting.rs`).

mod clocks;
mod meeting;
mod merged;
mod part;
mod roll;
mod visits;

pub use meeting::CommonWork;
pub use merged::Gathering;
pub use part::{PartOfCommonRace, Rendezvous, race_part};
pub use roll::Absence;
