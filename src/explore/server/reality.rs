//! The model against a real server: the server must answer each step of every schedule of the model as the model says.
//!
//! In the model a transaction takes its snapshot when it begins; at a server with its first query, for beginning alone
//! reads nothing. So no other buyer moves between these two steps here: at a server that would be another schedule, in
//! which the transaction begins later.

use crate::base::error::Error;
use crate::domain::isolation::Isolation;
use crate::domain::op::Op;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::model::opening::open;
use crate::scheduler::Schedule;
use crate::scheduler::{Actor, Choice};
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{self, Grain, Harness};
use crate::worlds::stepped::{ModelState, TransitionTable};

/// Step limit: a longer schedule is compared only up to it.
const MOST_STEPS: usize = 200;

/// The result of comparing a model with a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Schedules of the model that were run at the server.
    pub schedules: u64,
    /// Whether these were all schedules.
    pub complete: bool,
    /// The first step that the server answered differently from the model.
    pub difference: Option<Difference>,
}

/// A step that the server answered differently from the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The schedule up to this step, and with it.
    pub schedule: String,
    /// What the model answers.
    pub model: String,
    /// What the server answered.
    pub reality: String,
}

/// A schedule of the model: each step's buyer, and what the model answers.
type ModelSchedule = Vec<(usize, String)>;

/// Runs the schedules of the model at a server, at most `most` of them, and stops at the first difference.
///
/// # Errors
/// [`Error::Input`] for settings that cannot be, [`Error::World`] when the server fails.
pub fn compare(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    most: u64,
) -> Result<Agreement, Error> {
    let at_model = Settings { store: StoreKind::Memory, ..settings.clone() };
    let mut table = TransitionTable::new(strategy, &at_model).unmerged();
    let opening = open(&mut table, strategy, &at_model)?;
    Harness::open(strategy, settings, server, Grain::Op, |harness| {
        let mut agreement = Agreement { schedules: 0, complete: true, difference: None };
        let sees_snapshots = settings.isolation != Isolation::ReadCommitted;
        // Each with the buyer that has just begun a transaction, if it must move next.
        let mut ahead: Vec<(ModelState, ModelSchedule, Option<Actor>)> =
            vec![(opening, ModelSchedule::new(), None)];
        while let Some((model_state, story, begun)) = ahead.pop() {
            let movers: Vec<Actor> = model_state
                .actors()
                .filter(|actor| model_state.can_move(&mut table, *actor))
                .collect();
            if movers.is_empty() || story.len() == MOST_STEPS {
                if agreement.schedules == most {
                    agreement.complete = false;
                    break;
                }
                agreement.schedules += 1;
                agreement.difference = told_otherwise(harness, &story)?;
                if agreement.difference.is_some() {
                    agreement.complete = false;
                    break;
                }
                continue;
            }
            // The last is followed first.
            for actor in movers.into_iter().rev() {
                let Actor::Buyer(buyer) = actor else { continue };
                if begun.is_some_and(|begun| begun != actor) {
                    continue;
                }
                let (mut model_state, mut story) = (model_state.clone(), story.clone());
                let Some(step) = model_state.step(&mut table, actor) else { continue };
                story.push((buyer as usize, held::told(step.reply)));
                let begins = step.op == Some(Op::Begin) && sees_snapshots;
                ahead.push((model_state, story, begins.then_some(actor)));
            }
        }
        Ok(agreement)
    })
}

/// The first step of a story that the server answers differently.
fn told_otherwise(
    harness: &mut Harness<'_>,
    story: &ModelSchedule,
) -> Result<Option<Difference>, Error> {
    harness.begin()?;
    let mut difference = None;
    for (number, (place, model)) in story.iter().enumerate() {
        let reality = match harness.step(*place)? {
            None => "it cannot move".into(),
            Some(step) => step.answer.unwrap_or_else(|| "it has to wait".into()),
        };
        if reality != *model {
            let choices = story[..=number].iter();
            let choices =
                choices.map(|(place, _)| Choice::step(Actor::Buyer(*place as u32))).collect();
            let schedule = Schedule(choices).to_string();
            difference = Some(Difference { schedule, model: model.clone(), reality });
            break;
        }
    }
    harness.send_home()?;
    Ok(difference)
}
