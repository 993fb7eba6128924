//! A timeline: a schedule told step by step.

use serde::Serialize;

use super::touch::Touch;
use crate::base::text::code_location::CodeLocation;
use crate::base::text::quantity::of;
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::card::BackgroundTask;
use crate::domain::faults::Act;
use crate::domain::op::{Item, Op, Reply, Units};
use crate::worlds::stepped::ModelStep;
use crate::worlds::words::{done, happened};

/// One row: an actor's step, and the stock after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TimelineRow {
    /// The actor: `A` to `Z`, `a27` …, or `*` for the worker; `time` where all holds run out at a server.
    pub actor: String,
    /// What it did and what came of it.
    pub did: String,
    /// Units of each product afterwards; empty where the stock was not read.
    pub stock: Vec<Units>,
    /// What a reader should notice here.
    pub note: Option<String>,
    /// Whether it says how an earlier step, which had to wait, went on, and is no step of its own.
    pub goes_on: bool,
    /// How many steps this stands for, if they are not told one by one.
    #[serde(skip_serializing_if = "is_one")]
    pub steps: u32,
    /// What it read, changed or locked, as far as that is known; empty for rows that go on with an earlier step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<Touch>,
    /// Where in the application's code its statement was made, if a tag in the statement's comment says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeLocation>,
    /// Whether it has to wait for another buyer: its effect comes later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

fn is_one(steps: &u32) -> bool {
    *steps == 1
}

/// The most steps that are compared with each other for notes.
const MOST_NOTED: usize = 2_000;

/// Steps in words, with a note where another buyer interferes.
pub(super) fn told(steps: &[ModelStep]) -> Vec<TimelineRow> {
    (0..steps.len())
        .map(|place| match steps.len() {
            0..=MOST_NOTED => {
                TimelineRow { note: note(steps, place), ..TimelineRow::of(&steps[place]) }
            }
            _ => TimelineRow::of(&steps[place]),
        })
        .collect()
}

/// The note of a step: it reads what another buyer is about to change, or writes what another buyer has changed since
/// it read.
fn note(steps: &[ModelStep], place: usize) -> Option<String> {
    let step = &steps[place];
    let (before, after) = (&steps[..place], &steps[place + 1..]);
    if let Some(item) = looked_at(step) {
        // The next step that changes the product: by a buyer that may have read it before.
        let acts = after.iter().find(|later| changed(later) == Some(item))?;
        let has_looked =
            |other: &&ModelStep| other.actor == acts.actor && looked_at(other) == Some(item);
        let acts_later =
            |later: &ModelStep| later.actor == step.actor && changed(later) == Some(item);
        let is_blind = acts.actor != step.actor
            && before
                .iter()
                .rev()
                .take_while(|step| changed(step) != Some(item))
                .any(|s| has_looked(&s))
            && after.iter().any(acts_later);
        return is_blind
            .then(|| format!("{} reads what {} is about to change", step.actor, acts.actor));
    }
    let Some(Op::Write { item, .. }) = step.op else { return None };
    let since_it_looked = before
        .iter()
        .rev()
        .take_while(|other| other.actor != step.actor || looked_at(other) != Some(item));
    let mut others = since_it_looked.filter(|other| other.actor != step.actor);
    let other = others.find(|other| changed(other) == Some(item))?;
    Some(format!("{} overwrites what {} wrote", step.actor, other.actor))
}

/// The product that a step read without changing it.
fn looked_at(step: &ModelStep) -> Option<Item> {
    match step.op {
        Some(Op::Read { item } | Op::ReadVersioned { item } | Op::ReadFenced { item, .. }) => {
            Some(item)
        }
        _ => None,
    }
}

/// The product whose stock a step changed.
fn changed(step: &ModelStep) -> Option<Item> {
    match (step.op?, step.reply) {
        (Op::Write { item, .. } | Op::Add { item, .. }, Ok(_)) => Some(item),
        (
            Op::CompareAndSet { item, .. }
            | Op::WriteIfVersion { item, .. }
            | Op::WriteFenced { item, .. }
            | Op::Hold { item, .. }
            | Op::Take { item, .. },
            Ok(Reply::Applied(true)),
        ) => Some(item),
        _ => None,
    }
}

impl TimelineRow {
    /// A buyer's statement at a real server, and its result.
    pub(super) fn said(actor: String, did: String, goes_on: bool) -> Self {
        Self {
            actor,
            did,
            stock: Vec::new(),
            note: None,
            goes_on,
            steps: 1,
            touches: Vec::new(),
            code: None,
            waits: false,
        }
    }

    /// Some steps of one buyer that are not told one by one.
    pub(super) fn folded(actor: String, steps: u32) -> Self {
        let did = format!("… {}", of(steps.into(), "statement"));
        Self { steps, ..Self::said(actor, did, false) }
    }

    /// What stands beside the step: what a reader should notice, and where it was made.
    pub(crate) fn beside(&self) -> String {
        let code = self.code.as_ref().map(CodeLocation::to_string);
        self.note.iter().cloned().chain(code).collect::<Vec<_>>().join("; ")
    }

    /// A step in words.
    #[doc(hidden)]
    #[must_use]
    pub fn of(step: &ModelStep) -> Self {
        let mut did = deed(step);
        if step.ordered && !did.contains("order") {
            did += ", order";
        }
        if step.begins_again {
            did += ", tries again";
        }
        if step.leaks.lock {
            did += ", keeps the lock";
        }
        if step.leaks.hold {
            did += ", keeps its hold";
        }
        did += &match step.ending {
            Some(Ending::Rejected) => ", sold out".into(),
            Some(Ending::Abandoned) => ", abandons the purchase".into(),
            Some(Ending::Declined) => ", goes without".into(),
            Some(Ending::Expired) => ", is told it was too late".into(),
            Some(Ending::Failed(Failure::Crashed)) => String::new(),
            Some(Ending::Failed(why)) => format!(", {why}"),
            _ => String::new(),
        };
        Self {
            actor: step.actor.to_string(),
            did,
            stock: step.stock.clone(),
            note: None,
            goes_on: false,
            steps: 1,
            touches: Touch::of_step(step),
            code: None,
            waits: false,
        }
    }
}

/// What happened, in words, without what followed from it.
fn deed(step: &ModelStep) -> String {
    let other = step.other.map_or(String::new(), |(actor, _)| actor.to_string());
    let names = step.stock.len() > 1;
    let in_whose_name = match step.background_task {
        Some(BackgroundTask::Webhook) => "webhook: ",
        Some(BackgroundTask::Recovery) => "recovery: ",
        None => "",
    };
    match (step.act, step.op) {
        (Act::PowerCut, Some(op)) => {
            let done = done(op, step.reply, names, &other);
            format!("{in_whose_name}{done}; then the power fails")
        }
        (Act::StaleRead, Some(op)) => {
            format!("{} from a copy that is behind", done(op, step.reply, names, &other))
        }
        (Act::Step | Act::BackgroundTask | Act::Decline | Act::LoseAnswer, Some(op)) => {
            format!("{in_whose_name}{}", done(op, step.reply, names, &other))
        }
        (act, _) => happened(act).to_owned(),
    }
}
