//! A timeline: a schedule told step by step.

use serde::Serialize;

use crate::buyer::Ending;
use crate::op::{Op, Reply, Units};
use crate::worlds::stepped::Step;

/// One row: who did what, and what the shelf held then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Who: `A` to `Z`, `a27` …, or `*` for the clerk.
    pub actor: String,
    /// What it did and what came of it.
    pub did: String,
    /// Units on the shelf afterwards.
    pub stock: Units,
}

impl Row {
    /// A step in words.
    #[must_use]
    pub fn of(step: &Step) -> Self {
        let mut did = deed(step);
        if step.ordered > 0 {
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
        Self { actor: step.actor.to_string(), did, stock: step.stock }
    }
}

fn deed(step: &Step) -> String {
    let other = step.other.map_or(String::new(), |(actor, _)| actor.to_string());
    match (step.op, step.reply) {
        (Op::Read { .. }, Ok(Reply::Stock(stock))) => format!("reads {stock}"),
        (Op::ReadVersioned { .. }, Ok(Reply::Versioned { stock, version })) => {
            format!("reads {stock}, version {version}")
        }
        (Op::Write { stock, .. }, _) => format!("writes {stock}"),
        (Op::CompareAndSet { expected, new, .. }, Ok(Reply::Applied(true))) => {
            format!("swaps {expected} for {new}")
        }
        (Op::CompareAndSet { expected, new, .. }, _) => {
            format!("cannot swap {expected} for {new}")
        }
        (Op::WriteIfVersion { stock, version, .. }, Ok(Reply::Applied(true))) => {
            format!("writes {stock} over version {version}")
        }
        (Op::WriteIfVersion { version, .. }, _) => format!("finds version {version} gone"),
        (Op::Take { qty, .. }, Ok(Reply::Applied(true))) => format!("takes {qty}"),
        (Op::Take { qty, .. }, _) => format!("is refused {qty}"),
        (Op::Add { qty, .. }, Ok(Reply::Stock(left))) if qty < 0 => {
            format!("takes {} unseen, leaves {left}", -qty)
        }
        (Op::Add { qty, .. }, _) => format!("puts {qty} back"),
        (Op::Lock { .. }, _) => "locks".into(),
        (Op::Unlock { .. }, _) => "unlocks".into(),
        (Op::Submit(_), _) => "queues up".into(),
        (Op::NextRequest, _) => format!("calls {other}"),
        (Op::Answer { sold: Some(true) }, _) => format!("sells to {other}"),
        (Op::Answer { sold: Some(false) }, _) => format!("turns {other} away"),
        (Op::Answer { sold: None }, _) => format!("hangs up on {other}"),
        (op, reply) => format!("{op:?}: {reply:?}"),
    }
}
