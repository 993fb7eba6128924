//! A timeline: a schedule told step by step.

use serde::Serialize;

use crate::buyer::Ending;
use crate::op::{Item, Op, Reply, Units};
use crate::worlds::stepped::Step;

/// One row: who did what, and what the shelf held then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Who: `A` to `Z`, `a27` …, or `*` for the clerk.
    pub actor: String,
    /// What it did and what came of it.
    pub did: String,
    /// Units of each product afterwards.
    pub stock: Vec<Units>,
    /// What a reader should notice here.
    pub note: Option<String>,
}

/// The most steps that are held against each other for notes.
const MOST_NOTED: usize = 2_000;

/// Steps in words, with a note where somebody gets in between.
pub(super) fn told(steps: &[Step]) -> Vec<Row> {
    (0..steps.len())
        .map(|place| match steps.len() {
            0..=MOST_NOTED => Row { note: note(steps, place), ..Row::of(&steps[place]) },
            _ => Row::of(&steps[place]),
        })
        .collect()
}

/// Why a step is worth a second look: it looks at what somebody else is about to change, or changes
/// what somebody else has changed since it looked.
fn note(steps: &[Step], place: usize) -> Option<String> {
    let step = &steps[place];
    let (before, after) = (&steps[..place], &steps[place + 1..]);
    if let Some(item) = looked_at(step) {
        // Whoever looked before, and acts before this one does.
        let acts = after.iter().find(|later| changed(later) == Some(item))?;
        let has_looked =
            |other: &&Step| other.actor == acts.actor && looked_at(other) == Some(item);
        let acts_later = |later: &Step| later.actor == step.actor && changed(later) == Some(item);
        let is_blind = acts.actor != step.actor
            && before
                .iter()
                .rev()
                .take_while(|step| changed(step) != Some(item))
                .any(|s| has_looked(&s))
            && after.iter().any(acts_later);
        return is_blind
            .then(|| format!("{} decides on what {} is about to change", step.actor, acts.actor));
    }
    let Op::Write { item, .. } = step.op else { return None };
    let since_it_looked = before
        .iter()
        .rev()
        .take_while(|other| other.actor != step.actor || looked_at(other) != Some(item));
    let mut others = since_it_looked.filter(|other| other.actor != step.actor);
    let other = others.find(|other| changed(other) == Some(item))?;
    Some(format!("{} overwrites what {} wrote", step.actor, other.actor))
}

/// Which product a step looked at without changing it.
fn looked_at(step: &Step) -> Option<Item> {
    match step.op {
        Op::Read { item } | Op::ReadVersioned { item } => Some(item),
        _ => None,
    }
}

/// Which product's stock a step changed.
fn changed(step: &Step) -> Option<Item> {
    match (step.op, step.reply) {
        (Op::Write { item, .. } | Op::Add { item, .. }, Ok(_)) => Some(item),
        (
            Op::CompareAndSet { item, .. }
            | Op::WriteIfVersion { item, .. }
            | Op::Take { item, .. },
            Ok(Reply::Applied(true)),
        ) => Some(item),
        _ => None,
    }
}

impl Row {
    /// A step in words.
    #[must_use]
    pub fn of(step: &Step) -> Self {
        let mut did = deed(step);
        if step.ordered {
            did += ", order";
        }
        if step.begins_again {
            did += ", tries again";
        }
        if step.leaked_lock {
            did += ", keeps the lock";
        }
        did += &match step.ending {
            Some(Ending::TurnedAway) => ", sold out".into(),
            Some(Ending::GaveUp) => ", gives up".into(),
            Some(Ending::Failed(why)) => format!(", {why}"),
            _ => String::new(),
        };
        Self { actor: step.actor.to_string(), did, stock: step.stock.clone(), note: None }
    }
}

fn deed(step: &Step) -> String {
    let other = step.other.map_or(String::new(), |(actor, _)| actor.to_string());
    let names = step.stock.len() > 1;
    let of = |item| of(names, item);
    match (step.op, step.reply) {
        (Op::Read { item }, Ok(Reply::Stock(stock))) => format!("reads {stock}{}", of(item)),
        (Op::ReadVersioned { item }, Ok(Reply::Versioned { stock, version })) => {
            format!("reads {stock}{}, version {version}", of(item))
        }
        (Op::Write { item, stock }, _) => format!("writes {stock}{}", of(item)),
        (Op::CompareAndSet { item, expected, new }, Ok(Reply::Applied(true))) => {
            format!("swaps {expected} for {new}{}", of(item))
        }
        (Op::CompareAndSet { item, expected, new }, _) => {
            format!("cannot swap {expected} for {new}{}", of(item))
        }
        (Op::WriteIfVersion { item, stock, version }, Ok(Reply::Applied(true))) => {
            format!("writes {stock}{} over version {version}", of(item))
        }
        (Op::WriteIfVersion { item, version, .. }, _) => {
            format!("finds version {version}{} gone", of(item))
        }
        (Op::Take { item, qty }, Ok(Reply::Applied(true))) => format!("takes {qty}{}", of(item)),
        (Op::Take { item, qty }, _) => format!("is refused {qty}{}", of(item)),
        (Op::Add { item, qty }, Ok(Reply::Stock(left))) if qty < 0 => {
            format!("takes {}{} unseen, leaves {left}", -qty, of(item))
        }
        (Op::Add { item, qty }, _) => format!("puts {qty}{} back", of(item)),
        (Op::Lock { item }, _) => format!("locks{}", named(names, item)),
        (Op::Unlock { item }, _) => format!("unlocks{}", named(names, item)),
        (Op::Submit(_), _) => "queues up".into(),
        (Op::NextRequest, _) => format!("calls {other}"),
        (Op::Answer { sold: Some(true) }, _) => format!("sells to {other}"),
        (Op::Answer { sold: Some(false) }, _) => format!("turns {other} away"),
        (Op::Answer { sold: None }, _) => format!("hangs up on {other}"),
        (op, reply) => format!("{op:?}: {reply:?}"),
    }
}

/// An op that has not been made yet, in words; products are named where there are several.
pub(super) fn intention(op: Op, names: bool) -> String {
    let of = |item| of(names, item);
    match op {
        Op::Read { item } => format!("read{}", named(names, item)),
        Op::ReadVersioned { item } => format!("read{} with the version", named(names, item)),
        Op::Write { item, stock } => format!("write {stock}{}", of(item)),
        Op::CompareAndSet { item, expected, new } => {
            format!("swap {expected} for {new}{}", of(item))
        }
        Op::WriteIfVersion { item, stock, version } => {
            format!("write {stock}{} if the version is still {version}", of(item))
        }
        Op::Take { item, qty } => format!("take {qty}{} if enough is left", of(item)),
        Op::Add { item, qty } if qty < 0 => format!("take {}{} unseen", -qty, of(item)),
        Op::Add { item, qty } => format!("put {qty}{} back", of(item)),
        Op::Lock { item } => format!("lock{}", named(names, item)),
        Op::Unlock { item } => format!("unlock{}", named(names, item)),
        Op::PlaceOrder(_) => "write its order".into(),
        Op::Submit(_) => "queue up".into(),
        Op::AwaitAnswer => "hear its answer".into(),
        Op::NextRequest => "call the next".into(),
        Op::Answer { sold: Some(true) } => "say yes".into(),
        Op::Answer { sold: Some(false) } => "say no".into(),
        Op::Answer { sold: None } => "hang up".into(),
    }
}

fn of(names: bool, item: Item) -> String {
    if names { format!(" of {item}") } else { String::new() }
}

fn named(names: bool, item: Item) -> String {
    if names { format!(" {item}") } else { String::new() }
}
