//! How one attempt to buy can end.

use serde::{Deserialize, Serialize};

use super::op::Reply;

/// A reply as an attempt heard it.
pub type OpResult = Result<Reply, Missed>;

/// How one attempt ended. See [`Missed`] for the ways not to buy.
pub type Attempt = Result<Bought, Missed>;

/// The shop promised the units. The engine hands out the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bought;

/// The ways an attempt can end without a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Missed {
    /// Too little is left: the buyer is rejected for good.
    SoldOut,
    /// Another session got in between. The engine decides whether to try again.
    Conflict,
    /// The payment did not go through.
    Declined,
    /// The units had been reserved for this buyer, and the reservation ran out.
    Expired,
    /// Something broke.
    Failed(Failure),
}

/// Why an attempt failed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[non_exhaustive]
pub enum Failure {
    /// The buyer's patience ran out in front of a lock.
    #[error("waited for a lock longer than its patience")]
    LockTimeout,
    /// The buyer's patience ran out in the queue, or the worker left.
    #[error("no answer from the queue")]
    NoAnswer,
    /// A lock was given back that was not held.
    #[error("unlocked what it had not locked")]
    NotLocked,
    /// The op names a product this store does not have.
    #[error("no such item")]
    NoSuchItem,
    /// The store does not support the op here, such as an answer without a request.
    #[error("the store cannot do that op here")]
    Unsupported,
    /// The attempt awaited something that is not an op, and live worlds cannot wait for that.
    #[error("the attempt awaited something that is not an op")]
    Suspended,
    /// The attempt made more ops than the engine allows.
    #[error("the attempt goes on and on")]
    TooLong,
    /// The buyer confirmed units that it had never reserved.
    #[error("confirmed what it had not reserved")]
    NotHeld,
    /// A transaction was begun inside another, or one was committed that was never begun.
    #[error("begun inside a transaction, or committed outside one")]
    Transaction,
    /// The server that ran the attempt died.
    #[error("its server crashed")]
    Crashed,
    /// The group could not answer: too few of its members were reachable to decide.
    #[error("the shop could not decide: too few of its members were within reach")]
    NoMajority,
    /// The buyer's patience ran out before there was a connection to the store.
    #[error("no connection to the store in time")]
    NoConnection,
    /// The connection to the store broke before the answer came: the op may have taken effect, or not.
    #[error("lost its connection to the store: what became of it is unknown")]
    Disconnected,
    /// The database itself does not let stock fall below zero.
    #[error("the database refused stock below zero")]
    BelowZero,
    /// The store refused something that it should not have; the report says what it said.
    #[error("the store refused it")]
    Refused,
    /// A condition of a described checkout ended the attempt, or its `if_refused` did.
    #[error("a condition of the checkout ended it")]
    Condition,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
