//! Kinds of buyer: two buyers that want the same and have heard the same in this attempt are of one kind.

use std::collections::BTreeMap;

use crate::domain::attempt::OpResult;
use crate::domain::buyer::Ending;
use crate::domain::card::BackgroundTask;
use crate::domain::op::{Item, Op, Order, Want};
use crate::stores::model::{HeldResources, Standing};

/// The role of a buyer or the worker, apart from what it has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActorRole {
    /// A buyer that wants this and has had so many conflicts. Conflicts are counted only where retries are limited: a
    /// buyer with unlimited retries starts afresh each time.
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
    /// The worker, waiting for the next in the queue.
    IdleWorker,
    /// The worker, serving a buyer that wants this.
    BusyWorker {
        /// What the buyer came for.
        want: Want,
    },
}

/// A background task about a buyer that the shop is running.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunningTask {
    /// Which background task.
    pub background_task: BackgroundTask,
    /// What it has heard.
    pub heard: Vec<OpResult>,
    /// What it holds of the store.
    pub grip: HeldResources,
    /// The op it will send next.
    pub next: Op,
}

/// One kind: all buyers that are equal in everything that can make a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Its role.
    pub part: ActorRole,
    /// What it has heard in this attempt, private ops included.
    pub heard: Vec<OpResult>,
    /// What it holds of the store.
    pub grip: HeldResources,
    /// Its standing with the shop and the payment provider; for a worker, that of the buyer it serves.
    pub standing: Standing,
    /// The background task about it that the shop is running.
    pub background_task: Option<Box<RunningTask>>,
    /// Background tasks about it that the shop has yet to start, in order.
    pub due: Vec<BackgroundTask>,
    /// Whether it has made a step in this attempt.
    pub begun: bool,
    /// Set by the false-sold-out search: whether the buyer may have had units when a certain buyer was rejected, or
    /// is that buyer. See [`TransitionTable::after_refusal`](super::TransitionTable::after_refusal).
    pub early: bool,
    /// The op it will send next; none if it has left.
    pub next: Option<Op>,
}

impl ActorRole {
    /// What the buyer came for; for a busy worker, what the buyer it serves came for.
    #[must_use]
    pub fn want(self) -> Option<Want> {
        match self {
            Self::Buyer { want, .. } | Self::Gone { want, .. } | Self::BusyWorker { want } => {
                Some(want)
            }
            Self::IdleWorker => None,
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
    /// Whether it is inside an attempt, has bought, or has held units: only then may others have found too little
    /// because of it.
    #[must_use]
    pub fn may_have_units(&self) -> bool {
        self.begun
            || self.part.ending() == Some(Ending::Bought)
            || self.part.ending().is_some() && self.standing.has_stood_in_the_way()
    }

    /// The units in the order book in its name.
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

    /// Whether its own next op is a payment; the ops of its background task do not count.
    #[must_use]
    pub fn is_paying(&self) -> bool {
        self.next.is_some_and(Op::is_payment)
    }

    /// Whether no other buyer can see that it writes this order, so that the write merges with the step before it.
    /// False if this attempt has no step yet.
    #[must_use]
    pub fn orders_unseen(&self, order: Order) -> bool {
        let has_stepped = self.begun || matches!(self.part, ActorRole::BusyWorker { .. });
        has_stepped && self.part.want() == Some(order.want) && !self.grip.is_in_transaction()
    }

    /// Whether its request is with the worker: whatever happens to it there is the worker's doing.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        self.grip.place
    }

    /// The kind after its attempt: what the world keeps about the buyer stays.
    pub(super) fn after(mut self, part: ActorRole) -> Self {
        self.grip.let_go(&mut self.standing);
        Self {
            standing: self.standing,
            background_task: self.background_task,
            due: self.due,
            ..Self::of(part)
        }
    }

    /// A kind in this role, of which nothing else is known.
    pub(super) fn of(part: ActorRole) -> Self {
        Self {
            part,
            heard: Vec::new(),
            grip: HeldResources::default(),
            standing: Standing::default(),
            background_task: None,
            due: Vec::new(),
            begun: false,
            early: false,
            next: None,
        }
    }

    /// A buyer at the beginning of an attempt.
    pub(super) fn newcomer(want: Want, conflicts: u32) -> Self {
        Self::of(ActorRole::Buyer { want, conflicts })
    }
}

/// Units in the order book, by product.
pub type Ordered = BTreeMap<Item, i64>;
