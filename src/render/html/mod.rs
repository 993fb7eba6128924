//! Reports as pages: one file each, without anything from a network. The templates, the style sheet and the scripts lie
//! beside this file.

mod comparison;
mod exploration;
mod lock_waits;
mod page;
mod plot;
mod race;
mod story_map;
mod suites;
mod survey;
mod sweep;
mod swim_lanes;

pub use comparison::comparison_page;
pub use exploration::{any_buyers_page, exploration_page};
pub use race::{race_page, simulation_page};
pub use suites::suites_page;
pub use survey::survey_page;
pub use sweep::sweep_page;
