//! Searches through every schedule, in the model and at real servers.
//!
//! `model` searches the states of the model, `server` the statement orders at a real server; both report one
//! [`Exploration`].

mod bound;
mod builder;
#[cfg(feature = "app")]
mod buyer_task;
mod completeness;
mod cure_tried;
mod exploration;
mod incident;
#[cfg(feature = "app")]
mod interleave;
mod level;
mod model;
mod next_commands;
#[cfg(feature = "cli")]
mod play;
#[cfg(feature = "cli")]
mod play_graph;
mod recording;
mod sampling;
mod server;
#[cfg(all(feature = "postgres", feature = "cli"))]
mod spec;
mod survey;
mod timeline;
mod touch;
mod usual;

pub use crate::scheduler::{Method, Schedule};
pub use bound::{ENOUGH_ORDERS, ENOUGH_STATES, Plan, PreemptionBound};
pub use builder::{Explore, explore};
pub use cure_tried::{Cure, CureTried};
pub(crate) use exploration::check_counted;
pub use exploration::{
    Covered, Exploration, FindingReport, OrderCoverage, check_expectation, parse_expectation,
};
pub use incident::{Incident, IncidentKind};
#[cfg(feature = "app")]
pub use interleave::{Interleave, Sale, interleave};
pub use level::{LevelTried, NoLevel};
pub use model::any::{AnyBuyers, MOST_BUYERS, any_buyers};
pub use model::bounded::search_preempted;
pub use model::brute::{Tried, try_all};
pub use model::checks::{FinalState, Shown};
#[cfg(feature = "cli")]
pub(crate) use model::cluster::search_among;
pub use model::drawing::StateGraph;
pub use model::graph::ScheduleCount;
pub use model::limits::Limits;
pub use model::opening::open;
#[cfg(feature = "cli")]
pub(crate) use model::play::play;
#[cfg(feature = "cli")]
pub(crate) use model::play_graph::play_graph;
pub use model::replay::replay;
pub use model::search::{Search, SearchResult};
pub use model::searches::{sample, search_all, search_and_draw, search_unreduced};
pub use model::state::{ANY, MOST_OF_A_KIND, State};
pub use next_commands::{NextCommand, after_any, after_race, after_search, after_simulation};
#[cfg(feature = "cli")]
pub(crate) use play::{Outlook, Playable};
#[cfg(feature = "cli")]
pub(crate) use play_graph::lanes;
#[cfg(feature = "cli")]
pub use play_graph::{Futures, PlayGraph, PlayMove, PlaySource, PlayState, PlayStatus};
pub use recording::Recording;
pub use sampling::{Sampled, Sampling};
pub use server::checkup::{Checkup, Differing, Walked, check_up};
pub use server::conflict::{Conflict, Reach};
#[cfg(feature = "cli")]
pub(crate) use server::copies::{can_have_copies, open_copies};
pub use server::cure::{gravest, no_level, try_level, try_levels};
#[cfg(any(feature = "cli", fuzzing))]
pub(crate) use server::order_log::{OrderFile, OrderLog};
#[cfg(feature = "cli")]
pub(crate) use server::orders::search_orders_to_play;
pub use server::orders::{
    can_be_stepped, replay_orders, search_orders, server_for, server_to_rehearse_at,
    stopped_before_orders,
};
#[cfg(feature = "cli")]
pub(crate) use server::part::{PartOfSearch, PartsOfSearch, search_part};
#[cfg(feature = "cli")]
pub(crate) use server::play::play_at_server;
pub use server::random::sample_orders;
#[cfg(feature = "cli")]
pub(crate) use server::random::sample_orders_to_play;
pub use server::reality::{Agreement, Difference, compare};
pub use server::rehearsal::{Rehearsal, as_furnished, rehearse};
pub use server::results::OrderOutcome;
pub use server::tries::try_cure;
#[cfg(all(feature = "postgres", feature = "cli"))]
pub use spec::{SpecAgreement, SpecOrders, SpecOutcome, SpecStepResult};
#[cfg(all(feature = "postgres", feature = "cli"))]
pub(crate) use spec::{run_every_order, run_permutations};
pub use survey::{
    Survey, SurveyColumn, SurveyRow, SurveyVerdict, rows_of_survey, survey, verdicts_of_survey,
};
pub use timeline::TimelineRow;
pub use touch::{Access, Touch};
pub use usual::{with_carts, with_claim};
