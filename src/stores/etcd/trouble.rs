//! What can go wrong with etcd, and what a buyer is told of it.

use crate::domain::attempt::Failure;
use crate::domain::op::Reply;

/// The result of an op.
pub(super) type Done<T = Reply> = Result<T, Trouble>;

/// Why an op was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The members had no majority. The request may still take effect.
    NoMajority(String),
    /// The connection broke before the answer came.
    Lost(String),
    /// A lease of etcd's ended before it was used.
    NoLease,
    /// A client has shown a higher token.
    Conflict,
    /// The op is not valid here, or could not be done in time.
    Failed(Failure),
    /// Anything else.
    Refused(String),
}

/// The texts by which etcd reports that it has no majority. It has no error code for that.
const NO_MAJORITY: [&str; 5] = [
    "etcdserver: no leader",
    "etcdserver: request timed out",
    "etcdserver: leader changed",
    "etcdserver: not leader",
    "context deadline exceeded",
];

/// The texts by which etcd reports that the server is stopping.
const GOING: [&str; 2] = ["etcdserver: server stopped", "transport is closing"];

impl Trouble {
    /// The error that a text of etcd's means.
    pub(super) fn of(said: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&["requested lease not found"]) {
            Self::NoLease
        } else if says(&NO_MAJORITY) {
            Self::NoMajority(said.into())
        } else if says(&GOING) {
            Self::Lost(format!("etcd: {said}"))
        } else {
            Self::Refused(format!("etcd: {said}"))
        }
    }

    /// The text of the error, for a request that has to succeed.
    pub(super) fn text(self) -> String {
        match self {
            Self::NoMajority(said) => {
                format!("etcd: {said}: too few members are there to decide")
            }
            Self::NoLease => "etcd: a lease ended too soon".into(),
            Self::Conflict => "etcd: another client got in between".into(),
            Self::Failed(why) => why.to_string(),
            Self::Lost(text) | Self::Refused(text) => text,
        }
    }
}
