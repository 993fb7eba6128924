//! The timed world: a virtual clock, so that things take simulated time and no thread waits for it.
//!
//! The event queue knows what will happen when. The world lets it happen: buyers click, packets travel, servers
//! run a strategy's code, ops arrive at a counter. A [`sim_config`] says what the shop is made of.

pub mod arrivals;
mod counter;
pub mod delay;
mod event;
mod event_queue;
mod line;
mod moment;
mod negative_cache;
mod occupancy;
mod queue_worker;
pub mod quorum;
mod replica;
mod replicated_state_machine;
mod rows;
mod seat;
mod server_pool;
pub mod sim_config;
mod simulate;
mod story;
mod tasks;
pub mod theory;
mod timers;
pub mod timestamps;
mod visit_recorder;
mod visits;
mod votes;
mod waits;
mod world;

pub use sim_config::SimConfig;
pub use simulate::{MOST_KEPT, simulate};
pub use story::{HoldChange, MOST_LINES, Sending, Story, StoryLine};
