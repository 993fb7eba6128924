//! Ops: the round trips a checkout can make to a store, as plain data.
//!
//! A strategy never touches stock; it sends an [`Op`] and awaits the [`Reply`]. Each op is atomic on
//! its own. *Between* two ops, another buyer can get in.

mod want;

use serde::Serialize;

pub use want::{Also, Item, MOST_IN_CART, MOST_ITEMS, Order, Want};

/// Units of stock. Signed, because a broken checkout can sell below zero and the audit must see it.
pub type Units = i32;

/// The most units in stock: a broken checkout can then oversell twice over before anything wraps.
pub const MOST_STOCK: u64 = 1_000_000_000;

/// Over how many rows a product's stock is split, where it is.
pub const SHARDS: usize = 4;

/// The number of one buyer, counted from 0.
pub type BuyerId = u32;

/// How often a shelf was written through `write_if_version`. Wraps after 2³² writes.
pub type Version = u32;

/// One atomic round trip to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Look at the stock → [`Reply::Stock`].
    Read {
        /// The product.
        item: Item,
    },
    /// Look at stock and version together → [`Reply::Versioned`].
    ReadVersioned {
        /// The product.
        item: Item,
    },
    /// Overwrite the stock, whatever it is → [`Reply::Done`].
    Write {
        /// The product.
        item: Item,
        /// The new stock.
        stock: Units,
    },
    /// Overwrite the stock if it still is what was expected → [`Reply::Applied`].
    CompareAndSet {
        /// The product.
        item: Item,
        /// The stock seen before.
        expected: Units,
        /// The new stock.
        new: Units,
    },
    /// Overwrite the stock and raise its version, if the version is still the one given →
    /// [`Reply::Applied`]. The only op that moves the version.
    WriteIfVersion {
        /// The product.
        item: Item,
        /// The version seen before.
        version: Version,
        /// The new stock.
        stock: Units,
    },
    /// Decrement if enough is left → [`Reply::Applied`].
    Take {
        /// The product.
        item: Item,
        /// Units to take.
        qty: Units,
    },
    /// Add units, or with a negative number take them without looking → [`Reply::Stock`] with what
    /// is left afterwards, which may be below zero.
    Add {
        /// The product.
        item: Item,
        /// Units to add.
        qty: Units,
    },
    /// Wait for the product's lock and take it → [`Reply::Locked`].
    Lock {
        /// The product.
        item: Item,
    },
    /// Give the product's lock back → [`Reply::Done`].
    Unlock {
        /// The product.
        item: Item,
    },
    /// Write a row into the order book → [`Reply::Done`].
    PlaceOrder(Order),
    /// Join the queue in front of the worker → [`Reply::Done`].
    Submit(Request),
    /// Wait for the worker's answer to what was submitted → [`Reply::Applied`].
    AwaitAnswer,
    /// For a worker: wait for the next in the queue → [`Reply::Next`].
    NextRequest,
    /// For a worker: tell the buyer being served whether it was sold to, or hang up on it →
    /// [`Reply::Done`].
    Answer {
        /// Whether the units were sold; none if the worker cannot say.
        sold: Option<bool>,
    },
    /// Take units off the shelf for this buyer until a timer runs out → [`Reply::Applied`].
    Hold {
        /// The product.
        item: Item,
        /// Units to reserve.
        qty: Units,
    },
    /// Make the held units this buyer's for good → [`Reply::Applied`]: whether the hold still stood, or
    /// had been confirmed before.
    Confirm {
        /// The product.
        item: Item,
    },
    /// Give the held units back → [`Reply::Applied`]: whether there was a hold that still stood.
    Release {
        /// The product.
        item: Item,
    },
    /// Ask the payment provider for the price of what this buyer wants → [`Reply::Payment`].
    Charge {
        /// Whether it goes with an idempotency key, the buyer's own: then the provider moves money once
        /// and answers any later request with that key as it did the first.
        once: bool,
    },
    /// Ask the payment provider to set the price aside: no other shop can take it, and it does not move yet →
    /// [`Reply::Payment`]. It goes with the buyer's own key: asked again, the provider answers the same.
    Authorize,
    /// Move the money that was set aside → [`Reply::Payment`]: declined only if none is. It moves once.
    Capture,
    /// Release the money that was set aside → [`Reply::Applied`]: whether any was.
    Void,
    /// Give one payment of this buyer back → [`Reply::Applied`]: whether the provider had one.
    Refund,
    /// Ask the provider whether it has money of this buyer → [`Reply::Applied`].
    FindCharge,
    /// Look into the order book for an order of this buyer → [`Reply::Applied`].
    FindOrder,
    /// Write a row into the order book, unless there is one of this buyer → [`Reply::Applied`].
    PlaceOrderOnce(Order),
    /// Strike this buyer's orders out of the book → [`Reply::Applied`]: whether there were any.
    CancelOrder,
    /// Where there is no stock column: count the units that were never ordered → [`Reply::Stock`].
    CountLeft {
        /// The product.
        item: Item,
    },
    /// Wait for the product's lease, which ends by itself after a while, and take it →
    /// [`Reply::Token`].
    Lease {
        /// The product.
        item: Item,
    },
    /// Give the lease back, if it still is this buyer's → [`Reply::Applied`].
    Unlease {
        /// The product.
        item: Item,
    },
    /// Look at the stock and show the token of one's lease → [`Reply::Stock`]; a conflict if the store
    /// has seen a later one.
    ReadFenced {
        /// The product.
        item: Item,
        /// The token.
        token: Version,
    },
    /// Overwrite the stock, unless the store has seen a later token → [`Reply::Applied`].
    WriteFenced {
        /// The product.
        item: Item,
        /// The token.
        token: Version,
        /// The new stock.
        stock: Units,
    },
    /// Begin a transaction, at the store's isolation level → [`Reply::Done`].
    Begin,
    /// Commit the transaction, all or nothing → [`Reply::Done`]; a conflict if the isolation level forbids
    /// it.
    Commit,
    /// The same, but answered before it is on disk: a [power cut](crate::domain::faults::Act::PowerCut) loses it.
    CommitUnsynced,
    /// Roll the transaction back → [`Reply::Done`], also where a conflict has rolled it back already.
    Rollback,
    /// Decrement the copy of the stock in the cache if enough is left → [`Reply::Applied`].
    TakeCached {
        /// The product.
        item: Item,
        /// Units to take.
        qty: Units,
    },
    /// Add units to the copy of the stock in the cache → [`Reply::Stock`].
    AddCached {
        /// The product.
        item: Item,
        /// Units to add.
        qty: Units,
    },
    /// Where the stock is split over [shards](SHARDS), each a row of its own: decrement the one whose turn it
    /// is, if enough is left on it → [`Reply::Applied`].
    TakeFromShard {
        /// The product.
        item: Item,
        /// Units to take.
        qty: Units,
    },
    /// The same from all shards together, if enough is left on all of them → [`Reply::Applied`].
    TakeFromAll {
        /// The product.
        item: Item,
        /// Units to take.
        qty: Units,
    },
    /// A step of a checkout that is [described in a file](crate::describe::checkout) → [`Reply::Went`].
    Step {
        /// Which, counted from 0.
        number: u16,
        /// What the buyer wants.
        want: Want,
    },
}

impl Op {
    /// Which product it is about, if it is one.
    #[must_use]
    pub fn item(self) -> Option<Item> {
        match self {
            Self::Read { item }
            | Self::ReadVersioned { item }
            | Self::Write { item, .. }
            | Self::CompareAndSet { item, .. }
            | Self::WriteIfVersion { item, .. }
            | Self::Take { item, .. }
            | Self::Add { item, .. }
            | Self::Lock { item }
            | Self::Unlock { item }
            | Self::Hold { item, .. }
            | Self::Confirm { item }
            | Self::Release { item }
            | Self::CountLeft { item }
            | Self::Lease { item }
            | Self::Unlease { item }
            | Self::ReadFenced { item, .. }
            | Self::WriteFenced { item, .. }
            | Self::TakeCached { item, .. }
            | Self::AddCached { item, .. }
            | Self::TakeFromShard { item, .. }
            | Self::TakeFromAll { item, .. } => Some(item),
            Self::PlaceOrder(_)
            | Self::PlaceOrderOnce(_)
            | Self::CancelOrder
            | Self::FindOrder
            | Self::Charge { .. }
            | Self::Authorize
            | Self::Capture
            | Self::Void
            | Self::Refund
            | Self::FindCharge
            | Self::Begin
            | Self::Commit
            | Self::CommitUnsynced
            | Self::Rollback
            | Self::Submit(_)
            | Self::AwaitAnswer
            | Self::NextRequest
            | Self::Answer { .. }
            | Self::Step { .. } => None,
        }
    }

    /// Whether it is about nothing but the first so many products.
    #[must_use]
    pub fn is_within(self, items: u8) -> bool {
        let is_one = |item: Item| item.0 < items;
        match self {
            Self::PlaceOrder(order) | Self::PlaceOrderOnce(order) => order.want.items().all(is_one),
            op => op.item().is_none_or(is_one),
        }
    }

    /// Whether it asks the payment provider for money, so that several outcomes are possible.
    #[must_use]
    pub fn is_payment(self) -> bool {
        matches!(self, Self::Charge { .. } | Self::Authorize | Self::Capture)
    }

    /// The same op in this buyer's name, if the op contains a buyer.
    #[must_use]
    pub fn in_name_of(self, buyer: BuyerId) -> Self {
        match self {
            Self::PlaceOrder(order) => Self::PlaceOrder(Order { buyer, ..order }),
            Self::PlaceOrderOnce(order) => Self::PlaceOrderOnce(Order { buyer, ..order }),
            other => other,
        }
    }

    /// Whether the payment provider carries it out, not the store.
    #[must_use]
    pub fn is_about_money(self) -> bool {
        self.is_payment() || matches!(self, Self::Void | Self::Refund | Self::FindCharge)
    }
}

/// What the payment provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
    /// The money has moved.
    Approved,
    /// It has not, and will not.
    Declined,
    /// No answer: it may have moved, or not.
    Unknown,
}

/// The kinds of op, for saying what a strategy needs and what a store offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OpKind {
    /// `read`
    Read,
    /// `read_versioned`
    ReadVersioned,
    /// `write`
    Write,
    /// `compare_and_set`
    CompareAndSet,
    /// `write_if_version`
    WriteIfVersion,
    /// `take`
    Take,
    /// `add`
    Add,
    /// `lock` and `unlock`
    Lock,
    /// `submit` and `answer`, and the worker
    Queue,
    /// `hold`, `confirm` and `release`
    Hold,
    /// `charge`, `refund`, `find_charge`, `authorize`, `capture` and
    /// `void`
    Pay,
    /// `find_order`, `place_order_once` and `cancel_order`
    FindOrder,
    /// `count_left`
    CountLeft,
    /// `lease` and `unlease`
    Lease,
    /// `read_fenced` and `write_fenced`
    Fence,
    /// `begin`, `commit`, `commit_unsynced` and `rollback`
    Transaction,
    /// `take_cached` and `add_cached`
    Cache,
    /// `take_from_shard` and `take_from_all`
    Shards,
    /// A step of a checkout that is described in a file
    Step,
    /// No op: the provider's webhook of a payment, see
    /// [`notified`](crate::strategy::Strategy::notified).
    Webhook,
    /// No op: the recovery of what a crash left behind, see
    /// [`recover`](crate::strategy::Strategy::recover).
    Recover,
}

impl OpKind {
    /// Whether it needs a store that keeps a version beside the stock.
    #[doc(hidden)]
    #[must_use]
    pub fn is_versioned(self) -> bool {
        matches!(self, Self::ReadVersioned | Self::WriteIfVersion)
    }

    /// The name as it stands in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadVersioned => "read-versioned",
            Self::Write => "write",
            Self::CompareAndSet => "compare-and-set",
            Self::WriteIfVersion => "write-if-version",
            Self::Take => "take",
            Self::Add => "add",
            Self::Lock => "lock",
            Self::Queue => "queue",
            Self::Hold => "hold",
            Self::Pay => "pay",
            Self::FindOrder => "find-order",
            Self::CountLeft => "count-left",
            Self::Lease => "lease",
            Self::Fence => "fence",
            Self::Transaction => "transaction",
            Self::Cache => "cache",
            Self::Shards => "shards",
            Self::Step => "step",
            Self::Webhook => "webhook",
            Self::Recover => "recover",
        }
    }
}

/// One buyer's place in the worker's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// The buyer who asks.
    pub buyer: BuyerId,
    /// What it asks for.
    pub want: Want,
}

/// What a store answers to an [`Op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reply {
    /// Done; there is nothing to say.
    Done,
    /// The stock.
    Stock(Units),
    /// The stock and its version, of one moment.
    Versioned {
        /// The stock.
        stock: Units,
        /// Its version.
        version: Version,
    },
    /// Whether a conditional op took effect.
    Applied(bool),
    /// The lock is held now.
    Locked {
        /// Whether another session held it first.
        waited: bool,
    },
    /// The next in the queue; none when the shop has closed.
    Next(Option<Request>),
    /// What the payment provider says.
    Payment(Payment),
    /// The token of a lease: later leases have higher ones.
    Token(Version),
    /// How a described checkout goes on.
    Went(Onward),
}

/// How a described checkout goes on after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Onward {
    /// With this step.
    To(u16),
    /// It is over, and the buyer has what it came for.
    Bought,
    /// It is over, for too little is left.
    SoldOut,
}
