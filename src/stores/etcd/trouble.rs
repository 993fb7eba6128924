//! What can go wrong with etcd, and what a buyer is told of it.

use crate::domain::attempt::Failure;
use crate::domain::op::Reply;

/// What an op comes to.
pub(super) type Done<T = Reply> = Result<T, Trouble>;

/// Why an op was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The members could not decide. What was asked for may yet happen.
    NoMajority(String),
    /// The connection broke before the answer came.
    Lost(String),
    /// A lease of etcd's has ended before it was put to use.
    NoLease,
    /// Somebody with a later token was here.
    Conflict,
    /// The op makes no sense here, or was not to be done in time.
    Failed(Failure),
    /// Anything else.
    Refused(String),
}

/// How etcd says that too few members were there. It has no number for it.
const NO_MAJORITY: [&str; 5] = [
    "etcdserver: no leader",
    "etcdserver: request timed out",
    "etcdserver: leader changed",
    "etcdserver: not leader",
    "context deadline exceeded",
];

/// How it says that it is on its way out.
const GOING: [&str; 2] = ["etcdserver: server stopped", "transport is closing"];

impl Trouble {
    /// What etcd means by these words.
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

    /// In words, of something that had to go well.
    pub(super) fn text(self) -> String {
        match self {
            Self::NoMajority(said) => {
                format!("etcd: {said}: too few members are there to decide")
            }
            Self::NoLease => "etcd: a lease ended too soon".into(),
            Self::Conflict => "etcd: somebody got in between".into(),
            Self::Failed(why) => why.to_string(),
            Self::Lost(text) | Self::Refused(text) => text,
        }
    }
}
