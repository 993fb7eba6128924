//! The model against a real server: every schedule of the model, step by step, must be answered there as the model
//! says.
//!
//! What a transaction sees of everything is decided in the model when it begins, and at a server with its first
//! look, for beginning alone asks nothing of it. So nobody comes between these two here: at a server that would be
//! another schedule, in which it begins later.

use crate::base::error::Error;
use crate::domain::isolation::Isolation;
use crate::domain::op::Op;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::model::opening::open;
use crate::explore::schedule::Schedule;
use crate::stores::remote::Server;
use crate::worlds::entrant::Entrant;
use crate::worlds::held::{self, Grain, Harness};
use crate::worlds::stepped::{Actor, Cast, Cue, Stage};

/// More steps than any schedule is followed for.
const MOST_STEPS: usize = 200;

/// How a model and a server have compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Schedules of the model that were run at the server.
    pub schedules: u64,
    /// Whether those were all.
    pub complete: bool,
    /// The first step that was answered otherwise than the model says.
    pub difference: Option<Difference>,
}

/// A step that a server answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The schedule up to it, with it.
    pub schedule: String,
    /// What the model answers.
    pub model: String,
    /// What the server answered.
    pub reality: String,
}

/// A schedule of the model, with what is answered to each step.
type Story = Vec<(usize, String)>;

/// Runs every schedule of the model, but no more than so many, at a server, and stops at the first difference.
///
/// # Errors
/// [`Error::Input`] for settings that cannot be, [`Error::World`] when the server fails.
pub fn compare(
    entrant: &dyn Entrant,
    settings: &Settings,
    server: &dyn Server,
    most: u64,
) -> Result<Agreement, Error> {
    let at_model = Settings { store: StoreKind::Memory, ..settings.clone() };
    let mut cast = Cast::new(entrant, &at_model).unmerged();
    let opening = open(&mut cast, entrant, &at_model)?;
    Harness::open(entrant, settings, server, Grain::Op, |harness| {
        let mut agreement = Agreement { schedules: 0, complete: true, difference: None };
        let sees_snapshots = settings.isolation != Isolation::ReadCommitted;
        // With whoever has just begun a transaction.
        let mut ahead: Vec<(Stage, Story, Option<Actor>)> = vec![(opening, Story::new(), None)];
        while let Some((stage, story, begun)) = ahead.pop() {
            let movers: Vec<Actor> =
                stage.actors().filter(|actor| stage.can_move(&mut cast, *actor)).collect();
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
                let (mut stage, mut story) = (stage.clone(), story.clone());
                let Some(step) = stage.step(&mut cast, actor) else { continue };
                story.push((buyer as usize, held::told(step.reply)));
                let begins = step.op == Some(Op::Begin) && sees_snapshots;
                ahead.push((stage, story, begins.then_some(actor)));
            }
        }
        Ok(agreement)
    })
}

/// The first step of a story that the server answers otherwise.
fn told_otherwise(harness: &mut Harness<'_>, story: &Story) -> Result<Option<Difference>, Error> {
    harness.begin()?;
    let mut difference = None;
    for (number, (place, model)) in story.iter().enumerate() {
        let reality = match harness.step(*place)? {
            None => "it cannot move".into(),
            Some(step) => step.answer.unwrap_or_else(|| "it has to wait".into()),
        };
        if reality != *model {
            let cues = story[..=number].iter();
            let cues = cues.map(|(place, _)| Cue::step(Actor::Buyer(*place as u32))).collect();
            let schedule = Schedule(cues).to_string();
            difference = Some(Difference { schedule, model: model.clone(), reality });
            break;
        }
    }
    harness.send_home()?;
    Ok(difference)
}
