//! Kinds of buyer: two who want the same and have heard the same in this attempt are one.

use std::collections::BTreeMap;

use super::script::Heard;
use crate::buyer::Ending;
use crate::op::{Item, Op, Want};
use crate::stores::memory::model::Grip;

/// Who somebody is, apart from what it has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A buyer who wants this and has lost so often. Losses are only counted where retries are
    /// limited: a buyer who may lose for ever starts afresh each time.
    Buyer {
        /// What it came for.
        want: Want,
        /// Conflicts so far.
        conflicts: u32,
    },
    /// A buyer who has left.
    Gone {
        /// What it came for.
        want: Want,
        /// How its visit ended.
        ending: Ending,
    },
    /// The clerk, waiting for the next in the queue.
    IdleClerk,
    /// The clerk, serving somebody who wants this.
    BusyClerk {
        /// What the buyer came for.
        want: Want,
    },
}

/// One kind: all who are alike in everything that can make a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Who it is.
    pub part: Part,
    /// What it has heard in this attempt, private ops included.
    pub heard: Vec<Heard>,
    /// What it holds of the store.
    pub grip: Grip,
    /// What stands in the order book in its name; with a clerk, in the name of whom it serves.
    pub ordered: Ordered,
    /// Whether it has made a step in this attempt.
    pub begun: bool,
    /// For a search that follows what came first: whether it was inside, or had bought, when a certain
    /// buyer was turned away; or is that buyer. See [`Cast::after_refusal`](super::Cast::after_refusal).
    pub early: bool,
    /// The op it will send next; none if it has left.
    pub next: Option<Op>,
}

impl Part {
    /// How its visit ended, if it has.
    #[must_use]
    pub fn ending(self) -> Option<Ending> {
        match self {
            Self::Gone { ending, .. } => Some(ending),
            _ => None,
        }
    }
}

impl Kind {
    /// Whether it is inside an attempt, or has bought: only then may it have taken units for good.
    #[must_use]
    pub fn may_have_units(&self) -> bool {
        self.begun || self.part.ending() == Some(Ending::Bought)
    }

    /// Somebody of whom nothing else is known.
    pub(super) fn of(part: Part) -> Self {
        Self {
            part,
            heard: Vec::new(),
            grip: Grip::default(),
            ordered: Ordered::new(),
            begun: false,
            early: false,
            next: None,
        }
    }

    /// A buyer at the beginning of an attempt.
    pub(super) fn newcomer(want: Want, conflicts: u32) -> Self {
        Self::of(Part::Buyer { want, conflicts })
    }
}

/// Units in the order book, by product.
pub type Ordered = BTreeMap<Item, i64>;

/// Adds what stands in another book.
pub(super) fn with(mut ordered: Ordered, more: &Ordered) -> Ordered {
    for (item, units) in more {
        let sum = ordered.entry(*item).or_default();
        *sum = sum.saturating_add(*units);
    }
    ordered
}

/// What an order adds to the book.
pub(super) fn ordered_by(want: Want) -> Ordered {
    want.items().map(|item| (item, want.qty.into())).collect()
}
