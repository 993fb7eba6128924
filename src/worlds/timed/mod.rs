//! The timed world: a virtual clock, so that things take simulated time and no thread waits for it.
//!
//! The event queue knows what will happen when. The world lets it happen: buyers click, packets travel, servers
//! run a strategy's code, ops arrive at a counter. A [`scene`] says what the shop is made of.

pub mod arrivals;
mod council;
mod counter;
mod crowd;
pub mod delay;
mod event;
mod event_queue;
mod floor;
mod guests;
mod line;
mod moment;
mod queue_worker;
pub mod quorum;
mod replica;
mod rows;
pub mod scene;
mod seat;
mod signs;
mod simulate;
mod story;
mod tasks;
pub mod theory;
mod timers;
pub mod timestamps;
mod visits;
mod votes;
mod waits;
mod world;

pub use scene::Scene;
pub use simulate::{MOST_KEPT, simulate};
pub use story::{Line, MOST_LINES, Story};
