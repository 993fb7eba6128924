//! Kinds of buyer: two who want the same and have heard the same in this attempt are one.

use std::collections::BTreeMap;

use crate::domain::attempt::Heard;
use crate::domain::buyer::Ending;
use crate::domain::card::Errand;
use crate::domain::op::{Item, Op, Order, Want};
use crate::stores::model::{Grip, Standing};

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

/// Somebody of the shop's on an errand about a buyer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnErrand {
    /// Which errand.
    pub errand: Errand,
    /// What it has heard.
    pub heard: Vec<Heard>,
    /// What it holds of the store.
    pub grip: Grip,
    /// The op it will send next.
    pub next: Op,
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
    /// How it stands with the shop and the payment provider; with a clerk, how whom it serves does.
    pub standing: Standing,
    /// What the shop does in its name meanwhile.
    pub errand: Option<Box<OnErrand>>,
    /// Errands that somebody of the shop's has yet to go on, the first first.
    pub due: Vec<Errand>,
    /// Whether it has made a step in this attempt.
    pub begun: bool,
    /// For a search that follows what came first: whether it was inside, or had bought, when a certain
    /// buyer was turned away; or is that buyer. See [`Cast::after_refusal`](super::Cast::after_refusal).
    pub early: bool,
    /// The op it will send next; none if it has left.
    pub next: Option<Op>,
}

impl Part {
    /// What its buyer came for, or whom it serves.
    #[must_use]
    pub fn want(self) -> Option<Want> {
        match self {
            Self::Buyer { want, .. } | Self::Gone { want, .. } | Self::BusyClerk { want } => {
                Some(want)
            }
            Self::IdleClerk => None,
        }
    }

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
    /// Whether it is inside an attempt, has bought, or has held units: only then may there have been too
    /// little left for others because of it.
    #[must_use]
    pub fn may_have_units(&self) -> bool {
        self.begun
            || self.part.ending() == Some(Ending::Bought)
            || self.part.ending().is_some() && self.standing.has_stood_in_the_way()
    }

    /// What stands in the order book in its name.
    #[must_use]
    pub fn ordered(&self) -> Ordered {
        let mut ordered = Ordered::new();
        for want in &self.standing.orders {
            for item in want.items() {
                *ordered.entry(item).or_default() += i64::from(want.qty);
            }
        }
        ordered
    }

    /// Whether it is about to ask for money itself, and not somebody on its errand.
    #[must_use]
    pub fn is_paying(&self) -> bool {
        self.next.is_some_and(Op::is_payment)
    }

    /// Whether writing this order is a step that nobody else can see, and so one with the step before it, if
    /// there is one in this attempt.
    #[must_use]
    pub fn orders_unseen(&self, order: Order) -> bool {
        let has_stepped = self.begun || matches!(self.part, Part::BusyClerk { .. });
        has_stepped && self.part.want() == Some(order.want) && !self.grip.is_in_transaction()
    }

    /// Whether it stands in front of the clerk: whatever happens to it there is the clerk's doing.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        self.grip.place
    }

    /// Somebody after its attempt: what the world keeps about it stays.
    pub(super) fn after(mut self, part: Part) -> Self {
        self.grip.let_go(&mut self.standing);
        Self { standing: self.standing, errand: self.errand, due: self.due, ..Self::of(part) }
    }

    /// Somebody of whom nothing else is known.
    pub(super) fn of(part: Part) -> Self {
        Self {
            part,
            heard: Vec::new(),
            grip: Grip::default(),
            standing: Standing::default(),
            errand: None,
            due: Vec::new(),
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
